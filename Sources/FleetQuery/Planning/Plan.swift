import DuckDB
import Logs
import Rows
import Support

/// How a statement is answered.
struct QueryPlan: Sendable {
  enum Way: String, Sendable, Codable {
    /// It reads no relation.
    case nothing
    /// Nodes send groups, and the gather finishes them.
    case split
    /// Nodes send rows, and the statement runs over them as it was written: their frames, or what a question leaves of them.
    case ship
  }

  /// A question to each node that has rows, and to the archive.
  struct Question: Sendable, Codable {
    var relation: Relation
    /// Over ``rowsName``.
    var sql: String
    /// Each row of its answers stands for as many as ``copiesName`` says.
    var isBag: Bool
    /// Its answer is rows as they are, and no groups of them.
    var isOfRows = false
    /// How many these are at most, where a LIMIT says so.
    var mostRows: Int?
    /// Over ``rowsName``, what gives the same of rows as they are: for nodes that have so many groups that grouping saves nothing.
    var rowsSQL: String?
    /// Over ``rowsName``, what they are grouped by, row by row; none where grouping saves something, as far as is known.
    var groupsSQL: [String] = []
    /// What it answers with. Types that Parquet changes travel as text.
    var columns: [PartialColumn]
  }

  struct PartialColumn: Sendable, Codable {
    var name: String
    /// ``CarriedType/name``.
    var type: String

    /// Nil for what can't travel.
    init?(_ column: ResultColumn) {
      guard let carried = CarriedType(column.type) else { return nil }
      name = column.name
      type = carried.name
    }
  }

  var way: Way
  /// Columns that nodes and archive have to read.
  var used: UsedColumns
  var questions: [Question] = []
  /// A query over ``nodesName`` that gives the nodes that can have an answer; nil for all.
  var nodes: SQL?
  /// Rows that matter: of the nodes, and of the archive. Whoever reads them may leave out the others.
  var liveFilter = RowFilter.everything
  var archiveFilter = RowFilter.everything
  /// Whether each row of the result is made of one row by itself: then parts of the rows give parts of the result.
  var isPlain = false
  /// What runs at the end: over the answers, or over the relations.
  var gather: SQL
}

extension Session {
  /// Decides how the statement is answered. What is not sure to split ships, which is always right.
  func plan(_ statement: Statement, _ columns: [ResultColumn]) async throws(Failure) -> QueryPlan {
    var shipped = QueryPlan(
      way: statement.relations.isEmpty ? .nothing : .ship, used: usedColumns(statement.query),
      gather: try await rendered(statement.query))
    shipped.isPlain = isPlainFilter(statement.query)
    // A name that the statement defines may stand before a relation's: then nobody but DuckDB knows which is read where.
    guard !statement.relations.isEmpty, !definesRelation(statement.query) else { return shipped }
    // Also of what splits: there every read is the only source of a SELECT, and its WHERE stays as it is.
    var moments: ScanFilter.Moments = [:]
    if let reads = relationSelects(statement.query) {
      moments = try await self.moments(reads.flatMap { ScanFilter.momentsAsked($0.select) })
      func filter(_ isMeant: (Relation) -> Bool) -> RowFilter {
        ScanFilter.any(reads.filter { isMeant($0.relation) }.map { ScanFilter($0.select, moments) })
      }
      shipped.liveFilter = filter(\.hasLive)
      shipped.archiveFilter = filter(\.hasArchive)
      shipped.nodes = try await nodes(reads.map(\.select))
    }
    guard !asksForNames(statement.query), !takesWholeRows(statement.query) else { return shipped }
    let trees = try await MergeTrees.forQuery(statement.query, self)
    // Where the types are not the statement's: means of times have no sums, and others may have something else.
    for (trees, byValue) in [(trees, false), (trees.withoutMeans, false), (trees, true)] {
      // What could not be taken apart at first can't be by value alone.
      guard let trees, let (splits, gather) = try takenApart(statement.query, trees, byValue: byValue) else {
        continue
      }
      if let plan = try await checked(splits, gather, columns, shipped) { return plan }
    }
    return try await narrowed(shipped, statement, moments) ?? shipped
  }

  /// Shipping without the rows that nodes can leave out.
  private func narrowed(
    _ shipped: QueryPlan, _ statement: Statement, _ moments: ScanFilter.Moments
  ) async throws(Failure) -> QueryPlan? {
    guard let (relation, node, mostRows) = narrowedQuery(statement.query, shipped.used) else { return nil }
    let sql = try await rendered(node)
    guard let described = try await described(sql) else { return nil }
    let columns = described.compactMap(QueryPlan.PartialColumn.init)
    guard columns.count == described.count else { return nil }
    // What the scanner leaves is what would be sent: then the frames are.
    if ScanFilter(node, moments).isExact, node["modifiers"]?.items.isEmpty ?? true { return nil }
    var plan = shipped
    plan.questions = [
      QueryPlan.Question(
        relation: relation, sql: sql.text, isBag: false, isOfRows: true, mostRows: mostRows,
        columns: columns)
    ]
    return plan
  }

  /// Every SELECT that can be, and what is left of the statement; nil when rows are needed.
  private func takenApart(
    _ query: Syntax, _ trees: MergeTrees, byValue: Bool
  ) throws(Failure) -> (splits: [SplitSelect], gather: Syntax)? {
    var splits: [SplitSelect] = []
    let gather = try query.rewritten { part throws(Failure) in
      guard part.type == "SELECT_NODE",
        let found = split(part, number: splits.count, trees: trees, byValue: byValue)
      else {
        return part
      }
      splits.append(found)
      return found.gather
    }
    // Where rows are needed all the same, groups save nothing.
    return splits.isEmpty || relationReads(gather) > 0 ? nil : (splits, gather)
  }

  /// The plan, if DuckDB finds both halves sound and of the statement's own types.
  private func checked(
    _ splits: [SplitSelect], _ gather: Syntax, _ columns: [ResultColumn], _ shipped: QueryPlan
  ) async throws(Failure) -> QueryPlan? {
    var derivation = Derivation(
      widths: try await widths(splits.reduce(into: []) { $0.formUnion(Derivation.widthsAsked($1.node)) }))
    // Before anything is described, since that needs their columns.
    let splits = splits.map { split in
      var split = split
      split.node = derivation.derived(split.node)
      split.rows = split.rows.map { derivation.derived($0) }
      split.groups = split.groups.map { derivation.derived($0) }
      return split
    }
    try await run(["CREATE OR REPLACE VIEW \(name: rowsName) AS \(emptyRows(derivation.columns))"])
    var questions: [QueryPlan.Question] = []
    for split in splits {
      let sql = try await rendered(withFasterTimes(split.node))
      guard let described = try await described(sql) else { return nil }
      let parts = described.compactMap(QueryPlan.PartialColumn.init)
      // 30 days and a month are one value to a group, and two to who sees them.
      guard parts.count == described.count,
        !(split.isBag && parts.contains { $0.type == "INTERVAL" && !isPartialValue($0.name) })
      else {
        return nil
      }
      var question = QueryPlan.Question(
        relation: split.relation, sql: sql.text, isBag: split.isBag, columns: parts)
      if let query = split.rows { question.rowsSQL = try await rendered(withFasterTimes(query)).text }
      for query in split.groups {
        question.groupsSQL.append(try await rendered(withFasterTimes(query)).text)
      }
      questions.append(question)
    }
    let sql = try await rendered(gather)
    try await run(questions.enumerated().map { index, question in emptyPartial(question, index) })
    guard let found = try await described(sql), found.map(\.type) == columns.map(\.type) else { return nil }
    var used = UsedColumns(names: [], derived: derivation.columns)
    for split in splits {
      used.names?.formUnion(usedColumns(split.node).names ?? Set(relationColumns.map(\.name)))
    }
    var plan = shipped
    plan.way = .split
    plan.used = used
    plan.questions = questions
    plan.gather = sql
    return plan
  }

  /// What constant expressions are as moments; those that are none, or that DuckDB would compare in another way, are left out.
  func moments(_ expressions: [Syntax]) async throws(Failure) -> ScanFilter.Moments {
    let asked = Array(Set(expressions))
    guard !asked.isEmpty, asked.count < 1000 else { return [:] }
    let values = asked.flatMap { expression -> [Syntax] in
      let moment = Syntax.cast(expression, to: "TIMESTAMP WITH TIME ZONE")
      return [.function("typeof", [expression]), .attempt(.function("epoch_us", [moment]))]
    }
    let row = try await constants(values)
    var moments: ScanFilter.Moments = [:]
    for (index, expression) in asked.enumerated() {
      let isText = expression.expressionClass == "CONSTANT"
      guard let type = row?["v\(index * 2)"]?.string, let moment = row?["v\(index * 2 + 1)"]?.integer,
        ["TIMESTAMP WITH TIME ZONE", "TIMESTAMP", "DATE"].contains(type) || type == "VARCHAR" && isText
      else { continue }
      moments[expression] = moment
    }
    return moments
  }

  /// The values of constant expressions, as v0, v1 and so on; nil when they can't be had.
  func constants(_ values: [Syntax]) async throws(Failure) -> JSONValue? {
    let names = values.indices.map { "v\($0)" as SQL }.joined(separator: ", ")
    let sql: SQL =
      "SELECT * FROM query(\(try await rendered(.select(values)).text)) AS gadwall_constants(\(names))"
    guard try await described(sql) != nil else { return nil }
    return (try await run([sql])).last?.first
  }

  /// Nodes of which any of the questions may have an answer.
  private func nodes(_ questions: [Syntax]) async throws(Failure) -> SQL? {
    var parts: [SQL] = []
    for question in questions {
      guard let question = nodeQuestion(question) else { return nil }
      parts.append(try await rendered(question))
    }
    return parts.joined(separator: " UNION ")
  }

  /// Which of the nodes are to be asked.
  func asked(_ plan: QueryPlan, of nodes: [Node]) async throws(Failure) -> [Node] {
    guard let question = plan.nodes, !nodes.isEmpty else { return nodes }
    let rows = nodes.map { "(\($0.key), \($0.region), \($0.zone), \($0.name))" as SQL }
    let answer: [[JSONValue]]
    do {
      answer = try await run([
        "CREATE TEMP TABLE \(name: nodesName) AS SELECT * FROM (VALUES \(rows.joined(separator: ", "))) t(gadwall_key, region, zone, node)",
        "SELECT gadwall_key FROM query(\(question.text))",
      ])
    } catch {
      // A condition that fails over a node's name fails over its rows, or over none: the nodes say it.
      return nodes
    }
    let keys = Set((answer.last ?? []).compactMap { $0["gadwall_key"]?.string })
    return nodes.filter { keys.contains($0.key) }
  }

  /// Names and types of a statement; nil when it can't be run, which is asked first: one that fails ends the session.
  private func described(_ sql: SQL) async throws(Failure) -> [ResultColumn]? {
    let answer = try await run([
      "SELECT json_serialize_plan(\(sql.text))->>'error' AS error"
    ])
    guard answer.first?.first?["error"]?.string == "false" else { return nil }
    return resultColumns(try await run(["DESCRIBE FROM query(\(sql.text))"]))
  }
}

/// The columns that a DESCRIBE tells of.
func resultColumns(_ answer: [[JSONValue]]) -> [ResultColumn] {
  (answer.last ?? []).map { row in
    ResultColumn(name: row["column_name"]?.string ?? "", type: row["column_type"]?.string ?? "")
  }
}

private func emptyPartial(_ question: QueryPlan.Question, _ number: Int) -> SQL {
  let columns = question.columns.map { "NULL::\(SQL(trusted: $0.type)) AS \(name: $0.name)" as SQL }
  return
    "CREATE OR REPLACE VIEW \(name: partialName(number)) AS SELECT \(columns.joined(separator: ", ")) LIMIT 0"
}

/// Whether a row as a whole may be a value, whose fields are called as its columns are: anything is called like what stands in a FROM.
private func takesWholeRows(_ query: Syntax) -> Bool {
  var sources: Set<String> = []
  var columns: Set<String> = []
  func look(_ part: Syntax) {
    if part.expressionClass == "COLUMN_REF" {
      if let name = part.columnName { columns.insert(name) }
    } else if part.expressionClass == nil {
      for key in ["alias", "table_name", "cte_name", "key"] {
        if let name = part[key]?.string, !name.isEmpty { sources.insert(name.lowercased()) }
      }
    }
    for part in part.parts { look(part) }
  }
  look(query)
  return !sources.isDisjoint(with: columns)
}

/// Whether names of unnamed columns matter, which a split changes: the statement chooses or tells columns by them.
func asksForNames(_ part: Syntax) -> Bool {
  switch (part.expressionClass, part.type) {
  case (nil, "ORDER_MODIFIER"): return part.orders.contains { !$0.isAllItems && asksForNames($0) }
  case ("STAR", _):
    if part["columns"]?.isTrue == true || part["expr"] != nil { return true }
  case ("FUNCTION", _):
    // `* LIKE 'a%'`
    if part["children"]?.items.contains(where: { $0.expressionClass == "STAR" }) == true { return true }
    if part["function_name"]?.string?.lowercased() == "alias" { return true }
  case (nil, "SHOW_REF"), (nil, "PIVOT"): return true
  case (nil, "JOIN"):
    if part["ref_type"]?.string == "NATURAL" { return true }
  case (nil, "SET_OPERATION_NODE"):
    if part["setop_type"]?.string == "UNION_BY_NAME" { return true }
  default: break
  }
  return part.parts.contains(where: asksForNames)
}

/// All reads of relations, if each is the only source of a SELECT.
private func relationSelects(_ query: Syntax) -> [(relation: Relation, select: Syntax)]? {
  var reads: [(relation: Relation, select: Syntax)] = []
  func look(_ part: Syntax) {
    if part.type == "SELECT_NODE", part["sample"] == nil, let from = part["from_table"],
      let relation = plainRelation(from)
    {
      reads.append((relation, part))
    }
    for part in part.parts { look(part) }
  }
  look(query)
  return reads.count == relationReads(query) ? reads : nil
}

private func definesRelation(_ part: Syntax) -> Bool {
  let names = (part["cte_map"]?["map"]?.items ?? []).map { $0["key"]?.string } + [part["cte_name"]?.string]
  if names.contains(where: { Relation(rawValue: $0?.lowercased() ?? "") != nil }) { return true }
  return part.parts.contains(where: definesRelation)
}
