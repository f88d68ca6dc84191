SELECT getenv('HOME')
SELECT getenv('PATH')
SELECT content FROM read_text('/proc/self/environ')
SELECT content FROM read_text('/proc/{parent}/environ')
SELECT content FROM read_text('/proc/self/cmdline')
SELECT content FROM read_text('/proc/self/maps')
SELECT content FROM read_text('/proc/self/status')
SELECT content FROM read_text('/proc/1/cmdline')
SELECT content FROM read_text('/proc/net/tcp')
SELECT content FROM read_text('/proc/version')
SELECT * FROM duckdb_settings()
SELECT * FROM duckdb_views()
SELECT * FROM duckdb_tables()
SELECT * FROM duckdb_functions()
SELECT * FROM duckdb_extensions()
SELECT * FROM duckdb_databases()
SELECT * FROM duckdb_secrets()
SELECT * FROM duckdb_variables()
SELECT * FROM duckdb_memory()
SELECT * FROM duckdb_temporary_files()
SELECT * FROM duckdb_logs()
SELECT * FROM duckdb_external_file_cache()
SELECT * FROM which_secret('s3://a', 's3')
SELECT * FROM pragma_database_list()
SELECT * FROM pragma_platform()
SELECT * FROM pragma_user_agent()
SELECT * FROM pragma_storage_info('live')
SELECT * FROM pragma_table_info('live')
SELECT * FROM information_schema.tables
SELECT * FROM pg_catalog.pg_tables
SELECT * FROM pg_settings
SELECT * FROM sqlite_master
SELECT current_user
SELECT current_database()
SELECT current_schemas(true)
SELECT version()
SELECT current_query()
SELECT txid_current()
SELECT * FROM sql_auto_complete('SEL')
SELECT * FROM test_all_types()
SHOW TABLES
SHOW ALL TABLES
SHOW DATABASES
