import DuckDB
import Files
import Iceberg
import Logs
import ObjectStorage
import Support

/// What the table's current snapshot holds: its data files, as far as they are in the store, and the rows of each batch.
struct TableState {
  /// Nil when there is no table.
  var table: LoadedTable?
  var counts: [String: BatchCount] = [:]
  var files: [LiveFile] = []
  /// Those that are not in the store as the table names them: their rows are in no count.
  var missing: [LiveFile] = []

  /// Reads all manifests of the current snapshot, and two columns of the table.
  static func read(
    _ table: LoadedTable?, _ duckdb: DuckDB, _ store: any ObjectStore, _ catalog: any Catalog, scratch: String
  ) async throws(Failure) -> TableState {
    var state = TableState(table: table)
    guard let table, let snapshot = table.currentSnapshot else { return state }
    let writer = TableWriter(duckdb: duckdb, store: store, catalog: catalog, scratch: scratch, clock: .system)
    state.files = try await writer.files(of: snapshot)
    for file in state.files {
      guard let key = store.key(of: file.url), try await store.stat(key)?.size == file.size else {
        state.missing.append(file)
        continue
      }
    }
    // One file that is gone would keep DuckDB from reading any: the others are counted without the table then.
    if state.missing.isEmpty {
      state.counts = try await batchCounts(duckdb, metadata: catalog.metadataURL(of: table))
    } else {
      let there = state.files.map(\.url).filter { url in !state.missing.contains { $0.url == url } }
      if !there.isEmpty { state.counts = try await batchCounts(duckdb, in: "read_parquet(\(there))") }
    }
    return state
  }

  func rows(_ batch: String) -> Int64 { counts[batch]?.rows ?? 0 }

  /// Whether the table holds just the rows that the batch has.
  func holds(_ facts: BatchFacts) -> Bool {
    let count = counts[facts.id] ?? BatchCount(rows: 0, malformed: 0)
    return count.rows == facts.rows && count.malformed == facts.malformed
  }

  /// Why rows that were proven are no longer there.
  enum Fate {
    /// Somebody's later snapshot took them out: we never do.
    case removed
    /// The table has no memory of the commit that brought them: it was set back to an older state.
    case forgotten
    /// Nobody is known to have deleted any.
    case missing
  }

  /// - Parameter others: snapshots by the sequence numbers of proven batches whose rows are there (``snapshotsBySequence(_:)``).
  func fate(of batch: ProvenBatch, others: [Int64: Set<Int64>]) -> Fate {
    guard let table else { return .forgotten }
    let sequence = batch.sequence ?? 0
    if sequence > table.lastSequence { return .forgotten }
    if let id = batch.snapshot {
      if let own = table.snapshot(id) {
        if !table.isInHistory(own) { return .forgotten }
      } else if table.snapshots.contains(where: { $0.sequence == sequence })
        || others[sequence]?.contains(where: { $0 != id }) ?? false
      {
        // A number is given once, unless the table went back to before it.
        return .forgotten
      }
    }
    // We never take a data file out of the table: one that no manifest names any more, somebody else took out.
    let isNamed = files.contains { baseName($0.url).hasPrefix(batch.bundle.prefix(24) + "-") }
    return table.hasRemovals || !isNamed ? .removed : .missing
  }

  /// Snapshots by the sequence numbers of their commits, of the batches whose rows are there.
  func snapshotsBySequence(_ batches: some Sequence<ProvenBatch>) -> [Int64: Set<Int64>] {
    var snapshots: [Int64: Set<Int64>] = [:]
    for batch in batches where rows(batch.facts.id) > 0 {
      if let sequence = batch.sequence, let snapshot = batch.snapshot {
        snapshots[sequence, default: []].insert(snapshot)
      }
    }
    return snapshots
  }
}
