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
  ) async throws(Failure) -> [UInt32] {
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
    let rowGroups = RowGroups(row: frame.longestRows)
    let view =
      rowGroups == .bytes && members.count <= 64
      ? rowsViewStatement(frame: frame.path, node: context.node, members: members)
      : rowsViewStatement(frame: frame.path, node: context.node)
    try await session.run(
      rowGroups.settings.before + [
        batchTableStatement(rows: table), view, urgentRowsStatement(selection, to: path),
      ])
    var lines = NumberLines()
    do {
      let file = try Descriptor.input(path)
      try file.readBlocks { lines.take($0) }
    } catch {
      throw (error as? SystemError).map { context.scratchFailure($0) } ?? Failure.from(error)
    }
    lines.finish()
    return lines.numbers
  }

  /// Writes the frame, which DuckDB was given last, as a data file, and uploads it.
  func write(
    _ frame: FrameLayout, _ members: [NumberedBatch], number: Int
  ) async throws(Failure) -> DataFile {
    let data = joined(work, "data-\(number).parquet")
    let rowGroups = RowGroups(row: frame.longestRows)
    let (before, after) = rowGroups.settings
    let results = try await session.run(before + [dataFileStatement(to: data, rowGroups: rowGroups)] + after)
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

/// Decimal numbers, one a line, out of a text that arrives in blocks: a quarter of a gibibyte's rows are a million and a half.
struct NumberLines {
  private(set) var numbers: [UInt32] = []
  private var value: UInt64 = 0
  private var hasDigits = false

  mutating func take(_ block: UnsafeRawBufferPointer) {
    for byte in block {
      if byte &- 0x30 < 10 {
        value = value &* 10 &+ UInt64(byte &- 0x30)
        hasDigits = true
      } else {
        finish()
      }
    }
  }

  mutating func finish() {
    // No frame has more rows than that.
    if hasDigits, let number = UInt32(exactly: value) { numbers.append(number) }
    (value, hasDigits) = (0, false)
  }
}
