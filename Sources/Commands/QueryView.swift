import Files
import FleetQuery
import Support

/// A result as people and programs read it.
struct QueryView {
  let result: QueryResult
  let format: QueryCommand.Format
  var hasBars = false

  /// - Parameter path: a file that does not exist; standard output when nil.
  func write(to path: String?) throws {
    guard let path else {
      try write { Output.standard.write($0) }
      return
    }
    var failure: SystemError?
    do {
      let file = try Descriptor.create(path)
      try write { bytes in
        do throws(SystemError) { if failure == nil { try file.write(bytes) } } catch { failure = error }
      }
    } catch let error as SystemError {
      failure = error
    }
    if let failure {
      throw failure.failure("output.unwritable", "The file \(printable(path)) can't be written.")
    }
  }

  private func write(_ put: ([UInt8]) -> Void) throws {
    switch format {
    case .parquet: try copy(put)
    case .csv:
      put(Array((result.columns.map { csvCell($0.name) }.joined(separator: ",") + "\n").utf8))
      try copy(put)
    case .ndjson:
      try rows { put(Array((object($0) + "\n").utf8)) }
    case .json:
      put(Array("{\"columns\":".utf8) + encodeJSON(result.columns) + Array(",\"rows\":[".utf8))
      var isFirst = true
      try rows { row in
        put(Array(((isFirst ? "\n" : ",\n") + object(row)).utf8))
        isFirst = false
      }
      put(Array("\n],\"coverage\":".utf8) + encodeJSON(result.coverage) + Array("}\n".utf8))
    case .table: put(Array(try table().rendered(width: Terminal.width(.standard)).utf8))
    case .markdown:
      func line(_ cells: [String]) -> [UInt8] {
        Array(
          ("| "
            + cells.map { $0.replacing("|", with: "\\|").replacing("\n", with: "<br>") }.joined(
              separator: " | ") + " |\n").utf8)
      }
      put(line(result.columns.map(\.name)))
      put(line(result.columns.map { isNumber($0) ? "---:" : "---" }))
      try rows { row in put(line(row.map(text))) }
    }
  }

  // MARK: rows

  private func copy(_ put: ([UInt8]) -> Void) throws {
    let file = try Descriptor.input(result.rows)
    try file.readBlocks { put(Array($0)) }
  }

  /// Lends the values of one row after the other.
  private func rows(_ body: ([Syntax]) throws -> Void) throws {
    var rest: [UInt8] = []
    let file = try Descriptor.input(result.rows)
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
  private func object(_ row: [Syntax]) -> String {
    let members = zip(result.columns, row).map { column, value in
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

  private func table() throws -> TextTable {
    var table = TextTable(columns: result.columns.map { (printable($0.name), isNumber($0) ? .right : .left) })
    try rows { table.rows.append($0.map(text).map { $0.replacing("\n", with: "⏎") }) }
    let numbers = result.columns.indices.filter { isNumber(result.columns[$0]) }
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
