import Support

/// How an aggregate is taken apart: what each part of the rows gives, and what makes one value of that.
struct Merge: Sendable {
  /// Makes the partial values' expressions of the aggregate.
  var parts: @Sendable (Syntax) -> [Syntax]
  /// The name of the template that finishes them.
  var template: String
}

/// Expressions that finish partial values, in which `a`, `b` and `c` stand for these. DuckDB's parser makes trees of them.
let mergeTemplates: [(name: String, text: String)] = [
  ("count", "CAST(coalesce(sum(a), 0) AS BIGINT)"),
  ("sum", "sum(a)"),
  ("avg", "CAST(sum(a) AS DOUBLE) / sum(b)"),
  ("product", "product(a)"), ("min", "min(a)"), ("max", "max(a)"), ("bool_and", "bool_and(a)"),
  ("bool_or", "bool_or(a)"), ("bit_and", "bit_and(a)"), ("bit_or", "bit_or(a)"), ("bit_xor", "bit_xor(a)"),
  ("any_value", "any_value(a)"), ("arg_min", "arg_min(a, b)"), ("arg_max", "arg_max(a, b)"),
  ("var_pop", finite("struct_extract(\(moments), 's') / struct_extract(\(moments), 'n')")),
  (
    "var_samp",
    finite(
      "CASE WHEN sum(a) > 1 THEN struct_extract(\(moments), 's') / (struct_extract(\(moments), 'n') - 1) END")
  ),
  ("stddev_pop", finite("sqrt(struct_extract(\(moments), 's') / struct_extract(\(moments), 'n'))")),
  (
    "stddev_samp",
    finite(
      "CASE WHEN sum(a) > 1 THEN sqrt(struct_extract(\(moments), 's') / (struct_extract(\(moments), 'n') - 1)) END"
    )
  ),
]

/// DuckDB's own variances fail over infinite values.
private func finite(_ value: String) -> String {
  "CASE WHEN isfinite(coalesce(\(value), 0)) THEN \(value) ELSE error('a variance or deviation is out of range') END"
}

/// Count, mean and sum of squared deviations of all parts together. Sums of squares would lose five digits.
/// (Chan, Golub, LeVeque: Updating Formulae and a Pairwise Algorithm for Computing Sample Variances, 1979.)
private let moments =
  "list_reduce(list(struct_pack(n := CAST(a AS DOUBLE), m := b, s := c)) FILTER (WHERE a > 0), lambda x, y: struct_pack(n := x.n + y.n, m := x.m + (y.m - x.m) * y.n / (x.n + y.n), s := x.s + y.s + (y.m - x.m) * (y.m - x.m) * x.n * y.n / (x.n + y.n)))"

/// By the aggregate's name. What is not here can't be taken apart, and ships.
let merges: [String: Merge] = {
  func same(_ template: String) -> Merge { Merge(parts: { [$0] }, template: template) }
  func variance(_ template: String) -> Merge {
    Merge(
      parts: { aggregate in
        [
          aggregate.calling("count"), aggregate.calling("avg", casting: "DOUBLE"),
          .function(
            "*", [aggregate.calling("var_pop", casting: "DOUBLE"), aggregate.calling("count")],
            isOperator: true),
        ]
      }, template: template)
  }
  var all: [String: Merge] = [
    "count_star": same("count"), "count": same("count"),  // NULL where no row has a value, unlike count.
    "count_if": same("sum"), "countif": same("sum"),
    "sum": same("sum"), "product": same("product"),
    "var_pop": variance("var_pop"), "var_samp": variance("var_samp"), "variance": variance("var_samp"),
    "stddev_pop": variance("stddev_pop"), "stddev_samp": variance("stddev_samp"),
    "stddev": variance("stddev_samp"),
  ]
  for name in ["avg", "mean"] {
    all[name] = Merge(parts: { [$0.calling("sum"), $0.calling("count")] }, template: "avg")
  }
  for name in ["min", "max", "bool_and", "bool_or", "bit_and", "bit_or", "bit_xor", "any_value"] {
    all[name] = same(name)
  }
  all["arbitrary"] = same("any_value")
  for (names, template, order) in [
    (["arg_min", "argmin", "min_by"], "arg_min", "min"), (["arg_max", "argmax", "max_by"], "arg_max", "max"),
  ] {
    for name in names {
      all[name] = Merge(
        parts: { aggregate in
          let arguments = aggregate["children"]?.items ?? []
          // A row without an argument is passed over, whatever it is ordered by.
          let present = Syntax.isNotNull(arguments[0])
          let filter = aggregate["filter"].map { Syntax.and([$0, present]) } ?? present
          return [aggregate, .function(order, [arguments[1]], filter: filter)]
        }, template: template)
    }
  }
  return all
}()

/// How many arguments an aggregate takes that is taken apart; more mean something else, as in `min(x, 3)`.
func argumentCount(_ name: String) -> Int {
  switch name {
  case "count_star": 0
  case "arg_min", "argmin", "min_by", "arg_max", "argmax", "max_by": 2
  default: 1
  }
}

/// Aggregates that give the same for a set as for the rows that it was made of.
let setAggregates: Set = ["approx_count_distinct"]

extension Syntax {
  /// Another aggregate over the same argument and rows.
  fileprivate func calling(_ name: String, casting type: String? = nil) -> Syntax {
    let arguments = (self["children"]?.items ?? []).map { argument in
      type.map { .cast(argument.withoutAlias, to: $0) } ?? argument
    }
    return .function(name, arguments, filter: self["filter"])
  }
}
