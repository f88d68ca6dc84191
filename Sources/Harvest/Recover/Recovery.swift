public import DuckDB
import Files
public import Fleet
public import Iceberg
import Logs
public import ObjectStorage
public import Support

/// For what a harvest can't mend by itself: lost proofs, a table that was set back, runs that can't be finished, nodes that will not come back.
///
/// Says what it finds, and does it only when asked to. Deletes nothing but an object that can't be read, after its bytes were kept under another
/// name. Safe to run again, beside a harvest or another recovery, and to be killed anywhere: what it appends, it appends only to the very state of
/// the table that was seen not to hold it.
public struct Recovery: Sendable {
  let engine: any Engine
  let store: any ObjectStore
  let catalog: any Catalog
  let duckdb: DuckDB
  let scratch: String
  let request: HarvestRequest
  let scope: RecoveryScope
  let clock: WallClock
  /// Told what is being done, since much of it may take long.
  let tell: @Sendable (String) -> Void

  public init(
    engine: any Engine, store: any ObjectStore, catalog: any Catalog, duckdb: DuckDB, scratch: String,
    request: HarvestRequest, scope: RecoveryScope, clock: WallClock = .system,
    tell: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.engine = engine
    self.store = store
    runs = RunStore(store: store)
    self.catalog = catalog
    self.duckdb = duckdb
    self.scratch = scratch
    self.request = request
    self.scope = scope
    self.clock = clock
    self.tell = tell
  }

  private let runs: RunStore

  private var committer: Committer {
    Committer(
      runs: runs, catalog: catalog,
      writer: TableWriter(duckdb: duckdb, store: store, catalog: catalog, scratch: scratch, clock: clock),
      duckdb: duckdb, clock: clock)
  }

  /// - Throws: what keeps it from looking at all (`table.foreign`, `table.unreadable`, `store.unreadable`). What can't be done is in the report.
  public func run() async throws(Failure) -> RecoveryReport {
    let fleet = try await engine.nodes(matching: NodeSelection())
    _ = try await duckdb.checkUrgent(request.urgent.condition)
    do { try makeFolder(scratch, mode: 0o700) } catch {
      throw error.failure("scratch.unwritable", "The scratch folder \(scratch) can't be made.")
    }
    let dataPath = try await catalog.dataPath(in: store)
    tell("Reading the table, and all proofs and reports.")
    var planner = try await RecoveryPlanner(
      store: store, catalog: catalog, duckdb: duckdb, scratch: scratch, request: request, scope: scope,
      clock: clock, fleet: fleet, dataPath: dataPath)
    var report = RecoveryReport(isApplied: scope.isApplied, items: [])
    var isProven = true
    for step in try await planner.plan() {
      var item = step.item
      if scope.isApplied, step.work != nil, item.kind == .runLost, !isProven {
        item.state = .failed
        item.words =
          "First the rows above have to be proven: without that, what the run brought could come twice."
      } else if scope.isApplied {
        item = await applied(step, dataPath)
      }
      if item.kind == .rowsUnproven, item.state != .done { isProven = false }
      report.items.append(item)
    }
    return report
  }

  /// The step's item after it was done, or could not be.
  private func applied(_ step: RecoveryStep, _ dataPath: String) async -> RecoveryItem {
    var item = step.item
    guard let work = step.work else { return item }
    tell("\(item.subject): \(item.action)")
    do throws(Failure) {
      item.words = try await perform(work, dataPath)
      item.state = item.words.isEmpty ? .done : .failed
    } catch {
      item.state = .failed
      item.words = error.description
    }
    return item
  }

  /// What could not be done, or nothing.
  private func perform(_ work: RecoveryStep.Work, _ dataPath: String) async throws(Failure) -> String {
    switch work {
    case .setAside(let key):
      try await setAside(key)
      return ""
    case .finish(let plan):
      _ = try await committer.prove(plan, look: .refuse)
      return try await unproven(plan.bundles)
    case .prove(let proof):
      stepPoint("recover.before-proof")
      guard try await store.putIfAbsent(encodeJSON(proof), at: RunKeys.proof(proof.run)) else {
        return "somebody else has written a proof of the run \(proof.run) meanwhile"
      }
      stepPoint("recover.proof")
      try await runs.close(proof.run)
      return ""
    case .appendAgain(let bundles):
      let run = newRunID(at: clock.now())
      try await store.put([], at: RunKeys.open(run))
      return try await commit(bundles, run: run, look: .bringBack)
    case .commit(let bundles):
      let there = Set(try await runs.proven(.of(bundles)).batches.keys)
      let (chosen, refused) = chooseBundles(
        bundles, proven: there, dataPath: dataPath, isInStore: { store.key(of: $0) != nil })
      let words = refused.map { "the bundle \($0.bundle.id.prefix(12)): \($0.reason)" }
      guard !chosen.isEmpty else { return words.joined(separator: "\n") }
      let run = newRunID(at: clock.now())
      try await store.put([], at: RunKeys.open(run))
      let left = try await commit(chosen, run: run, look: .leaveOut)
      return (words + [left]).filter { !$0.isEmpty }.joined(separator: "\n")
    case .writeAgain(let batches, let areProven):
      return try await writeAgain(batches, areProven: areProven, dataPath)
    }
  }

  private func setAside(_ key: String) async throws(Failure) {
    // Somebody else may have put a good one in its place meanwhile.
    guard let bytes = try await store.get(key, limit: .mebibytes(512)), RunSurvey.reason(key, bytes) != nil
    else { return }
    try await store.put(bytes, at: "\(key).broken-\(randomName())")
    stepPoint("recover.set-aside")
    try await store.delete(key)
  }

  /// In parts of some gigabytes, each with a commit of its own: what is done is done when it is killed, and no entry grows old.
  private func writeAgain(
    _ batches: [RawBatch], areProven: Bool, _ dataPath: String
  ) async throws(Failure) -> String {
    var words: [String] = []
    var part: [RawBatch] = []
    var size: Int64 = 0
    for (index, batch) in batches.enumerated() {
      part.append(batch)
      size += batch.facts.bytes
      guard size >= partLimit || index == batches.count - 1 else { continue }
      words.append(try await writePart(part, areProven: areProven, dataPath))
      part = []
      size = 0
    }
    return words.filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private var partLimit: Int64 { 4 << 30 }

  private func writePart(
    _ batches: [RawBatch], areProven: Bool, _ dataPath: String
  ) async throws(Failure) -> String {
    let run = newRunID(at: clock.now())
    // Before the first data file: as long as this entry has no plan, nobody takes one of them for an orphan.
    try await store.put([], at: RunKeys.open(run))
    stepPoint("recover.before-write")
    let stager = RawStager(
      store: store, duckdb: duckdb, scratch: scratch, request: request, dataPath: dataPath, clock: clock)
    var (bundles, refused) = try await stager.stage(batches)
    stepPoint("recover.written")
    if areProven {
      // What the proofs say of them stays: the names of their files, their urgent rows.
      let facts = Dictionary(
        batches.map { ($0.facts.id, $0.facts) }, uniquingKeysWith: { first, _ in first })
      for index in bundles.indices {
        bundles[index].batches = bundles[index].batches.map { facts[$0.id] ?? $0 }
      }
    }
    guard !bundles.isEmpty else {
      try await store.delete(RunKeys.open(run))
      return refused.joined(separator: "\n")
    }
    refused.append(try await commit(bundles, run: run, look: areProven ? .bringBack : .leaveOut))
    return refused.filter { !$0.isEmpty }.joined(separator: "\n")
  }

  /// Commits the bundles under a plan of their own, whose entry is written already.
  private func commit(_ bundles: [StagedBundle], run: String, look: LookAtRows) async throws(Failure)
    -> String
  {
    let plan = Plan(run: run, bundles: bundles)
    try await runs.write(plan)
    stepPoint("recover.planned")
    _ = try await committer.prove(plan, look: look)
    return try await unproven(bundles)
  }

  /// Says which of the bundles are not proven, or not in the table, now that all is done.
  private func unproven(_ bundles: [StagedBundle]) async throws(Failure) -> String {
    let state = try await TableState.read(
      try await catalog.load(), duckdb, store, catalog, scratch: scratch)
    let there = try await runs.proven(.of(bundles)).batches
    let left = bundles.filter { bundle in
      bundle.batches.contains { there[$0.id] == nil || $0.rows > 0 && !state.holds($0) }
    }
    guard !left.isEmpty else { return "" }
    return
      "\(counted(left.count, "bundle")) are not in the table as they were staged: \(left.map { String($0.id.prefix(12)) }.joined(separator: ", ")). Run this again to see what is left."
  }
}
