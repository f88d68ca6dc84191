import Support

// What taking apart asks of a tree.

extension Syntax {
  /// `main.logs.node` as `logs.node`.
  var withShortNames: Syntax {
    rewritten { part in
      guard part.expressionClass == "COLUMN_REF", let names = part["column_names"]?.items else { return part }
      let schema = names.dropLast(2).map { $0.string?.lowercased() ?? "" }
      guard schema == ["main"] || schema == ["memory", "main"] else { return part }
      var copy = part
      copy["column_names"] = .list(Array(names.suffix(2)))
      return copy
    }
  }

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

func whole<Item>(_ items: [Item?]) -> [Item]? {
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
