// Parts of trees that are made here, and not by DuckDB's parser. `json_deserialize_sql` wants each with all of its members.

extension Syntax {
  /// - Parameter other: an expression in whose place it stands: its alias and place are kept.
  private static func expression(
    _ kind: String, _ type: String, like other: Syntax = .null, _ members: (key: String, value: Syntax)...
  ) -> Syntax {
    node(
      ("class", .text(kind)), ("type", .text(type)), ("alias", .text(other["alias"]?.string ?? "")),
      ("query_location", other["query_location"] ?? .number("0")), and: members)
  }

  private static func node(
    _ head: (key: String, value: Syntax)..., and rest: [(key: String, value: Syntax)] = []
  ) -> Syntax {
    .node((head + rest).map { Member(key: $0.key, value: $0.value) })
  }

  private static func type(_ id: String) -> Syntax { node(("id", .text(id)), ("type_info", .null)) }

  /// - Parameter value: nil for NULL.
  private static func literal(_ id: String, _ value: Syntax?, like other: Syntax = .null) -> Syntax {
    let content = value.map { [(key: "value", value: $0)] } ?? []
    return expression(
      "CONSTANT", "VALUE_CONSTANT", like: other,
      ("value", node(("type", type(id)), ("is_null", .bool(value == nil)), and: content)))
  }

  /// A text.
  static func constant(_ text: String, like other: Syntax = .null) -> Syntax {
    literal("VARCHAR", .text(text), like: other)
  }

  /// A position in a select list, counted from 1; or any whole number.
  static func position(_ number: Int) -> Syntax { literal("INTEGER", .number(String(number))) }

  static func bigint(_ number: Int64) -> Syntax { literal("BIGINT", .number(String(number))) }

  static func column(_ name: String) -> Syntax {
    expression("COLUMN_REF", "COLUMN_REF", ("column_names", .list([.text(name)])))
  }

  static func cast(_ value: Syntax, to id: String, like other: Syntax = .null) -> Syntax {
    cast(value, to: type(id), like: other)
  }

  static func cast(_ value: Syntax, to type: Syntax, like other: Syntax = .null) -> Syntax {
    expression(
      "CAST", "OPERATOR_CAST", like: other, ("child", value), ("cast_type", type),
      ("try_cast", .bool(false)))
  }

  static func function(
    _ name: String, _ arguments: [Syntax], filter: Syntax? = nil, isOperator: Bool = false
  ) -> Syntax {
    expression(
      "FUNCTION", "FUNCTION", ("function_name", .text(name)), ("schema", .text("")),
      ("children", .list(arguments.map(\.withoutAlias))), ("filter", filter ?? .null),
      ("order_bys", node(("type", .text("ORDER_MODIFIER")), ("orders", .list([])))),
      ("distinct", .bool(false)), ("is_operator", .bool(isOperator)), ("export_state", .bool(false)),
      ("catalog", .text("")))
  }

  static func isNotNull(_ value: Syntax) -> Syntax {
    expression("OPERATOR", "OPERATOR_IS_NOT_NULL", ("children", .list([value.withoutAlias])))
  }

  static func coalesce(_ values: [Syntax]) -> Syntax {
    expression("OPERATOR", "OPERATOR_COALESCE", ("children", .list(values.map(\.withoutAlias))))
  }

  /// 0 in groups that are told apart by it.
  static func grouping(_ value: Syntax) -> Syntax {
    expression("OPERATOR", "GROUPING_FUNCTION", ("children", .list([value.withoutAlias])))
  }

  static var nothing: Syntax { literal("NULL", nil) }

  /// NULL when it fails.
  static func attempt(_ value: Syntax) -> Syntax {
    expression("OPERATOR", "OPERATOR_TRY", ("children", .list([value.withoutAlias])))
  }

  /// A SELECT of these values from nothing.
  static func select(_ values: [Syntax]) -> Syntax {
    node(
      ("type", .text("SELECT_NODE")), ("modifiers", .list([])),
      ("cte_map", node(("map", .list([])))), ("select_list", .list(values)),
      (
        "from_table",
        node(
          ("type", .text("EMPTY")), ("alias", .text("")), ("sample", .null), ("query_location", .number("0")))
      ), ("where_clause", .null), ("group_expressions", .list([])), ("group_sets", .list([])),
      ("aggregate_handling", .text("STANDARD_HANDLING")), ("having", .null), ("sample", .null),
      ("qualify", .null))
  }

  static func comparison(_ type: String, _ left: Syntax, _ right: Syntax) -> Syntax {
    expression(
      "COMPARISON", type, ("left", left.withoutAlias), ("right", right.withoutAlias))
  }

  static func and(_ children: [Syntax]) -> Syntax {
    expression("CONJUNCTION", "CONJUNCTION_AND", ("children", .list(children.map(\.withoutAlias))))
  }

  /// `CASE WHEN condition THEN value ELSE other END`
  static func when(_ condition: Syntax, _ value: Syntax, else other: Syntax? = nil) -> Syntax {
    expression(
      "CASE", "CASE_EXPR", ("case_checks", .list([node(("when_expr", condition), ("then_expr", value))])),
      ("else_expr", other ?? nothing))
  }

  func named(_ alias: String) -> Syntax {
    var copy = self
    copy["alias"] = .text(alias)
    return copy
  }

  var withoutAlias: Syntax { self["alias"]?.string?.isEmpty == false ? named("") : self }
}
