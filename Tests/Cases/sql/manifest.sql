COPY (
  SELECT 1::INTEGER AS status, 42::BIGINT AS snapshot_id, NULL::BIGINT AS sequence_number,
    NULL::BIGINT AS file_sequence_number,
    struct_pack(
      content := 0::INTEGER, file_path := path, file_format := 'PARQUET',
      partition := struct_pack("rotated_day" := day::DATE, "region" := region),
      record_count := rows, file_size_in_bytes := size,
      column_sizes := map_from_entries(sizes), value_counts := map_from_entries("values"),
      null_value_counts := map_from_entries(nulls),
      lower_bounds := map_from_entries(list_transform(lower, lambda e: struct_pack(k := e.k, v := from_hex(e.v)))),
      upper_bounds := map_from_entries(list_transform(upper, lambda e: struct_pack(k := e.k, v := from_hex(e.v)))),
      split_offsets := [4::BIGINT], sort_order_id := 0::INTEGER) AS data_file
  FROM read_json('/tmp/rows.ndjson', format = 'newline_delimited', columns = {
    path: 'VARCHAR', day: 'VARCHAR', region: 'VARCHAR', rows: 'BIGINT', size: 'BIGINT',
    sizes: 'STRUCT(k INTEGER, v BIGINT)[]', "values": 'STRUCT(k INTEGER, v BIGINT)[]',
    nulls: 'STRUCT(k INTEGER, v BIGINT)[]', lower: 'STRUCT(k INTEGER, v VARCHAR)[]',
    upper: 'STRUCT(k INTEGER, v VARCHAR)[]'})
) TO '/tmp/m.avro' (FORMAT avro, ROOT_NAME 'manifest_entry', FIELD_IDS {status: {__duckdb_field_id: 0, __duckdb_nullable: false}, snapshot_id: 1, sequence_number: 3, file_sequence_number: 4, data_file: {__duckdb_field_id: 2, __duckdb_nullable: false, content: {__duckdb_field_id: 134, __duckdb_nullable: false}, file_path: {__duckdb_field_id: 100, __duckdb_nullable: false}, file_format: {__duckdb_field_id: 101, __duckdb_nullable: false}, partition: {__duckdb_field_id: 102, __duckdb_nullable: false, "rotated_day": 1000, "region": 1001}, record_count: {__duckdb_field_id: 103, __duckdb_nullable: false}, file_size_in_bytes: {__duckdb_field_id: 104, __duckdb_nullable: false}, column_sizes: {__duckdb_field_id: 108, key: {__duckdb_field_id: 117, __duckdb_nullable: false}, value: {__duckdb_field_id: 118, __duckdb_nullable: false}}, value_counts: {__duckdb_field_id: 109, key: {__duckdb_field_id: 119, __duckdb_nullable: false}, value: {__duckdb_field_id: 120, __duckdb_nullable: false}}, null_value_counts: {__duckdb_field_id: 110, key: {__duckdb_field_id: 121, __duckdb_nullable: false}, value: {__duckdb_field_id: 122, __duckdb_nullable: false}}, lower_bounds: {__duckdb_field_id: 125, key: {__duckdb_field_id: 126, __duckdb_nullable: false}, value: {__duckdb_field_id: 127, __duckdb_nullable: false}}, upper_bounds: {__duckdb_field_id: 128, key: {__duckdb_field_id: 129, __duckdb_nullable: false}, value: {__duckdb_field_id: 130, __duckdb_nullable: false}}, split_offsets: {__duckdb_field_id: 132, list: {__duckdb_field_id: 133, __duckdb_nullable: false}}, sort_order_id: 140}}, METADATA {
  'schema': '{"fields":[{"id":1,"name":"ts","required":false,"type":"timestamptz"},{"id":2,"name":"service","required":false,"type":"string"},{"id":3,"name":"category","required":false,"type":"string"},{"id":4,"name":"message","required":false,"type":"string"},{"id":5,"name":"id","required":false,"type":"string"},{"id":6,"name":"version","required":false,"type":"string"},{"id":7,"name":"region","required":true,"type":"string"},{"id":8,"name":"zone","required":true,"type":"string"},{"id":9,"name":"node","required":true,"type":"string"},{"id":10,"name":"stream","required":true,"type":"string"},{"id":11,"name":"rotated","required":true,"type":"timestamptz"},{"id":12,"name":"batch","required":true,"type":"string"},{"id":13,"name":"line","required":true,"type":"long"},{"id":14,"name":"extra","required":false,"type":"string"},{"id":15,"name":"malformed","required":false,"type":"string"},{"id":16,"name":"text","required":false,"type":"string"}],"identifier-field-ids":[],"schema-id":0,"type":"struct"}', 'schema-id': '0',
  'partition-spec': '[{"field-id":1000,"name":"rotated_day","source-id":11,"transform":"day"},{"field-id":1001,"name":"region","source-id":7,"transform":"identity"}]', 'partition-spec-id': '0',
  'format-version': '2', 'content': 'data'})
