// Aggregates of random statements.

extension StatementGenerator {
  /// What makes one value of many rows, alone or in an expression.
  ///
  /// - Parameter keys: that the expression may hold beside aggregates.
  mutating func finished(_ source: Source, _ keys: [(value: String, kind: Kind)]) -> (String, Kind) {
    let (value, kind) = aggregate(source, 1)
    guard chance(28) else { return (value, kind) }
    if let key = keys.first, key.kind == .text, chance(25) {
      return ("\(key.value) || '-' || CAST(count(*) AS VARCHAR)", .text)
    }
    return around(value, kind, with: chance(40) ? aggregateNumber(source) : nil)
  }

  /// An expression over a value of which nobody asks what it is made of.
  mutating func around(_ value: String, _ kind: Kind, with other: String? = nil) -> (String, Kind) {
    switch kind {
    case .number:
      switch choose(20, 15, 15, 15, 10, 10, 5, 2) {
      case 0: return ("\(value) \(pick(["+", "-"])) \(other ?? "\(int(1...9))")", .number)
      case 1: return ("\(value) * 100.0 / nullif(\(other ?? "7"), 0)", .number)
      case 2: return ("coalesce(\(value), \(other ?? "0"))", .number)
      case 3:
        return (
          "CASE WHEN \(value) > \(int(1...300)) THEN \(other ?? "'many'") END", other == nil ? .text : .number
        )
      case 4: return ("\(value) > \(other ?? "\(int(1...99))")", .flag)
      case 5: return ("abs(\(value))", .number)
      case 6: return ("typeof(\(value))", .text)
      default: return ("alias(\(value))", .text)
      }
    case .text:
      return pick([
        ("upper(\(value))", .text), ("length(\(value))", .number), ("coalesce(\(value), 'none')", .text),
        ("\(value) || '!'", .text), ("\(value) IS NULL", .flag), ("\(value) LIKE '%a%'", .flag),
        ("left(\(value), 3)", .text),
      ])
    case .time:
      return pick([
        ("date_trunc('day', \(value))", .time), ("\(value) IS NULL", .flag),
        ("CAST(\(value) AS VARCHAR)", .text),
      ])
    case .flag:
      return pick([
        ("NOT (\(value))", .flag), ("CASE WHEN \(value) THEN 1 ELSE 0 END", .number),
        ("coalesce(\(value), false)", .flag),
      ])
    case .other:
      return pick([
        ("[\(value)]", .other), ("CAST(\(value) AS VARCHAR)", .text), ("\(value) IS NULL", .flag),
        ("typeof(\(value))", .text),
      ])
    }
  }

  mutating func aggregateTest(_ source: Source) -> String {
    if source.isRelation, chance(20) {
      let relation = pick(["live", "archive", "logs"])
      let many =
        "SELECT \(aggregateNumber(source)) AS gathered FROM \(relation) GROUP BY \(pick(["region", "category", "node"]))"
      return pick([
        "count(*) > (SELECT count(*) / \(int(2...20)) FROM \(relation))",
        "count(*) >= (SELECT avg(gathered) FROM (\(many)))", "count(*) IN (\(many))",
        "count(*) <= ANY (\(many))",
        "EXISTS (SELECT 1 FROM (\(many)) WHERE gathered > \(int(0...40)))",
      ])
    }
    return chance(60)
      ? "count(*) \(pick([">", "<", ">="])) \(int(0...120))"
      : {
        let (value, kind) = aggregate(source, 1); return test(value, kind)
      }()
  }

  mutating func aggregateNumber(_ source: Source) -> String {
    let (value, kind) = aggregate(source, 0)
    return kind == .number ? value : "count(*)"
  }

  /// One aggregate with its DISTINCT, ORDER BY and FILTER.
  mutating func aggregate(_ source: Source, _ depth: Int) -> (String, Kind) {
    let (call, kind) = call(source, depth)
    guard chance(18), !["list_", "[", "{", "geomean"].contains(where: call.hasPrefix), !call.hasSuffix("]")
    else { return (call, kind) }
    return ("\(call) FILTER (\(chance(85) ? "WHERE " : "")\(flag(source, depth)))", kind)
  }

  private mutating func call(_ source: Source, _ depth: Int) -> (String, Kind) {
    switch choose(16, 22, 14, 12, 10, 10, 9, 5, 6) {
    case 0: return (chance(80) ? "count(*)" : pick(["count()", "count(1)", "COUNT(*)"]), .number)
    case 1: return plainNumber(source, depth)
    case 2: return ofAnything(source, depth)
    case 3: return distinct(source, depth)
    case 4: return ordered(source, depth)
    case 5: return statistical(source, depth)
    case 6: return byOther(source, depth)
    case 7: return ofFlags(source, depth)
    default: return several(source, depth)
    }
  }

  private mutating func plainNumber(_ source: Source, _ depth: Int) -> (String, Kind) {
    let name = pick(["sum", "sum", "avg", "avg", "min", "max", "mean", "SUM", "fsum", "favg", "median"])
    return ("\(name)(\(number(source, depth + 1)))", .number)
  }

  private mutating func ofAnything(_ source: Source, _ depth: Int) -> (String, Kind) {
    let kind = pick([Kind.text, .text, .time, .time, .number, .flag, .other])
    let value = value(source, kind, depth)
    switch choose(40, 25, 25, 10) {
    case 0: return ("count(\(value))", .number)
    case 1: return ("min(\(value))", kind)
    case 2: return ("max(\(value))", kind)
    default:
      // Of different ones, without an order, nobody knows which.
      let name = pick(["any_value", "arbitrary", "first"])
      guard source.isRelation else { return ("\(name)(1 + 1)", .text) }
      let place = pick(["region", "zone", "upper(node)"])
      return ("\(name)(\(place) ORDER BY \(place)\(direction()))", .text)
    }
  }

  private mutating func distinct(_ source: Source, _ depth: Int) -> (String, Kind) {
    let kind = pick([Kind.text, .text, .number, .number, .time, .flag, .other])
    let value = value(source, kind, depth)
    switch choose(50, 12, 10, 8, 10, 5, 5) {
    case 0: return ("count(DISTINCT \(value))", .number)
    case 1:
      return (
        "\(pick(["sum", "avg", "stddev_pop", "mean", "product"]))(DISTINCT \(number(source, 0)) % \(int(3...9)))",
        .number
      )
    case 2: return ("\(pick(["min", "max"]))(DISTINCT \(value))", kind)
    case 3: return ("approx_count_distinct(\(value))", .number)
    case 4:
      let text = text(source, depth)
      return ("\(pick(["list", "array_agg"]))(DISTINCT \(text) ORDER BY \(text)\(direction()))", .other)
    case 5: return ("count(DISTINCT (\(column(source, .text)), \(column(source, .number)) % 3))", .number)
    default:
      let text = text(source, 0)
      return ("string_agg(DISTINCT \(text), ',' ORDER BY \(text)\(direction()))", .text)
    }
  }

  /// What depends on the order of rows, with an order that leaves nothing open.
  private mutating func ordered(_ source: Source, _ depth: Int) -> (String, Kind) {
    let kind = pick([Kind.text, .number, .time])
    let value = value(source, kind, depth)
    let order = source.key.isEmpty ? value : source.key.map { "\($0)\(direction())" }.joined(separator: ", ")
    switch choose(25, 20, 15, 20, 10, 10) {
    case 0: return ("list(\(value) ORDER BY \(value)\(direction()))", .other)
    case 1: return ("string_agg(\(text(source, 0)), \(pick(["','", "' | '"])) ORDER BY \(order))", .text)
    case 2: return ("array_agg(\(value) ORDER BY \(order))", .other)
    case 3: return ("\(pick(["first", "last", "any_value"]))(\(value) ORDER BY \(order))", kind)
    case 4: return ("list_transform(list(\(number(source, 0)) ORDER BY \(order)), lambda x: x % 3)", .other)
    default: return ("list(\(value) ORDER BY \(order))[1:\(int(1...3))]", .other)
    }
  }

  private mutating func statistical(_ source: Source, _ depth: Int) -> (String, Kind) {
    let value = number(source, depth)
    let name: String
    switch choose(30, 20, 10, 10, 10, 8, 12) {
    case 0:
      name =
        "\(pick(["stddev", "stddev_samp", "stddev_pop", "var_pop", "var_samp", "variance", "sem"]))(\(value))"
    case 1:
      name =
        "\(pick(["quantile_cont", "quantile_disc"]))(\(value), \(pick(["0.5", "0.9", "0.25", "0", "1"])))"
    case 2: return ("\(pick(["quantile_cont", "quantile_disc"]))(\(value), [0.1, 0.5, 0.9])", .other)
    case 3: name = "\(pick(["skewness", "kurtosis", "entropy", "mad"]))(\(value))"
    case 4:
      name =
        "\(pick(["corr", "covar_pop", "covar_samp", "regr_slope", "regr_count", "regr_r2"]))(\(value), \(column(source, .number)))"
    case 5: name = "\(pick(["geomean", "product"]))(1 + abs(\(column(source, .number))) % 3)"
    default:
      name =
        "\(pick(["percentile_cont", "percentile_disc"]))(\(pick(["0.5", "0.75"]))) WITHIN GROUP (ORDER BY \(value))"
    }
    return (name, .number)
  }

  /// What looks at one value and gives another.
  private mutating func byOther(_ source: Source, _ depth: Int) -> (String, Kind) {
    let kind = pick([Kind.text, .number, .time])
    let value = value(source, kind, depth)
    let names = ["arg_min", "arg_max", "min_by", "max_by", "argmax"]
    guard source.isRelation else { return ("\(pick(names))(\(value), \(value))", kind) }
    let key = "concat_ws('/', node, stream, rotated, lpad(line::VARCHAR, 6, '0'))"
    switch choose(50, 20, 15, 15) {
    case 0: return ("\(pick(names))(\(value), \(key))", kind)
    case 1: return ("\(pick(names))(\(value), \(value))", kind)
    case 2: return ("\(pick(["arg_max", "max_by"]))(\(value), \(key), \(int(1...3)))", .other)
    default:
      return ("\(pick(["arg_max_null", "arg_min_null", "arg_max_nulls_last"]))(\(value), \(key))", kind)
    }
  }

  private mutating func ofFlags(_ source: Source, _ depth: Int) -> (String, Kind) {
    let value = flag(source, depth)
    switch choose(30, 40, 30) {
    case 0: return ("\(pick(["count_if", "countif"]))(\(value))", .number)
    case 1: return ("\(pick(["bool_and", "bool_or"]))(\(value))", .flag)
    default:
      return (
        "\(pick(["bit_xor", "bit_and", "bit_or"]))(\(source.isRelation ? "line" : "hash(\(column(source, .number)))"))",
        .number
      )
    }
  }

  private mutating func several(_ source: Source, _ depth: Int) -> (String, Kind) {
    switch choose(25, 20, 15, 15, 15, 5, 5) {
    case 0: return ("histogram(\(chance(60) ? smallKey(source) : text(source, depth)))", .other)
    case 1:
      return (
        "\(pick(["min", "max"]))(\(value(source, pick([.text, .number]), depth)), \(int(1...4)))", .other
      )
    case 2: return ("mode(\(smallKey(source)))", .other)
    case 3: return ("list_sort(list(DISTINCT \(smallKey(source))))", .other)
    case 4: return ("[count(*), count(\(column(source, .text)))]", .other)
    case 5: return ("{'n': count(*), 'm': max(\(column(source, .number)))}", .other)
    default: return ("approx_quantile(\(column(source, .number)), 0.5)", .number)
    }
  }

  private mutating func smallKey(_ source: Source) -> String {
    source.isRelation ? smallValue(source, pick([.text, .number])) : column(source, .text)
  }
}
