import DuckDB
import Rows
import Support

/// What the scanner makes of a column while it reads it, so that DuckDB meets a number in its place: to write a text into a frame and to read it back
/// takes longer than to parse the log, and a time cut to the hour is one of a few values.
struct Derivation {
  /// So many of a statement; what comes after them is left to DuckDB.
  static let most = 8
  private(set) var columns: [DerivedColumn] = []

  /// What a node is asked, with these columns where they say the same.
  mutating func derived(_ query: Syntax) -> Syntax {
    // A lambda's parameter may be called like a column.
    guard query.expressionClass != "LAMBDA" else { return query }
    if let column = derivedColumn(query), let number = number(of: column) {
      return Syntax.column(DerivedColumn.name(number)).named(query["alias"]?.string ?? "")
    }
    switch query {
    case .list(let items): return .list(items.map { derived($0) })
    case .node(let members):
      return .node(members.map { Syntax.Member(key: $0.key, value: derived($0.value)) })
    default: return query
    }
  }

  private mutating func number(of column: DerivedColumn) -> Int? {
    if let number = columns.firstIndex(of: column) { return number }
    guard columns.count < Self.most else { return nil }
    columns.append(column)
    return columns.count - 1
  }
}

/// Functions that give the length of a text.
private let lengths: [String: RowFilter.Unit] = [
  "length": .characters, "len": .characters, "char_length": .characters, "character_length": .characters,
  "strlen": .bytes,
]

/// Parts of a time that are as long as each other, in microseconds. A multiple of each after the beginning of the year 1 is where DuckDB has one begin
/// (1.5.5: from then to the year 9999).
private let parts: [String: Int64] = [
  "microseconds": 1, "milliseconds": 1_000, "second": 1_000_000, "minute": 60_000_000, "hour": 3_600_000_000,
  "day": 86_400_000_000, "week": RowFilter.week,
]

private func derivedColumn(_ part: Syntax) -> DerivedColumn? {
  guard part.expressionClass == "FUNCTION", part["filter"] == nil, part["distinct"]?.isTrue != true,
    let name = part["function_name"]?.string?.lowercased(), let arguments = part["children"]?.items
  else { return nil }
  func isColumn(_ argument: Syntax) -> Bool { argument.expressionClass == "COLUMN_REF" }
  if let unit = lengths[name], arguments.count == 1, isColumn(arguments[0]),
    let column = arguments[0].columnName.flatMap(RowFilter.TextColumn.init(rawValue:))
  {
    let derived = DerivedColumn.length(column, unit)
    return derived.isSane ? derived : nil
  }
  guard name == "date_trunc" || name == "datetrunc", arguments.count == 2,
    arguments[0].expressionClass == "CONSTANT", isColumn(arguments[1]), arguments[1].columnName == "ts",
    let width = parts[arguments[0]["value"]?["value"]?.string?.lowercased() ?? ""]
  else { return nil }
  return .floor(microseconds: width)
}

extension DerivedColumn {
  var type: SQL {
    switch self {
    case .length: "BIGINT"
    case .floor: "TIMESTAMPTZ"
    }
  }

  /// What it stands for in a statement.
  var shown: String {
    switch self {
    case .length(let column, let unit): "\(unit == .bytes ? "strlen" : "length")(\(column.rawValue))"
    case .floor(let width):
      "date_trunc('\(parts.first { $0.value == width }?.key ?? "\(width) microseconds")', ts)"
    }
  }

  /// The same of a relation's columns.
  var sql: SQL {
    switch self {
    case .length(let column, let unit):
      unit == .bytes ? "strlen(\(name: column.rawValue))" : "length(\(name: column.rawValue))"
    case .floor(let width):
      // No time in a table is before the year 1.
      "make_timestamptz(epoch_us(ts) - (epoch_us(ts) + 62135596800000000) % \(width))"
    }
  }
}
