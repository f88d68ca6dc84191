CREATE OR REPLACE TEMP TABLE batches AS SELECT * FROM read_json('/tmp/it''s.ndjson', format = 'newline_delimited', columns = {
  index: 'INTEGER', stream: 'VARCHAR', rotated: 'BIGINT', id: 'VARCHAR'})
