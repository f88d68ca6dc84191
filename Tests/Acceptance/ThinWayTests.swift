// One file, all the way: written, rotated, harvested, read back, and gone.

import DuckDB
import Files
import Support
import TestSupport
import Testing

@Suite("The thin way", .tags(.large))
struct ThinWayTests {
  @Test("A generated line is a row of the table, its file is gone, and the store has the original")
  func lineToRow() async throws {
    try await TestFleet.with { fleet in
      let file = fleet.nodes[0].rawPath("my_logs.log-20261123-14")
      let made = try await fleet.gadwall(
        "generate", "--count", "300", "--seed", "7", "--start", "2026-11-23T13:00:00Z", file)
      #expect(made.status == 0, "\(made)")
      try setModified(file, seconds: TestFleet.hour)
      let content = try readFile(file, limit: .mebibytes(1))
      try fleet.remember("my_logs.log-20261123-14", content, stream: "my_logs.log")

      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 0, "\(harvest)")
      #expect(try fleet.names().isEmpty)

      let first = try #require(
        try await fleet.table(
          """
          SELECT strftime(ts, '%Y-%m-%dT%H:%M:%S.%gZ') AS ts, id, version, message, service, category, region, zone, node,
            stream, strftime(rotated, '%Y%m%d%H%M%S') AS rotated, line, extra, malformed, text FROM events WHERE line = 1
          """
        ).first)
      let line = try JSONValue(parsing: Array(content.prefix { $0 != 0x0A }))
      #expect(first["ts"] == line["@timestamp"])
      #expect(first["id"] == line["id"])
      #expect(first["version"] == line["@version"])
      #expect(first["message"] == line["message"])
      #expect(first["region"]?.string == "us-east1")
      #expect(first["zone"]?.string == "us-east1-b")
      #expect(first["node"]?.string == "vm1")
      #expect(first["stream"]?.string == "my_logs.log")
      #expect(first["rotated"]?.string == "20261123140000")
      let words = (line["message"]?.string ?? "").split(separator: " ")
      #expect(first["service"]?.string == words.first.map(String.init))
      #expect(first["category"]?.string == words.dropFirst().first.map { String($0.dropFirst().dropLast()) })
      for name in ["extra", "malformed", "text"] { #expect(first[name]?.string == nil) }

      let compared = try await fleet.comparison()
      #expect(compared.differences == [])
      #expect(compared.entries == 300)
      try checkAlerts(fleet, content)

      let metadata = try fleet.tableMetadata()
      let again = try await fleet.gadwall("harvest")
      #expect(again.status == 0, "\(again)")
      #expect(again.output.contains("no snapshot was made"))
      #expect(try fleet.tableMetadata() == metadata)
      let verify = try await fleet.gadwall("verify")
      #expect(verify.status == 0, "\(verify)")
    }
  }

  /// The alert object holds the urgent rows, all of them, nothing else, in the order of their lines, each with all columns of the table.
  private func checkAlerts(_ fleet: TestFleet, _ content: [UInt8]) throws {
    let keys = try fleet.objects("alerts")
    #expect(keys.count == 1)
    let key = try #require(keys.first)
    #expect(key.hasPrefix("alerts/dt=2026-11-23/"))
    #expect(key.hasSuffix("/us-east1-us-east1-b-vm1-SECURITY-202611231400.json.gz"))
    let rows = try gunzip(try fleet.object(key), limit: .mebibytes(8)).split(separator: 0x0A).map {
      try JSONValue(parsing: Array($0))
    }
    let columns: Set = [
      "ts", "service", "category", "message", "id", "version", "region", "zone", "node", "stream", "rotated",
      "batch", "line", "extra", "malformed", "text",
    ]
    let urgent = try content.split(separator: 0x0A).enumerated().compactMap { number, bytes in
      let line = try JSONValue(parsing: Array(bytes))
      return line["message"]?.string?.contains("[SECURITY]") == true ? (Int64(number + 1), line["id"]) : nil
    }
    #expect(!urgent.isEmpty)
    #expect(rows.compactMap { $0["line"]?.integer } == urgent.map(\.0))
    #expect(rows.map { $0["id"] } == urgent.map(\.1))
    #expect(rows.allSatisfy { $0["category"]?.string == "SECURITY" })
    #expect(rows.allSatisfy { Set($0.object?.keys.map { $0 } ?? []) == columns })
    let raw = try fleet.objects("raw")
    #expect(raw.count == 1 && raw[0].hasSuffix("/us-east1-us-east1-b-vm1-RAW-202611231400.json.gz"))
    #expect(try gunzip(try fleet.object(raw[0]), limit: .mebibytes(8)) == content)
  }

  @Test("No row is urgent: no alert object")
  func nothingUrgent() async throws {
    try await TestFleet.with { fleet in
      try fleet.put("my_logs.log.1", lines(ids("a", 3)), stream: "my_logs.log")
      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 0, "\(harvest)")
      #expect(try fleet.objects("alerts").isEmpty)
      #expect(try fleet.objects("raw").count == 1)
    }
  }
}
