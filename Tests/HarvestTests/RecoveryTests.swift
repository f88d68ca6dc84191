import DuckDB
import Files
import Iceberg
import Logs
import ObjectStorage
import Support
import TestSupport
import Testing

@testable import Harvest

/// Each case that a harvest can't mend by itself: what is found, that nothing is done unasked, and that all lines are there once afterwards.
@Suite(.tags(.medium)) struct RecoveryTests {
  private func recover(
    _ fleet: InProcessFleet, apply: Bool = false, removed: Bool = false, gone: [String] = [],
    trustTable: Bool = false, store: (any ObjectStore)? = nil
  ) async throws -> [RecoveryItem] {
    var scope = RecoveryScope()
    scope.isApplied = apply
    scope.trustsTable = trustTable
    scope.bringsBackRemoved = removed
    scope.gone = gone
    return try await Recovery(
      engine: fleet.engine, store: store ?? fleet.store, catalog: fleet.catalog, duckdb: fleet.duckdb,
      scratch: joined(fleet.folder, "scratch"), request: fleet.request, scope: scope
    ).run().items
  }

  /// Says what it would do, changes nothing by that, then does it.
  @discardableResult
  private func recoverWhole(
    _ fleet: InProcessFleet, removed: Bool = false, gone: [String] = []
  ) async throws -> [RecoveryItem.Kind] {
    let before = try tree(fleet.storeFolder)
    let said = try await recover(fleet, removed: removed, gone: gone)
    #expect(try tree(fleet.storeFolder) == before)
    #expect(said.allSatisfy { $0.state == .possible }, "\(said)")
    let done = try await recover(fleet, apply: true, removed: removed, gone: gone)
    #expect(done.allSatisfy { $0.state == .done }, "\(done)")
    #expect(done.map(\.kind) == said.map(\.kind))
    let left = try await recover(fleet, removed: removed, gone: gone)
    #expect(left.isEmpty, "\(left)")
    return said.map(\.kind)
  }

  private func expectWhole(_ fleet: InProcessFleet, rows: Int64) async throws {
    #expect(try await fleet.count() == rows)
    let report = try await fleet.verify()
    #expect(report.findings.isEmpty, "\(report.findings)")
  }

  private func delete(_ fleet: InProcessFleet, _ prefix: String, suffix: String = "") async throws {
    for object in try await fleet.store.list(prefix) where object.key.hasSuffix(suffix) {
      try await fleet.store.delete(object.key)
    }
  }

  /// Writes the table's metadata anew, as another program might.
  private func change(_ fleet: InProcessFleet, _ body: (inout JSONValue) -> Void) async throws {
    let table = try #require(try await fleet.catalog.load())
    var metadata = table.metadata
    body(&metadata)
    try await fleet.store.put(
      metadata.encoded, at: "warehouse/logs/events/metadata/v\(table.version + 1).metadata.json")
  }

  /// As expiry leaves it: only the newest snapshot, and no marker, since a later commit has removed those of proven runs.
  private func forgetRuns(_ fleet: InProcessFleet) async throws {
    try await change(fleet) { metadata in
      var snapshots = metadata["snapshots"]?.array ?? []
      if case .object(let members)? = snapshots.last?["summary"] {
        snapshots[snapshots.count - 1]["summary"] = .object(members.filter { !$0.key.hasPrefix("gadwall") })
      }
      metadata["snapshots"] = .array(Array(snapshots.suffix(1)))
      if case .object(let members)? = metadata["properties"] {
        metadata["properties"] = .object(members.filter { !$0.key.hasPrefix(CommitMarker.prefix) })
      }
    }
  }

  private func goBack(_ fleet: InProcessFleet, to version: Int) async throws {
    for object in try await fleet.store.list("warehouse/logs/events/metadata/v") {
      let number = baseName(object.key).dropFirst().prefix { $0.isNumber }
      if let number = Int(number), number > version { try await fleet.store.delete(object.key) }
    }
    try await fleet.store.put(
      Array(String(version).utf8), at: "warehouse/logs/events/metadata/version-hint.text")
  }

  private struct StubbornCatalog: ForwardingCatalog {
    let inner: any Catalog
    func commit(_ change: TableChange, on base: LoadedTable?) async throws(Failure) -> CommitAnswer {
      .conflict(words: "somebody is always faster")
    }
  }

  /// A run that has staged and reported, and was cut off before it wrote a plan.
  private func stageOnly(_ fleet: InProcessFleet, keepPlan: Bool = false) async throws {
    let harvest = Harvest(
      engine: fleet.engine, store: fleet.store, catalog: StubbornCatalog(inner: fleet.catalog),
      duckdb: fleet.duckdb, scratch: joined(fleet.folder, "scratch"), tell: { _ in })
    await #expect(throws: Failure.self) { _ = try await harvest.run(fleet.request) }
    for run in try await RunStore(store: fleet.store).openRuns() where !keepPlan {
      try await fleet.store.delete(RunKeys.plan(run))
      try await fleet.store.delete(RunKeys.open(run))
    }
  }

  @Test func aFleetThatIsWellNeedsNothing() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder, nodes: 2)
      #expect(try await recover(fleet).isEmpty)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      try await fleet.write(1, "b.log.1", lines: 3, seed: 2)
      _ = try await fleet.run()
      #expect(try await recover(fleet, apply: true).isEmpty)
    }
  }

  // MARK: lost proofs

  @Test(arguments: [false, true]) func proofsThatAreGoneAreWrittenAgain(_ isExpired: Bool) async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder, on: .folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      _ = try await fleet.run()
      try publish([], at: fleet.path(0, "empty.log.1"), replacing: true)
      try await untilNobodyWrites(fleet.path(0, "empty.log.1"))
      try await fleet.write(0, "b.log.1", lines: 5, seed: 2)
      _ = try await fleet.run()
      if isExpired { try await forgetRuns(fleet) }
      try await delete(fleet, "runs/", suffix: "/proof.json")
      #expect(try await !fleet.verify().findings.isEmpty)
      #expect(
        Set(try await recoverWhole(fleet)) == (isExpired ? [.proofLost] : [.runOpen]))
      try await expectWhole(fleet, rows: 8)
      #expect(try await RunStore(store: fleet.store).proven().batches.count == 3)
      try await fleet.write(0, "c.log.1", lines: 2, seed: 3)
      _ = try await fleet.run()
      try await expectWhole(fleet, rows: 10)
    }
  }

  /// Nothing of the runs is left: the raw objects say what the table's rows are, and the batches' ids say that they are right.
  @Test(arguments: [false, true]) func withoutAnyRunThePastIsReadFromTheRawObjects(_ isExpired: Bool)
    async throws
  {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder, nodes: 2, on: .folder)
      let text = try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      try await fleet.write(1, "b.log.1", lines: 5, seed: 2)
      let before = try await fleet.run().proven
      // Archived, and still on the node: it must not come a second time.
      try await fleet.write(0, "c.log.1", lines: 2, seed: 3, at: 1_795_003_600)
      var request = fleet.request
      request.isPruneOff = true
      _ = try await fleet.harvest.run(request)
      if isExpired { try await forgetRuns(fleet) }
      try await delete(fleet, "runs/")
      let kinds = try await recoverWhole(fleet)
      #expect(kinds == (isExpired ? [.rowsUnproven] : [.rowsUnproven, .runLost, .runLost]))
      try await expectWhole(fleet, rows: 10)
      for batch in before {
        let again = try #require(try await RunStore(store: fleet.store).proven().batches[batch.facts.id])
        #expect(again.facts.agrees(with: batch.facts) && again.facts.alert == batch.facts.alert)
        #expect(again.facts.raw == batch.facts.raw && again.facts.urgent == batch.facts.urgent)
      }
      var bytes: [UInt8] = []
      let raw = RawFiles(store: fleet.store)
      let batch = try await raw.batch(
        BatchFilter(prefix: String(before.first { $0.node.name == "n1" }?.facts.id.prefix(10) ?? "")))
      try await raw.read(batch, scratch: folder) { bytes += Array($0) }
      #expect(bytes == text)
      let summary = try await fleet.run()
      #expect(summary.isComplete)
      #expect(!exists(fleet.path(0, "c.log.1")))
      try await expectWhole(fleet, rows: 10)
    }
  }

  @Test func rowsOfWhichNothingIsKnownStayAsTheyAre() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      _ = try await fleet.run()
      try await delete(fleet, "runs/")
      try await delete(fleet, "raw/")
      let items = try await recover(fleet, apply: true)
      #expect(items.map(\.kind) == [.rowsUnproven, .runLost])
      #expect(items.allSatisfy { $0.state == .impossible })
      await #expect { _ = try await fleet.run() } throws: { ($0 as? Failure)?.code == "run.lost" }
      #expect(try await fleet.count() == 3)
      // The table's own word keeps the rows from coming twice, and deletes no file.
      let trusted = try await recover(fleet, apply: true, trustTable: true)
      #expect(trusted.allSatisfy { $0.state == .done }, "\(trusted)")
      try await expectWhole(fleet, rows: 3)
      try await fleet.write(0, "b.log.1", lines: 2, seed: 2)
      _ = try await fleet.run()
      try await expectWhole(fleet, rows: 5)
    }
  }

  @Test func aFileIsNotDeletedOnTheTablesWordAlone() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      var request = fleet.request
      request.isPruneOff = true
      _ = try await fleet.harvest.run(request)
      try await delete(fleet, "runs/")
      try await delete(fleet, "raw/")
      _ = try await recover(fleet, apply: true, trustTable: true)
      let summary = try await fleet.run()
      #expect(exists(fleet.path(0, "a.log.1")))
      #expect(summary.nodes[0].problems.contains { $0.contains("not those of the node's ledger") })
      #expect(try await fleet.count() == 3)
    }
  }

  /// Nothing that a run has brought may be taken for still to come because the proof of it could not be written.
  @Test func aLostRunIsNotClosedBeforeItsRowsAreProven() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      var request = fleet.request
      request.isPruneOff = true
      _ = try await fleet.harvest.run(request)
      try await delete(fleet, "runs/")
      var call = 0
      while true {
        let store = FaultyStore(fleet.store, .refused, call: call)
        let items = try? await recover(fleet, apply: true, store: store)
        if store.hit == nil { break }
        call += 1
        if items?.contains(where: { $0.kind == .rowsUnproven && $0.state == .failed }) == true {
          #expect(items?.last?.kind == .runLost && items?.last?.state == .failed)
          break
        }
      }
      _ = try await recover(fleet, apply: true)
      _ = try await fleet.run()
      try await expectWhole(fleet, rows: 3)
      #expect(!exists(fleet.path(0, "a.log.1")))
    }
  }

  /// One of a bundle's batches was pruned, and of the other nothing is in the table: its file must stay until it is.
  @Test func ofABundleWithoutProofOnlyWhatIsThereIsProven() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      try await fleet.write(0, "b.log.1", lines: 5, seed: 2)
      try await stageOnly(fleet, keepPlan: true)
      let run = try #require(try await RunStore(store: fleet.store).openRuns().first)
      let plan = try #require(try await RunStore(store: fleet.store).plan(run))
      let batch = try #require(plan.bundles.first?.batches.first { $0.file == "a.log.1" })
      var report = PruneReport(run: run, node: fleet.engine.nodes[0])
      report.pruned = [batch.id]
      try await fleet.store.put(encodeJSON(report), at: RunKeys.pruned(run) + "x.ndjson")
      try await fleet.store.delete(RunKeys.open(run))
      _ = try await recover(fleet, apply: true)
      let proven = try await RunStore(store: fleet.store).proven().batches
      #expect(Set(proven.keys) == [batch.id] && proven[batch.id]?.run != run)
      // The node hears of the proof, takes its bundle apart with its next stage, and brings the rest.
      #expect(exists(fleet.path(0, "b.log.1")))
      _ = try await fleet.run()
      #expect(exists(fleet.path(0, "b.log.1")))
      _ = try await fleet.run()
      // There was no table: the rows of the one that was deleted were brought back from its raw object.
      try await expectWhole(fleet, rows: 8)
    }
  }

  @Test func aBrokenPlanOfAProvenRunIsKeptAside() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      let run = try await fleet.run().run
      try await fleet.store.put(Array("{".utf8), at: RunKeys.plan(run))
      await #expect(throws: Failure.self) { _ = try await fleet.verify() }
      #expect(try await recoverWhole(fleet) == [.objectBroken])
      try await expectWhole(fleet, rows: 3)
    }
  }

  /// A backup of `runs/` that is older than the proofs: an open plan in it was committed long ago.
  @Test func anOpenPlanWhoseRowsAreThereIsNotCommittedAgain() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder, on: .folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      var request = fleet.request
      request.isPruneOff = true
      let run = try await fleet.harvest.run(request).run
      try await forgetRuns(fleet)
      try await fleet.store.delete(RunKeys.proof(run))
      try await fleet.store.put([], at: RunKeys.open(run))
      await #expect { _ = try await fleet.run() } throws: { ($0 as? Failure)?.code == "run.unclear" }
      #expect(try await recoverWhole(fleet) == [.proofLost])
      _ = try await fleet.run()
      try await expectWhole(fleet, rows: 3)
      #expect(!exists(fleet.path(0, "a.log.1")))
    }
  }

  @Test func anIndexOutlivesItsProofs() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      var harvest = fleet.harvest
      harvest.foldAfter = 1
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      _ = try await harvest.run(fleet.request)
      try await delete(fleet, "runs/", suffix: "/proof.json")
      #expect(try await recoverWhole(fleet) == [.proofLost])
      try await fleet.store.delete(RunIndex.key)
      try await expectWhole(fleet, rows: 3)
    }
  }

  @Test(arguments: ["/proof.json", "/plan.json", ".ndjson"]) func whatCantBeReadIsKeptAside(_ suffix: String)
    async throws
  {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      _ = try await fleet.run()
      var broken: [String: [UInt8]] = [:]
      for object in try await fleet.store.list("runs/") where object.key.hasSuffix(suffix) {
        let bytes = Array(
          try #require(try await fleet.store.get(object.key, limit: .mebibytes(1))).dropLast(9))
        try await fleet.store.put(bytes, at: object.key)
        broken[object.key] = bytes
      }
      if suffix == "/plan.json" { try await delete(fleet, "runs/", suffix: "/proof.json") }
      await #expect(throws: Failure.self) { _ = try await fleet.verify() }
      let done = try await recover(fleet, apply: true)
      #expect(done.allSatisfy { $0.state == .done }, "\(done)")
      #expect(done.count { $0.kind == .objectBroken } == broken.count)
      for (key, bytes) in broken {
        let kept = try #require(try await fleet.store.list(key + ".broken-").first)
        #expect(try await fleet.store.get(kept.key, limit: .mebibytes(1)) == bytes)
      }
      try await expectWhole(fleet, rows: 3)
      try await fleet.write(0, "b.log.1", lines: 2, seed: 2)
      _ = try await fleet.run()
      try await expectWhole(fleet, rows: 5)
      #expect(try await recover(fleet).isEmpty)
    }
  }

  // MARK: a table that was set back

  @Test(arguments: ["data files", "raw objects"]) func whatATableHasForgottenIsBroughtBack(_ from: String)
    async throws
  {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder, on: .folder)
      for (seed, lines) in [(1, 3), (2, 5), (3, 7)] {
        try await fleet.write(
          0, "a.log.\(seed)", lines: lines, seed: UInt64(seed), at: 1_795_000_000 + Int64(seed))
        _ = try await fleet.run()
      }
      let forgotten = try await RunStore(store: fleet.store).provenRuns().suffix(2)
      try await goBack(fleet, to: 1)
      // The archive goes on: the numbers of what was forgotten are given a second time.
      try await fleet.write(0, "b.log.1", lines: 2, seed: 4)
      _ = try await fleet.run()
      #expect(try await fleet.count() == 5)
      #expect(Set(try await fleet.verify().findings.map(\.kind)) == [.rowsMissing])
      if from == "raw objects" {
        for run in forgotten {
          for url in try #require(try await RunStore(store: fleet.store).proof(run)).proof.dataFiles {
            try await fleet.store.delete(try #require(fleet.store.key(of: url)))
          }
        }
      }
      #expect(try await recoverWhole(fleet) == [.rowsForgotten])
      try await expectWhole(fleet, rows: 17)
      let alerts = try await RunStore(store: fleet.store).proven().batches.values.compactMap(\.facts.alert)
      #expect(!alerts.isEmpty)
      try await fleet.write(0, "c.log.1", lines: 1, seed: 5)
      _ = try await fleet.run()
      try await expectWhole(fleet, rows: 18)
    }
  }

  @Test func aRollbackIsToldFromADeletion() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder, on: .folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      _ = try await fleet.run()
      try await fleet.write(0, "b.log.1", lines: 5, seed: 2)
      _ = try await fleet.run()
      try await change(fleet) { metadata in
        let first = metadata["snapshots"]?.array?.first?["snapshot-id"] ?? 0
        metadata["current-snapshot-id"] = first
        metadata["refs"] = ["main": ["type": "branch", "snapshot-id": first]]
      }
      #expect(try await recoverWhole(fleet) == [.rowsForgotten])
      try await expectWhole(fleet, rows: 8)
    }
  }

  @Test func whatSomebodyDeletedComesBackOnlyWhenAskedFor() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder, on: .folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      _ = try await fleet.run()
      try await fleet.write(0, "b.log.1", lines: 5, seed: 2)
      _ = try await fleet.run()
      try await change(fleet) { metadata in
        let first = metadata["snapshots"]?.array?.first ?? .null
        metadata["current-snapshot-id"] = first["snapshot-id"]
        metadata["snapshots"] = .array([first])
        metadata["refs"] = ["main": ["type": "branch", "snapshot-id": first["snapshot-id"] ?? 0]]
      }
      let items = try await recover(fleet, apply: true)
      #expect(items.map(\.kind) == [.rowsRemoved] && items.allSatisfy { $0.state == .left })
      #expect(try await fleet.count() == 3)
      #expect(try await recoverWhole(fleet, removed: true) == [.rowsForgotten])
      try await expectWhole(fleet, rows: 8)
    }
  }

  /// Somebody rolls the table back between a commit and its proof: nothing may be proven, and deleted, that is no longer there.
  @Test func whatWasRolledBackBeforeItsProofIsNotProven() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder, on: .folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      _ = try await fleet.run()
      try await fleet.write(0, "b.log.1", lines: 5, seed: 2)
      let run = try await fleet.run().run
      // As it was just after the commit: no proof, and the node's file is still there.
      let plan = try #require(try await RunStore(store: fleet.store).plan(run))
      try await fleet.store.delete(RunKeys.proof(run))
      try await fleet.store.put([], at: RunKeys.open(run))
      try await change(fleet) { metadata in
        let first = metadata["snapshots"]?.array?.first?["snapshot-id"] ?? 0
        metadata["current-snapshot-id"] = first
        metadata["refs"] = ["main": ["type": "branch", "snapshot-id": first]]
      }
      _ = try await fleet.run()
      let proven = try await RunStore(store: fleet.store).proven().batches
      #expect(plan.bundles.flatMap(\.batches).allSatisfy { proven[$0.id] == nil })
    }
  }

  /// A bundle was taken apart and brought back in parts, and then the table was lost: the whole bundle and its part must not both come back.
  @Test func aBundleAndAPartOfItDoNotBothComeBack() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder, on: .folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      try await fleet.write(0, "b.log.1", lines: 5, seed: 2)
      let run = try await fleet.run().run
      let runs = RunStore(store: fleet.store)
      let plan = try #require(try await runs.plan(run))
      let bundle = plan.bundles[0]
      let part = try #require(bundle.batches.first { $0.file == "a.log.1" })
      // The part, as a recovery of it alone has left it: a later plan and proof of its own bundle.
      let stager = RawStager(
        store: fleet.store, duckdb: fleet.duckdb, scratch: joined(folder, "scratch"), request: fleet.request,
        dataPath: try await fleet.catalog.dataPath(in: fleet.store), clock: .system)
      try makeFolder(joined(folder, "scratch"))
      let staged = try await stager.stage([RawBatch(node: bundle.node, facts: part)]).bundles
      let later = newRunID(at: WallClock.system.now())
      try await fleet.store.put(encodeJSON(Plan(run: later, bundles: staged)), at: RunKeys.plan(later))
      let proof = Proof(
        run: later, writtenAt: "", table: "", tableUUID: "", snapshot: 1, sequence: 2,
        batches: [
          ProvenBatch(
            facts: part, node: bundle.node, bundle: staged[0].id, run: later, snapshot: 1, sequence: 2)
        ], dataFiles: staged[0].dataFiles.map(\.url), leftOut: [])
      try await fleet.store.put(encodeJSON(proof), at: RunKeys.proof(later))
      try await delete(fleet, "warehouse/logs/events/metadata/")
      #expect(Set(try await recoverWhole(fleet)) == [.rowsForgotten])
      try await expectWhole(fleet, rows: 8)
    }
  }

  @Test func aTableThatIsGoneIsMadeAnew() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder, on: .folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      _ = try await fleet.run()
      try await delete(fleet, "warehouse/logs/events/metadata/")
      #expect(try await recoverWhole(fleet) == [.rowsForgotten])
      try await expectWhole(fleet, rows: 3)
    }
  }

  @Test func twoRecoveriesAtOnceBringRowsBackOnce() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      _ = try await fleet.run()
      try await fleet.write(0, "b.log.1", lines: 5, seed: 2, at: 1_795_003_600)
      _ = try await fleet.run()
      try await goBack(fleet, to: 1)
      async let one = recover(fleet, apply: true)
      async let two = recover(fleet, apply: true)
      async let three = fleet.run()
      _ = try await (one, two, three)
      #expect(try await fleet.count() == 8)
      _ = try await fleet.run()
      try await expectWhole(fleet, rows: 8)
    }
  }

  // MARK: what is left of nodes

  @Test(arguments: ["data file", "raw object"]) func whatAGoneNodeStagedIsCommittedWithoutIt(_ from: String)
    async throws
  {
    try await withScratch { folder in
      var fleet = try await InProcessFleet(folder, nodes: 2)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      try await fleet.write(1, "b.log.1", lines: 5, seed: 2)
      try await stageOnly(fleet)
      if from == "raw object" { try await delete(fleet, "warehouse/") }
      #expect(try await recover(fleet).isEmpty)
      let gone = fleet.engine.nodes.removeLast()
      try removeTree(fleet.engine.root(gone))
      #expect(try await recoverWhole(fleet) == [.stagedLeft])
      #expect(try await fleet.count() == 5)
      _ = try await fleet.run()
      try await expectWhole(fleet, rows: 8)
    }
  }

  @Test func aNodeIsGoneWhenTheOperatorSaysSo() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder, nodes: 2)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      try await fleet.write(1, "b.log.1", lines: 5, seed: 2)
      try await stageOnly(fleet)
      #expect(try await recoverWhole(fleet, gone: ["n2"]) == [.stagedLeft])
      #expect(try await fleet.count() == 5)
      // It was not gone after all: what is there is there once, and its file goes.
      _ = try await fleet.run()
      try await expectWhole(fleet, rows: 8)
      #expect(!exists(fleet.path(1, "b.log.1")))
      await #expect { _ = try await recover(fleet, gone: ["n9"]) } throws: {
        ($0 as? Failure)?.code == "fleet.no-match"
      }
    }
  }

  /// The ledger is lost, and the file with it: only a report in the store knows of the batch.
  @Test func whatALostLedgerHadStagedIsCommitted() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      try await stageOnly(fleet)
      try removeTree(joined(fleet.engine.root(fleet.engine.nodes[0]), "var/lib/gadwall"))
      try removeFile(fleet.path(0, "a.log.1"))
      try await fleet.write(0, "b.log.1", lines: 5, seed: 2)
      _ = try await fleet.run()
      #expect(try await fleet.count() == 5)
      #expect(try await recoverWhole(fleet) == [.stagedLeft])
      try await expectWhole(fleet, rows: 8)
    }
  }

  /// Killed between upload and report, and never seen again: the object's name holds twelve digits of the batch's id, and they say which
  /// folder, stream and second it was.
  @Test func aRawObjectThatNobodyReportedIsTakenUp() async throws {
    try await withScratch { folder in
      var fleet = try await InProcessFleet(folder, nodes: 2)
      try await fleet.write(1, "a.log.1", lines: 3, seed: 1)
      _ = try await fleet.run()
      try await fleet.write(1, "a.log.2", lines: 5, seed: 2, at: 1_795_003_617)
      try await stageOnly(fleet)
      let newest = try #require(try await RunHistory(store: fleet.store).list(limit: 0).last).run
      try await delete(fleet, "runs/\(newest)/staged/")
      #expect(try await recover(fleet).isEmpty)
      let gone = fleet.engine.nodes.removeLast()
      try removeTree(fleet.engine.root(gone))
      #expect(try await recoverWhole(fleet) == [.rawLeft])
      try await expectWhole(fleet, rows: 8)
    }
  }

  @Test func filesThatWentWithANodeAreNamed() async throws {
    try await withScratch { folder in
      var fleet = try await InProcessFleet(folder, nodes: 2)
      try await fleet.write(1, "a.log.1", lines: 3, seed: 1)
      try publish([0x1F, 0x8B, 8, 0, 1, 2, 3], at: fleet.path(1, "broken.log.1.gz"), replacing: true)
      try await untilNobodyWrites(fleet.path(1, "broken.log.1.gz"))
      _ = try await fleet.run()
      fleet.engine.nodes.removeLast()
      let items = try await recover(fleet, apply: true)
      #expect(items.map(\.kind) == [.filesLost] && items[0].found.contains("broken.log.1.gz"))
      #expect(items[0].state == .left)
    }
  }

  /// The old name's staged batches are the new name's files: they must not come twice.
  @Test func whatANodeStagedUnderItsOldNameIsLeft() async throws {
    try await withScratch { folder in
      var fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      try await stageOnly(fleet)
      let root = fleet.engine.root(fleet.engine.nodes[0])
      fleet.engine.nodes = [Node(region: "r1", zone: "z", name: "renamed")]
      let renamed = fleet.engine.root(fleet.engine.nodes[0])
      try removeTree(joined(root, "var/lib/gadwall"))
      try renameFile(root, renamed, replacing: false)
      _ = try await fleet.run()
      #expect(try await fleet.count() == 3)
      let items = try await recover(fleet, apply: true)
      #expect(items.map(\.kind) == [.stagedLeft] && items[0].state == .left, "\(items)")
      #expect(try await fleet.count() == 3)
    }
  }

  // MARK: runs that can't be finished

  @Test func anOpenRunIsFinished() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      let harvest = Harvest(
        engine: fleet.engine, store: fleet.store, catalog: StubbornCatalog(inner: fleet.catalog),
        duckdb: fleet.duckdb, scratch: joined(folder, "scratch"), tell: { _ in })
      await #expect(throws: Failure.self) { _ = try await harvest.run(fleet.request) }
      #expect(try await recoverWhole(fleet) == [.runOpen])
      try await expectWhole(fleet, rows: 3)
    }
  }

  /// Data files that a recovery has written and not named yet are nobody's to remove.
  @Test func noOrphanIsRemovedWhileARunIsAboutToWriteItsPlan() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      _ = try await fleet.run()
      let data = try #require(try await fleet.store.list("warehouse/logs/events/data/").first).key
      let name = baseName(data).split(separator: "-")
      let other = "\(folderName(data))/\(name[0])-0123456789abcdef-0.parquet"
      try await fleet.store.put(
        try #require(try await fleet.store.get(data, limit: .mebibytes(9))), at: other)
      var scope = VerifyScope()
      scope.removesOrphans = true
      let verifier = Verifier(
        store: fleet.store, catalog: fleet.catalog, duckdb: fleet.duckdb, scratch: joined(folder, "scratch"),
        scope: scope)
      let run = newRunID(at: WallClock.system.now())
      try await fleet.store.put([], at: RunKeys.open(run))
      let kept = try await verifier.run()
      #expect(kept.orphansKeptFor == run && kept.orphansRemoved == 0)
      #expect(try await fleet.store.stat(other) != nil)
      try await fleet.store.delete(RunKeys.open(run))
      #expect(try await verifier.run().orphansRemoved == 1)
    }
  }

  @Test func aRawObjectsNameIsReadBack() throws {
    let node = Node(region: "us-east1", zone: "us-east1-b", name: "a-RAW-b")
    let names = BatchObjects(
      node: node, batch: String(repeating: "0a", count: 32), rotated: Instant(seconds: 1_795_003_617))
    let name = try #require(RawName(names.raw))
    #expect(name.batch == "0a0a0a0a0a0a" && name.label == node.label)
    #expect(name.seconds.contains(1_795_003_617) && name.seconds.count == 60)
    for other in [
      "raw/x", "raw/dt=1/0a0a0a0a0a0a/x-RAW-202611231400.json",
      "alerts/dt=1/0a0a0a0a0a0a/x-RAW-202611231400.json.gz",
      "raw/dt=1/0a0a0a0a0a0a/x-RAW-202613231400.json.gz",
    ] {
      #expect(RawName(other) == nil, "\(other)")
    }
  }
}
