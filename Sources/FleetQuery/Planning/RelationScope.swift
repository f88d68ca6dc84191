import Support

/// The columns of one relation, as a SELECT over it alone may call them.
struct RelationScope {
  /// What they may be qualified with, in small letters.
  let qualifier: String

  /// - Parameter from: what stands in the FROM.
  init(_ from: Syntax) {
    let alias = from["alias"]?.string ?? ""
    qualifier = (alias.isEmpty ? from["table_name"]?.string ?? "" : alias).lowercased()
  }

  private static let names = Set(relationColumns.map(\.name))

  /// Whether it is a column's name, in small letters.
  func has(_ name: String) -> Bool { Self.names.contains(name) }

  /// Whether every column in it is one of the relation's.
  func owns(_ expression: Syntax) -> Bool { owns(expression, []) }

  private func owns(_ expression: Syntax, _ bound: Set<String>) -> Bool {
    if expression.expressionClass == "COLUMN_REF" {
      let names = (expression["column_names"]?.items ?? []).map { $0.string?.lowercased() ?? "" }
      if let first = names.first, bound.contains(first) { return true }
      switch names.count {
      case 1: return has(names[0])
      case 2: return names[0] == qualifier && has(names[1])
      default: return false
      }
    }
    guard let more = boundNames(expression) else { return false }
    return expression.parts.allSatisfy { owns($0, bound.union(more)) }
  }

  /// Parameters that a lambda gives its body; nil when one of them hides a column. The arrow of JSON looks like a lambda to the parser: it has a
  /// column where that has parameters.
  func boundNames(_ expression: Syntax) -> Set<String>? {
    guard expression.expressionClass == "LAMBDA", let left = expression["lhs"] else { return [] }
    var names: Set<String> = []
    func collect(_ part: Syntax) {
      if part.expressionClass == "COLUMN_REF" {
        if part["column_names"]?.items.count == 1, let name = part.columnName { names.insert(name) }
      } else {
        for part in part.parts { collect(part) }
      }
    }
    collect(left)
    if names.isEmpty || names.allSatisfy(has) { return [] }
    return names.contains(where: has) ? nil : names
  }

  /// Whether it has no part that could read other rows, or stands for more than itself.
  ///
  /// - Parameter subqueries: whether these may stand in it; what is in them is not looked at.
  func isSimple(_ part: Syntax, subqueries: Bool = false) -> Bool {
    switch part.expressionClass {
    case "SUBQUERY" where subqueries: return part["child"].map { isSimple($0, subqueries: true) } ?? true
    case "SUBQUERY", "STAR", "POSITIONAL_REFERENCE", "LAMBDA_REF", "PARAMETER", "DEFAULT": return false
    default: return part.parts.allSatisfy { isSimple($0, subqueries: subqueries) }
    }
  }

  /// Whether it is made of nothing but what is known to give, row by row, the same anywhere.
  func isSteady(_ part: Syntax) -> Bool {
    switch part.expressionClass {
    case "SUBQUERY", "STAR", "POSITIONAL_REFERENCE", "LAMBDA_REF", "PARAMETER", "DEFAULT": return false
    case "FUNCTION":
      let name = part["function_name"]?.string?.lowercased() ?? ""
      guard !unsteadyFunctions.contains(name), !(name == "age" && part["children"]?.items.count == 1) else {
        return false
      }
    case "COLUMN_REF":
      if part["column_names"]?.items.count == 1, let name = part.columnName, unsteadyFunctions.contains(name)
      {
        return false
      }
    default: break
    }
    return part.parts.allSatisfy { isSteady($0) }
  }
}

/// Macros whose bodies aggregate.
let aggregateMacros: Set = ["geomean", "geometric_mean", "weighted_avg", "wavg"]

/// Functions that give another value each time, read a clock, or make several rows of one.
let unsteadyFunctions: Set = [
  "random", "uuid", "gen_random_uuid", "uuidv4", "uuidv7", "unnest", "generate_subscripts",
  "regexp_split_to_table",
  "now", "today", "ago", "transaction_timestamp", "get_current_time", "get_current_timestamp", "current_date",
  "current_time", "current_timestamp", "localtime", "localtimestamp", "current_localtime",
  "current_localtimestamp",
  "json_group_array", "json_group_object", "json_group_structure",
]

/// How often a statement names a relation, whatever stands before the name.
func relationReads(_ part: Syntax) -> Int {
  let isOne =
    part.type == "BASE_TABLE" && part.expressionClass == nil
    && Relation(rawValue: part["table_name"]?.string?.lowercased() ?? "") != nil
  return part.parts.reduce(isOne ? 1 : 0) { $0 + relationReads($1) }
}

extension Syntax {
  /// Whether a column is named in it.
  var hasColumns: Bool { contains { $0.expressionClass == "COLUMN_REF" } }
}
