// Random statements of more than one SELECT.

extension StatementGenerator {
  /// A SELECT over a SELECT that groups.
  mutating func nestedStatement() -> String {
    let (name, select) = derived()
    let isCommon = chance(45)
    // One that hides a relation is what its statement means by that name from there on.
    let called =
      isCommon && chance(8) ? pick(["logs", "live", "archive"]) : isCommon && chance(6) ? "node" : name
    var source = Source(
      text: isCommon ? called : "(\(select.text)) AS \(called)", qualifier: called, columns: select.columns)
    if !isCommon, chance(15) {
      let columns = select.columns.map { Column(name: fresh("c"), kind: $0.kind) }
      source.text += "(\(columns.map(\.name).joined(separator: ", ")))"
      source.columns = columns
    }
    let head = isCommon ? "WITH \(called) AS \(pick(["", "", "MATERIALIZED "]))(\(select.text)) " : ""
    if chance(60) { return head + groupedStatement(source) }
    let isStar = chance(30)
    // What nobody asks for is not computed by one DuckDB.
    let columns =
      isStar ? source.columns : source.columns.filter { _ in chance(75) } + source.columns.suffix(1)
    let list = isStar ? "*" : columns.map { reference($0.name, source) }.joined(separator: ", ")
    let condition = chance(50) ? " WHERE \(flag(source, 1))" : ""
    let outer = Select(text: "SELECT \(list) FROM \(source.text)\(condition)", columns: columns)
    return head + outer.text + tail(outer)
  }

  mutating func joinStatement() -> String {
    if chance(45) {
      let (left, one) = derived()
      let (right, two) = derived()
      guard let a = one.columns.first(where: { $0.kind == .text }),
        let b = two.columns.first(where: { $0.kind == .text })
      else { return "SELECT * FROM (\(one.text)) AS \(left) CROSS JOIN (\(two.text)) AS \(right)" }
      let kind = pick(["JOIN", "LEFT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN"])
      let list =
        kind.hasPrefix("S") || kind.hasPrefix("A")
        ? "*" : pick(["*", "\(left).*", "count(*)", "\(a.name), \(b.name)"])
      return
        "SELECT \(list) FROM (\(one.text)) AS \(left) \(kind) (\(two.text)) AS \(right) ON \(left).\(a.name) = \(right).\(b.name)"
    }
    let key = pick(["node", "node, stream", "id", "service, category", "batch"])
    let kind = pick(["JOIN", "JOIN", "LEFT JOIN", "SEMI JOIN", "ANTI JOIN"])
    let (one, two) = (pick(["live", "archive", "logs"]), pick(["live", "archive"]))
    var left = Source(text: one, qualifier: "a", columns: Self.relationColumns, isRelation: true)
    let filters = "a.line < \(int(20...60))" + (chance(50) ? " AND \(flag(left, 1))" : "")
    left.text =
      "\(one) a \(kind) (SELECT DISTINCT \(key) FROM \(two) WHERE line < \(int(9...40))) b USING (\(key))"
    left.qualifier = nil
    left.columns = Self.relationColumns.filter { !key.contains($0.name) }
    left.columns = left.columns.map { Column(name: "a.\($0.name)", kind: $0.kind) }
    left.isRelation = false
    let list = (0..<int(1...3)).map { _ in chance(60) ? aggregate(left, 1).0 : "count(*)" }.joined(
      separator: ", ")
    return
      "SELECT \(pick(["a.node", "a.region", "upper(a.category)"])) AS g, \(list) FROM \(left.text) WHERE \(filters) GROUP BY g"
  }

  mutating func setStatement() -> String {
    let count = int(1...3)
    let kinds = (0..<count).map { _ in pick([Kind.text, .number]) }
    func half(_ generator: inout Self) -> String {
      let source = generator.relation()
      if generator.chance(55) {
        let keys = kinds.map { generator.smallValue(source, $0) }
        let condition = generator.chance(40) ? " WHERE \(generator.flag(source, 1))" : ""
        return "SELECT \(keys.joined(separator: ", ")) FROM \(source.text)\(condition) GROUP BY ALL"
      }
      let items = kinds.map { generator.smallValue(source, $0) }.joined(separator: ", ")
      return "SELECT \(items) FROM \(source.text) WHERE \(generator.flag(source, 1))"
    }
    let first = half(&self)
    let second = half(&self)
    let operation = pick(["UNION", "UNION ALL", "EXCEPT", "INTERSECT", "EXCEPT ALL", "INTERSECT ALL"])
    if chance(8) {
      let names = [
        "SELECT node, count(*) AS n", "SELECT count(*) AS n, upper(node) AS node",
        "SELECT max(line) AS m, node",
      ]
      let halves = (0..<2).map { _ in
        "\(pick(names)) FROM \(pick(Self.relationNames)) GROUP BY \(pick(["ALL", "node"]))"
      }
      return halves.joined(separator: " UNION \(chance(50) ? "ALL " : "")BY NAME ")
    }
    let select = Select(
      text: "\(first) \(operation) \(second)", columns: kinds.map { Column(name: "", kind: $0) })
    if chance(25) { return "SELECT count(*), count(DISTINCT s) FROM (\(select.text)) AS s" }
    return select.text + tail(select)
  }

  mutating func subqueryStatement() -> String {
    let source = relation(named: pick(["logs", "live"]))
    let inner = pick(["logs", "live", "archive"])
    let name = pick(["node", "category", "service", "stream", "id"])
    let outer = source.qualifier!
    let condition =
      switch choose(22, 14, 18, 12, 12, 12) {
      case 0:
        "\(outer).\(name) \(pick(["IN", "NOT IN"])) (SELECT \(name) FROM \(inner) i WHERE \(name) IS NOT NULL GROUP BY \(name) HAVING count(*) > \(int(1...200)))"
      case 1: "\(outer).line = (SELECT max(line) FROM \(inner))"
      case 2: "\(outer).line > (SELECT avg(i.line) FROM \(inner) i WHERE i.\(name) = \(outer).\(name))"
      case 3:
        "\(pick(["", "NOT "]))EXISTS (SELECT 1 FROM \(inner) i WHERE i.\(name) = \(outer).\(name) AND i.line > \(int(1...300)))"
      case 4:
        "EXISTS (SELECT \(name) FROM \(inner) i GROUP BY \(name) HAVING i.\(name) = \(outer).\(name) AND max(i.line) > \(int(1...300)))"
      default:
        "\(outer).line \(pick(["> ALL", "= ANY", "<= ANY"])) (SELECT min(line) FROM \(inner) GROUP BY \(name))"
      }
    if chance(50) {
      return
        "SELECT \(value(source, .text, 1)), count(*), \(aggregate(source, 1).0) FROM \(source.text) WHERE \(condition) GROUP BY 1"
    }
    if chance(25) {
      return
        "SELECT \(name), count(*) AS n, (SELECT count(*) FROM \(inner) i WHERE i.\(name) = \(outer).\(name)) AS m FROM \(source.text) GROUP BY \(outer).\(name)"
    }
    let order = source.key.map { "\(outer).\($0)" }.joined(separator: ", ")
    return "SELECT \(value(source, .text, 1)), line FROM \(source.text) WHERE \(condition) ORDER BY \(order)"
      + limit()
  }

  /// Values of SELECTs that know nothing of each other, or of groups around them.
  mutating func scalarStatement() -> String {
    func one(_ generator: inout Self) -> String {
      let source = generator.relation()
      let condition = generator.chance(60) ? " WHERE \(generator.flag(source, 1))" : ""
      return "(SELECT \(generator.aggregate(source, 1).0) FROM \(source.text)\(condition))"
    }
    let values = (0..<int(1...3)).map { _ in one(&self) }
    if chance(50) { return "SELECT \(values.joined(separator: ", "))" }
    let (name, select) = derived()
    return "SELECT \(name).*, \(values[0]) AS v FROM (\(select.text)) AS \(name)"
  }

  mutating func reshapedStatement() -> String {
    let source = relation()
    switch choose(30, 25, 25, 20, 15, 15, 15) {
    case 4:
      return
        "SELECT i, count(*), sum(line) FROM \(source.text), range(\(int(1...3))) r(i) WHERE line % 3 = i GROUP BY i"
    case 5:
      return
        "SELECT x.node, y.n FROM (SELECT node, max(line) AS m FROM \(source.text) GROUP BY node) x, LATERAL (SELECT count(*) AS n FROM logs i WHERE i.line = x.m) y"
    case 6:
      return
        "SELECT COLUMNS(c -> c LIKE '%o%') FROM (SELECT node, zone, count(*) AS n, stream AS s FROM \(source.text) GROUP BY ALL)"
    case 0:
      return
        "SELECT * FROM (SELECT node, category, line FROM \(source.text)) PIVOT (\(pick(["count(*)", "sum(line)", "max(line)"])) FOR category IN ('INFO', 'ERROR'))"
    case 1:
      return
        "SELECT name, count(*), count(DISTINCT value) FROM (SELECT service, category, node FROM \(source.text)) UNPIVOT (value FOR name IN (service, category, node)) GROUP BY name"
    case 2:
      return
        "WITH RECURSIVE r(i) AS (SELECT min(line) FROM \(source.text) UNION ALL SELECT i + 1 FROM r WHERE i < \(int(2...9))) SELECT i, (SELECT count(*) FROM logs WHERE line = i) FROM r"
    default:
      return
        "SELECT u, count(*) FROM (SELECT unnest([node, category, \(value(source, .text, 1))]) AS u FROM \(source.text)) GROUP BY u"
    }
  }
}
