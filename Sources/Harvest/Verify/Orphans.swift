import DuckDB
import Files
import Iceberg
import Logs
import ObjectStorage
import Support

extension Verifier {
  /// Data files that a killed or repeated task of ours left: named as ours are, named by no plan and by no snapshot that the table's metadata still
  /// has, and each of whose batches is proven through another file. Nothing else is an orphan, however old it is.
  ///
  /// - Returns: them, and a run for which none may be removed now.
  func orphans(_ index: ProvenIndex, _ table: LoadedTable?) async throws(Failure) -> (
    files: [Orphan], keptFor: String?
  ) {
    guard let table, let folder = store.key(of: table.dataPath) else { return ([], nil) }
    var candidates: [ObjectInfo] = try await store.list(folder + "/").filter {
      isOurDataFile(baseName($0.key))
    }
    // The files first, then the entries of runs without a plan, then the plans. A recovery writes its entry before its first file, and names its
    // files in a plan afterwards: a file of it that was listed has such an entry now, or is named by a plan that is read below.
    var keptFor: String?
    for run in try await runs.openRuns() where try await store.stat(RunKeys.plan(run)) == nil {
      keptFor = run
    }
    var named: Set<String> = []
    for object in try await store.list("runs/") where object.key.hasSuffix("/plan.json") {
      let run = String(object.key.split(separator: "/")[1])
      for bundle in try await runs.plan(run)?.bundles ?? [] { named.formUnion(bundle.dataFiles.map(\.url)) }
    }
    let plans = Set(named.compactMap { store.key(of: $0) })
    candidates.removeAll { plans.contains($0.key) }
    guard !candidates.isEmpty else { return ([], nil) }
    let writer = TableWriter(duckdb: duckdb, store: store, catalog: catalog, scratch: scratch, clock: .system)
    let referred = Set(try await writer.filesOfAllSnapshots(table).compactMap { store.key(of: $0) })
    candidates.removeAll { referred.contains($0.key) }
    var found: [Orphan] = []
    for candidate in candidates {
      guard let batches = try? await batchCounts(duckdb, in: "read_parquet(\(store.url(of: candidate.key)))"),
        !batches.isEmpty,
        batches.keys.allSatisfy({ index.batches[$0] != nil }) || !scope.rules.sparesUnprovenOrphans
      else { continue }
      found.append(Orphan(key: candidate.key, size: candidate.size))
    }
    return (found, keptFor)
  }

  func remove(_ orphans: [Orphan], _ report: inout VerifyReport) async throws(Failure) {
    for orphan in orphans {
      try await store.delete(orphan.key)
      report.orphansRemoved += 1
    }
  }

  /// `BUNDLE24-TRY16-N.parquet`. Another writer's file, a compaction that is going on among them, never has such a name.
  private func isOurDataFile(_ name: String) -> Bool {
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    func isHex(_ text: Substring, _ count: Int) -> Bool {
      text.utf8.count == count
        && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
    return parts.count == 3 && isHex(parts[0], 24) && isHex(parts[1], 16) && parts[2].hasSuffix(".parquet")
  }
}
