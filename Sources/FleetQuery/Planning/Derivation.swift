import DuckDB
import Rows
import Support

/// What the scanner makes of a column while it reads it, so that DuckDB meets a number in its place: to write a text into a frame and to read it back
/// takes longer than to parse the log, and a time cut to the hour is one of a few values.
struct Derivation {
  /// So many of a statement; what comes after them is left to DuckDB.
  static let most = 8
  private(set) var columns: [DerivedColumn] = []
  /// How many microseconds long are constant intervals, as they stand in the statement; those that are no whole part of a week are left out.
  let widths: [Syntax: Int64]

  /// What a node is asked, with these columns where they say the same.
  mutating func derived(_ query: Syntax) -> Syntax {
    // A lambda's parameter may be called like a column.
    guard query.expressionClass != "LAMBDA" else { return query }
    if let column = derivedColumn(query, widths), let number = number(of: column) {
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

/// Parts of a time that are as long as each other, in microseconds. A multiple of each, and of any other part of a week, after the beginning of the year 1 is where DuckDB has one begin
/// (1.5.5: from then to the year 9999).
private let parts: [String: Int64] = [
  "microseconds": 1, "milliseconds": 1_000, "second": 1_000_000, "minute": 60_000_000, "hour": 3_600_000_000,
  "day": 86_400_000_000, "week": RowFilter.week,
]

private func derivedColumn(_ part: Syntax, _ widths: [Syntax: Int64]) -> DerivedColumn? {
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
  guard arguments.count == 2, isColumn(arguments[1]), arguments[1].columnName == "ts" else { return nil }
  switch name {
  case "date_trunc", "datetrunc":
    guard arguments[0].expressionClass == "CONSTANT" else { return nil }
    let part = arguments[0]["value"]?["value"]?.string?.lowercased() ?? ""
    return parts[part].map { .floor(microseconds: $0) }
  case "time_bucket": return widths[arguments[0].normalized].map { .floor(microseconds: $0) }
  default: return nil
  }
}

extension Derivation {
  /// Intervals whose length has to be known.
  static func widthsAsked(_ query: Syntax) -> Set<Syntax> {
    var asked: Set<Syntax> = []
    func look(_ part: Syntax) {
      if part["function_name"]?.string?.lowercased() == "time_bucket",
        let first = part["children"]?.items.first, !first.hasColumns
      {
        asked.insert(first.normalized)
      }
      for part in part.parts { look(part) }
    }
    look(query)
    return asked
  }
}

extension Session {
  /// The lengths of intervals: of those without months that go into a week, since buckets begin with a Monday.
  func widths(_ intervals: Set<Syntax>) async throws(Failure) -> [Syntax: Int64] {
    let asked = Array(intervals)
    guard !asked.isEmpty, asked.count < 100 else { return [:] }
    let values = asked.flatMap { interval -> [Syntax] in
      let value = Syntax.cast(interval, to: "INTERVAL")
      return [
        .function("typeof", [interval]), .attempt(.function("epoch_us", [value])),
        .attempt(.function("date_part", [.constant("month"), value])),
        .attempt(.function("date_part", [.constant("year"), value])),
        .attempt(.function("date_part", [.constant("day"), value])),
      ]
    }
    let row = try await constants(values)
    var widths: [Syntax: Int64] = [:]
    for (index, interval) in asked.enumerated() {
      func number(_ place: Int) -> Int64? { row?["v\(index * 5 + place)"]?.integer }
      let type = row?["v\(index * 5)"]?.string
      guard type == "INTERVAL" || type == "VARCHAR" && interval.expressionClass == "CONSTANT",
        let width = number(1), number(2) == 0, number(3) == 0, width > 0, RowFilter.week % width == 0,
        // DuckDB refuses days with a time behind them.
        let days = number(4), days == 0 || width == days * 86_400_000_000
      else { continue }
      widths[interval] = width
    }
    return widths
  }
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
      if let part = parts.first(where: { $0.value == width })?.key {
        "date_trunc('\(part)', ts)"
      } else if width % 1_000_000 == 0 {
        "time_bucket(INTERVAL \(width / 1_000_000) SECOND, ts)"
      } else {
        "time_bucket(INTERVAL \(width) MICROSECOND, ts)"
      }
    }
  }

  /// The same of a relation's columns.
  var sql: SQL {
    switch self {
    case .length(let column, let unit):
      unit == .bytes ? "strlen(\(name: column.rawValue))" : "length(\(name: column.rawValue))"
    case .floor(let width):
      "make_timestamptz(epoch_us(ts) - (epoch_us(ts) + \(-DerivedColumn.origin)) % \(width))"
    }
  }
}
