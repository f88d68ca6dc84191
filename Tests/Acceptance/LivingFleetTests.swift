// Writers that write, a rotation that rotates and harvests that harvest, all at the same time.

import DuckDB
import Files
import Processes
import Support
import TestSupport
import Testing

@Suite("A fleet that lives", .tags(.large))
struct LivingFleetTests {
  @Test("Harvests while logs are written and rotated: every line once")
  func living() async throws {
    try await TestFleet.with(nodes: 2) { fleet in
      let writers = (0..<2).map { node in
        RunningWriter(fleet, fleet.nodes[node].path("var/log/app/my_logs.log"), every: "5ms", seed: node + 1)
      }
      for writer in writers { try await writer.start() }
      async let harvests = harvestRepeatedly(fleet, times: 6)
      for round in 0..<24 {
        for node in 0..<2 { try await rotate(fleet, node, round, compressed: round % 2 == 1) }
      }
      _ = try await harvests
      for writer in writers {
        let ended = try await writer.stop()
        #expect(ended.status == .exited(0), "\(ended.errorText)")
      }
      for node in 0..<2 {
        let live = fleet.nodes[node].path("var/log/app/my_logs.log")
        try renameFile(live, fleet.nodes[node].rawPath("my_logs.log-20261123"), replacing: false)
      }
      let last = try await fleet.gadwall("harvest")
      #expect(last.status == 0, "\(last)")
      for node in 0..<2 { #expect(try fleet.names(node).isEmpty) }

      let found = try await fleet.table("SELECT node, id FROM events")
      for node in 0..<2 {
        let ids = found.filter { $0["node"]?.string == fleet.nodes[node].name }.compactMap {
          $0["id"]?.string
        }
        #expect(ids.count > 100)
        let wanted = try await fleet.gadwall(
          "generate", "--seed", "\(node + 1)", "--count", "\(ids.count)", "-")
        let lines = try wanted.output.split(separator: "\n").map {
          try JSONValue(parsing: Array($0.utf8))["id"]?.string
        }
        #expect(ids.sorted() == lines.compactMap { $0 }.sorted())
      }
      let verify = try await fleet.gadwall("verify")
      #expect(verify.status == 0, "\(verify)")
    }
  }

  private func harvestRepeatedly(_ fleet: TestFleet, times: Int) async throws {
    for _ in 0..<times {
      let harvest = try await fleet.gadwall("harvest")
      // 1 is possible: a file that is gzip'd while it is looked at. Lost or doubled lines are what must not be.
      #expect([0, 1].contains(harvest.status), "\(harvest)")
    }
  }

  /// As logrotate does: waits for some lines, renames, and now and then has the older one gzip'd with its time kept.
  private func rotate(_ fleet: TestFleet, _ node: Int, _ round: Int, compressed: Bool) async throws {
    let live = fleet.nodes[node].path("var/log/app/my_logs.log")
    try #require(try await eventually { try exists(live) && FileInfo(path: live).size > 4_000 })
    let target = fleet.nodes[node].rawPath("my_logs.log.\(round)")
    try renameFile(live, target, replacing: false)
    try #require(try await eventually { exists(live) })
    if compressed, exists(target) {
      // A harvest may take the file away in between: gzip then has nothing to do.
      _ = try await fleet.shell("gzip '\(target)' 2>/dev/null")
    }
  }

  @Test("prune.keep: the file stays under a private name for that long, is not read again, and goes")
  func trash() async throws {
    try await TestFleet.with { fleet in
      try fleet.configure(extra: "prune: { keep: 2s }\n")
      try fleet.put("my_logs.log.1", lines(ids("a", 3)), stream: "my_logs.log")
      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 0, "\(harvest)")
      let kept = try fleet.names()
      #expect(kept.count == 1 && kept[0].hasPrefix(".gadwall-trash-"), "\(kept)")
      #expect(try readFile(fleet.nodes[0].rawPath(kept[0]), limit: .mebibytes(1)) == lines(ids("a", 3)))
      let deadline = Deadline.after(seconds: 30 * patience)
      while !deadline.hasPassed, try !fleet.names().isEmpty {
        let again = try await fleet.gadwall("harvest")
        #expect(again.status == 0, "\(again)")
      }
      #expect(try fleet.names().isEmpty)
      #expect(try await fleet.idCounts() == counts(ids("a", 3)))
    }
  }
}
