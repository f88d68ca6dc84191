SELECT batch, count(*) AS rows, count(malformed) AS malformed FROM iceberg_scan('/tmp/it''s.metadata.json') GROUP BY batch
