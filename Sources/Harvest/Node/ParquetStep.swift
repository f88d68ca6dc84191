import DuckDB
import Files
import Logs
import ObjectStorage
import Rows
import Support

/// A batch and the number that a frame's rows carry for it.
struct NumberedBatch {
  var number: Int32
  var facts: BatchFacts
}

/// DuckDB's part of stage: one frame to one data file, which goes to the store, and which of its rows are urgent.
struct ParquetStep {
  let context: NodeContext
  let dataPath: String
  let selection: SQL
  let deadline: Deadline

  /// Runs DuckDB over one frame and uploads the data file. The urgent rows' numbers in the frame, ascending.
  func run(
    _ frame: FrameLayout, _ members: [NumberedBatch], work: String, number: Int, attempt: String
  ) async throws(Failure) -> ([DataFile], [Int64]) {
    struct BatchRow: Encodable {
      var index: Int32
      var stream: String
      var rotated: Int64
      var id: String
    }
    let table = joined(work, "batches-\(number).ndjson")
    let rows = members.map {
      BatchRow(index: $0.number, stream: $0.facts.stream, rotated: $0.facts.rotated, id: $0.facts.id)
    }
    let data = joined(work, "data-\(number).parquet")
    let urgentPath = joined(work, "urgent-\(number).csv")
    do throws(SystemError) {
      try publish(Array(rows.map { encodeJSON($0) + [0x0A] }.joined()), at: table, replacing: true)
    } catch {
      throw context.scratchFailure(error)
    }
    let results = try await context.duckdb.run(
      [
        batchTableStatement(rows: table), rowsViewStatement(frame: frame.path, node: context.node),
        dataFileStatement(to: data), urgentRowsStatement(selection, to: urgentPath),
      ], DuckDB.Settings(scratch: joined(work, "spill"), deadline: deadline))
    guard let statistics = results.first(where: { $0.first?["column_statistics"] != nil })?.first,
      let count = statistics["count"]?.integer, let size = statistics["file_size_bytes"]?.integer
    else { throw Failure("duckdb.output", "DuckDB did not say what it wrote.") }
    let bundle = bundleID(batches: members.map(\.facts.id))
    let url =
      "\(dataPath)/rotated_day=\(dayText(members[0].facts.day))/region=\(context.node.region)/\(bundle.prefix(24))-\(attempt)-\(number).parquet"
    guard let key = context.store.key(of: url) else {
      throw Failure(
        "table.elsewhere",
        "The table's data path \(dataPath) lies outside the store \(context.store.url).")
    }
    stepPoint("stage.before-upload")
    try await context.store.put(file: data, at: key)
    guard try await context.store.stat(key)?.size == size else {
      throw Failure("store.unreliable", "The object \(key) does not have the size that was written to it.")
    }
    try? removeFile(data)
    return (
      [DataFile(url: url, size: size, rows: count, columns: columnStatistics(statistics))],
      try urgentRows(urgentPath)
    )
  }

  private func urgentRows(_ path: String) throws(Failure) -> [Int64] {
    do throws(SystemError) {
      let bytes = try readFile(path, limit: .gibibytes(1))
      return bytes.split(separator: 0x0A).compactMap { Int64(String(decoding: $0, as: UTF8.self)) }
    } catch {
      throw context.scratchFailure(error)
    }
  }
}
