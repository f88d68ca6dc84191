import DuckDB
import Support
import TestSupport
import Testing

@testable import FleetQuery

/// What may run, and what is refused before anything does.
@Suite(.tags(.medium)) struct GateTests {
  private func gated(_ text: String, _ parameters: [String: String] = [:]) async throws -> Statement {
    let session = try await testDuckDB().session()
    defer { session.end() }
    return try await session.statement(text, parameters: parameters)
  }

  @Test(arguments: [
    ("SELECT 1", []), ("SELECT * FROM Logs, main.LIVE", ["live", "logs"]), ("FROM archive", ["archive"]),
    ("WITH logs AS (SELECT * FROM logs) SELECT * FROM logs", ["logs"]),
    ("WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT * FROM r", []),
    ("SELECT (SELECT count(*) FROM live), EXISTS (FROM archive)", ["archive", "live"]),
    ("DESCRIBE logs", ["logs"]), ("SUMMARIZE SELECT line FROM live", ["live"]),
    ("SELECT x FROM (VALUES (1)) t(x) JOIN archive ON line = x", ["archive"]),
    ("PIVOT logs ON category IN ('a') USING count(*)", ["logs"]),
    ("SELECT 1e400, -1e400, 12345678901234567890123456789::HUGEINT", []),
  ]) func whatIsReadIsKnown(_ text: String, _ relations: [String]) async throws {
    #expect(try await gated(text).relations.map(\.rawValue).sorted() == relations)
  }

  @Test func aTreeComesBackAsItWent() async throws {
    let session = try await testDuckDB().session()
    for text in [
      "SELECT 12345678901234567890123456789, 1.50, -0.0, 'a''b\u{1}\"é', x FROM logs WHERE y IN (1, 2)"
    ] {
      let answer = try await session.run(["SELECT json_serialize_sql(\(text))::VARCHAR AS tree"])
      let tree = try #require(answer.first?.first?["tree"]?.string)
      #expect(try Syntax(parsing: tree).json == tree)
    }
    session.end()
  }

  @Test func aParameterIsATextAndNothingElse() async throws {
    let session = try await testDuckDB().session()
    defer { session.end() }
    let statement = try await session.statement("SELECT $a AS x", parameters: ["a": "'; DROP TABLE logs; --"])
    let answer = try await session.run([
      "SELECT x FROM query(\(try await session.rendered(statement.query).text))"
    ])
    #expect(answer.first?.first?["x"]?.string == "'; DROP TABLE logs; --")
    await #expect(throws: Failure.self) {
      _ = try await session.statement("SELECT 1", parameters: ["b": "x"])
    }
  }

  @Test func everyAllowedFunctionIsDuckDBsAndNoneOfThoseThatSeeMore() async throws {
    let answer = try await testDuckDB().run(["SELECT DISTINCT function_name AS name FROM duckdb_functions()"])
    let known = Set((answer.first ?? []).compactMap { $0["name"]?.string })
    #expect(allowedFunctions.isSubset(of: known) && aggregateFunctions.isSubset(of: allowedFunctions))
    for name in [
      "getenv", "getvariable", "current_setting", "nextval", "read_text", "read_blob", "glob", "query",
      "query_table",
      "json_execute_serialized_sql", "json_serialize_sql", "write_log", "sleep_ms", "pg_sleep", "setseed",
      "current_query",
    ] {
      #expect(known.contains(name) && !allowedFunctions.contains(name), "\(name)")
    }
  }

  @Test func aSyntaxErrorIsShownWhereItIs() async throws {
    let failure = await #expect(throws: Failure.self) { _ = try await gated("SELECT 1,\n  2 FRM logs WHERE") }
    #expect(failure?.code == "sql.syntax")
    #expect(failure?.words.contains("LINE 2:   2 FRM logs WHERE\n") == true, "\(failure?.words ?? "")")
  }

  @Test func aLongSumIsNotTooDeep() async throws {
    let sum = (0..<500).map { "line + \($0)" }.joined(separator: " + ")
    let session = try await testDuckDB().session()
    defer { session.end() }
    let statement = try await session.statement(
      "SELECT count(*) FROM logs WHERE (\([String](repeating: "line = 1", count: 400).joined(separator: " OR ")))"
    )
    #expect(try await session.rendered(statement.query).text.contains("OR"))
    let failure = await #expect(throws: Failure.self) {
      _ = try await session.statement("SELECT \(sum) FROM logs")
    }
    // DuckDB has a limit of its own.
    #expect(failure?.code == "sql.syntax" || failure?.code == "sql.refused", "\(failure?.description ?? "")")
    let shorter = (0..<250).map { "line + \($0)" }.joined(separator: " + ")
    _ = try await session.rendered(try await session.statement("SELECT sum(\(shorter)) FROM logs").query)
  }

  @Test func whatIsTooLongOrTooDeepIsRefused() async throws {
    let long = "SELECT '\(String(repeating: "x", count: Statement.limit))'"
    let nul = "SELECT 1\0, 2"
    for text in [long, nul] {
      let failure = await #expect(throws: Failure.self) { _ = try await gated(text) }
      #expect(failure?.code == "sql.refused")
    }
    #expect(throws: Failure.self) { _ = try Syntax(parsing: String(repeating: "[", count: 100_000)) }
    for text in ["", "{", "[1,]", "{\"a\" 1}", "nul", "\"\\q\"", "[1] 2", "\u{FEFF}[]"] {
      #expect(throws: Failure.self, "\(text)") { _ = try Syntax(parsing: text) }
    }
  }
}
