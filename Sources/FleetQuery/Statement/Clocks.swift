import Support

/// Functions that read a clock, with the type of what they give.
private let clocks: [String: (type: String, text: @Sendable (Clock) -> String)] = [
  "now": ("TIMESTAMP WITH TIME ZONE", \.moment), "current_timestamp": ("TIMESTAMP WITH TIME ZONE", \.moment),
  "get_current_timestamp": ("TIMESTAMP WITH TIME ZONE", \.moment),
  "transaction_timestamp": ("TIMESTAMP WITH TIME ZONE", \.moment),
  "localtimestamp": ("TIMESTAMP", \.local), "current_localtimestamp": ("TIMESTAMP", \.local),
  "today": ("DATE", \.date), "current_date": ("DATE", \.date),
  "current_time": ("TIME WITH TIME ZONE", { $0.time + "+00" }),
  "get_current_time": ("TIME WITH TIME ZONE", { $0.time + "+00" }),
  "localtime": ("TIME", \.time), "current_localtime": ("TIME", \.time),
]

/// One moment, as the texts that DuckDB reads it from. All is UTC.
private struct Clock: Sendable {
  let date: String
  let time: String

  init(_ moment: Instant) {
    // 2026-11-23T14:00:00.123456Z
    let text = moment.description
    date = String(text.prefix(10))
    time = String(text.dropFirst(11).prefix { $0 != "Z" })
  }

  var local: String { "\(date) \(time)" }
  var moment: String { "\(date) \(time)+00" }
}

/// The statement with what reads a clock as the constant that it is for all of its parts, on whichever machine they run.
///
/// A name that the statement gives to something else stays, as does everything where columns are told by the names that clocks give them.
func withFixedClocks(_ query: Syntax, at moment: Instant) -> Syntax {
  let clock = Clock(moment)
  var names: Set<String> = []
  var isNamed = false
  func look(_ part: Syntax) {
    if part.expressionClass == "CONSTANT" { return }
    // The name of a column that nobody named is its text.
    if case .text(let text) = part, text.contains("(") { isNamed = true }
    if part.expressionClass == "LAMBDA", let parameters = part["lhs"] {
      for name in namesIn(parameters) { names.insert(name) }
    }
    if part.expressionClass != "COLUMN_REF", let alias = part["alias"]?.string, !alias.isEmpty {
      names.insert(alias.lowercased())
    }
    for list in ["column_name_alias", "aliases"] {
      for item in part[list]?.items ?? [] { names.insert(item.string?.lowercased() ?? "") }
    }
    for part in part.parts { look(part) }
  }
  look(query)
  if isNamed || asksForNames(query) { return query }
  func literal(_ name: String, like part: Syntax) -> Syntax? {
    guard let found = clocks[name] else { return nil }
    // A column is called as what made it.
    var value = Syntax.cast(.constant(found.text(clock)), to: found.type, like: part)
    if value["alias"]?.string?.isEmpty ?? true, part.expressionClass == "COLUMN_REF" {
      value = value.named(name)
    }
    return value
  }
  return query.rewritten { part in
    switch part.expressionClass {
    case "COLUMN_REF":
      guard part["column_names"]?.items.count == 1, let name = part.columnName, !names.contains(name) else {
        return part
      }
      return literal(name, like: part) ?? part
    case "FUNCTION":
      let name = part["function_name"]?.string?.lowercased() ?? ""
      let arguments = part["children"]?.items ?? []
      if name == "ago", arguments.count == 1, let now = literal("now", like: .null) {
        let interval = Syntax.cast(arguments[0], to: "INTERVAL")
        return Syntax.function("-", [now, interval], isOperator: true)
          .named(part["alias"]?.string ?? "")
      }
      return arguments.isEmpty ? literal(name, like: part) ?? part : part
    default: return part
    }
  }
}

/// Of all columns in it, the last parts of their names.
private func namesIn(_ part: Syntax) -> [String] {
  if part.expressionClass == "COLUMN_REF" { return part.columnName.map { [$0] } ?? [] }
  return part.parts.flatMap(namesIn)
}
