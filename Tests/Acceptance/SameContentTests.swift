// The same lines under two names, at two times, in two forms: one batch or two, and never a line twice or lost.

import Files
import Glibc
import Support
import TestSupport
import Testing

@Suite("One batch or two", .tags(.large))
struct SameContentTests {
  /// Runs a harvest that is killed at the point, on a fleet with one file of three lines.
  private func staged(
    stopAt point: String = "prune.before", _ body: (TestFleet, String) async throws -> Void
  ) async throws {
    try await TestFleet.with { fleet in
      let path = try fleet.put("my_logs.log.1", lines(ids("a", 3)), stream: "my_logs.log")
      let stopped = try await fleet.gadwall("harvest", environment: ["GADWALL_STOP_AT": point])
      #expect(stopped.status != 0, "\(stopped)")
      #expect(try fleet.names() == ["my_logs.log.1"])
      try await body(fleet, path)
    }
  }

  private func expectDone(
    _ fleet: TestFleet, _ ids: [String], sourceLocation: SourceLocation = #_sourceLocation
  )
    async throws
  {
    let harvest = try await fleet.gadwall("harvest")
    #expect(harvest.status == 0, "\(harvest)", sourceLocation: sourceLocation)
    #expect(try fleet.names().isEmpty, sourceLocation: sourceLocation)
    #expect(try await fleet.idCounts() == counts(ids), sourceLocation: sourceLocation)
  }

  @Test(
    "Appended to after it was staged: held, not deleted, no line twice",
    arguments: ["stage.completed", "plan.after", "prune.before"])
  func appended(point: String) async throws {
    try await staged(stopAt: point) { fleet, path in
      do {
        let file = try Descriptor.append(path)
        try file.write(lines(["late"]))
      }
      for _ in 0..<2 {
        let harvest = try await fleet.gadwall("harvest")
        #expect(harvest.status == 1, "\(harvest)")
        #expect(harvest.output.contains("my_logs.log.1") && harvest.output.contains("content has changed"))
        #expect(try fleet.names() == ["my_logs.log.1"])
        #expect(try readFile(path, limit: .mebibytes(1)) == lines(ids("a", 3) + ["late"]))
        let there = try await fleet.idCounts()
        #expect(there == counts(ids("a", 3)))
      }
    }
  }

  @Test(
    "Changed before any of it was in the store: held once, and then read whole",
    arguments: ["grown", "shrunk"])
  func changedWhileFixed(how: String) async throws {
    try await staged(stopAt: "stage.fixed") { fleet, path in
      let after = how == "grown" ? ids("a", 3) + ["late"] : ids("a", 2)
      // The same file: another would be another batch.
      if how == "grown" {
        try Descriptor.append(path).write(lines(["late"]))
      } else {
        try #require(truncate(path, off_t(lines(after).count)) == 0)
      }
      try waitUntilNobodyWrites(path)
      let first = try await fleet.gadwall("harvest")
      #expect(first.status == 1 && first.output.contains("content has changed"), "\(first)")
      #expect(try !fleet.hasTable())
      try await expectDone(fleet, after)
    }
  }

  @Test(
    "Only its time has changed: the batch that it was",
    arguments: ["stage.fixed", "stage.uploaded", "stage.completed", "prune.before"])
  func touched(point: String) async throws {
    try await staged(stopAt: point) { fleet, path in
      try setModified(path, seconds: TestFleet.hour + 3600)
      try await expectDone(fleet, ids("a", 3))
    }
  }

  @Test(
    "Renamed by logrotate between stage and prune: found, archived once, deleted",
    arguments: [
      ("stage.fixed", "my_logs.log.2"), ("stage.completed", "my_logs.log-20261123"),
      ("plan.after", "my_logs.log.2"),
      ("prune.before", "my_logs.log-20261123-14"),
    ])
  func renamed(point: String, name: String) async throws {
    try await staged(stopAt: point) { fleet, path in
      try renameFile(path, fleet.nodes[0].rawPath(name), replacing: false)
      try await expectDone(fleet, ids("a", 3))
    }
  }

  @Test(
    "Renamed to another stream's name: the inode says what it is",
    arguments: ["stage.completed", "prune.before"])
  func renamedAway(point: String) async throws {
    try await staged(stopAt: point) { fleet, path in
      try renameFile(path, fleet.nodes[0].rawPath("archive-of-mine"), replacing: false)
      try await expectDone(fleet, ids("a", 3))
    }
  }

  @Test(
    "Renamed while the harvest is between stage and prune", arguments: ["my_logs.log.2", "archive-of-mine"])
  func renamedMidway(name: String) async throws {
    try await staged(stopAt: "prune.proven") { fleet, path in
      try renameFile(path, fleet.nodes[0].rawPath(name), replacing: false)
      // The prune that was killed once more, just as the engine starts it: no stage has looked for the file in between.
      let document = try #require(try fleet.objects("runs").first { $0.hasSuffix("/task/prune.json") })
      let node = fleet.nodes[0]
      let prune = try await fleet.gadwall(
        ["node", "prune", "--root", node.root, "--task", document] + fleet.storeArguments,
        environment: ["GADWALL_REGION": node.region, "GADWALL_ZONE": node.zone, "GADWALL_NODE": node.name])
      #expect(prune.status == 0, "\(prune)")
      try await expectDone(fleet, ids("a", 3))
    }
  }

  @Test("Shifted by rotation, a new file under the old name", arguments: ["stage.completed", "prune.before"])
  func shifted(point: String) async throws {
    try await staged(stopAt: point) { fleet, path in
      try renameFile(path, fleet.nodes[0].rawPath("my_logs.log.2"), replacing: false)
      try fleet.put(
        "my_logs.log.1", lines(ids("b", 2)), rotated: TestFleet.hour + 3600, stream: "my_logs.log")
      try await expectDone(fleet, ids("a", 3) + ids("b", 2))
    }
  }

  @Test(
    "gzip'd by logrotate between stage and prune: the same batch",
    arguments: ["stage.fixed", "stage.completed", "prune.before"])
  func compressedLater(point: String) async throws {
    try await staged(stopAt: point) { fleet, path in
      try fleet.place(path + ".gz", gzip(lines(ids("a", 3))))
      try removeFile(path)
      try await expectDone(fleet, ids("a", 3))
    }
  }

  @Test(
    "Removed by rotation after it was staged: the store has it", arguments: ["stage.completed", "plan.after"])
  func removed(point: String) async throws {
    try await staged(stopAt: point) { fleet, path in
      try removeFile(path)
      try await expectDone(fleet, ids("a", 3))
    }
  }

  @Test("A .gz that shows up for a batch already pruned goes too, without a row")
  func lateGzip() async throws {
    try await TestFleet.with { fleet in
      let path = try fleet.put("my_logs.log.1", lines(ids("a", 3)), stream: "my_logs.log")
      try await expectDone(fleet, ids("a", 3))
      let metadata = try fleet.tableMetadata()
      try fleet.place(path + ".gz", gzip(lines(ids("a", 3))))
      try await expectDone(fleet, ids("a", 3))
      #expect(try fleet.tableMetadata() == metadata)
    }
  }

  @Test("NAME beside NAME.gz: one batch, and both go", arguments: ["whole", "beginning", "cut", "empty"])
  func besideItsGzip(kind: String) async throws {
    try await TestFleet.with { fleet in
      let content = lines(ids("a", 400))
      let path = try fleet.put("my_logs.log.1", content, stream: "my_logs.log")
      let beside: [UInt8] =
        switch kind {
        case "whole": gzip(content)
        case "beginning": gzip(Array(content.prefix(1_000)))
        case "cut": Array(gzip(content).dropLast(30))
        default: []
        }
      try fleet.place(path + ".gz", beside)
      try await expectDone(fleet, ids("a", 400))
    }
  }

  @Test("NAME.gz beside NAME holds something else: it stays, with its reason")
  func besideAnother() async throws {
    try await TestFleet.with { fleet in
      let path = try fleet.put("my_logs.log.1", lines(ids("a", 3)), stream: "my_logs.log")
      try fleet.place(path + ".gz", gzip(lines(["other"])))
      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 1, "\(harvest)")
      #expect(harvest.output.contains("my_logs.log.1.gz"))
      #expect(try fleet.names() == ["my_logs.log.1.gz"])
      // By itself it is a file like any other now.
      try await expectDone(fleet, ids("a", 3) + ["other"])
    }
  }

  @Test(
    "A twin: the same stream, second and content in another file is held, until it is touched or removed",
    arguments: ["together", "later"])
  func twin(kind: String) async throws {
    try await TestFleet.with { fleet in
      try fleet.put("my_logs.log.1", lines(ids("a", 3)), stream: "my_logs.log")
      if kind == "later" {
        let stopped = try await fleet.gadwall("harvest", environment: ["GADWALL_STOP_AT": "plan.after"])
        #expect(stopped.status == 128 + 9, "\(stopped)")
      }
      try fleet.place(fleet.nodes[0].rawPath("my_logs.log.2"), lines(ids("a", 3)))
      // Also when the one whose twin it is has been archived and deleted.
      for _ in 0..<2 {
        let harvest = try await fleet.gadwall("harvest", "--format", "json")
        #expect(harvest.status == 1, "\(harvest)")
        let passed = try harvest.document()["nodes"]?.array?.first?["passedOver"]?.array ?? []
        #expect(passed.compactMap { $0["reason"]?.string } == ["held"])
        #expect(try fleet.names() == ["my_logs.log.2"])
        #expect(try await fleet.idCounts() == counts(ids("a", 3)))
      }
      try setModified(fleet.nodes[0].rawPath("my_logs.log.2"), seconds: TestFleet.hour + 1)
      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 0, "\(harvest)")
      #expect(try fleet.names().isEmpty)
      #expect(try await fleet.idCounts() == counts(ids("a", 3)).mapValues { $0 * 2 })
    }
  }

  @Test("The same content in another second, and in another stream, are other batches")
  func sameContent() async throws {
    try await TestFleet.with { fleet in
      let content = Array(#"{"id":"same"}"#.utf8) + [0x0A]
      try fleet.put("my_logs.log.1", content, stream: "my_logs.log")
      try fleet.put("my_logs.log.2", content, rotated: TestFleet.hour - 1, stream: "my_logs.log")
      try fleet.put("other.log.1", content, stream: "other.log")
      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 0, "\(harvest)")
      #expect(try await fleet.idCounts() == ["same": 3])
      #expect(try await fleet.comparison().differences == [])
    }
  }

  @Test("The same stream, second and content in another folder is another batch, however late it comes")
  func otherFolder() async throws {
    try await TestFleet.with { fleet in
      try fleet.configure(rotated: ["var/logs/*/*"])
      let content = lines(["started"])
      for folder in ["auth", "web", "late"] {
        if folder == "late" {
          // The first two are archived and deleted by now.
          let first = try await fleet.gadwall("harvest")
          #expect(first.status == 0, "\(first)")
          #expect(try await fleet.idCounts() == ["started": 2])
        }
        try fleet.put("my_logs.log.1", content, in: "var/logs/\(folder)", stream: "my_logs.log")
      }
      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 0, "\(harvest)")
      #expect(try fleet.names(in: "var/logs/late").isEmpty)
      #expect(try await fleet.idCounts() == ["started": 3])
      #expect(try await fleet.comparison().differences == [])
    }
  }

  @Test("A hard link is no second file")
  func hardLink() async throws {
    try await TestFleet.with { fleet in
      let path = try fleet.put("my_logs.log.1", lines(ids("a", 3)), stream: "my_logs.log")
      let made = try await fleet.shell("ln '\(path)' '\(fleet.nodes[0].rawPath("my_logs.log.2"))'")
      #expect(made.status == 0, "\(made)")
      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 0, "\(harvest)")
      #expect(try await fleet.idCounts() == counts(ids("a", 3)))
      try await expectDone(fleet, ids("a", 3))
    }
  }
}
