import DuckDB
import Support

/// A statement that may run: its query node, and what it reads.
struct GatedStatement: Sendable, Equatable {
  var query: Syntax
  var relations: Set<Relation> = []
}

/// Judges a statement by its syntax tree. What may run is listed, kind by kind; everything else is refused with the sentence that says why. It
/// is the first of two walls: behind it the statement runs where it could read and write nothing even if it were let through.
func gate(_ query: Syntax) throws(Failure) -> GatedStatement {
  var gate = Gate()
  try gate.query(query, names: [])
  return GatedStatement(query: query, relations: gate.relations)
}

private struct Gate {
  var relations: Set<Relation> = []

  private func refused(_ sentence: String, remedy: String = "") -> Failure {
    Failure("sql.refused", sentence, remedy: remedy)
  }

  // MARK: what gives rows

  private static let queryTypes: Set = [
    "SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE",
  ]

  /// - Parameter names: of the common table expressions around it, in small letters.
  mutating func query(_ node: Syntax, names outer: Set<String>) throws(Failure) {
    guard let type = node.type, Self.queryTypes.contains(type) else {
      throw refused("A statement of the kind \(node.type ?? "unknown") can't be asked of a fleet.")
    }
    var names = outer
    for entry in node["cte_map"]?["map"]?.items ?? [] {
      if let name = entry["key"]?.string { names.insert(name.lowercased()) }
    }
    // A recursive one is read by its own second half.
    if let name = node["cte_name"]?.string { names.insert(name.lowercased()) }
    for (key, value) in node.members { try part(value, key: key, names: names) }
  }

  private mutating func part(_ part: Syntax, key: String, names: Set<String>) throws(Failure) {
    switch part {
    case .list(let items): for item in items { try self.part(item, key: key, names: names) }
    case .node(let members):
      if part.expressionClass != nil { return try expression(part, names: names) }
      if let type = part.type {
        if Self.queryTypes.contains(type) { return try query(part, names: names) }
        if isSource(part, key) { return try source(part, names: names) }
      }
      for member in members { try self.part(member.value, key: member.key, names: names) }
    case .text(let text) where text.lowercased().hasPrefix("gadwall_"):
      throw refused("Names that begin with gadwall_ are our own.", remedy: "Call it something else.")
    default: return
    }
  }

  // MARK: FROM

  private static let sourceTypes: Set = [
    "BASE_TABLE", "TABLE_FUNCTION", "SHOW_REF", "SUBQUERY", "JOIN", "EXPRESSION_LIST", "EMPTY", "PIVOT",
  ]

  /// By its place, or by its kind: one that is not known may stand nowhere.
  private func isSource(_ part: Syntax, _ key: String) -> Bool {
    ["from_table", "left", "right", "source"].contains(key) || Self.sourceTypes.contains(part.type ?? "")
  }

  private mutating func source(_ source: Syntax, names: Set<String>) throws(Failure) {
    switch source.type {
    case "BASE_TABLE": try table(source, names: names)
    case "TABLE_FUNCTION":
      let name = source["function"]?["function_name"]?.string?.lowercased() ?? ""
      guard allowedTableFunctions.contains(name) else {
        throw refused(
          "The function \(printable(name)) can't stand in a FROM here: it could see more than the logs.",
          remedy: "The relations are live, archive and logs.")
      }
      for argument in source["function"]?["children"]?.items ?? [] {
        try part(argument, key: "children", names: names)
      }
    case "SHOW_REF":
      guard let query = source["query"], ["DESCRIBE", "SUMMARY"].contains(source["show_type"]?.string) else {
        throw refused(
          "SHOW can't be asked of a fleet.",
          remedy: "Write DESCRIBE logs, or SUMMARIZE and a relation or a SELECT.")
      }
      return try self.query(query, names: names)
    case "SUBQUERY", "JOIN", "EXPRESSION_LIST", "EMPTY", "PIVOT":
      if source.type == "PIVOT",
        source["pivots"]?.items.contains(where: { $0["pivot_enum"]?.string?.isEmpty == false }) == true
      {
        throw refused("PIVOT by an ENUM is not possible here.", remedy: "Name its values: ON column IN (…).")
      }
    default:
      throw refused("\(printable(source.type ?? "This")) can't stand in a FROM here.")
    }
    for (key, value) in source.members where key != "function" { try part(value, key: key, names: names) }
  }

  private mutating func table(_ source: Syntax, names: Set<String>) throws(Failure) {
    let name = source["table_name"]?.string ?? ""
    let schema = source["schema_name"]?.string?.lowercased() ?? ""
    let catalog = source["catalog_name"]?.string ?? ""
    let isPlain = schema.isEmpty && catalog.isEmpty
    if source["at_clause"] != nil {
      throw refused(
        "AT can't be used here: the archive is read as of one snapshot, which the coverage names.")
    }
    // A name that the statement defines may hide a relation, or stand before it: both are fetched, and DuckDB knows which is meant.
    if let relation = Relation(rawValue: name.lowercased()), catalog.isEmpty, isPlain || schema == "main" {
      relations.insert(relation)
      return
    }
    if isPlain, names.contains(name.lowercased()) { return }
    let whole = [catalog, source["schema_name"]?.string ?? "", name].filter { !$0.isEmpty }.joined(
      separator: ".")
    throw refused(
      "There is no relation '\(printable(whole))'.",
      remedy: "The relations are live (what is on the nodes), archive (the table) and logs (both).")
  }

  // MARK: expressions

  private mutating func expression(_ expression: Syntax, names: Set<String>) throws(Failure) {
    if let alias = expression["alias"] { try part(alias, key: "alias", names: names) }
    switch expression.expressionClass {
    case "CONSTANT": return
    case "FUNCTION", "WINDOW": try function(expression)
    case "COLUMN_REF":
      if case .list(let parts) = expression["column_names"] ?? .null, parts.count == 1,
        let name = parts[0].string?.lowercased(), refusedValueNames.contains(name)
      {
        throw refused("\(name) tells of the session, and not of the logs.")
      }
    case "PARAMETER":
      let name = expression["identifier"]?.string ?? "?"
      throw refused(
        "The parameter $\(printable(name)) has no value.",
        remedy: "Give it one with --param \(printable(name))=VALUE; $1 and ? can't be given any.")
    case "SUBQUERY", "COMPARISON", "CONJUNCTION", "OPERATOR", "CAST", "CASE", "BETWEEN", "STAR", "LAMBDA",
      "LAMBDA_REF",
      "COLLATE", "POSITIONAL_REFERENCE", "DEFAULT", "TYPE":
      break
    default:
      throw refused(
        "An expression of the kind \(printable(expression.expressionClass ?? "")) can't be used here.")
    }
    for (key, value) in expression.members { try part(value, key: key, names: names) }
  }

  private func function(_ expression: Syntax) throws(Failure) {
    let name = expression["function_name"]?.string?.lowercased() ?? ""
    if expression["export_state"]?.isTrue == true {
      throw refused("EXPORT_STATE can't be used here.")
    }
    // A window function of SQL's own has its kind as type, and no name in some trees.
    if name.isEmpty, expression.expressionClass == "WINDOW" { return }
    guard allowedFunctions.contains(name) || ["unnest", "->"].contains(name) else {
      throw refused(
        "The function \(printable(name)) can't be used here: there is none, or it sees more than its arguments.",
        remedy: "docs/query.md says which can.")
    }
  }
}

private let allowedTableFunctions: Set = [
  "generate_series", "range", "unnest", "json_each", "json_tree", "repeat",
]

/// Functions that are written like columns, and are none of ours.
private let refusedValueNames: Set = [
  "current_catalog", "current_role", "current_schema", "current_user", "session_user", "user",
]
