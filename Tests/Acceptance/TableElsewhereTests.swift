// A REST catalog puts the table where it likes: beside the store, in a bucket of its own, with keys that it lends.

import Files
import Processes
import Support
import TestSupport
import Testing

@Suite("A table outside the store", .tags(.large))
struct TableElsewhereTests {
  /// A fleet whose table lies in another bucket, behind a server with these rules.
  private func withTable(
    lending term: Int?, _ rules: (String) -> [String], _ body: (TestFleet, String) async throws -> Void
  ) async throws {
    try await TestFleet.with(on: .s3) { fleet in
      var fleet = fleet
      var archive = try #require(fleet.archive)
      let bucket = try await TestArchive.makeBucket(on: archive.store)
      archive.warehouse = "s3://\(bucket)/tables"
      archive.catalog = try await TestServers.shared.catalog(lending: term)
      let upstream = try #require(archive.store.endpoint.split(separator: ":").last)
      let script = joined(repositoryRoot, "Tests/Servers/rights_proxy.py")
      let words = [String(upstream)] + rules(bucket)
      let proxy = try await TestServers.start("python/bin/python", { [script, String($0)] + words })
      archive.store.endpoint = proxy
      fleet.archive = archive
      try fleet.configure()
      try await body(fleet, proxy)
    }
  }

  private func requests(_ fleet: TestFleet, _ proxy: String) async throws -> JSONValue {
    try await fleet.shell("curl -s \(proxy)/-/denied").document()
  }

  @Test("In a bucket of its own, with the store's keys")
  func anotherBucket() async throws {
    try await withTable(lending: nil, { _ in [] }) { fleet, _ in
      let written = ids("a", 30)
      try fleet.put("my_logs.log.1", lines(written, category: "SECURITY"), stream: "my_logs.log")
      try fleet.put("other.log.1", lines(ids("b", 10)), stream: "other.log")
      for _ in 0..<2 {
        let harvest = try await fleet.gadwall("harvest")
        #expect(harvest.status == 0, "\(harvest)")
      }
      #expect(try fleet.names().isEmpty)
      #expect(
        try await fleet.idCounts()
          == Dictionary(uniqueKeysWithValues: (written + ids("b", 10)).map { ($0, 1) }))
      #expect(try fleet.objects("warehouse").isEmpty)
      let verify = try await fleet.gadwall("verify", "--deep")
      #expect(verify.status == 0, "\(verify)")
    }
  }

  @Test("A bucket that the keys do not reach is refused before anything is staged")
  func outOfReach() async throws {
    let key = "AKIDTEST12345"
    try await withTable(lending: nil, { ["deny:\(key):PUT:/\($0)/.*/data/"] }) { fleet, _ in
      try fleet.put("my_logs.log.1", lines(ids("a", 3)), stream: "my_logs.log")
      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 2 && harvest.errors.contains("which the keys of the store"), "\(harvest)")
      #expect(harvest.errors.contains("AccessDenied"), "\(harvest)")
      #expect(try fleet.names() == ["my_logs.log.1"])
      #expect(try fleet.objects("raw").isEmpty)
    }
  }

  @Test(
    "With keys that the catalog lends, again when they expire",
    // An hour; and less than the time before their end that new ones are fetched.
    arguments: [3_600_000, 60_000])
  func lent(_ term: Int) async throws {
    let key = "AKIDTEST12345"
    // The control machine's own keys write data files at most, as a node's do.
    let rules = { (bucket: String) in
      ["deny:\(key):.*:/\(bucket)/.*/metadata/", "deny:\(key):DELETE:/\(bucket)/"]
    }
    try await withTable(lending: term, rules) { fleet, proxy in
      let written = ids("a", 30)
      try fleet.put("my_logs.log.1", lines(written), stream: "my_logs.log")
      for _ in 0..<2 {
        let harvest = try await fleet.gadwall("harvest")
        #expect(harvest.status == 0, "\(harvest)")
      }
      #expect(try fleet.names().isEmpty)
      let verify = try await fleet.gadwall("verify", "--deep")
      #expect(verify.status == 0, "\(verify)")
      let used = try await requests(fleet, proxy)
      #expect(used[TestServer.lentKeyID]?.integer ?? 0 > 5, "\(used)")
      for (rule, count) in used.object ?? [:] where rule.hasPrefix("deny:") {
        #expect(count.integer == 0, "\(rule): \(count)")
      }
      var direct = fleet
      direct.archive?.store.endpoint = try await TestServers.shared.rclone().endpoint
      #expect(try await direct.idCounts() == Dictionary(uniqueKeysWithValues: written.map { ($0, 1) }))
    }
  }
}
