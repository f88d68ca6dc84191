SELECT * FROM query('SELECT content FROM read_text(''{canary}.csv'')')
SELECT * FROM query('FROM ' || chr(39) || '{canary}.csv' || chr(39))
SELECT * FROM query($$FROM '{canary}.csv'$$)
SELECT * FROM query('FROM query(''FROM read_text(''''{canary}.csv'''')'')')
SELECT * FROM query_table('{canary}.csv')
SELECT * FROM query_table(['{canary}.csv', '{canary}.json'], true)
SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT content FROM read_text(''{canary}.csv'')'))
SELECT * FROM json_execute_serialized_sql((SELECT json_serialize_sql('FROM read_text(''{canary}.csv'')')))
SELECT json_serialize_sql('SELECT 1')
SELECT json_deserialize_sql(json_serialize_sql('SELECT 1'))
SELECT json_serialize_plan('SELECT content FROM read_text(''{canary}.csv'')')
PRAGMA json_execute_serialized_sql('{}')
SELECT * FROM (SELECT * FROM (SELECT * FROM query('FROM read_text(''{canary}.csv'')')))
SELECT * FROM (VALUES ((SELECT content FROM read_text('{canary}.csv'))))
SELECT * FROM live AT (VERSION => 1)
SELECT * FROM live POSITIONAL JOIN read_text('{canary}.csv')
SELECT * FROM live ASOF JOIN read_text('{canary}.csv') t ON live.ts >= t.last_modified
SELECT * FROM summary((SELECT content FROM read_text('{canary}.csv')))
SELECT * FROM seq_scan('live')
SELECT * FROM index_scan('live')
SELECT * FROM checkpoint()
SELECT * FROM force_checkpoint()
SELECT * FROM duckdb_optimizers()
SELECT system.main.getenv('HOME')
SELECT main.getenv('HOME')
SELECT 'HOME'.getenv()
SELECT getenv(column0) FROM (VALUES ('HOME')) AS t(column0)
SELECT "getenv"('HOME')
SELECT GETENV('HOME')
SELECT "read_text"('{canary}.csv')
SELECT * FROM "READ_TEXT"('{canary}.csv')
SELECT * FROM system.main.read_text('{canary}.csv')
SELECT * FROM pg_catalog.read_text('{canary}.csv')
SELECT * FROM range(1) t(a), read_text('{canary}.csv')
SELECT apply([1], lambda x: getenv('HOME'))
SELECT list_reduce(['a', 'b'], lambda x, y: getenv(x))
SELECT sum(1) OVER (ORDER BY (SELECT content FROM read_text('{canary}.csv')))
SELECT sum(1) FILTER (WHERE (SELECT content FROM read_text('{canary}.csv')) = '')
SELECT count(*) FROM live GROUP BY ALL HAVING (SELECT content FROM read_text('{canary}.csv')) = ''
SELECT 1 QUALIFY (SELECT content FROM read_text('{canary}.csv')) = ''
SELECT * REPLACE ((SELECT content FROM read_text('{canary}.csv')) AS message) FROM live
SELECT * FROM live TABLESAMPLE 1% WHERE getenv('HOME') = ''
SELECT DISTINCT ON ((SELECT content FROM read_text('{canary}.csv'))) 1
SELECT {'a': getenv('HOME')}
SELECT [getenv('HOME') FOR x IN [1]]
SELECT CAST(getenv('HOME') AS VARCHAR)
SELECT getenv('HOME') COLLATE NOCASE
SELECT COLUMNS(lambda c: getenv('HOME') = '') FROM live
SELECT ?
SELECT $1
SELECT $name
SELECT error(getenv('HOME'))
SELECT pragma_version()
SELECT in_search_path('a', 'b')
SELECT pg_get_viewdef(1)
SELECT sha256(content) FROM read_blob('{canary}.csv')
