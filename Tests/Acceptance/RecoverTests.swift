// `gadwall recover` as an operator has it: said first, done when asked to, killed anywhere and run again.

import Files
import Support
import TestSupport
import Testing

@Suite("Recovery", .tags(.large))
struct RecoverTests {
  /// Three runs; then the table is set back to the first, the second's data file is gone, and the first's proof is cut.
  private func damage(_ fleet: TestFleet) async throws -> [String] {
    var written: [String] = []
    for name in ["a", "b", "c"] {
      let ids = ids(name, 10)
      written += ids
      try fleet.put("\(name).log.1", lines(ids, category: "SECURITY"), stream: "\(name).log")
      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 0, "\(harvest)")
    }
    try await fleet.setTableBack()
    // By their commits: two runs of one second have ids in any order.
    let runs = try fleet.objects("runs").filter { $0.hasSuffix("/proof.json") }
      .map { ($0, try JSONValue(parsing: try fleet.object($0))["sequence"]?.integer ?? 0) }
      .sorted { $0.1 < $1.1 }.map(\.0)
    #expect(runs.count == 3)
    let second = try JSONValue(parsing: try fleet.object(runs[1]))
    for file in second["dataFiles"]?.array ?? [] {
      try await fleet.removeObject(fleet.key(of: try #require(file.string)))
    }
    try await fleet.replaceObject(runs[0], with: try fleet.object(runs[0]).dropLast(20))
    return written
  }

  @Test("What is found, what would be done, and done: words, JSON and exit statuses")
  func whole() async throws {
    try await TestFleet.with { fleet in
      let well = try await fleet.gadwall("recover")
      #expect(well.status == 0 && well.output.contains("Nothing to recover"), "\(well)")
      let written = try await damage(fleet)
      let verify = try await fleet.gadwall("verify")
      #expect(verify.status == 2 && verify.errors.contains("gadwall recover"), "\(verify)")
      let said = try await fleet.gadwall("recover")
      #expect(said.status == 1, "\(said)")
      for word in ["object-broken", "run-open", "rows-forgotten", "'gadwall recover --apply'"] {
        #expect(said.output.contains(word), "\(word): \(said)")
      }
      let document = try await fleet.gadwall("recover", "--format", "json")
      let items = try document.document()["items"]?.array ?? []
      #expect(document.status == 1 && items.allSatisfy { $0["state"]?.string == "possible" }, "\(document)")
      let done = try await fleet.gadwall("recover", "--apply")
      #expect(done.status == 0, "\(done)")
      #expect(try await fleet.idCounts() == Dictionary(uniqueKeysWithValues: written.map { ($0, 1) }))
      let after = try await fleet.gadwall("verify", "--deep")
      #expect(after.status == 0, "\(after)")
      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 0, "\(harvest)")
      let wrong = try await fleet.gadwall("recover", "--gone", "nobody")
      #expect(wrong.status == 2 && wrong.errors.contains("Known nodes: "), "\(wrong)")
    }
  }

  @Test(
    "Killed anywhere, run again",
    arguments: stepPointNames().filter { $0.hasPrefix("recover.") } + [
      "stage.uploaded-data", "stage.completed", "commit.before", "commit.list-written",
      TestBackend.current == .s3 ? "rest.committed" : "commit.metadata-written", "commit.after",
      "readback.before", "proof.before", "proof.after",
    ])
  func killed(at name: String) async throws {
    try await TestFleet.with { fleet in
      let written = try await damage(fleet)
      if name == "recover.before-proof" || name == "recover.proof" {
        // A proof that has to be written from the raw object.
        for object in try fleet.objects("runs") where !object.hasSuffix("/proof.json") {
          try await fleet.removeObject(object)
        }
      }
      let stopped = try await fleet.gadwall("recover", "--apply", environment: ["GADWALL_STOP_AT": name])
      #expect(stopped.status == 128 + 9, "\(stopped)")
      if wasKilled(stopped) { tally("killed in a recovery", name) }
      // A harvest in between does no harm, whatever state it finds.
      _ = try await fleet.gadwall("harvest")
      var last = try await fleet.gadwall("recover", "--apply")
      if last.status != 0 { last = try await fleet.gadwall("recover", "--apply") }
      #expect(last.status == 0, "\(last)")
      #expect(try await fleet.idCounts() == Dictionary(uniqueKeysWithValues: written.map { ($0, 1) }))
      let verify = try await fleet.gadwall("verify")
      #expect(verify.status == 0, "\(verify)")
    }
  }

  @Test("Rows that pyiceberg deleted out of a data file come back alone, and only when asked for")
  func deletedRows() async throws {
    // Its writer stands in for the directory catalog.
    try await TestFleet.with(on: .folder) { fleet in
      let kept = ids("kept", 5)
      let deleted = ids("deleted", 7)
      try fleet.put("a.log.1", lines(kept), stream: "a.log")
      try fleet.put("b.log.1", lines(deleted), stream: "b.log")
      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 0, "\(harvest)")
      _ = try await python(deletingWithPyiceberg, [try fleet.tableMetadata()])
      #expect(try await fleet.idCounts() == Dictionary(uniqueKeysWithValues: kept.map { ($0, 1) }))
      let verify = try await fleet.gadwall("verify")
      #expect(verify.status == 1 && verify.output.contains("rows-removed"), "\(verify)")
      let left = try await fleet.gadwall("recover", "--apply")
      #expect(left.status == 0 && left.output.contains("--removed brings them back"), "\(left)")
      let back = try await fleet.gadwall("recover", "--apply", "--removed")
      #expect(back.status == 0, "\(back)")
      #expect(
        try await fleet.idCounts() == Dictionary(uniqueKeysWithValues: (kept + deleted).map { ($0, 1) }))
      let after = try await fleet.gadwall("verify")
      #expect(after.status == 0, "\(after)")
    }
  }
}

/// Deletes one stream's rows as an Iceberg writer does, and puts the new metadata where the directory catalog looks.
private let deletingWithPyiceberg = """
  import os, sys
  import pyarrow
  import pyarrow.compute
  from pyiceberg.transforms import DayTransform
  from pyiceberg.catalog.noop import NoopCatalog
  from pyiceberg.table import CommitTableResponse, StaticTable, Table
  from pyiceberg.table.update import update_table_metadata
  # Otherwise it wants one more package, for this alone.
  DayTransform.pyarrow_transform = lambda self, source: lambda array: pyarrow.compute.cast(
    pyarrow.compute.cast(array, pyarrow.date32()), pyarrow.int32())
  location = sys.argv[1]
  place = os.path.dirname(location)
  class Files(NoopCatalog):
    def commit_table(self, table, requirements, updates):
      for requirement in requirements: requirement.validate(table.metadata)
      metadata = update_table_metadata(table.metadata, updates)
      with open(place + "/v2.metadata.json", "w") as file: file.write(metadata.model_dump_json())
      with open(place + "/version-hint.text", "w") as file: file.write("2")
      return CommitTableResponse(metadata=metadata, metadata_location="file://" + place + "/v2.metadata.json")
  static = StaticTable.from_metadata(location)
  table = Table(("logs", "events"), static.metadata, location, static.io, Files("files"))
  table.delete("stream = 'b.log'")
  """
