// Files that a harvest must leave where they are: what it says of each, with which exit status, and that the others go on.

import Files
import Glibc
import Support
import TestSupport
import Testing

@Suite("Left alone", .tags(.large))
struct LeftAloneTests {
  /// A fleet with one good file beside whatever the test puts there; afterwards the good one is archived and gone, and `name` is still there.
  private func harvestBeside(
    _ name: String, status: Int32, says words: [String], reason: String, content: [UInt8]? = nil,
    sourceLocation: SourceLocation = #_sourceLocation, _ prepare: (TestFleet, String) async throws -> Void
  ) async throws {
    try await TestFleet.with { fleet in
      try fleet.put("good.log.1", lines(ids("good", 3)), stream: "good.log")
      let path = fleet.nodes[0].rawPath(name)
      if let content { try fleet.place(path, content) }
      try await prepare(fleet, path)
      let before = content == nil ? nil : try readFile(path, limit: .mebibytes(1))

      let told = try await fleet.gadwall("harvest")
      #expect(told.status == status, "\(told)", sourceLocation: sourceLocation)
      for word in words { #expect(told.output.contains(word), "\(told)", sourceLocation: sourceLocation) }
      #expect(try fleet.names() == [name], sourceLocation: sourceLocation)
      if let before { #expect(try readFile(path, limit: .mebibytes(1)) == before) }
      #expect(try await fleet.idCounts() == counts(ids("good", 3)), sourceLocation: sourceLocation)

      let json = try await fleet.gadwall("harvest", "--format", "json", "--allow-partial")
      #expect(json.status == 0, "\(json)", sourceLocation: sourceLocation)
      let passed = try json.document()["nodes"]?.array?.first?["passedOver"]?.array ?? []
      #expect(passed.compactMap { $0["reason"]?.string } == [reason], sourceLocation: sourceLocation)
    }
  }

  @Test("A file that somebody has open for writing waits; when it is closed, it is archived")
  func openForWriting() async throws {
    try await TestFleet.with { fleet in
      let path = try fleet.put("my_logs.log.1", lines(ids("a", 2)), stream: "my_logs.log")
      do {
        let held = try Descriptor.append(path)
        let harvest = try await fleet.gadwall("harvest")
        #expect(harvest.status == 0, "\(harvest)")
        #expect(harvest.output.contains("my_logs.log.1"))
        #expect(try fleet.names() == ["my_logs.log.1"])
        #expect(try !fleet.hasTable())
        // A writer's last line, before it moves on to its new file.
        try held.write(lines(["late"]))
        try setModified(path, seconds: TestFleet.hour)
      }
      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 0, "\(harvest)")
      #expect(try fleet.names().isEmpty)
      #expect(try await fleet.idCounts() == counts(ids("a", 2) + ["late"]))
    }
  }

  @Test("A FIFO, without waiting for its writer")
  func fifo() async throws {
    try await harvestBeside("pipe.log.1", status: 0, says: ["pipe.log.1", "FIFO"], reason: "fifo") {
      _, path in
      #expect(mkfifo(path, 0o600) == 0)
    }
  }

  @Test("A symbolic link, its target unread")
  func link() async throws {
    try await harvestBeside(
      "linked.log.1", status: 0, says: ["linked.log.1", "symbolic link"], reason: "link"
    ) {
      fleet, path in
      let target = joined(fleet.folder, "elsewhere.log")
      try fleet.place(target, lines(["never"]))
      #expect(symlink(target, path) == 0)
    }
  }

  @Test("A directory")
  func directory() async throws {
    try await harvestBeside("old", status: 0, says: ["old", "directory"], reason: "directory") { _, path in
      try makeFolder(path)
    }
  }

  @Test(
    "Gzip that is broken, cut, or followed by something",
    arguments: ["flipped", "cut", "cut-in-header", "trailing"])
  func brokenGzip(kind: String) async throws {
    var bytes = gzip(lines(ids("broken", 200)))
    switch kind {
    case "flipped": bytes[bytes.count / 2] ^= 0x55
    case "cut": bytes.removeLast(20)
    case "cut-in-header": bytes = Array(bytes.prefix(5))
    default: bytes += Array("garbage".utf8)
    }
    try await harvestBeside(
      "bad.log.1.gz", status: 1, says: ["bad.log.1.gz", "was not read"], reason: "broken-gzip", content: bytes
    ) { _, _ in }
  }

  @Test(
    "Another compression, whatever the file is called",
    arguments: ["xz", "zstd", "bzip2", "xz in gzip", "gzip in gzip"])
  func otherCompression(kind: String) async throws {
    try await harvestBeside(
      "odd.log.1.gz", status: 1, says: ["odd.log.1.gz", "compress"], reason: "compression"
    ) {
      fleet, path in
      let plain = joined(fleet.folder, "plain")
      try fleet.write(lines(ids("x", 5)), to: plain)
      let command =
        switch kind {
        case "xz in gzip": "xz -c plain | gzip -c"
        case "gzip in gzip": "gzip -c plain | gzip -c"
        default: "\(kind) -c plain"
        }
      let made = try await fleet.shell("\(command) > '\(path)'")
      #expect(made.status == 0, "\(made)")
    }
  }

  @Test("A name that is no UTF-8, and one with a line feed")
  func oddName() async throws {
    try await TestFleet.with { fleet in
      try fleet.put("good.log.1", lines(ids("good", 3)), stream: "good.log")
      let raw = fleet.nodes[0].path(TestFleet.rawLogs)
      let made = try await fleet.shell(
        "cp '\(raw)/good.log.1' \"$(printf '\(raw)/caf\\351.log.1')\"; cp '\(raw)/good.log.1' '\(raw)/two\nlines.log.1'"
      )
      #expect(made.status == 0, "\(made)")
      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 1, "\(harvest)")
      #expect(harvest.output.contains("lines.log.1") && harvest.output.contains(".log.1 was not read"))
      #expect(!harvest.output.contains("two\nlines"))
      #expect(try fleet.names().count == 2)
      #expect(try await fleet.idCounts() == counts(ids("good", 3)))
    }
  }

  @Test("A copytruncate that is going on: left out until the live file has shrunk")
  func copytruncate() async throws {
    try await TestFleet.with { fleet in
      let content = lines(ids("a", 50))
      let live = fleet.nodes[0].path("var/log/app/my_logs.log")
      try fleet.place(live, content + lines(["newer"]))
      try fleet.put("my_logs.log.1", content, stream: "my_logs.log")
      let going = try await fleet.gadwall("harvest")
      #expect(going.status == 0, "\(going)")
      #expect(going.output.contains("my_logs.log.1") && going.output.contains("copytruncate"))
      #expect(try fleet.names() == ["my_logs.log.1"])
      #expect(try !fleet.hasTable())
      #expect(truncate(live, 0) == 0)
      let done = try await fleet.gadwall("harvest")
      #expect(done.status == 0, "\(done)")
      #expect(try fleet.names().isEmpty)
      #expect(try await fleet.idCounts() == counts(ids("a", 50)))
      // The live file itself is never touched.
      #expect(try FileInfo(path: live).size == 0)
    }
  }

  @Test("The live file, even when a glob for rotated files names it too")
  func liveFile() async throws {
    try await TestFleet.with { fleet in
      try fleet.configure(rotated: ["\(TestFleet.rawLogs)/*", "var/log/app/*"])
      try fleet.place(fleet.nodes[0].path("var/log/app/my_logs.log"), lines(["live"]))
      try fleet.put("my_logs.log.1", lines(["old"]), in: "var/log/app", stream: "my_logs.log")
      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 0, "\(harvest)")
      #expect(try fleet.names(in: "var/log/app") == ["my_logs.log"])
      #expect(try await fleet.idCounts() == ["old": 1])
    }
  }
}

/// Each of the ids once.
func counts(_ ids: [String]) -> [String: Int64] { Dictionary(uniqueKeysWithValues: ids.map { ($0, 1) }) }
