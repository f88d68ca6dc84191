// What a node and the control machine have to be permitted on S3, and what happens when one of these rights is missing.

import Files
import Processes
import Support
import TestSupport
import Testing

@Suite("Rights on S3", .tags(.large))
struct RightsTests {
  /// The rights of docs/security.md: a node neither lists nor deletes, and what is not there is forbidden to it.
  private static let node = TestServer.nodeKeyID
  private static let design = [
    "hide:\(node)", "deny:\(node):GET:[?&](list-type|uploads)", "deny:\(node):DELETE:^[^?]*$",
    "deny:\(node):GET|HEAD|PUT|POST:/(warehouse/.*/metadata|queries)/",
  ]

  /// A fleet whose node has keys of its own, behind a server with these rules.
  private func withRules(
    _ rules: [String], _ body: (TestFleet, String) async throws -> Void
  ) async throws {
    try await TestFleet.with(on: .s3) { fleet in
      var fleet = fleet
      let server = try #require(fleet.archive?.store)
      let upstream = try #require(server.endpoint.split(separator: ":").last)
      let script = joined(repositoryRoot, "Tests/Servers/rights_proxy.py")
      let proxy = try await TestServers.start(
        "python/bin/python", { [script, String($0), String(upstream)] + rules })
      fleet.archive?.store.endpoint = proxy
      try fleet.configure()
      func credentials(_ id: String) -> [UInt8] {
        Array("[default]\naws_access_key_id = \(id)\naws_secret_access_key = \(server.secret)\n".utf8)
      }
      // The node's own file comes before what the environment points to.
      try fleet.write(credentials(Self.node), to: fleet.nodes[0].path("etc/gadwall/credentials"))
      let own = joined(fleet.folder, "credentials")
      try fleet.write(credentials(server.keyID), to: own)
      fleet.usesCredentialsFile = own
      try await body(fleet, proxy)
    }
  }

  @Test("A node works with exactly those of the documentation")
  func exactly() async throws {
    try await withRules(Self.design) { fleet, proxy in
      let ids = ids("a", 50)
      try fleet.put("my_logs.log.1", lines(ids, category: "SECURITY"), stream: "my_logs.log")
      for _ in 0..<2 {
        let harvest = try await fleet.gadwall("harvest")
        #expect(harvest.status == 0, "\(harvest)")
      }
      #expect(try await fleet.idCounts() == Dictionary(uniqueKeysWithValues: ids.map { ($0, 1) }))
      #expect(try fleet.names().isEmpty)
      // The raw object was looked for, and was not there: the rule has been at work.
      let used = try await fleet.shell("curl -s \(proxy)/-/denied")
      #expect(
        used.output.contains("\"hide:\(Self.node)\": ") && !used.output.contains("\"hide:\(Self.node)\": 0"),
        "\(used)")
      let verify = try await fleet.gadwall("verify", "--deep")
      #expect(verify.status == 0, "\(verify)")
    }
  }

  @Test(
    "Without one of them nothing is lost, and the error names it",
    arguments: [
      "deny:\(node):PUT:/alerts/", "deny:\(node):PUT:/raw/", "deny:\(node):PUT:/runs/",
      "deny:\(node):PUT:/warehouse/",
      "deny:\(node):GET:/runs/.*/task/", "deny:\(node):GET:/runs/.*/proof",
      "deny:\(node):GET|HEAD:/warehouse/",
      "deny:AKIDTEST12345:PUT:/runs/.*/plan", "deny:AKIDTEST12345:PUT:/runs/.*/proof",
      "deny:AKIDTEST12345:GET:list-type",
      "deny:AKIDTEST12345:PUT:/warehouse/.*/metadata/", "deny:AKIDTEST12345:DELETE:/runs/open",
      "deny:AKIDTEST12345:GET:/runs/.*/staged",
    ])
  func without(_ rule: String) async throws {
    let ids = ids("a", 20)
    try await withRules(Self.design + [rule]) { fleet, proxy in
      try fleet.put("my_logs.log.1", lines(ids, category: "SECURITY"), stream: "my_logs.log")
      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 1 || harvest.status == 2, "\(harvest)")
      #expect(harvest.all.contains("AccessDenied") && harvest.all.contains(proxy), "\(harvest)")
      #expect(!harvest.all.contains("test/secret"), "\(harvest)")
      let used = try await fleet.shell("curl -s \(proxy)/-/denied")
      #expect(
        !used.output.contains("\(rule.replacing("\\", with: "\\\\"))\": 0"),
        "the rule was never used: \(used)")
      let counts = try await fleet.idCounts()
      #expect(counts.values.allSatisfy { $0 == 1 })
      // Somebody gives the right back.
      var mended = fleet
      mended.archive?.store.endpoint = try await TestServers.shared.rclone().endpoint
      try mended.configure()
      for _ in 0..<2 { _ = try await mended.gadwall("harvest") }
      #expect(try await mended.idCounts() == Dictionary(uniqueKeysWithValues: ids.map { ($0, 1) }))
      #expect(try mended.names().isEmpty)
      let verify = try await mended.gadwall("verify")
      #expect(verify.status == 0, "\(verify)")
    }
  }
}
