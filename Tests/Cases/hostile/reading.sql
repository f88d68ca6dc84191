SELECT * FROM read_csv('{canary}.csv')
SELECT * FROM read_csv_auto('{canary}.csv')
SELECT * FROM read_csv('{canary}.csv', header = false, columns = {'a': 'VARCHAR'}, ignore_errors = true)
SELECT * FROM read_csv(['{canary}.csv', '{in}/a.csv'], union_by_name = true)
SELECT * FROM read_csv('{folder}/*.csv')
SELECT * FROM read_csv('{folder}/**/*.csv', filename = true)
SELECT * FROM read_csv('{in}/../{base}/canary.csv')
SELECT * FROM read_csv('file://{canary}.csv')
SELECT * FROM read_csv('file:{canary}.csv')
SELECT * FROM read_csv('file://localhost{canary}.csv')
SELECT * FROM read_csv('{canary}.csv.gz', compression = 'gzip')
SELECT * FROM read_json('{canary}.json')
SELECT * FROM read_json_auto('{canary}.json')
SELECT * FROM read_ndjson('{canary}.json')
SELECT * FROM read_ndjson_auto('{canary}.json')
SELECT * FROM read_json_objects('{canary}.json')
SELECT * FROM read_json_objects_auto('{canary}.json')
SELECT * FROM read_ndjson_objects('{canary}.json')
SELECT * FROM read_json('{canary}.csv', format = 'unstructured', records = false, ignore_errors = true)
SELECT * FROM read_parquet('{canary}.parquet')
SELECT * FROM read_parquet(['{canary}.parquet'], hive_partitioning = true)
SELECT * FROM parquet_scan('{canary}.parquet')
SELECT * FROM parquet_scan('{folder}/*.parquet')
SELECT * FROM parquet_metadata('{canary}.parquet')
SELECT * FROM parquet_schema('{canary}.parquet')
SELECT * FROM parquet_file_metadata('{canary}.parquet')
SELECT * FROM parquet_kv_metadata('{canary}.parquet')
SELECT * FROM parquet_bloom_probe('{canary}.parquet', 'a', 'x')
SELECT * FROM read_text('{canary}.csv')
SELECT content FROM read_text('{folder}/*')
SELECT content FROM read_text(['{canary}.csv', '{canary}.json'])
SELECT * FROM read_blob('{canary}.csv')
SELECT decode(content) FROM read_blob('{folder}/canary.*')
SELECT (SELECT content FROM read_text('{canary}.csv'))
SELECT * FROM live WHERE message = (SELECT content FROM read_text('{canary}.csv'))
SELECT * FROM live, LATERAL (SELECT content FROM read_text('{canary}.csv'))
SELECT * FROM live LEFT JOIN read_text('{canary}.csv') ON true
WITH a AS (SELECT * FROM read_text('{canary}.csv')) SELECT * FROM a
WITH a AS MATERIALIZED (FROM '{canary}.csv') SELECT * FROM a
WITH RECURSIVE a AS (SELECT content FROM read_text('{canary}.csv') UNION ALL SELECT * FROM a WHERE false) SELECT * FROM a
SELECT 1 UNION ALL SELECT content FROM read_text('{canary}.csv')
SELECT 'a' EXCEPT SELECT content FROM read_text('{canary}.csv')
SELECT CASE WHEN EXISTS (FROM read_text('{canary}.csv')) THEN 1 ELSE 0 END
SELECT 1 ORDER BY (SELECT content FROM read_text('{canary}.csv'))
SELECT 1 LIMIT (SELECT length(content) FROM read_text('{canary}.csv'))
SELECT list_transform([1], x -> (SELECT content FROM read_text('{canary}.csv')))
SELECT ARRAY(SELECT content FROM read_text('{canary}.csv'))
SELECT * FROM '{canary}.csv'
FROM '{canary}.csv'
FROM '{canary}.json'
FROM '{canary}.parquet'
FROM "{canary}.parquet"
FROM '{canary}.csv.gz'
FROM '{canary}.db'
FROM '{folder}/*.csv'
SELECT * FROM main."{canary}.csv"
SELECT * FROM '{canary}.csv' AS live
SELECT count(*) FROM live SEMI JOIN '{canary}.csv' ON true
SELECT * FROM (PIVOT '{canary}.csv' ON a IN ('x') USING count(*))
SELECT * FROM (UNPIVOT '{canary}.csv' ON COLUMNS(*))
DESCRIBE '{canary}.csv'
DESCRIBE SELECT * FROM read_csv('{canary}.csv')
SUMMARIZE '{canary}.csv'
SUMMARIZE SELECT * FROM read_text('{canary}.csv')
TABLE '{canary}.csv'
SELECT * FROM glob('{folder}/*')
SELECT * FROM glob('/etc/*')
SELECT * FROM glob('/proc/*/environ')
SELECT * FROM sniff_csv('{canary}.csv')
SELECT * FROM read_duckdb('{canary}.db', table_name = 't')
SELECT * FROM read_duckdb('{folder}/*.db', table_name = 't')
SELECT * FROM read_avro('{canary}.avro')
SELECT * FROM iceberg_scan('{folder}')
SELECT * FROM sqlite_scan('{canary}.db', 't')
SELECT * FROM read_xlsx('{canary}.xlsx')
SELECT * FROM st_read('{canary}.json')
SELECT * FROM arrow_scan(1, 2, 3)
SELECT * FROM arrow_scan_dumb(1, 2, 3)
SELECT * FROM pandas_scan(1)
SELECT * FROM repeat_row(1, 2, num_rows = 3)
SELECT * FROM read_text('/etc/passwd')
SELECT * FROM read_text('/etc/shadow')
SELECT * FROM read_csv('/etc/passwd', sep = ':', header = false)
FROM '/etc/passwd'
SELECT * FROM read_blob('/proc/self/mem')
SELECT * FROM read_blob('/dev/mem')
SELECT * FROM read_text('/dev/stdin')
SELECT * FROM read_text('/dev/tty')
SELECT * FROM read_csv('/dev/fd/0')
SELECT * FROM read_text('/proc/self/root{canary}.csv')
SELECT * FROM read_text('/proc/self/cwd/canary.csv')
SELECT * FROM read_text('/proc/{parent}/root{canary}.csv')
SELECT * FROM read_text('canary.csv')
SELECT * FROM read_text('./../{base}/canary.csv')
SELECT * FROM read_text('{in}/link')
