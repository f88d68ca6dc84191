// What a random statement looks like as a whole.

extension StatementGenerator {
  // MARK: groups

  private struct Key {
    var value: String
    var kind: Kind
    var alias: String?
  }

  mutating func groupedStatement(_ source: Source) -> String {
    var leading: String?
    let select = groupedSelect(source, leading: &leading)
    return select.text + tail(select, leading: leading)
  }

  mutating func groupedSelect(_ source: Source, namesAll: Bool = false) -> Select {
    var leading: String?
    return groupedSelect(source, namesAll: namesAll, leading: &leading)
  }

  /// - Parameters:
  ///   - namesAll: every item has an alias of its own.
  ///   - leading: set to what an ORDER BY may begin with.
  private mutating func groupedSelect(
    _ source: Source, namesAll: Bool = false, leading: inout String?
  ) -> Select {
    let keys = groupKeys(source, namesAll)
    var items: [(text: String, column: Column)] = []
    var taken = keys.compactMap(\.alias)
    func item(_ value: String, _ kind: Kind, _ alias: String?) -> (String, Column) {
      (alias.map { "\(value) AS \($0)" } ?? value, Column(name: alias ?? "", kind: kind))
    }
    // By an alias nothing but the key itself can be grouped.
    let style = keys.isEmpty ? 0 : choose(46, 14, 10, 14, 6, 5, 5)
    for key in keys where style != 0 || namesAll || chance(92) {
      let isPlain = style == 1 || style == 2 || style == 3 || chance(85)
      let (value, kind) = isPlain ? (key.value, key.kind) : around(key.value, key.kind)
      items.append(item(value, kind, key.alias))
    }
    let aggregates = (0..<(keys.isEmpty ? int(1...4) : int((namesAll ? 1 : 0)...3)))
      .map { _ in finished(source, style == 3 ? [] : keys.map { ($0.value, $0.kind) }) }
    for (value, kind) in aggregates {
      let alias = namesAll || chance(45) ? alias(taken) : nil
      if let alias { taken.append(alias) }
      items.append(item(value, kind, alias))
    }
    if !keys.isEmpty, chance(8) {
      items.append(item(groupWindow(source, keys.map(\.value)), .number, namesAll ? fresh() : nil))
    }
    if style > 3, chance(50) {
      let name = pick([keys[0].value, keys.map(\.value).joined(separator: ", ")])
      items.append(item("GROUPING(\(name))", .number, namesAll ? fresh() : nil))
    }
    if items.isEmpty { items.append(item(finished(source, []).0, .other, namesAll ? fresh() : nil)) }
    // Positions are of the keys' own items, which stand first.
    if style != 1 { items.shuffle(using: &random) }
    if let named = items.first(where: { $0.1.name.hasPrefix("k") }), style != 3, chance(10) {
      let (value, kind) = around(named.1.name, named.1.kind)
      items.append(item(value, kind, namesAll ? fresh() : nil))
    }
    var text =
      "SELECT \(chance(4) ? "DISTINCT " : "")\(items.map(\.text).joined(separator: ", ")) FROM \(source.text)"
    if chance(42) { text += " WHERE \(flag(source, 2))" }
    text += grouping(style, keys, source)
    if chance(style == 3 ? 30 : 20) {
      let first = items.first { $0.1.name.hasPrefix("k") && $0.1.kind == .number }
      if let first, chance(40) {
        text += " HAVING \(first.1.name) \(pick([">", "<", ">=", "<>"])) \(int(0...60))"
      } else if let name = taken.first(where: { !$0.hasPrefix("k") }), chance(75) {
        text += " HAVING \(ofName(name))"
      } else if let key = keys.first, chance(30) {
        text += " HAVING \(test(key.value, key.kind))"
      } else {
        text += " HAVING \(aggregateTest(source))"
      }
    }
    if let name = taken.first, !keys.isEmpty, style != 3, chance(4) {
      text +=
        " QUALIFY row_number() OVER (ORDER BY CAST(\(name) AS VARCHAR) DESC, \(keys.map(\.value).joined(separator: ", "))) <= \(int(1...6))"
    } else if !keys.isEmpty, style != 3, chance(4) {
      text +=
        " QUALIFY row_number() OVER (ORDER BY \(aggregate(source, 0).0), \(keys.map(\.value).joined(separator: ", "))) <= \(int(1...6))"
    }
    if chance(35) {
      switch choose(45, 20, 20, 15) {
      case 3: leading = taken.first.map { ofName($0) }
      case 0: leading = aggregate(source, 1).0
      case 1: leading = keys.isEmpty ? nil : pick(keys).value
      default: leading = items.map(\.1.name).first { !$0.isEmpty }
      }
    }
    return Select(text: text, columns: items.map(\.1))
  }

  /// A condition over a name that may be a column's, an alias or both, whatever type it has.
  private mutating func ofName(_ name: String) -> String {
    pick([
      "\(name) IS NOT NULL", "length(CAST(\(name) AS VARCHAR)) > \(int(1...6))",
      "CAST(\(name) AS VARCHAR) < 'b'",
      "\(name) IS NULL",
    ])
  }

  private mutating func groupKeys(_ source: Source, _ namesAll: Bool) -> [Key] {
    var keys: [Key] = []
    for _ in 0..<choose(20, 45, 26, 9) {
      let (value, kind) = groupKey(source)
      guard !keys.contains(where: { $0.value == value }) else { continue }
      let name = namesAll || chance(40) ? alias(keys.compactMap(\.alias)) : nil
      keys.append(Key(value: value, kind: kind, alias: name))
    }
    return keys
  }

  private mutating func grouping(_ style: Int, _ keys: [Key], _ source: Source) -> String {
    guard !keys.isEmpty else { return chance(3) ? " GROUP BY ()" : "" }
    // A column may be written in another way there.
    let values = keys.map { key in
      Self.relationColumns.contains { $0.name == key.value } ? reference(key.value, source) : key.value
    }.joined(separator: ", ")
    switch style {
    case 1: return " GROUP BY \(keys.indices.map { String($0 + 1) }.joined(separator: ", "))"
    case 2:
      // An alias that a column has too means the column.
      let names = keys.map { key in
        key.alias.flatMap { $0.hasPrefix("k") || chance(12) ? $0 : nil } ?? key.value
      }
      return " GROUP BY \(names.joined(separator: ", "))"
    case 3: return " GROUP BY ALL"
    case 4: return " GROUP BY ROLLUP (\(values))"
    case 5: return " GROUP BY CUBE (\(values))"
    case 6:
      var sets = (0...int(1...2)).map { _ -> String in
        "(\(keys.filter { _ in chance(60) }.map(\.value).joined(separator: ", ")))"
      }
      // One that has them all, so that every key is one.
      sets.append("(\(values))")
      return " GROUP BY GROUPING SETS (\(sets.joined(separator: ", ")))"
    default: return " GROUP BY \(values)"
    }
  }

  private mutating func groupWindow(_ source: Source, _ keys: [String]) -> String {
    let order = keys.joined(separator: ", ")
    switch choose(30, 25, 15, 15, 15) {
    case 0: return "row_number() OVER (ORDER BY \(aggregate(source, 0).0) DESC, \(order))"
    case 1: return "sum(count(*)) OVER ()"
    case 2: return "sum(count(*)) OVER (ORDER BY \(order) ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)"
    case 3: return "lag(count(*)) OVER (ORDER BY \(order))"
    default: return "rank() OVER (PARTITION BY count(*) % 3 ORDER BY \(keys[0]))"
    }
  }

  // MARK: rows

  mutating func rowStatement() -> String {
    let source = relation()
    var items = (0..<int(1...4)).map { _ in rowItem(source) }
    var names = items.compactMap { $0.1.name.isEmpty ? nil : $0.1.name }
    if chance(10) {
      let name = fresh()
      items.append(("\(number(source, 1)) AS \(name)", Column(name: name, kind: .number)))
      items.append(("\(name) % \(int(2...9))", Column(name: "", kind: .number)))
      names.append(name)
    }
    var list = items.map(\.0).joined(separator: ", ")
    let isStar = chance(8)
    if isStar {
      list = pick(["*", "* EXCLUDE (message)", "* REPLACE (upper(node) AS node)", "COLUMNS('^[nz]o')"])
    }
    var text = chance(5) ? "FROM \(source.text) SELECT \(list)" : "SELECT \(list) FROM \(source.text)"
    if let name = names.first, chance(5) {
      text += " WHERE \(ofName(name))"
    } else if chance(75) {
      text += " WHERE \(flag(source, 2))"
    }
    if chance(6) {
      text +=
        " QUALIFY row_number() OVER (PARTITION BY \(column(source, .text)) ORDER BY \(source.key.joined(separator: ", "))) = 1"
    }
    guard chance(65) || isStar else { return text }
    // A column's alias stands before the column in an ORDER BY: then the key is qualified.
    let key = source.key.map { "\(source.qualifier!).\($0)\(direction())" }.joined(separator: ", ")
    let first =
      isStar || chance(40)
      ? ""
      : chance(50)
        ? "\(int(1...items.count))\(direction()), "
        : "\(value(source, pick([.text, .number, .time]), 1))\(direction()), "
    return text + " ORDER BY \(first)\(key)" + (chance(75) ? limit() : "")
  }

  private mutating func rowItem(_ source: Source) -> (String, Column) {
    let kind = pick([Kind.text, .text, .number, .number, .time, .flag, .other])
    let value = value(source, kind, 2)
    let name = chance(35) ? alias([]) : ""
    return (name.isEmpty ? value : "\(value) AS \(name)", Column(name: name, kind: kind))
  }

  mutating func distinctStatement() -> String {
    let source = relation()
    if chance(25) {
      let key = groupKey(source).0
      let order = source.key.map { "\(source.qualifier!).\($0)" }.joined(separator: ", ")
      let items = (0..<int(1...3)).map { _ in value(source, pick(Kind.allCases), 1) }
      return
        "SELECT DISTINCT ON (\(key)) \(items.joined(separator: ", ")) FROM \(source.text) ORDER BY \(key), \(order)"
    }
    let select = distinctSelect(source, namesAll: false)
    return select.text + tail(select)
  }

  mutating func distinctSelect(_ source: Source, namesAll: Bool) -> Select {
    var columns: [Column] = []
    let items = (0..<int(1...3)).map { _ -> String in
      let (value, kind) = groupKey(source)
      let name = namesAll || chance(30) ? fresh() : chance(15) ? alias(columns.map(\.name)) : ""
      columns.append(Column(name: name, kind: kind))
      return name.isEmpty ? value : "\(value) AS \(name)"
    }
    let condition = chance(40) ? " WHERE \(flag(source, 1))" : ""
    return Select(
      text: "SELECT DISTINCT \(items.joined(separator: ", ")) FROM \(source.text)\(condition)",
      columns: columns)
  }

  mutating func windowStatement() -> String {
    let source = relation()
    let order = source.key.map { "\(source.qualifier!).\($0)" }.joined(separator: ", ")
    let partition = chance(70) ? "PARTITION BY \(groupKey(source).0) " : ""
    let window =
      switch choose(20, 15, 15, 15, 10, 10) {
      case 0: "row_number() OVER (\(partition)ORDER BY \(order))"
      case 1: "count(*) OVER (\(partition))"
      case 2: "\(aggregate(source, 0).0) OVER (\(partition))"
      case 3: "lag(\(value(source, .text, 1)), \(int(1...3))) OVER (\(partition)ORDER BY \(order))"
      case 4: "dense_rank() OVER (\(partition)ORDER BY \(value(source, .number, 1)))"
      default:
        "sum(line) OVER (\(partition)ORDER BY \(order) ROWS BETWEEN \(int(1...4)) PRECEDING AND CURRENT ROW)"
      }
    let condition = chance(60) ? " WHERE \(flag(source, 1))" : ""
    let items = [value(source, .text, 0), "\(window) AS w"].shuffled(using: &random).joined(separator: ", ")
    let qualify = chance(30) ? " QUALIFY w IS NOT NULL" : ""
    return "SELECT \(items) FROM \(source.text)\(condition)\(qualify) ORDER BY \(order)"
      + (chance(60) ? limit() : "")
  }
}
