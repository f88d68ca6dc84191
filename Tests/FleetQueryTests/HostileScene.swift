import Files
import Glibc
import Processes
import Support
import TestSupport

@testable import DuckDB
@testable import FleetQuery

/// What hostile statements are after: files with a canary, a folder to write to, a port. And what a DuckDB is left: `in`, `out` and `spill`.
struct HostileScene {
  let duckdb: DuckDB
  let scratch: String
  let listener: Listener
  /// Stands in every file that nobody is to read.
  let canary = "canary" + randomName()

  static func with(_ body: (HostileScene) async throws -> Void) async throws {
    try await withScratch { scratch in
      let scene = HostileScene(duckdb: try await testDuckDB(), scratch: scratch, listener: try Listener())
      try await scene.prepare()
      try await body(scene)
    }
  }

  private init(duckdb: DuckDB, scratch: String, listener: Listener) {
    self.duckdb = duckdb
    self.scratch = scratch
    self.listener = listener
  }

  func folder(_ name: String) -> String { joined(scratch, name) }

  private func prepare() async throws {
    for name in ["secrets", "outside", "in", "out", "spill"] { try makeFolder(folder(name)) }
    let path = folder("secrets/canary")
    let rows: SQL = "SELECT \(canary) AS a, 1 AS b"
    try await duckdb.run([
      "COPY (\(rows)) TO \(path + ".csv")",
      "COPY (\(rows)) TO \(path + ".csv.gz") (FORMAT csv, COMPRESSION gzip)",
      "COPY (\(rows)) TO \(path + ".json") (FORMAT json)", "COPY (\(rows)) TO \(path + ".parquet")",
      "ATTACH \(path + ".db") AS c", "CREATE TABLE c.t AS \(rows)", "DETACH c",
      "COPY (SELECT 1 AS a) TO \(folder("in/a.csv"))",
    ])
    guard symlink(path + ".csv", folder("in/link")) == 0 else {
      throw MissingPart(description: "No link can be made in \(scratch).")
    }
  }

  /// The statements of `Tests/Cases/hostile/NAME.sql`, one a line with `⏎` for a line end, as they are written there.
  static func statements(_ name: String) throws -> [String] {
    let bytes = try readFile(joined(repositoryRoot, "Tests/Cases/hostile/\(name).sql"), limit: .mebibytes(1))
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// The statement with this scene's places in it.
  func filled(_ statement: String) -> String {
    let places = [
      "canary": folder("secrets/canary"), "folder": folder("secrets"), "base": "secrets", "in": folder("in"),
      "out": folder("out"), "outside": folder("outside"), "home": folderName(duckdb.executable),
      "port": String(listener.port), "parent": String(getpid()), "name": "gadwall-\(canary.suffix(8))",
    ]
    return places.reduce(statement.replacing("⏎", with: "\n")) { $0.replacing("{\($1.key)}", with: $1.value) }
  }

  /// What a DuckDB prints before each statement.
  static let ready = "gadwall_ready"

  /// A DuckDB that is about to run the statements, without the gate, and each whether or not another failed.
  ///
  /// - Parameter isLocked: whether its own lock is on.
  func command(_ statements: [SQL], isLocked: Bool, load: [String] = []) -> ChildCommand {
    var settings = DuckDB.Settings(memory: .mebibytes(256), scratch: folder("spill"), load: load)
    settings.deadline = .after(seconds: 60 * patience)
    settings.outputLimit = .mebibytes(16)
    settings.confinement = DuckDB.Confinement(
      readable: [folder("in")], writable: [folder("out"), folder("spill")])
    let hurry: [SQL] = load.contains("httpfs") ? ["SET http_timeout = 1", "SET http_retries = 0"] : []
    let folders = ["in", "out", "spill"].map { folder($0) + "/" }
    let lock = isLocked ? Gather.lock(folders: folders) : []
    var command = duckdb.command(
      hurry + Gather.emptyViews + lock + statements.flatMap { ["SELECT 1 AS \(name: Self.ready)", $0] },
      settings)
    if statements.count > 1 { command.arguments.removeAll { $0 == "-bail" } }
    // Names without a folder mean the canaries.
    command.directory = folder("secrets")
    return command
  }

  /// What it printed, however it ended.
  func printed(_ command: ChildCommand) async throws -> String {
    do throws(ChildFailure) {
      let result = try await Processes.run(command)
      return String(decoding: result.output + result.errors, as: UTF8.self)
    } catch {
      switch error {
      case .deadline(let output, let errors): return String(decoding: output + errors, as: UTF8.self)
      default: throw MissingPart(description: "DuckDB: \(error)")
      }
    }
  }

  /// What a text shows of what it must not: the canary, the users, an environment.
  func secrets(in text: String) -> [String] { [canary, "root:x:0:", "PATH="].filter(text.contains) }

  /// Every file outside of `out` and `spill`, with its content.
  func files() throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for name in ["secrets", "outside", "in"] {
      for entry in try folderEntries(folder(name)) {
        let path = folder("\(name)/\(entry.name ?? "?")")
        files[path] = (try? readFile(path, limit: .mebibytes(8))) ?? []
      }
    }
    return files
  }
}
