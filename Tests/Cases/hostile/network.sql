SELECT * FROM read_csv('http://127.0.0.1:{port}/a.csv')
SELECT * FROM read_text('http://127.0.0.1:{port}/a.txt')
SELECT * FROM read_blob('http://localhost:{port}/a.txt')
SELECT * FROM read_json('http://127.0.0.1:{port}/a.json')
SELECT * FROM read_parquet('http://127.0.0.1:{port}/a.parquet')
SELECT * FROM read_parquet('https://127.0.0.1:{port}/a.parquet')
SELECT * FROM read_parquet('s3://bucket/a.parquet?s3_endpoint=127.0.0.1:{port}&s3_use_ssl=false&s3_url_style=path')
SELECT * FROM read_parquet('gcs://bucket/a.parquet?s3_endpoint=127.0.0.1:{port}&s3_use_ssl=false')
SELECT * FROM read_parquet('hf://datasets/a/b/c.parquet')
FROM 'http://127.0.0.1:{port}/a.parquet'
FROM 'http://127.0.0.1:{port}/a.csv'
SELECT * FROM glob('http://127.0.0.1:{port}/*')
SELECT * FROM read_duckdb('http://127.0.0.1:{port}/a.db', table_name = 't')
ATTACH 'http://127.0.0.1:{port}/a.db' AS a
COPY (SELECT 1) TO 'http://127.0.0.1:{port}/a.csv'
COPY (SELECT 1) TO 's3://bucket/a.csv?s3_endpoint=127.0.0.1:{port}&s3_use_ssl=false&s3_url_style=path'
SELECT * FROM postgres_scan('host=127.0.0.1 port={port}', 'public', 't')
SELECT * FROM mysql_query('host=127.0.0.1 port={port}', 'SELECT 1')
SELECT http_get('http://127.0.0.1:{port}/')
