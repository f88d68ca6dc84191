// What verify is for: each kind of loss is found, named, and nothing is changed by looking.

import Files
import Support
import TestSupport
import Testing

@Suite("verify finds what is wrong", .tags(.large))
struct VerifyFindsTests {
  /// Spoils a fleet that two harvests have archived, with two files each, and gives the kinds of verify's findings.
  private func findings(spoil: (TestFleet) async throws -> Void) async throws -> [String] {
    try await TestFleet.with { fleet in
      for round in 0..<2 {
        for file in 0..<2 {
          try fleet.put(
            "my_logs.log.\(file)", lines(ids("\(round)-\(file)", 3)),
            rotated: TestFleet.hour + Int64(round * 86_400 + file), stream: "my_logs.log")
        }
        let harvest = try await fleet.gadwall("harvest")
        #expect(harvest.status == 0, "\(harvest)")
      }
      try await spoil(fleet)
      let before = try fleet.objects("runs") + fleet.objects("raw") + fleet.objects("warehouse")
      let verify = try await fleet.gadwall("verify", "--format", "json")
      #expect(verify.status == 1, "\(verify)")
      #expect(try fleet.objects("runs") + fleet.objects("raw") + fleet.objects("warehouse") == before)
      let found = try verify.document()["findings"]?.array ?? []
      for finding in found {
        #expect(finding["what"]?.string?.isEmpty == false && finding["remedy"]?.string?.isEmpty == false)
      }
      return found.compactMap { $0["kind"]?.string }.sorted()
    }
  }

  private func keys(_ fleet: TestFleet, _ prefix: String, _ suffix: String) throws -> [String] {
    let found = try fleet.objects(prefix).filter { $0.hasSuffix(suffix) }
    try #require(found.count >= 2)
    return found
  }

  /// Takes the first of two objects away and cuts the second short.
  private func spoilTwo(_ fleet: TestFleet, _ keys: [String]) async throws {
    try await fleet.removeObject(keys[0])
    try await fleet.replaceObject(keys[1], with: try fleet.object(keys[1]).dropLast(10))
  }

  @Test("Raw objects that are gone, or cut short")
  func raw() async throws {
    let found = try await findings { try await spoilTwo($0, try keys($0, "raw", ".gz")) }
    #expect(found == ["raw-missing", "raw-missing"])
  }

  @Test(
    "Data files that are gone, or cut short: the batches in them are named too, and the others are counted")
  func dataFile() async throws {
    let found = try await findings { fleet in
      for name in ["extra.log.1", "more.log.1"] { try fleet.put(name, lines([name]), stream: name) }
      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 0, "\(harvest)")
      try await spoilTwo(fleet, try keys(fleet, "warehouse", ".parquet"))
    }
    #expect(found.filter { $0 == "file-missing" }.count == 2)
    #expect(found.filter { $0 == "rows-missing" }.count == 4)
    #expect(found.count == 6)
  }

  @Test("A proof that is gone")
  func proof() async throws {
    #expect(
      try await findings { try await $0.removeObject(try keys($0, "runs", "/proof.json")[0]) } == [
        "deleted-unproven", "deleted-unproven", "rows-unproven", "rows-unproven",
      ])
  }

  @Test("A table that was set back to an earlier snapshot")
  func setBack() async throws {
    #expect(
      try await findings { try await $0.setTableBack() } == ["rows-missing", "rows-missing"])
  }

  @Test("Rows that are in the table twice")
  func twice() async throws {
    #expect(
      try await findings { fleet in
        // Another writer's snapshot that names the first one's manifests once more.
        try await fleet.setTable(
          to: try await python(
            doublingManifests, [try fleet.tableMetadata()], input: try fleet.metadataBytes(),
            properties: fleet.readerProperties))
      } == ["rows-twice", "rows-twice", "rows-twice", "rows-twice"])
  }

  @Test("A run that was cut off")
  func openPlan() async throws {
    let found = try await findings { fleet in
      try fleet.put("late.log.1", lines(["late"]), stream: "late.log")
      let stopped = try await fleet.gadwall("harvest", environment: ["GADWALL_STOP_AT": "plan.after"])
      #expect(stopped.status == 128 + 9, "\(stopped)")
    }
    #expect(found == ["plan-open"])
  }

  @Test("Before the first harvest there is nothing to find")
  func nothing() async throws {
    try await TestFleet.with { fleet in
      let verify = try await fleet.gadwall("verify")
      #expect(verify.status == 0, "\(verify)")
    }
  }
}

/// New metadata whose newest snapshot's manifest list holds every entry twice.
private let doublingManifests = #"""
  import json, sys
  from pyiceberg.io.pyarrow import PyArrowFileIO
  from pyiceberg.manifest import read_manifest_list, write_manifest_list
  from pyiceberg.table import StaticTable

  table = StaticTable.from_metadata(sys.argv[1], properties)
  snapshot, io = table.current_snapshot(), PyArrowFileIO(properties)
  manifests = list(read_manifest_list(io.new_input(snapshot.manifest_list)))
  path = snapshot.manifest_list.replace("snap-", "twice-")
  with write_manifest_list(2, io.new_output(path), snapshot.snapshot_id + 1, snapshot.snapshot_id, 3, "null") as writer:
      writer.add_manifests(manifests + manifests)
  metadata = json.load(sys.stdin)
  new = dict(metadata["snapshots"][-1], **{
      "snapshot-id": snapshot.snapshot_id + 1, "parent-snapshot-id": snapshot.snapshot_id, "sequence-number": 3,
      "manifest-list": path, "summary": {"operation": "append"}})
  metadata["snapshots"].append(new)
  metadata["current-snapshot-id"] = new["snapshot-id"]
  metadata["last-sequence-number"] = 3
  metadata["refs"]["main"]["snapshot-id"] = new["snapshot-id"]
  json.dump(metadata, sys.stdout)
  """#
