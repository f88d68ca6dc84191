import Files
import Processes
import Support
import TestSupport
import Testing

@testable import DuckDB
@testable import FleetQuery

/// Statements that are after more than the logs (Tests/Cases/hostile/), against each wall by itself.
@Suite(.tags(.medium)) struct HostileStatementTests {
  static let classes = [
    "reading", "writing", "attaching", "settings", "environment", "network", "several", "indirect",
  ]

  @Test func thereAreMany() throws {
    let all = try (Self.classes + ["harmless", "bombs"]).flatMap { try HostileScene.statements($0) }
    #expect(all.count >= 400 && Set(all).count == all.count)
  }

  // MARK: the gate

  @Test(arguments: classes) func theGateRefuses(_ name: String) async throws {
    try await HostileScene.with { scene in
      func start() async throws -> Session {
        let session = try scene.duckdb.session(
          Gather.settings(scratch: nil, deadline: .after(seconds: 300 * patience)))
        try await session.run(Gather.emptyViews + Gather.lock(folders: []))
        return session
      }
      var session = try await start()
      for statement in try HostileScene.statements(name) {
        do throws(Failure) {
          _ = try await session.statement(scene.filled(statement))
          Issue.record("let through: \(statement)")
        } catch {
          #expect(["sql.refused", "sql.syntax"].contains(error.code), "\(statement): \(error)")
          if error.code.name.hasPrefix("duckdb.") { session = try await start() }
        }
      }
      session.end()
    }
  }

  // MARK: the operating system

  /// The gate is off. DuckDB's own lock is on in one variant; in the other, the operating system is alone.
  @Test(arguments: classes + ["harmless"], [true, false])
  func theOperatingSystemRefuses(_ name: String, isLocked: Bool) async throws {
    try await HostileScene.with { scene in
      let before = try scene.files()
      let statements = try HostileScene.statements(name).map(scene.filled)
      // The means are there: what is not to be is the connection.
      let load = name == "network" ? ["httpfs"] : []
      func tried(_ statements: [SQL], _ title: String) async throws {
        let printed = try await scene.printed(scene.command(statements, isLocked: isLocked, load: load))
        let ready = printed.split(separator: HostileScene.ready, omittingEmptySubsequences: false).count - 1
        #expect(ready == statements.count, "\(title) did not run: \(printed.suffix(300))")
        #expect(scene.secrets(in: printed) == [], "\(title)")
        #expect(scene.listener.visitors() == 0, "\(title)")
        #expect(try folderEntries(scene.folder("outside")).isEmpty, "\(title)")
      }
      for statement in statements { try await tried([SQL(trusted: statement)], statement) }
      try await tried(statements.map { "SELECT * FROM query(\($0))" }, "all as literals")
      #expect(try scene.files() == before)
      for entry in try folderEntries(scene.folder("out")) {
        let content = try readFile(scene.folder("out/\(entry.name ?? "?")"), limit: .mebibytes(8))
        #expect(scene.secrets(in: String(decoding: content, as: UTF8.self)) == [])
      }
      let home = folderName(scene.duckdb.executable)
      for path in [".duckdbrc", ".duckdb"].map({ joined(home, $0) })
        + ["/tmp/{name}", "/dev/shm/{name}"].map(scene.filled)
      {
        #expect(!exists(path), "\(path)")
      }
    }
  }

  /// Without the sandbox the same statements do what they are for: the test above would see it.
  @Test(arguments: [("reading", 45), ("several", 15), ("indirect", 12)])
  func withoutItTheyRead(_ name: String, _ least: Int) async throws {
    try await HostileScene.with { scene in
      var readers = 0
      for statement in try HostileScene.statements(name)
      where statement.contains("{canary}") || statement.contains("{folder}") {
        var command = scene.command([SQL(trusted: scene.filled(statement))], isLocked: false)
        command.sandbox = nil
        if try await scene.secrets(in: scene.printed(command)) != [] { readers += 1 }
      }
      #expect(readers >= least, "\(readers) of \(name) read the canary")
    }
  }

  @Test func withoutItTheyWriteAndConnect() async throws {
    try await HostileScene.with { scene in
      var writers = 0
      for statement in try HostileScene.statements("writing") + HostileScene.statements("several")
      where statement.contains("{outside}") {
        var command = scene.command([SQL(trusted: scene.filled(statement))], isLocked: false)
        command.sandbox = nil
        _ = try await scene.printed(command)
        let folder = scene.folder("outside")
        if try !folderEntries(folder).isEmpty { writers += 1 }
        try removeTree(folder)
        try makeFolder(folder)
      }
      #expect(writers >= 12, "\(writers) wrote")
      var command = scene.command(
        ["SELECT * FROM read_text(\(scene.filled("http://127.0.0.1:{port}/a.txt")))"], isLocked: false,
        load: ["httpfs"])
      command.sandbox = nil
      _ = try await scene.printed(command)
      #expect(scene.listener.visitors() > 0)
    }
  }
}
