import DuckDB
import Support

/// What nodes send of a statement that ships: the rows that its WHERE keeps, and of an ORDER BY with a LIMIT the first ones.
///
/// Only for a statement that is one SELECT over one relation. The statement runs over what they send as it was written, so whatever is kept too much
/// does no harm.
///
/// - Returns: a query over ``rowsName`` that gives the used columns of these rows, and how many a LIMIT leaves of them; nil when nothing can be left out.
func narrowedQuery(_ select: Syntax, _ used: UsedColumns) -> (
  relation: Relation, node: Syntax, mostRows: Int?
)? {
  guard select.type == "SELECT_NODE", let from = select["from_table"], let relation = plainRelation(from),
    (select["cte_map"]?["map"]?.items ?? []).isEmpty, select["sample"] == nil,
    // Read again somewhere else, it may need what is left out here.
    relationReads(select) == 1
  else { return nil }
  let scope = RelationScope(from)
  var node = select
  var isNarrower = false
  var isWhole = true
  if let condition = select["where_clause"] {
    let all = conjuncts(condition)
    let asked = all.filter { scope.isSteady($0) && scope.owns($0) }
    isNarrower = !asked.isEmpty
    // Rows that were not left out by a condition that can't be asked there could be among the first ones.
    isWhole = asked.count == all.count
    if !isWhole { node["where_clause"] = asked.count > 1 ? .and(asked) : asked.first ?? .null }
  }
  let first = isWhole ? firstRows(select, scope) : nil
  guard isNarrower || first != nil else { return nil }
  let names = relationColumns.map(\.name).filter(used.uses)
  node["select_list"] = .list(
    (names.isEmpty ? ["line"] : names).map { name in Syntax.column(name).named(name) })
  node["from_table"] = from.reading(rowsName, alias: scope.qualifier)
  node["modifiers"] = .list(first ?? [])
  for key in ["having", "qualify"] { node[key] = .null }
  node["group_expressions"] = .list([])
  node["group_sets"] = .list([])
  node["aggregate_handling"] = .text("STANDARD_HANDLING")
  return (relation, node, first?.last.flatMap { wholeNumber($0["limit"]) })
}

/// The modifiers that give a part's first rows: its limit and offset together, by its order. Nil when all rows are needed.
private func firstRows(_ select: Syntax, _ scope: RelationScope) -> [Syntax]? {
  let items = select["select_list"]?.items ?? []
  let modifiers = select["modifiers"]?.items ?? []
  guard modifiers.count == 2, modifiers[0].type == "ORDER_MODIFIER", var limit = modifiers.last,
    limit.type == "LIMIT_MODIFIER", let count = wholeNumber(limit["limit"]),
    let offset = limit["offset"] == nil ? 0 : wholeNumber(limit["offset"]), max(count, offset) < 1 << 30,
    select["having"] == nil, select["qualify"] == nil, (select["group_expressions"]?.items ?? []).isEmpty,
    select["aggregate_handling"]?.string == "STANDARD_HANDLING", items.allSatisfy(givesOneRow)
  else { return nil }
  var orders: [Syntax] = []
  for order in modifiers[0]["orders"]?.items ?? [] {
    guard var expression = order["expression"] else { return nil }
    if expression.expressionClass == "CONSTANT" {
      // A star moves the places.
      guard let place = wholeNumber(expression), items.indices.contains(place - 1),
        !items.contains(where: { $0.expressionClass == "STAR" })
      else { return nil }
      expression = items[place - 1].withoutAlias
    } else if expression["column_names"]?.items.count == 1, let name = expression.columnName {
      // ORDER BY prefers an alias.
      let named = items.filter { $0["alias"]?.string?.lowercased() == name }
      guard named.count < 2 else { return nil }
      if let item = named.first { expression = item.withoutAlias }
    }
    guard givesOneRow(expression), scope.isSteady(expression), scope.owns(expression) else { return nil }
    var changed = order
    changed["expression"] = expression
    orders.append(changed)
  }
  var order = modifiers[0]
  order["orders"] = .list(orders)
  limit["limit"] = .position(count + offset)
  limit["offset"] = .null
  return orders.isEmpty ? nil : [order, limit]
}

/// Whether it is one SELECT over one relation that gives, of each of its rows or of none, one row.
func isPlainFilter(_ query: Syntax) -> Bool {
  guard query.type == "SELECT_NODE", let from = query["from_table"], plainRelation(from) != nil,
    (query["cte_map"]?["map"]?.items ?? []).isEmpty, query["sample"] == nil,
    (query["modifiers"]?.items ?? []).isEmpty, query["having"] == nil, query["qualify"] == nil,
    (query["group_expressions"]?.items ?? []).isEmpty, (query["group_sets"]?.items ?? []).isEmpty,
    query["aggregate_handling"]?.string == "STANDARD_HANDLING", relationReads(query) == 1
  else { return false }
  let items = query["select_list"]?.items ?? []
  return items.allSatisfy(givesOneRow) && query["where_clause"].map(givesOneRow) ?? true
}

/// Neither makes one row of many, nor looks at others, nor makes many of one, nor changes from one to the next.
private func givesOneRow(_ part: Syntax) -> Bool {
  switch part.expressionClass {
  case "WINDOW", "SUBQUERY": return false
  case "FUNCTION":
    let name = part["function_name"]?.string?.lowercased() ?? ""
    if aggregateFunctions.contains(name) || aggregateMacros.contains(name) || unsteadyFunctions.contains(name)
    {
      return false
    }
  default: break
  }
  return part.parts.allSatisfy(givesOneRow)
}

private func wholeNumber(_ value: Syntax?) -> Int? {
  guard let value, value.expressionClass == "CONSTANT", case .number(let digits)? = value["value"]?["value"],
    value["value"]?["type"]?["id"]?.string?.hasSuffix("INT") ?? false
      || value["value"]?["type"]?["id"]?.string == "INTEGER",
    let number = Int(digits), number >= 0
  else { return nil }
  return number
}
