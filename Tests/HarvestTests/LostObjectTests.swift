import DuckDB
import Files
import Iceberg
import ObjectStorage
import Support
import TestSupport
import Testing

@testable import Harvest

/// What happens when somebody deletes objects that the protocol counts on.
@Suite(.tags(.medium)) struct LostObjectTests {
  /// A catalog that takes no change.
  private struct StubbornCatalog: ForwardingCatalog {
    let inner: any Catalog
    func commit(_ change: TableChange, on base: LoadedTable?) async throws(Failure) -> CommitAnswer {
      .conflict(words: "somebody is always faster")
    }
  }

  /// A run that has staged, and planned, and could not commit.
  private func leaveOpenRun(_ fleet: InProcessFleet) async throws {
    let harvest = Harvest(
      engine: fleet.engine, store: fleet.store, catalog: StubbornCatalog(inner: fleet.catalog),
      duckdb: fleet.duckdb, scratch: joined(fleet.folder, "scratch"), tell: { _ in })
    await #expect { _ = try await harvest.run(fleet.request) } throws: {
      ($0 as? Failure)?.code == "commit.conflict"
    }
  }

  /// A snapshot that names a file which is not there can't be read, and neither can any later one.
  @Test(arguments: [true, false]) func aDataFileThatIsGoneIsNotCommitted(_ rule: Bool) async throws {
    try await withScratch { folder in
      var fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      try await leaveOpenRun(fleet)
      for object in try await fleet.store.list("warehouse/logs/events/data/") {
        try await fleet.store.delete(object.key)
      }
      fleet.engine.rules.looksForDataFiles = rule
      var harvest = fleet.harvest
      harvest.rules.looksForDataFiles = rule
      let summary = try await harvest.run(fleet.request)
      guard rule else {
        await #expect(throws: Failure.self) { _ = try await fleet.query { "SELECT max(line) FROM \($0)" } }
        return
      }
      #expect(summary.isComplete)
      #expect(try await fleet.count() == 3)
      #expect(!exists(fleet.path(0, "a.log.1")))
      let report = try await fleet.verify()
      #expect(report.findings.isEmpty, "\(report.findings)")
    }
  }

  @Test func withItsFileGoneABundleIsWrittenAgainFromItsRawObject() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      try await leaveOpenRun(fleet)
      try removeFile(fleet.path(0, "a.log.1"))
      for object in try await fleet.store.list("warehouse/logs/events/data/") {
        try await fleet.store.delete(object.key)
      }
      let summary = try await fleet.run()
      #expect(try await fleet.count() == 3, "\(summary.nodes)")
      let report = try await fleet.verify()
      #expect(report.findings.isEmpty, "\(report.findings)")
    }
  }

  /// An empty folder where the store was mounted: nothing that a ledger knows may be forgotten for that.
  @Test func aStoreThatIsNotMountedTakesNothingOutOfALedger() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder, on: .folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      try await leaveOpenRun(fleet)
      try removeFile(fleet.path(0, "a.log.1"))
      let store = fleet.storeFolder
      try renameFile(store, store + ".away", replacing: false)
      try makeFolder(store)
      let summary = try await fleet.run()
      #expect(summary.nodes[0].problems.contains { $0.contains("so are its data file and its raw object") })
      try removeTree(store)
      try renameFile(store + ".away", store, replacing: false)
      _ = try await fleet.run()
      #expect(try await fleet.count() == 3)
    }
  }

  /// What a run has brought can't be told from what is still to come when neither its plan nor its proof is left.
  @Test func nothingIsCommittedBesideARunOfWhichNothingIsKnown() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      var request = fleet.request
      request.isPruneOff = true
      _ = try await fleet.harvest.run(request)
      for object in try await fleet.store.list("runs/") { try await fleet.store.delete(object.key) }
      await #expect { _ = try await fleet.run() } throws: { ($0 as? Failure)?.code == "run.lost" }
      #expect(try await fleet.count() == 3)
    }
  }
}
