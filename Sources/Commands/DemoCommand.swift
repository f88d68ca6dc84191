import CommandLine
import DuckDB
import Files
import Fleet
import Glibc
import Harvest
import Iceberg
import Ledger
import Logs
import Processes
import Support
import Synchronization

/// `gadwall demo`
enum DemoCommand: Command {
  static let directory = Flag(
    "directory", value: "DIR",
    "Keep the fleet and its gadwall.yaml there. Default: a folder that goes afterwards.")
  static let nodes = Flag("nodes", value: "N", "How many nodes, 1 to 50. Default 3.")
  static let entries = Flag(
    "entries", value: "N", "How many log entries in all, 100 to 10000000. Default 9000.")

  static let s3 = Flag(
    "s3",
    "Through a local S3 server and Iceberg REST catalog, as an archive would be kept. Needs 'make setup'.")

  static let definition = CommandDefinition(
    ["demo"], summary: "See it work: a fleet on this machine, from its first log line to the proof.",
    discussion: """
      Makes nodes in three regions with some hours of logs, rotates them as logrotate does, harvests twice, and shows the urgent rows, the table, and that \
      the rotated files are gone. Needs no network, no server and no container.
      """,
    flags: [directory, nodes, entries, s3],
    examples: [
      ("gadwall demo", "A minute's look"),
      ("gadwall demo --directory /tmp/fleet --entries 100000", "A larger one, to play with afterwards"),
      ("gadwall demo --s3", "The archive in S3, the table in a REST catalog"),
    ])

  static func run(_ arguments: ParsedArguments) async throws -> ExitStatus {
    let nodeCount = try arguments.integer(nodes, in: 1...50) ?? 3
    let entryCount = try arguments.integer(entries, in: 100...10_000_000) ?? 9_000
    let kept = arguments.value(directory)
    let folder = resolvedPath(
      kept ?? joined(environmentValue("TMPDIR") ?? "/tmp", "gadwall-demo-\(randomName())"))
    if kept != nil, let there = try? folderEntries(folder), !there.isEmpty {
      throw Failure(
        "demo.directory", "The folder \(folder) is not empty.",
        remedy: "Name a new one: the demo only ever writes into a folder of its own.")
    }
    do throws(SystemError) {
      try makeFolder(folder)
      _ = try folderEntries(folder)
    } catch {
      throw error.failure(
        "demo.directory", "The folder \(folder) can't be made.",
        remedy: "Name one that this user may make, with --directory.")
    }
    if kept == nil { temporaryFolders.withLock { $0.append(folder) } }
    let onS3 = arguments.has(s3)
    return try await cancellableBySignal {
      defer { if kept == nil { try? removeTree(folder) } }
      var demo = Demo(folder: folder, nodeCount: nodeCount, entryCount: entryCount, isKept: kept != nil)
      guard onS3 else { return try await demo.run() }
      let servers = try DemoServers(folder: folder)
      do throws(SystemError) { try servers.writeFiles() } catch {
        throw error.failure("demo.directory", "The folder \(folder) can't be written to.")
      }
      demo.servers = servers
      let ready = demo
      return try await servers.running { try await ready.run() }
    }
  }
}

private struct Demo: Sendable {
  let folder: String
  let nodeCount: Int
  let entryCount: Int
  let isKept: Bool
  /// With `--s3`.
  var servers: DemoServers?

  private static let places = [
    ("us-east1", "us-east1-b"), ("europe-west4", "europe-west4-a"), ("asia-northeast1", "asia-northeast1-c"),
  ]

  func run() async throws -> ExitStatus {
    let fleet = DemoFleet(folder: folder, nodes: nodeList())
    say("A fleet of \(counted(nodeCount, "node")) in \(folder)")
    if let servers {
      say(
        "The archive is \(servers.storeURL) on \(servers.storeEndpoint), the table's catalog \(servers.catalogURI)"
      )
    }
    try fleet.writeConfiguration(servers)
    let configuration = try Workspace.read(joined(folder, "gadwall.yaml"))
    return try await Workspace.open(configuration).closing { workspace in
      // Two hours at once: the first half is harvested before the second is written.
      let first = try fleet.writeHours(0..<2, entries: entryCount / 2, seed: 1)
      say(
        "\nTwo hours of logs, rotated: \(counted(first.files, "file")), \(grouped(first.lines)) lines, one of them malformed."
      )
      let one = try await harvest(workspace, "The first harvest")
      let second = try fleet.writeHours(2..<4, entries: entryCount - entryCount / 2, seed: 2)
      say(
        "\nTwo hours more, some of them gzip'd: \(counted(second.files, "file")), \(grouped(second.lines)) lines."
      )
      let two = try await harvest(workspace, "The second harvest")
      try await showTable(workspace)
      let left = fleet.rotatedFiles()
      say(
        "\nRotated files left on the nodes: \(left.count). The nodes' ledgers: \(try fleet.ledgerSummary()).")
      let report = try await VerifyCommand.verify(workspace)
      say("gadwall verify says:")
      Output.standard.write(VerifyCommand.rendered(report))
      let written = first.rows + second.rows
      let isRight =
        report.findings.isEmpty && report.tableRows == written && left.isEmpty && one.isComplete
        && two.isComplete
      if !isRight {
        throw Failure(
          "demo.wrong",
          "The demo wrote \(written) lines that are not blank, and the table holds \(report.tableRows); \(left.count) files are left.",
          remedy: "That is a bug of Gadwall: please report it with what is printed above.")
      }
      farewell()
      return .done
    }
  }

  private func nodeList() -> [Node] {
    (0..<nodeCount).map { index in
      let place = Self.places[index % Self.places.count]
      return Node(region: place.0, zone: place.1, name: "\(place.0)-vm\(index / Self.places.count + 1)")
    }
  }

  private func say(_ text: String) { Output.standard.line(text) }

  private func harvest(_ workspace: Workspace, _ title: String) async throws -> HarvestSummary {
    say("\n── \(title) ──\n")
    let view = ProgressView(isQuiet: Terminal.width(.errors) == nil)
    let summary = try await HarvestCommand.harvest(workspace, .init(), view)
    view.end()
    Output.standard.write(HarvestCommand.rendered(summary, width: Terminal.width(.standard)))
    return summary
  }

  private func showTable(_ workspace: Workspace) async throws {
    guard let table = try await workspace.catalog.load() else { return }
    let rows = try await workspace.duckdb.run(
      [
        """
        SELECT region, coalesce(category, '(malformed)') AS category, count(*) AS entries
        FROM iceberg_scan(\(workspace.catalog.metadataURL(of: table))) GROUP BY ALL ORDER BY ALL
        """
      ], DuckDB.Settings(load: ["avro", "iceberg"]))
    var shown = TextTable(columns: [("region", .left), ("category", .left), ("entries", .right)])
    shown.rows = (rows.first ?? []).map {
      [$0["region"]?.string ?? "", $0["category"]?.string ?? "", grouped($0["entries"]?.integer ?? 0)]
    }
    say("\n── The table, as DuckDB's iceberg_scan reads it ──\n")
    Output.standard.write(shown.rendered(width: Terminal.width(.standard)))
  }

  private func farewell() {
    guard isKept else {
      say("\nThe fleet is gone again. Keep one with: gadwall demo --directory DIR")
      return
    }
    let program = quotedForShell(executablePath())
    let place = quotedForShell(folder)
    let config = "--config \(place)/gadwall.yaml"
    let raw = "\(place)/nodes/\(nodeList()[0].name)/var/logs/raw_logs"
    if servers != nil {
      say(
        """

        The fleet is yours; its servers have ended. Try:

          \(place)/servers start
          \(program) generate --count 300 \(raw)/my_logs.log.1
          . \(place)/env && \(program) harvest \(config)
          . \(place)/env && \(program) verify \(config)
          . \(place)/env && \(program) raw list \(config)
          \(place)/servers stop
        """)
      return
    }
    say(
      """

      The fleet is yours. Try:

        \(program) generate --count 300 \(raw)/my_logs.log.1
        \(program) harvest \(config)
        \(program) verify \(config)
        \(program) config show \(config)
        ls -R \(place)/store | less
      """)
  }
}

/// The demo's nodes and what they write.
private struct DemoFleet: Sendable {
  let folder: String
  let nodes: [Node]

  struct Written {
    var files = 0
    var lines: Int64 = 0
    var rows: Int64 = 0
  }

  private func root(_ node: Node) -> String { joined(folder, "nodes/\(node.name)") }
  private func rawLogs(_ node: Node) -> String { joined(root(node), "var/logs/raw_logs") }
  /// With more than one node, the last has no logs at all.
  private var writers: [Node] { nodes.count > 1 ? Array(nodes.dropLast()) : nodes }

  func writeConfiguration(_ servers: DemoServers?) throws {
    var text = "# Made by 'gadwall demo'.\nengine: local\nlocal:\n  nodes:\n"
    for node in nodes {
      text +=
        "    - { region: \(node.region), zone: \(node.zone), name: \(node.name), root: nodes/\(node.name) }\n"
      for folder in ["var/log/app", "var/logs/raw_logs"] { try makeFolder(joined(root(node), folder)) }
    }
    text += """
      logs:
        live: [var/log/app/*.log]
        rotated: [var/logs/raw_logs/*]
      urgent: { where: "category = 'SECURITY' OR contains(text, 'SECURITY')", show: 5 }
      table: logs.events

      """
    if let servers {
      text += """
        store: { url: "\(servers.storeURL)", endpoint: "\(servers.storeEndpoint)" }
        catalog: { type: rest, uri: "\(servers.catalogURI)", warehouse: "\(servers.storeURL)/warehouse" }

        """
    } else {
      text += """
        store: { url: "file:store" }
        catalog: { type: directory }

        """
    }
    try publish(Array(text.utf8), at: joined(folder, "gadwall.yaml"), replacing: true)
  }

  /// Writes each node's log for these hours and rotates it at the end of each: renamed, and gzip'd in every other hour.
  func writeHours(_ hours: Range<Int>, entries: Int, seed: UInt64) throws -> Written {
    var written = Written()
    let end = WallClock.system.now().seconds / 3600 * 3600
    let rounds = max(1, entries / (writers.count * hours.count * LogGenerator.services.count))
    for (place, node) in writers.enumerated() {
      var generator = LogGenerator(seed: seed &* 1000 &+ UInt64(place))
      for hour in hours {
        let start = end - Int64(4 - hour) * 3600
        var lines: [UInt8] = []
        for round in 0..<rounds {
          let time = Instant(microseconds: start * 1_000_000 + Int64(round) * 3_600_000_000 / Int64(rounds))
          for service in LogGenerator.services {
            lines.append(contentsOf: generator.line(service: service, at: time).utf8)
          }
        }
        var count = rounds * LogGenerator.services.count
        if place == 0, hour == 0 {
          // A line that is no JSON, and urgent all the same.
          lines = Array("panic: runtime error: index out of range [SECURITY]\n".utf8) + lines
          count += 1
        }
        let live = joined(root(node), "var/log/app/my_logs.log")
        var log = try LogFile.open(live)
        try log.write(lines)
        try rotate(live, node: node, at: start + 3600, compressed: hour % 2 == 1)
        written.files += 1
        written.lines += Int64(count)
        written.rows += Int64(count)
      }
    }
    return written
  }

  /// As logrotate does with `olddir` and `dateext`: a rename, a new empty log, and gzip with the time kept.
  private func rotate(_ live: String, node: Node, at seconds: Int64, compressed: Bool) throws {
    let stamp = Instant(seconds: seconds).minuteStamp
    let target = joined(rawLogs(node), "my_logs.log-\(stamp.prefix(8))-\(stamp.dropFirst(8).prefix(2))")
    try renameFile(live, target, replacing: false)
    _ = try LogFile.open(live)
    if compressed {
      let content = try readFile(target, limit: .gibibytes(4))
      try publish(gzip(content), at: target + ".gz", replacing: false)
      try removeFile(target)
      try setModified(target + ".gz", seconds: seconds)
    } else {
      try setModified(target, seconds: seconds)
    }
  }

  /// What the nodes' own ledgers say, by state.
  func ledgerSummary() throws -> String {
    var counts: [BatchState: Int] = [:]
    for node in nodes {
      let ledger = try Ledger.open(joined(root(node), "var/lib/gadwall/ledger.sqlite"), node: node)
      for batch in try ledger.batches() { counts[batch.state, default: 0] += 1 }
    }
    let parts = BatchState.allCases.compactMap { state in
      counts[state].map { "\(counted($0, "batch", plural: "batches")) \(state.rawValue)" }
    }
    return parts.isEmpty ? "empty" : parts.joined(separator: ", ")
  }

  func rotatedFiles() -> [String] {
    nodes.flatMap { node in ((try? folderEntries(rawLogs(node))) ?? []).compactMap(\.name) }
  }
}

/// The text as one word of a shell.
func quotedForShell(_ text: String) -> String {
  let plain = text.utf8.allSatisfy { byte in
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
      || [0x2F, 0x2E, 0x5F, 0x2D].contains(byte)
  }
  return plain
    ? text
    : "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
}
