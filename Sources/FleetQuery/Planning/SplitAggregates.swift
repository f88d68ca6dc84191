import Support

// How each aggregate travels, and what is made of it at the gather.

extension Splitter {
  /// The aggregate over what travels; nil when a node can't be asked for that.
  func merged(_ aggregate: Syntax, _ parts: inout SplitParts) -> Syntax? {
    guard let name = aggregate["function_name"]?.string?.lowercased(), isAskable(aggregate) else {
      return nil
    }
    let arguments = aggregate["children"]?.items ?? []
    let isDistinct = aggregate["distinct"]?.isTrue == true
    if !byValue, !isDistinct, let macro = trees.macro(name, arguments.count) {
      return replaced(substituted(macro.result, macro.arguments, aggregate), &parts)
    }
    let isOfSets = aggregatesOfSets.contains(name)
    // A mean or a count of a set is not that of its parts.
    if !byValue, !isDistinct || isOfSets, !isFree(aggregate, parts) {
      if let found = firstOf(aggregate, name, &parts) { return found }
      if let merge = trees.merge(name, arguments.count),
        // Of equal ones an order chooses.
        !isOrdered(aggregate) || merge.arguments.count < 2,
        let found = merged(aggregate, by: merge, &parts)
      {
        return found
      }
    }
    if !isDistinct, !isOfSets { parts.areCounted = true }
    return overMembers(aggregate, &parts)
  }

  private func merged(_ aggregate: Syntax, by merge: MergeTree, _ parts: inout SplitParts) -> Syntax? {
    let arguments = aggregate["children"]?.items ?? []
    // What the result names of them has to be the same for all rows.
    let constants = zip(merge.arguments, arguments).filter { !$0.1.hasColumns }
    guard !merge.arguments.contains("n") || constants.contains(where: { $0.0 == "n" }) else { return nil }
    var set: Int?
    if let member = merge.member {
      let value = substituted(member, merge.arguments, aggregate)
      let needed = aggregate["filter"].map { Syntax.when($0, value) } ?? value
      parts.add(members: [needed])
      _ = parts.addMember(needed)
      set = parts.set(of: [needed])
    }
    var values = Dictionary(constants) { first, _ in first }
    for (place, part) in zip(Merge.places, merge.parts) {
      values[place] = parts.addValue(substituted(part, merge.arguments, aggregate), of: set)
    }
    return substituted(merge.result, values)
  }

  /// The expression with the aggregate's arguments in it, and its FILTER on each aggregate.
  private func substituted(_ expression: Syntax, _ names: [String], _ aggregate: Syntax) -> Syntax {
    let arguments = (aggregate["children"]?.items ?? []).map(\.withoutAlias)
    let changed = substituted(expression, Dictionary(zip(names, arguments)) { first, _ in first })
    guard let filter = aggregate["filter"] else { return changed }
    return changed.rewritten { part in
      guard isAggregate(part) else { return part }
      var copy = part
      copy["filter"] = part["filter"].map { Syntax.and([filter, $0]) } ?? filter
      return copy
    }
  }

  private func substituted(_ expression: Syntax, _ values: [String: Syntax]) -> Syntax {
    expression.rewritten { part in
      guard part.expressionClass == "COLUMN_REF", part["column_names"]?.items.count == 1,
        let name = part.columnName, let value = values[name]
      else { return part }
      // A field's name stands there, too.
      return value.named(part["alias"]?.string ?? "")
    }
  }

  private func isOrdered(_ aggregate: Syntax) -> Bool {
    !(aggregate["order_bys"]?["orders"]?.items ?? []).isEmpty
  }

  /// One row's value by an ORDER BY: the first of the parts' first ones, with what they are ordered by.
  private func firstOf(_ aggregate: Syntax, _ name: String, _ parts: inout SplitParts) -> Syntax? {
    guard firstAggregates.contains(name), isOrdered(aggregate),
      let value = aggregate["children"]?.items.first,
      let orders = aggregate["order_bys"]?["orders"]?.items
    else { return nil }
    var part = aggregate
    if !["first", "last"].contains(name) {
      // These pass over NULL.
      let present = Syntax.isNotNull(value)
      part["filter"] = aggregate["filter"].map { Syntax.and([$0, present]) } ?? present
      part["function_name"] = .text("first")
    }
    func first(of value: Syntax) -> Syntax {
      var copy = part
      copy["children"] = .list([value.withoutAlias])
      return parts.addValue(copy.withoutAlias)
    }
    var result = part
    result["children"] = .list([first(of: value)])
    var changed: [Syntax] = []
    for order in orders {
      guard let key = order["expression"] else { return nil }
      var order = order
      order["expression"] = first(of: key)
      changed.append(order)
    }
    result["order_bys"]?["orders"] = .list(changed)
    // A part without such a row has none to give.
    let count = parts.addValue(.function("count_star", [], filter: part["filter"]))
    result["filter"] = .comparison("COMPARE_GREATERTHAN", count, .bigint(0))
    return result
  }

  /// The aggregate as it was written, over what travels of its rows.
  private func overMembers(_ aggregate: Syntax, _ parts: inout SplitParts) -> Syntax? {
    guard let members = members(of: aggregate) else { return nil }
    parts.add(members: members.all)
    let set = parts.set(of: members.all)
    func member(_ value: Syntax) -> Syntax {
      // What is the same for all rows has to stay where it is: a quantile's place is no column.
      value.hasColumns ? parts.addMember(value) : value
    }
    var result = aggregate
    result["children"] = .list(members.arguments.map(member))
    var filters = members.filter.map { [member($0)] } ?? []
    if parts.hasSets {
      guard let set else { return nil }
      let own = Syntax.coalesce([.column(setName), .bigint(Int64(set))])
      filters.insert(.comparison("COMPARE_EQUAL", own, .bigint(Int64(set))), at: 0)
    }
    if let filter = filters.first { result["filter"] = filters.count == 1 ? filter : .and(filters) }
    var orders = aggregate["order_bys"]?["orders"]?.items ?? []
    for index in orders.indices { orders[index]["expression"] = member(members.orders[index]) }
    if !orders.isEmpty { result["order_bys"]?["orders"] = .list(orders) }
    return result
  }

  private struct Members {
    var arguments: [Syntax]
    var orders: [Syntax]
    var filter: Syntax?
    /// Those that differ by row.
    var all: [Syntax] { (arguments + orders + (filter.map { [$0] } ?? [])).filter(\.hasColumns) }
  }

  /// What travels of an aggregate that does so by value; of rows that its FILTER leaves out nothing but that.
  private func members(of aggregate: Syntax) -> Members? {
    let filter = aggregate["filter"]?.withoutAlias
    func kept(_ value: Syntax) -> Syntax {
      guard let filter, filter.hasColumns, value.hasColumns else { return value.withoutAlias }
      return .when(filter, value.withoutAlias)
    }
    var orders: [Syntax] = []
    for order in aggregate["order_bys"]?["orders"]?.items ?? [] {
      guard let expression = order["expression"] else { return nil }
      orders.append(kept(expression))
    }
    return Members(
      arguments: (aggregate["children"]?.items ?? []).map(kept), orders: orders, filter: filter)
  }

  /// Whether all that it needs travels anyway.
  private func isFree(_ aggregate: Syntax, _ parts: SplitParts) -> Bool {
    isBag && members(of: aggregate).map { parts.set(of: $0.all) != nil } ?? false
  }
}
