import Rows

/// Which columns a statement may use. Names are not resolved: any part of an identifier that is called like a column counts.
struct UsedColumns: Equatable, Sendable, Codable {
  /// Names of relation columns; nil when it may be all of them.
  var names: Set<String>?
  /// What nodes and archive make of columns beside: ``DerivedColumn/name(_:)`` by its place here.
  var derived: [DerivedColumn] = []

  func uses(_ name: String) -> Bool { names?.contains(name) ?? true }

  /// Whether rows have to say which file they are from.
  var needsFiles: Bool { ["stream", "rotated", "batch"].contains(where: uses) }

  /// What a frame has to hold for it, beside the derived ones: one column at least.
  var ofFrames: Set<RowColumn> {
    let columns = Set(RowColumn.allCases.filter { $0 != .batch && uses($0.name) })
    return needsFiles || columns.isEmpty && derived.isEmpty ? columns.union([.batch]) : columns
  }
}

/// - Returns: the columns, by everything in the statement that may name one.
func usedColumns(_ query: Syntax) -> UsedColumns {
  let all = Set(relationColumns.map(\.name))
  var names: Set<String> = []
  var isAll = false
  func look(_ part: Syntax) {
    switch part {
    case .text(let text):
      // Names stand in column references, USING lists, aliases, EXCLUDE lists, and as texts that become names (UNPIVOT).
      let small = text.lowercased()
      if all.contains(small) { names.insert(small) }
    case .list(let items): for item in items { look(item) }
    case .node(let members):
      switch (part.expressionClass, part.type) {
      // A star over nothing but what the statement itself makes needs no more than is named there, but who knows what it stands over.
      case ("STAR", _), ("POSITIONAL_REFERENCE", _): isAll = true
      case (nil, "BASE_TABLE"):
        if part["column_name_alias"]?.items.isEmpty == false { isAll = true }
        // Its name or alias alone may stand for a whole row.
        for name in [part["alias"]?.string ?? "", part["table_name"]?.string ?? ""] where !name.isEmpty {
          rows.insert(name.lowercased())
        }
      case (nil, "SHOW_REF"), (nil, "PIVOT"): isAll = true
      case (nil, "ORDER_MODIFIER"):
        for order in part.orders where !order.isAllItems { look(order) }
        return
      case (nil, "JOIN"):
        if part["ref_type"]?.string == "NATURAL" || part["ref_type"]?.string == "POSITIONAL" { isAll = true }
      default: break
      }
      if part.expressionClass == "COLUMN_REF" {
        // Before the last part stand qualifiers.
        if let name = part.columnName { references.insert(name) }
      }
      for member in members { look(member.value) }
    default: break
    }
  }
  var rows: Set<String> = []
  var references: Set<String> = []
  look(query)
  // `SELECT logs FROM logs` is a row as a STRUCT.
  if !rows.isDisjoint(with: references) { isAll = true }
  return UsedColumns(names: isAll ? nil : names)
}
