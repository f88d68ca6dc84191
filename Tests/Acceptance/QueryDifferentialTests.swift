// The law of queries, end to end: whatever is archived, rotated or being written on whichever node, the program gives what one DuckDB gives over all
// lines in one place.

import Files
import Processes
import Support
import TestSupport
import Testing

@Suite("A query gives what one DuckDB gives", .tags(.large))
struct QueryDifferentialTests {
  /// `GADWALL_EVERY_STATEMENT` asks all in `Tests/Cases/queries`, as `make check-long` does; else a few of each file.
  private static let isEvery = environmentValue("GADWALL_EVERY_STATEMENT") != nil

  @Test("Over five nodes with odd logs and the archive")
  func oddFleet() async throws {
    try await OddFleet.with { odd in
      // What has to be there for the statements to mean something.
      let counts = odd.reference.counts
      #expect(counts["logs"] == 3000 && counts.values.allSatisfy { $0 > 600 }, "\(counts)")
      var statements = ownStatements
      for (index, name) in QueryCases.files.enumerated() {
        let all = try QueryCases.statements(name)
        // Others of each file for the next.
        statements +=
          Self.isEvery ? all : [all[7 * index % all.count], all[(7 * index + all.count / 2) % all.count]]
      }
      let failing = try QueryCases.statements(QueryCases.failing)
      if Self.isEvery { #expect(statements.count + failing.count > 1000) }
      try await compare(odd, statements.map(Self.named))
      try await compareParts(odd)
      try await expectFailures(odd, (Self.isEvery ? failing : Array(failing.prefix(2))).map(Self.named))
      await odd.reference.end()
    }
  }

  /// A node's name has no accent.
  private static func named(_ statement: String) -> String { statement.replacing("élan", with: "elan") }

  /// Two at a time; the reference answers one after the other.
  private func compare(_ odd: OddFleet, _ statements: [String]) async throws {
    try await withThrowingTaskGroup(of: (Int, Ended).self) { group in
      var next = 0
      func askNext() {
        guard next < statements.count else { return }
        let (number, statement) = (next, statements[next])
        next += 1
        group.addTask { (number, try await self.ask(odd, statement, number)) }
      }
      askNext()
      askNext()
      for try await (number, ended) in group {
        askNext()
        let statement = statements[number]
        do {
          if let found = try await difference(odd, statement, number, ended) {
            Issue.record("\(statement)\n\(found)")
          }
        } catch {
          Issue.record("\(statement)\n\(error)\n\(ended)")
        }
      }
    }
  }

  private func ask(_ odd: OddFleet, _ statement: String, _ number: Int) async throws -> Ended {
    let format = isParquet(number) ? ["parquet", "--output", odd.result(number)] : ["csv"]
    return try await odd.fleet.gadwall(["query", statement, "--quiet", "--format"] + format)
  }

  /// What is wrong with an answer; nil when nothing is.
  private func difference(
    _ odd: OddFleet, _ statement: String, _ number: Int, _ ended: Ended
  ) async throws -> String? {
    let wanted = try await odd.reference.answer(statement)
    let isOrdered = QueryCases.isOrdered(statement)
    // Parquet has no interval of less than nothing, and cuts the others to milliseconds.
    if isParquet(number), wanted.types.contains(where: { $0.contains("INTERVAL") }) {
      return try await difference(odd, statement, 1, try await ask(odd, statement, 1))
    }
    guard ended.status == 0, ended.errors.isEmpty else { return "\(ended)" }
    if isParquet(number) {
      let found = try await odd.reference.contents(of: odd.result(number))
      let wanted = try await odd.reference.answerThroughParquet(statement)
      guard found.types == wanted.types else { return "the types \(found.types), and not \(wanted.types)" }
      return TestSupport.difference(found.rows, wanted.rows, isOrdered: isOrdered)
    }
    var rows = csvRows(Array(ended.output.utf8))
    guard !rows.isEmpty else { return "no header" }
    let names = csvNames(rows.removeFirst())
    guard names == wanted.names else { return "the columns \(names), and not \(wanted.names)" }
    return TestSupport.difference(rows, wanted.rows, isOrdered: isOrdered)
  }

  /// Part of the fleet is the same as a condition on the rows, in the archive too.
  private func compareParts(_ odd: OddFleet) async throws {
    for (flags, condition) in [
      (["--region", "eu-*"], "region LIKE 'eu-%'"), (["--zone", "*-a", "--node", "?edar"], "node = 'cedar'"),
      (["--node", "birch", "--node", "elan"], "node IN ('birch', 'elan')"),
    ] {
      for form in [
        "SELECT stream, count(*), sum(line), min(id) FROM % GROUP BY stream", "SELECT node, id, line FROM %",
      ] {
        let asked = form.replacing("%", with: "logs")
        let ended = try await odd.fleet.gadwall(["query", asked, "--quiet", "--format", "csv"] + flags)
        let wanted = try await odd.reference.answer(
          form.replacing("%", with: "(FROM logs WHERE \(condition))"))
        let found = Array(csvRows(Array(ended.output.utf8)).dropFirst())
        #expect(wanted.rows.count > 2)
        #expect(
          ended.status == 0 && TestSupport.difference(found, wanted.rows, isOrdered: false) == nil,
          "\(flags) \(asked)")
      }
    }
  }

  private func expectFailures(_ odd: OddFleet, _ statements: [String]) async throws {
    var asked = 0
    for statement in statements where try await odd.reference.fails(statement) {
      asked += 1
      // A table waits for the end; other formats may have rows by then.
      let ended = try await odd.fleet.gadwall("query", statement, "--format", "table")
      #expect(
        ended.status == 2 && ended.output.isEmpty && ended.errors.hasPrefix("gadwall: "),
        "\(statement)\n\(ended)")
    }
    #expect(asked * 10 >= statements.count * 9, "\(asked) of \(statements.count) fail over these rows")
  }
}

/// Every third answer is taken as Parquet, where types are seen; the others as CSV, where names are.
private func isParquet(_ number: Int) -> Bool { number % 3 == 0 }

extension OddFleet {
  fileprivate func result(_ number: Int) -> String { joined(fleet.folder, "result-\(number).parquet") }
}

/// Statements about what only real files have.
private let ownStatements = [
  // Lines by file, with the numbers that blank lines leave out.
  """
  SELECT node, stream, rotated, count(*) AS n, min(line), max(line), max(line) - count(*) AS blank, count(DISTINCT batch) AS batches
  FROM logs GROUP BY ALL ORDER BY node, stream, rotated
  """,
  "SELECT batch, count(*), min(line), sum(line) FROM logs GROUP BY batch",
  "SELECT node, batch IS NULL AS written, rotated IS NULL AS none, count(*) FROM live GROUP BY ALL",
  // The last line of each file, whether it has an end or not.
  "SELECT node, stream, rotated, line, id, message, text FROM logs QUALIFY line = max(line) OVER (PARTITION BY node, stream, rotated)",
  "SELECT malformed, count(*), min(length(text)), max(length(text)), min(text)[:40] FROM logs WHERE malformed IS NOT NULL GROUP BY malformed",
  "SELECT node, stream, rotated, line, malformed, md5(text) FROM logs WHERE malformed IS NOT NULL ORDER BY ALL",
  "SELECT count(*) FROM logs WHERE malformed IS NOT NULL AND coalesce(ts::VARCHAR, service, category, message, id, version, extra) IS NOT NULL",
  "SELECT extra->>'@timestamp' AS odd, count(*) FROM logs WHERE ts IS NULL GROUP BY 1",
  "SELECT count(*), count(ts), min(ts), max(ts), sum(epoch_us(ts)), count(DISTINCT ts) FROM logs",
  "SELECT node, stream, rotated, line, ts FROM logs WHERE ts IS NOT NULL ORDER BY ts, node, stream, rotated, line LIMIT 40",
  "SELECT node, stream, rotated, line, ts FROM live ORDER BY ts DESC NULLS LAST, node, stream, rotated, line LIMIT 40 OFFSET 7",
  "SELECT date_trunc('hour', ts) AS hour, region, count(*) FROM logs GROUP BY ALL HAVING count(*) > 3 ORDER BY ALL",
  "SELECT ts, count(*) AS ties FROM logs GROUP BY ts HAVING count(*) > 1 ORDER BY ties DESC, ts LIMIT 20",
  "SELECT md5(string_agg(extra, chr(10) ORDER BY node, stream, rotated, line)) FROM logs",
  "SELECT md5(string_agg(coalesce(message, 'none'), chr(10) ORDER BY node, stream, rotated, line)) AS m, bit_xor(hash(id)) FROM logs",
  "SELECT key, count(*) FROM (SELECT unnest(json_keys(extra)) AS key FROM logs) GROUP BY ALL ORDER BY ALL",
  "SELECT extra FROM logs WHERE extra LIKE '%a later one%' ORDER BY extra",
  "SELECT service, category, count(*) FILTER (message LIKE '%' || chr(10) || '%') AS lines FROM logs GROUP BY CUBE (service, category)",
  "SELECT a.node, count(*) FROM live a JOIN archive b ON a.id = b.id AND a.node <> b.node GROUP BY a.node",
  "SELECT max(length(message)), arg_max(node, length(message)), max(strlen(extra)) FROM live",
  "SELECT id FROM archive EXCEPT SELECT id FROM live",
  "SELECT region, approx_count_distinct(id) > 0, count(DISTINCT (id, version)) FROM logs GROUP BY region",
  "SELECT count(*) FROM live WHERE node = 'birch'",
  "SELECT node, quantile_disc(line, [0.1, 0.5, 0.9]), mode(category), avg(line) FROM logs GROUP BY node",
  "SELECT node, min(rotated - ts) AS least, max(rotated - ts) AS most FROM logs GROUP BY node",
  "SELECT typeof(1e0), typeof(1e-1), typeof(12.5e2), typeof(5.), hash(1e0), 1e-1 + 2e-1 = 3e-1",
  "SELECT 1e15 * 1e15 * 1e15 * 3 AS x, 7e0 % 0.3 AS y, 1e-1 + 2e-1 AS z, round(25e-1) AS r",
  "SELECT node, max(line) * 1e15 * 1e15 AS x, sum(line * 1e-1) AS s FROM logs GROUP BY node",
]
