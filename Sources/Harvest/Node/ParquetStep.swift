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

/// DuckDB's part of stage: which rows of a frame are urgent, and the data file that it becomes, which goes to the store.
struct ParquetStep: Sendable {
  let context: NodeContext
  let session: Session
  let dataPath: String
  let selection: SQL
  /// The bundle's folder in scratch.
  let work: String
  /// The name of the try whose data files are written.
  let attempt: String

  /// Gives DuckDB the frame. The urgent rows' numbers in it, ascending.
  func urgentRows(
    _ frame: FrameLayout, _ members: [NumberedBatch], number: Int
  ) async throws(Failure) -> [Int64] {
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
    let path = joined(work, "urgent-\(number).csv")
    do throws(SystemError) {
      try publish(Array(rows.map { encodeJSON($0) + [0x0A] }.joined()), at: table, replacing: true)
    } catch {
      throw context.scratchFailure(error)
    }
    try await session.run([
      batchTableStatement(rows: table), rowsViewStatement(frame: frame.path, node: context.node),
      urgentRowsStatement(selection, to: path),
    ])
    do throws(SystemError) {
      let bytes = try readFile(path, limit: .gibibytes(1))
      return numbers(bytes)
    } catch {
      throw context.scratchFailure(error)
    }
  }

  /// Writes the frame that DuckDB was given last as a data file, and uploads it.
  func write(_ members: [NumberedBatch], number: Int) async throws(Failure) -> DataFile {
    let data = joined(work, "data-\(number).parquet")
    let results = try await session.run([dataFileStatement(to: data)])
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
    try await context.store.put(moving: data, at: key)
    guard try await context.store.stat(key)?.size == size else {
      throw Failure("store.unreliable", "The object \(key) does not have the size that was written to it.")
    }
    return DataFile(url: url, size: size, rows: count, columns: columnStatistics(statistics))
  }
}

/// The decimal numbers of the text, one a line.
func numbers(_ text: [UInt8]) -> [Int64] {
  var result: [Int64] = []
  var value: Int64 = 0
  var hasDigits = false
  for byte in text {
    if byte &- 0x30 < 10 {
      value = value &* 10 &+ Int64(byte &- 0x30)
      hasDigits = true
    } else {
      if hasDigits { result.append(value) }
      (value, hasDigits) = (0, false)
    }
  }
  if hasDigits { result.append(value) }
  return result
}
