import Files
import Fleet
import Logs
import ObjectStorage
import Support

/// The control machine's view of `runs/` in the store.
struct RunStore {
  let store: any ObjectStore
  /// What was read by this view: of objects that never change once they are there.
  let known = KnownProofs()

  init(store: any ObjectStore) { self.store = store }

  func plan(_ run: String) async throws(Failure) -> Plan? {
    guard let bytes = try await store.get(RunKeys.plan(run), limit: .mebibytes(512)) else { return nil }
    return try decodeJSON(
      Plan.self, from: bytes, code: "plan.broken", document: "The plan of run \(run)", remedy: recoverRemedy)
  }

  /// Writes the plan of a run of this process. Once: a run's plan never changes.
  func write(_ plan: Plan) async throws(Failure) {
    guard try await store.putIfAbsent(encodeJSON(plan), at: RunKeys.plan(plan.run)) else {
      throw Failure(
        "plan.exists", "The plan of run \(plan.run) is there already, and it is ours alone to write.")
    }
  }

  func proof(_ run: String) async throws(Failure) -> (proof: Proof, reference: ObjectReference)? {
    let key = RunKeys.proof(run)
    guard let bytes = try await store.get(key, limit: .mebibytes(512)) else { return nil }
    let proof = try decodeJSON(
      Proof.self, from: bytes, code: "proof.broken", document: "The proof of run \(run)",
      remedy: recoverRemedy)
    return (proof, ObjectReference(key: key, digest: sha256(bytes)))
  }

  /// Runs that have an entry under `runs/open/`.
  func openRuns() async throws(Failure) -> [String] {
    try await store.list(RunKeys.open).map { String($0.key.dropFirst(RunKeys.open.count)) }.filter(isRunID)
  }

  /// The whole reports that the node wrote for a stage of this run.
  func stageReports(_ run: String, _ node: Node) async throws(Failure) -> [StageReport] {
    var reports: [StageReport] = []
    for object in try await store.list("\(RunKeys.staged(run))\(node.key)-")
    where object.key.hasSuffix(".ndjson") {
      guard let bytes = try await store.get(object.key, limit: .mebibytes(512)) else { continue }
      let report = try StageReport(parsing: bytes, name: object.key)
      guard report.head.node == node else {
        throw Failure(
          "report.foreign", "The report \(object.key) is signed by \(report.head.node), not by \(node).")
      }
      reports.append(report)
    }
    return reports
  }

  func pruneReports(_ run: String) async throws(Failure) -> [PruneReport] {
    let keys = try await store.list(RunKeys.pruned(run)).map(\.key).filter { $0.hasSuffix(".ndjson") }
    let store = store
    return try await inParallel(8, keys) { key throws(Failure) -> PruneReport? in
      guard let bytes = try await store.get(key, limit: .mebibytes(64)) else { return nil }
      return try decodeJSON(
        PruneReport.self, from: bytes, code: "report.broken", document: "The report \(key)",
        remedy: recoverRemedy)
    }.compactMap { $0 }
  }
}

/// What to do about an object under `runs/` that can't be read.
let recoverRemedy = "'gadwall recover' says what can be done; it keeps the object's bytes."
