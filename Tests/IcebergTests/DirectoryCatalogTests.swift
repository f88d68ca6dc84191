import Files
import ObjectStorage
import Support
import TestSupport
import Testing

@testable import Iceberg

@Suite struct DirectoryCatalogTests {
  static let folder = "warehouse/logs/events/metadata/"

  @Test func thereIsNoTableAtFirst() async throws {
    try await withCatalog { _, catalog in
      let loaded = try await catalog.load()
      #expect(loaded?.version == nil)
      #expect(try await catalog.newLocation().hasSuffix("/store/warehouse/logs/events"))
    }
  }

  @Test func theFirstCommitMakesTheTable() async throws {
    try await withCatalog { store, catalog in
      let made = try await catalog.commit(change(1), on: nil).table
      #expect(made?.version == 1)
      let loaded = try #require(try await catalog.load())
      #expect(loaded.version == 1)
      #expect(loaded.metadata == made?.metadata)
      #expect(loaded.currentSnapshotID == 1)
      #expect(loaded.location == store.url + "/warehouse/logs/events")
      #expect(loaded.uuid.split(separator: "-").map(\.count) == [8, 4, 4, 4, 12])
      #expect(catalog.metadataURL(of: loaded) == store.url + "/" + Self.folder + "v1.metadata.json")
      #expect(try await hint(store) == "1")
    }
  }

  @Test(arguments: [
    "", " ", "garbage", "-1", "0", "1", "2", "2\n", "99", "v3", "3.5", "99999999999999999999", "\u{0}\u{1}",
  ])
  func anyHintLeadsToTheNewest(hint: String) async throws {
    try await withCatalog { store, catalog in
      try await commit(3, to: catalog)
      try await store.put(Array(hint.utf8), at: Self.folder + "version-hint.text")
      let loaded = try #require(try await catalog.load())
      #expect(loaded.version == 3)
      #expect(loaded.currentSnapshotID == 3)
    }
  }

  @Test func noHintLeadsToTheNewest() async throws {
    try await withCatalog { store, catalog in
      try await commit(12, to: catalog)
      try await store.delete(Self.folder + "version-hint.text")
      #expect(try await catalog.load()?.version == 12)
    }
  }

  @Test func aHintToADeletedVersionLeadsToTheNewest() async throws {
    try await withCatalog { store, catalog in
      try await commit(5, to: catalog)
      try await store.delete(Self.folder + "v1.metadata.json")
      try await store.put(Array("1".utf8), at: Self.folder + "version-hint.text")
      #expect(try await catalog.load()?.version == 5)
    }
  }

  @Test func ofTwoCommittersOnOneBaseOneWins() async throws {
    try await withCatalog { _, catalog in
      try await commit(1, to: catalog)
      let base = try #require(try await catalog.load())
      let first = try await catalog.commit(change(20), on: base)
      let second = try await catalog.commit(change(21), on: base)
      #expect(first.table?.version == 2)
      #expect(second.isConflict)
      #expect(try await catalog.load()?.currentSnapshotID == 20)
    }
  }

  @Test func ofManyFirstCommitsOneWins() async throws {
    try await withCatalog { _, catalog in
      let wins = try await withThrowingTaskGroup(of: Bool.self) { group in
        for id in Int64(1)...8 {
          group.addTask { try await catalog.commit(change(id), on: nil).table?.version == 1 }
        }
        var wins = 0
        for try await won in group where won { wins += 1 }
        return wins
      }
      #expect(wins == 1)
      #expect(try await catalog.load()?.version == 1)
    }
  }

  @Test func committersThatLoadAgainLoseNothing() async throws {
    try await withCatalog { _, catalog in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for committer in Int64(1)...4 {
          group.addTask {
            for number in Int64(0)..<6 {
              while try await catalog.commit(change(committer * 100 + number), on: try await catalog.load())
                .isConflict
              {}
            }
          }
        }
        try await group.waitForAll()
      }
      let loaded = try #require(try await catalog.load())
      #expect(loaded.version == 24)
      #expect(loaded.metadata["snapshots"]?.array?.count == 24)
      #expect(loaded.committedRuns.count == 24)
    }
  }

  @Test func keepsTheNewestHundred() async throws {
    try await withCatalog { store, catalog in
      try await commit(105, to: catalog)
      let kept = try await store.list(Self.folder + "v").map(\.key).filter { $0.hasSuffix(".metadata.json") }
      #expect(Set(kept) == Set((6...105).map { "\(Self.folder)v\($0).metadata.json" }))
      #expect(try await hint(store) == "105")
      let loaded = try #require(try await catalog.load())
      #expect(loaded.metadata["snapshots"]?.array?.count == 105)
      #expect(loaded.metadata["metadata-log"]?.array?.count == 100)
      try await store.put(Array("50".utf8), at: Self.folder + "version-hint.text")
      #expect(try await catalog.load()?.version == 105)
    }
  }

  /// The name that a committer needs is free again once its version has been deleted: it must not take it.
  @Test(arguments: [0, 1, 3])
  func aCommitterThatSleptThroughAHundredCommitsHasAConflict(version: Int) async throws {
    try await withCatalog { store, catalog in
      try await commit(version, to: catalog)
      let base = try await catalog.load()
      try await commit(104, to: catalog)
      let newest = try #require(try await catalog.load())
      let answer = try await catalog.commit(change(999), on: base)
      #expect(answer.isConflict)
      let loaded = try #require(try await catalog.load())
      #expect(loaded.version == newest.version)
      #expect(loaded.metadata == newest.metadata)
      try await store.delete(Self.folder + "version-hint.text")
      #expect(try await catalog.load()?.metadata == newest.metadata)
    }
  }

  @Test(arguments: ["v4.gz.metadata.json", "v4.metadata.json.gz"], ["3", "", "4"])
  func compressedMetadataIsRefused(name: String, hint: String) async throws {
    try await withCatalog { store, catalog in
      try await commit(3, to: catalog)
      try await store.put(gzip(Array("{}".utf8)), at: Self.folder + name)
      try await store.put(Array(hint.utf8), at: Self.folder + "version-hint.text")
      let failure = await #expect(throws: Failure.self) { _ = try await catalog.load() }
      #expect(failure?.code == "table.foreign")
      #expect(failure?.sentence.contains(name) == true)
    }
  }

  @Test func brokenMetadataIsNamed() async throws {
    try await withCatalog { store, catalog in
      try await store.put(Array("{\"format-version\":".utf8), at: Self.folder + "v1.metadata.json")
      let failure = await #expect(throws: Failure.self) { _ = try await catalog.load() }
      #expect(failure?.code == "table.unreadable")
      #expect(failure?.sentence.contains("v1.metadata.json") == true)
    }
  }

  @Test func otherFilesInTheFolderAreNoVersions() async throws {
    try await withCatalog { store, catalog in
      try await commit(2, to: catalog)
      for name in [
        "v9.metadata.json.bak", "v.metadata.json", "v9223372036854775807.metadata.json", "vx.metadata.json",
        "00003-aaaa.metadata.json", "v8",
      ] {
        try await store.put(Array("{}".utf8), at: Self.folder + name)
      }
      try await store.delete(Self.folder + "version-hint.text")
      #expect(try await catalog.load()?.version == 2)
    }
  }

  private func hint(_ store: DirectoryStore) async throws -> String? {
    try await store.get(Self.folder + "version-hint.text", limit: .kibibytes(1)).map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  /// Commits until there are so many versions more.
  private func commit(_ count: Int, to catalog: DirectoryCatalog) async throws {
    var base = try await catalog.load()
    for _ in 0..<count {
      base = try #require(try await catalog.commit(change(Int64((base?.version ?? 0) + 1)), on: base).table)
    }
  }
}

private func withCatalog(_ body: (DirectoryStore, DirectoryCatalog) async throws -> Void) async throws {
  try await withScratch { scratch in
    let store = try DirectoryStore(root: joined(scratch, "store"))
    try await body(store, DirectoryCatalog(store: store, namespace: "logs", name: "events"))
  }
}

/// A change whose snapshot has no files.
private func change(_ id: Int64) -> TableChange {
  TableChange(
    snapshot: [
      "snapshot-id": .integer(id), "sequence-number": .integer(id),
      "timestamp-ms": .integer(1_795_442_400_000 + id),
      "manifest-list": "file:///nowhere.avro", "summary": ["operation": "append"],
    ],
    setProperties: [
      "gadwall.committed.run-\(id)": CommitMarker(snapshot: id, sequence: id, leftOut: []).text
    ], removeProperties: [])
}

extension CommitAnswer {
  var table: LoadedTable? { if case .committed(let table) = self { table } else { nil } }
  var isConflict: Bool { if case .conflict = self { true } else { false } }
}
