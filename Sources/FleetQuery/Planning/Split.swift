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
  /// What the rows are grouped by, row by row, for each set of groups; none where that is what the statement groups by itself.
  var groups: [Syntax]
}

/// How often a row of a bag was there.
let copiesName = "gadwall_copies"

/// Which of several sets of groups a row of an answer is of; NULL for one that counts in all of them.
let setName = "gadwall_set"

/// What a node's own rows are called in what it is asked.
let rowsName = "gadwall_rows"

/// What the answers to the n-th question are called.
func partialName(_ number: Int) -> String { "gadwall_partial_\(number)" }

/// Whether a column of the answers is a partial value: in a bag it is there once, whatever its row stands for.
func isPartialValue(_ column: String) -> Bool { column.hasPrefix(SplitParts.valuePrefix) }

/// Takes a SELECT apart if each part of the rows can be aggregated by itself. Each aggregate goes one of three ways: by aggregates of aggregates
/// (``merges``), as a set of the values that it tells apart, or by value, every one once with how often it was there.
///
/// Right or nil: whatever is not understood to the last part ships. The types of both halves are compared with the statement's own afterwards.
///
/// - Parameters:
///   - trees: of ``merges``.
///   - byValue: that aggregates of aggregates were tried before, and DuckDB had no such.
func split(_ select: Syntax, number: Int, trees: MergeTrees, byValue: Bool = false) -> SplitSelect? {
  guard var splitter = Splitter(select, trees) else { return nil }
  splitter.byValue = byValue
  guard var found = splitter.split(number) else { return nil }
  let first = found.split
  splitter.isBag = first.isBag
  guard !byValue else { return first }
  // What has to travel by value anyway gives others their values, too; then these may need no groups of their own.
  for _ in 0..<4 {
    let sets = found.parts.wanted
    guard sets.count > 1 || first.isBag, sets != splitter.sets else { return found.split }
    splitter.sets = sets
    guard let next = splitter.split(number) else { return first }
    found = next
  }
  return first
}

struct Splitter {
  let select: Syntax
  let trees: MergeTrees
  let relation: Relation
  let scope: RelationScope
  let items: [Syntax]
  /// Of the select list, in small letters, with the place of the item.
  private let aliases: [String: Int]
  private let isDistinct: Bool
  /// Nothing but sets and bags.
  var byValue = false
  /// That every value travels anyway of some, which gives others theirs.
  var isBag = false
  var sets = SplitSets()

  /// Nil for what has a part that can't be taken apart.
  init?(_ select: Syntax, _ trees: MergeTrees) {
    guard select.type == "SELECT_NODE", let from = select["from_table"], let relation = plainRelation(from),
      (select["cte_map"]?["map"]?.items ?? []).isEmpty, select["sample"] == nil
    else { return nil }
    self.select = select.withShortNames
    self.trees = trees
    self.relation = relation
    scope = RelationScope(from)
    items = self.select["select_list"]?.items ?? []
    var aliases: [String: Int] = [:]
    var unclear: Set<String> = []
    for (index, item) in items.enumerated() {
      guard let alias = item["alias"]?.string?.lowercased(), !alias.isEmpty else { continue }
      if aliases.updateValue(index, forKey: alias) != nil { unclear.insert(alias) }
    }
    self.aliases = aliases
    // Of two items with one name nobody knows which is meant.
    let namesOne = { (part: Syntax) in
      part.expressionClass == "COLUMN_REF" && part.columnName.map(unclear.contains) ?? false
    }
    guard unclear.isEmpty || !select.contains(where: namesOne) else { return nil }
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
    // What is left to the gather may have subqueries. Clocks and chance may stay there, too, and must not be asked of nodes.
    let atGather: Set = ["select_list", "having", "qualify"]
    for member in select.members where member.key != "modifiers" {
      guard scope.isSimple(member.value, subqueries: atGather.contains(member.key)) else { return nil }
    }
  }

  func split(_ number: Int) -> (split: SplitSelect, parts: SplitParts)? {
    let aggregates = (items + [select["having"], select["qualify"]].compactMap(\.self)).flatMap(aggregatesIn)
    let isGrouped =
      !(select["group_expressions"]?.items ?? []).isEmpty
      || select["aggregate_handling"]?.string == "FORCE_AGGREGATES"
    let isAggregating = isGrouped || !aggregates.isEmpty || select["having"] != nil
    // Windows run over what was grouped; without groups they need the rows.
    guard isAggregating || isDistinct && !hasWindow(select),
      var keys = isAggregating ? groupKeys() : items.map(\.withoutAlias),
      let named = select["having"].map(columns(ofHaving:)) ?? []
    else { return nil }
    // With GROUP BY ALL every column that is named there is grouped by as well.
    if select["aggregate_handling"]?.string == "FORCE_AGGREGATES" {
      for column in named where !keys.contains(where: { $0.normalized == column.normalized }) {
        keys.append(column)
      }
    }
    guard keys.allSatisfy(isAskable),
      select["where_clause"].map({ scope.isSteady($0) && scope.owns($0) }) ?? true
    else { return nil }
    // Of two equal keys nobody could tell which one a grouping set leaves out.
    let setCount = select["group_sets"]?.items.count ?? 0
    guard setCount < 2 || Set(keys.map(\.normalized)).count == keys.count else { return nil }
    var parts = SplitParts(keys: keys, sets: sets)
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
      guard let changed = replaced(having, &parts) else { return nil }
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
      gather["group_expressions"] = .list(keys.indices.map { .column(SplitParts.key($0)) })
      let hasNone = setCount == 0 && !keys.isEmpty
      if hasNone || select["aggregate_handling"]?.string == "FORCE_AGGREGATES" {
        gather["group_sets"] = .list(
          keys.isEmpty ? [] : [.list(keys.indices.map { .number(String($0)) })])
      }
    } else {
      gather["group_expressions"] = .list([])
    }
    // Neither key nor aggregate, as in HAVING alone.
    guard !parts.keys.isEmpty || !parts.members.isEmpty || !parts.values.isEmpty else { return nil }
    let isMade = !parts.values.isEmpty
    return (
      SplitSelect(
        relation: relation, node: nodeQuery(parts), gather: gather, isBag: parts.areCounted,
        rows: isMade ? nil : ungrouped(parts),
        groups: isMade && parts.members.isEmpty ? [] : parts.setsOfMembers.map { ungrouped(parts, only: $0) }),
      parts
    )
  }

  // MARK: the node's half

  private func nodeQuery(_ parts: SplitParts) -> Syntax {
    var list = grouped(parts)
    let count = list.count
    for (index, value) in parts.valuesOfSets.enumerated() {
      list.append(value.named(SplitParts.value(index)))
    }
    if parts.hasSets { list.append(parts.setNumber.named(setName)) }
    if parts.areCounted { list.append(Syntax.function("count_star", []).named(copiesName)) }
    var node = question(list)
    node["group_expressions"] = .list((0..<count).map { .position($0 + 1) })
    node["group_sets"] = .list(
      count == 0 ? [] : parts.sets.map { set in .list(set.map { .number(String($0)) }) })
    return node
  }

  /// Keys and members under their names.
  private func grouped(_ parts: SplitParts) -> [Syntax] {
    parts.keys.enumerated().map { $1.named(SplitParts.key($0)) }
      + parts.members.enumerated().map { $1.named(SplitParts.member($0)) }
  }

  /// The SELECT's rows with another list.
  private func question(_ list: [Syntax]) -> Syntax {
    var node = select
    node["modifiers"] = .list([])
    node["having"] = .null
    node["qualify"] = .null
    node["select_list"] = .list(list)
    node["from_table"] = select["from_table"]?.reading(rowsName, alias: scope.qualifier)
    node["aggregate_handling"] = .text("STANDARD_HANDLING")
    node["group_expressions"] = .list([])
    node["group_sets"] = .list([])
    return node
  }

  /// Every row by itself, which counts in all sets.
  private func ungrouped(_ parts: SplitParts) -> Syntax {
    var list = grouped(parts)
    if parts.hasSets { list.append(Syntax.cast(.nothing, to: "BIGINT").named(setName)) }
    if parts.areCounted { list.append(Syntax.bigint(1).named(copiesName)) }
    return question(list)
  }

  private func ungrouped(_ parts: SplitParts, only places: [Int]) -> Syntax {
    let all = grouped(parts)
    return question(places.map { all[$0] })
  }

  // MARK: the gather's half

  /// The expression over what travels; nil when it needs more than that.
  func replaced(_ expression: Syntax, _ parts: inout SplitParts) -> Syntax? {
    let plain = expression.normalized
    // A column of another relation, or a field of a lambda's parameter, may be called as a key is.
    if scope.owns(expression), let index = parts.keys.firstIndex(where: { $0.normalized == plain }) {
      return Syntax.column(SplitParts.key(index)).named(expression["alias"]?.string ?? "")
    }
    if isAggregate(expression) {
      return merged(expression, &parts)?.named(expression["alias"]?.string ?? "")
    }
    switch expression {
    case .list(let items): return whole(items.map { replaced($0, &parts) }).map { .list($0) }
    case .node(let members):
      if expression.expressionClass == "SUBQUERY" {
        guard let query = expression["subquery"], isIndependent(query) else { return nil }
        var changed = expression
        if let child = expression["child"] {
          guard let value = replaced(child, &parts) else { return nil }
          changed["child"] = value
        }
        return changed
      }
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

  /// Whether a subquery, in which what could be was taken apart already, needs nothing of the rows or of this SELECT.
  private func isIndependent(_ query: Syntax) -> Bool {
    func isOwn(_ part: Syntax) -> Bool {
      guard part.expressionClass == "COLUMN_REF" else { return part.parts.allSatisfy(isOwn) }
      let names = (part["column_names"]?.items ?? []).map { $0.string?.lowercased() ?? "" }
      guard let first = names.first else { return false }
      return names.count == 1
        ? !isColumn(first) && aliases[first] == nil
        : first != scope.qualifier && Relation(rawValue: first) == nil && first != "main"
    }
    return relationReads(query) == 0 && isOwn(query)
  }

  /// A column that is no key: it may be an item's alias, which stands for the item.
  private func aliased(_ column: Syntax, _ parts: inout SplitParts) -> Syntax? {
    guard let name = column.columnName, column["column_names"]?.items.count == 1, let index = aliases[name],
      !isColumn(name)
    else { return nil }
    let item = items[index].withoutAlias
    // One that names itself would never end.
    guard !mentions(item, name) else { return nil }
    return replaced(item, &parts)
  }

  /// ORDER BY prefers an alias, and a number is a place.
  private func ordered(_ modifier: Syntax, _ parts: inout SplitParts) -> Syntax? {
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

  private func target(_ expression: Syntax, _ parts: inout SplitParts) -> Syntax? {
    let isAlias =
      expression.expressionClass == "COLUMN_REF" && expression["column_names"]?.items.count == 1
      && expression.columnName.map { aliases[$0] != nil } ?? false
    // ORDER BY ALL is a star.
    if isAlias || ["CONSTANT", "STAR"].contains(expression.expressionClass) { return expression }
    return scope.isSimple(expression) ? replaced(expression, &parts) : nil
  }

  /// The columns that a HAVING names outside of aggregates; nil when it is not sure what its names stand for.
  ///
  /// There an alias comes before a column of its name, unless that is what is grouped by.
  private func columns(ofHaving part: Syntax) -> [Syntax]? {
    if isAggregate(part) { return [] }
    if part.expressionClass == "SUBQUERY" { return part["child"].map(columns(ofHaving:)) ?? [] }
    guard part.expressionClass == "COLUMN_REF", let name = part.columnName else {
      return whole(part.parts.map(columns(ofHaving:)))?.flatMap(\.self)
    }
    if let index = aliases[name], part["column_names"]?.items.count == 1 {
      let item = items[index].withoutAlias
      let isItself = item.expressionClass == "COLUMN_REF" && item.columnName == name
      if isColumn(name), !isItself { return nil }
      if !isItself { return mentions(item, name) ? nil : columns(ofHaving: item) }
    }
    return [part.withoutAlias]
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

  func isColumn(_ name: String) -> Bool { scope.has(name) }

  private func hasWindow(_ part: Syntax) -> Bool {
    part.contains { $0.expressionClass == "WINDOW" }
  }

  private func mentions(_ part: Syntax, _ name: String) -> Bool {
    !isColumn(name)
      && part.contains {
        $0.expressionClass == "COLUMN_REF" && $0.columnName == name && $0["column_names"]?.items.count == 1
      }
  }

  func isAggregate(_ expression: Syntax) -> Bool {
    expression.expressionClass == "FUNCTION"
      && (aggregateFunctions.contains(expression["function_name"]?.string?.lowercased() ?? "")
        || aggregateMacros.contains(expression["function_name"]?.string?.lowercased() ?? ""))
  }

  func aggregatesIn(_ expression: Syntax) -> [Syntax] {
    if expression.expressionClass == "SUBQUERY" { return expression["child"].map(aggregatesIn) ?? [] }
    return isAggregate(expression) ? [expression] : expression.parts.flatMap(aggregatesIn)
  }

  /// Whether a node gives for it what one DuckDB would.
  func isAskable(_ part: Syntax) -> Bool {
    scope.isSteady(part) && scope.owns(part) && !hasCollation(part)
  }

  /// Nodes would group by it, and what travels is text without one.
  private func hasCollation(_ part: Syntax) -> Bool {
    part.contains { $0.expressionClass == "COLLATE" }
  }
}
