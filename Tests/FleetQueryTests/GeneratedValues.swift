// Expressions of random statements: values and conditions of one row.

extension StatementGenerator {
  // MARK: columns

  /// A column by its name, as people write it.
  mutating func reference(_ name: String, _ source: Source) -> String {
    var written = name
    if chance(5) {
      written = name.uppercased()
    } else if chance(6), !name.contains(".") {
      written = "\"\(name)\""
    }
    if let qualifier = source.qualifier, chance(9) { return "\(qualifier).\(written)" }
    return written
  }

  mutating func column(_ source: Source, _ kind: Kind) -> String {
    let fitting = source.columns.filter { $0.kind == kind && !$0.name.isEmpty }
    guard !fitting.isEmpty else { return literal(kind) }
    return reference(pick(fitting).name, source)
  }

  mutating func literal(_ kind: Kind) -> String {
    if chance(4) { return kind == .time ? "NULL::TIMESTAMPTZ" : "NULL" }
    return switch kind {
    case .text:
      pick([
        "'INFO'", "'ERROR'", "'alder'", "''", "'u7'", "'o''brien'", "'日本'", "'x'", "E'a\\tb'", "$$it's$$",
      ])
    case .number:
      pick([
        "0", "1", "2", "7", "10", "100", "-3", "2.5", "0.1", ".5", "1.", "1e3", "2e0", "5e-1", "1e15",
        "1_000", "3000000000", "1.50",
      ])
    case .time: pick(["TIMESTAMPTZ '2026-11-21 12:00:00+00'", "TIMESTAMPTZ '2026-11-20 00:00:00+00'"])
    case .flag: pick(["true", "false"])
    case .other: pick(["NULL", "[1, 2]", "{'a': 1}"])
    }
  }

  // MARK: values

  mutating func value(_ source: Source, _ kind: Kind, _ depth: Int) -> String {
    switch kind {
    case .text: text(source, depth)
    case .number: number(source, depth)
    case .time: time(source, depth)
    case .flag: flag(source, depth)
    case .other: odd(source)
    }
  }

  mutating func text(_ source: Source, _ depth: Int) -> String {
    guard depth > 0, !chance(40) else { return column(source, .text) }
    let inner = text(source, depth - 1)
    switch choose(8, 8, 8, 5, 6, 6, 5, 5, 4, 4, 4, 4, 3, 3, 3, 14, 3, 3, 2, 2) {
    case 18: return "{'a': \(inner), 'b': 1}.a"
    case 19: return "[\(inner), 'z'][\(int(1...2))]"
    case 0: return "upper(\(inner))"
    case 1: return "lower(\(inner))"
    case 2: return "substr(\(inner), \(int(1...3)), \(int(1...4)))"
    case 3: return "left(\(inner), \(int(1...5)))"
    case 4: return "coalesce(\(inner), \(chance(50) ? text(source, 0) : literal(.text)))"
    case 5: return "\(inner) || \(chance(50) ? text(source, 0) : "'-x'")"
    case 6:
      return
        "CASE WHEN \(flag(source, depth - 1)) THEN \(inner) \(chance(60) ? "ELSE \(text(source, 0)) " : "")END"
    case 7: return "nullif(\(inner), \(literal(.text)))"
    case 8: return "split_part(\(inner), ' ', \(int(1...3)))"
    case 9: return "regexp_replace(\(inner), '[0-9]+', '#')"
    case 10: return "regexp_extract(\(inner), '([a-z]+)[^a-z]*([0-9]*)', \(int(0...2)))"
    case 11: return "CAST(\(number(source, depth - 1)) AS VARCHAR)"
    case 12: return "reverse(\(inner))"
    case 13: return "concat_ws('/', \(inner), \(text(source, 0)))"
    case 14: return "strftime(\(column(source, .time)), '%Y-%m-%d %H')"
    case 15: return source.isRelation ? jsonText(source) : "md5(\(inner))"
    case 16: return "\(inner)[\(int(1...2)):\(int(2...5))]"
    default: return "replace(\(inner), 'e', 'E')"
    }
  }

  private mutating func jsonText(_ source: Source) -> String {
    let extra = reference("extra", source)
    return pick([
      "(\(extra)->>'user')", "(\(extra)->>'level')", "(\(extra)->>'$.geo.lat')", "(\(extra)->'tags'->>0)",
      "json_extract_string(\(extra), '$.user')", "(coalesce(\(extra), '{}')->>'ok')",
      "json_type(\(extra), '$.ms')", "(\(extra)->>'ms')",
    ])
  }

  mutating func number(_ source: Source, _ depth: Int) -> String {
    guard depth > 0, !chance(40) else { return column(source, .number) }
    let inner = number(source, depth - 1)
    switch choose(10, 12, 6, 6, 8, 6, 5, 5, 5, 14, 5, 5, 4, 4, 3, 4, 3, 2) {
    case 0: return "length(\(text(source, depth - 1)))"
    case 1: return "(\(inner) \(pick(["+", "-"])) \(chance(50) ? number(source, 0) : "\(int(1...9))"))"
    case 2: return "(\(inner) * \(int(2...5)))"
    case 3: return "(\(inner) // \(int(2...50)))"
    case 4: return "(\(inner) % \(int(2...11)))"
    case 5: return "coalesce(\(inner), \(int(0...3)))"
    case 6:
      return
        "CASE WHEN \(flag(source, depth - 1)) THEN \(inner) \(chance(60) ? "ELSE \(int(0...5)) " : "")END"
    case 7: return "abs(\(inner))"
    case 8: return "extract(\(pick(["hour", "dow", "day", "minute"])) FROM \(column(source, .time)))"
    case 9: return source.isRelation ? jsonNumber(source) : "(\(inner) / 3)"
    case 10:
      return
        "(\(inner))::\(pick(["DOUBLE", "DECIMAL(18,3)", "HUGEINT", "INTEGER", "BIGINT", "FLOAT", "DECIMAL(38,6)"]))"
    case 11: return "(\(inner) / \(int(2...7)))"
    case 12: return "greatest(\(inner), \(number(source, 0)))"
    case 13: return "nullif(\(inner), \(int(0...3)))"
    case 14: return "strpos(\(text(source, 0)), '\(pick(["e", "r", " ", "1"]))')"
    case 15:
      return "date_diff('\(pick(["minute", "hour", "day"]))', \(column(source, .time)), \(literal(.time)))"
    case 16: return "round(\(inner), \(int(-1...2)))"
    default: return "CAST(\(inner) AS \(pick(["TINYINT", "UTINYINT", "SMALLINT"])))"
    }
  }

  private mutating func jsonNumber(_ source: Source) -> String {
    let extra = reference("extra", source)
    return pick([
      "TRY_CAST(\(extra)->>'ms' AS DOUBLE)", "TRY_CAST(\(extra)->>'ms' AS BIGINT)",
      "TRY_CAST(\(extra)->>'amount' AS DECIMAL(9,2))", "TRY_CAST(\(extra)->>'f' AS DOUBLE)",
      "TRY_CAST(\(extra)->>'ratio' AS FLOAT)", "TRY_CAST(\(extra)->>'big' AS HUGEINT)",
      "TRY_CAST(\(extra)->>'huge' AS DOUBLE)", "json_array_length(\(extra)->'tags')",
    ])
  }

  mutating func time(_ source: Source, _ depth: Int) -> String {
    guard depth > 0, !chance(40) else { return column(source, .time) }
    let inner = time(source, depth - 1)
    switch choose(20, 10, 10, 10, 8, 8, 5, 4) {
    case 0: return "date_trunc('\(pick(["hour", "day", "minute", "week", "month"]))', \(inner))"
    case 1: return "time_bucket(INTERVAL '\(int(1...9)) hours', \(column(source, .time)))"
    case 2: return "(\(inner) + INTERVAL \(int(1...40)) \(pick(["HOUR", "MINUTE", "DAY"])))"
    case 3: return "\(inner)::DATE"
    case 4: return "\(inner)::TIMESTAMP"
    case 5: return "coalesce(\(inner), \(column(source, .time)))"
    case 6: return "CASE WHEN \(flag(source, depth - 1)) THEN \(inner) END"
    default: return "(\(column(source, .time)) AT TIME ZONE 'Europe/Berlin')"
    }
  }

  /// Values of types that are seldom seen in logs, and that must come through all the same.
  mutating func odd(_ source: Source) -> String {
    let (small, text) = (number(source, 0), text(source, 0))
    return pick([
      "[\(small), 1]", "{'a': \(text), 'b': \(small)}", "[\(text)]", "map {'k': \(small)}",
      "(\(small))::HUGEINT",
      "encode(\(text))", "(\(small) % 5)::UTINYINT::BIT", "(\(small) % 100)::VARCHAR::JSON",
      "to_json(\(text))",
      "\(column(source, .time))::TIMESTAMP::TIME", "\(column(source, .time))::TIMESTAMP_S",
      "\(column(source, .time))::TIMESTAMP_NS",
      "\(column(source, .time))::TIMETZ", "md5(\(text))::UUID", "to_hours(\(small) % 9)",
      "to_days((\(small) % 70)::INTEGER)",
      "(\(small) % 9)::UHUGEINT", "NULL", "(\(small) % 7)::DOUBLE / 0", "string_split(left(\(text), 9), '-')",
      "(\(small))::VARIANT", "(\(small) % 20)::BIGNUM", "typeof(\(small))", "(\(small) % 3 = 0)",
      "strftime(\(column(source, .time)), '%H:%M:%S')::TIME_NS",
      "CASE WHEN \(small) % 2 = 0 THEN 'even' ELSE 'odd' END::ENUM('odd', 'even')",
      "[\(small), 2]::BIGINT[2]",
      "to_seconds((\(small) % 90)::DOUBLE)", "epoch_ms(\(column(source, .time)))",
      "struct_pack(v := \(small) % 4, w := 1)", "[to_hours(\(small) % 3)]",
    ])
  }

  /// A value that few rows differ in.
  mutating func groupKey(_ source: Source) -> (String, Kind) {
    guard source.isRelation else {
      let kind = pick(source.columns).kind
      return (chance(70) ? column(source, kind) : value(source, kind, 1), kind)
    }
    switch choose(44, 12, 10, 8, 8, 12, 2, 1) {
    case 0: return (smallValue(source, .text), .text)
    case 1: return (smallValue(source, .number), .number)
    case 2: return (time(source, 1), .time)
    case 3: return (flag(source, 1), .flag)
    case 4: return (odd(source), .other)
    case 5: return (text(source, 2), .text)
    case 6: return (number(source, 2), .number)
    default: return (literal(pick([.text, .flag])), .text)
    }
  }

  mutating func smallValue(_ source: Source, _ kind: Kind) -> String {
    if kind == .number {
      return chance(60)
        ? "\(reference("line", source)) % \(int(2...8))"
        : "length(\(reference(pick(["node", "category", "service"]), source)))"
    }
    return reference(
      pick([
        "node", "node", "region", "zone", "category", "category", "service", "stream", "version", "malformed",
      ]), source)
  }

  // MARK: conditions

  mutating func flag(_ source: Source, _ depth: Int) -> String {
    if depth > 0, chance(38) {
      let (one, other) = (flag(source, depth - 1), flag(source, depth - 1))
      switch choose(45, 30, 25) {
      case 0: return "(\(one) AND \(other))"
      case 1: return "(\(one) OR \(other))"
      default: return "NOT (\(one))"
      }
    }
    if source.isRelation, chance(14) { return placeTest(source) }
    let kind = pick([Kind.text, .text, .text, .number, .number, .time])
    return test(value(source, kind, depth), kind)
  }

  /// What says by itself which nodes can have an answer.
  private mutating func placeTest(_ source: Source) -> String {
    let name = pick(["region", "zone", "node"])
    let column = reference(name, source)
    let values = [
      "'eu-west'", "'us-east'", "'us-east-a'", "'alder'", "'cedar'", "'doum'", "'élan'", "'EU-WEST'",
    ]
    switch choose(40, 20, 20, 10, 10) {
    case 0: return "\(column) \(pick(["=", "<>", ">="])) \(pick(values))"
    case 1: return "\(column) \(pick(["IN", "NOT IN"])) (\(pick(values)), \(pick(values)))"
    case 2: return "upper(\(column)) LIKE '\(pick(["E%", "%A", "_L%", "%"]))'"
    case 3: return "length(\(column)) > \(int(3...8))"
    default: return "(\(column) = \(pick(values)) OR \(reference("zone", source)) IS NULL)"
    }
  }

  /// A literal that the value may well be.
  private mutating func word(_ value: String) -> String {
    let words = [
      ("category", ["'INFO'", "'ERROR'", "'WARN'", "'DEBUG'", "'Größe'"]),
      ("node", ["'alder'", "'doum'", "'élan'"]),
      ("service", ["'auth'", "'billing'", "'gateway'"]), ("stream", ["'app'", "'audit'", "'gc log'"]),
      ("version", ["'1'", "'2.0'", "'10'"]), ("region", ["'eu-west'", "'us-east'"]),
      ("id", ["'mallory'", "'req-7'", "'req-5'"]),
    ].first { value.lowercased().contains($0.0) }?.1
    return if let words, !chance(12) { pick(words) } else { literal(.text) }
  }

  /// A condition over a value.
  mutating func test(_ value: String, _ kind: Kind) -> String {
    if kind == .text, chance(3) { return "\(value) COLLATE NOCASE = \(word(value))" }
    if kind == .text || kind == .number, chance(4) {
      return "\(value) = ANY([\(kind == .text ? word(value) : "3"), \(literal(kind)), \(literal(kind))])"
    }
    if chance(10) { return "\(value) IS \(pick(["", "NOT "]))NULL" }
    if chance(5) { return "\(value) IS \(pick(["", "NOT "]))DISTINCT FROM \(literal(kind))" }
    switch kind {
    case .text:
      switch choose(25, 12, 10, 10, 10, 8, 8, 6, 5) {
      case 0: return "\(value) \(pick(["=", "<>", "<", ">="])) \(word(value))"
      case 1:
        return "\(value) \(pick(["LIKE", "NOT LIKE"])) '\(pick(["%a%", "re_-%", "%o", "ERR%", "%\\_%"]))'"
      case 2: return "\(value) ILIKE '\(pick(["%A%", "err%", "%SECURITY%"]))'"
      case 3: return "\(value) \(pick(["IN", "NOT IN"])) (\(word(value)), \(word(value)), \(literal(.text)))"
      case 4: return "regexp_matches(\(value), '\(pick(["[0-9]+$", "^[a-c]", "e.*r", "u[0-9]"]))')"
      case 5: return "contains(\(value), '\(pick(["e", "u1", "ü", "took"]))')"
      case 6: return "starts_with(\(value), '\(pick(["a", "INFO", "req", "us"]))')"
      case 7: return "length(\(value)) \(pick([">", "<="])) \(int(3...20))"
      default: return "\(value) BETWEEN 'a' AND '\(pick(["d", "n", "z"]))'"
      }
    case .number:
      switch choose(45, 20, 15, 20) {
      case 0: return "\(value) \(pick(["=", "<>", "<", ">", ">=", "<="])) \(int(0...90))"
      case 1: return "\(value) BETWEEN \(int(0...20)) AND \(int(15...200))"
      case 2: return "\(value) IN (\(int(0...5)), \(int(0...9)), \(int(3...50)))"
      default: return "\(value) % \(int(2...5)) = \(int(0...2))"
      }
    case .time:
      return chance(70)
        ? "\(value) \(pick(["<", ">=", "="])) \(literal(.time))"
        : "\(value) BETWEEN TIMESTAMPTZ '2026-11-20 06:00:00+00' AND TIMESTAMPTZ '2026-11-22 00:00:00+00'"
    case .flag: return pick(["\(value)", "\(value) IS TRUE", "NOT (\(value))", "(\(value)) = true"])
    case .other: return "\(value) IS NOT NULL"
    }
  }
}
