import DuckDB
import Files
import Fleet
import Iceberg
import Logs
import ObjectStorage
import Support
import TestSupport
import Testing

@testable import Harvest

@Suite(.tags(.medium)) struct VerifyTests {
  private func verify(
    _ fleet: InProcessFleet, _ scope: VerifyScope, store: (any ObjectStore)? = nil
  ) async throws -> VerifyReport {
    try await Verifier(
      store: store ?? fleet.store, catalog: fleet.catalog, duckdb: fleet.duckdb,
      scratch: joined(fleet.folder, "scratch"),
      scope: scope
    ).run()
  }

  private var deep: VerifyScope {
    var scope = VerifyScope()
    scope.isDeep = true
    return scope
  }

  private var removing: VerifyScope {
    var scope = VerifyScope()
    scope.removesOrphans = true
    return scope
  }

  /// The only data file of a fleet with one batch.
  private func dataFile(_ fleet: InProcessFleet) async throws -> String {
    try #require(try await fleet.store.list("warehouse/logs/events/data/").first).key
  }

  @Test func whatLiesInColdStorageIsCountedAndNoFinding() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 40, seed: 1)
      _ = try await fleet.run()
      let report = try await verify(fleet, deep, store: ColdStore(inner: fleet.store))
      #expect(report.findings.isEmpty, "\(report.findings)")
      #expect(report.objectsFrozen == 1 && report.objectsRead >= 1)
    }
  }

  @Test func deepReadsEveryObjectAndFindsADamagedOne() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 40, seed: 1)
      try publish(Array("no line end".utf8), at: fleet.path(0, "b.log.1"), replacing: true)
      try await untilNobodyWrites(fleet.path(0, "b.log.1"))
      let summary = try await fleet.run()
      let whole = try await verify(fleet, deep)
      #expect(whole.findings.isEmpty, "\(whole.findings)")
      // Two raw files, one alert, two data files of two days.
      #expect(whole.objectsRead == 5)

      let batch = try #require(summary.proven.first { $0.facts.file == "a.log.1" })
      let raw = try #require(batch.facts.raw)
      let alert = try #require(batch.facts.alert)
      for object in [raw, alert] {
        // The same size, other bytes.
        var bytes = try #require(try await fleet.store.get(object.key, limit: .mebibytes(1)))
        bytes[bytes.count / 2] ^= 1
        try await fleet.store.put(bytes, at: object.key)
      }
      #expect(try await verify(fleet, VerifyScope()).findings.isEmpty)
      let found = try await verify(fleet, deep).findings
      #expect(Set(found.map(\.subject)) == [raw.key, alert.key])
      #expect(found.allSatisfy { $0.kind == .objectDamaged })
    }
  }

  @Test func aDataFileThatLostRowsIsFoundByReadingIt() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 40, seed: 1)
      _ = try await fleet.run()
      let key = try await dataFile(fleet)
      let path = joined(fleet.storeFolder, key)
      let other = joined(folder, "other.parquet")
      try await fleet.duckdb.run(["COPY (FROM read_parquet(\(path)) LIMIT 39) TO \(other) (FORMAT parquet)"])
      try await fleet.store.put(file: other, at: key)
      let kinds = Set(try await verify(fleet, deep).findings.map(\.kind))
      #expect(kinds.contains(.objectDamaged))
      #expect(kinds.contains(.fileMissing))
    }
  }

  /// What a task leaves that is killed between its uploads and the ledger.
  @Test func aFileOfATryThatWasGivenUpIsAnOrphanOnceItsLinesAreProven() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 10, seed: 1)
      _ = try await fleet.run()
      let key = try await dataFile(fleet)
      let parts = baseName(key).split(separator: "-")
      let other = folderName(key) + "/\(parts[0])-\(randomName())-0.parquet"
      try await fleet.store.put(file: joined(fleet.storeFolder, key), at: other)
      let report = try await verify(fleet, VerifyScope())
      #expect(report.findings.isEmpty)
      #expect(report.orphans.map(\.key) == [other])
      #expect(report.orphansRemoved == 0)
      #expect(try await fleet.store.stat(other) != nil)

      #expect(try await verify(fleet, removing).orphansRemoved == 1)
      #expect(try await fleet.store.stat(other) == nil)
      #expect(try await fleet.store.stat(key) != nil)
      #expect(try await fleet.count() == 10)
    }
  }

  /// A task that has uploaded and not yet reported: its lines are nowhere else.
  @Test func aFileWhoseLinesAreNotProvenIsNoOrphan() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 10, seed: 1)
      _ = try await fleet.run()
      let key = try await dataFile(fleet)
      let other = folderName(key) + "/\(sha256("x".utf8).prefix(24))-\(randomName())-0.parquet"
      let path = joined(folder, "other.parquet")
      let stranger = sha256("another batch".utf8)
      try await fleet.duckdb.run([
        "COPY (SELECT * REPLACE (CASE WHEN line = 1 THEN \(stranger) ELSE batch END AS batch) FROM read_parquet(\(joined(fleet.storeFolder, key)))) TO \(path) (FORMAT parquet)"
      ])
      try await fleet.store.put(file: path, at: other)
      #expect(try await verify(fleet, removing).orphans.isEmpty)
      #expect(try await fleet.store.stat(other) != nil)
    }
  }

  /// A compaction that another program has written and not yet committed, or that only an older snapshot still names.
  @Test func anotherWritersFileIsNoOrphan() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 10, seed: 1)
      _ = try await fleet.run()
      let key = try await dataFile(fleet)
      let other = folderName(key) + "/00000-0-5f4dcc3b-00001.parquet"
      try await fleet.store.put(file: joined(fleet.storeFolder, key), at: other)
      #expect(try await verify(fleet, removing).orphans.isEmpty)
      #expect(try await fleet.store.stat(other) != nil)
    }
  }

  @Test func aFileThatOnlyAnOlderSnapshotNamesIsNoOrphan() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 10, seed: 1)
      let first = try await fleet.run()
      try await fleet.write(0, "b.log.1", lines: 10, seed: 2)
      _ = try await fleet.run()
      let all = try await fleet.store.list("warehouse/logs/events/data/").count
      #expect(all == 2)
      // The plan of the first run is gone, and its rows are in the table by the first snapshot all the same.
      try await fleet.store.delete("runs/\(first.run)/plan.json")
      let report = try await verify(fleet, removing)
      #expect(report.orphans.isEmpty)
      #expect(try await fleet.count() == 20)
    }
  }

  @Test func onlyTheBatchesThatWereAskedForAreLookedAt() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder, nodes: 2)
      try await fleet.write(0, "a.log.1", lines: 5, seed: 1, at: 1_795_000_000 - 86_400 * 3)
      try await fleet.write(1, "a.log.1", lines: 7, seed: 2)
      let summary = try await fleet.run()
      var scope = VerifyScope()
      scope.filter.nodes = ["n2"]
      let one = try await verify(fleet, scope)
      #expect(one.batches == 1 && one.tableRows == 7 && one.findings.isEmpty)
      scope = VerifyScope()
      scope.filter.since = Instant(seconds: 1_795_000_000 - 86_400)
      #expect(try await verify(fleet, scope).lines == 7)
      // What is off with the other batch is not looked at.
      let other = try #require(summary.proven.first { $0.node.name == "n1" })
      try await fleet.store.delete(try #require(other.facts.raw).key)
      #expect(try await verify(fleet, scope).findings.isEmpty)
      #expect(try await verify(fleet, VerifyScope()).findings.map(\.kind) == [.rawMissing])
    }
  }

  /// As a dropped day looks once its snapshot has expired: no manifest names the file, and no summary says why.
  @Test func rowsThatSomebodyTookOutAreToldFromRowsThatWereLost() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder, on: .folder)
      try await fleet.write(0, "a.log.1", lines: 5, seed: 1)
      _ = try await fleet.run()
      try await fleet.write(0, "b.log.1", lines: 5, seed: 2)
      _ = try await fleet.run()
      let table = try #require(try await fleet.catalog.load())
      let snapshot = try #require(table.currentSnapshot)
      var metadata = table.metadata
      // Back to the first snapshot, as a rollback leaves it.
      let first = try #require(metadata["snapshots"]?.array?.first)
      #expect(first["snapshot-id"]?.integer != snapshot.id)
      metadata["current-snapshot-id"] = first["snapshot-id"]
      metadata["snapshots"] = .array([first])
      metadata["refs"] = ["main": ["type": "branch", "snapshot-id": first["snapshot-id"] ?? 0]]
      try await fleet.store.put(
        metadata.encoded, at: "warehouse/logs/events/metadata/v\(table.version + 1).metadata.json")
      let findings = try await verify(fleet, VerifyScope()).findings
      #expect(findings.map(\.kind) == [.rowsRemoved])
    }
  }

  @Test func aHeldFileIsAFinding() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      let text = try await fleet.write(0, "a.log.1", lines: 5, seed: 1)
      // A twin: the same stream, second and content.
      try publish(text, at: fleet.path(0, "a.log.2"), replacing: true)
      try setModified(fleet.path(0, "a.log.2"), seconds: 1_795_000_000)
      try await untilNobodyWrites(fleet.path(0, "a.log.2"))
      let summary = try await fleet.run()
      #expect(!summary.isComplete)
      let findings = try await verify(fleet, VerifyScope()).findings
      #expect(findings.map(\.kind) == [.held])
    }
  }
}
