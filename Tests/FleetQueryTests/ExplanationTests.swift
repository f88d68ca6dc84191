import DuckDB
import Rows
import Support
import TestSupport
import Testing

@testable import FleetQuery

/// What `--explain` says of a statement.
@Suite(.tags(.medium)) struct ExplanationTests {
  @Test(arguments: [
    (
      "SELECT count(*) FROM live",
      [
        "way      split: nodes send groups, which are finished here", "reads    live", "nodes    3 of 4",
        "files    all",
        "columns  ", "moves    one row a node",
      ]
    ),
    (
      "SELECT date_trunc('hour', ts), max(id) FROM logs WHERE stream = 'a' AND category = 'X' GROUP BY 1",
      [
        "reads    logs", "files    those with (\"stream\" = 'a')",
        "columns  category, id, stream, date_trunc('hour', ts)",
        "scanned  ((\"stream\" = 'a') AND (\"category\" = 'X'))", "moves    a row for each group of a node",
      ]
    ),
    (
      "SELECT median(length(message)) FROM live",
      [
        "columns  length(message)",
        "moves    each different value of a node once, with how often it is there; rows as they are where more than half of them are different",
      ]
    ),
    (
      "SELECT service, count(DISTINCT id) FROM live GROUP BY ALL",
      [
        "moves    each different value of a node's group once; rows as they are where more than half of them are different"
      ]
    ),
    (
      "SELECT id FROM live WHERE upper(id) = 'A'",
      [
        "way      ship: nodes send the columns that are used, and the statement runs here", "columns  id",
        "moves    these columns of the rows for which the conditions are true",
      ]
    ),
    (
      "SELECT id FROM live ORDER BY ts LIMIT 1000 OFFSET 500",
      ["moves    these columns of at most 1,500 rows a node"]
    ),
    ("SELECT lag(id) OVER () FROM live", ["moves    these columns of every row that is scanned"]),
    ("SELECT 1", ["way      nothing: the statement reads no relation", "reads    "]),
  ]) func lines(_ text: String, _ wanted: [String]) async throws {
    let session = try await testDuckDB().session()
    defer { session.end() }
    try await session.run(Gather.emptyViews)
    let statement = try await session.statement(text)
    let columns = resultColumns(try await session.run(["DESCRIBE FROM query(\(text))"]))
    let plan = try await session.plan(statement, columns)
    let said = explanation(plan, reads: statement.relations, asked: 3, of: 4)
    let lines = said.split(separator: "\n").map(String.init)
    for line in wanted { #expect(lines.contains(line), "\(said)") }
    #expect(lines.last?.hasPrefix("gather   SELECT") == true && said.hasSuffix("\n"))
    if !statement.relations.contains(where: \.hasLive) { #expect(!said.contains("files")) }
  }
}
