COPY (SELECT 'file:///t/metadata/m.avro' AS manifest_path, 7::BIGINT AS manifest_length, 0::INTEGER AS partition_spec_id,
  0::INTEGER AS content, 2::BIGINT AS sequence_number, 2::BIGINT AS min_sequence_number,
  42::BIGINT AS added_snapshot_id, 1::INTEGER AS added_files_count,
  0::INTEGER AS existing_files_count, 0::INTEGER AS deleted_files_count, 3::BIGINT AS added_rows_count,
  0::BIGINT AS existing_rows_count, 0::BIGINT AS deleted_rows_count,
  [struct_pack(contains_null := false, contains_nan := false, lower_bound := from_hex('2c510000'),
    upper_bound := from_hex('2c510000')),
   struct_pack(contains_null := false, contains_nan := false, lower_bound := from_hex('75732d6561737431'),
    upper_bound := from_hex('75732d6561737431'))]::STRUCT(contains_null BOOLEAN, contains_nan BOOLEAN, lower_bound BLOB, upper_bound BLOB)[] AS partitions) TO '/tmp/l.avro' (FORMAT avro, ROOT_NAME 'manifest_file', FIELD_IDS {manifest_path: {__duckdb_field_id: 500, __duckdb_nullable: false}, manifest_length: {__duckdb_field_id: 501, __duckdb_nullable: false}, partition_spec_id: {__duckdb_field_id: 502, __duckdb_nullable: false}, content: {__duckdb_field_id: 517, __duckdb_nullable: false}, sequence_number: {__duckdb_field_id: 515, __duckdb_nullable: false}, min_sequence_number: {__duckdb_field_id: 516, __duckdb_nullable: false}, added_snapshot_id: {__duckdb_field_id: 503, __duckdb_nullable: false}, added_files_count: {__duckdb_field_id: 504, __duckdb_nullable: false}, existing_files_count: {__duckdb_field_id: 505, __duckdb_nullable: false}, deleted_files_count: {__duckdb_field_id: 506, __duckdb_nullable: false}, added_rows_count: {__duckdb_field_id: 512, __duckdb_nullable: false}, existing_rows_count: {__duckdb_field_id: 513, __duckdb_nullable: false}, deleted_rows_count: {__duckdb_field_id: 514, __duckdb_nullable: false}, partitions: {__duckdb_field_id: 507, list: {__duckdb_field_id: 508, __duckdb_nullable: false, contains_null: {__duckdb_field_id: 509, __duckdb_nullable: false}, contains_nan: 518, lower_bound: 510, upper_bound: 511}}}, METADATA {
  'snapshot-id': '42', 'parent-snapshot-id': 'null',
  'sequence-number': '2', 'format-version': '2'})
