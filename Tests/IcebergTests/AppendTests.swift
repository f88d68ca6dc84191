import Files
import ObjectStorage
import Support
import TestSupport
import Testing

@testable import Iceberg

@Suite(.tags(.medium)) struct AppendTests {
  @Test func theFirstAppendMakesTheTable() async throws {
    try await withTable { table in
      let files = try await table.threeFiles()
      let made = try await table.append(files, run: "RUN-1")
      #expect(made.version == 1)
      #expect(made.lastSequence == 1)
      let snapshot = try #require(made.currentSnapshot)
      #expect(snapshot.json["parent-snapshot-id"] == nil)
      #expect(snapshot.sequence == 1)
      #expect(snapshot.id > 0)
      #expect(made.metadata["last-updated-ms"] == 1_795_500_000_000)
      #expect(snapshot.json["timestamp-ms"] == 1_795_500_000_000)
      let bytes = files.reduce(0) { $0 + $1.size }
      #expect(
        snapshot.json["summary"] == [
          "operation": "append", "gadwall.run": "RUN-1", "added-data-files": "3", "added-records": "175",
          "added-files-size": .string("\(bytes)"), "changed-partition-count": "3", "total-records": "175",
          "total-files-size": .string("\(bytes)"), "total-data-files": "3", "total-delete-files": "0",
          "total-position-deletes": "0", "total-equality-deletes": "0",
        ])
      #expect(
        made.committedRuns == ["RUN-1": CommitMarker(snapshot: snapshot.id, sequence: 1, leftOut: [])])
    }
  }

  @Test func theSecondAppendStandsOnTheFirst() async throws {
    try await withTable { table in
      let first = try await table.append(
        [try await table.file("a", day: 20_780, region: "r", rows: 10)], run: "RUN-1")
      let second = try await table.append(
        [try await table.file("b", day: 20_781, region: "r", rows: 5)], run: "RUN-2",
        leftOut: ["bundle-x", "bundle-y"])
      #expect(second.version == 2)
      #expect(second.uuid == first.uuid)
      #expect(second.lastSequence == 2)
      let snapshot = try #require(second.currentSnapshot)
      #expect(snapshot.json["parent-snapshot-id"]?.integer == first.currentSnapshotID)
      #expect(snapshot.summary("total-records") == "15")
      #expect(snapshot.summary("total-data-files") == "2")
      #expect(snapshot.summary("added-records") == "5")
      #expect(snapshot.summary("gadwall.left-out") == "bundle-x,bundle-y")
      #expect(second.committedRuns["RUN-2"]?.leftOut == ["bundle-x", "bundle-y"])
      #expect(second.committedRuns["RUN-1"]?.snapshot == first.currentSnapshotID)
      #expect(
        second.metadata["metadata-log"]?.array?.map { $0["metadata-file"]?.string } == [
          "file://\(table.location)/metadata/v1.metadata.json"
        ])
    }
  }

  @Test func snapshotsAreReadBackByTheirManifests() async throws {
    try await withTable { table in
      let files = try await table.threeFiles()
      let first = try await table.append(files, run: "RUN-1")
      let more = try await table.file("d", day: 20_782, region: "r", rows: 7)
      let second = try await table.append([more], run: "RUN-2")
      let writer = table.writer()
      let old = try #require(first.currentSnapshot)
      let new = try #require(second.currentSnapshot)
      func expected(_ files: [AppendedFile], _ snapshot: Int64) -> [LiveFile] {
        files.map { LiveFile(url: $0.url, rows: $0.rows, size: $0.size, snapshot: snapshot) }
      }
      func byURL(_ files: [LiveFile]) -> [LiveFile] { files.sorted { $0.url < $1.url } }
      #expect(byURL(try await writer.files(of: old)) == byURL(expected(files, old.id)))
      #expect(
        byURL(try await writer.files(of: new)) == byURL(expected(files, old.id) + expected([more], new.id)))
      #expect(try await writer.files(of: new, addedBy: new.id) == expected([more], new.id))
      #expect(try await writer.files(of: new, addedBy: 12345) == [])
    }
  }

  @Test func aStaleBaseIsAConflictAndAddsNothing() async throws {
    try await withTable { table in
      let base = try await table.append(
        [try await table.file("a", day: 20_780, region: "r", rows: 10)], run: "RUN-1")
      _ = try await table.append([try await table.file("b", day: 20_780, region: "r", rows: 5)], run: "RUN-2")
      let late = try await table.file("c", day: 20_780, region: "r", rows: 1)
      let answer = try await table.writer().append([late], run: "RUN-3", leftOut: [], settled: [], on: base)
      #expect(answer.isConflict)
      let first = try await table.writer().append([late], run: "RUN-3", leftOut: [], settled: [], on: nil)
      #expect(first.isConflict)
      let loaded = try #require(try await table.catalog.load())
      #expect(loaded.version == 2)
      #expect(loaded.committedRuns.keys.sorted() == ["RUN-1", "RUN-2"])
      _ = try await table.append([late], run: "RUN-3")
      #expect(try await table.scanned() == 16)
    }
  }

  @Test func markersOfSettledRunsGoAndForeignPropertiesStay() async throws {
    try await withTable { table in
      _ = try await table.append([try await table.file("a", day: 20_780, region: "r", rows: 1)], run: "RUN-1")
      _ = try await table.append([try await table.file("b", day: 20_780, region: "r", rows: 1)], run: "RUN-2")
      try await table.change {
        $0["properties"]?["owner"] = "somebody"
        $0["of-the-future"] = ["kept": true]
      }
      let third = try await table.append(
        [try await table.file("c", day: 20_780, region: "r", rows: 1)], run: "RUN-3",
        settled: ["RUN-1", "RUN-3", "RUN-0"])
      #expect(third.property("gadwall.committed.RUN-1") == nil)
      #expect(third.property("gadwall.committed.RUN-2") != nil)
      #expect(third.property("gadwall.committed.RUN-3") != nil)
      #expect(third.property("owner") == "somebody")
      #expect(third.metadata["of-the-future"] == ["kept": true])
      // The summary still names the run.
      #expect(third.committedRuns["RUN-1"] != nil)
    }
  }

  @Test func timesNeverGoBack() async throws {
    try await withTable { table in
      _ = try await table.append([try await table.file("a", day: 20_780, region: "r", rows: 1)], run: "RUN-1")
      let second = try await table.append(
        [try await table.file("b", day: 20_780, region: "r", rows: 1)], run: "RUN-2",
        now: Instant(seconds: 1_000_000_000))
      #expect(second.currentSnapshot?.json["timestamp-ms"] == 1_795_500_000_000)
      #expect(second.metadata["last-updated-ms"] == 1_795_500_000_000)
      let third = try await table.append(
        [try await table.file("c", day: 20_780, region: "r", rows: 1)], run: "RUN-3",
        now: Instant(seconds: 1_795_500_001))
      #expect(
        third.metadata["snapshot-log"]?.array?.map { $0["timestamp-ms"] } == [
          1_795_500_000_000, 1_795_500_000_000, 1_795_500_001_000,
        ])
    }
  }

  /// A total that nobody knows is left out: readers take it for the number of rows.
  @Test func totalsAreNotMadeUpBehindASnapshotWithoutThem() async throws {
    try await withTable { table in
      _ = try await table.append(
        [try await table.file("a", day: 20_780, region: "r", rows: 10)], run: "RUN-1")
      try await table.change {
        var snapshots = $0["snapshots"]?.array ?? []
        snapshots[0]["summary"] = ["operation": "overwrite"]
        $0["snapshots"] = .array(snapshots)
      }
      let second = try await table.append(
        [try await table.file("b", day: 20_780, region: "r", rows: 5)], run: "RUN-2")
      #expect(second.currentSnapshot?.summary("added-records") == "5")
      #expect(second.currentSnapshot?.summary("total-records") == nil)
      #expect(second.currentSnapshot?.summary("total-data-files") == nil)
      #expect(try await table.scanned() == 15)
    }
  }

  @Test func aForeignTableIsNotTouched() async throws {
    try await withTable { table in
      _ = try await table.append([try await table.file("a", day: 20_780, region: "r", rows: 1)], run: "RUN-1")
      try await table.change { $0["format-version"] = 3 }
      let before = try await table.store.list("")
      let file = try await table.file("b", day: 20_780, region: "r", rows: 1)
      let failure = await #expect(throws: Failure.self) { _ = try await table.append([file], run: "RUN-2") }
      #expect(failure?.code == "table.foreign")
      #expect(
        try await table.store.list("").map(\.key)
          == (before.map(\.key) + ["warehouse/logs/events/data/b.parquet"]).sorted())
    }
  }

  @Test func aTableOutsideTheStoreIsNamed() async throws {
    try await withTable { table in
      _ = try await table.append([try await table.file("a", day: 20_780, region: "r", rows: 1)], run: "RUN-1")
      try await table.change { $0["properties"]?["write.metadata.path"] = "s3://elsewhere/metadata" }
      let file = try await table.file("b", day: 20_780, region: "r", rows: 1)
      let failure = await #expect(throws: Failure.self) { _ = try await table.append([file], run: "RUN-2") }
      #expect(failure?.code == "table.elsewhere")
    }
  }

  @Test func nothingIsLeftInScratch() async throws {
    try await withTable { table in
      _ = try await table.append([try await table.file("a", day: 20_780, region: "r", rows: 1)], run: "RUN-1")
      let snapshot = try #require(try await table.catalog.load()?.currentSnapshot)
      _ = try await table.writer().files(of: snapshot)
      let left = try folderEntries(table.scratch)
      #expect(left.isEmpty)
    }
  }
}
