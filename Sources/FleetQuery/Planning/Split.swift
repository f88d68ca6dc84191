import DuckDB
import Support

/// A SELECT over one relation, taken apart: what nodes and archive are asked, and what is asked of their answers.
struct SplitSelect: Equatable {
  var relation: Relation
  /// Over the relation ``rowsName``.
  var node: Syntax
  /// Over the relation that holds the answers.
  var gather: Syntax
  /// Each row of the answers stands for as many as ``copiesName`` says.
  var isBag: Bool
  /// What gives the same of rows as they are, without grouping them; nil where parts are aggregated.
  var rows: Syntax?
}

/// How often a row of a bag was there.
let copiesName = "gadwall_copies"

/// What a node's own rows are called in what it is asked.
let rowsName = "gadwall_rows"

/// What the answers to the n-th question are called.
func partialName(_ number: Int) -> String { "gadwall_partial_\(number)" }

/// Takes a SELECT apart if each part of the rows can be aggregated by itself: by aggregates of aggregates where that is possible, and else by a bag
/// of what is aggregated, every value once with how often it was there.
///
/// Right or nil: whatever is not understood to the last part ships. The types of both halves are compared with the statement's own afterwards.
///
/// - Parameters:
///   - templates: ``mergeTemplates`` as trees, by name.
///   - isBag: that aggregates of aggregates were tried before, and DuckDB had no such.
func split(_ select: Syntax, number: Int, templates: [String: Syntax], isBag: Bool = false) -> SplitSelect? {
  guard var splitter = Splitter(select, templates) else { return nil }
  if !isBag, let merged = splitter.split(number) { return merged }
  splitter.isBag = true
  return splitter.split(number)
}

private struct Splitter {
  let select: Syntax
  let templates: [String: Syntax]
  let relation: Relation
  let scope: RelationScope
  let items: [Syntax]
  /// Of the select list, in small letters, with the place of the item.
  private let aliases: [String: Int]
  private let isDistinct: Bool
  var isBag = false

  /// Nil for what has a part that can't be taken apart.
  init?(_ select: Syntax, _ templates: [String: Syntax]) {
    guard select.type == "SELECT_NODE", let from = select["from_table"], let relation = plainRelation(from),
      (select["cte_map"]?["map"]?.items ?? []).isEmpty, select["sample"] == nil
    else { return nil }
    self.select = select
    self.templates = templates
    self.relation = relation
    scope = RelationScope(from)
    items = select["select_list"]?.items ?? []
    var aliases: [String: Int] = [:]
    for (index, item) in items.enumerated() {
      guard let alias = item["alias"]?.string?.lowercased(), !alias.isEmpty else { continue }
      // Of two items with one name nobody knows which is meant.
      guard aliases[alias] == nil else { return nil }
      aliases[alias] = index
    }
    self.aliases = aliases
    var isDistinct = false
    for modifier in select["modifiers"]?.items ?? [] {
      switch modifier.type {
      case "ORDER_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER": break
      case "DISTINCT_MODIFIER":
        isDistinct = isDistinct || (modifier["distinct_on_targets"]?.items ?? []).isEmpty
      default: return nil
      }
    }
    self.isDistinct = isDistinct
    let inner = select.members.filter { $0.key != "modifiers" }
    // Clocks and chance may stay at the gather, and must not be asked of nodes.
    guard inner.allSatisfy({ scope.isSimple($0.value) }) else { return nil }
  }

  func split(_ number: Int) -> SplitSelect? {
    let aggregates = (items + [select["having"], select["qualify"]].compactMap(\.self)).flatMap(aggregatesIn)
    let isGrouped =
      !(select["group_expressions"]?.items ?? []).isEmpty
      || select["aggregate_handling"]?.string == "FORCE_AGGREGATES"
    let isAggregating = isGrouped || !aggregates.isEmpty || select["having"] != nil
    // Windows run over what was grouped; without groups they need the rows.
    guard isAggregating || isDistinct && !hasWindow(select),
      let keys = isAggregating ? groupKeys() : items.map(\.withoutAlias),
      keys.allSatisfy(isAskable), select["where_clause"].map({ scope.isSteady($0) && scope.owns($0) }) ?? true
    else { return nil }
    // Of two equal keys nobody could tell which one a grouping set leaves out.
    let sets = select["group_sets"]?.items.count ?? 0
    guard sets < 2 || Set(keys.map(\.normalized)).count == keys.count else { return nil }
    var parts = Parts(keys: keys)
    // A column keeps its name, by which a statement around this one may call it.
    let list = items.map { item in
      let name = item.expressionClass == "COLUMN_REF" ? item["column_names"]?.items.last?.string ?? "" : ""
      let alias = item["alias"]?.string ?? ""
      return replaced(item, &parts)?.named(alias.isEmpty ? name : alias)
    }
    guard let gatherList = whole(list) else { return nil }
    var gather = select
    gather["select_list"] = .list(gatherList)
    gather["from_table"] = select["from_table"]?.reading(partialName(number), alias: "")
    gather["where_clause"] = .null
    gather["aggregate_handling"] = .text("STANDARD_HANDLING")
    if let having = select["having"] {
      guard isClear(having, keys), let changed = replaced(having, &parts) else { return nil }
      gather["having"] = changed
    }
    if let qualify = select["qualify"] {
      guard let changed = replaced(qualify, &parts) else { return nil }
      gather["qualify"] = changed
    }
    var modifiers: [Syntax] = []
    for modifier in select["modifiers"]?.items ?? [] {
      guard let changed = ordered(modifier, &parts) else { return nil }
      modifiers.append(changed)
    }
    gather["modifiers"] = .list(modifiers)
    if isAggregating {
      gather["group_expressions"] = .list(keys.indices.map { .column(Parts.key($0)) })
      let hasNone = sets == 0 && !keys.isEmpty
      if hasNone || select["aggregate_handling"]?.string == "FORCE_AGGREGATES" {
        gather["group_sets"] = .list(
          keys.isEmpty ? [] : [.list(keys.indices.map { .number(String($0)) })])
      }
    } else {
      gather["group_expressions"] = .list([])
    }
    // Neither key nor aggregate, as in HAVING alone.
    guard !parts.keys.isEmpty || !parts.members.isEmpty || !parts.values.isEmpty else { return nil }
    return SplitSelect(
      relation: relation, node: nodeQuery(parts), gather: gather, isBag: isBag, rows: rowsQuery(parts))
  }

  // MARK: the node's half

  /// What travels: the keys, what sets are made of, and the partial values.
  struct Parts {
    var keys: [Syntax]
    /// Arguments of which every value travels once.
    var members: [Syntax] = []
    var values: [Syntax] = []
    /// Parameters of the lambdas around what is looked at.
    var bound: Set<String> = []

    static func key(_ index: Int) -> String { "gadwall_g\(index)" }
    static func member(_ index: Int) -> String { "gadwall_h\(index)" }
    static func value(_ index: Int) -> String { "gadwall_p\(index)" }

    init(keys: [Syntax]) { self.keys = keys }

    mutating func addMember(_ value: Syntax) -> Syntax {
      .column(Self.member(Self.index(of: value, in: &members)))
    }
    mutating func addValue(_ value: Syntax) -> Syntax {
      .column(Self.value(Self.index(of: value, in: &values)))
    }

    private static func index(of value: Syntax, in list: inout [Syntax]) -> Int {
      let plain = value.normalized
      if let index = list.firstIndex(where: { $0.normalized == plain }) { return index }
      list.append(value)
      return list.count - 1
    }
  }

  private func nodeQuery(_ parts: Parts) -> Syntax {
    var list: [Syntax] = []
    for (index, key) in parts.keys.enumerated() { list.append(key.named(Parts.key(index))) }
    for (index, member) in parts.members.enumerated() { list.append(member.named(Parts.member(index))) }
    let grouped = list.count
    for (index, value) in parts.values.enumerated() { list.append(value.named(Parts.value(index))) }
    if isBag { list.append(Syntax.function("count_star", []).named(copiesName)) }
    var node = select
    node["modifiers"] = .list([])
    node["having"] = .null
    node["qualify"] = .null
    node["select_list"] = .list(list)
    node["from_table"] = select["from_table"]?.reading(rowsName, alias: scope.qualifier)
    node["aggregate_handling"] = .text("STANDARD_HANDLING")
    node["group_expressions"] = .list((0..<grouped).map { .position($0 + 1) })
    node["group_sets"] = .list(grouped == 0 ? [] : [.list((0..<grouped).map { .number(String($0)) })])
    return node
  }

  private func rowsQuery(_ parts: Parts) -> Syntax? {
    guard parts.values.isEmpty else { return nil }
    var query = nodeQuery(parts)
    var list = query["select_list"]?.items ?? []
    if isBag { list[list.count - 1] = Syntax.bigint(1).named(copiesName) }
    query["select_list"] = .list(list)
    query["group_expressions"] = .list([])
    query["group_sets"] = .list([])
    return query
  }

  // MARK: the gather's half

  /// The expression over what travels; nil when it needs more than that.
  private func replaced(_ expression: Syntax, _ parts: inout Parts) -> Syntax? {
    let plain = expression.normalized
    // A column of another relation, or a field of a lambda's parameter, may be called as a key is.
    if scope.owns(expression), let index = parts.keys.firstIndex(where: { $0.normalized == plain }) {
      return Syntax.column(Parts.key(index)).named(expression["alias"]?.string ?? "")
    }
    if isAggregate(expression) {
      return merged(expression, &parts)?.named(expression["alias"]?.string ?? "")
    }
    switch expression {
    case .list(let items): return whole(items.map { replaced($0, &parts) }).map { .list($0) }
    case .node(let members):
      if expression.expressionClass == "COLUMN_REF" {
        let first = expression["column_names"]?.items.first?.string?.lowercased() ?? ""
        return parts.bound.contains(first) ? expression : aliased(expression, &parts)
      }
      let outer = parts.bound
      defer { parts.bound = outer }
      guard let bound = scope.boundNames(expression) else { return nil }
      parts.bound.formUnion(bound)
      var changed: [Syntax.Member] = []
      for member in members {
        guard let value = replaced(member.value, &parts) else { return nil }
        changed.append(Syntax.Member(key: member.key, value: value))
      }
      return .node(changed)
    default: return expression
    }
  }

  /// A column that is no key: it may be an item's alias, which stands for the item.
  private func aliased(_ column: Syntax, _ parts: inout Parts) -> Syntax? {
    guard let name = column.columnName, column["column_names"]?.items.count == 1, let index = aliases[name],
      !isColumn(name)
    else { return nil }
    let item = items[index].withoutAlias
    // One that names itself would never end.
    guard !mentions(item, name) else { return nil }
    return replaced(item, &parts)
  }

  private func merged(_ aggregate: Syntax, _ parts: inout Parts) -> Syntax? {
    guard let name = aggregate["function_name"]?.string?.lowercased(), isAskable(aggregate) else {
      return nil
    }
    if isBag { return overBag(aggregate, &parts) }
    guard (aggregate["order_bys"]?["orders"]?.items ?? []).isEmpty else { return nil }
    let arguments = aggregate["children"]?.items ?? []
    if aggregate["distinct"]?.isTrue == true || setAggregates.contains(name) {
      // Every value once for each group: there may be the same ones from several nodes.
      guard arguments.count == 1,
        name == "count" || setAggregates.contains(name) || merges[name]?.template == name
      else { return nil }
      let member = aggregate["filter"].map { Syntax.when($0, arguments[0].withoutAlias) } ?? arguments[0]
      var finished = Syntax.function(name, [parts.addMember(member.withoutAlias)])
      finished["distinct"] = aggregate["distinct"] ?? .bool(false)
      return finished
    }
    guard let merge = merges[name], arguments.count == argumentCount(name),
      let template = templates[merge.template]
    else { return nil }
    let values = merge.parts(aggregate.withoutAlias).map { parts.addValue($0) }
    let places = ["a": 0, "b": 1, "c": 2]
    return try? template.rewritten { part throws(Failure) in
      guard part.expressionClass == "COLUMN_REF", part["column_names"]?.items.count == 1,
        let place = part.columnName.flatMap({ places[$0] }), place < values.count
      else { return part }
      // A field's name stands there, too.
      return values[place].named(part["alias"]?.string ?? "")
    }
  }

  /// The aggregate as it was written, over what travels of its rows.
  private func overBag(_ aggregate: Syntax, _ parts: inout Parts) -> Syntax? {
    func member(_ value: Syntax) -> Syntax {
      // What is the same for all rows has to stay where it is: a quantile's place is no column.
      value.hasColumns ? parts.addMember(value.withoutAlias) : value
    }
    var result = aggregate
    result["children"] = .list((aggregate["children"]?.items ?? []).map(member))
    if let filter = aggregate["filter"] { result["filter"] = member(filter) }
    var orders: [Syntax] = []
    for order in aggregate["order_bys"]?["orders"]?.items ?? [] {
      guard let expression = order["expression"] else { return nil }
      var changed = order
      changed["expression"] = member(expression)
      orders.append(changed)
    }
    if !orders.isEmpty, var list = aggregate["order_bys"] {
      list["orders"] = .list(orders)
      result["order_bys"] = list
    }
    return result
  }

  /// ORDER BY prefers an alias, and a number is a place.
  private func ordered(_ modifier: Syntax, _ parts: inout Parts) -> Syntax? {
    if modifier.type == "DISTINCT_MODIFIER" {
      var result = modifier
      guard let targets = whole((modifier["distinct_on_targets"]?.items ?? []).map { target($0, &parts) })
      else {
        return nil
      }
      result["distinct_on_targets"] = .list(targets)
      return result
    }
    guard modifier.type == "ORDER_MODIFIER" else {
      // A limit is a constant or an expression of constants.
      return modifier.hasColumns ? nil : modifier
    }
    var orders: [Syntax] = []
    for order in modifier["orders"]?.items ?? [] {
      guard let expression = order["expression"] else { return nil }
      guard let value = target(expression, &parts) else { return nil }
      var changed = order
      changed["expression"] = value
      orders.append(changed)
    }
    var result = modifier
    result["orders"] = .list(orders)
    return result
  }

  private func target(_ expression: Syntax, _ parts: inout Parts) -> Syntax? {
    let isAlias =
      expression.expressionClass == "COLUMN_REF" && expression["column_names"]?.items.count == 1
      && expression.columnName.map { aliases[$0] != nil } ?? false
    // ORDER BY ALL is a star.
    if isAlias || ["CONSTANT", "STAR"].contains(expression.expressionClass) { return expression }
    return scope.isSimple(expression) ? replaced(expression, &parts) : nil
  }

  /// Whether it is sure what the names of a HAVING stand for, outside of aggregates.
  ///
  /// There an alias comes before a column of its name, unless that is what is grouped by; and with GROUP BY ALL every column that is named there is
  /// grouped by as well.
  private func isClear(_ part: Syntax, _ keys: [Syntax]) -> Bool {
    if isAggregate(part) { return true }
    guard part.expressionClass == "COLUMN_REF", let name = part.columnName else {
      return part.parts.allSatisfy { isClear($0, keys) }
    }
    if let index = aliases[name], part["column_names"]?.items.count == 1 {
      let item = items[index].withoutAlias
      let isItself = item.expressionClass == "COLUMN_REF" && item.columnName == name
      if isColumn(name), !isItself { return false }
      if !isItself { return isClear(item, keys) }
    }
    return select["aggregate_handling"]?.string != "FORCE_AGGREGATES"
      || keys.contains { $0.expressionClass == "COLUMN_REF" && $0.columnName == name }
  }

  // MARK: what is grouped by

  /// The expressions; nil when one of them is not clear.
  private func groupKeys() -> [Syntax]? {
    if select["aggregate_handling"]?.string == "FORCE_AGGREGATES" {
      // What has no column is no key: over no rows there is one group then.
      return items.filter { aggregatesIn($0).isEmpty && $0.hasColumns }.map(\.withoutAlias)
    }
    return whole(
      (select["group_expressions"]?.items ?? []).map { expression in
        if expression.expressionClass == "CONSTANT" {
          guard case .number(let digits)? = expression["value"]?["value"], let place = Int(digits),
            items.indices.contains(place - 1), aggregatesIn(items[place - 1]).isEmpty
          else { return nil }
          return items[place - 1].withoutAlias
        }
        // A column comes before an alias of the same name.
        if expression["column_names"]?.items.count == 1, let name = expression.columnName, !isColumn(name) {
          guard let index = aliases[name], aggregatesIn(items[index]).isEmpty else { return nil }
          return items[index].withoutAlias
        }
        return expression.withoutAlias
      })
  }

  // MARK: what there is

  private func isColumn(_ name: String) -> Bool { scope.has(name) }

  private func hasWindow(_ part: Syntax) -> Bool {
    part.expressionClass == "WINDOW" || part.parts.contains(where: hasWindow)
  }

  private func mentions(_ part: Syntax, _ name: String) -> Bool {
    part.expressionClass == "COLUMN_REF" && part.columnName == name && part["column_names"]?.items.count == 1
      && !isColumn(name) || part.parts.contains { mentions($0, name) }
  }

  private func isAggregate(_ expression: Syntax) -> Bool {
    expression.expressionClass == "FUNCTION"
      && (aggregateFunctions.contains(expression["function_name"]?.string?.lowercased() ?? "")
        || aggregateMacros.contains(expression["function_name"]?.string?.lowercased() ?? ""))
  }

  private func aggregatesIn(_ expression: Syntax) -> [Syntax] {
    isAggregate(expression) ? [expression] : expression.parts.flatMap(aggregatesIn)
  }

  /// Whether a node gives for it what one DuckDB would.
  private func isAskable(_ part: Syntax) -> Bool {
    scope.isSteady(part) && scope.owns(part) && !hasCollation(part)
  }

  /// Nodes would group by it, and what travels is text without one.
  private func hasCollation(_ part: Syntax) -> Bool {
    part.expressionClass == "COLLATE" || part.parts.contains(where: hasCollation)
  }
}

extension Syntax {
  /// The same FROM over another table.
  func reading(_ table: String, alias: String) -> Syntax {
    var copy = named(alias)
    copy["table_name"] = .text(table)
    copy["schema_name"] = .text("")
    return copy
  }
}

/// The relation that stands alone in a FROM, unless its columns got other names.
func plainRelation(_ from: Syntax) -> Relation? {
  guard from.type == "BASE_TABLE", let name = from["table_name"]?.string?.lowercased(),
    let relation = Relation(rawValue: name), (from["column_name_alias"]?.items ?? []).isEmpty,
    from["sample"] == nil, from["at_clause"] == nil, from["catalog_name"]?.string?.isEmpty ?? true
  else { return nil }
  return relation
}

private func whole(_ items: [Syntax?]) -> [Syntax]? {
  let found = items.compactMap(\.self)
  return found.count == items.count ? found : nil
}

extension Syntax {
  /// The last part of a column's name, in small letters.
  var columnName: String? { self["column_names"]?.items.last?.string?.lowercased() }

  /// What an ORDER BY orders by.
  var orders: [Syntax] { (self["orders"]?.items ?? []).compactMap { $0["expression"] } }

  /// Whether it is the ALL of an ORDER BY ALL, which names nothing new.
  var isAllItems: Bool {
    expressionClass == "STAR" && self["columns"]?.isTrue == true && self["expr"] == nil
      && (self["exclude_list"]?.items ?? []).isEmpty && (self["replace_list"]?.items ?? []).isEmpty
      && (self["qualified_exclude_list"]?.items ?? []).isEmpty && (self["rename_list"]?.items ?? []).isEmpty
      && (self["relation_name"]?.string ?? "").isEmpty
  }

  /// What two ways to write the same have in common: without places, qualifiers and its own alias, in small letters where case means nothing.
  var normalized: Syntax { withoutAlias.withoutPlaces }

  private var withoutPlaces: Syntax {
    switch self {
    case .list(let items): return .list(items.map(\.withoutPlaces))
    case .node(let members):
      if expressionClass == "COLUMN_REF", let name = columnName {
        return .text("column \(name) \(self["alias"]?.string ?? "")")
      }
      return .node(
        // An alias within is a name of its own: a field of a STRUCT.
        members.filter { $0.key != "query_location" }.map { member in
          if member.key == "function_name", let name = member.value.string {
            return Member(key: member.key, value: .text(name.lowercased()))
          }
          return Member(key: member.key, value: member.value.withoutPlaces)
        })
    default: return self
    }
  }
}
