// A query that is cut off, interrupted or abandoned: nothing of it goes on, and nothing of it is left.

import Files
import Glibc
import Processes
import Support
import TestSupport
import Testing

@Suite("An interrupted query", .tags(.large))
struct QueryInterruptionTests {
  /// Three nodes with ten lines each.
  ///
  /// - Parameter hasEnd: false for a log of the second node's that never ends: 4 TiB in a file without a byte on the disk.
  private func withNodes(
    hasEnd: Bool = true, on backend: TestBackend = .current, _ body: (TestFleet) async throws -> Void
  ) async throws {
    try await TestFleet.with(nodes: 3, on: backend) { fleet in
      for node in 0..<3 {
        try fleet.write(lines(ids("live-\(node)", 10)), to: fleet.nodes[node].path("var/log/app/a.log"))
      }
      if !hasEnd {
        let endless = fleet.nodes[1].path("var/log/app/endless.log")
        try fleet.write([], to: endless)
        try #require(truncate(endless, 4 << 40) == 0, "no file of 4 TiB: \(errno)")
      }
      try await body(fleet)
    }
  }

  /// So many rows that a node asks its DuckDB of them.
  private func writeMany(_ fleet: TestFleet) throws {
    try fleet.write(lines(ids("many", 200)), to: fleet.nodes[1].path("var/log/app/many.log"))
  }

  /// Long enough for all nodes but one to answer on a machine that has much else to do.
  private static let deadline = "\(Int(12 * patience))s"

  /// Lets the node with the endless log stand still in the midst of it, as with a disk that does not answer.
  private func hang(_ fleet: TestFleet, askedBy query: pid_t? = nil) async throws -> FleetProcess {
    let node = try await fleet.busy(seconds: 0.2) {
      $0.isNodeTask && $0.words.contains(fleet.nodes[1].root) && (query == nil || $0.parent == query)
    }
    #expect(kill(node.pid, SIGSTOP) == 0)
    return node
  }

  @Test("Rows of a plain filter are there while another node still reads; those of an aggregate are not")
  func rowsAsTheyCome() async throws {
    try await withNodes(hasEnd: false) { fleet in
      func started(_ statement: String, _ name: String) async throws -> (query: RunningQuery, path: String) {
        let path = joined(fleet.folder, name)
        return (
          try await RunningQuery(fleet, [statement, "--format", "ndjson", "--output", path, "--quiet"]), path
        )
      }
      let (plain, rows) = try await started("SELECT node, id FROM live WHERE id IS NOT NULL", "rows.ndjson")
      let (whole, groups) = try await started(
        "SELECT node, count(*) AS n FROM live GROUP BY node", "n.ndjson")
      let came = try await eventually(seconds: 60 * patience) {
        guard let bytes = try? readFile(rows, limit: .mebibytes(1)) else { return false }
        let text = String(decoding: bytes, as: UTF8.self)
        return text.contains("vm1") && text.contains("vm3")
      }
      #expect(came && !exists(groups))
      for query in [plain, whole] {
        query.signal(SIGINT)
        #expect(try await query.ended().status == .exited(130))
      }
      // Each of them once.
      let lines = String(decoding: try readFile(rows, limit: .mebibytes(1)), as: UTF8.self).split(
        separator: "\n")
      #expect(lines.count == 20 && Set(lines).count == 20)
    }
  }

  @Test("--deadline cuts a node off that hangs; the others' rows come, and nothing of it goes on")
  func deadline() async throws {
    try await withNodes(hasEnd: false) { fleet in
      let watch = Stopwatch()
      let statement = "SELECT node, count(*) AS n FROM live GROUP BY node ORDER BY node"
      let query = try await RunningQuery(
        fleet, [statement, "--deadline", Self.deadline, "--format", "json", "--coverage"])
      let allowed = try await RunningQuery(
        fleet, [statement, "--deadline", Self.deadline, "--format", "ndjson", "--allow-partial"])
      for asked in [query, allowed] { _ = try await hang(fleet, askedBy: asked.pid) }
      let before = fleet.processes()

      let ended = try await query.ended()
      #expect(ended.status == .exited(1), "\(ended.errorText)")
      #expect(ended.errorText.contains("2 of 3 nodes, 1 timed out"), "\(ended.errorText)")
      let document = try JSONValue(parsing: ended.output)
      #expect(document["rows"]?.array == [["node": "vm1", "n": 10], ["node": "vm3", "n": 10]])
      let states = document["coverage"]?["nodes"]?.array?.map {
        "\($0["node"]?["name"]?.string ?? "") \($0["state"]?.string ?? "")"
      }
      #expect(states?.sorted() == ["vm1 answered", "vm2 timed-out", "vm3 answered"])
      let other = try await allowed.ended()
      #expect(other.status == .exited(0), "\(other.errorText)")
      #expect(
        other.errorText.contains("✘ europe-west4/europe-west4-a/vm2: timed-out"), "\(other.errorText)")
      #expect(watch.seconds < 60 * patience)

      try await fleet.expectNobodyLeft(of: before)
      #expect(try fleet.names(fleet.temporary) == [])
      #expect(try fleet.objects("queries") == [])
    }
  }

  @Test("--deadline: what the archive holds is in the answer, also when a node is cut off")
  func deadlineOverArchive() async throws {
    try await withNodes(hasEnd: false) { fleet in
      for node in 0..<3 {
        try fleet.put("a.log.1", lines(ids("archived-\(node)", 5)), on: node, stream: "a.log")
      }
      #expect(try await fleet.gadwall("harvest").status == 0)
      let statement = "SELECT node, count(*) AS n FROM logs GROUP BY node ORDER BY node"
      let query = try await RunningQuery(
        fleet, [statement, "--deadline", Self.deadline, "--format", "json"])
      _ = try await hang(fleet)
      let ended = try await query.ended()
      #expect(ended.status == .exited(1), "\(ended.errorText)")
      #expect(
        try JSONValue(parsing: ended.output)["rows"]?.array == [
          ["node": "vm1", "n": 15], ["node": "vm2", "n": 5], ["node": "vm3", "n": 15],
        ])
    }
  }

  @Test("What a node that was cut off has left is gone after the next query or harvest")
  func nodeScratch() async throws {
    try await withNodes(hasEnd: false) { fleet in
      let query = try await RunningQuery(fleet, [Phase.scan.statement])
      try await Phase.scan.reached(fleet)
      query.signal(SIGINT)
      _ = try await query.ended()
      try removeFile(fleet.nodes[1].path("var/log/app/endless.log"))
      #expect(try await fleet.gadwall("query", "SELECT count(*) FROM live").status == 0)
      #expect(try await fleet.gadwall("harvest").status == 0)
      for node in 0..<3 {
        let left = try fleet.names(node, in: "var/lib/gadwall").filter { $0.hasPrefix("query-") }
        #expect(left == [])
      }
    }
  }

  @Test("SIGHUP ends it as other signals do")
  func hangup() async throws {
    try await withNodes { fleet in
      let query = try await RunningQuery(fleet, [Phase.gather.statement])
      try await Phase.gather.reached(fleet)
      query.signal(SIGHUP)
      let isGone = try await eventually { fleet.processes().isEmpty }
      #expect(isGone)
      await query.end()
    }
  }

  @Test("A query leaves nothing in the store, no folder either")
  func emptyFolders() async throws {
    try await withNodes(on: .folder) { fleet in
      let ended = try await fleet.gadwall("query", "SELECT count(*) FROM live")
      #expect(ended.status == 0, "\(ended)")
      #expect(try fleet.names(joined(fleet.store, "queries")) == [])
    }
  }

  @Test("A statement that never ends, ends at its deadline")
  func endlessStatement() async throws {
    try await withNodes { fleet in
      let watch = Stopwatch()
      let ended = try await fleet.gadwall(
        "query", Phase.gather.statement, "--deadline", "5s", seconds: 100)
      #expect(ended.status == 2 && ended.errors.contains("duckdb.deadline"), "\(ended)")
      #expect(watch.seconds < 20 * patience)
    }
  }

  @Test("Every node hangs: nobody answered, and the status is 2")
  func everybodyHangs() async throws {
    try await withNodes(hasEnd: false) { fleet in
      let query = try await RunningQuery(
        fleet, ["SELECT count(*) AS n FROM live", "--node", "vm2", "--deadline", Self.deadline])
      let before = [try await hang(fleet)]
      let ended = try await query.ended()
      #expect(ended.status == .exited(2), "\(ended.errorText)")
      #expect(ended.errorText.contains("0 of 1 node, 1 timed out"), "\(ended.errorText)")
      try await fleet.expectNobodyLeft(of: before)
      #expect(try fleet.names(fleet.temporary) == [])
    }
  }

  /// What a query is doing when it is interrupted.
  enum Phase: String, CaseIterable {
    /// A node reads its files.
    case scan
    /// A node's DuckDB runs the statement's expressions.
    case question
    /// The control machine's DuckDB does.
    case gather

    var statement: String {
      switch self {
      case .scan: "SELECT node, count(*) AS n FROM live GROUP BY node"
      case .question:
        "SELECT max(levenshtein(repeat('a', 400000 + line), repeat('b', 400000))) AS n FROM live"
      case .gather: "SELECT sum(a.range * 7 % 3) AS n FROM range(1000000000000) a"
      }
    }

    func isReached(_ process: FleetProcess, _ all: [FleetProcess], _ query: pid_t) -> Bool {
      switch self {
      case .scan: process.isNodeTask
      case .question:
        process.isDuckDB && all.contains { $0.isNodeTask && $0.pid == process.parent }
      case .gather: process.isDuckDB && process.parent == query
      }
    }

    /// Waits until a query of the fleet's is at it.
    func reached(_ fleet: TestFleet) async throws {
      _ = try await fleet.busy { process in
        let all = fleet.processes()
        return all.contains { isReached(process, all, $0.pid) && $0.words.dropFirst().first == "query" }
      }
    }
  }

  @Test(
    "SIGINT and SIGTERM end all of it: 128 and the signal's number", arguments: [SIGINT, SIGTERM],
    Phase.allCases)
  func interrupted(by signal: Int32, in phase: Phase) async throws {
    try await withNodes(hasEnd: phase != .scan) { fleet in
      try writeMany(fleet)
      let query = try await RunningQuery(fleet, [phase.statement, "--format", "json"])
      try await phase.reached(fleet)
      let before = fleet.processes()
      #expect(before.count > 1)
      query.signal(signal)
      let ended = try await query.ended()
      #expect(ended.status == .exited(128 + signal), "\(ended)")
      #expect(ended.output.isEmpty && ended.errorText.contains("signal \(signal)"), "\(ended.errorText)")
      try await fleet.expectNobodyLeft(of: before)
      #expect(try fleet.names(fleet.temporary) == [])
      try await expectAnswer(fleet)
    }
  }

  @Test(
    "SIGKILL: its children end with it, and the next query removes what it left here",
    arguments: Phase.allCases)
  func killed(in phase: Phase) async throws {
    try await withNodes(hasEnd: phase != .scan) { fleet in
      try writeMany(fleet)
      let query = try await RunningQuery(fleet, [phase.statement])
      try await phase.reached(fleet)
      let before = fleet.processes()
      query.signal(SIGKILL)
      #expect(try await query.ended().status == .signalled(SIGKILL))
      try await fleet.expectNobodyLeft(of: before)
      #expect(try fleet.names(fleet.temporary).count == 1)
      try await expectAnswer(fleet)
      #expect(try fleet.names(fleet.temporary) == [])
    }
  }

  @Test("SIGKILL: what it left in the store goes with the first harvest a day later")
  func sweptStore() async throws {
    // Not on rclone, which remembers when a file was written.
    try await withNodes(hasEnd: false, on: .folder) { fleet in
      let query = try await RunningQuery(fleet, [Phase.scan.statement])
      try await Phase.scan.reached(fleet)
      let before = fleet.processes()
      query.signal(SIGKILL)
      _ = try await query.ended()
      try await fleet.expectNobodyLeft(of: before)
      let left = try fleet.objects("queries")
      #expect(left.contains { $0.hasSuffix("-task.json") }, "\(left)")
      for key in left {
        try setModified(joined(fleet.store, key), seconds: WallClock.system.now().seconds - 90_000)
      }
      let harvest = try await fleet.gadwall("harvest", "--node", "vm1")
      #expect(harvest.status == 0, "\(harvest)")
      #expect(try fleet.objects("queries") == [])
    }
  }

  /// A query that has nothing to do with the one that was interrupted has its answer.
  private func expectAnswer(_ fleet: TestFleet) async throws {
    let next = try await fleet.gadwall(
      "query", "SELECT count(*) AS n FROM live", "--node", "vm1", "--node", "vm3", "--format", "ndjson")
    #expect(next.status == 0 && next.output == "{\"n\":20}\n", "\(next)")
  }

  @Test("Ctrl-C at a terminal: 130, and the terminal is as it was", arguments: [Phase.scan, .gather])
  func controlC(in phase: Phase) async throws {
    try await withNodes(hasEnd: phase != .scan) { fleet in
      let session = try await TerminalSession.run(fleet, ["query", phase.statement], end: .interrupt) {
        try await phase.reached(fleet)
      }
      #expect(session.status == 130 && session.isSame, "\(session)")
      // No colour, hidden cursor or other screen is left switched on.
      #expect(!session.shown.contains("\u{1B}") && session.shown.hasSuffix("\r\n"), "\(session.shown)")
      try await fleet.expectNobodyLeft(of: [])
      #expect(try fleet.names(fleet.temporary) == [])
    }
  }

  @Test("A terminal that is closed: the query ends, at its deadline at the latest, and nothing of it is left")
  func closedTerminal() async throws {
    try await withNodes(hasEnd: false) { fleet in
      let session = try await TerminalSession.run(
        fleet, ["query", Phase.scan.statement, "--deadline", Self.deadline], end: .close
      ) { _ = try await hang(fleet) }
      // By the signal, or because there is nobody to write to.
      #expect(session.status == 128 + Int64(SIGHUP), "\(session)")
      try await fleet.expectNobodyLeft(of: [])
      #expect(try fleet.names(fleet.temporary) == [])
    }
  }

  @Test(
    "A reader that goes after the first line, or before it: quiet, and nothing is left",
    arguments: ["ndjson", "csv", "json", "table", "markdown"])
  func closedOutput(format: String) async throws {
    try await withNodes { fleet in
      for reader in ["head -n 1", "true"] {
        let ended = try await fleet.shell(
          """
          { '\(TestFleet.program)' query "SELECT line, range AS n, message FROM live, range(1000)" --format \(format) 2>errors; echo $? >status; } | \(reader)
          """)
        #expect(
          ended.status == 0 && ended.output.count { $0 == "\n" } == (reader == "true" ? 0 : 1), "\(ended)")
        func text(_ name: String) throws -> String {
          String(decoding: try readFile(joined(fleet.folder, name), limit: .mebibytes(1)), as: UTF8.self)
        }
        let (status, errors) = (try text("status"), try text("errors"))
        #expect(status == "0\n" && !errors.contains("gadwall:"), "\(status)\(errors)")
        try await fleet.expectNobodyLeft(of: [])
        #expect(try fleet.names(fleet.temporary) == [])
        #expect(try fleet.objects("queries") == [])
      }
    }
  }
}
