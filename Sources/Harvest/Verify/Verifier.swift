public import DuckDB
import Files
public import Iceberg
import Logs
public import ObjectStorage
public import Support

/// Checks conservation: every line of every proven batch is an entry, malformed or blank, and every entry and malformed line is a row, once.
/// Reads proofs, the nodes' reports of their ledgers, manifests, and the table itself. Changes nothing.
public struct Verifier: Sendable {
  let store: any ObjectStore
  let catalog: any Catalog
  let duckdb: DuckDB
  let scratch: String
  let scope: VerifyScope

  public init(
    store: any ObjectStore, catalog: any Catalog, duckdb: DuckDB, scratch: String,
    scope: VerifyScope = VerifyScope()
  ) {
    self.store = store
    self.catalog = catalog
    self.duckdb = duckdb
    self.scratch = scratch
    self.scope = scope
  }

  var runs: RunStore { RunStore(store: store) }

  /// Costs one read of each proof and report, of all manifests, and of two columns of the table; with `isDeep` of every object.
  public func run() async throws(Failure) -> VerifyReport {
    var report = VerifyReport()
    // The table first: what is proven while we look is then in the proofs, and no false alarm.
    let table = try await catalog.load()
    if let table { try table.checkOurs(name: catalog.table) }
    let index = try await runs.proven()
    let batches = index.batches.values.filter(scope.filter.matches).sorted { $0.facts.id < $1.facts.id }
    report.runs = index.runs.count
    report.batches = batches.count
    for batch in batches { add(batch, &report) }
    try await checkObjects(batches, &report)
    let state = try await TableState.read(table, duckdb, store, catalog, scratch: scratch)
    note(state, &report)
    report.tableRows = batches.reduce(0) { $0 + (state.counts[$1.facts.id]?.rows ?? 0) }
    checkCounts(batches, state, &report)
    if scope.isWhole { try await checkStrangers(index, state, &report) }
    try await checkPlans(index, &report)
    try await checkLedgers(index, batches, &report)
    if scope.isDeep { try await readObjects(batches, &report) }
    let (orphans, keptFor) = try await orphans(index, table)
    report.orphans = orphans
    guard scope.removesOrphans, !orphans.isEmpty else { return report }
    report.orphansKeptFor = keptFor
    if keptFor == nil { try await remove(orphans, &report) }
    return report
  }

  private func note(_ state: TableState, _ report: inout VerifyReport) {
    report.dataFiles = state.files.count
    for file in state.missing {
      report.findings.append(
        Finding(
          kind: .fileMissing, subject: file.url,
          what:
            "The data file \(printable(file.url)) with \(grouped(file.rows)) rows is not in the store as the table names it.",
          remedy: "Bring it back from a backup. The raw objects of its batches hold the same lines."))
    }
  }

  private func add(_ batch: ProvenBatch, _ report: inout VerifyReport) {
    report.lines += batch.facts.lines
    report.entries += batch.facts.entries
    report.malformed += batch.facts.malformed
    report.blank += batch.facts.blank
    if !batch.facts.isConserved {
      report.findings.append(
        Finding(
          kind: .notConserved, subject: batch.facts.id,
          what:
            "\(name(batch)): \(batch.facts.lines) lines are not \(batch.facts.entries) entries + \(batch.facts.malformed) malformed + \(batch.facts.blank) blank.",
          remedy:
            "Its raw object \(batch.facts.raw?.key ?? "in the store") holds every line; do not delete it."))
    }
  }

  private func checkObjects(_ batches: [ProvenBatch], _ report: inout VerifyReport) async throws(Failure) {
    for batch in batches {
      if let raw = batch.facts.raw, try await store.stat(raw.key)?.size != raw.size {
        report.findings.append(
          Finding(
            kind: .rawMissing, subject: batch.facts.id,
            what: "\(name(batch)): the object \(raw.key) is gone or has another size.",
            remedy:
              "The table still holds its lines; bring the object back from a backup if you want the original bytes."
          ))
      }
      if let alert = batch.facts.alert, let there = try await store.stat(alert.key), there.size != alert.size
      {
        report.findings.append(
          Finding(
            kind: .alertMissing, subject: batch.facts.id,
            what: "\(name(batch)): the object \(alert.key) has another size than was uploaded.",
            remedy: "The table holds the urgent rows, too."))
      }
    }
  }

  private func checkCounts(_ batches: [ProvenBatch], _ state: TableState, _ report: inout VerifyReport) {
    let others = state.snapshotsBySequence(batches)
    for batch in batches {
      let count = state.counts[batch.facts.id] ?? BatchCount(rows: 0, malformed: 0)
      let wanted = batch.facts.rows
      guard count.rows != wanted || count.malformed != batch.facts.malformed else { continue }
      let fate = state.fate(of: batch, others: others)
      let kind: Finding.Kind =
        count.rows > wanted ? .rowsTwice : fate == .removed ? .rowsRemoved : .rowsMissing
      let raw = batch.facts.raw?.key ?? "in the store"
      let remedy =
        switch kind {
        case .rowsTwice:
          "Somebody appended the rows again. Delete the surplus rows of this batch in the table."
        case .rowsRemoved:
          "The proof says that they were there, and somebody's later snapshot deleted or replaced them: a day that was dropped on purpose looks like this. The raw object \(raw) holds every line."
        default:
          fate == .forgotten
            ? "The proof says that they were there, and the table has forgotten that commit: it was set back to an older state. 'gadwall recover' brings them back."
            : "The proof says that they were there, and nobody is known to have deleted any. The raw object \(raw) holds every line; 'gadwall recover' says what can be done."
        }
      report.findings.append(
        Finding(
          kind: kind, subject: batch.facts.id,
          what:
            "\(name(batch)): the table holds \(count.rows) rows (\(count.malformed) malformed), and the file had \(wanted) (\(batch.facts.malformed) malformed).",
          remedy: remedy))
    }
  }

  /// Rows that no proof names belong to a plan that is being finished, or to nobody.
  private func checkStrangers(
    _ index: ProvenIndex, _ state: TableState, _ report: inout VerifyReport
  ) async throws(Failure) {
    let open = try await openBatches(index)
    for (id, count) in state.counts.sorted(by: { $0.key < $1.key })
    where index.batches[id] == nil && !open.contains(id) {
      report.findings.append(
        Finding(
          kind: .rowsUnproven, subject: id,
          what:
            "The table holds \(count.rows) rows of the batch \(printable(String(id.prefix(12)))), which no proof or plan names.",
          remedy:
            "Somebody else wrote them, or objects under runs/ were deleted: 'gadwall recover' says which."))
    }
  }

  private func openBatches(_ index: ProvenIndex) async throws(Failure) -> Set<String> {
    var batches: Set<String> = []
    for run in try await runs.openRuns() where !index.runs.contains(run) {
      for bundle in try await runs.plan(run)?.bundles ?? [] { batches.formUnion(bundle.batches.map(\.id)) }
    }
    return batches
  }

  private func checkPlans(_ index: ProvenIndex, _ report: inout VerifyReport) async throws(Failure) {
    for run in try await runs.openRuns() where !index.runs.contains(run) {
      guard let plan = try await runs.plan(run) else { continue }
      report.findings.append(
        Finding(
          kind: .planOpen, subject: run,
          what: "The run \(run) has a plan of \(counted(plan.bundles.count, "bundle")) and no proof.",
          remedy: "It was cut off, or is going on. The next 'gadwall harvest' finishes it."))
    }
  }

  /// The ledgers' word, as the nodes have reported it: no batch is deleted without a proof, none is counted otherwise than its proof, and what
  /// the newest report of a node holds back.
  private func checkLedgers(
    _ index: ProvenIndex, _ batches: [ProvenBatch], _ report: inout VerifyReport
  ) async throws(Failure) {
    let wanted = Set(batches.map(\.facts.id))
    var pruned: Set<String> = []
    var newest: [Node: StageReport] = [:]
    for object in try await store.list("runs/") {
      let parts = object.key.split(separator: "/")
      guard parts.count == 4, isRunID(parts[1]), object.key.hasSuffix(".ndjson") else { continue }
      guard let bytes = try await store.get(object.key, limit: .mebibytes(512)) else { continue }
      if parts[2] == "pruned" {
        let read = try decodeJSON(
          PruneReport.self, from: bytes, code: "report.broken", document: "The report \(object.key)",
          remedy: recoverRemedy)
        for id in read.pruned {
          if wanted.contains(id) { pruned.insert(id) }
          guard index.batches[id] == nil, scope.isWhole else { continue }
          report.findings.append(
            Finding(
              kind: .deletedUnproven, subject: id,
              what:
                "The node \(read.node) deleted the file of the batch \(printable(String(id.prefix(12)))), which no proof names.",
              remedy:
                "Its raw object, if it is there, holds every line. Look who removed the proof from runs/; 'gadwall recover' writes it again."
            ))
        }
      } else if parts[2] == "staged" {
        let read = try StageReport(parsing: bytes, name: object.key)
        // Keys sort by the run's time: the last one of a node is its newest.
        newest[read.head.node] = read
        for batch in read.bundles.flatMap(\.batches) where wanted.contains(batch.id) {
          guard let proven = index.batches[batch.id], !proven.facts.agrees(with: batch) else { continue }
          report.findings.append(
            Finding(
              kind: .ledgerDiffers, subject: batch.id,
              what: "\(name(proven)): the node's ledger counts it otherwise than its proof.",
              remedy: "Its file stays on the node. Compare \(object.key) with the proof of run \(proven.run)."
            ))
        }
      }
    }
    report.pruned = pruned.count
    for (node, read) in newest.sorted(by: { $0.key.key < $1.key.key }) where scope.matches(node) {
      for file in read.passedOver where file.reason == .held {
        report.findings.append(
          Finding(
            kind: .held, subject: "\(node): \(file.file)",
            what: "The node \(node) holds \(printable(file.file)) back: \(file.note).",
            remedy:
              "Look who wrote to it. What is archived of it is safe; move it away once its other lines are, too."
          ))
      }
    }
  }

  func name(_ batch: ProvenBatch) -> String {
    "batch \(batch.facts.id.prefix(12)) (\(batch.node), \(printable(batch.facts.file)))"
  }
}
