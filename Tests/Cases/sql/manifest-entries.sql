SELECT data_file.file_path AS path, data_file.record_count AS rows, data_file.file_size_in_bytes AS size,
  snapshot_id AS snapshot FROM read_avro('/tmp/a.avro') WHERE status <> 2
UNION ALL
SELECT data_file.file_path AS path, data_file.record_count AS rows, data_file.file_size_in_bytes AS size,
  snapshot_id AS snapshot FROM read_avro('/tmp/b''s.avro') WHERE status <> 2
