SET enable_external_access = true
SET GLOBAL enable_external_access = true
SET lock_configuration = false
SET allowed_directories = ['/']
SET allowed_paths = ['{canary}.csv']
SET memory_limit = '100GB'
SET threads = 1000
SET temp_directory = '{outside}/spill'
SET extension_directory = '{folder}'
SET custom_extension_repository = 'http://127.0.0.1:{port}'
SET allow_unsigned_extensions = true
SET autoinstall_known_extensions = true
SET home_directory = '{folder}'
SET secret_directory = '{outside}'
SET log_query_path = '{outside}/log'
SET profiling_output = '{outside}/profile'
SET file_search_path = '{folder}'
SET disabled_filesystems = ''
SET search_path = 'information_schema'
SET http_proxy = '127.0.0.1:{port}'
SET VARIABLE a = 1
SET VARIABLE a = (SELECT content FROM read_text('{canary}.csv'))
RESET enable_external_access
RESET memory_limit
PRAGMA memory_limit = '100GB'
PRAGMA database_list
PRAGMA enable_profiling
PRAGMA profiling_output = '{outside}/profile'
PRAGMA enable_logging
PRAGMA version
PRAGMA show_tables
PRAGMA import_database('{folder}')
CALL enable_logging(storage = 'file', storage_config = {'path': '{outside}/log'})
CALL pragma_version()
CALL read_text('{canary}.csv')
SELECT current_setting('temp_directory')
SELECT getvariable('a')
SELECT set_config('memory_limit', '100GB', false)
