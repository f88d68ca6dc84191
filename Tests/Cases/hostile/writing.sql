COPY (SELECT 1) TO '{outside}/a.csv'
COPY (SELECT 1) TO '{outside}/a.json' (FORMAT json)
COPY (SELECT 1) TO '{outside}/a.parquet' (FORMAT parquet)
COPY (SELECT 1 AS a) TO '{outside}/parts' (FORMAT parquet, PARTITION_BY (a), WRITE_PARTITION_COLUMNS true)
COPY (SELECT 1 AS a) TO '{outside}/many' (FORMAT csv, PER_THREAD_OUTPUT true)
COPY (SELECT 'x' AS a) TO '{canary}.csv' (FORMAT csv, USE_TMP_FILE false)
COPY (SELECT 'x' AS a) TO '{in}/a.csv' (FORMAT csv)
COPY (SELECT 'x' AS a) TO '{in}/b.csv' (FORMAT csv)
COPY (SELECT 'x' AS a) TO '{out}/../outside/b.csv'
COPY (SELECT 'x' AS a) TO 'relative.csv'
COPY (SELECT 'x' AS a) TO '/proc/self/oom_score_adj' (FORMAT csv, HEADER false)
COPY (SELECT 'x' AS a) TO '/dev/shm/{name}' (FORMAT csv)
COPY (SELECT 'x' AS a) TO '/tmp/{name}' (FORMAT csv)
COPY (SELECT 'x' AS a) TO '{home}/.duckdbrc' (FORMAT csv)
COPY live TO '{outside}/live.csv'
COPY live FROM '{canary}.csv'
COPY FROM DATABASE memory TO other
EXPORT DATABASE '{outside}/export'
EXPORT DATABASE '{outside}/export' (FORMAT parquet)
IMPORT DATABASE '{folder}'
CREATE TABLE t AS SELECT 1
CREATE TABLE t AS FROM '{canary}.csv'
CREATE TEMP TABLE t (a INTEGER)
CREATE OR REPLACE VIEW live AS SELECT 1
CREATE OR REPLACE MACRO count(x) AS 0
CREATE MACRO f() AS TABLE SELECT * FROM read_text('{canary}.csv')
CREATE SCHEMA s
CREATE SEQUENCE s
CREATE TYPE mood AS ENUM ('a')
CREATE INDEX i ON live (message)
CREATE FUNCTION f() AS 1
CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')
INSERT INTO live VALUES (1)
INSERT INTO live SELECT * FROM live
UPDATE live SET message = 'x'
DELETE FROM live
TRUNCATE live
DROP VIEW live
DROP TABLE IF EXISTS t
ALTER VIEW live RENAME TO l
COMMENT ON VIEW live IS 'x'
MERGE INTO live USING archive ON false WHEN NOT MATCHED THEN INSERT
VACUUM
ANALYZE
CHECKPOINT
FORCE CHECKPOINT
BEGIN TRANSACTION
COMMIT
PREPARE p AS SELECT 1
EXECUTE p
EXPLAIN SELECT 1
EXPLAIN ANALYZE SELECT content FROM read_text('{canary}.csv')
SELECT write_log('x')
SELECT nextval('s')
SELECT * FROM write_blob('{outside}/x')
