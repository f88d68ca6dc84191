SELECT batch, region, zone, node, stream, epoch(rotated)::BIGINT AS rotated FROM iceberg_scan('/tmp/it''s.metadata.json') GROUP BY ALL ORDER BY ALL
