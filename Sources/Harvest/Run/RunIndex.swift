import Files
import Logs
import ObjectStorage
import Support

/// All that is proven by runs that were folded into one object, so that a year of hourly runs is one read and not 8,760.
///
/// A cache: the proofs stay, and are what counts. One that is missing, old or broken costs time and nothing else.
struct RunIndex: Codable, Sendable {
  static let key = "runs/index.json.gz"
  var format = 1
  var runs: [String] = []
  var batches: [ProvenBatch] = []
}

extension RunStore {
  /// The index, or an empty one.
  func index() async throws(Failure) -> RunIndex {
    guard let bytes = try await store.get(RunIndex.key, limit: .mebibytes(512)),
      let text = try? gunzip(bytes, limit: .gibibytes(2)),
      let index = try? decodeJSON(
        RunIndex.self, from: text, code: "index.broken", document: "The index of runs"), index.format == 1
    else { return RunIndex() }
    return index
  }

  /// Folds what is proven into the index once so many runs are not in it. Two machines that do so at once do no harm: either's index is true.
  func fold(_ proven: ProvenIndex, after limit: Int) async throws(Failure) {
    guard proven.unfolded >= limit else { return }
    var index = RunIndex()
    index.runs = proven.runs.sorted()
    index.batches = proven.batches.values.sorted { $0.facts.id < $1.facts.id }
    try await store.put(gzip(encodeJSON(index)), at: RunIndex.key)
  }
}
