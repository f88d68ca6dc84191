public import Support

/// A user's SQL condition that has passed the gate, rendered back from DuckDB's own syntax tree: what a comment or a quote hid from the
/// eye is gone, and it can't be more than one condition.
public struct CheckedCondition: Sendable, Equatable {
  /// `SELECT … FROM … WHERE …`
  public let selection: SQL
}

extension DuckDB {
  /// Reads a condition as the WHERE of one SELECT over one relation, and refuses everything that is more than an expression over its columns:
  /// subqueries, table functions, windows, parameters, and functions that look outside the row.
  ///
  /// - Parameters:
  ///   - condition: the user's text.
  ///   - setting: what the text is called in errors, `urgent.where`.
  ///   - columns: names and SQL types of the relation's columns.
  /// - Throws: `sql.syntax` with DuckDB's words; `sql.refused`.
  public func check(
    condition: String, setting: String, select column: String, from relation: String,
    columns: [(name: String, type: SQL)]
  ) async throws(Failure) -> CheckedCondition {
    guard condition.utf8.count <= 64 << 10, !condition.utf8.contains(0) else {
      throw Failure("sql.refused", "\(setting) is longer than 64 KiB or holds a NUL.")
    }
    // The line end keeps a comment at the text's end from swallowing the bracket.
    let text = "SELECT \"\(column)\" FROM \"\(relation)\" WHERE (\(condition)\n)"
    // Without the brackets too: a text that closes ours and opens its own, `true) OR (false`, is no condition.
    let bare = "SELECT \"\(column)\" FROM \"\(relation)\" WHERE \(condition)\n"
    let answer: [[JSONValue]]
    do {
      answer = try await run([
        """
        SELECT tree, bare, CASE WHEN tree->>'error' = 'false' THEN json_deserialize_sql(tree) END AS rendered
        FROM (SELECT json_serialize_sql(\(text))::JSON AS tree, json_serialize_sql(\(bare))::JSON AS bare)
        """
      ])
    } catch {
      throw Failure("sql.syntax", "\(setting) can't be read as SQL.", words: error.words)
    }
    guard let row = answer.first?.first, let tree = row["tree"] else {
      throw Failure("sql.syntax", "\(setting) can't be read as SQL.")
    }
    guard tree["error"]?.bool == false, let rendered = row["rendered"]?.string else {
      throw Failure(
        "sql.syntax", "\(setting) can't be read as an SQL condition.",
        words: tree["error_message"]?.string ?? "")
    }
    guard row["bare"]?["error"]?.bool == false else {
      throw Failure(
        "sql.syntax", "\(setting) can't be read as an SQL condition: its brackets don't match.",
        words: row["bare"]?["error_message"]?.string ?? "")
    }
    if let what = whyRefused(tree) {
      throw Failure(
        "sql.refused", "\(setting) is one condition over the row's columns, and \(what).",
        remedy: "The columns are \(columns.map(\.name).joined(separator: ", ")).")
    }
    let selection = SQL(trusted: rendered.hasSuffix(";") ? String(rendered.dropLast()) : rendered)
    try await bind(selection, setting: setting, relation: relation, column: column, columns: columns)
    return CheckedCondition(selection: selection)
  }

  /// Runs the selection over one row, for the errors that only types and names show. Its numbers and times have values, since DuckDB
  /// finds out that a time is no condition when it meets one; its texts are NULL, since a condition may count on what is in them.
  private func bind(
    _ selection: SQL, setting: String, relation: String, column: String, columns: [(name: String, type: SQL)]
  ) async throws(Failure) {
    let row =
      columns.map { column -> SQL in
        let value: SQL =
          column.type.text == "VARCHAR"
          ? "NULL::VARCHAR"
          : "coalesce(TRY_CAST('1' AS \(column.type)), TRY_CAST('2000-01-01' AS \(column.type)))"
        return "\(value) AS \(name: column.name)"
      } + ["1::BIGINT AS \(name: column)"]
    do {
      try await run([
        "CREATE TEMP VIEW \(name: relation) AS SELECT \(row.joined(separator: ", "))",
        selection,
      ])
    } catch {
      throw Failure(
        "sql.refused", "\(setting) is no condition over the table's columns.",
        remedy: "The columns are \(columns.map(\.name).joined(separator: ", ")).", words: error.words)
    }
  }
}

/// Functions that see more than their arguments: settings, the environment, variables, sequences, files, the session, chance, the clock of
/// the machine. Staging a batch again has to give the same urgent rows.
private let refusedFunctions: Set<String> = [
  "getenv", "getvariable", "current_setting", "nextval", "currval", "in_search_path",
  "user", "current_user", "session_user", "current_role", "current_database", "current_catalog",
  "current_schema", "current_schemas",
  "current_query", "current_query_id", "current_connection_id", "current_transaction_id", "txid_current",
  "query", "query_table", "json_execute_serialized_sql", "read_text", "read_blob", "glob", "format_type",
  "get_block_size",
  "write_log", "parse_duckdb_log_message", "sleep_ms",
  "random", "setseed", "gen_random_uuid", "uuid", "uuidv4", "uuidv7",
  "now", "today", "ago", "transaction_timestamp", "get_current_time", "get_current_timestamp", "current_date",
  "current_time",
  "current_timestamp", "localtime", "localtimestamp",
]

/// What in the tree is more than `SELECT column FROM relation WHERE condition`; nil when nothing is.
func whyRefused(_ tree: JSONValue) -> String? {
  guard let statements = tree["statements"]?.array, statements.count == 1 else { return "this is not one" }
  guard let node = statements[0]["node"], node["type"]?.string == "SELECT_NODE" else {
    return "this is more than a condition"
  }
  let empty =
    node["modifiers"]?.array?.isEmpty ?? true && node["group_expressions"]?.array?.isEmpty ?? true
    && node["group_sets"]?.array?.isEmpty ?? true && node["cte_map"]?["map"]?.array?.isEmpty ?? true
    && node["having"] == nil && node["qualify"] == nil && node["sample"] == nil
    && node["aggregate_handling"]?.string == "STANDARD_HANDLING" && node["select_list"]?.array?.count == 1
    && node["from_table"]?["type"]?.string == "BASE_TABLE"
  guard empty, let condition = node["where_clause"] else { return "this is more than a condition" }
  return refusal(condition, depth: 0)
}

private func refusal(_ value: JSONValue, depth: Int) -> String? {
  guard depth < 2_000 else { return "this is nested too deeply" }
  switch value {
  case .array(let items):
    for item in items { if let found = refusal(item, depth: depth + 1) { return found } }
  case .object(let members):
    switch members["class"]?.string {
    case "SUBQUERY": return "this holds a subquery"
    case "WINDOW": return "this holds a window function"
    case "PARAMETER": return "this holds a parameter"
    case "STAR": return "this holds a star"
    case "FUNCTION":
      let name = members["function_name"]?.string?.lowercased() ?? ""
      if refusedFunctions.contains(name) || !allowedFunctions.contains(name) {
        return "the function \(name) sees more than the row"
      }
      if name == "age", members["children"]?.array?.count == 1 {
        return "the function age of one argument sees more than the row"
      }
    case "COLUMN_REF":
      // Some functions are written like columns.
      if let names = members["column_names"]?.array, names.count == 1,
        let name = names[0].string?.lowercased(), refusedFunctions.contains(name)
      {
        return "\(name) is no column and sees more than the row"
      }
    default: break
    }
    // A constant's own value is data, whatever it looks like.
    if members["class"]?.string == "CONSTANT" { return nil }
    for (_, member) in members { if let found = refusal(member, depth: depth + 1) { return found } }
  default: break
  }
  return nil
}
