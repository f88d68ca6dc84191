import Support

/// Of what nodes are asked, the part that says by itself which of them can have an answer: the conditions that name nothing but region, zone and
/// node. DuckDB looks at these itself, so that `upper(region) = 'EU'` leaves out as many nodes as `region = 'eu'`.
///
/// - Parameter node: a query over ``rowsName``.
/// - Returns: a query over ``nodesName`` that gives the keys of the nodes to ask; nil when there is no such condition.
func nodeQuestion(_ node: Syntax) -> Syntax? {
  guard let condition = node["where_clause"], let from = node["from_table"] else { return nil }
  let scope = RelationScope(from)
  let conditions = conjuncts(condition).filter {
    namesOnlyPlaces($0) && scope.isSteady($0) && scope.owns($0)
  }
  guard !conditions.isEmpty else { return nil }
  var question = node
  question["select_list"] = .list([.column("gadwall_key").named("gadwall_key")])
  question["from_table"] = from.reading(nodesName, alias: scope.qualifier)
  question["where_clause"] = conditions.count == 1 ? conditions[0] : .and(conditions)
  for key in ["group_expressions", "group_sets", "modifiers"] { question[key] = .list([]) }
  for key in ["having", "qualify"] { question[key] = .null }
  question["cte_map"] = .node([Syntax.Member(key: "map", value: .list([]))])
  question["aggregate_handling"] = .text("STANDARD_HANDLING")
  return question
}

/// The table of nodes: `gadwall_key`, region, zone, node.
let nodesName = "gadwall_nodes"

func conjuncts(_ condition: Syntax) -> [Syntax] {
  guard condition.expressionClass == "CONJUNCTION", condition.type == "CONJUNCTION_AND" else {
    return [condition]
  }
  return (condition["children"]?.items ?? []).flatMap(conjuncts)
}

/// Whether it has a column, and all of them say where a row is from.
private func namesOnlyPlaces(_ expression: Syntax) -> Bool {
  var names: [String] = []
  func collect(_ part: Syntax) {
    if part.expressionClass == "COLUMN_REF" { names.append(part.columnName ?? "") }
    for part in part.parts { collect(part) }
  }
  collect(expression)
  return !names.isEmpty && names.allSatisfy(["region", "zone", "node"].contains)
}
