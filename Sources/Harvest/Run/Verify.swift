public import DuckDB
import Files
public import Iceberg
import Logs
public import ObjectStorage
public import Support

/// Something that `verify` found to be off.
public struct Finding: Sendable, Codable, Equatable {
  public enum Kind: String, Sendable, Codable, CaseIterable {
    /// A proof's own counts do not add up: lines are not entries + malformed + blank.
    case notConserved = "not-conserved"
    /// The table holds fewer rows of a batch than its proof says, and nobody is known to have deleted any.
    case rowsMissing = "rows-missing"
    /// The table holds fewer rows of a batch, and a later snapshot deleted or replaced data files.
    case rowsRemoved = "rows-removed"
    /// The table holds more rows of a batch than the file had lines.
    case rowsTwice = "rows-twice"
    /// The table holds rows of a batch that no proof names.
    case rowsUnproven = "rows-unproven"
    /// A data file that the current snapshot names is not in the store, or has another size.
    case fileMissing = "file-missing"
    /// A plan that has no proof yet.
    case planOpen = "plan-open"
    /// A node deleted a file whose batch no proof names.
    case deletedUnproven = "deleted-unproven"
    /// A node's ledger and the proof count a batch differently.
    case ledgerDiffers = "ledger-differs"
    /// The raw object of a batch is not in the store, or has another size.
    case rawMissing = "raw-missing"
  }

  public var kind: Kind
  /// The batch, run or object that it is about.
  public var subject: String
  public var what: String
  public var remedy: String
}

/// What `verify` looked at and found.
public struct VerifyReport: Sendable, Codable {
  public var runs = 0
  public var batches = 0
  public var lines: Int64 = 0
  public var entries: Int64 = 0
  public var malformed: Int64 = 0
  public var blank: Int64 = 0
  /// Rows in the table, by its own count.
  public var tableRows: Int64 = 0
  public var dataFiles = 0
  /// Batches whose files the nodes have reported deleted.
  public var pruned = 0
  public var findings: [Finding] = []

  public init() {}
}

/// Checks conservation: every line of every proven batch is an entry, malformed or blank, and every entry and malformed line is a row, once.
/// Reads proofs, the nodes' reports of their ledgers, manifests, and the table itself. Changes nothing.
public struct Verifier: Sendable {
  let store: any ObjectStore
  let catalog: any Catalog
  let duckdb: DuckDB
  let scratch: String

  public init(store: any ObjectStore, catalog: any Catalog, duckdb: DuckDB, scratch: String) {
    self.store = store
    self.catalog = catalog
    self.duckdb = duckdb
    self.scratch = scratch
  }

  private var runs: RunStore { RunStore(store: store) }

  /// Costs one read of each proof and report, of all manifests, and of two columns of the table.
  public func run() async throws(Failure) -> VerifyReport {
    var report = VerifyReport()
    // The table first: what is proven while we look is then in the proofs, and no false alarm.
    let table = try await catalog.load()
    let index = try await runs.proven()
    report.runs = index.runs.count
    report.batches = index.batches.count
    for batch in index.batches.values.sorted(by: { $0.facts.id < $1.facts.id }) { add(batch, &report) }
    try await checkRaw(index, &report)
    var counts: [String: BatchCount] = [:]
    if let table {
      try table.checkOurs(name: catalog.table)
      let there = try await checkFiles(table, &report)
      // One file that is gone would keep DuckDB from reading any: the others are counted without the table then.
      if report.dataFiles == there.count {
        counts = try await batchCounts(duckdb, metadata: catalog.metadataURL(of: table))
      } else if !there.isEmpty {
        counts = try await batchCounts(duckdb, in: "read_parquet(\(there))")
      }
    }
    report.tableRows = counts.values.reduce(0) { $0 + $1.rows }
    try await checkCounts(index, counts, table, &report)
    try await checkPlans(index, &report)
    try await checkLedgers(index, &report)
    return report
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

  private func checkRaw(_ index: ProvenIndex, _ report: inout VerifyReport) async throws(Failure) {
    for batch in index.batches.values.sorted(by: { $0.facts.id < $1.facts.id }) {
      guard let raw = batch.facts.raw else { continue }
      if try await store.stat(raw.key)?.size != raw.size {
        report.findings.append(
          Finding(
            kind: .rawMissing, subject: batch.facts.id,
            what: "\(name(batch)): the object \(raw.key) is gone or has another size.",
            remedy:
              "The table still holds its lines; bring the object back from a backup if you want the original bytes."
          ))
      }
    }
  }

  /// Looks for each data file of the current snapshot in the store. The URLs of those that are there.
  private func checkFiles(_ table: LoadedTable, _ report: inout VerifyReport) async throws(Failure)
    -> [String]
  {
    guard let snapshot = table.currentSnapshot else { return [] }
    var there: [String] = []
    let writer = TableWriter(duckdb: duckdb, store: store, catalog: catalog, scratch: scratch, clock: .system)
    let files = try await writer.files(of: snapshot)
    report.dataFiles = files.count
    for file in files {
      if let key = store.key(of: file.url), try await store.stat(key)?.size == file.size {
        there.append(file.url)
        continue
      }
      report.findings.append(
        Finding(
          kind: .fileMissing, subject: file.url,
          what:
            "The data file \(printable(file.url)) with \(grouped(file.rows)) rows is not in the store as the table names it.",
          remedy: "Bring it back from a backup. The raw objects of its batches hold the same lines."))
    }
    return there
  }

  private func checkCounts(
    _ index: ProvenIndex, _ counts: [String: BatchCount], _ table: LoadedTable?, _ report: inout VerifyReport
  ) async throws(Failure) {
    let removes = table.map(removals) ?? false
    for (id, batch) in index.batches.sorted(by: { $0.key < $1.key }) {
      let count = counts[id] ?? BatchCount(rows: 0, malformed: 0)
      let wanted = batch.facts.rows
      guard count.rows != wanted || count.malformed != batch.facts.malformed else { continue }
      let kind: Finding.Kind = count.rows > wanted ? .rowsTwice : removes ? .rowsRemoved : .rowsMissing
      let remedy =
        switch kind {
        case .rowsTwice:
          "Somebody appended the rows again. Delete the surplus rows of this batch in the table."
        case .rowsRemoved:
          "A later snapshot deleted or replaced data: if a day was dropped on purpose, this is what it looks like."
        default:
          "The proof says that they were there. The raw object \(batch.facts.raw?.key ?? "") holds every line."
        }
      report.findings.append(
        Finding(
          kind: kind, subject: id,
          what:
            "\(name(batch)): the table holds \(count.rows) rows (\(count.malformed) malformed), and the file had \(wanted) (\(batch.facts.malformed) malformed).",
          remedy: remedy))
    }
    // Rows that no proof names belong to a plan that is being finished, or to nobody.
    let open = try await openBatches(index)
    for (id, count) in counts.sorted(by: { $0.key < $1.key })
    where index.batches[id] == nil && !open.contains(id) {
      report.findings.append(
        Finding(
          kind: .rowsUnproven, subject: id,
          what:
            "The table holds \(count.rows) rows of the batch \(id.prefix(12)), which no proof or plan names.",
          remedy: "Somebody else wrote them, or objects under runs/ were deleted."))
    }
  }

  /// Whether a snapshot that the metadata still has deleted or replaced data files.
  private func removals(_ table: LoadedTable) -> Bool {
    table.metadata["snapshots"]?.array?.contains {
      let operation = $0["summary"]?["operation"]?.string
      return operation == "delete" || operation == "overwrite"
    } ?? false
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

  /// The ledgers' word, as the nodes have reported it: no batch is deleted without a proof, and none is counted otherwise than its proof.
  private func checkLedgers(_ index: ProvenIndex, _ report: inout VerifyReport) async throws(Failure) {
    var pruned: Set<String> = []
    for object in try await store.list("runs/") {
      let parts = object.key.split(separator: "/")
      guard parts.count == 4, isRunID(parts[1]), object.key.hasSuffix(".ndjson") else { continue }
      guard let bytes = try await store.get(object.key, limit: .mebibytes(512)) else { continue }
      if parts[2] == "pruned" {
        let read = try decodeJSON(
          PruneReport.self, from: bytes, code: "report.broken", document: "The report \(object.key)")
        for id in read.pruned {
          pruned.insert(id)
          guard index.batches[id] == nil else { continue }
          report.findings.append(
            Finding(
              kind: .deletedUnproven, subject: id,
              what:
                "The node \(read.node) deleted the file of the batch \(id.prefix(12)), which no proof names.",
              remedy:
                "Its raw object, if it is there, holds every line. Look who removed the proof from runs/."))
        }
      } else if parts[2] == "staged" {
        for batch in try StageReport(parsing: bytes, name: object.key).bundles.flatMap(\.batches) {
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
  }

  private func name(_ batch: ProvenBatch) -> String {
    "batch \(batch.facts.id.prefix(12)) (\(batch.node), \(printable(batch.facts.file)))"
  }
}
