public import DuckDB
import Files
public import Fleet
public import Iceberg
public import Logs
public import ObjectStorage
public import Support

/// What a harvest is to do.
public struct HarvestRequest: Sendable {
  public var selection: NodeSelection
  public var logs: TaskDocument.Logs
  public var urgent: TaskDocument.Urgent
  /// Seconds that pruned files are kept under a private name.
  public var keep: Double
  /// Archive, and delete nothing.
  public var isPruneOff = false
  /// How long a node may take to stage and to prune.
  public var stageSeconds = 1800.0
  public var pruneSeconds = 300.0

  public init(selection: NodeSelection, logs: TaskDocument.Logs, urgent: TaskDocument.Urgent, keep: Double) {
    self.selection = selection
    self.logs = logs
    self.urgent = urgent
    self.keep = keep
  }
}

/// What is worth telling while a harvest runs.
public enum HarvestEvent: Sendable {
  case started(run: String, nodes: [Node])
  case progress(Node, phase: String, bytes: Int64, entries: Int64)
  /// The node's task has ended well; its report is read once all have ended.
  case answered(Node, NodeTask.Kind)
  case staged(Node, StageReport.Totals)
  case failed(Node, String)
  /// Something a person should know, about a node or about the run.
  case note(Node?, String)
  case committed(snapshot: Int64, rows: Int64, files: Int)
  case pruned(Node, files: Int, bytes: Int64)
}

/// One run over the fleet: stage on every node, one commit for all of them, the proof, prune.
public struct Harvest: Sendable {
  let engine: any Engine
  let store: any ObjectStore
  let catalog: any Catalog
  let duckdb: DuckDB
  /// A folder of the control machine for files on their way.
  let scratch: String
  let clock: WallClock
  let tell: @Sendable (HarvestEvent) -> Void
  /// Proofs that are read one by one before they are folded into the index.
  var foldAfter = 24
  var rules = ProtocolRules()
  /// Where a test may hold this machine while others go on.
  var pause: @Sendable (String) async -> Void = { _ in }

  public init(
    engine: any Engine, store: any ObjectStore, catalog: any Catalog, duckdb: DuckDB, scratch: String,
    clock: WallClock = .system, tell: @escaping @Sendable (HarvestEvent) -> Void
  ) {
    self.engine = engine
    self.store = store
    runs = RunStore(store: store)
    self.catalog = catalog
    self.duckdb = duckdb
    self.scratch = scratch
    self.clock = clock
    self.tell = tell
  }

  let runs: RunStore
  private var committer: Committer {
    Committer(
      runs: runs, catalog: catalog,
      writer: TableWriter(duckdb: duckdb, store: store, catalog: catalog, scratch: scratch, clock: clock),
      duckdb: duckdb,
      clock: clock, rules: rules, pause: pause)
  }

  /// Runs the harvest. What a killed run left is finished on the way.
  ///
  /// - Throws: what keeps the whole run from being done (`table.foreign`, `store.unreadable`, `commit.conflict` …). What fails on one node, or of one
  ///   file, is in the summary, and the others go on.
  public func run(_ request: HarvestRequest) async throws(Failure) -> HarvestSummary {
    let watch = Stopwatch()
    let nodes = try await engine.chosenNodes(request.selection)
    _ = try await duckdb.checkUrgent(request.urgent.condition)
    let dataPath = try await catalog.dataPath(in: store)
    let run = newRunID(at: clock.now())
    var summary = HarvestSummary(run: run, startedAt: clock.now(), nodes: nodes)
    tell(.started(run: run, nodes: nodes))

    try await finishOpenRuns(&summary)
    await pause("run.begun")
    let index = try await runs.proven(.runs)
    var reports = try await stage(request, run, nodes, dataPath, index, &summary)
    let (again, adopted) = try await rebuilds(reports)
    if !again.isEmpty {
      let second = try await stage(request, run, again, dataPath, index, adopt: adopted, &summary)
      reports.merge(second) { $0 + $1 }
    }
    note(reports, &summary)

    let reported = nodes.flatMap { reports[$0]?.flatMap(\.bundles) ?? [] }
    let after = try await runs.proven(.of(reported))
    let (chosen, refused) = chooseBundles(
      reported, proven: Set(after.batches.keys), dataPath: dataPath,
      isInStore: { store.key(of: $0) != nil }, rules: rules)
    let bundles = try await whole(chosen, &summary)
    for (bundle, reason) in refused {
      summary.addProblem(bundle.node, "the bundle \(bundle.id.prefix(12)) was not committed: \(reason)")
    }
    if !bundles.isEmpty {
      let plan = Plan(run: run, bundles: bundles)
      stepPoint("plan.before-open")
      await pause("plan.before-open")
      try await store.put([], at: RunKeys.open(run))
      stepPoint("plan.before")
      try await runs.write(plan)
      stepPoint("plan.after")
      try await prove(plan, &summary)
    }
    try await fillUrgentRows(&summary, show: request.urgent.show)
    // Read once more: what was proven just now is in it, and pruning proves nothing.
    let open = try await runs.openRuns()
    let settled = try await runs.proven(.of(reported))
    if !request.isPruneOff { try await prune(request, run, nodes, dataPath, reported, settled, &summary) }
    try await runs.fold(settled, after: foldAfter, open: open, now: clock.now())
    await abortUploads()
    await sweepQueries()
    summary.seconds = watch.seconds
    stepPoint("summary.before")
    try await store.put(encodeJSON(summary), at: RunKeys.summary(run))
    return summary
  }

  /// Uploads in parts of programs that were killed a day ago and more: the store keeps, and charges for, their parts until somebody says that they
  /// are given up.
  private func abortUploads() async {
    do throws(Failure) {
      let count = try await store.abortUploads(before: Instant(seconds: clock.now().seconds - 86_400))
      if count > 0 { tell(.note(nil, "\(counted(count, "upload")) that never ended were given up")) }
    } catch {
      tell(.note(nil, "uploads that never ended could not be looked for: \(error.description)"))
    }
  }

  /// What queries that were killed a day ago and more have left.
  private func sweepQueries() async {
    do throws(Failure) {
      let before = Instant(seconds: clock.now().seconds - 86_400)
      let old = try await store.list("queries/").filter { $0.modified < before }
      if !old.isEmpty { try await store.delete(old.map(\.key)) }
    } catch {
      tell(.note(nil, "what old queries left could not be removed: \(error.description)"))
    }
  }

  /// Those whose data files are in the store. The others' nodes have just tried to write them again.
  private func whole(
    _ bundles: [StagedBundle], _ summary: inout HarvestSummary
  ) async throws(Failure) -> [StagedBundle] {
    guard rules.looksForDataFiles else { return bundles }
    var whole: [StagedBundle] = []
    for (bundle, isThere) in zip(bundles, try await store.holds(bundles)) {
      if isThere {
        whole.append(bundle)
      } else {
        summary.addProblem(
          bundle.node,
          "the bundle \(bundle.id.prefix(12)) was not committed: a data file of it is gone from the store")
      }
    }
    return whole
  }

  // MARK: before

  /// Plans without a proof, of runs that were killed or could not finish, are finished first: those that have an entry under `runs/open/`, and
  /// those of which the table says that they are committed.
  private func finishOpenRuns(_ summary: inout HarvestSummary) async throws(Failure) {
    // The table first, so that a run that is proven meanwhile is seen to be.
    let committed = try await catalog.load()?.committedRuns.keys.filter(isRunID) ?? []
    let entries = try await store.list(RunKeys.open)
    let proven = try await runs.proven(.runs).runs
    let open = entries.map { String($0.key.dropFirst(RunKeys.open.count)) }.filter(isRunID)
    for run in Set(open + committed.filter { !proven.contains($0) }).sorted() {
      if proven.contains(run) {
        // Killed between the proof and this.
        try await store.delete(RunKeys.open(run))
        continue
      }
      guard let plan = try await runs.plan(run) else {
        if committed.contains(run) { throw lostRun(run, catalog.table) }
        try await forgetAbandoned(entries.first { $0.key == RunKeys.open(run) })
        continue
      }
      tell(.note(nil, "finishing the run \(run), which was cut off"))
      try await prove(plan, look: .refuse, &summary)
    }
  }

  /// An entry without a plan: its run is about to write it, or was killed just before. After a day it was killed.
  private func forgetAbandoned(_ entry: ObjectInfo?) async throws(Failure) {
    guard let entry, clock.now().seconds - entry.modified.seconds > 86_400 else { return }
    try await store.delete(entry.key)
  }

  private func prove(
    _ plan: Plan, look: LookAtRows = .no, _ summary: inout HarvestSummary
  ) async throws(Failure) {
    let proof = try await committer.prove(plan, look: look)
    let rows = proof.batches.reduce(0) { $0 + $1.facts.rows }
    if let snapshot = proof.snapshot {
      summary.snapshots.append(
        HarvestSummary.Snapshot(
          run: plan.run, id: snapshot, sequence: proof.sequence ?? 0, rows: rows, files: proof.dataFiles.count
        ))
      tell(.committed(snapshot: snapshot, rows: rows, files: proof.dataFiles.count))
    }
    summary.proven += proof.batches
    let missing = plan.bundles.filter { bundle in
      !proof.leftOut.contains(bundle.id) && !proof.batches.contains { $0.bundle == bundle.id }
    }
    for bundle in missing {
      summary.addProblem(
        bundle.node,
        "the bundle \(bundle.id.prefix(12)) was not found when the table was read back; its files stay")
    }
    for bundle in plan.bundles where proof.leftOut.contains(bundle.id) {
      // Most are there through another run.
      guard try await !store.holds(bundle.dataFiles) else { continue }
      tell(
        .note(
          bundle.node,
          "the bundle \(bundle.id.prefix(12)) of run \(plan.run) lacks a data file in the store, and was left out"
        ))
    }
  }

  /// Urgent rows of batches that an earlier task had staged and that are proven only now: read from their alert objects.
  private func fillUrgentRows(_ summary: inout HarvestSummary, show: Int) async throws(Failure) {
    let seen = Set(summary.urgentRows.compactMap { $0["batch"]?.string })
    for batch in summary.proven where summary.urgentRows.count < show && !seen.contains(batch.facts.id) {
      // To be looked at, not to be kept: rows of megabytes stay where they are.
      guard let alert = batch.facts.alert, alert.size <= 8 << 20,
        let object = try await store.get(alert.key, limit: .mebibytes(8)),
        let lines = try? gunzip(object, limit: .mebibytes(32))
      else { continue }
      var room = 1 << 20
      for line in lines.split(separator: 0x0A).prefix(show - summary.urgentRows.count)
      where line.count <= room {
        room -= line.count
        if let row = try? JSONValue(parsing: Array(line)) { summary.urgentRows.append(row) }
      }
    }
  }

  // MARK: tasks

  /// What the engine would submit for a stage, as its own tools take it. The task document that it names is written.
  ///
  /// - Throws: `engine.no-jobs`, and what ``run(_:)`` throws.
  public func printedJob(_ request: HarvestRequest) async throws(Failure) -> [UInt8] {
    let nodes = try await engine.chosenNodes(request.selection)
    _ = try await duckdb.checkUrgent(request.urgent.condition)
    let run = newRunID(at: clock.now())
    let document = stageDocument(
      request, run, nodes, try await catalog.dataPath(in: store), try await runs.proven(.runs))
    let (task, bytes) = nodeTask(document, name: "stage", kind: .stage, seconds: request.stageSeconds)
    let job = try engine.printedJob(for: task, on: nodes)
    try await store.put(bytes, at: task.document)
    return job
  }

  func stageDocument(
    _ request: HarvestRequest, _ run: String, _ nodes: [Node], _ dataPath: String, _ index: ProvenIndex,
    adopt: [Node: [ProvenBatch]]? = nil
  ) -> TaskDocument {
    var parts: PartsByReader<TaskDocument.NodePart> = [:]
    for node in nodes {
      var part = TaskDocument.NodePart()
      part.isNew = !index.nodes.contains(node)
      part.adopt = adopt?[node]
      parts[node.key] = part
    }
    return TaskDocument(
      run: run, task: "stage", seconds: request.stageSeconds, logs: request.logs, urgent: request.urgent,
      keep: request.keep,
      dataPath: dataPath, nodes: parts)
  }

  private func nodeTask(
    _ document: TaskDocument, name: String, kind: NodeTask.Kind, seconds: Double
  ) -> (task: NodeTask, document: [UInt8]) {
    let bytes = encodeJSON(document)
    let task = NodeTask(
      kind: kind, run: document.run, document: RunKeys.task(document.run, name), digest: sha256(bytes),
      seconds: seconds)
    return (task, bytes)
  }

  private func stage(
    _ request: HarvestRequest, _ run: String, _ nodes: [Node], _ dataPath: String, _ index: ProvenIndex,
    adopt: [Node: [ProvenBatch]]? = nil, _ summary: inout HarvestSummary
  ) async throws(Failure) -> [Node: [StageReport]] {
    let document = stageDocument(request, run, nodes, dataPath, index, adopt: adopt)
    let outcomes = try await carry(
      document, name: adopt == nil ? "stage" : "stage-2", kind: .stage, seconds: request.stageSeconds, nodes)
    // A report in the store is worth more than what the engine says of the task.
    let runs = runs
    let read = try await inParallel(8, nodes) { node throws(Failure) -> Result<[StageReport], Failure> in
      do throws(Failure) { return .success(try await runs.stageReports(run, node)) } catch {
        return .failure(error)
      }
    }
    var reports: [Node: [StageReport]] = [:]
    for (node, result) in zip(nodes, read) {
      switch result {
      case .failure(let failure): summary.fail(node, failure.description)
      case .success(let found):
        reports[node] = found
        if found.isEmpty {
          summary.fail(
            node,
            outcomes[node].flatMap { reason($0, request.stageSeconds) }
              ?? "it answered, and left no report in the store")
        }
      }
    }
    return reports
  }

  /// Why a node did not answer; nil when it did.
  func reason(_ outcome: NodeOutcome, _ seconds: Double) -> String? {
    switch outcome.ending {
    case .answered: nil
    case .refused(let why): "refused: \(why)"
    case .failed(let why): why
    case .timedOut: "it did not finish within \(decimal(seconds, places: 0)) s"
    case .offline(let why): "it is offline: \(why)"
    }
  }

  /// Writes the task document and has the engine carry it to the nodes: one outcome for each.
  func carry(
    _ document: TaskDocument, name: String, kind: NodeTask.Kind, seconds: Double, _ nodes: [Node]
  ) async throws(Failure) -> [Node: NodeOutcome] {
    let (task, bytes) = nodeTask(document, name: name, kind: kind, seconds: seconds)
    try await store.put(bytes, at: task.document)
    var outcomes: [Node: NodeOutcome] = [:]
    let tell = tell
    let stream = engine.run(task, on: nodes, deadline: .after(seconds: seconds + 60)) { node, progress in
      tell(.progress(node, phase: progress.phase, bytes: progress.bytes, entries: progress.entries))
    }
    for await outcome in stream {
      outcomes[outcome.node] = outcome
      let words = printable(outcome.output).split(separator: "\n").map(String.init)
      for line in words { tell(.note(outcome.node, line)) }
      if let reason = reason(outcome, seconds) {
        tell(.failed(outcome.node, reason))
      } else {
        tell(.answered(outcome.node, kind))
      }
    }
    for node in nodes where outcomes[node] == nil {
      outcomes[node] = NodeOutcome(node: node, ending: .timedOut)
    }
    return outcomes
  }

  /// Nodes whose ledger is new or lost, and what is proven of each.
  private func rebuilds(
    _ reports: [Node: [StageReport]]
  ) async throws(Failure) -> (nodes: [Node], adopt: [Node: [ProvenBatch]]) {
    let nodes = reports.filter { $0.value.contains(where: \.head.wantsRebuild) }.map(\.key).sorted {
      $0.key < $1.key
    }
    guard !nodes.isEmpty else { return ([], [:]) }
    let index = try await runs.proven()
    var adopt: [Node: [ProvenBatch]] = [:]
    for node in nodes {
      adopt[node] = index.batches.values.filter { $0.node == node }.sorted { $0.facts.id < $1.facts.id }
      tell(.note(node, "its ledger is new or was lost; it is told what is proven and asked again"))
    }
    return (nodes, adopt)
  }

  private func note(_ reports: [Node: [StageReport]], _ summary: inout HarvestSummary) {
    for (node, list) in reports {
      for report in list {
        summary.add(report)
        if !report.head.wantsRebuild { tell(.staged(node, report.totals)) }
      }
    }
  }

  /// Has the nodes delete what is proven: of this run, and of earlier ones whose prune a node has missed.
  private func prune(
    _ request: HarvestRequest, _ run: String, _ nodes: [Node], _ dataPath: String, _ reported: [StagedBundle],
    _ index: ProvenIndex,
    _ summary: inout HarvestSummary
  ) async throws(Failure) {
    var references: [String: ObjectReference] = [:]
    var parts: PartsByReader<TaskDocument.NodePart> = [:]
    for node in nodes {
      let wanted = reported.filter { $0.node == node }.flatMap(\.batches).compactMap {
        index.batches[$0.id]?.run
      }
      var part = TaskDocument.NodePart()
      for run in Set(wanted).sorted() {
        if references[run] == nil { references[run] = try await runs.proof(run)?.reference }
        if let reference = references[run] { part.proofs.append(reference) }
      }
      parts[node.key] = part
    }
    // A node that failed to stage hears of its proofs at its next one.
    let able = nodes.filter { node in summary.nodes.contains { $0.node == node && $0.failure == nil } }
    guard !able.isEmpty else { return }
    let document = TaskDocument(
      run: run, task: "prune", seconds: request.pruneSeconds, logs: request.logs, urgent: request.urgent,
      keep: request.keep,
      dataPath: dataPath, nodes: parts)
    stepPoint("prune.before")
    let outcomes = try await carry(document, name: "prune", kind: .prune, seconds: request.pruneSeconds, able)
    let reports = try await runs.pruneReports(run).filter { able.contains($0.node) }
    for report in reports {
      summary.add(report)
      tell(.pruned(report.node, files: report.pruned.count, bytes: report.bytes))
    }
    for (node, outcome) in outcomes where !reports.contains(where: { $0.node == node }) {
      summary.fail(
        node, "prune: " + (reason(outcome, request.pruneSeconds) ?? "it left no report in the store"))
    }
    stepPoint("prune.after")
  }
}
