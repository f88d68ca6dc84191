import DuckDB
import Files
import Iceberg
import ObjectStorage
import Support
import TestSupport
import Testing

/// A table in a folder, with small Parquet files of the table's columns written by DuckDB.
struct SampleTable: Sendable {
  let duckdb: DuckDB
  let store: DirectoryStore
  let catalog: DirectoryCatalog
  let scratch: String
  /// 2026-11-23, in days since 1970.
  static let day: Int32 = 20_780

  init(_ scratch: String) async throws {
    duckdb = try await testDuckDB()
    store = try DirectoryStore(root: joined(scratch, "store"))
    catalog = DirectoryCatalog(store: store, namespace: "logs", name: "events")
    self.scratch = joined(scratch, "work")
    try makeFolder(self.scratch)
  }

  var location: String { store.root + "/warehouse/logs/events" }

  func writer(now: Instant = Instant(seconds: 1_795_500_000)) -> TableWriter {
    TableWriter(
      duckdb: duckdb, store: store, catalog: catalog, scratch: scratch, clock: WallClock { now })
  }

  /// A data file in its place. Its rows have the lines from `line` on; the last `malformed` of them are no entries.
  ///
  /// The rows' ts begin at noon of the day before the rotation, one a second.
  func file(_ name: String, day: Int32, region: String, line: Int = 1, rows: Int, malformed: Int = 0)
    async throws
    -> AppendedFile
  {
    try makeFolder(location + "/data")
    let path = "\(location)/data/\(name).parquet"
    let rotated = Int64(day) * 86_400 + 50_400
    let ids = tableColumns.map { "\(name: $0.name): \($0.id)" as SQL }.joined(separator: ", ")
    let select: SQL = """
      SELECT CASE WHEN NOT bad THEN make_timestamptz((\(rotated - 93_600) + line) * 1000000) END AS ts,
        CASE WHEN NOT bad THEN 'Auth' END AS service, CASE WHEN NOT bad THEN 'SECURITY' END AS category,
        CASE WHEN NOT bad THEN 'Auth [SECURITY] lamp number ' || line END AS message,
        CASE WHEN NOT bad THEN format('id{:014d}-and-more', line) END AS id,
        CASE WHEN NOT bad THEN '1.1' END AS version, \(region) AS region, \(region + "-b") AS zone, \(region + "-vm") AS node,
        'my_logs.log' AS stream, make_timestamptz(\(rotated * 1_000_000)) AS rotated, \(sha256(name.utf8)) AS batch, line,
        NULL::VARCHAR AS extra, CASE WHEN bad THEN 'not-json' END AS malformed, CASE WHEN bad THEN 'garbage' END AS text
      FROM (SELECT i AS line, i >= \(line + rows - malformed) AS bad FROM range(\(line), \(line + rows)) t(i))
      """
    try await duckdb.run(["COPY (\(select)) TO \(path) (FORMAT parquet, FIELD_IDS {\(ids)})"])
    let info = try FileInfo(path: path)
    return AppendedFile(
      url: "file://" + path, rows: Int64(rows), size: info.size, day: day, region: region,
      columns: try await metrics(path, rows: Int64(rows)))
  }

  private func metrics(_ path: String, rows: Int64) async throws -> [String: ColumnMetrics] {
    let each = tableColumns.map { column -> SQL in
      let value: SQL = column.kind == .timestamptz ? "epoch_us(\(name: column.name))" : "\(name: column.name)"
      return """
        SELECT \(column.name) AS name, count(*) - count(\(value)) AS nulls, min(\(value))::VARCHAR AS low,
          max(\(value))::VARCHAR AS high,
          (SELECT sum(total_compressed_size) FROM parquet_metadata(\(path)) WHERE path_in_schema = \(column.name)) AS size
        FROM read_parquet(\(path))
        """
    }
    let found = try #require(try await duckdb.run([each.joined(separator: " UNION ALL ")]).first)
    return Dictionary(
      uniqueKeysWithValues: try found.map { row in
        (
          try #require(row["name"]?.string),
          ColumnMetrics(
            values: rows, nulls: try #require(row["nulls"]?.integer), size: row["size"]?.integer ?? 0,
            min: row["low"]?.string, max: row["high"]?.string)
        )
      })
  }

  /// Appends to the table as it is now.
  func append(
    _ files: [AppendedFile], run: String, leftOut: [String] = [], settled: [String] = [], now: Instant? = nil
  )
    async throws -> LoadedTable
  {
    let base = try await catalog.load()
    let answer = try await writer(now: now ?? Instant(seconds: 1_795_500_000)).append(
      files, run: run, leftOut: leftOut, settled: settled, on: base)
    guard case .committed(let table) = answer else {
      Issue.record("\(run) was not committed: \(answer)")
      throw Failure("test.conflict", "\(run) was not committed.")
    }
    return table
  }

  /// Three files: two days in one region, and one of them in another.
  func threeFiles() async throws -> [AppendedFile] {
    [
      try await file("a", day: Self.day, region: "us-east1", line: 1, rows: 100, malformed: 3),
      try await file("b", day: Self.day, region: "europe-west1-é", line: 1000, rows: 50),
      try await file("c", day: Self.day + 1, region: "us-east1", line: 5000, rows: 25),
    ]
  }

  /// The newest metadata file's path.
  func metadataPath() async throws -> String {
    let table = try #require(try await catalog.load())
    return "\(location)/metadata/v\(table.version).metadata.json"
  }

  /// Writes metadata as another program would have: the next version, and the hint.
  func change(_ body: (inout JSONValue) -> Void) async throws {
    let table = try #require(try await catalog.load())
    var metadata = table.metadata
    body(&metadata)
    let folder = "warehouse/logs/events/metadata"
    try await store.put(metadata.encoded, at: "\(folder)/v\(table.version + 1).metadata.json")
    try await store.put(Array("\(table.version + 1)".utf8), at: "\(folder)/version-hint.text")
  }

  /// What pyiceberg finds: for each filter, rows and planned files.
  func pyiceberg(_ filters: [String], snapshot: Int64? = nil) async throws -> [[Int]] {
    let script = """
      import json, sys
      from pyiceberg.table import StaticTable
      table = StaticTable.from_metadata(sys.argv[1])
      snapshot = int(sys.argv[2]) if sys.argv[2] else None
      result = []
      for text in json.load(sys.stdin):
          scan = table.scan(snapshot_id=snapshot, **({'row_filter': text} if text else {}))
          result.append([scan.to_arrow().num_rows, len(list(scan.plan_files()))])
      json.dump(result, sys.stdout)
      """
    let said = try await python(
      script, ["file://" + metadataPath(), snapshot.map(String.init) ?? ""], input: encodeJSON(filters))
    return try decodeJSON([[Int]].self, from: said, code: "test.python", document: "What Python said")
  }

  /// What DuckDB's own Iceberg reader counts.
  func scanned(_ rest: SQL = "", options: SQL = "") async throws -> Int64? {
    let path = try await metadataPath()
    let rows = try await duckdb.run(
      ["SELECT count(*) AS n FROM iceberg_scan(\(path)\(options)) \(rest)"],
      DuckDB.Settings(load: ["avro", "iceberg"]))
    return rows.first?.first?["n"]?.integer
  }
}

/// A table of its own, removed afterwards.
func withTable(_ body: (SampleTable) async throws -> Void) async throws {
  try await withScratch { scratch in try await body(try await SampleTable(scratch)) }
}
