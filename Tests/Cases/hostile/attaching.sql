ATTACH '{outside}/new.db'
ATTACH '{canary}.db' AS c
ATTACH '{canary}.db' AS c (READ_ONLY)
ATTACH IF NOT EXISTS '{canary}.db' AS c (READ_ONLY, TYPE duckdb)
ATTACH '{canary}.db' AS c (TYPE sqlite)
ATTACH ':memory:' AS m
ATTACH 'file:{canary}.db' AS c
DETACH memory
USE memory.main
INSTALL httpfs
INSTALL httpfs FROM '{folder}'
FORCE INSTALL httpfs FROM 'http://127.0.0.1:{port}'
INSTALL '{folder}/x.duckdb_extension'
LOAD httpfs
LOAD '{folder}/x.duckdb_extension'
LOAD '{home}/extensions/v1.5.5/linux_amd64/httpfs.duckdb_extension'
UPDATE EXTENSIONS
SELECT * FROM c.t
SELECT * FROM c.main.t
SELECT * FROM memory.main.live
SELECT * FROM system.main.duckdb_settings
SELECT * FROM temp.main.live
