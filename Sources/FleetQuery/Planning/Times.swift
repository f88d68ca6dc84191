import Support

/// Functions of a time that give the same of a TIMESTAMP in UTC, with the place of the time among their arguments.
private let timeFunctions: [String: Int] = [
  "date_trunc": 1, "datetrunc": 1, "time_bucket": 1, "date_part": 1, "datepart": 1, "hour": 0, "minute": 0,
  "second": 0, "day": 0, "dayofmonth": 0, "month": 0, "quarter": 0, "year": 0, "week": 0, "dayofweek": 0,
  "isodow": 0, "dayofyear": 0,
]

/// Those of them that give a time.
private let givesTime: Set = ["date_trunc", "datetrunc", "time_bucket"]

/// Parts of a time that both types have.
private let timeParts: Set = [
  "microseconds", "milliseconds", "second", "minute", "hour", "day", "week", "month", "quarter", "year",
  "decade", "century", "millennium", "dow", "isodow", "doy",
]

/// What a node is asked, with functions of `ts` in a form that DuckDB is seven times as fast in (1.5.5): of a time with a zone it asks ICU, of one
/// without it does not, and the zone is UTC. Before 1600, where ICU may mean Julian days, it stays as it was. What a ``Derivation`` knows is no longer
/// there.
func withFasterTimes(_ query: Syntax) -> Syntax {
  query.rewritten { part in
    guard let faster = faster(part) else { return part }
    let isLate = Syntax.comparison(
      "COMPARE_GREATERTHANOREQUALTO", .column("ts"),
      .cast(.constant("1600-01-01 00:00:00+00"), to: "TIMESTAMP WITH TIME ZONE"))
    return Syntax.when(isLate, faster, else: part.withoutAlias).named(part["alias"]?.string ?? "")
  }
}

/// In the other form, if it is one of these functions over the column.
private func faster(_ part: Syntax) -> Syntax? {
  let local = Syntax.function("make_timestamp", [.function("epoch_us", [.column("ts")])])
  if part.expressionClass == "CAST", part["cast_type"]?["id"]?.string == "DATE",
    part["child"].map(isTs) == true
  {
    var changed = part.withoutAlias
    changed["child"] = local
    return changed
  }
  guard part.expressionClass == "FUNCTION", part["filter"] == nil, part["distinct"]?.isTrue != true,
    let name = part["function_name"]?.string?.lowercased(), let place = timeFunctions[name],
    var arguments = part["children"]?.items, arguments.count == place + 1, isTs(arguments[place])
  else { return nil }
  if place == 1 {
    // Which part, or how wide: the same for all rows.
    let first = arguments[0]
    if name == "time_bucket" {
      guard !first.hasColumns else { return nil }
    } else {
      guard first.expressionClass == "CONSTANT", let word = first["value"]?["value"]?.string,
        timeParts.contains(word.lowercased())
      else { return nil }
    }
  }
  arguments[place] = local
  let changed = Syntax.function(name, arguments)
  return givesTime.contains(name)
    ? .function("make_timestamptz", [.function("epoch_us", [changed])]) : changed
}

private func isTs(_ part: Syntax) -> Bool {
  part.expressionClass == "COLUMN_REF" && part.columnName == "ts"
}
