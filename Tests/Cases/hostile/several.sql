SELECT 1; SELECT 2
SELECT 1; COPY (SELECT 1) TO '{outside}/a.csv'
SELECT 1; ATTACH '{canary}.db' AS c; SELECT * FROM c.t
SELECT 1;; FROM '{canary}.csv'
; FROM '{canary}.csv'
SELECT 1 /* ; */; FROM '{canary}.csv' -- ;
SELECT E'\' ; FROM '''; FROM '{canary}.csv'; SELECT '
SELECT 1 -- ⏎; FROM '{canary}.csv'
SELECT /* /* */ 1; FROM '{canary}.csv'; -- */
SELECT $$a$$; FROM '{canary}.csv'
SELECT $x$;$x$; FROM '{canary}.csv'
SET enable_external_access = true; FROM '{canary}.csv'
RESET lock_configuration; SET enable_external_access = true; FROM '{canary}.csv'
SET VARIABLE a = '{canary}.csv'; FROM read_text(getvariable('a'))
CREATE MACRO f(p) AS TABLE FROM read_text(p); FROM f('{canary}.csv')
CREATE VIEW v AS FROM '{canary}.csv'; FROM v
CREATE TABLE t AS FROM '{canary}.csv'; FROM t
CREATE TABLE t (a VARCHAR); COPY t FROM '{canary}.csv'; FROM t
PREPARE p AS FROM '{canary}.csv'; EXECUTE p
SET file_search_path = '{folder}'; FROM 'canary.csv'
ATTACH '{outside}/new.db' AS n; CREATE TABLE n.t AS SELECT 1; DETACH n
SET temp_directory = '{outside}/spill'; SET memory_limit = '20MB'; CREATE TABLE t AS SELECT hash(range) AS a, repeat('x', 100) AS b FROM range(1000000) ORDER BY 1
SET http_timeout = 1; SET http_retries = 0; FROM read_text('http://127.0.0.1:{port}/a')
CREATE SECRET s (TYPE s3, ENDPOINT '127.0.0.1:{port}', USE_SSL false, URL_STYLE 'path', KEY_ID 'a', SECRET 'b'); FROM 's3://a/b.parquet'
⏎.shell cat {canary}.csv
⏎.system cat {canary}.csv
⏎.sh echo x > {outside}/x
⏎.read {canary}.csv
⏎.read '|cat {canary}.csv'
⏎.import {canary}.csv t⏎SELECT * FROM t;
⏎.import '|cat {canary}.csv' t⏎SELECT * FROM t;
⏎.output {outside}/x⏎SELECT 1;
⏎.once {outside}/x⏎SELECT 1;
⏎.output '|cat > {outside}/x'⏎SELECT 1;
⏎.open {canary}.db⏎SELECT * FROM t;
⏎.open --new {outside}/new.db⏎CREATE TABLE t AS SELECT 1;
⏎.backup {outside}/x
⏎.log {outside}/x⏎SELECT 1;
⏎.cd {folder}⏎FROM 'canary.csv';
⏎.edit
⏎.load {folder}/x.duckdb_extension
⏎.excel⏎SELECT 1;
.tables
SELECT 1;⏎.shell cat {canary}.csv
