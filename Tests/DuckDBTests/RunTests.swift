import DuckDB
import Files
import Glibc
import Support
import TestSupport
import Testing

@Suite(.tags(.medium)) struct RunTests {
  @Test func rowsComeBackByStatement() async throws {
    let duckdb = try await testDuckDB()
    let rows = try await duckdb.run([
      "CREATE TEMP TABLE t AS SELECT 9007199254740993 AS n, 'x' AS s", "SELECT * FROM t",
      "SELECT * FROM t WHERE false",
      "SELECT NULL AS nothing, 1.5::DOUBLE AS half, true AS yes, [1, 2] AS list, {'k': 'v'} AS struct",
    ])
    #expect(
      rows == [
        [["n": 9_007_199_254_740_993, "s": "x"]], [],
        [
          .object([
            "nothing": .null, "half": .double(1.5), "yes": true, "list": [1, 2], "struct": ["k": "v"],
          ])
        ],
      ])
  }

  @Test func aFailureHasDuckDBsOwnWordsAndNothingRunsBehindIt() async throws {
    try await withScratch { folder in
      let duckdb = try await testDuckDB()
      let mark = joined(folder, "mark.csv")
      let failure = await #expect(throws: Failure.self) {
        try await duckdb.run(["SELECT * FROM nowhere_to_be_found", "COPY (SELECT 1) TO \(mark)"])
      }
      #expect(failure?.code == "duckdb.failed")
      #expect(failure?.words.contains("Table with name nowhere_to_be_found does not exist") == true)
      #expect(!exists(mark))
    }
  }

  @Test func settingsHold() async throws {
    let duckdb = try await testDuckDB()
    let names = [
      "memory_limit", "threads", "TimeZone", "temp_directory", "autoload_known_extensions",
      "autoinstall_known_extensions",
    ]
    let columns = names.map { "current_setting(\($0))::VARCHAR AS \(name: $0)" as SQL }.joined(
      separator: ", ")
    var settings = DuckDB.Settings(memory: .mebibytes(300))
    settings.threads = 1
    let rows = try await duckdb.run(["SELECT \(columns)"], settings)
    #expect(
      rows.first?.first == [
        "memory_limit": "300.0 MiB", "threads": "1", "TimeZone": "UTC", "temp_directory": "",
        "autoload_known_extensions": "false", "autoinstall_known_extensions": "false",
      ])
  }

  @Test func aDeadlineEndsIt() async throws {
    let duckdb = try await testDuckDB()
    let watch = Stopwatch()
    let failure = await #expect(throws: Failure.self) {
      try await duckdb.run(
        ["SELECT count(*) FROM range(10000000000000) t(i) WHERE i % 7 = 3"],
        DuckDB.Settings(deadline: .after(seconds: 1)))
    }
    #expect(failure?.code == "duckdb.deadline")
    #expect(watch.seconds < 20)
  }

  @Test func cancellingEndsIt() async throws {
    let duckdb = try await testDuckDB()
    let task = Task { () -> FailureCode? in
      withUnsafeCurrentTask { $0?.cancel() }
      do {
        try await duckdb.run(["SELECT count(*) FROM range(10000000000000) t(i) WHERE i % 7 = 3"])
        return nil
      } catch { return Failure.from(error).code }
    }
    #expect(await task.value == "cancelled")
  }

  @Test func tooMuchOutputIsAFailure() async throws {
    let duckdb = try await testDuckDB()
    var settings = DuckDB.Settings()
    settings.outputLimit = .kibibytes(16)
    let failure = await #expect(throws: Failure.self) {
      try await duckdb.run(["SELECT i FROM range(100000) t(i)"], settings)
    }
    #expect(failure?.code == "duckdb.output")
  }

  @Test(arguments: ["avro", "iceberg"])
  func itsExtensionsLieBesideIt(name: String) async throws {
    let duckdb = try await testDuckDB()
    let rows = try await duckdb.run(
      ["SELECT loaded FROM duckdb_extensions() WHERE extension_name = \(name)"], DuckDB.Settings(load: [name])
    )
    #expect(rows == [[["loaded": true]]])
  }
}

@Suite struct FindTests {
  @Test func aMissingProgramIsNamed() async {
    let failure = await #expect(throws: Failure.self) {
      _ = try await DuckDB.find(configured: "/nowhere/duckdb")
    }
    #expect(failure?.code == "duckdb.missing")
    #expect(failure?.sentence.contains("/nowhere/duckdb") == true)
    #expect(failure?.sentence.contains(DuckDB.version) == true)
  }

  @Test func aFolderIsNoProgram() async {
    let failure = await #expect(throws: Failure.self) { _ = try await DuckDB.find(configured: "/tmp") }
    #expect(failure?.code == "duckdb.missing")
  }

  @Test(arguments: [
    ("echo 'v1.4.2 (Andium) 68d7555f68'", "v1.4.2"), ("echo v1.5.50", "v1.5.50"), ("echo 1.5.5", "1.5.5"),
    ("exit 0", "no known version"), ("echo v1.5.5; exit 1", "v1.5.5"),
  ])
  func anotherVersionIsRefusedWithBoth(script: String, said: String) async throws {
    try await withScratch { folder in
      let path = try program(folder, "#!/bin/sh\n\(script)\n", mode: 0o755)
      let failure = await #expect(throws: Failure.self) { _ = try await DuckDB.find(configured: path) }
      #expect(failure?.code == "duckdb.version")
      #expect(failure?.sentence.contains(path) == true)
      #expect(failure?.sentence.contains(said) == true)
      #expect(failure?.sentence.contains("v" + DuckDB.version) == true)
    }
  }

  @Test(arguments: [("#!/bin/sh\necho v1.5.5\n", 0o644), ("no program at all", 0o755)] as [(String, mode_t)])
  func whatCantBeRunIsMissing(content: String, mode: mode_t) async throws {
    try await withScratch { folder in
      let path = try program(folder, content, mode: mode)
      let failure = await #expect(throws: Failure.self) { _ = try await DuckDB.find(configured: path) }
      #expect(failure?.code == "duckdb.missing")
      #expect(failure?.words.isEmpty == false)
    }
  }

  @Test func theRightVersionIsTakenThroughALink() async throws {
    try await withScratch { folder in
      let real = try program(folder, "#!/bin/sh\necho 'v\(DuckDB.version) (Variegata) abc'\n", mode: 0o755)
      try #require(symlink(real, joined(folder, "link")) == 0)
      let found = try await DuckDB.find(configured: joined(folder, "link"))
      #expect(found.executable == real)
      #expect(found.extensions == joined(folder, "extensions"))
    }
  }

  private func program(_ folder: String, _ content: String, mode: mode_t) throws -> String {
    let path = joined(folder, "duckdb")
    try publish(Array(content.utf8), at: path, replacing: true)
    try #require(chmod(path, mode) == 0)
    return path
  }
}
