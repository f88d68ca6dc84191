import DuckDB
import Support

/// How an aggregate is taken apart, as SQL: what each part of the rows gives, and what makes one value of that.
struct Merge: Sendable {
  var names: [String]
  /// What its arguments are called in the parts.
  var arguments: [String]
  /// What the rows are grouped by besides; NULL for rows that the aggregate's FILTER leaves out.
  var member: String?
  /// Aggregates over the arguments. The aggregate's own FILTER is put on each.
  var parts: [String]
  /// An expression over the partial values `a`, `b`, `c` and so on, and over arguments that are the same for all rows. It passes over NULL: a partial
  /// value is there once, however many rows its group stands for.
  var result: String

  fileprivate init(
    _ names: [String], of arguments: [String] = ["x"], member: String? = nil, _ parts: [String],
    _ result: String
  ) {
    self.names = names
    self.arguments = arguments
    self.member = member
    self.parts = parts
    self.result = result
  }

  /// What a partial value is called in the result.
  static let places = Array("abcdefghij").map(String.init)
}

/// Every aggregate that can be taken apart. What is not here travels by value, and what can't do that ships.
let merges: [Merge] = {
  var all = [
    Merge(["count_star"], of: [], ["count(*)"], "CAST(coalesce(sum(a), 0) AS BIGINT)"),
    // NULL where no row has a value, unlike count.
    Merge(["count"], ["count(x)"], "CAST(coalesce(sum(a), 0) AS BIGINT)"),
    Merge(["count_if", "countif"], ["count_if(x)"], "sum(a)"),
    Merge(["avg", "mean"], ["sum(x)", "count(x)"], "CAST(sum(a) AS DOUBLE) / sum(b)"),
    Merge(["favg"], ["fsum(x)", "count(x)"], "fsum(a) / sum(b)"),
    Merge(["any_value", "arbitrary"], ["any_value(x)"], "any_value(a)"),
    // A row without an argument is passed over, whatever it is ordered by.
    Merge(
      ["arg_min", "argmin", "min_by"], of: ["x", "y"],
      ["arg_min(x, y)", "min(y) FILTER (WHERE x IS NOT NULL)"], "arg_min(a, b)"),
    Merge(
      ["arg_max", "argmax", "max_by"], of: ["x", "y"],
      ["arg_max(x, y)", "max(y) FILTER (WHERE x IS NOT NULL)"], "arg_max(a, b)"),
    Merge(
      ["arg_min", "argmin", "min_by"], of: ["x", "y", "n"],
      ["arg_min(x, y, n)", "min(y, n) FILTER (WHERE x IS NOT NULL)"], firstPairs("list_sort")),
    Merge(
      ["arg_max", "argmax", "max_by"], of: ["x", "y", "n"],
      ["arg_max(x, y, n)", "max(y, n) FILTER (WHERE x IS NOT NULL)"], firstPairs("list_reverse_sort")),
    Merge(["min"], of: ["x", "n"], ["min(x, n)"], "list_sort(\(lists))[1:n]"),
    Merge(["max"], of: ["x", "n"], ["max(x, n)"], "list_reverse_sort(\(lists))[1:n]"),
    Merge(["var_pop"], ofOne, finite("m.s / m.n")),
    Merge(["var_samp", "variance"], ofOne, finite("CASE WHEN m.n > 1 THEN m.s / (m.n - 1) END")),
    Merge(["stddev_pop"], ofOne, finite("sqrt(m.s / m.n)")),
    Merge(
      ["stddev_samp", "stddev"], ofOne, finite("CASE WHEN m.n > 1 THEN sqrt(m.s / (m.n - 1)) END")),
    Merge(["sem"], ofOne, finite("sqrt(m.s / m.n) / sqrt(m.n)")),
    Merge(["covar_pop"], of: ["y", "x"], covariance, over(ofProducts, "m.xy / m.n")),
    Merge(
      ["covar_samp"], of: ["y", "x"], covariance,
      over(ofProducts, "CASE WHEN m.n > 1 THEN m.xy / (m.n - 1) END")),
    Merge(["regr_count"], of: ["y", "x"], ["regr_count(y, x)"], "CAST(coalesce(sum(a), 0) AS UINTEGER)"),
    Merge(["regr_avgy"], of: ["y", "x"], ["regr_count(y, x)", "regr_avgy(y, x)"], "sum(a * b) / sum(a)"),
    Merge(["regr_avgx"], of: ["y", "x"], ["regr_count(y, x)", "regr_avgx(y, x)"], "sum(a * b) / sum(a)"),
    // DuckDB's own work on sums of powers, too.
    Merge(
      ["skewness"], cubes,
      over(
        "struct_pack(\(ofCubes))",
        """
        CASE WHEN m.n <= 2 THEN NULL WHEN \(secondMoment) <= 0 THEN CAST('nan' AS DOUBLE) \
        ELSE sqrt(m.n * (m.n - 1)) / (m.n - 2) / m.n * (m.c - 3 * m.q * m.s / m.n + 2 * pow(m.s, 3) / m.n / m.n) \
        / sqrt(pow(\(secondMoment), 3)) END
        """)),
    // The value whose hash decides each of the 64 registers: over these the sketch is the same as over all. The hash is DuckDB's own, the same on
    // every node, whose version is compared; a low bit that lies higher is a longer row of zeros.
    Merge(
      ["approx_count_distinct"], member: "hash(x) & 63",
      ["arg_max(x, \(registerHash) & ~(\(registerHash) - 1))"], "approx_count_distinct(a)"),
  ]
  for name in [
    "sum", "product", "min", "max", "bool_and", "bool_or", "bit_and", "bit_or", "bit_xor", "fsum",
    "kahan_sum", "sumkahan",
  ] {
    all.append(Merge([name], ["\(name)(x)"], "\(name)(a)"))
  }
  for (name, value) in [
    ("regr_syy", "m.yy"), ("regr_sxx", "m.xx"), ("regr_sxy", "m.xy"),
    (
      "corr",
      "CASE WHEN m.n IS NULL THEN NULL WHEN m.yy > 0 AND m.xx > 0 THEN m.xy / (sqrt(m.yy) * sqrt(m.xx)) ELSE CAST('nan' AS DOUBLE) END"
    ),
    (
      "regr_slope",
      "CASE WHEN m.n IS NULL THEN NULL WHEN m.xx > 0 THEN m.xy / m.xx ELSE CAST('nan' AS DOUBLE) END"
    ),
    ("regr_intercept", "CASE WHEN m.xx > 0 THEN m.y - m.xy / m.xx * m.x END"),
    (
      "regr_r2",
      "CASE WHEN m.xx > 0 THEN CASE WHEN m.yy > 0 THEN m.xy * m.xy / (m.xx * m.yy) ELSE CAST(1 AS DOUBLE) END END"
    ),
  ] {
    all.append(
      Merge(
        [name], of: ["y", "x"], regression,
        over(
          ofSquares,
          "CASE WHEN isfinite(coalesce(m.yy + m.xx, 0)) THEN \(value) ELSE error('a regression is out of range') END"
        )))
  }
  for (name, least, value) in [
    ("kurtosis_pop", 1, "d4 / (d2 * d2) - 3"),
    (
      "kurtosis", 3,
      "(m.n - 1) * ((m.n + 1) * d4 / (d2 * d2) - 3 * (m.n - 1)) / ((m.n - 2) * (m.n - 3))"
    ),
  ] {
    let fourths =
      "((m.f - 4 * m.c * m.s / m.n + 6 * m.q * m.s * m.s / m.n / m.n - 3 * pow(m.s, 4) / m.n / m.n / m.n) / m.n)"
    all.append(
      Merge(
        [name], cubes + ["sum(pow(x, 4))"],
        over(
          "struct_pack(\(ofCubes), f := sum(e))",
          "CASE WHEN m.n > \(least) AND \(secondMoment) > 0 THEN \(value.replacing("d4", with: fourths).replacing("d2", with: secondMoment)) END"
        )))
  }
  return all
}()

/// Macros of DuckDB's that aggregate, as what they stand for.
let macroBodies: [(names: [String], arguments: [String], body: String)] = [
  (["geomean", "geometric_mean"], ["x"], "exp(avg(ln(x)))"),
  (
    ["weighted_avg", "wavg"], ["x", "y"],
    "sum(x * y) / sum(CASE WHEN x IS NOT NULL THEN y ELSE 0 END)"
  ),
]

/// Aggregates to which it is all the same how often a value is there.
let aggregatesOfSets: Set = [
  "min", "max", "bool_and", "bool_or", "bit_and", "bit_or", "approx_count_distinct",
]

/// Aggregates that give one row's value, by an ORDER BY.
let firstAggregates: Set = ["first", "last", "any_value", "arbitrary"]

// MARK: expressions

private let registerHash = "((hash(x) >> 6) | (CAST(1 AS UBIGINT) << 58))"

private let lists = "flatten(list(a) FILTER (WHERE a IS NOT NULL))"

private func firstPairs(_ sorted: String) -> String {
  "list_transform(\(sorted)(flatten(list(list_zip(b, a)) FILTER (WHERE a IS NOT NULL)))[1:n], lambda z: struct_extract_at(z, 2))"
}

/// The expression over a value that is called `m` in it.
private func over(_ value: String, _ expression: String) -> String {
  "list_transform([\(value)], lambda m: \(expression))[1]"
}

/// DuckDB's own variances fail over infinite values.
private func finite(_ value: String) -> String {
  over(
    ofDeviations,
    "CASE WHEN isfinite(coalesce(\(value), 0)) THEN \(value) ELSE error('a variance or deviation is out of range') END"
  )
}

/// Count, mean and sum of squared deviations. The mean of equal values is that value to its last digit: else they would differ between parts.
private let ofOne = [
  "count(x)",
  "CASE WHEN var_pop(CAST(x AS DOUBLE)) = 0 THEN min(CAST(x AS DOUBLE)) ELSE avg(CAST(x AS DOUBLE)) END",
  "var_pop(CAST(x AS DOUBLE)) * count(x)",
]

/// Sums of powers up to the third; and how the parts' are put together, as fields of an `m`.
private let cubes = ["count(x)", "sum(CAST(x AS DOUBLE))", "sum(pow(x, 2))", "sum(pow(x, 3))"]
private let ofCubes = "n := CAST(sum(a) AS DOUBLE), s := sum(b), q := sum(c), c := sum(d)"
private let secondMoment = "(m.q / m.n - m.s * m.s / m.n / m.n)"

private let covariance = [
  "regr_count(y, x)", "regr_avgy(y, x)", "regr_avgx(y, x)", "covar_pop(y, x) * regr_count(y, x)",
]
private let regression = [
  "regr_count(y, x)",
  "CASE WHEN regr_syy(y, x) = 0 THEN min(CAST(y AS DOUBLE)) FILTER (WHERE x IS NOT NULL) ELSE regr_avgy(y, x) END",
  "CASE WHEN regr_sxx(y, x) = 0 THEN min(CAST(x AS DOUBLE)) FILTER (WHERE y IS NOT NULL) ELSE regr_avgx(y, x) END",
  "regr_syy(y, x)", "regr_sxx(y, x)", "regr_sxy(y, x)",
]

/// All parts' moments together. Sums of squares would lose five digits.
/// (Chan, Golub, LeVeque: Updating Formulae and a Pairwise Algorithm for Computing Sample Variances, 1979.)
///
/// - Parameters:
///   - means: fields of a mean, each with its partial value.
///   - products: fields of a sum of products of deviations, each with its partial value and the two means that it is about.
private func moments(
  _ means: [(field: String, part: String)],
  _ products: [(field: String, part: String, left: String, right: String)]
) -> String {
  let packed = means.map { "\($0.field) := \($0.part)" } + products.map { "\($0.field) := \($0.part)" }
  let moved = means.map { mean in
    "\(mean.field) := p.\(mean.field) + (q.\(mean.field) - p.\(mean.field)) * q.n / (p.n + q.n)"
  }
  let added = products.map { product in
    "\(product.field) := p.\(product.field) + q.\(product.field) + (q.\(product.left) - p.\(product.left)) * (q.\(product.right) - p.\(product.right)) * p.n * q.n / (p.n + q.n)"
  }
  return """
    list_reduce(list(struct_pack(n := CAST(a AS DOUBLE), \(packed.joined(separator: ", ")))) FILTER (WHERE a > 0), \
    lambda p, q: struct_pack(n := p.n + q.n, \((moved + added).joined(separator: ", "))))
    """
}

private let ofDeviations = moments([("m", "b")], [("s", "c", "m", "m")])
private let ofProducts = moments([("y", "b"), ("x", "c")], [("xy", "d", "y", "x")])
private let ofSquares = moments(
  [("y", "b"), ("x", "c")], [("yy", "d", "y", "y"), ("xx", "e", "x", "x"), ("xy", "f", "y", "x")])

// MARK: trees

/// A ``Merge`` or a macro's body as trees.
struct MergeTree: Sendable {
  var arguments: [String]
  var member: Syntax?
  var parts: [Syntax]
  var result: Syntax
}

/// Those that a statement may need, by name and number of arguments.
struct MergeTrees: Sendable {
  private var byCall: [Call: MergeTree] = [:]
  private var macros: [Call: MergeTree] = [:]

  private struct Call: Hashable {
    var name: String
    var count: Int
  }

  func merge(_ name: String, _ count: Int) -> MergeTree? { byCall[Call(name: name, count: count)] }
  func macro(_ name: String, _ count: Int) -> MergeTree? { macros[Call(name: name, count: count)] }

  /// The others, if there is one for a mean.
  var withoutMeans: MergeTrees? {
    var others = self
    others.byCall = byCall.filter { !["avg", "mean"].contains($0.key.name) }
    return others.byCall.count < byCall.count ? others : nil
  }

  /// DuckDB's parser makes trees of the texts; only of those whose names stand in the statement.
  static func forQuery(_ query: Syntax, _ session: Session) async throws(Failure) -> MergeTrees {
    var names: Set<String> = []
    func look(_ part: Syntax) {
      if part.expressionClass == "FUNCTION", let name = part["function_name"]?.string?.lowercased() {
        names.insert(name)
      }
      for part in part.parts { look(part) }
    }
    look(query)
    let bodies = macroBodies.filter { !names.isDisjoint(with: $0.names) }
    // What these stand for is made of other aggregates.
    if !bodies.isEmpty { names.formUnion(["avg", "sum"]) }
    let wanted = merges.filter { !names.isDisjoint(with: $0.names) }
    let texts =
      wanted.flatMap { $0.parts + [$0.result] + ($0.member.map { [$0] } ?? []) } + bodies.map(\.body)
    var trees = MergeTrees()
    guard !texts.isEmpty else { return trees }
    let answer = try await session.run([
      "SELECT json_serialize_sql(\("SELECT " + texts.joined(separator: ", ")))::VARCHAR AS tree"
    ])
    let tree = try Syntax(parsing: answer.first?.first?["tree"]?.string ?? "")
    let parsed = Dictionary(
      zip(texts, tree["statements"]?.items.first?["node"]?["select_list"]?.items ?? [])
    ) { first, _ in first }
    for merge in wanted {
      guard let result = parsed[merge.result] else { continue }
      let found = MergeTree(
        arguments: merge.arguments, member: merge.member.flatMap { parsed[$0] },
        parts: merge.parts.compactMap { parsed[$0] }, result: result)
      for name in merge.names { trees.byCall[Call(name: name, count: merge.arguments.count)] = found }
    }
    for body in bodies {
      guard let result = parsed[body.body] else { continue }
      let found = MergeTree(arguments: body.arguments, parts: [], result: result)
      for name in body.names { trees.macros[Call(name: name, count: body.arguments.count)] = found }
    }
    return trees
  }
}
