// Two control machines harvest the same fleet at once, again and again, and are killed at random places: every line once.

import Files
import Processes
import Support
import TestSupport
import Testing

@Suite("Two control machines, killed", .tags(.large))
struct TwoMachinesTests {
  /// `make chaos` asks for twenty rounds and more.
  @Test("Every line once after rounds of both")
  func rounds() async throws {
    let count = Int(environmentValue("GADWALL_CHAOS_ROUNDS") ?? "") ?? 4
    var random = SeededRandom(seed: UInt64(environmentValue("GADWALL_CHAOS_SEED") ?? "") ?? 7)
    let places = harvestPoints()
    try await TestFleet.with(nodes: 2) { fleet in
      var written: [String] = []
      for round in 0..<count {
        for node in 0..<2 {
          let ids = ids("\(round)-\(node)", 9)
          written += ids
          try fleet.put(
            "my_logs.log.\(round)-\(node)", lines(ids), on: node,
            rotated: TestFleet.hour + Int64(round) * 3600,
            stream: "my_logs.log.\(round)-\(node)")
        }
        let stops = [places.randomElement(using: &random)!, places.randomElement(using: &random)!]
        async let one = fleet.gadwall("harvest", environment: ["GADWALL_STOP_AT": stops[0]])
        async let two = fleet.gadwall("harvest", environment: ["GADWALL_STOP_AT": stops[1]])
        for (ended, stop) in zip(try await [one, two], stops) where wasKilled(ended) {
          tally("killed beside another machine", stop)
        }
      }
      var last = try await fleet.gadwall("harvest")
      for _ in 0..<3 where last.status != 0 { last = try await fleet.gadwall("harvest") }
      #expect(last.status == 0, "\(last)")
      #expect(try await fleet.idCounts() == Dictionary(uniqueKeysWithValues: written.map { ($0, 1) }))
      for node in 0..<2 { #expect(try fleet.names(node).isEmpty) }
      let verify = try await fleet.gadwall("verify", "--deep")
      #expect(verify.status == 0, "\(verify)")
    }
  }
}
