import Files
import Glibc
import Processes
import Support
import TestSupport
import Testing

@testable import DuckDB
@testable import FleetQuery

/// Statements that are after the machine's memory, time and disk (Tests/Cases/hostile/bombs.sql).
@Suite(.tags(.medium)) struct BombTests {
  static let bombs = (try? HostileScene.statements("bombs")) ?? []

  @Test func thereAreSome() { #expect(Self.bombs.count >= 25) }

  /// As ours runs a statement. In the other variant DuckDB's own limits are off.
  @Test(arguments: bombs, [true, false]) func aBombEndsWithinItsLimits(_ bomb: String, isLimited: Bool)
    async throws
  {
    try await HostileScene.with { scene in
      let seconds = 1.5
      let limit = ByteCount.mebibytes(32)
      var settings = DuckDB.Settings(memory: .mebibytes(128), scratch: scene.folder("spill"))
      settings.deadline = .after(seconds: seconds)
      settings.outputLimit = .mebibytes(4)
      settings.confinement = DuckDB.Confinement(writable: [scene.folder("out"), scene.folder("spill")])
      settings.confinement?.fileLimit = limit
      let unlimited: [SQL] = ["SET memory_limit = '1TB'", "SET max_temp_directory_size = '1TB'"]
      let lock = Gather.lock(folders: [scene.folder("out/"), scene.folder("spill/")])
      let copy: SQL = "COPY (SELECT * FROM query(\(bomb))) TO \(scene.folder("out/result")) (FORMAT json)"
      let watch = Stopwatch()
      do throws(Failure) {
        try await scene.duckdb.run((isLimited ? [] : unlimited) + lock + [copy], settings)
      } catch {
        let known: [FailureCode] = [
          "duckdb.failed", "duckdb.memory", "duckdb.deadline", "duckdb.output", "duckdb.killed",
          "scratch.full",
        ]
        #expect(known.contains(error.code), "\(error)")
      }
      #expect(watch.seconds < seconds + 30 * patience)
      for name in ["out", "spill"] {
        var sum: UInt64 = 0
        for entry in try folderEntries(scene.folder(name)) {
          let size = try FileInfo(path: scene.folder("\(name)/\(entry.name ?? "?")")).size
          #expect(size <= UInt64(limit.bytes))
          sum += UInt64(size)
        }
        if isLimited { #expect(sum <= UInt64(limit.bytes)) }
      }
    }
  }

  /// What a function makes of its arguments is not in DuckDB's own count: 1.5.5 takes a gigabyte here with a limit of 256 MiB.
  @Test func whatDuckDBDoesNotCountTheKernelDoes() async throws {
    try await HostileScene.with { scene in
      var command = scene.command(["SELECT length(repeat('x', 500000000))"], isLocked: true)
      command.sandbox?.memory = .mebibytes(400)
      let confined = try await Processes.run(command)
      #expect(failure(confined)?.code == "duckdb.memory")
      command.sandbox = nil
      let free = try await Processes.run(command)
      #expect(free.status == .exited(0))
    }
  }

  @Test func timeOnTheProcessorsIsLimitedByTheKernel() async throws {
    try await HostileScene.with { scene in
      var command = scene.command(["SELECT * FROM query(\(Self.bombs[0]))"], isLocked: true)
      command.sandbox?.cpuSeconds = 1
      let result = try await Processes.run(command)
      #expect(result.status == .signalled(SIGXCPU))
      #expect(failure(result)?.code == "duckdb.deadline")
    }
  }

  @Test func aStatementOfAnySizeOrDepthIsAnswered() async throws {
    let session = try await testDuckDB().session(
      Gather.settings(scratch: nil, deadline: .after(seconds: 120 * patience)))
    defer { session.end() }
    try await session.run(Gather.emptyViews + Gather.lock(folders: []))
    let texts = [
      String(repeating: "x", count: Statement.limit + 1),
      "SELECT '" + String(repeating: "x", count: 70_000) + "'",
      "SELECT " + String(repeating: "(", count: 20_000) + "1" + String(repeating: ")", count: 20_000),
      "SELECT " + String(repeating: "-", count: 20_000) + "1",
      "SELECT " + String(repeating: "NOT ", count: 15_000) + "true",
      String(repeating: "SELECT * FROM (", count: 4_000) + "SELECT 1" + String(repeating: ")", count: 4_000),
      "SELECT " + String(repeating: "[", count: 20_000) + String(repeating: "]", count: 20_000),
      "SELECT 1" + String(repeating: " + 1", count: 15_000),
      "SELECT 1" + String(repeating: " UNION SELECT 1", count: 4_000),
      "SELECT 'a\0b'", "\0",
    ]
    for text in texts {
      do throws(Failure) { _ = try await session.statement(text) } catch {
        #expect(["sql.refused", "sql.syntax"].contains(error.code), "\(text.prefix(40)): \(error)")
      }
    }
    // It has lived through all of them.
    #expect(try await session.run(["SELECT 1 AS a"]).first?.first?["a"]?.integer == 1)
  }
}
