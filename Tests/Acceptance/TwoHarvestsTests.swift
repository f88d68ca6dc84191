// Two harvests of one fleet at once, as when a timer fires while somebody tries it by hand.

import Support
import TestSupport
import Testing

@Suite("Two harvests at once", .tags(.large))
struct TwoHarvestsTests {
  @Test("Both end well, and every line is in the table once", arguments: [1, 2])
  func together(round: Int) async throws {
    try await TestFleet.with(nodes: 2) { fleet in
      var written: [String] = []
      for node in 0..<2 {
        for file in 0..<6 {
          let ids = ids("\(node)-\(file)", 50)
          written += ids
          try fleet.put(
            "my_logs.log.\(file)", lines(ids), on: node, rotated: TestFleet.hour - Int64(file) * 40_000,
            stream: "my_logs.log")
        }
      }
      async let one = fleet.gadwall("harvest")
      async let two = fleet.gadwall("harvest")
      for ended in try await [one, two] { #expect([0, 1].contains(ended.status), "\(ended)") }
      let last = try await fleet.gadwall("harvest")
      #expect(last.status == 0, "\(last)")
      #expect(try await fleet.idCounts() == counts(written))
      for node in 0..<2 { #expect(try fleet.names(node).isEmpty) }
      let verify = try await fleet.gadwall("verify")
      #expect(verify.status == 0, "\(verify)")
    }
  }

  @Test(
    "One of them is killed", arguments: ["stage.uploaded", "commit.before", "prune.recorded"])
  func oneKilled(point: String) async throws {
    try await TestFleet.with(nodes: 2) { fleet in
      for node in 0..<2 {
        try fleet.put("my_logs.log.1", lines(ids("\(node)", 100)), on: node, stream: "my_logs.log")
      }
      async let one = fleet.gadwall("harvest", environment: ["GADWALL_STOP_AT": point])
      async let two = fleet.gadwall("harvest")
      _ = try await (one, two)
      var last = try await fleet.gadwall("harvest")
      for _ in 0..<2 where last.status != 0 { last = try await fleet.gadwall("harvest") }
      #expect(last.status == 0, "\(last)")
      #expect(try await fleet.idCounts() == counts(ids("0", 100) + ids("1", 100)))
      for node in 0..<2 { #expect(try fleet.names(node).isEmpty) }
      let verify = try await fleet.gadwall("verify")
      #expect(verify.status == 0, "\(verify)")
    }
  }
}
