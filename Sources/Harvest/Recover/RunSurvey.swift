import Files
import Logs
import ObjectStorage
import Support

/// All that the store says of runs, read so that one broken object hides no other.
struct RunSurvey {
  /// What is proven: by proofs, and by the index where a proof object is gone.
  var index = ProvenIndex()
  /// Runs whose proof object is there and can be read.
  var proofs: Set<String> = []
  /// Of runs without such a proof.
  var plans: [String: Plan] = [:]
  /// Objects that can't be read, with the reason.
  var broken: [(key: String, words: String)] = []
  /// The newest report of each node that has looked at its files.
  var newest: [Node: StageReport] = [:]
  /// Bundles that a node has ever reported, by their ids; the newest try of each.
  var bundles: [String: StagedBundle] = [:]
  /// Batches whose file a node has deleted.
  var pruned: Set<String> = []

  /// Reads every proof and report, and the plans that have no proof.
  static func read(_ runs: RunStore) async throws(Failure) -> RunSurvey {
    var survey = RunSurvey()
    survey.index = try await runs.indexed()
    var plans: [String] = []
    // Keys sort by the runs' times: what comes later is newer, and holds.
    for object in try await runs.store.list("runs/") {
      let parts = object.key.split(separator: "/").map(String.init)
      guard parts.count >= 3, isRunID(parts[1]) else { continue }
      switch (parts[2], parts.count) {
      case ("proof.json", 3): try await survey.takeProof(object.key, run: parts[1], runs.store)
      case ("plan.json", 3): plans.append(parts[1])
      case ("staged", 4) where object.key.hasSuffix(".ndjson"):
        try await survey.takeStaged(object.key, runs.store)
      case ("pruned", 4) where object.key.hasSuffix(".ndjson"):
        try await survey.takePruned(object.key, runs.store)
      default: break
      }
    }
    for run in plans {
      guard let plan = try await survey.decoded(Plan.self, RunKeys.plan(run), runs.store) else { continue }
      if !survey.proofs.contains(run) { survey.plans[run] = plan }
    }
    return survey
  }

  private mutating func takeProof(_ key: String, run: String, _ store: any ObjectStore) async throws(Failure)
  {
    guard let proof = try await decoded(Proof.self, key, store) else { return }
    proofs.insert(run)
    index.add(proof)
  }

  private mutating func takeStaged(_ key: String, _ store: any ObjectStore) async throws(Failure) {
    guard let bytes = try await store.get(key, limit: .mebibytes(512)) else { return }
    do throws(Failure) {
      let report = try StageReport(parsing: bytes, name: key)
      for bundle in report.bundles { bundles[bundle.id] = bundle }
      if !report.head.wantsRebuild { newest[report.head.node] = report }
    } catch {
      broken.append((key, error.words.isEmpty ? error.sentence : error.words))
    }
  }

  private mutating func takePruned(_ key: String, _ store: any ObjectStore) async throws(Failure) {
    guard let report = try await decoded(PruneReport.self, key, store) else { return }
    pruned.formUnion(report.pruned)
  }

  private mutating func decoded<Document: Decodable>(
    _ type: Document.Type, _ key: String, _ store: any ObjectStore
  ) async throws(Failure) -> Document? {
    guard let bytes = try await store.get(key, limit: .mebibytes(512)) else { return nil }
    do throws(Failure) {
      return try decodeJSON(type, from: bytes, code: "object.broken", document: key)
    } catch {
      broken.append((key, error.words))
      return nil
    }
  }

  /// Why an object under `runs/` can't be read; nil when it can, or is none that is looked at.
  static func reason(_ key: String, _ bytes: [UInt8]) -> String? {
    do throws(Failure) {
      switch (key.split(separator: "/").dropFirst(2).first, baseName(key)) {
      case (_, "proof.json"):
        _ = try decodeJSON(Proof.self, from: bytes, code: "object.broken", document: key)
      case (_, "plan.json"): _ = try decodeJSON(Plan.self, from: bytes, code: "object.broken", document: key)
      case ("staged", _): _ = try StageReport(parsing: bytes, name: key)
      case ("pruned", _):
        _ = try decodeJSON(PruneReport.self, from: bytes, code: "object.broken", document: key)
      default: break
      }
      return nil
    } catch {
      return error.words.isEmpty ? error.sentence : error.words
    }
  }

  /// Every node that a proof or report names.
  var nodes: Set<Node> {
    Set(index.batches.values.map(\.node)).union(newest.keys).union(bundles.values.map(\.node))
  }
}
