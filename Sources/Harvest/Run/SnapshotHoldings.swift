public import Iceberg
public import Logs
public import ObjectStorage
public import Support

/// What a state of the table holds, as far as plans and proofs say it: a query leaves these batches' files out, since it reads their rows there.
public struct SnapshotHoldings: Sendable {
  /// The sequence number of the state's snapshot; 0 for a table without one.
  public var sequence: Int64 = 0
  /// Ids of the batches that it holds, by the key of their node.
  public var batches: [String: Set<String>] = [:]

  /// Of no table.
  public init() {}

  public func batches(of node: Node) -> Set<String> { batches[node.key] ?? [] }
}

extension SnapshotHoldings {
  /// Reads plans and proofs for it: one listing, and one read for each run that the index has not.
  ///
  /// - Parameter table: a state that was loaded before this is called: what was proven since is in a later one.
  /// - Throws: `run.lost` for a run that the table names and the store does not know: what of it is still on the nodes nobody can tell.
  public init(of table: LoadedTable?, named name: String, in store: any ObjectStore) async throws(Failure) {
    guard let table, let snapshot = table.currentSnapshot else { return }
    sequence = snapshot.sequence
    let runs = RunStore(store: store)
    let proven = try await runs.proven()
    for batch in proven.batches.values where (batch.sequence ?? 0) <= sequence {
      batches[batch.node.key, default: []].insert(batch.facts.id)
    }
    // Committed, and not proven yet.
    for (run, marker) in table.committedRuns
    where !proven.runs.contains(run) && table.snapshot(marker.snapshot).map(table.isInHistory) ?? false {
      guard let plan = try await runs.plan(run) else { throw lostRun(run, name) }
      for bundle in plan.bundles where !marker.leftOut.contains(bundle.id) {
        batches[bundle.node.key, default: []].formUnion(bundle.batches.map(\.id))
      }
    }
  }
}
