import DuckDB
import Files
import Fleet
import Iceberg
import Logs
import ObjectStorage
import Rows
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

  private var survey: RunSurvey
  private let state: TableState
  private let committed: [String: CommitMarker]
  private let dataPath: String
  /// Batches of plans that will be carried through.
  private var pending: Set<String> = []
  /// Runs of which the table says that they are committed, and the store nothing.
  private var lost: [String] = []
  private var steps: [RecoveryStep] = []

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
    if committed[run] != nil {
      finish(plan, "The run \(run) is committed, and has no proof.")
      return
    }
    // The snapshot is expired and the marker gone, as happens once a proof exists; or nothing was ever committed. The rows tell.
    var there: [StagedBundle] = []
    var absent: [StagedBundle] = []
    for bundle in plan.bundles where !isProven(bundle) {
      let batches = bundle.batches.filter { $0.rows > 0 }
      if !batches.isEmpty, batches.allSatisfy({ state.holds($0) }) {
        there.append(bundle)
      } else if bundle.batches.contains(where: { survey.pruned.contains($0.id) }) {
        // A node deletes on a proof alone: there was one, and the rows went afterwards.
        there.append(bundle)
      } else if batches.contains(where: { state.rows($0.id) > 0 }) {
        steps.append(
          RecoveryStep(
            .rowsOdd, bundle.id,
            "The run \(run) has no proof, and of its bundle \(bundle.id.prefix(12)) the table holds some rows and not all.",
            "Delete the rows of its batches from the table, then run this again.", state: .impossible))
        pending.formUnion(bundle.batches.map(\.id))
        return
      } else {
        absent.append(bundle)
      }
    }
    guard !there.isEmpty else {
      finish(
        plan,
        "The run \(run) has a plan of \(counted(plan.bundles.count, "bundle")) and no proof: it is going on, was cut off, or can't be finished."
      )
      return
    }
    var batches: [ProvenBatch] = []
    for bundle in there {
      for facts in bundle.batches {
        batches.append(reproven(facts, bundle.node, bundle: bundle.id, run: run))
      }
    }
    prove(
      run, batches, plan, leftOut: absent.map(\.id),
      found:
        "The proof of run \(run) is gone; the table holds the rows of \(counted(batches.count, "batch", plural: "batches")) of its plan."
    )
  }

  /// A batch whose rows are in the table now, whichever commit brought them; or whose rows are gone, and a node's deletion says that they were there.
  private func reproven(_ facts: BatchFacts, _ node: Node, bundle: String, run: String) -> ProvenBatch {
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

  private mutating func finish(_ plan: Plan, _ found: String) {
    pending.formUnion(plan.bundles.flatMap(\.batches).map(\.id))
    steps.append(
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

  private func proof(
    _ run: String, _ batches: [ProvenBatch], files: [String] = [], leftOut: [String] = []
  ) -> Proof {
    Proof(
      run: run, writtenAt: clock.now().description, table: catalog.table,
      tableUUID: state.table?.uuid ?? "", snapshot: committed[run]?.snapshot,
      sequence: batches.compactMap(\.sequence).max(), batches: batches, dataFiles: files, leftOut: leftOut)
  }

  // MARK: rows that no proof names

  private mutating func planStrangers() async throws(Failure) {
    let ids = state.counts.keys.filter { survey.index.batches[$0] == nil && !pending.contains($0) }.sorted()
    let run = newRunID(at: clock.now())
    var found: [ProvenBatch] = []
    var isWhole = true
    if !ids.isEmpty {
      let reported = Dictionary(
        survey.bundles.values.flatMap { bundle in bundle.batches.map { ($0.id, (bundle, $0)) } },
        uniquingKeysWith: { first, _ in first })
      let places = try await batchPlaces()
      for id in ids {
        var batch: ProvenBatch?
        if let (bundle, facts) = reported[id] {
          batch = ProvenBatch(facts: facts, node: bundle.node, bundle: bundle.id, run: run)
        } else if let place = places[id], place.count == 1 {
          batch = try await rebuilt(id, place[0], run)
        }
        guard var batch else {
          isWhole = false
          steps.append(
            RecoveryStep(
              .rowsUnproven, id,
              "The table holds \(grouped(state.rows(id))) rows of the batch \(printable(String(id.prefix(12)))), and nothing in the store says what it was.",
              "If they are yours, bring runs/ or raw/ back from a backup. If somebody else wrote them, delete them from the table.",
              state: .impossible))
          continue
        }
        guard state.holds(batch.facts) else {
          isWhole = false
          steps.append(
            RecoveryStep(
              .rowsOdd, id,
              "The table holds \(grouped(state.rows(id))) rows of the batch \(id.prefix(12)), and its file had \(grouped(batch.facts.rows)).",
              "Delete its rows from the table, then run this again.", state: .impossible))
          continue
        }
        batch = reproven(batch.facts, batch.node, bundle: batch.bundle, run: run)
        found.append(batch)
      }
    }
    if !found.isEmpty {
      for batch in found { survey.index.batches[batch.facts.id] = batch }
      let rows = found.reduce(0) { $0 + $1.facts.rows }
      steps.append(
        RecoveryStep(
          .rowsUnproven, run,
          "The table holds \(grouped(rows)) rows of \(counted(found.count, "batch", plural: "batches")) that no proof names; reports and raw objects say what they are.",
          "Write a proof of them.", .prove(proof(run, found))))
    }
    for run in lost {
      let what =
        "The table says that the run \(run) is committed, and the store has neither its plan nor its proof."
      steps.append(
        isWhole
          ? RecoveryStep(
            .runLost, run, what, "Close it with a proof of its own: all rows of the table are proven.",
            .prove(proof(run, [])))
          : RecoveryStep(
            .runLost, run, what, "First the rows above have to be accounted for.", state: .impossible))
    }
  }

  private struct BatchPlace {
    var node: Node
    var stream: String
    var rotated: Int64
  }

  private func batchPlaces() async throws(Failure) -> [String: [BatchPlace]] {
    guard let table = state.table else { return [:] }
    let rows = try await duckdb.run(
      [batchPlacesStatement("iceberg_scan(\(catalog.metadataURL(of: table)))")],
      DuckDB.Settings(memory: .gibibytes(1), load: ["avro", "iceberg"], deadline: .after(seconds: 1800)))
    var places: [String: [BatchPlace]] = [:]
    for row in rows.first ?? [] {
      guard let batch = row["batch"]?.string, let region = row["region"]?.string,
        let zone = row["zone"]?.string, let name = row["node"]?.string, let stream = row["stream"]?.string,
        let rotated = row["rotated"]?.integer
      else { continue }
      places[batch, default: []].append(
        BatchPlace(node: Node(region: region, zone: zone, name: name), stream: stream, rotated: rotated))
    }
    return places
  }

  private var rebuilder: BatchRebuilder { BatchRebuilder(store: store, scratch: scratch) }

  private func rebuilt(_ id: String, _ place: BatchPlace, _ run: String) async throws(Failure) -> ProvenBatch?
  {
    guard (try? place.node.validate()) != nil else { return nil }
    let raw = BatchObjects(node: place.node, batch: id, rotated: Instant(seconds: place.rotated)).raw
    let guess = BatchGuess(
      node: place.node, folders: folders, streams: [place.stream], rotated: [place.rotated])
    guard let facts = try await rebuilder.rebuild(id, raw: raw, guess) else { return nil }
    return ProvenBatch(facts: facts, node: place.node, bundle: "", run: run)
  }

  private var known: [BatchFacts] {
    survey.index.batches.values.map(\.facts) + survey.bundles.values.flatMap(\.batches)
  }

  /// Folders that batches are known to come from, and those that the configuration names.
  private var folders: [String] {
    let configured = request.logs.rotated.map { folderName("/" + $0) }.filter {
      !$0.utf8.contains(UInt8(ascii: "*"))
    }
    return Set(known.map(\.folder) + configured.map { String($0.drop { $0 == "/" }) }).sorted()
  }

  private var streams: [String] {
    Set(known.map(\.stream) + request.logs.live.map { streamName(ofFile: baseName($0)) }).sorted()
  }

  // MARK: proven rows that are gone

  private mutating func planRows() async throws(Failure) {
    let proven = survey.index.batches.values.filter { $0.facts.rows > 0 }
    let others = state.snapshotsBySequence(proven)
    let bundles = Dictionary(grouping: proven, by: \.bundle)
    var whole: [StagedBundle] = []
    var parts: [RawBatch] = []
    var removed: [ProvenBatch] = []
    var impossible: [RecoveryStep] = []
    for id in bundles.keys.sorted() {
      let batches = (bundles[id] ?? []).sorted { $0.facts.id < $1.facts.id }
      for batch in batches where state.rows(batch.facts.id) > 0 && !state.holds(batch.facts) {
        impossible.append(
          RecoveryStep(
            .rowsOdd, batch.facts.id,
            "The table holds \(grouped(state.rows(batch.facts.id))) rows of the batch \(batch.facts.id.prefix(12)), and its file had \(grouped(batch.facts.rows)).",
            state.rows(batch.facts.id) > batch.facts.rows
              ? "Somebody appended them again: delete the surplus rows from the table."
              : "If it was not on purpose: delete the rest of its rows from the table, then run this again.",
            state: state.rows(batch.facts.id) > batch.facts.rows ? .impossible : .left))
      }
      let gone = batches.filter { state.rows($0.facts.id) == 0 }
      guard let first = gone.first else { continue }
      let fate = state.fate(of: first, others: others)
      guard fate == .forgotten || scope.bringsBackRemoved else {
        removed += gone
        continue
      }
      if gone.count == batches.count, let bundle = try await stagedBundle(id, run: first.run) {
        whole.append(bundle)
        continue
      }
      for batch in gone {
        if let raw = batch.facts.raw, try await store.stat(raw.key) != nil {
          parts.append(RawBatch(node: batch.node, facts: batch.facts, raw: raw.key))
        } else {
          impossible.append(
            RecoveryStep(
              .rowsForgotten, batch.facts.id,
              "The table has lost the \(grouped(batch.facts.rows)) rows of the batch \(batch.facts.id.prefix(12)) (\(batch.node), \(printable(batch.facts.file))), and its data file and its raw object are gone.",
              "Bring either back from a backup, then run this again.", state: .impossible))
        }
      }
    }
    bringBack(whole, parts)
    leave(removed)
    steps += impossible
  }

  private mutating func bringBack(_ whole: [StagedBundle], _ parts: [RawBatch]) {
    if !whole.isEmpty {
      let rows = whole.reduce(0) { $0 + $1.rows }
      let files = whole.reduce(0) { $0 + $1.dataFiles.count }
      steps.append(
        RecoveryStep(
          .rowsForgotten, catalog.table,
          "The table has lost \(grouped(rows)) proven rows of \(counted(whole.count, "bundle")); their data files are still in the store.",
          "Append the \(counted(files, "data file")) again, in one snapshot.", .appendAgain(whole)))
    }
    if !parts.isEmpty {
      let rows = parts.reduce(0) { $0 + $1.facts.rows }
      steps.append(
        RecoveryStep(
          .rowsForgotten, catalog.table,
          "The table has lost \(grouped(rows)) proven rows of \(counted(parts.count, "batch", plural: "batches")), and not their whole bundles, or the data files are gone, too.",
          "Write data files from their raw objects, and append them in one snapshot.",
          .writeAgain(parts, areProven: true)))
    }
  }

  /// Rows that somebody took out, by their day: it is by days that an archive is thinned out.
  private mutating func leave(_ removed: [ProvenBatch]) {
    let days = Dictionary(grouping: removed) { Instant(seconds: $0.facts.rotated).dateText }
    for (day, batches) in days.sorted(by: { $0.key < $1.key }) {
      let rows = batches.reduce(0) { $0 + $1.facts.rows }
      steps.append(
        RecoveryStep(
          .rowsRemoved, day,
          "\(grouped(rows)) proven rows of \(counted(batches.count, "batch", plural: "batches")) rotated on \(day) are no longer in the table: as far as can be seen, somebody took them out.",
          "Nothing: a day that was dropped on purpose looks like this. --removed brings them back.",
          state: .left))
    }
  }

  /// The bundle as its plan has it, if all of its data files are in the store and none is in the table.
  private func stagedBundle(_ id: String, run: String) async throws(Failure) -> StagedBundle? {
    let plan: Plan?
    if let there = survey.plans[run] {
      plan = there
    } else {
      plan = try? await RunStore(store: store).plan(run)
    }
    guard let bundle = plan?.bundles.first(where: { $0.id == id }),
      contradiction(in: bundle, dataPath: dataPath) == nil, try await store.holds(bundle.dataFiles),
      !bundle.dataFiles.contains(where: { file in state.files.contains { $0.url == file.url } })
    else { return nil }
    return bundle
  }

  // MARK: what nodes left

  private func isGone(_ node: Node) -> Bool {
    !fleet.contains(node) || scope.gone.contains { wildcardMatches($0, node.name) }
  }

  private mutating func planStaged() async throws(Failure) {
    var whole: [Node: [StagedBundle]] = [:]
    var parts: [Node: [RawBatch]] = [:]
    for bundle in survey.bundles.values.sorted(by: { $0.id < $1.id }) {
      let open = bundle.batches.filter { survey.index.batches[$0.id] == nil && !pending.contains($0.id) }
      let current = Set((survey.newest[bundle.node]?.bundles ?? []).flatMap(\.batches).map(\.id))
      // What its ledger still knows, a living node brings itself.
      let left = open.filter { isGone(bundle.node) || !current.contains($0.id) }
      guard !left.isEmpty else { continue }
      if let reason = contradiction(in: bundle, dataPath: dataPath) {
        steps.append(
          RecoveryStep(
            .stagedLeft, bundle.id,
            "The node \(bundle.node) reported the bundle \(bundle.id.prefix(12)), and it can't be true: \(reason).",
            "Its raw objects, if they are there, hold its lines.", state: .impossible))
        continue
      }
      pending.formUnion(left.map(\.id))
      if left.count == bundle.batches.count, try await store.holds(bundle.dataFiles) {
        whole[bundle.node, default: []].append(bundle)
        continue
      }
      for facts in left {
        if let raw = facts.raw, try await store.stat(raw.key) != nil {
          parts[bundle.node, default: []].append(RawBatch(node: bundle.node, facts: facts, raw: raw.key))
        } else {
          steps.append(
            RecoveryStep(
              .stagedLeft, facts.id,
              "The node \(bundle.node) staged \(printable(facts.file)) with \(grouped(facts.lines)) lines, and neither its data file nor its raw object is in the store any more.",
              "Bring either back from a backup, or look for the file on the node.", state: .impossible))
        }
      }
    }
    for (node, bundles) in whole.sorted(by: { $0.key.key < $1.key.key }) {
      let batches = bundles.reduce(0) { $0 + $1.batches.count }
      steps.append(
        RecoveryStep(
          .stagedLeft, "\(node)",
          "The node \(node)\(why(node)) has staged \(counted(batches, "batch", plural: "batches")) that nobody will commit.",
          "Commit them as they were staged.", .commit(bundles)))
    }
    for (node, batches) in parts.sorted(by: { $0.key.key < $1.key.key }) {
      steps.append(
        RecoveryStep(
          .stagedLeft, "\(node)",
          "The node \(node)\(why(node)) has staged \(counted(batches.count, "batch", plural: "batches")) that nobody will commit, and of which only the raw objects can be used.",
          "Write data files from the raw objects, and commit them.", .writeAgain(batches, areProven: false)))
    }
  }

  private func why(_ node: Node) -> String {
    fleet.contains(node)
      ? isGone(node) ? ", which is gone," : ", whose ledger forgot it," : ", which is no node of the fleet,"
  }

  /// Raw objects of nodes that are gone: uploaded, and never reported.
  private mutating func planRaw() async throws(Failure) {
    let nodes = survey.nodes.union(fleet).filter(isGone)
    guard !nodes.isEmpty else { return }
    let named = Set(
      (known + survey.plans.values.flatMap(\.bundles).flatMap(\.batches)).compactMap { $0.raw?.key })
    let prefixes = Set(known.map { String($0.id.prefix(12)) })
    var found: [Node: [RawBatch]] = [:]
    for object in try await store.list("raw/") where !named.contains(object.key) {
      guard let name = RawName(object.key), !prefixes.contains(name.batch) else { continue }
      let owners = nodes.filter { $0.label == name.label }.sorted { $0.key < $1.key }
      guard !owners.isEmpty else { continue }
      var batch: RawBatch?
      for node in owners where batch == nil {
        let guess = BatchGuess(node: node, folders: folders, streams: streams, rotated: name.seconds)
        if let facts = try await rebuilder.rebuild(name.batch, raw: object.key, guess) {
          batch = RawBatch(node: node, facts: facts, raw: object.key)
        }
      }
      if let batch {
        found[batch.node, default: []].append(batch)
      } else {
        steps.append(
          RecoveryStep(
            .rawLeft, object.key,
            "The raw object \(object.key) belongs to no batch that is known, and can't be read or told what it was.",
            "It stays. Look at it: it may hold lines that are nowhere else.", state: .impossible))
      }
    }
    for (node, batches) in found.sorted(by: { $0.key.key < $1.key.key }) {
      steps.append(
        RecoveryStep(
          .rawLeft, "\(node)",
          "The node \(node)\(why(node)) has uploaded the raw objects of \(counted(batches.count, "batch", plural: "batches")) and not reported them.",
          "Write data files from them, and commit them.", .writeAgain(batches, areProven: false)))
    }
  }

  /// What a node that is gone said of files that it did not archive.
  private mutating func planLostFiles() {
    for (node, report) in survey.newest.sorted(by: { $0.key.key < $1.key.key }) where isGone(node) {
      let files = report.passedOver.filter { $0.isGap || $0.reason == .waiting }
      guard !files.isEmpty || !report.failures.isEmpty else { continue }
      let names = files.prefix(5).map { printable($0.file) } + report.failures.prefix(5).map { printable($0) }
      steps.append(
        RecoveryStep(
          .filesLost, "\(node)",
          "The node \(node)\(why(node)) had files that it did not archive: \(names.joined(separator: "; ")).",
          "They are on its disk, if anywhere.", state: .impossible))
    }
  }
}

/// What the name of a raw object says.
struct RawName {
  /// The first twelve digits of the batch's id.
  var batch: String
  var label: String
  /// The seconds of the minute of its rotation.
  var seconds: [Int64]

  init?(_ key: String) {
    let parts = key.split(separator: "/").map(String.init)
    let ending = ".json.gz"
    guard parts.count == 4, parts[0] == "raw", parts[2].utf8.count == 12, parts[3].hasSuffix(ending) else {
      return nil
    }
    let words = parts[3].dropLast(ending.count).split(separator: "-")
    guard words.count >= 3, words[words.count - 2] == "RAW", let stamp = words.last, stamp.utf8.count == 12,
      stamp.utf8.allSatisfy({ (0x30...0x39).contains($0) })
    else { return nil }
    let digits = Array(stamp)
    func part(_ range: Range<Int>) -> String { String(digits[range]) }
    guard
      let minute = timestamp(
        of: "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(8..<10)):\(part(10..<12)):00Z")
    else { return nil }
    batch = parts[2]
    label = words.dropLast(2).joined(separator: "-")
    seconds = (0..<60).map { minute.seconds + $0 }
  }
}
