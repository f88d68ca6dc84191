import DuckDB
import Files
import Support

// Manifests and manifest lists, written and read by DuckDB's avro extension. What Java, pyiceberg and DuckDB want of each field is in
// docs/table.md, Metadata; the field ids are the specification's.

/// A manifest of new data files.
func manifestStatement(rows: String, to path: String, snapshot: Int64, spec: PartitionSpec) -> SQL {
  """
  COPY (
    SELECT 1::INTEGER AS status, \(snapshot)::BIGINT AS snapshot_id, NULL::BIGINT AS sequence_number,
      NULL::BIGINT AS file_sequence_number,
      struct_pack(
        content := 0::INTEGER, file_path := path, file_format := 'PARQUET',
        partition := struct_pack(\(name: avroName(spec.dayName)) := day::DATE, \(name: avroName(spec.regionName)) := region),
        record_count := rows, file_size_in_bytes := size,
        column_sizes := map_from_entries(sizes), value_counts := map_from_entries("values"),
        null_value_counts := map_from_entries(nulls),
        lower_bounds := map_from_entries(list_transform(lower, lambda e: struct_pack(k := e.k, v := from_hex(e.v)))),
        upper_bounds := map_from_entries(list_transform(upper, lambda e: struct_pack(k := e.k, v := from_hex(e.v)))),
        split_offsets := [4::BIGINT], sort_order_id := 0::INTEGER) AS data_file
    FROM read_json(\(rows), format = 'newline_delimited', columns = {
      path: 'VARCHAR', day: 'VARCHAR', region: 'VARCHAR', rows: 'BIGINT', size: 'BIGINT',
      sizes: 'STRUCT(k INTEGER, v BIGINT)[]', "values": 'STRUCT(k INTEGER, v BIGINT)[]',
      nulls: 'STRUCT(k INTEGER, v BIGINT)[]', lower: 'STRUCT(k INTEGER, v VARCHAR)[]',
      upper: 'STRUCT(k INTEGER, v VARCHAR)[]'})
  ) TO \(path) (FORMAT avro, ROOT_NAME 'manifest_entry', FIELD_IDS \(manifestFieldIDs(spec)), METADATA {
    'schema': \(spec.schema.text), 'schema-id': \(String(spec.schema["schema-id"]?.integer ?? 0)),
    'partition-spec': \(spec.json.text), 'partition-spec-id': \(String(spec.id)),
    'format-version': '2', 'content': 'data'})
  """
}

/// One line of the file that ``manifestStatement(rows:to:snapshot:spec:)`` reads.
struct ManifestRow: Encodable {
  struct Number: Encodable {
    var k: Int
    var v: Int64
  }
  struct Bound: Encodable {
    var k: Int
    var v: String
  }

  var path: String
  var day: String
  var region: String
  var rows: Int64
  var size: Int64
  var sizes: [Number] = []
  var values: [Number] = []
  var nulls: [Number] = []
  var lower: [Bound] = []
  var upper: [Bound] = []

  init(_ file: AppendedFile) {
    path = file.url
    day = dayText(file.day)
    region = file.region
    rows = file.rows
    size = file.size
    for column in tableColumns {
      guard let metrics = file.columns[column.name] else { continue }
      sizes.append(Number(k: column.id, v: metrics.size))
      values.append(Number(k: column.id, v: metrics.values))
      nulls.append(Number(k: column.id, v: metrics.nulls))
      if let bound = metrics.min.flatMap({ lowerBound(column.kind, $0) }) {
        lower.append(Bound(k: column.id, v: hex(bound)))
      }
      if let bound = metrics.max.flatMap({ upperBound(column.kind, $0) }) {
        upper.append(Bound(k: column.id, v: hex(bound)))
      }
    }
  }
}

/// What the manifest list says of a new manifest.
struct ManifestSummary: Sendable {
  var url: String
  var length: Int64
  var specID: Int64
  var sequence: Int64
  var snapshot: Int64
  var files: [AppendedFile]

  var rows: Int64 { files.reduce(0) { $0 + $1.rows } }
}

/// A manifest list: the new manifest and, verbatim, every entry of the parent's list.
func manifestListStatement(
  adding new: ManifestSummary, parentList: String?, parentSnapshot: Int64?, to path: String
) -> SQL {
  let days = new.files.map(\.day)
  let regions = new.files.map { Array($0.region.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
  let summary: SQL =
    "STRUCT(contains_null BOOLEAN, contains_nan BOOLEAN, lower_bound BLOB, upper_bound BLOB)[]"
  var rows: SQL = """
    SELECT \(new.url) AS manifest_path, \(new.length)::BIGINT AS manifest_length, \(new.specID)::INTEGER AS partition_spec_id,
      0::INTEGER AS content, \(new.sequence)::BIGINT AS sequence_number, \(new.sequence)::BIGINT AS min_sequence_number,
      \(new.snapshot)::BIGINT AS added_snapshot_id, \(new.files.count)::INTEGER AS added_files_count,
      0::INTEGER AS existing_files_count, 0::INTEGER AS deleted_files_count, \(new.rows)::BIGINT AS added_rows_count,
      0::BIGINT AS existing_rows_count, 0::BIGINT AS deleted_rows_count,
      [struct_pack(contains_null := false, contains_nan := false, lower_bound := from_hex(\(hex(littleEndian(days.min() ?? 0)))),
        upper_bound := from_hex(\(hex(littleEndian(days.max() ?? 0))))),
       struct_pack(contains_null := false, contains_nan := false, lower_bound := from_hex(\(hex(regions.first ?? []))),
        upper_bound := from_hex(\(hex(regions.last ?? []))))]::\(summary) AS partitions
    """
  if let parentList {
    let scalars = manifestListColumns.map {
      "\(SQL(trusted: $0.name))::\(SQL(trusted: $0.type)) AS \(SQL(trusted: $0.name))" as SQL
    }
    rows = """
      \(rows)
      UNION ALL BY NAME (SELECT \(scalars.joined(separator: ", ")),
        list_transform(partitions, lambda p: struct_pack(contains_null := p.contains_null, contains_nan := p.contains_nan,
          lower_bound := p.lower_bound, upper_bound := p.upper_bound))::\(summary) AS partitions
        FROM read_avro(\(parentList)))
      """
  }
  let parent = parentSnapshot.map(String.init) ?? "null"
  return """
    COPY (\(rows)) TO \(path) (FORMAT avro, ROOT_NAME 'manifest_file', FIELD_IDS \(manifestListFieldIDs), METADATA {
      'snapshot-id': \(String(new.snapshot)), 'parent-snapshot-id': \(parent),
      'sequence-number': \(String(new.sequence)), 'format-version': '2'})
    """
}

/// The entries of manifests: those that a reader of the snapshot sees.
///
/// One SELECT a manifest: other writers' manifests have other schemas, and read_avro can't unite them.
func manifestEntriesStatement(_ paths: [String]) -> SQL {
  let each = paths.map { path in
    """
    SELECT data_file.file_path AS path, data_file.record_count AS rows, data_file.file_size_in_bytes AS size,
      snapshot_id AS snapshot FROM read_avro(\(path)) WHERE status <> 2
    """ as SQL
  }
  return each.joined(separator: "\nUNION ALL\n")
}

/// A manifest list's entries.
func manifestListEntriesStatement(_ path: String) -> SQL {
  """
  SELECT manifest_path AS path, added_snapshot_id AS snapshot, content, manifest_length AS length FROM read_avro(\(path))
  """
}

// MARK: field ids

private let manifestListColumns: [(name: String, id: Int, type: String)] = [
  ("manifest_path", 500, "VARCHAR"), ("manifest_length", 501, "BIGINT"),
  ("partition_spec_id", 502, "INTEGER"),
  ("content", 517, "INTEGER"), ("sequence_number", 515, "BIGINT"), ("min_sequence_number", 516, "BIGINT"),
  ("added_snapshot_id", 503, "BIGINT"), ("added_files_count", 504, "INTEGER"),
  ("existing_files_count", 505, "INTEGER"),
  ("deleted_files_count", 506, "INTEGER"), ("added_rows_count", 512, "BIGINT"),
  ("existing_rows_count", 513, "BIGINT"),
  ("deleted_rows_count", 514, "BIGINT"),
]

private let manifestListFieldIDs: SQL = {
  let scalars = manifestListColumns.map { "\(SQL(trusted: $0.name)): \(required($0.id))" as SQL }
  let partition = required(
    508, ["contains_null: \(required(509))", "contains_nan: 518", "lower_bound: 510", "upper_bound: 511"])
  return group(scalars + ["partitions: \(field(507, ["list: \(partition)"]))"])
}()

private func manifestFieldIDs(_ spec: PartitionSpec) -> SQL {
  func map(_ name: SQL, _ id: Int, _ key: Int, _ value: Int) -> SQL {
    "\(name): \(field(id, ["key: \(required(key))", "value: \(required(value))"]))"
  }
  let partition = required(
    102,
    [
      "\(name: avroName(spec.dayName)): \(spec.dayFieldID)",
      "\(name: avroName(spec.regionName)): \(spec.regionFieldID)",
    ])
  let file = required(
    2,
    [
      "content: \(required(134))", "file_path: \(required(100))", "file_format: \(required(101))",
      "partition: \(partition)",
      "record_count: \(required(103))", "file_size_in_bytes: \(required(104))",
      map("column_sizes", 108, 117, 118),
      map("value_counts", 109, 119, 120), map("null_value_counts", 110, 121, 122),
      map("lower_bounds", 125, 126, 127),
      map("upper_bounds", 128, 129, 130), "split_offsets: \(field(132, ["list: \(required(133))"]))",
      "sort_order_id: 140",
    ])
  return group([
    "status: \(required(0))", "snapshot_id: 1", "sequence_number: 3", "file_sequence_number: 4",
    "data_file: \(file)",
  ])
}

/// The name as Avro takes it, spelled as Java's writer does (AvroSchemaUtil.makeCompatibleName); readers go by the field's id.
private func avroName(_ name: String) -> String {
  var result = ""
  for unit in name.utf16 {
    let scalar = Unicode.Scalar(unit)
    let isDigit = (0x30...0x39).contains(unit)
    let isLetter = (0x41...0x5A).contains(unit) || (0x61...0x7A).contains(unit) || unit == 0x5F
    if let scalar, isLetter || isDigit && !result.isEmpty {
      result.unicodeScalars.append(scalar)
    } else {
      result += isDigit ? "_\(unit - 0x30)" : "_x" + String(unit, radix: 16, uppercase: true)
    }
  }
  return result
}

private func group(_ members: [SQL]) -> SQL { "{\(members.joined(separator: ", "))}" }
private func field(_ id: Int, _ members: [SQL] = []) -> SQL { group(["__duckdb_field_id: \(id)"] + members) }
private func required(_ id: Int, _ members: [SQL] = []) -> SQL {
  group(["__duckdb_field_id: \(id)", "__duckdb_nullable: false"] + members)
}
