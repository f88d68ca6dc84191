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

/// Traces on which the protocol loses or doubles lines when one of its rules is taken away, replayed with the rule and without it.
@Suite(.tags(.medium)) struct TraceTests {
  /// A machine of a fleet, with its own view of the catalog and its own place to be held at.
  private func machine(
    _ fleet: InProcessFleet, rules: ProtocolRules = ProtocolRules(), catalog: (any Catalog)? = nil,
    gate: Gate? = nil, daysAgo: Int64 = 0
  ) -> Harvest {
    var harvest = Harvest(
      engine: fleet.engine, store: fleet.store, catalog: catalog ?? fleet.catalog, duckdb: fleet.duckdb,
      scratch: joined(fleet.folder, "scratch"),
      clock: WallClock { Instant(seconds: WallClock.system.now().seconds - 86_400 * daysAgo) }, tell: { _ in }
    )
    harvest.rules = rules
    if let gate { harvest.pause = { await gate.pause($0) } }
    return harvest
  }

  private func start(_ harvest: Harvest, _ fleet: InProcessFleet) -> Task<HarvestSummary, any Error> {
    Task { try await harvest.run(fleet.request) }
  }

  /// Harvests without faults, as the model ends each trace.
  private func settle(_ fleet: InProcessFleet) async throws {
    for _ in 0..<3 { _ = try await fleet.run() }
  }

  /// Another machine has proven the run and a later one removed its marker while this one waited.
  @Test(arguments: [true, false]) func aConflictIsFollowedByAllChecksAgain(_ rule: Bool) async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      var rules = ProtocolRules()
      rules.checksAgainInFull = rule
      let newest = NewestOnlyCatalog(inner: fleet.catalog)
      let gate = Gate(at: "commit.before")
      let first = start(machine(fleet, rules: rules, catalog: newest, gate: gate), fleet)
      await gate.reached()
      _ = try await machine(fleet, catalog: newest).run(fleet.request)
      try await fleet.write(0, "b.log.1", lines: 5, seed: 2)
      _ = try await machine(fleet, catalog: newest).run(fleet.request)
      gate.open()
      _ = try await first.value
      #expect(try await fleet.count() == (rule ? 8 : 11))
    }
  }

  /// Two machines have planned the same bundle; the slower one finds the other's commit.
  @Test(arguments: [true, false]) func whatAnotherRunHasCommittedIsSeenAfterAConflict(_ rule: Bool)
    async throws
  {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      let planning = Gate(at: "plan.before-open")
      let one = start(machine(fleet, gate: planning), fleet)
      await planning.reached()
      let other = try #require(try await RunHistory(store: fleet.store).list(limit: 0).first).run
      var rules = ProtocolRules()
      rules.checksAgainInFull = rule
      let committing = Gate(at: "commit.before")
      let seen: any Catalog = rule ? fleet.catalog : HidingCatalog(inner: fleet.catalog, run: other)
      let two = start(machine(fleet, rules: rules, catalog: seen, gate: committing), fleet)
      await committing.reached()
      planning.open()
      _ = try await one.value
      committing.open()
      _ = try await two.value
      #expect(try await fleet.count() == (rule ? 3 : 6))
    }
  }

  /// The proofs were listed, then another machine committed, proved, and its marker went; then the table was loaded.
  @Test(arguments: [true, false]) func theTableIsLoadedBeforeTheProofsAreListed(_ rule: Bool) async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      var rules = ProtocolRules()
      rules.loadsTableBeforeProofs = rule
      let newest = NewestOnlyCatalog(inner: fleet.catalog)
      let gate = Gate(at: rule ? "commit.loaded" : "commit.listed")
      let first = start(machine(fleet, rules: rules, catalog: newest, gate: gate), fleet)
      await gate.reached()
      _ = try await machine(fleet, catalog: newest).run(fleet.request)
      try await fleet.write(0, "b.log.1", lines: 5, seed: 2)
      _ = try await machine(fleet, catalog: newest).run(fleet.request)
      gate.open()
      _ = try await first.value
      #expect(try await fleet.count() == (rule ? 8 : 11))
    }
  }

  /// The commit was made, its answer lost, and another run's snapshot hides its summary.
  @Test(arguments: [true, false]) func theMarkerSaysWhatTheSummaryNoLongerDoes(_ rule: Bool) async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      var rules = ProtocolRules()
      rules.believesMarkers = rule
      let newest = NewestOnlyCatalog(inner: fleet.catalog)
      let committed = Gate(at: "made")
      let lost = LostAnswerCatalog(newest) { await committed.pause("made") }
      // The other machine has looked for open runs before this one writes its plan.
      let begun = Gate(at: "run.begun")
      let two = start(machine(fleet, rules: rules, catalog: newest, gate: begun), fleet)
      await begun.reached()
      let one = start(machine(fleet, rules: rules, catalog: lost), fleet)
      await committed.reached()
      try await fleet.write(0, "b.log.1", lines: 5, seed: 2)
      begun.open()
      _ = try await two.value
      committed.open()
      _ = try await one.value
      #expect(try await fleet.count() == (rule ? 8 : 11))
    }
  }

  /// The first request is still on its way when the second is sent.
  @Test func aCommitThatComesLateIsSeen() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "z.log.1", lines: 1, seed: 9)
      _ = try await fleet.run()
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      _ = try await machine(fleet, catalog: LateCatalog(fleet.catalog)).run(fleet.request)
      #expect(try await fleet.count() == 4)
    }
  }

  /// Another machine's commit came in between; without the check its rows are gone from the table.
  @Test(arguments: [true, false]) func aCommitIsRefusedOnATableThatHasMovedOn(_ rule: Bool) async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder, nodes: 2, on: .folder)
      try await fleet.write(0, "z.log.1", lines: 1, seed: 9)
      _ = try await fleet.run()
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      let gate = Gate(at: "commit.before")
      let seen: any Catalog = rule ? fleet.catalog : CarelessCatalog(inner: fleet.catalog)
      let one = start(machine(fleet, catalog: seen, gate: gate), fleet)
      await gate.reached()
      try await fleet.write(1, "b.log.1", lines: 5, seed: 2)
      var request = fleet.request
      request.selection = NodeSelection(names: ["n2"])
      // Only the other node, and without looking at open plans first: they would be finished.
      try await fleet.store.delete("runs/open/\(try await openRun(fleet))")
      _ = try await machine(fleet).run(request)
      gate.open()
      _ = try await one.value
      #expect(try await fleet.count() == (rule ? 9 : 4))
    }
  }

  /// Only runs after the one that the index goes to are listed, and a run that slept for days while others went on is older than that.
  @Test(arguments: [true, false]) func theProofOfARunThatSleptForDaysIsSeen(_ rule: Bool) async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder, nodes: 2)
      var rules = ProtocolRules()
      rules.dropsAnIndexThatHidesAProof = rule
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      let gate = Gate(at: "plan.before-open")
      let slow = start(machine(fleet, rules: rules, gate: gate, daysAgo: 3), fleet)
      await gate.reached()
      var request = fleet.request
      request.selection = NodeSelection(names: ["n2"])
      for (seed, daysAgo) in [(2, 2), (3, 0)] as [(UInt64, Int64)] {
        try await fleet.write(1, "\(seed).log.1", lines: 2, seed: seed)
        var other = machine(fleet, daysAgo: daysAgo)
        other.foldAfter = 1
        _ = try await other.run(request)
      }
      gate.open()
      _ = try await slow.value
      for _ in 0..<3 { _ = try await machine(fleet, rules: rules).run(fleet.request) }
      #expect(try await fleet.count() == 7)
      #expect(exists(fleet.path(0, "a.log.1")) == !rule)
      let runs = RunStore(store: fleet.store)
      #expect(try await runs.proven().batches.count == (rule ? 3 : 2))
    }
  }

  private func openRun(_ fleet: InProcessFleet) async throws -> String {
    try #require(try await RunStore(store: fleet.store).openRuns().first)
  }

  /// A ledger was lost between two stages, and the bundle of the second has a batch that the first has brought.
  @Test(arguments: [true, false]) func aBundleThatIsPartlyThereIsLeftOutWhole(_ rule: Bool) async throws {
    try await overlap(leavesOut: rule, dissolves: true, rows: rule ? 8 : 11)
  }

  @Test(arguments: [true, false]) func whatIsLeftOfAPartlyProvenBundleIsStagedAgain(_ rule: Bool) async throws
  {
    try await overlap(leavesOut: true, dissolves: rule, rows: rule ? 8 : 3)
  }

  private func overlap(leavesOut: Bool, dissolves: Bool, rows: Int64) async throws {
    try await withScratch { folder in
      var fleet = try await InProcessFleet(folder)
      fleet.engine.rules.dissolvesPartlyProven = dissolves
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      let first = Gate(at: "plan.before-open")
      let one = start(machine(fleet, gate: first), fleet)
      await first.reached()
      try removeTree(joined(fleet.engine.root(fleet.engine.nodes[0]), "var/lib/gadwall"))
      try await fleet.write(0, "b.log.1", lines: 5, seed: 2)
      var rules = ProtocolRules()
      rules.leavesOutPartlyThere = leavesOut
      let second = Gate(at: "plan.before-open")
      let two = start(machine(fleet, rules: rules, gate: second), fleet)
      await second.reached()
      first.open()
      _ = try await one.value
      second.open()
      _ = try await two.value
      try await settle(fleet)
      #expect(try await fleet.count() == rows)
      #expect(exists(fleet.path(0, "b.log.1")) == (rows == 3))
    }
  }

  /// Killed between the ledger and the report: nobody but the next task can tell of the bundle.
  @Test(arguments: [true, false]) func aStageReportsWhatAnEarlierOneHasStaged(_ rule: Bool) async throws {
    try await withScratch { folder in
      var fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      try await stageOnly(fleet)
      fleet.engine.rules.reportsAllUnproven = rule
      try await settle(fleet)
      #expect(try await fleet.count() == (rule ? 3 : 0))
      #expect(exists(fleet.path(0, "a.log.1")) == !rule)
    }
  }

  /// Runs the node's stage for a run that nobody carries on.
  private func stageOnly(_ fleet: InProcessFleet) async throws {
    let node = fleet.engine.nodes[0]
    var part = TaskDocument.NodePart()
    part.isNew = true
    let document = TaskDocument(
      run: newRunID(at: WallClock.system.now()), task: "stage", seconds: 600, logs: fleet.request.logs,
      urgent: fleet.request.urgent, keep: 0, dataPath: try await fleet.catalog.newLocation() + "/data",
      nodes: [node.key: part])
    var context = NodeContext(
      node: node, root: fleet.engine.root(node), store: fleet.store, duckdb: fleet.duckdb)
    context.rules = fleet.engine.rules
    _ = try await StageTask(context: context, document: document).run()
  }

  /// A lost ledger would count again from 1 and write over a file that is committed meanwhile.
  @Test(arguments: [true, false]) func aTryNeverWritesOverAnother(_ rule: Bool) async throws {
    try await withScratch { folder in
      var fleet = try await InProcessFleet(folder)
      fleet.engine.rules.triesHaveRandomNames = rule
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      try await stageOnly(fleet)
      let data = "warehouse/logs/events/data/"
      let first = try #require(try await fleet.store.list(data).first)
      let inode = try FileInfo(path: joined(fleet.storeFolder, first.key)).inode
      try removeTree(joined(fleet.engine.root(fleet.engine.nodes[0]), "var/lib/gadwall"))
      try await stageOnly(fleet)
      #expect(try await fleet.store.list(data).count == (rule ? 2 : 1))
      #expect((try FileInfo(path: joined(fleet.storeFolder, first.key)).inode == inode) == rule)
    }
  }

  /// Rotation removes the file while the control machine is away: the store has the last copy.
  @Test(arguments: [true, false]) func aCompleteTryIsCommittedThoughItsFileIsGone(_ rule: Bool) async throws {
    try await withScratch { folder in
      var fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      try await stageOnly(fleet)
      try removeFile(fleet.path(0, "a.log.1"))
      fleet.engine.rules.completeTriesOutliveTheirFiles = rule
      try await settle(fleet)
      #expect(try await fleet.count() == (rule ? 3 : 0))
    }
  }

  /// Of a partly proven bundle the rest has to be staged again, and its file is gone.
  @Test(arguments: [true, false]) func whatIsLeftIsReadFromItsRawObjectWhenItsFileIsGone(_ rule: Bool)
    async throws
  {
    try await withScratch { folder in
      var fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      let first = Gate(at: "plan.before-open")
      let one = start(machine(fleet, gate: first), fleet)
      await first.reached()
      try removeTree(joined(fleet.engine.root(fleet.engine.nodes[0]), "var/lib/gadwall"))
      try await fleet.write(0, "b.log.1", lines: 5, seed: 2)
      try await stageOnly(fleet)
      try removeFile(fleet.path(0, "b.log.1"))
      first.open()
      _ = try await one.value
      fleet.engine.rules.readsFromRawObjects = rule
      try await settle(fleet)
      #expect(try await fleet.count() == (rule ? 8 : 3))
    }
  }

  /// The remover has listed a file that nobody had planned yet.
  @Test(arguments: [true, false]) func anOrphanIsProvenThroughAnotherFile(_ rule: Bool) async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "z.log.1", lines: 1, seed: 9)
      _ = try await fleet.run()
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      let gate = Gate(at: "plan.before-open")
      let one = start(machine(fleet, gate: gate), fleet)
      await gate.reached()
      var scope = VerifyScope()
      scope.rules.sparesUnprovenOrphans = rule
      let remover = Verifier(
        store: fleet.store, catalog: fleet.catalog, duckdb: fleet.duckdb, scratch: joined(folder, "scratch"),
        scope: scope)
      let listed = try await remover.orphans(
        try await RunStore(store: fleet.store).proven(), try await fleet.catalog.load())
      #expect(listed.files.count == (rule ? 0 : 1))
      gate.open()
      _ = try await one.value
      var report = VerifyReport()
      try await remover.remove(listed.files, &report)
      let kinds = Set(try await fleet.verify().findings.map(\.kind))
      #expect(kinds.contains(.fileMissing) == !rule)
      // The file was deleted on proof, and only the rule keeps its lines in the table.
      #expect(!exists(fleet.path(0, "a.log.1")))
    }
  }

  /// logrotate has compressed the file with another program between a stage that was killed and the next.
  @Test(arguments: [true, false]) func aRawObjectIsJudgedByItsContent(_ rule: Bool) async throws {
    try await withScratch { folder in
      var fleet = try await InProcessFleet(folder)
      let text = try await fleet.write(0, "a.log.1", lines: 300, seed: 1)
      try await stageOnly(fleet)
      try removeTree(joined(fleet.engine.root(fleet.engine.nodes[0]), "var/lib/gadwall"))
      let packed = try await python(
        "import gzip, sys; sys.stdout.buffer.write(gzip.compress(sys.stdin.buffer.read(), 9))", input: text)
      try removeFile(fleet.path(0, "a.log.1"))
      try publish(packed, at: fleet.path(0, "a.log.1.gz"), replacing: false)
      try setModified(fleet.path(0, "a.log.1.gz"), seconds: 1_795_000_000)
      try await untilNobodyWrites(fleet.path(0, "a.log.1.gz"))
      fleet.engine.rules.judgesRawObjectsByContent = rule
      try await settle(fleet)
      #expect(try await fleet.count() == (rule ? 300 : 0))
    }
  }

  /// A line was appended after the file had been archived.
  @Test(arguments: [true, false]) func aFileIsComparedBeforeItIsDeleted(_ rule: Bool) async throws {
    try await withScratch { folder in
      var fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      var request = fleet.request
      request.isPruneOff = true
      _ = try await fleet.harvest.run(request)
      try Descriptor.append(fleet.path(0, "a.log.1")).write(Array("{}\n".utf8))
      try await untilNobodyWrites(fleet.path(0, "a.log.1"))
      fleet.engine.rules.comparesBeforeDeleting = rule
      _ = try await fleet.run()
      #expect(try await fleet.count() == 3)
      #expect(exists(fleet.path(0, "a.log.1")) == rule, "its last line is nowhere else")
    }
  }

  /// A PUT of the plan that was given up and lands later.
  @Test func aPlanIsWrittenOnce() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      let run = try await fleet.run().run
      let before = try await fleet.store.get(RunKeys.plan(run), limit: .mebibytes(1))
      #expect(try await fleet.store.putIfAbsent(Array("{}".utf8), at: RunKeys.plan(run)) == false)
      #expect(try await fleet.store.get(RunKeys.plan(run), limit: .mebibytes(1)) == before)
    }
  }

  /// Not every catalog refuses a second first snapshot: the first append makes the table, and only one can.
  @Test func twoFirstCommitsAreNoTwoTables() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      let gate = Gate(at: "commit.before")
      let one = start(machine(fleet, gate: gate), fleet)
      await gate.reached()
      try await fleet.write(0, "b.log.1", lines: 5, seed: 2)
      _ = try await fleet.run()
      gate.open()
      _ = try await one.value
      #expect(try await fleet.count() == 8)
      #expect(try await fleet.verify().findings.isEmpty)
    }
  }
}

/// A catalog whose tables don't show that one run is committed.
private struct HidingCatalog: ForwardingCatalog {
  let inner: any Catalog
  let run: String

  func load() async throws(Failure) -> LoadedTable? {
    guard var table = try await inner.load() else { return nil }
    table.metadata["snapshots"] = .array(
      (table.metadata["snapshots"]?.array ?? []).map { snapshot in
        var snapshot = snapshot
        if snapshot["summary"]?["gadwall.run"]?.string == run {
          snapshot["summary"] = ["operation": "append"]
        }
        return snapshot
      })
    var properties = table.metadata["properties"]?.object ?? [:]
    properties[CommitMarker.prefix + run] = nil
    table.metadata["properties"] = .object(properties)
    return table
  }
}

/// A catalog that takes any change, whatever it was made for.
private struct CarelessCatalog: ForwardingCatalog {
  let inner: any Catalog

  func commit(_ change: TableChange, on base: LoadedTable?) async throws(Failure) -> CommitAnswer {
    try await inner.commit(change, on: try await inner.load())
  }
}
