SELECT manifest_path AS path, added_snapshot_id AS snapshot, content, manifest_length AS length FROM read_avro('/tmp/l.avro')
