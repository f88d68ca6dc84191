// What is wrong with one node, or one batch, keeps nobody else from being archived; and nothing of it is deleted.

import Files
import Support
import TestSupport
import Testing

@Suite("One fails, the others go on", .tags(.large))
struct OneNodeFailsTests {
  /// The first of two nodes is spoilt; the harvest ends with 1, says so, and the second node's file is archived.
  private func expectOneFails(
    _ words: [String], sourceLocation: SourceLocation = #_sourceLocation,
    spoil: (TestFleet) async throws -> TestFleet
  ) async throws {
    try await TestFleet.with(nodes: 2) { whole in
      try whole.put("a.log.1", lines(["a"]), on: 0, stream: "a.log")
      try whole.put("b.log.1", lines(["b"]), on: 1, stream: "b.log")
      let fleet = try await spoil(whole)
      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 1, "\(harvest)", sourceLocation: sourceLocation)
      for word in words {
        #expect(harvest.output.contains(word), "\(harvest)", sourceLocation: sourceLocation)
      }
      #expect(try fleet.names(1).isEmpty, sourceLocation: sourceLocation)
      #expect(try await fleet.idCounts()["b"] == 1, sourceLocation: sourceLocation)
      if exists(whole.nodes[0].rawPath("")) {
        #expect(try whole.names(0) == ["a.log.1"], sourceLocation: sourceLocation)
      }
    }
  }

  @Test("A node's root is missing")
  func missingRoot() async throws {
    try await expectOneFails(["us-east1/us-east1-b/vm1", "root"]) { fleet in
      try removeTree(fleet.nodes[0].root)
      return fleet
    }
  }

  @Test("All roots are missing: nobody answered, status 2")
  func allMissing() async throws {
    try await TestFleet.with { fleet in
      try removeTree(fleet.nodes[0].root)
      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 2, "\(harvest)")
    }
  }

  @Test("A node.yaml that says it is somebody else")
  func otherIdentity() async throws {
    try await expectOneFails(["us-east1/us-east1-b/elsewhere", "node.yaml", "node.identity"]) { fleet in
      try fleet.write(
        Array("region: us-east1\nzone: us-east1-b\nname: elsewhere\n".utf8),
        to: fleet.nodes[0].path("var/lib/gadwall/node.yaml"))
      return fleet
    }
  }

  @Test("A ledger that is another node's, and how to rename one")
  func otherLedger() async throws {
    try await expectOneFails(["us-east1/us-east1-b/vm1", "renamed", "ledger.identity", "rename a node"]) {
      fleet in
      try fleet.place(fleet.nodes[0].rawPath("first.log.1"), lines(["first"]))
      let first = try await fleet.gadwall("harvest", "--node", "vm1")
      #expect(first.status == 0, "\(first)")
      try fleet.place(fleet.nodes[0].rawPath("a.log.1"), lines(["a"]))
      var nodes = fleet.nodes
      nodes[0].name = "renamed"
      let renamed = TestFleet(folder: fleet.folder, nodes: nodes)
      try renamed.configure()
      return renamed
    }
  }

  @Test("A ledger that is no SQLite file")
  func brokenLedger() async throws {
    try await expectOneFails(["us-east1/us-east1-b/vm1", "ledger"]) { fleet in
      try fleet.write(
        Array(String(repeating: "no database ", count: 1000).utf8),
        to: fleet.nodes[0].path("var/lib/gadwall/ledger.sqlite"))
      return fleet
    }
  }

  @Test("A lost ledger guesses nothing: what is archived is not archived again")
  func lostLedger() async throws {
    try await TestFleet.with { fleet in
      try fleet.put("a.log.1", lines(["a"]), stream: "a.log")
      let stopped = try await fleet.gadwall("harvest", environment: ["GADWALL_STOP_AT": "prune.before"])
      #expect(stopped.status == 128 + 9, "\(stopped)")
      try removeTree(fleet.nodes[0].path("var/lib/gadwall"))
      try fleet.put("b.log.1", lines(["b"]), stream: "b.log")
      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 0, "\(harvest)")
      #expect(try await fleet.idCounts() == ["a": 1, "b": 1])
      #expect(try fleet.names().isEmpty)
      let verify = try await fleet.gadwall("verify")
      #expect(verify.status == 0, "\(verify)")
    }
  }

  @Test("A raw object with other content lies at a batch's key: it is kept, and so is the file")
  func otherRawObject() async throws {
    try await TestFleet.with { fleet in
      let content = lines(["a"])
      try fleet.put("a.log.1", content, stream: "a.log")
      try fleet.put("b.log.1", lines(["b"]), rotated: TestFleet.hour - 86_400, stream: "b.log")
      let parts = [
        "gadwall-batch-1", "us-east1", "us-east1-b", "vm1", TestFleet.rawLogs, "a.log", "\(TestFleet.hour)",
        sha256(content),
      ]
      let batch = sha256(Array(parts.map { $0 + "\n" }.joined().utf8))
      let key =
        "raw/dt=2026-11-23/\(batch.prefix(12))/\(fleet.nodes[0].label)-RAW-202611231400.json.gz"
      let other = gzip(lines(["somebody else's"]))
      try await fleet.replaceObject(key, with: other)

      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 1, "\(harvest)")
      #expect(harvest.output.contains(key) && harvest.output.contains("store.other-content"), "\(harvest)")
      #expect(try fleet.object(key) == other)
      #expect(try fleet.names() == ["a.log.1"])
      #expect(try await fleet.idCounts() == ["b": 1])

      // What the message says to do is enough.
      try await fleet.removeObject(key)
      let again = try await fleet.gadwall("harvest")
      #expect(again.status == 0, "\(again)")
      #expect(try await fleet.idCounts() == ["a": 1, "b": 1])
      #expect(try fleet.names().isEmpty)
    }
  }

  @Test("A report that can't be written is a failure of the node, and deletes nothing")
  func unwritableReport() async throws {
    try await TestFleet.with(on: .folder) { fleet in
      try fleet.put("a.log.1", lines(["a"]), stream: "a.log")
      let first = try await fleet.gadwall("harvest", environment: ["GADWALL_STOP_AT": "plan.before"])
      #expect(first.status == 128 + 9, "\(first)")
      let task = try #require(try fleet.objects("runs").first { $0.hasSuffix("/task/stage.json") })
      let staged = joined(fleet.store, "\(folderName(folderName(task)))/staged")
      try removeTree(staged)
      try fleet.write([], to: staged)
      let node = fleet.nodes[0]
      let stage = try await fleet.gadwall(
        ["node", "stage", "--root", node.root, "--task", task] + fleet.storeArguments,
        environment: ["GADWALL_REGION": node.region, "GADWALL_ZONE": node.zone, "GADWALL_NODE": node.name])
      #expect(stage.status == 2, "\(stage)")
      #expect(stage.errors.contains("staged") && stage.errors.contains("store.unwritable"), "\(stage)")
      #expect(try fleet.names() == ["a.log.1"])
    }
  }
}
