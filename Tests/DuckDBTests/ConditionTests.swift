import Files
import Support
import TestSupport
import Testing

@testable import DuckDB

/// The gate that a user's condition passes (`urgent.where`).
@Suite(.tags(.medium)) struct ConditionTests {
  static let columns: [(name: String, type: SQL)] = [
    ("ts", "TIMESTAMPTZ"), ("category", "VARCHAR"), ("message", "VARCHAR"), ("id", "VARCHAR"),
    ("line", "BIGINT"),
    ("rotated", "TIMESTAMPTZ"), ("extra", "VARCHAR"), ("text", "VARCHAR"),
  ]

  static let table: SQL = """
    CREATE TEMP TABLE gadwall_rows AS SELECT *, row_number() OVER () AS gadwall_row FROM (VALUES
      ('2026-11-23 14:00:00+00'::TIMESTAMPTZ, 'SECURITY', 'Auth [SECURITY] it''s "me"', 'a', 1::BIGINT,
        '2026-11-23 15:00:00+00'::TIMESTAMPTZ, '{"k":1}', NULL),
      ('2026-11-24 14:00:00+00', 'INFO', 'Auth [INFO] ) OR true (', 'b', 2, '2026-11-24 15:00:00+00', NULL, NULL),
      ('2026-11-25 14:00:00+00', 'security', 'x -- y /* z */', 'c', 3, '2026-11-25 15:00:00+00', '{"k":"v"}', NULL),
      (NULL, NULL, NULL, NULL, 4, '2026-11-25 15:00:00+00', NULL, 'SECURITY \\ garbage'),
      ('2026-11-25 23:59:59+00', '', '', '', 5, '2026-11-25 15:00:00+00', '{}', ''),
      (NULL, 'A', 'АВТОР é', 'ä', 9007199254740993, '2026-11-25 15:00:00+00', NULL, NULL)
    ) v(ts, category, message, id, line, rotated, extra, text)
    """

  /// What is rendered from the tree gives the rows that the text itself gives.
  @Test(arguments: [
    "category = 'SECURITY' OR contains(text, 'SECURITY')", "true", "false", "NULL", "NOT category = 'INFO'",
    "category = 'SECURITY' -- a comment at its end", "category = 'SECURITY' /* another */",
    "/* first */ line > 2",
    "-- first\nline > 2", "category = 'SECURITY'\n-- last", "message LIKE '%[SECURITY]%'",
    "message = 'Auth [INFO] ) OR true ('",
    "message LIKE '%it''s \"me\"%'", "\"message\" = 'x -- y /* z */'",
    "message ILIKE '%SECURITY%' AND id <> 'c'",
    "upper(category) = 'SECURITY'", "UPPER(Category) = 'SECURITY'", "Contains(MESSAGE, '[')",
    "LINE IN (1, 3, 5)",
    "line NOT IN (1, 3)", "line BETWEEN 2 AND 4", "line % 2 = 1", "line > 9007199254740992",
    "line = 9007199254740993",
    "regexp_matches(message, '^Auth \\[[A-Z]+\\]')", "message SIMILAR TO '.*\\)'", "text LIKE '%\\\\%'",
    "message GLOB 'Auth*'",
    "ts > TIMESTAMPTZ '2026-11-24 00:00:00+00'", "ts >= '2026-11-25'", "ts::DATE = DATE '2026-11-24'",
    "hour(ts) BETWEEN 9 AND 17", "ts + INTERVAL 1 HOUR = rotated", "extract('day' FROM ts) = 24",
    "rotated - ts > INTERVAL '30 minutes'",
    "CASE WHEN category IS NULL THEN true ELSE line = 1 END", "coalesce(category, 'none') = 'none'",
    "nullif(text, '') IS NOT NULL",
    "len(list_filter(['SEC', 'INF'], lambda x: starts_with(category, x))) > 0",
    "list_contains(list_transform([1, 2], lambda x: x + line), 3)",
    "[x FOR x IN [1, 2, 3] IF x = line] = [2]",
    "extra->>'k' = 'v'", "json_extract_string(extra, '$.k') = '1'", "CAST(extra->'k' AS VARCHAR) = '1'",
    "category IS DISTINCT FROM 'INFO'", "category COLLATE NOCASE = 'security'", "message ~ 'АВТОР'",
    "id = 'ä'", "id < 'b'",
    "substring(message, 1, 4) = 'Auth'", "message[1:4] = 'Auth'",
    "length(message) > 10 AND (line = 1 OR (line = 2))",
    "category = E'SEC\\x55RITY'", "message = E'it\\'s) OR true --' OR line = 3", "category = $$SECURITY$$",
    "category = $x$it's$x$ OR line = 2",
    "category IN ('SECURITY', 'security') AND message IS NOT NULL", "gadwall_rows.line = 1",
    "TRY_CAST(id AS BIGINT) IS NULL",
    "struct_pack(a := line).a = 2", "{'a': line}.a = 2", "map {'k': line}['k'] = 3",
    "line = 1 OR\r\n\tline = 2", "((((line = 1))))", "line::VARCHAR = '4'",
    "greatest(line, 3) = 3", "age(rotated, ts) < INTERVAL 2 HOUR", "md5(category) LIKE '%a%'",
    "'--' <> message", "'/*' <> message AND '*/' <> message",
  ])
  func isRenderedWithTheSameMeaning(condition: String) async throws {
    let duckdb = try await testDuckDB()
    let checked = try await check(condition, duckdb)
    let original = SQL(trusted: "SELECT \"gadwall_row\" FROM \"gadwall_rows\" WHERE (\(condition)\n)")
    let rows = try await duckdb.run([
      Self.table, "SELECT gadwall_row FROM (\(original)) ORDER BY 1",
      "SELECT gadwall_row FROM (\(checked.selection)) ORDER BY 1",
    ])
    try #require(rows.count == 2)
    #expect(rows[0] == rows[1])
  }

  @Test(arguments: [
    // More than one expression.
    "true) UNION ALL SELECT 1 WHERE (true", "true) UNION ALL SELECT line FROM gadwall_rows WHERE (true",
    "1) GROUP BY (1",
    "true) GROUP BY ALL HAVING (true", "true) HAVING (true", "true) QUALIFY (true", "true) ORDER BY (1",
    "true) LIMIT (1", "true) OFFSET (1",
    "true) LIMIT 1 --", "true) ORDER BY line --", "true) USING SAMPLE (10)--", "true) INTERSECT SELECT (1",
    "true) EXCEPT (SELECT 1", "true); SELECT (1", "true); DROP TABLE gadwall_rows; SELECT (1", "true; true",
    "true);--", ";",
    "SELECT 1", "", " ", "-- nothing", ")", "(", "true)", "(true", "true) --", "'", "\"", "/*",
    "line = 1 /* open", "$x$",
    "WITH x AS (SELECT 1) SELECT 1", "line = 1, line = 2 FROM x WHERE (true", "true) AND (SELECT true",
    // Lines that DuckDB's own shell acts on.
    ".shell touch MARK", "\n.shell touch MARK\n", "true\n.shell touch MARK",
    "true);\n.shell touch MARK\nSELECT (true",
    "category = '\n.shell touch MARK\n", "true /*\n.shell touch MARK\n", "'\u{301});\n.shell touch MARK\n--",
    "category = '\u{301})) ; COPY (SELECT 1) TO 'MARK'; --", "\"\u{301}\" = 1",
    // What sees more than the row.
    "line = (SELECT 1)", "line IN (SELECT 1)", "EXISTS (SELECT 1)", "EXISTS (FROM gadwall_rows)",
    "line = ANY (SELECT 1)", "line > ALL (FROM range(3))",
    "CASE WHEN line = 1 THEN (SELECT true) ELSE false END", "list_contains(ARRAY(SELECT 1), 1)",
    "len(list_filter([1], lambda x: x = (SELECT 1))) = 1",
    "row_number() OVER () = 1", "count(*) OVER () > 1", "lag(line) OVER (ORDER BY ts) = 1", "count(*) > 1",
    "sum(line) > 3", "max(ts) = ts", "bool_or(true)",
    "count(*) FILTER (line > 1) > 0", "list(line) = [1]", "unnest([true])", "unnest([1, 2]) = 1",
    "read_text('/etc/passwd') = 'x'",
    "read_csv('/etc/passwd')", "glob('*') = 'x'", "? = 1", "$1 = 1", "$name = 1", "line = ?1", "* = 1",
    "COLUMNS(*) = 1", "gadwall_rows.* = 1", "COLUMNS('l.*') = 1",
    "getenv('HOME') = 'x'", "GETENV('HOME') = 'x'", "\"getenv\"('HOME') = 'x'", "main.getenv('HOME') = 'x'",
    "system.main.getenv('HOME') = 'x'",
    "getvariable('x') IS NULL", "current_setting('threads') = '1'", "nextval('s') = 1", "random() > 0.5",
    "uuid() = id", "current_user = 'x'",
    "current_user() = 'x'", "user = 'x'", "current_database() = 'x'", "current_catalog = 'x'",
    "pg_typeof(line) = 'x'", "duckdb_version() = 'x'",
    "now() > ts", "ts > current_timestamp", "ts > CURRENT_TIMESTAMP", "ts::DATE = current_date",
    "ts::DATE = today()", "ts > get_current_timestamp()",
    "transaction_timestamp() > ts", "localtimestamp > ts", "age(ts) > INTERVAL 1 DAY",
    "ago(INTERVAL 1 DAY) < ts", "sleep_ms(1) IS NULL", "write_log('x') IS NULL",
    "txid_current() = 1", "current_query() = 'x'", "query('SELECT 1') = 1", "query_table('gadwall_rows') = 1",
    // What the columns don't have, or are not.
    "nowhere = 1", "other.line = 1", "line.x = 1", "nofunction(line)", "line = 'abc'", "ts > 'yesterday'",
    "category + 1 > 2", "upper(line, 2) = 'x'", "line = [1]",
    "ts", "line::NOTYPE = 1", "INTERVAL 1 HOUR",
  ])
  func isRefused(condition: String) async throws {
    try await withScratch { folder in
      let duckdb = try await testDuckDB()
      let mark = joined(folder, "mark")
      let text = condition.split(separator: "MARK", omittingEmptySubsequences: false).joined(separator: mark)
      let failure = await #expect(throws: Failure.self) { _ = try await check(text, duckdb) }
      #expect(failure?.code == "sql.refused" || failure?.code == "sql.syntax")
      #expect(failure?.sentence.hasPrefix("urgent.where ") == true)
      #expect(!exists(mark))
    }
  }

  @Test func aNULOrTooMuchIsRefused() async throws {
    let duckdb = try await testDuckDB()
    for text in ["line = 1\0", "line = 1 -- " + String(repeating: "x", count: 64 << 10)] {
      let failure = await #expect(throws: Failure.self) { _ = try await check(text, duckdb) }
      #expect(failure?.code == "sql.refused")
    }
  }

  @Test func syntaxErrorsHaveDuckDBsWords() async throws {
    let duckdb = try await testDuckDB()
    let failure = await #expect(throws: Failure.self) { _ = try await check("category = = 'x'", duckdb) }
    #expect(failure?.code == "sql.syntax")
    #expect(failure?.words.isEmpty == false)
    let unknown = await #expect(throws: Failure.self) { _ = try await check("catgory = 'x'", duckdb) }
    #expect(unknown?.words.contains("catgory") == true)
    #expect(unknown?.remedy.contains("category") == true)
  }

  /// Whatever DuckDB itself calls other than a matter of the arguments alone.
  @Test func noFunctionThatSeesMoreThanItsArgumentsIsLetThrough() async throws {
    let duckdb = try await testDuckDB()
    let rows = try await duckdb.run([
      """
      SELECT DISTINCT function_name AS name,
        json_serialize_sql('SELECT "r" FROM "t" WHERE (' || function_name || '() IS NULL)')::JSON AS tree
      FROM duckdb_functions() WHERE function_type = 'scalar' AND stability <> 'CONSISTENT'
        AND regexp_full_match(function_name, '[a-z_0-9]+')
        -- error only ends the statement; stats says what the planner knows of its argument.
        AND function_name NOT IN ('error', 'stats')
      """
    ])
    let functions = try #require(rows.first)
    #expect(functions.count > 20)
    for function in functions {
      let name = function["name"]?.string ?? "?"
      #expect(function["tree"].map { whyRefused($0) } != .some(nil), "\(name)")
    }
  }

  private func check(_ condition: String, _ duckdb: DuckDB) async throws -> CheckedCondition {
    try await duckdb.check(
      condition: condition, setting: "urgent.where", select: "gadwall_row", from: "gadwall_rows",
      columns: Self.columns)
  }
}
