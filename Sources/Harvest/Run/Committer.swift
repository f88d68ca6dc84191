import DuckDB
import Iceberg
import Logs
import ObjectStorage
import Support

/// Whether a commit looks at the table's rows before it appends, besides markers and proofs. It costs a scan of two columns.
enum LookAtRows {
  /// A run's own plan: whatever is in the table, a marker or a proof names.
  case no
  /// A plan that another run has left: rows without a marker or a proof mean that objects under `runs/` were lost or set back.
  case refuse
  /// Bundles with a row in the table are left out.
  case leaveOut
  /// The same, and proven bundles without one are appended.
  case bringBack
}

/// Brings a plan into the table exactly once, reads it back, and writes the proof.
struct Committer {
  let runs: RunStore
  let catalog: any Catalog
  let writer: TableWriter
  let duckdb: DuckDB
  let clock: WallClock
  var attempts = 10
  var rules = ProtocolRules()
  /// Where a test may hold this machine while others go on.
  var pause: @Sendable (String) async -> Void = { _ in }

  /// Carries a plan through to its proof.
  ///
  /// Safe to call again with the same plan at any time, from any machine: what is in the table is seen and never appended twice.
  /// - Parameter look: what to make of rows that the table holds already.
  /// - Throws: `commit.conflict` after too many lost races; `commit.unknown` when the catalog gave no clear answer and the marker was not there
  ///   afterwards. Nothing was deleted in either case, and the next run takes the plan up again.
  func prove(_ plan: Plan, look: LookAtRows = .no) async throws(Failure) -> Proof {
    if let there = try await runs.proof(plan.run) {
      // Killed between the proof and this: without it every run would finish that one again, for ever.
      try await runs.close(plan.run, rules: rules)
      return there.proof
    }
    var last = ""
    var lastWasUnknown = false
    var stale: ProvenIndex?
    for _ in 0..<attempts {
      // The table first, then the proofs: in this order nothing can slip through between the two.
      if !rules.loadsTableBeforeProofs, stale == nil { stale = try await runs.proven(.of(plan.bundles)) }
      await pause("commit.listed")
      let table = try await catalog.load()
      await pause("commit.loaded")
      let index: ProvenIndex
      if let stale { index = stale } else { index = try await runs.proven(.of(plan.bundles)) }
      if !rules.checksAgainInFull { stale = index }
      if let table { try table.checkOurs(name: catalog.table) }
      let markers = (rules.believesMarkers ? table?.committedRuns : table?.summarizedRuns) ?? [:]
      var plans: [String: Plan] = [:]
      for run in markers.keys where run != plan.run && !index.runs.contains(run) {
        guard let other = try await runs.plan(run) else { throw lostRun(run, catalog.table) }
        plans[run] = other
      }
      var there = Set(index.batches.keys)
      var present: Set<String> = []
      if look != .no, markers[plan.run] == nil {
        present = try await bundlesWithRows(plan, table)
        if look == .bringBack {
          let absent = plan.bundles.filter { !present.contains($0.id) }
          there.subtract(absent.flatMap(\.batches).map(\.id))
        }
      }
      var step = commitStep(plan, markers: markers, proven: there, plans: plans, rules: rules)
      if case .append(let bundles, _) = step {
        var gone = rules.looksForDataFiles ? try await withoutDataFiles(bundles) : []
        let known = bundles.map(\.id).filter(present.contains)
        if look == .refuse, let first = known.first { throw unclearRun(plan.run, first, catalog.table) }
        gone.formUnion(known)
        if !gone.isEmpty {
          step = commitStep(plan, markers: markers, proven: there, plans: plans, gone: gone, rules: rules)
        }
      }
      switch step {
      case .committed(let marker):
        if let table { try await catalog.settle(table) }
        return try await readBack(plan, marker, table)
      case .nothing(let bundles, let leftOut):
        return try await write(plan, bundles: bundles, leftOut: leftOut, marker: nil, table)
      case .append(let bundles, let leftOut):
        let files = bundles.flatMap { bundle in bundle.dataFiles.map { $0.appended(bundle) } }
        let settled = markers.keys.filter {
          index.runs.contains($0) && table?.property(CommitMarker.prefix + $0) != nil
        }
        stepPoint("commit.before")
        await pause("commit.before")
        let answer = try await writer.append(
          files, run: plan.run, leftOut: leftOut, settled: settled.sorted(), on: table)
        stepPoint("commit.after")
        switch answer {
        case .committed: continue
        case .conflict(let words):
          last = words
          lastWasUnknown = false
        case .unknown(let words):
          last = words
          lastWasUnknown = true
        }
      }
    }
    throw Failure(
      lastWasUnknown ? "commit.unknown" : "commit.conflict",
      "The run \(plan.run) could not be committed to \(catalog.table) in \(attempts) tries.",
      remedy: "Nothing was deleted, and nothing is lost: the next harvest takes it up again.", words: last)
  }

  /// Bundles of the plan of which this very state of the table holds a row. An append of the others on top of it, and on nothing else, brings
  /// none twice.
  private func bundlesWithRows(_ plan: Plan, _ table: LoadedTable?) async throws(Failure) -> Set<String> {
    guard let table, table.currentSnapshot != nil else { return [] }
    let counts = try await batchCounts(duckdb, metadata: catalog.metadataURL(of: table))
    return Set(plan.bundles.filter { $0.batches.contains { counts[$0.id] != nil } }.map(\.id))
  }

  /// Bundles of which a data file is not in the store as the plan names it.
  func withoutDataFiles(_ bundles: [StagedBundle]) async throws(Failure) -> Set<String> {
    let isThere = try await runs.store.holds(bundles)
    return Set(zip(bundles, isThere).filter { !$0.1 }.map(\.0.id))
  }

  /// Reads the run's snapshot back and finds every data file of the plan in it, with its rows, and in the store, with its size.
  private func readBack(_ plan: Plan, _ marker: CommitMarker, _ table: LoadedTable?) async throws(Failure)
    -> Proof
  {
    stepPoint("readback.before")
    let bundles = plan.bundles.filter { !marker.leftOut.contains($0.id) }
    // A snapshot that was rolled back is in the metadata still, and its rows are not in the table.
    guard let table, let snapshot = table.snapshot(marker.snapshot), table.isInHistory(snapshot) else {
      return try await countRows(plan, bundles, marker, table)
    }
    let files = Dictionary(
      try await writer.files(of: snapshot, addedBy: snapshot.id).map { ($0.url, $0) },
      uniquingKeysWith: { first, _ in first })
    let named = bundles.filter { bundle in
      bundle.dataFiles.allSatisfy { files[$0.url]?.rows == $0.rows && files[$0.url]?.size == $0.size }
    }
    let found = zip(named, try await runs.store.holds(named)).filter(\.1).map(\.0)
    return try await write(plan, bundles: found, leftOut: marker.leftOut, marker: marker, table)
  }

  /// The snapshot is gone (compacted, expired): what counts then is how many rows of each batch the table holds now.
  private func countRows(
    _ plan: Plan, _ bundles: [StagedBundle], _ marker: CommitMarker, _ table: LoadedTable?
  ) async throws(Failure) -> Proof {
    guard let table else {
      throw Failure(
        "table.unreadable", "The table \(catalog.table) is gone, and the run \(plan.run) was committed to it."
      )
    }
    let counts = try await batchCounts(duckdb, metadata: catalog.metadataURL(of: table))
    let found = bundles.filter { bundle in bundle.batches.allSatisfy { $0.rows == counts[$0.id]?.rows ?? 0 } }
    return try await write(plan, bundles: found, leftOut: marker.leftOut, marker: marker, table)
  }

  /// Writes the proof of what was found. A proof that exists is never rewritten: it is the one that holds.
  private func write(
    _ plan: Plan, bundles: [StagedBundle], leftOut: [String], marker: CommitMarker?, _ table: LoadedTable?
  ) async throws(Failure) -> Proof {
    var batches: [ProvenBatch] = []
    for bundle in bundles {
      for facts in bundle.batches {
        batches.append(
          ProvenBatch(
            facts: facts, node: bundle.node, bundle: bundle.id, run: plan.run,
            snapshot: facts.rows > 0 ? marker?.snapshot : nil,
            sequence: facts.rows > 0 ? marker?.sequence : nil))
      }
    }
    // Not the time of this machine: whoever finishes the run as well writes the same bytes, which matters where a store does not tell them apart.
    let committed = marker.flatMap { table?.snapshot($0.snapshot)?.time }
    let proof = Proof(
      run: plan.run, writtenAt: (committed ?? clock.now()).description, table: catalog.table,
      tableUUID: table?.uuid ?? "",
      snapshot: marker?.snapshot, sequence: marker?.sequence, batches: batches,
      dataFiles: bundles.flatMap { $0.dataFiles.map(\.url) }, leftOut: leftOut)
    stepPoint("proof.before")
    let written = try await runs.store.putIfAbsent(encodeJSON(proof), at: RunKeys.proof(plan.run))
    stepPoint("proof.after")
    try await runs.close(plan.run, rules: rules)
    stepPoint("proof.closed")
    if written { return proof }
    guard let there = try await runs.proof(plan.run) else {
      throw Failure(
        "proof.broken", "The proof of run \(plan.run) is there and can't be read.", remedy: recoverRemedy)
    }
    return there.proof
  }
}

/// The table's word for a run of which the store knows nothing: what it brought can't be told from what is still to come.
func lostRun(_ run: String, _ table: String) -> Failure {
  Failure(
    "run.lost",
    "The table \(table) says that the run \(run) is committed, and the store has neither its plan nor its proof.",
    remedy:
      "Nothing is committed meanwhile, since what that run brought could come a second time. 'gadwall recover' says what can be brought back."
  )
}

func unclearRun(_ run: String, _ bundle: String, _ table: String) -> Failure {
  Failure(
    "run.unclear",
    "The run \(run) has a plan and no proof, and the table \(table) holds rows of its bundle \(bundle.prefix(12)), which nothing says how they came there.",
    remedy:
      "Objects under runs/ were lost, or brought back from an older backup. Nothing is committed meanwhile; 'gadwall recover' writes the proof again."
  )
}

extension ObjectStore {
  /// Of each bundle, whether all of its data files are there; some at a time.
  func holds(_ bundles: [StagedBundle]) async throws(Failure) -> [Bool] {
    try await inParallel(16, bundles) { bundle throws(Failure) in try await holds(bundle.dataFiles) }
  }

  /// Whether every one of these data files is there, with its size.
  func holds(_ files: [DataFile]) async throws(Failure) -> Bool {
    for file in files {
      guard let key = key(of: file.url), try await stat(key)?.size == file.size else { return false }
    }
    return true
  }
}

/// Rows of each batch in the table as it is now.
struct BatchCount: Sendable, Equatable {
  var rows: Int64
  var malformed: Int64
}

/// Counts the rows of every batch by reading the table itself.
func batchCounts(_ duckdb: DuckDB, metadata: String) async throws(Failure) -> [String: BatchCount] {
  try await batchCounts(duckdb, in: "iceberg_scan(\(metadata))")
}

/// - Parameter relation: what a FROM takes, with the table's columns.
func batchCounts(_ duckdb: DuckDB, in relation: SQL) async throws(Failure) -> [String: BatchCount] {
  let rows = try await duckdb.run(
    [batchCountsStatement(relation)],
    DuckDB.Settings(memory: .gibibytes(1), load: ["avro", "iceberg"], deadline: .after(seconds: 1800)))
  var counts: [String: BatchCount] = [:]
  for row in rows.first ?? [] {
    guard let batch = row["batch"]?.string else { continue }
    counts[batch] = BatchCount(rows: row["rows"]?.integer ?? 0, malformed: row["malformed"]?.integer ?? 0)
  }
  return counts
}

func batchCountsStatement(_ relation: SQL) -> SQL {
  """
  SELECT batch, count(*) AS rows, count(malformed) AS malformed FROM \(relation) GROUP BY batch
  """
}
