import Files
import FleetQuery
import Support
import Synchronization

/// A result as people and programs read it, written as its rows come.
final class QueryView: Sendable {
  private let format: QueryCommand.Format
  private let hasBars: Bool
  private let sink: OutputSink
  private let state = Mutex(State())

  private struct State {
    var hasBegun = false
    var hasRows = false
    /// Of a table: its columns have the width of their widest cell.
    var cells: [[String]] = []
  }

  /// - Parameter path: a file that does not exist; standard output when nil.
  init(_ format: QueryCommand.Format, hasBars: Bool, to path: String?) {
    self.format = format
    self.hasBars = hasBars
    sink = OutputSink(path)
  }

  /// Whether it shows rows before it has them all.
  var streams: Bool { [.csv, .json, .ndjson].contains(format) }

  /// - Parameter file: with rows, as DuckDB wrote them for the format.
  func take(_ columns: [ResultColumn], _ file: String) throws {
    try state.withLock { state in
      try begin(columns, &state)
      switch format {
      case .parquet, .csv:
        let file = try Descriptor.input(file)
        try file.readBlocks { sink.put(Array($0)) }
      case .ndjson: try rows(file) { sink.put(Array((object(columns, $0) + "\n").utf8)) }
      case .json:
        try rows(file) { row in
          sink.put(Array(((state.hasRows ? ",\n" : "\n") + object(columns, row)).utf8))
          state.hasRows = true
        }
      case .table: try rows(file) { state.cells.append($0.map(text).map { $0.replacing("\n", with: "⏎") }) }
      case .markdown: try rows(file) { sink.put(markdown($0.map(text))) }
      }
    }
    try sink.check()
  }

  func end(_ result: QueryResult) throws {
    try state.withLock { state in
      try begin(result.columns, &state)
      switch format {
      case .json: sink.put(Array("\n],\"coverage\":".utf8) + encodeJSON(result.coverage) + Array("}\n".utf8))
      case .table:
        sink.put(Array(table(result.columns, state.cells).rendered(width: Terminal.width(.standard)).utf8))
      case .csv, .markdown, .ndjson, .parquet: break
      }
    }
    try sink.check()
  }

  private func begin(_ columns: [ResultColumn], _ state: inout State) throws {
    guard !state.hasBegun else { return }
    state.hasBegun = true
    try sink.open()
    switch format {
    case .csv: sink.put(Array((columns.map { csvCell($0.name) }.joined(separator: ",") + "\n").utf8))
    case .json: sink.put(Array("{\"columns\":".utf8) + encodeJSON(columns) + Array(",\"rows\":[".utf8))
    case .markdown:
      sink.put(markdown(columns.map(\.name)))
      sink.put(markdown(columns.map { isNumber($0) ? "---:" : "---" }))
    case .ndjson, .parquet, .table: break
    }
  }

  private func markdown(_ cells: [String]) -> [UInt8] {
    let escaped = cells.map { $0.replacing("|", with: "\\|").replacing("\n", with: "<br>") }
    return Array(("| " + escaped.joined(separator: " | ") + " |\n").utf8)
  }

  // MARK: rows

  /// Lends the values of one row after the other.
  private func rows(_ path: String, _ body: ([Syntax]) throws -> Void) throws {
    var rest: [UInt8] = []
    let file = try Descriptor.input(path)
    func take(_ line: ArraySlice<UInt8>) throws {
      guard !line.isEmpty else { return }
      let row = try Syntax(parsing: String(decoding: line, as: UTF8.self))
      try body(row.parts)
    }
    try file.readBlocks { block in
      rest += block
      var start = rest.startIndex
      while let end = rest[start...].firstIndex(of: 0x0A) {
        try take(rest[start..<end])
        start = end + 1
      }
      rest.removeSubrange(..<start)
    }
    try take(rest[...])
  }

  /// One row as DuckDB's own `-json` shows it: two columns of one name included.
  private func object(_ columns: [ResultColumn], _ row: [Syntax]) -> String {
    let members = zip(columns, row).map { column, value in
      // What DuckDB has as JSON is one already.
      // Line ends stand between its tokens alone; a row is one line.
      let text =
        column.type == "JSON"
        ? value.string.map { String(decoding: $0.utf8.map { $0 < 0x20 ? 0x20 : $0 }, as: UTF8.self) }
          ?? "null"
        : value.json
      return "\(Syntax.text(column.name).json):\(text)"
    }
    return "{" + members.joined(separator: ",") + "}"
  }

  private func text(_ value: Syntax) -> String {
    switch value {
    case .null: "NULL"
    case .text(let text): printable(text)
    default: value.json
    }
  }

  private func isNumber(_ column: ResultColumn) -> Bool {
    let type = column.type.prefix { $0 != "(" }
    return [
      "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
      "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL",
    ].contains(type)
      && !column.type.hasSuffix("]")
  }

  private func table(_ columns: [ResultColumn], _ cells: [[String]]) -> TextTable {
    var table = TextTable(columns: columns.map { (printable($0.name), isNumber($0) ? .right : .left) })
    table.rows = cells
    let numbers = columns.indices.filter { isNumber(columns[$0]) }
    if hasBars, numbers.count == 1 { addBars(&table, of: numbers[0]) }
    return table
  }

  /// A column of bars, the longest for the greatest number. What is less than 0 has none.
  private func addBars(_ table: inout TextTable, of column: Int) {
    let values = table.rows.map { max(0, Double($0[column]) ?? 0) }
    let greatest = values.filter(\.isFinite).max() ?? 0
    table.columns.append(("", .left))
    for (index, value) in values.enumerated() {
      let eighths =
        greatest > 0 && value.isFinite ? Int((value / greatest * Double(8 * Self.barWidth)).rounded()) : 0
      let rest = eighths % 8 == 0 ? "" : String(Self.eighths[eighths % 8 - 1])
      table.rows[index].append(String(repeating: "█", count: eighths / 8) + rest)
    }
  }

  private static let barWidth = 24
  private static let eighths: [Character] = ["▏", "▎", "▍", "▌", "▋", "▊", "▉"]

  private func csvCell(_ text: String) -> String {
    guard text.contains(where: { ",\"\n\r".contains($0) }) else { return text }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }
}

/// Where a result goes: standard output, or a file, which is made with the first of its bytes.
private final class OutputSink: Sendable {
  private let path: String?
  private let state = Mutex(State())

  private struct State {
    var file: OpenFile?
    var failure: SystemError?
  }

  private final class OpenFile: Sendable {
    let descriptor: Descriptor
    init(_ path: String) throws(SystemError) { descriptor = try Descriptor.create(path) }
  }

  init(_ path: String?) { self.path = path }

  func open() throws {
    guard let path else { return }
    do throws(SystemError) {
      let file = try OpenFile(path)
      state.withLock { $0.file = file }
    } catch {
      throw failure(error)
    }
  }

  func put(_ bytes: [UInt8]) {
    guard path != nil else { return Output.standard.write(bytes) }
    state.withLock { state in
      guard state.failure == nil else { return }
      do throws(SystemError) { try state.file?.descriptor.write(bytes) } catch { state.failure = error }
    }
  }

  /// - Throws: what went wrong with what was put.
  func check() throws {
    if let error = state.withLock({ $0.failure }) { throw failure(error) }
  }

  private func failure(_ error: SystemError) -> Failure {
    error.failure("output.unwritable", "The file \(printable(path ?? "")) can't be written.")
  }
}
