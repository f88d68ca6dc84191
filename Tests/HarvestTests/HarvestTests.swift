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

@Suite(.tags(.medium)) struct HarvestTests {
  @Test func aFileLargerThanAPieceBecomesSeveralDataFilesOfOneBatch() async throws {
    try await withScratch { folder in
      var fleet = try await InProcessFleet(folder)
      // Reading goes by blocks of 1 MiB, so a piece is at least that.
      fleet.engine.pieceLimit = 1 << 20
      let text = try await fleet.write(0, "big.log.1", lines: 30_000, seed: 1)
      try await fleet.write(0, "small.log.1", lines: 10, seed: 2)
      let summary = try await fleet.run()
      #expect(summary.isComplete, "\(summary.nodes)")
      #expect(summary.snapshots.first?.rows == 30_010)
      #expect((summary.snapshots.first?.files ?? 0) >= 4)
      let rows = try await fleet.query {
        "SELECT count(*) AS n, count(DISTINCT line) AS lines, min(line) AS low, max(line) AS high, count(DISTINCT batch) AS batches FROM \($0) WHERE stream = 'big.log'"
      }
      #expect(rows.first == ["n": 30_000, "lines": 30_000, "low": 1, "high": 30_000, "batches": 1])
      let big = try #require(summary.proven.first { $0.facts.file == "big.log.1" })
      #expect(big.facts.bytes == Int64(text.count))
      #expect(big.facts.digest == sha256(text))
      // The urgent rows of all pieces are in one alert object.
      let alert = try #require(big.facts.alert)
      let object = try #require(try await fleet.store.get(alert.key, limit: .mebibytes(64)))
      let lines = try gunzip(object, limit: .mebibytes(64)).count { $0 == 0x0A }
      #expect(Int64(lines) == big.facts.urgent)
      #expect(!exists(fleet.path(0, "big.log.1")))
      #expect(try await fleet.verify().findings.isEmpty)
    }
  }

  @Test func smallFilesShareADataFileADayAndAreToldApartByTheirBatch() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder, nodes: 2)
      for index in 0..<5 { try await fleet.write(0, "a.log.\(index + 1)", lines: 7, seed: UInt64(index)) }
      try await fleet.write(0, "b.log.1", lines: 3, seed: 9, at: 1_795_000_000 - 86_400)
      try await fleet.write(1, "a.log.1", lines: 2, seed: 10)
      let summary = try await fleet.run()
      #expect(summary.snapshots.count == 1)
      #expect(summary.snapshots.first?.files == 3)
      #expect(summary.proven.count == 7)
      let rows = try await fleet.query {
        "SELECT count(DISTINCT batch) AS batches, count(*) AS n FROM \($0)"
      }
      #expect(rows.first == ["batches": 7, "n": 40])
    }
  }

  @Test func batchesWithoutRowsGoWithoutASnapshot() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try publish([], at: fleet.path(0, "empty.log.1"), replacing: true)
      try publish(Array(" \n\t\r\n\n".utf8), at: fleet.path(0, "blank.log.1"), replacing: true)
      try publish(gzip([]), at: fleet.path(0, "other.log.1.gz"), replacing: true)
      let summary = try await fleet.run()
      #expect(summary.isComplete, "\(summary.nodes)")
      #expect(summary.snapshots.isEmpty)
      #expect(summary.proven.count == 3)
      #expect(try await fleet.catalog.load() == nil)
      #expect(try folderEntries(folderName(fleet.path(0, "x"))).isEmpty)
      #expect(try await fleet.verify().findings.isEmpty)
    }
  }

  @Test func aNodeWhoseLedgerWasLostIsToldWhatIsProvenAndStagesNothingTwice() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      let text = try await fleet.write(0, "a.log.1", lines: 20, seed: 1)
      _ = try await fleet.run()
      try removeTree(joined(fleet.engine.root(fleet.engine.nodes[0]), "var/lib/gadwall"))
      // The archived file comes back from somewhere, beside a new one.
      try publish(text, at: fleet.path(0, "a.log.1"), replacing: true)
      try setModified(fleet.path(0, "a.log.1"), seconds: 1_795_000_000)
      try await fleet.write(0, "b.log.1", lines: 5, seed: 2)
      let summary = try await fleet.run()
      #expect(summary.isComplete, "\(summary.nodes)")
      #expect(try await fleet.count() == 25)
      #expect(!exists(fleet.path(0, "a.log.1")) && !exists(fleet.path(0, "b.log.1")))
      #expect(try await fleet.verify().findings.isEmpty)
    }
  }

  @Test func markersOfProvenRunsGoWithALaterCommit() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 2, seed: 1)
      let first = try await fleet.run()
      #expect(try await fleet.catalog.load()?.property(CommitMarker.prefix + first.run) != nil)
      try await fleet.write(0, "b.log.1", lines: 2, seed: 2)
      let second = try await fleet.run()
      let table = try #require(try await fleet.catalog.load())
      #expect(table.property(CommitMarker.prefix + first.run) == nil)
      #expect(table.property(CommitMarker.prefix + second.run) != nil)
      // The summary says it still.
      #expect(table.committedRuns[first.run] != nil)
    }
  }

  @Test func aRunWhoseSnapshotHasExpiredIsProvenByItsRows() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 4, seed: 1)
      let first = try await fleet.run()
      try await fleet.write(0, "b.log.1", lines: 4, seed: 2)
      _ = try await fleet.run()
      // As somebody's expiry leaves it: only the newest snapshot, and the proof of the first was never written.
      let table = try #require(try await fleet.catalog.load())
      var metadata = table.metadata
      metadata["snapshots"] = .array(Array((metadata["snapshots"]?.array ?? []).suffix(1)))
      metadata["snapshot-log"] = .array(Array((metadata["snapshot-log"]?.array ?? []).suffix(1)))
      var properties = metadata["properties"]?.object ?? [:]
      let marker = CommitMarker(
        snapshot: first.snapshots[0].id, sequence: first.snapshots[0].sequence, leftOut: [])
      properties[CommitMarker.prefix + first.run] = .string(marker.text())
      metadata["properties"] = .object(properties)
      try await fleet.store.put(
        metadata.encoded, at: "warehouse/logs/events/metadata/v\(table.version + 1).metadata.json")
      try await fleet.store.delete("runs/\(first.run)/proof.json")
      try await fleet.store.put([], at: "runs/open/\(first.run)")
      let third = try await fleet.run()
      #expect(third.proven.map(\.facts.file) == ["a.log.1"])
      #expect(try await fleet.count() == 8)
      #expect(try await fleet.verify().findings.isEmpty)
    }
  }

  @Test func verifyFindsRowsThatSomebodyAddedAndRowsThatAreGone() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 4, seed: 1)
      try await fleet.write(0, "b.log.1", lines: 4, seed: 2, at: 1_795_000_000 - 86_400)
      let summary = try await fleet.run()
      #expect(try await fleet.verify().findings.isEmpty)
      // A proof that claims more than the table holds, and a raw object that went away.
      let run = summary.run
      let bytes = try #require(try await fleet.store.get("runs/\(run)/proof.json", limit: .mebibytes(1)))
      var proof = try decodeJSON(Proof.self, from: bytes, code: "x", document: "x")
      let index = try #require(proof.batches.firstIndex { $0.facts.file == "a.log.1" })
      proof.batches[index].facts.lines += 1
      proof.batches[index].facts.entries += 1
      let other = try #require(proof.batches.firstIndex { $0.facts.file == "b.log.1" })
      let removed = proof.batches[other].facts
      proof.batches.remove(at: other)
      try await fleet.store.put(encodeJSON(proof), at: "runs/\(run)/proof.json")
      try await fleet.store.delete(try #require(proof.batches[0].facts.raw).key)
      let kinds = Set(
        try await fleet.verify().findings.map { "\($0.kind.rawValue) \($0.subject.prefix(12))" })
      let changed = proof.batches[0].facts.id.prefix(12)
      #expect(
        kinds == [
          "rows-missing \(changed)", "ledger-differs \(changed)", "raw-missing \(changed)",
          "rows-unproven \(removed.id.prefix(12))", "deleted-unproven \(removed.id.prefix(12))",
        ])
    }
  }
}

extension CommitMarker {
  fileprivate func text() -> String { String(decoding: encodeJSON(self), as: UTF8.self) }
}
