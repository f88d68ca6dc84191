// Files whose times are not what a clock that goes right would have given them.

import Files
import Support
import TestSupport
import Testing

@Suite("Odd times", .tags(.large))
struct OddTimesTests {
  @Test("A node whose clock is an hour ahead, or behind, of the control machine's")
  func nodesClock() async throws {
    try await TestFleet.with(nodes: 2) { fleet in
      let now = WallClock.system.now().seconds
      for round in 0..<2 {
        for (node, offset) in [(0, Int64(3_600)), (1, -3_600)] {
          try fleet.put(
            "my_logs.log.1", lines(ids("r\(round)n\(node)", 3)), on: node,
            rotated: now + offset + Int64(round),
            stream: "my_logs.log")
        }
        let harvest = try await fleet.gadwall("harvest")
        #expect(harvest.status == 0, "\(harvest)")
        #expect(try fleet.names(0).isEmpty && fleet.names(1).isEmpty)
      }
      #expect(try await fleet.comparison().differences == [])
      let verify = try await fleet.gadwall("verify", "--since", "1d")
      #expect(verify.status == 0 && verify.output.contains("4 batches"), "\(verify)")
    }
  }

  @Test("Before 1970, and further from it than nanoseconds can be counted: the table has the very second")
  func centuries() async throws {
    try await TestFleet.with { fleet in
      let raw = fleet.nodes[0].path(TestFleet.rawLogs)
      // A file system whose times are not cut to the years that others keep.
      try await SmallDisk.with(over: raw, .mebibytes(4)) { _ in
        let times: [Int64] = [
          -2_000_000_000, -1, 0, 2_147_483_648, 9_223_372_037, 13_569_465_600, 253_402_300_799,
        ]
        for (index, time) in times.enumerated() {
          try fleet.put("t\(index).log.1", lines(["t\(index)"]), rotated: time, stream: "t\(index).log")
        }
        let harvest = try await fleet.gadwall("harvest")
        #expect(harvest.status == 0, "\(harvest)")
        #expect(try fleet.names().isEmpty)
        #expect(try await fleet.comparison().differences == [])
        // In no year that the table can name.
        try fleet.place(fleet.nodes[0].rawPath("never.log.1"), lines(["never"]), rotated: .max)
        try fleet.place(fleet.nodes[0].rawPath("always.log.1"), lines(["always"]), rotated: .min)
        let again = try await fleet.gadwall("harvest")
        #expect(again.status == 0, "\(again)")
        #expect(try fleet.names().isEmpty)
        let all = times.indices.map { "t\($0)" } + ["never", "always"]
        #expect(try await fleet.idCounts() == counts(all))
        let verify = try await fleet.gadwall("verify", "--deep")
        #expect(verify.status == 0, "\(verify)")
      }
    }
  }
}
