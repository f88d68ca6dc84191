import Files
import HTTP
import Support
import TestSupport
import Testing

@testable import Iceberg
@testable import ObjectStorage

/// Several clients at once, and a login that ends, on a catalog that a real Iceberg library judges (Tests/Servers/rest_catalog.py).
@Suite(.tags(.medium)) struct RESTRaceTests {
  /// A catalog's client of its own over a new warehouse on S3.
  private func catalogs(_ count: Int) async throws -> [RESTCatalog] {
    let storage = try await TestServers.shared.rclone()
    let server = try await TestServers.shared.catalog()
    let bucket = "bucket-\(randomName())"
    // By the server itself: it does not see a folder that was made beside it when it has listed its buckets before.
    let location = try S3Location(
      url: "s3://\(bucket)", endpoint: storage.endpoint, region: nil, style: nil)
    let keys = KeySource(AccessKeys(id: storage.keyID, secret: storage.secret))
    _ = try await S3Store(location, http: try HTTPClient(), keys: keys).client.send(
      S3Request(.put, nil), "make the bucket")
    return try (0..<count).map { _ in
      let login = CatalogLogin(.client(id: server.keyID, secret: server.secret, scope: nil, tokenURI: nil))
      let connection = RESTConnection(
        uri: server.endpoint, warehouse: "s3://\(bucket)/warehouse", http: try HTTPClient(), login: login)
      return RESTCatalog(connection, namespace: "logs", name: "events")
    }
  }

  @Test func ofTwoFirstCommitsOneWins() async throws {
    let catalogs = try await catalogs(2)
    // Both were promised the table before either commits.
    for catalog in catalogs {
      #expect(try await catalog.load() == nil)
      _ = try await catalog.newLocation()
    }
    let answers = try await withThrowingTaskGroup(of: (Int64, CommitAnswer).self) { group in
      for (index, catalog) in catalogs.enumerated() {
        let id = Int64(index + 1)
        group.addTask { (id, try await catalog.commit(.sample(id, run: "RUN-\(id)"), on: nil)) }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    let winners = answers.filter { $0.1.table != nil }.map(\.0)
    #expect(winners.count == 1, "\(answers)")
    #expect(answers.filter { $0.1.isConflict }.count == 1, "\(answers)")
    for catalog in catalogs {
      let table = try #require(try await catalog.load())
      #expect(table.snapshots.map(\.id) == winners)
      #expect(table.committedRuns.keys.sorted() == winners.map { "RUN-\($0)" })
      #expect(table.metadata["format-version"] == 2)
      #expect(throws: Never.self) { try table.checkOurs(name: "logs.events") }
      for (name, value) in newTableProperties { #expect(table.property(name) == value) }
    }
  }

  @Test func ofTwoCommitsOnOneBaseOneWins() async throws {
    let catalogs = try await catalogs(2)
    let base = try #require(try await catalogs[0].commit(.sample(1), on: nil).table)
    let first = try await catalogs[0].commit(.later(20, on: base), on: base)
    let second = try await catalogs[1].commit(.later(21, on: base), on: base)
    #expect(first.table?.currentSnapshotID == 20)
    #expect(second.isConflict)
    #expect(try await catalogs[1].load()?.currentSnapshotID == 20)
  }

  @Test func committersThatLoadAgainLoseNothing() async throws {
    let catalogs = try await catalogs(4)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, catalog) in catalogs.enumerated() {
        group.addTask {
          for number in 0..<4 {
            let id = Int64(index * 100 + number + 1)
            var tries = 0
            while true {
              tries += 1
              try #require(tries <= 100, "no commit gets through")
              let base = try await catalog.load()
              let change = base.map { TableChange.later(id, on: $0) } ?? .sample(id, run: "RUN-\(id)")
              let answer = try await catalog.commit(change, on: base)
              if answer.table != nil { break }
              try #require(answer.isConflict, "\(answer)")
            }
          }
        }
      }
      try await group.waitForAll()
    }
    let table = try #require(try await catalogs[0].load())
    #expect(table.snapshots.count == 16 && table.lastSequence == 16)
    #expect(table.committedRuns.count == 16)
  }

  @Test func aTokenThatIsUsedUpIsReplaced() async throws {
    try await withScratch { folder in
      try makeFolder(joined(folder, "warehouse"))
      let uri = try await TestServers.start(
        "python/bin/python",
        {
          [
            joined(repositoryRoot, "Tests/Servers/rest_catalog.py"), String($0), folder,
            "client=gadwall:secret",
            "token-uses=3",
          ]
        })
      let login = CatalogLogin(.client(id: "gadwall", secret: "secret", scope: nil, tokenURI: nil))
      let connection = RESTConnection(
        uri: uri, warehouse: "file://\(folder)/warehouse", http: try HTTPClient(), login: login)
      let catalog = RESTCatalog(connection, namespace: "logs", name: "events")
      var base = try await catalog.load()
      #expect(base == nil)
      // Whichever request is the fourth of a token: over twelve commits it is a load, a promise and a commit.
      for id in Int64(1)...12 {
        let change = base.map { TableChange.later(id, on: $0) } ?? .sample(id, run: "RUN-\(id)")
        let made: LoadedTable = try #require(try await catalog.commit(change, on: base).table)
        base = made
        if id % 3 == 0 { base = try await catalog.load() }
      }
      #expect(base?.snapshots.map(\.id) == Array(1...12))
      let stranger = CatalogLogin(.client(id: "gadwall", secret: "guessed", scope: nil, tokenURI: nil))
      let refused = RESTConnection(
        uri: uri, warehouse: "file://\(folder)/warehouse", http: try HTTPClient(), login: stranger)
      let failure = await #expect(throws: Failure.self) { _ = try await refused.configuration() }
      #expect(failure?.code == "catalog.login")
      #expect(failure?.words == "HTTP 401 invalid_client: Credentials given were invalid")
    }
  }
}

extension TableChange {
  /// The next snapshot without files, on top of the table as it was loaded.
  fileprivate static func later(_ id: Int64, on base: LoadedTable) -> TableChange {
    var change = sample(id, run: "RUN-\(id)")
    change.snapshot["sequence-number"] = .integer(base.lastSequence + 1)
    change.snapshot["parent-snapshot-id"] = base.currentSnapshotID.map { .integer($0) }
    change.snapshot["timestamp-ms"] = .integer(
      max(1_795_500_000_000, base.metadata["last-updated-ms"]?.integer ?? 0))
    return change
  }
}
