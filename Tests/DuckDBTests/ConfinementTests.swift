import Files
import Support
import TestSupport
import Testing

@testable import DuckDB
@testable import Processes

@Suite(.tags(.medium)) struct ConfinementTests {
  private func settings(_ folder: String, memory: ByteCount = .mebibytes(256)) throws -> DuckDB.Settings {
    for name in ["in", "out", "spill"] { try makeFolder(joined(folder, name)) }
    var settings = DuckDB.Settings(memory: memory, scratch: joined(folder, "spill"))
    settings.confinement = DuckDB.Confinement(
      readable: [joined(folder, "in")], writable: [joined(folder, "out"), joined(folder, "spill")])
    return settings
  }

  @Test func itReadsWritesAndSpills() async throws {
    try await withScratch { folder in
      let duckdb = try await testDuckDB()
      let settings = try settings(folder, memory: .mebibytes(128))
      let input = joined(folder, "in/a.parquet")
      try await duckdb.run(["COPY (SELECT range AS n FROM range(3000000)) TO \(input)"])
      let outputs = ["json", "csv", "parquet"].map { (joined(folder, "out/a.\($0)"), SQL(trusted: $0)) }
      // Sorting so much by a wide key takes more memory than it has.
      try await duckdb.run(
        outputs.map {
          "COPY (SELECT n, repeat('x', 100) || n AS s FROM read_parquet(\(input)) ORDER BY hash(n)) TO \($0) (FORMAT \($1))"
        }, settings)
      for (path, _) in outputs {
        #expect(try await duckdb.run(["SELECT count(*) AS n FROM \(name: path)"]) == [[["n": 3_000_000]]])
      }
    }
  }

  @Test func aSessionIsConfinedToo() async throws {
    try await withScratch { folder in
      let secret = joined(folder, "secret.csv")
      try publish(Array("canary\n".utf8), at: secret, replacing: false)
      let session = try await testDuckDB().session(settings(folder))
      defer { session.end() }
      #expect(try await session.run(["SELECT 1 AS a"]) == [[["a": 1]]])
      let failure = await #expect(throws: Failure.self) {
        try await session.run(["SELECT * FROM read_text(\(secret))"])
      }
      #expect(failure?.words.contains("Permission denied") == true)
    }
  }

  @Test func itsExtensionsAreLeftToIt() async throws {
    try await withScratch { folder in
      var settings = try settings(folder)
      settings.load = ["httpfs"]
      let loaded = try await testDuckDB().run(
        ["SELECT loaded FROM duckdb_extensions() WHERE extension_name = 'httpfs'"], settings)
      #expect(loaded == [[["loaded": true]]])
    }
  }

  /// It asks the control group, and must be left that: 1.5.5 does not start otherwise.
  @Test func itKnowsHowMuchMemoryThereIs() async throws {
    try await withScratch { folder in
      let duckdb = try await testDuckDB()
      let ask: [SQL] = [
        "RESET memory_limit", "RESET threads",
        "SELECT current_setting('memory_limit') AS m, current_setting('threads') AS t",
      ]
      #expect(try await duckdb.run(ask, settings(folder)) == duckdb.run(ask))
    }
  }

  @Test func aKernelThatCannotConfineIsNamed() {
    let named = failure(ChildFailure.unconfined("Landlock: Function not implemented"))
    #expect(named.code == "sandbox.unavailable" && named.remedy.contains("Landlock"))
  }

  @Test func anEndByTheKernelHasItsCode() {
    let codes = [24: "duckdb.deadline", 25: "duckdb.output", 9: "duckdb.killed"] as [Int32: FailureCode]
    for (signal, code) in codes {
      let named = failure(ChildResult(status: .signalled(signal), output: [], errors: []))
      #expect(named?.code == code)
    }
  }
}
