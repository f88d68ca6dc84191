import Files
import Iceberg
import ObjectStorage
import Processes
import Support
import TestSupport
import Testing

@testable import Harvest

/// Every call to the store fails once, before or after it took effect: run it again, and every line is in the table once.
@Suite(.tags(.medium)) struct FaultyStoreTests {
  /// One harvest with a fault in it, and one without.
  /// - Returns: the call that failed; nil when there are not so many.
  private func hit(_ fault: FaultyStore.Fault, call: Int) async throws -> String? {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder, on: .folder)
      // A table that is there already, with a marker to take away, and a file that is new.
      try await fleet.write(0, "a.log.1", lines: 2, seed: 1)
      _ = try await fleet.run()
      try await fleet.write(0, "b.log.1", lines: 3, seed: 2)
      let store = FaultyStore(fleet.store, fault, call: call)
      var engine = fleet.engine
      engine.store = store
      let harvest = Harvest(
        engine: engine, store: store,
        catalog: DirectoryCatalog(store: store, namespace: "logs", name: "events"),
        duckdb: fleet.duckdb, scratch: joined(folder, "scratch"), tell: { _ in })
      // What it says of the fault is another test's business.
      _ = try? await harvest.run(fleet.request)
      guard let hit = store.hit else { return nil }
      let summary = try await fleet.run()
      #expect(summary.isComplete, "\(hit): \(summary.nodes.map(\.problems))")
      #expect(try await fleet.count() == 5, "\(hit)")
      #expect(!exists(fleet.path(0, "b.log.1")), "\(hit)")
      let report = try await fleet.verify()
      #expect(report.findings.isEmpty, "\(hit): \(report.findings)")
      return hit
    }
  }

  /// `make check-long` tries every call; here every seventh does.
  @Test(arguments: FaultyStore.Fault.allCases) func anyCallMayFail(_ fault: FaultyStore.Fault) async throws {
    let step = Int(environmentValue("GADWALL_FAULT_STEP") ?? "") ?? 7
    var call = fault == .refused ? 0 : step / 2
    while let hit = try await hit(fault, call: call) {
      tally("store call \(fault.rawValue)", hit)
      call += step
    }
    #expect(call > 40)
  }
}
