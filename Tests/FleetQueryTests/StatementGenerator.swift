import Support

/// Random SELECT statements over the relations: nearly all of them can be run, and most give the same whatever order the rows are in.
///
/// Names of columns, their case, quotes and qualifiers change; aliases are often called like columns. What can be chosen is chosen with a
/// weight, so that aggregates over one relation are about half of all.
struct StatementGenerator {
  var random: SeededRandom
  /// Of the aliases and common table expressions of one statement, so that none comes twice unless it is meant to.
  var names = 0

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  /// What sorts of values there are; `other` can be shown, counted and grouped by, and nothing else.
  enum Kind: CaseIterable { case text, number, time, flag, other }

  /// A value that has a name.
  struct Column {
    var name: String
    var kind: Kind
  }

  /// What stands in a FROM, and what it has.
  struct Source {
    var text: String
    /// What its columns may be qualified with.
    var qualifier: String?
    var columns: [Column]
    /// Whether it has all columns of the relations.
    var isRelation = false
    /// Columns that together are different in each row, if there are such.
    var key: [String] = []
  }

  /// A SELECT without its ORDER BY, and the columns that it gives.
  struct Select {
    var text: String
    var columns: [Column]
  }

  static let relationNames = ["logs", "logs", "logs", "live", "live", "archive"]
  static let rowKey = ["node", "stream", "rotated", "line"]
  static let relationColumns: [Column] =
    [
      "service", "category", "message", "id", "version", "region", "zone", "node", "stream", "batch", "extra",
      "malformed", "text",
    ].map { Column(name: $0, kind: .text) } + [
      Column(name: "line", kind: .number), Column(name: "ts", kind: .time),
      Column(name: "rotated", kind: .time),
    ]

  /// One whole statement.
  mutating func statement() -> String {
    names = 0
    switch choose(44, 12, 8, 6, 9, 6, 4, 6, 3, 2) {
    case 0: return groupedStatement(relation())
    case 1: return rowStatement()
    case 2: return distinctStatement()
    case 3: return windowStatement()
    case 4: return nestedStatement()
    case 5: return joinStatement()
    case 6: return setStatement()
    case 7: return subqueryStatement()
    case 8: return scalarStatement()
    default: return reshapedStatement()
    }
  }

  // MARK: choosing

  mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
  mutating func chance(_ percent: Int) -> Bool { int(1...100) <= percent }
  mutating func pick<Value>(_ values: [Value]) -> Value { values[int(0...values.count - 1)] }

  /// The place of one of the weights.
  mutating func choose(_ weights: Int...) -> Int {
    var left = int(1...weights.reduce(0, +))
    for (place, weight) in weights.enumerated() {
      left -= weight
      if left <= 0 { return place }
    }
    return 0
  }

  mutating func fresh(_ prefix: String = "k") -> String {
    names += 1
    return "\(prefix)\(names)"
  }

  /// An alias: new, or one that a column has too.
  mutating func alias(_ taken: [String]) -> String {
    guard chance(22) else { return fresh() }
    let name = pick(Self.relationColumns).name
    return taken.contains(name) ? fresh() : name
  }

  // MARK: FROM

  mutating func relation(named: String? = nil) -> Source {
    let name = named ?? pick(Self.relationNames)
    let written = chance(8) ? name.uppercased() : chance(4) ? "main.\(name)" : name
    var source = Source(
      text: written, qualifier: name, columns: Self.relationColumns, isRelation: true, key: Self.rowKey)
    if chance(18) {
      let alias = pick(["l", "a", "x", "t", "q"])
      source.text += chance(50) ? " \(alias)" : " AS \(alias)"
      source.qualifier = alias
    }
    return source
  }

  /// A SELECT that gives few rows, as a FROM or a common table expression has it.
  mutating func derived() -> (name: String, select: Select) {
    var select = groupedSelect(relation(), namesAll: true)
    if chance(20) {
      select.text += " ORDER BY \(places(select.columns.count)) LIMIT \(int(1...12))"
    } else if chance(15) {
      select = distinctSelect(relation(), namesAll: true)
    }
    return (fresh("q"), select)
  }

  // MARK: ORDER BY

  /// Every column in some order, so that nothing is left open.
  mutating func places(_ count: Int) -> String {
    (1...count).shuffled(using: &random).map { "\($0)\(direction())" }.joined(separator: ", ")
  }

  mutating func direction() -> String {
    pick(["", "", "", " DESC", " ASC"]) + (chance(25) ? pick([" NULLS FIRST", " NULLS LAST"]) : "")
  }

  mutating func limit() -> String {
    switch choose(70, 22, 4, 2, 2) {
    case 0: " LIMIT \(int(0...30))"
    case 1: " LIMIT \(int(1...20)) OFFSET \(int(0...15))"
    case 2: " OFFSET \(int(0...20))"
    case 3: " LIMIT \(int(1...60))%"
    default: " LIMIT \(int(1...4)) + \(int(1...5))"
    }
  }

  /// The end of a statement: nothing, or an order that is total, and then perhaps a limit.
  mutating func tail(_ select: Select, leading: String? = nil) -> String {
    if chance(2) { return " ORDER BY ALL\(direction())" + (chance(60) ? limit() : "") }
    guard chance(62) else { return "" }
    var orders = leading.map { ["\($0)\(direction())"] } ?? []
    orders.append(places(select.columns.count))
    return " ORDER BY \(orders.joined(separator: ", "))" + (chance(55) ? limit() : "")
  }
}
