import Files
import Processes
import Support
import TestSupport
import Testing

/// A fleet on S3 that reaches its store and its catalog through proxies that spoil and count, and the same fleet without them.
struct SpoiledFleet: Sendable {
  /// As the program is told of it.
  let fleet: TestFleet
  /// Straight to the servers.
  let direct: TestFleet
  let store: FaultyProxy
  let catalog: FaultyProxy
  private var files: [(node: Int, name: String, ids: [String])] = []

  /// - Parameters:
  ///   - inStore: faults before the S3 server.
  ///   - inCatalog: faults before the catalog.
  init(
    _ fleet: TestFleet, store inStore: [String] = [], catalog inCatalog: [String] = [], seed: Int = 1
  ) async throws {
    var spoiled = fleet
    let archive = try #require(fleet.archive)
    store = try await FaultyProxy.start(before: archive.store.endpoint, inStore, seed: seed)
    catalog = try await FaultyProxy.start(before: archive.catalog.endpoint, inCatalog, seed: seed)
    spoiled.archive?.store.endpoint = store.endpoint
    spoiled.archive?.catalog.endpoint = catalog.endpoint
    try spoiled.configure()
    self.fleet = spoiled
    direct = fleet
  }

  /// Of everything that was ever put onto a node.
  var written: [String] { files.flatMap(\.ids) }

  /// Two streams on every node, one with urgent rows.
  mutating func put(round: Int) throws {
    for node in fleet.nodes.indices {
      for (stream, category) in [("app.log", "INFO"), ("audit.log", "SECURITY")] {
        let ids = ids("\(round)-\(node)-\(stream)", 9)
        let name = "\(stream).\(round + 1)"
        try fleet.put(
          name, lines(ids, category: category), on: node, rotated: TestFleet.hour + Int64(round) * 3600,
          stream: stream)
        files.append((node, name, ids))
      }
    }
  }

  /// The program said how it ended; no line is in the table twice, and none is gone: what is not in it, a node still has.
  func expectNothingLost(_ ended: Ended) async throws {
    #expect([0, 1, 2].contains(ended.status), "\(ended)")
    // What a harvest that went well has lost or doubled is seen at the end.
    guard ended.status != 0 else { return }
    #expect(ended.all.contains(".\n"), "\(ended)")
    let counts = try await direct.idCounts()
    #expect(counts.allSatisfy { $0.value == 1 }, "\(ended)")
    for (node, name, ids) in files where try !fleet.names(node).contains(name) {
      #expect(ids.allSatisfy { counts[$0] == 1 }, "\(name) is gone from \(node): \(ended)")
    }
  }

  /// Without faults one harvest finishes whatever was left.
  func expectFinished() async throws {
    try direct.configure()
    let last = try await direct.gadwall("harvest")
    #expect(last.status == 0, "\(last)")
    #expect(try await direct.idCounts() == Dictionary(uniqueKeysWithValues: written.map { ($0, 1) }))
    for node in fleet.nodes.indices {
      #expect(try direct.names(node).isEmpty, "\(last)")
      #expect(try direct.names(node, in: "var/lib/gadwall/scratch").isEmpty)
    }
    let verify = try await direct.gadwall("verify", "--deep")
    #expect(verify.status == 0, "\(verify)")
  }

  // MARK: what came by

  /// What the S3 server was given under each key of the archive: the digests of the bytes, in order.
  func writes() async throws -> [String: [String]] {
    let prefix = "/\(try #require(fleet.archive).url.dropFirst("s3://".count))/"
    var writes: [String: [String]] = [:]
    for request in try await store.requests() where request.method == "PUT" && request.status == 200 {
      guard request.path.hasPrefix(prefix) else { continue }
      writes[String(request.path.dropFirst(prefix.count).prefix { $0 != "?" }), default: []].append(
        request.digest)
    }
    return writes
  }

  /// A commit that the catalog has answered: 200, or 409 when somebody else was first.
  struct Commit: Sendable {
    var run: String
    var status: Int
  }

  func commits() async throws -> [Commit] {
    try await catalog.requests().filter { $0.method == "POST" && $0.path.hasSuffix("/tables/events") }.map {
      let updates = try JSONValue(parsing: Array($0.body.utf8))["updates"]?.array ?? []
      let snapshot = updates.first { $0["action"] == "add-snapshot" }?["snapshot"]
      return Commit(run: try #require(snapshot?["summary"]?["gadwall.run"]?.string), status: $0.status)
    }
  }
}

extension FaultyProxy {
  func untilOneWaits() async throws {
    let deadline = Deadline.after(seconds: 60 * patience)
    while try await counts()["waiting"] != 1 {
      try #require(!deadline.hasPassed, "no request of this kind came")
      try await Task.sleep(for: .milliseconds(20))
    }
  }
}

/// Rounds of what is tried again and again: few, and under `make check-long` as many as it asks for.
func chaosRounds(_ few: Int) -> Int { Int(environmentValue("GADWALL_CHAOS_ROUNDS") ?? "") ?? few }

/// Whether this is `make check-long` or `make chaos`.
let isChaos = environmentValue("GADWALL_CHAOS_ROUNDS") != nil
