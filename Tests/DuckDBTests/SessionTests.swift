import DuckDB
import Support
import TestSupport
import Testing

@Suite(.tags(.medium)) struct SessionTests {
  @Test func turnsShareATable() async throws {
    let session = try await testDuckDB().session()
    defer { session.end() }
    #expect(try await session.run(["CREATE TEMP TABLE t AS SELECT 1 AS a"]).isEmpty)
    #expect(
      try await session.run(["SELECT a FROM t", "SELECT a + 1 AS b FROM t"]).map { $0.count } == [1, 1])
    #expect(try await session.run([]).isEmpty)
    let rows = try await session.run(["SELECT range AS n FROM range(3000)"])
    #expect(rows.first?.count == 3000 && rows.first?.last?["n"]?.integer == 2999)
  }

  @Test func aTurnThatFailsSaysWhyAndEndsIt() async throws {
    let session = try await testDuckDB().session()
    let failure = await #expect(throws: Failure.self) { try await session.run(["SELECT no_such_thing"]) }
    #expect(failure?.code == "duckdb.failed" && failure?.words.contains("no_such_thing") == true)
    let after = await #expect(throws: Failure.self) { try await session.run(["SELECT 1"]) }
    #expect(after?.code == "duckdb.failed")
  }

  @Test func whatItRunsFirstIsBeforeItsTurns() async throws {
    let session = try await testDuckDB().session(first: [
      "CREATE TEMP TABLE t AS SELECT 7 AS a", "SET lock_configuration = true",
    ])
    defer { session.end() }
    #expect(try await session.run(["SELECT a FROM t"]).first?.first?["a"]?.integer == 7)
    #expect(!session.hasEnded)
    await #expect(throws: Failure.self) { try await session.run(["SET threads = 1"]) }
    #expect(session.hasEnded)
    let broken = try await testDuckDB().session(first: ["SELECT no_such_thing"])
    let failure = await #expect(throws: Failure.self) { try await broken.run(["SELECT 1"]) }
    #expect(failure?.words.contains("no_such_thing") == true)
  }

  @Test func itsDeadlineEndsIt() async throws {
    var settings = DuckDB.Settings()
    settings.deadline = .after(seconds: 0.3)
    let session = try await testDuckDB().session(settings)
    let failure = await #expect(throws: Failure.self) {
      try await session.run([
        "SELECT count(*) FROM range(10000000000) a, range(1000) b WHERE hash(a.range + b.range) = 1"
      ])
    }
    #expect(failure?.code == "duckdb.deadline")
  }

  @Test func cancellingATurnEndsIt() async throws {
    let session = try await testDuckDB().session()
    let turn = Task {
      try await session.run([
        "SELECT count(*) FROM range(10000000000) a, range(1000) b WHERE hash(a.range + b.range) = 1"
      ])
    }
    turn.cancel()
    let failure = await #expect(throws: Failure.self) { _ = try await turn.value }
    #expect(failure?.code == "cancelled")
  }
}
