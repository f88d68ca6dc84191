CREATE OR REPLACE TEMP VIEW gadwall_rows AS
SELECT f.ts, f.service, f.category, f.message, f.id, f.version, 'us-east1' AS region, 'b' AS zone,
  'vm1' AS node, b.stream, make_timestamptz(b.rotated * 1000000) AS rotated, b.id AS batch, f.line, f.extra,
  f.malformed, f.text, f.file_row_number AS gadwall_row
FROM read_parquet('/tmp/frame.parquet', file_row_number = true) f JOIN batches b ON f.batch = b.index
