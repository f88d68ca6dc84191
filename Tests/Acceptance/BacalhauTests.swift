import Files
import Glibc
import Processes
import Support
import TestSupport
import Testing

extension TestFleet {
  /// The same nodes behind an orchestrator, with an archive on S3.
  func onBacalhau(
    more: [String: JSONValue] = [:], extra: String = "",
    _ change: (inout BacalhauStub.Node) -> Void = { _ in }
  ) async throws -> BacalhauStub {
    let archive = try #require(archive)
    let known = nodes.map { node in
      var known = BacalhauStub.Node(name: node.name, region: node.region, zone: node.zone, root: node.root)
      change(&known)
      return known
    }
    for node in nodes {
      let identity = "region: \(node.region)\nzone: \(node.zone)\nname: \(node.name)\n"
      try write(Array(identity.utf8), to: node.path("var/lib/gadwall/node.yaml"))
      let keys =
        "[default]\naws_access_key_id = \(archive.store.keyID)\naws_secret_access_key = \(archive.store.secret)\n"
      try write(Array(keys.utf8), to: node.path("etc/gadwall/credentials"))
    }
    let stub = try await BacalhauStub(
      nodes: known, program: Self.program, environment: ["TMPDIR": temporary], more: more)
    let text = """
      engine: bacalhau
      bacalhau:
        api: \(stub.api)
        image: \(BacalhauStub.image)
        mounts: [/var/logs:rw, /var/log/app:rw, /var/lib/gadwall:rw, /etc/gadwall:ro]
      \(extra)
      logs: { live: [var/log/app/*.log], rotated: [\(Self.rawLogs)/*] }
      \(archive.configuration)
      """
    try write(Array(text.utf8), to: config)
    return stub
  }
}

/// The whole way over an orchestrator that starts the tasks it is given: job specs are carried out, not only compared.
@Suite("The engine bacalhau", .tags(.large))
struct BacalhauTests {
  private func withFleet(
    more: [String: JSONValue] = [:], extra: String = "",
    _ change: (inout BacalhauStub.Node) -> Void = { _ in },
    _ body: (TestFleet, BacalhauStub) async throws -> Void
  ) async throws {
    try await TestFleet.with(nodes: 3, on: .s3) { fleet in
      for node in 0..<3 {
        try fleet.put(
          "my_logs.log-20261123-14", lines(ids("rotated-\(node)", 20)), on: node, stream: "my_logs.log")
        try fleet.write(lines(ids("live-\(node)", 10)), to: fleet.nodes[node].path("var/log/app/my_logs.log"))
      }
      try await body(fleet, try await fleet.onBacalhau(more: more, extra: extra, change))
    }
  }

  private static let count = "SELECT node, count(*) AS n FROM logs GROUP BY node ORDER BY node"
  private static func counts(_ numbers: [(String, Int)]) -> String {
    numbers.map { "{\"node\":\"\($0.0)\",\"n\":\($0.1)}\n" }.joined()
  }
  private static let all = counts([("vm1", 30), ("vm2", 30), ("vm3", 30)])

  @Test("A query, a harvest and a query again: the same rows")
  func wholeWay() async throws {
    try await withFleet { fleet, stub in
      let before = try await fleet.gadwall("query", Self.count)
      #expect(before.status == 0 && before.output == Self.all, "\(before)")
      let harvest = try await fleet.gadwall("harvest", "--format", "json")
      #expect(harvest.status == 0, "\(harvest)")
      for node in 0..<3 { #expect(try fleet.names(node) == []) }
      #expect(try await fleet.idCounts().count == 60)
      let after = try await fleet.gadwall("query", Self.count)
      #expect(after.status == 0 && after.output == Self.all, "\(after)")
      let verified = try await fleet.gadwall("verify")
      #expect(verified.status == 0, "\(verified)")

      let jobs = try await stub.jobs()
      #expect(
        jobs.compactMap { $0["Labels"]?["gadwall.task"]?.string } == ["query", "stage", "prune", "query"])
      #expect(Set(jobs.compactMap { $0["Name"]?.string }).count == 4)
      // Nothing of a key in what is sent, kept or printed.
      let archive = try #require(fleet.archive)
      let said = try await stub.requests().map(\.body).joined() + harvest.all + before.all
      #expect(!said.contains(archive.store.secret) && !said.contains(archive.store.keyID))
      #expect(try await stub.requests().allSatisfy { $0.headers["transfer-encoding"] == nil })
    }
  }

  @Test("Rows of a plain filter, and files of a frame, come back through the store")
  func rows() async throws {
    try await withFleet { fleet, _ in
      let asked = try await fleet.gadwall(
        "query", "SELECT id FROM live WHERE id LIKE 'live-1%' ORDER BY id LIMIT 2", "--format", "ndjson")
      #expect(
        asked.status == 0 && asked.output == "{\"id\":\"live-1-0\"}\n{\"id\":\"live-1-1\"}\n", "\(asked)")
    }
  }

  /// Why a node takes no part, by what is set of it; and the state that the coverage gives it.
  static let absences: [(set: [String: JSONValue], state: String, words: String)] = [
    (["connected": false], "offline", "Bacalhau has lost it"),
    (["approved": "PENDING"], "failed", "bacalhau node approve vm2"),
    (["docker": false], "failed", "Bacalhau has no Docker there"),
    (["memory": 500_000_000], "failed", "it is too small: a task wants 768MiB of memory"),
    (["busy": true], "failed", "it is busy"),
    (["allow": []], "failed", "Compute.AllowListedLocalPaths"),
    (
      ["allow": ["/var/logs:rw", "/var/lib/gadwall:rw", "/etc/gadwall:ro"]], "failed",
      "volume /var/log/app is not allowlisted"
    ),
    (
      ["probe": "echo 'column message may not leave this node' >&2; exit 1"], "refused",
      "column message may not"
    ),
    (["environment": ["GADWALL_DUCKDB": "/nowhere/duckdb"]], "failed", "/nowhere/duckdb"),
  ]

  @Test(
    "A node that takes no part is named with its reason, and the others answer", arguments: absences.indices)
  func absent(_ index: Int) async throws {
    let absence = Self.absences[index]
    try await withFleet({ node in
      if node.name == "vm2" {
        node.more = absence.set
      }
    }) { fleet, _ in
      let asked = try await fleet.gadwall("query", Self.count, "--coverage")
      #expect(asked.status == 1, "\(asked)")
      #expect(asked.output == Self.counts([("vm1", 30), ("vm3", 30)]), "\(asked)")
      let coverage = try JSONValue(parsing: Array(asked.errors.drop { $0 != "{" }.utf8))
      let node = coverage["nodes"]?.array?.first { $0["node"]?["name"]?.string == "vm2" }
      #expect(node?["state"]?.string == absence.state)
      #expect(node?["reason"]?.string?.contains(absence.words) == true, "\(asked.errors)")
    }
  }

  @Test("A harvest without one node is done in part; the next one has its lines")
  func harvestWithout() async throws {
    try await withFleet({ node in
      if node.name == "vm3" { node.more = ["connected": false] }
    }) { fleet, _ in
      let first = try await fleet.gadwall("harvest")
      #expect(first.status == 1 && first.all.contains("Bacalhau has lost it"), "\(first)")
      #expect(try await fleet.idCounts().count == 40)
      _ = try await fleet.onBacalhau()
      let second = try await fleet.gadwall("harvest")
      #expect(second.status == 0, "\(second)")
      #expect(try await fleet.idCounts().count == 60)
    }
  }

  @Test("A node that is lost in the middle of a harvest: its files stay, and the next harvest has them once")
  func lost() async throws {
    try await withFleet { fleet, stub in
      let endless = fleet.nodes[1].rawPath("endless.log.1")
      try fleet.write([], to: endless)
      try #require(truncate(endless, 4 << 40) == 0)
      let harvest = Task { try await fleet.gadwall("harvest", seconds: 120) }
      let isThere = try await eventually(seconds: 60 * patience) {
        fleet.processes().contains { $0.words.contains(fleet.nodes[1].root) && $0.words.contains("stage") }
      }
      #expect(isThere)
      try await stub.lose("vm2")
      let ended = try await harvest.value
      #expect(ended.status == 1 && ended.all.contains("Bacalhau lost the node while it worked"), "\(ended)")
      try removeFile(endless)
      _ = try await fleet.onBacalhau()
      let second = try await fleet.gadwall("harvest")
      #expect(second.status == 0, "\(second)")
      #expect(try await fleet.idCounts().values.allSatisfy { $0 == 1 })
      #expect(try await fleet.idCounts().count == 60)
    }
  }

  @Test("Labels that are not those of the node's own file: it refuses the task")
  func otherIdentity() async throws {
    try await withFleet({ node in
      if node.name == "vm2" { node.labels["zone"] = "europe-west4-b" }
    }) { fleet, _ in
      let asked = try await fleet.gadwall("query", Self.count)
      #expect(asked.status == 1 && asked.errors.contains("The task is not for the node"), "\(asked)")
    }
  }

  @Test("The deadline stops the job, and what is there is given; so does Ctrl-C")
  func stopped() async throws {
    try await withFleet({ node in
      if node.name == "vm2" { node.more = ["environment": ["GADWALL_DUCKDB": "/bin/sleep"]] }
    }) { fleet, stub in
      try fleet.write([], to: fleet.nodes[1].path("var/log/app/endless.log"))
      try #require(truncate(fleet.nodes[1].path("var/log/app/endless.log"), 4 << 40) == 0)
      let asked = try await fleet.gadwall("query", Self.count, "--deadline", "\(Int(6 * patience))s")
      #expect(asked.status == 1 && asked.errors.contains("timed out"), "\(asked)")
      #expect(asked.output == Self.counts([("vm1", 30), ("vm3", 30)]), "\(asked)")
      #expect(try await stub.requests("DELETE").count == 1)

      let query = try await RunningQuery(fleet, [Self.count])
      _ = try await fleet.busy { $0.isNodeTask && $0.words.contains(fleet.nodes[1].root) }
      query.signal(SIGINT)
      #expect(try await query.ended().status == .exited(130))
      #expect(try await stub.requests("DELETE").count == 2)
    }
  }

  @Test("A node's admission lets our jobs in and others not, and the audit log tells of both")
  func admission() async throws {
    try await withFleet({ node in
      node.more = ["probe": .string("\(TestFleet.program) node admit --root \(node.root)")]
    }) { fleet, stub in
      let policy =
        "images: [\"\(BacalhauStub.image)\"]\nmounts: [/var/logs:rw, /var/log/app:rw, /var/lib/gadwall:rw, /etc/gadwall:ro]\n"
      for (index, node) in fleet.nodes.enumerated() {
        let columns = index == 1 ? "columns: [node, ts]\n" : ""
        try fleet.write(Array((policy + columns).utf8), to: node.path("etc/gadwall/policy.yaml"))
      }
      let allowed = try await fleet.gadwall("query", Self.count)
      #expect(allowed.status == 0 && allowed.output == Self.all, "\(allowed)")
      let statement = "SELECT count(DISTINCT message) AS n FROM logs"
      let refused = try await fleet.gadwall("query", statement)
      #expect(refused.status == 1 && refused.errors.contains("does not let message out"), "\(refused)")
      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 0, "\(harvest)")

      let shown = try await fleet.gadwall("node", "audit", "--root", fleet.nodes[1].root, "--format", "json")
      let entries = try shown.output.split(separator: "\n").map { try JSONValue(parsing: Array($0.utf8)) }
      #expect(entries.map { $0["task"]?.string } == ["query", "query", "stage", "prune"])
      #expect(entries.map { $0["outcome"]?.string } == ["answered", "refused", "answered", "answered"])
      #expect(entries[0]["sql"]?.string == Self.count && entries[1]["sql"]?.string == statement)
      #expect(
        entries[0]["execution"]?.string?.hasPrefix("e-") == true
          && entries[1]["job"]?.string?.hasPrefix("j-") == true)
      #expect(entries[2]["files"]?.integer == 1 && entries[2]["rows"]?.integer == 20)
      let checked = try await fleet.gadwall("node", "audit", "--check", "--root", fleet.nodes[1].root)
      #expect(checked.status == 0 && checked.output.contains("4 lines"), "\(checked)")

      let log = fleet.nodes[1].path("var/lib/gadwall/audit.ndjson")
      let text = String(decoding: try readFile(log, limit: .mebibytes(1)), as: UTF8.self)
      try fleet.write(Array(text.replacing("refused", with: "answered").utf8), to: log)
      let forged = try await fleet.gadwall("node", "audit", "--check", "--root", fleet.nodes[1].root)
      #expect(forged.status == 1 && forged.output.contains("audit.ndjson, line 3"), "\(forged)")
      #expect(try await stub.jobs().count == 4)
    }
  }

  @Test(
    "A job on standard input that is hostile or none is refused with 2 and one sentence",
    arguments: [
      "", "{", "null", "[]", "{\"Job\":null}", String(repeating: "[", count: 100_000),
      String(repeating: "x", count: 2 << 20),
    ])
  func payloads(_ text: String) async throws {
    try await TestFleet.with(nodes: 1) { fleet in
      try fleet.write(Array("images: [x]\n".utf8), to: fleet.nodes[0].path("etc/gadwall/policy.yaml"))
      try fleet.write(Array(text.utf8), to: joined(fleet.folder, "job"))
      let judged = try await fleet.shell(
        "\(TestFleet.program) node admit --root \(fleet.nodes[0].root) < job")
      #expect(judged.status == 2 && judged.output.isEmpty, "\(judged)")
      #expect(judged.errors.split(separator: "\n").count == 1, "\(judged)")
    }
  }

  @Test("What would be submitted is printed, and nothing is")
  func printed() async throws {
    try await withFleet { fleet, stub in
      for words in [["query", Self.count, "--print-jobs"], ["harvest", "--print-jobs", "--node", "vm1"]] {
        let printed = try await fleet.gadwall(words)
        #expect(printed.status == 0, "\(printed)")
        let job = try printed.document()
        #expect(job["Type"]?.string == "ops")
        let parameters = job["Tasks"]?.array?.first?["Engine"]?["Params"]?["Parameters"]?.array ?? []
        let place = try #require(parameters.firstIndex(of: "--task"))
        let key = try #require(parameters[place + 1].string)
        #expect(try sha256(fleet.object(key)) == parameters[place + 3].string)
      }
      #expect(try await stub.jobs() == [])
    }
  }

  @Test("An answer to the submit that is lost: the job is not submitted twice")
  func lostAnswer() async throws {
    try await withFleet { fleet, stub in
      try await stub.spoil("PUT", "/jobs", ["cut": "after"])
      let asked = try await fleet.gadwall("query", Self.count)
      #expect(asked.status == 0 && asked.output == Self.all, "\(asked)")
      #expect(try await stub.jobs().count == 1)
    }
  }

  @Test("Behind a key: from the environment or a file, and said in no error")
  func login() async throws {
    let key = "0123456789abcdef0123456789abcdef"
    try await withFleet(more: ["key": .string(key)]) { fleet, _ in
      let without = try await fleet.gadwall("query", Self.count)
      #expect(without.status == 2 && without.errors.contains("BACALHAU_API_KEY"), "\(without)")
      let wrong = try await fleet.gadwall(
        ["query", Self.count], environment: ["BACALHAU_API_KEY": "wrong-key-wrong-key"])
      #expect(wrong.status == 2 && !wrong.all.contains("wrong-key"), "\(wrong)")
      let right = try await fleet.gadwall(["query", Self.count], environment: ["BACALHAU_API_KEY": key])
      #expect(right.status == 0 && right.output == Self.all, "\(right)")
      try fleet.write(Array("\(key)\n".utf8), to: joined(fleet.folder, "key"))
      let text = String(decoding: try readFile(fleet.config, limit: .mebibytes(1)), as: UTF8.self)
      try fleet.write(
        Array(text.replacing("bacalhau:\n  api", with: "bacalhau:\n  keyFile: key\n  api").utf8),
        to: fleet.config)
      let filed = try await fleet.gadwall("query", Self.count)
      #expect(filed.status == 0 && filed.output == Self.all, "\(filed)")
    }
  }
}
