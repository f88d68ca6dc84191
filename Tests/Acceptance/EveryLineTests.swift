// A fleet with everything that log files are in practice, compared row by row with an independent reading.

import Files
import Support
import TestSupport
import Testing

@Suite("Every line is a row once", .tags(.large))
struct EveryLineTests {
  @Test("Seven nodes, two hundred files of every kind")
  func sevenNodes() async throws {
    try await TestFleet.with(nodes: 7) { fleet in
      try fleet.configure(rotated: [
        "\(TestFleet.rawLogs)/*", "var/logs/by-service/*/*.gz", "var/logs/by-service/*/*.log.*",
      ])
      var made = GeneratedFiles(seed: 20_261_123)
      for index in 0..<200 { try made.putFile(index, into: fleet) }
      // The last node has no folder at all.
      try removeTree(fleet.nodes[6].path("var/logs"))

      let harvest = try await fleet.gadwall("harvest", "--format", "json")
      #expect(harvest.status == 0, "\(harvest)")
      for node in 0..<7 {
        #expect(try fleet.names(node).isEmpty)
        for service in ["auth", "web"] {
          #expect(try fleet.names(node, in: "var/logs/by-service/\(service)").isEmpty)
        }
      }
      let compared = try await fleet.comparison()
      #expect(compared.differences == [])
      #expect(compared.lines > 3_000)

      let nodes = try harvest.document()["nodes"]?.array ?? []
      func total(_ key: String) -> Int64 { nodes.reduce(0) { $0 + ($1["stage"]?[key]?.integer ?? -1) } }
      #expect(total("lines") == compared.lines)
      #expect(total("entries") == compared.entries)
      #expect(total("malformed") == compared.malformed)
      #expect(total("blank") == compared.blank)
      #expect(total("batches") == 200)
      #expect(nodes.reduce(0) { $0 + ($1["pruned"]?.integer ?? 0) } == 200)
      #expect(nodes.last?["missingFolders"]?.array?.isEmpty == false)
      #expect(nodes.last?["failure"] == nil)
      for kind in ["too-long", "invalid-utf8", "nul-byte", "not-an-object", "not-json"] {
        #expect(
          compared.malformed > 0 && made.kinds.contains(kind), "the fleet holds no line that is \(kind)")
      }

      let verify = try await fleet.gadwall("verify", "--format", "json")
      #expect(verify.status == 0, "\(verify)")
      let report = try verify.document()
      #expect(report["lines"]?.integer == compared.lines)
      #expect(report["tableRows"]?.integer == compared.entries + compared.malformed)
      #expect(report["batches"]?.integer == 200)
      #expect(report["pruned"]?.integer == 200)
    }
  }

  @Test("Several harvests of a growing fleet: each line once, whichever run brought it")
  func growing() async throws {
    try await TestFleet.with(nodes: 3) { fleet in
      var made = GeneratedFiles(seed: 4)
      for round in 0..<3 {
        for index in 0..<12 { try made.putFile(round * 12 + index, into: fleet, nodes: 3, folders: 1) }
        let harvest = try await fleet.gadwall("harvest")
        #expect(harvest.status == 0, "\(harvest)")
      }
      #expect(try await fleet.comparison().differences == [])
      let verify = try await fleet.gadwall("verify")
      #expect(verify.status == 0, "\(verify)")
    }
  }

  @Test("Only batches without a row: no table, no snapshot, and the files go")
  func rowless() async throws {
    try await TestFleet.with { fleet in
      try fleet.put("a.log.1", [], stream: "a.log")
      try fleet.put("b.log.1.gz", [], stored: gzip([]), stream: "b.log")
      try fleet.put("c.log.1", Array("\n \t\r\n\n".utf8), stream: "c.log")
      let harvest = try await fleet.gadwall("harvest", "--format", "json")
      #expect(harvest.status == 0, "\(harvest)")
      #expect(try fleet.names().isEmpty)
      #expect(try harvest.document()["snapshots"]?.array == [])
      #expect(try fleet.objects("warehouse").isEmpty)
      #expect(try fleet.objects("raw").count == 3)
      let verify = try await fleet.gadwall("verify")
      #expect(verify.status == 0, "\(verify)")
    }
  }
}
