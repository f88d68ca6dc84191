import DuckDB
import Files
import Fleet
import Iceberg
import Logs
import ObjectStorage
import Support

/// Finds what is not as it should be, and what can be done about it, in the order in which it has to be done. Changes nothing.
struct RecoveryPlanner {
  let store: any ObjectStore
  let catalog: any Catalog
  let duckdb: DuckDB
  let scratch: String
  let request: HarvestRequest
  let scope: RecoveryScope
  let clock: WallClock
  /// Nodes that the engine knows.
  let fleet: [Node]

  var survey: RunSurvey
  let state: TableState
  let committed: [String: CommitMarker]
  let dataPath: String
  /// Batches of plans that will be carried through.
  var pending: Set<String> = []
  /// Runs of which the table says that they are committed, and the store nothing.
  var lost: [String] = []
  var steps: [RecoveryStep] = []
  /// Batches by their content.
  var contents: [String: [String]] = [:]
  /// Plans to be carried through, once all that a commit asks for is known.
  private var unfinished: [RecoveryStep] = []

  /// Reads all proofs and reports, the plans without a proof, all manifests, and two columns of the table.
  init(
    store: any ObjectStore, catalog: any Catalog, duckdb: DuckDB, scratch: String, request: HarvestRequest,
    scope: RecoveryScope, clock: WallClock, fleet: [Node], dataPath: String
  ) async throws(Failure) {
    self.store = store
    self.catalog = catalog
    self.duckdb = duckdb
    self.scratch = scratch
    self.request = request
    self.scope = scope
    self.clock = clock
    self.fleet = fleet
    self.dataPath = dataPath
    // The table first: what is proven while we look is then in the proofs, and no false alarm.
    let table = try await catalog.load()
    if let table { try table.checkOurs(name: catalog.table) }
    survey = try await RunSurvey.read(RunStore(store: store))
    state = try await TableState.read(table, duckdb, store, catalog, scratch: scratch)
    committed = table?.committedRuns ?? [:]
    guard state.missing.isEmpty else {
      throw Failure(
        "table.unreadable",
        "\(counted(state.missing.count, "data file")) of the table \(catalog.table) are not in the store, \(printable(baseName(state.missing[0].url))) the first.",
        remedy:
          "Bring them back from a backup, or take them out of the table with a program that can; what rows they had is brought back after that."
      )
    }
  }

  mutating func plan() async throws(Failure) -> [RecoveryStep] {
    for name in scope.gone
    where !survey.nodes.union(fleet).contains(where: { wildcardMatches(name, $0.name) }) {
      throw Failure(
        "fleet.no-match", "No node that was ever seen matches \(printable(name)).",
        remedy:
          "Known nodes: \(survey.nodes.union(fleet).map(\.description).sorted().joined(separator: ", ")).")
    }
    for object in survey.broken {
      steps.append(
        RecoveryStep(
          .objectBroken, object.key, "The object \(object.key) can't be read: \(printable(object.words)).",
          "Keep its bytes under another name, and go on as if it were gone.", .setAside(key: object.key)))
    }
    for run in Set(survey.plans.keys).union(committed.keys).union(survey.index.runs).subtracting(
      survey.proofs
    )
    .sorted() {
      try await planRun(run)
    }
    try await planStrangers()
    steps += unfinished
    try await planRows()
    try await planStaged()
    try await planRaw()
    planLostFiles()
    return steps
  }

  // MARK: runs without a proof

  private mutating func planRun(_ run: String) async throws(Failure) {
    let plan = survey.plans[run]
    if survey.index.runs.contains(run) {
      let batches = survey.index.batches.values.filter { $0.run == run }.sorted { $0.facts.id < $1.facts.id }
      prove(
        run, batches, plan, leftOut: [],
        found: "The proof of run \(run) is gone, and the index of runs still knows what was in it.")
      return
    }
    guard let plan else {
      lost.append(run)
      return
    }
    if let marker = committed[run] {
      finish(plan, except: marker.leftOut, "The run \(run) is committed, and has no proof.")
      return
    }
    // The snapshot is expired and the marker gone, as happens once a proof exists; or nothing was ever committed. The rows tell.
    var batches: [ProvenBatch] = []
    var leftOut: [String] = []
    var isOdd = false
    for bundle in plan.bundles where !isProven(bundle) {
      let wanted = bundle.batches.filter { $0.rows > 0 }
      let isThere = !wanted.isEmpty && wanted.allSatisfy { state.holds($0) }
      // A node deletes on a proof alone: where it has, there was one, and the rows went afterwards.
      let proven = bundle.batches.filter {
        isThere || survey.pruned.contains($0.id) || $0.rows > 0 && state.holds($0)
      }
      batches += proven.map { reproven($0, bundle.node, bundle: bundle.id, run: run) }
      if proven.isEmpty { leftOut.append(bundle.id) }
      let odd = wanted.filter { state.rows($0.id) > 0 && !state.holds($0) }
      for facts in odd { addOdd(facts) }
      isOdd = isOdd || !odd.isEmpty
    }
    guard !batches.isEmpty else {
      // With some of its rows there it can't be carried through: they would come twice.
      if !isOdd {
        finish(
          plan, except: [],
          "The run \(run) has a plan of \(counted(plan.bundles.count, "bundle")) and no proof: it is going on, was cut off, or can't be finished."
        )
      }
      return
    }
    prove(
      run, batches, plan, leftOut: leftOut,
      found:
        "The proof of run \(run) is gone; the table holds, or has held, the rows of \(counted(batches.count, "batch", plural: "batches")) of its plan."
    )
  }

  /// A batch that no proof names, and of which the table holds some rows and not all: committing it would bring those twice.
  mutating func addOdd(_ facts: BatchFacts) {
    guard pending.insert(facts.id).inserted else { return }
    steps.append(
      RecoveryStep(
        .rowsOdd, facts.id,
        "The table holds \(grouped(state.rows(facts.id))) rows of the batch \(facts.id.prefix(12)), which no proof names, and its file had \(grouped(facts.rows)).",
        "Delete its rows from the table, then run this again.", state: .impossible))
  }

  /// A batch whose rows are in the table now, whichever commit brought them; or whose rows are gone, and a node's deletion says that they were there.
  func reproven(_ facts: BatchFacts, _ node: Node, bundle: String, run: String) -> ProvenBatch {
    var batch = ProvenBatch(facts: facts, node: node, bundle: bundle, run: run)
    if facts.rows > 0, state.holds(facts) {
      batch.snapshot = state.table?.currentSnapshot?.id
      batch.sequence = state.table?.currentSnapshot?.sequence
    }
    return batch
  }

  private func isProven(_ bundle: StagedBundle) -> Bool {
    bundle.batches.contains { survey.index.batches[$0.id] != nil }
  }

  private mutating func finish(_ plan: Plan, except leftOut: [String], _ found: String) {
    let bundles = plan.bundles.filter { !leftOut.contains($0.id) }
    pending.formUnion(bundles.flatMap(\.batches).map(\.id))
    unfinished.append(
      RecoveryStep(
        .runOpen, plan.run, found, "Carry it through to its proof, as the next harvest does.", .finish(plan)))
  }

  private mutating func prove(
    _ run: String, _ batches: [ProvenBatch], _ plan: Plan?, leftOut: [String], found: String
  ) {
    for batch in batches { survey.index.batches[batch.facts.id] = batch }
    let bundles = Set(batches.map(\.bundle))
    let files = (plan?.bundles ?? []).filter { bundles.contains($0.id) }.flatMap(\.dataFiles).map(\.url)
    steps.append(
      RecoveryStep(
        .proofLost, run, found,
        "Write the proof again, for \(counted(batches.count, "batch", plural: "batches")).",
        .prove(proof(run, batches, files: files, leftOut: leftOut))))
  }

  func proof(
    _ run: String, _ batches: [ProvenBatch], files: [String] = [], leftOut: [String] = []
  ) -> Proof {
    Proof(
      run: run, writtenAt: clock.now().description, table: catalog.table,
      tableUUID: state.table?.uuid ?? "", snapshot: committed[run]?.snapshot,
      sequence: batches.compactMap(\.sequence).max(), batches: batches, dataFiles: files, leftOut: leftOut)
  }

  // MARK: what batches may be made of

  var rebuilder: BatchRebuilder { BatchRebuilder(store: store, scratch: scratch) }

  var known: [BatchFacts] {
    survey.index.batches.values.map(\.facts) + survey.bundles.values.flatMap(\.batches)
  }

  /// Folders that batches are known to come from, and those that the configuration names.
  var folders: [String] {
    let configured = request.logs.rotated.map { folderName("/" + $0) }.filter {
      !$0.utf8.contains(UInt8(ascii: "*"))
    }
    return Set(known.map(\.folder) + configured.map { String($0.drop { $0 == "/" }) }).sorted()
  }

  var streams: [String] {
    Set(known.map(\.stream) + request.logs.live.map { streamName(ofFile: baseName($0)) }).sorted()
  }
}
