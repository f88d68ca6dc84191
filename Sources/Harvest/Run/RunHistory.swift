import Logs
public import ObjectStorage
public import Support

/// What is known of one run by the objects that it left.
public struct RunRecord: Sendable, Codable {
  public enum State: String, Sendable, Codable {
    /// It ended, and its summary says how.
    case ended
    /// It has a plan and no proof: it is going on, or was cut off and will be finished by the next harvest.
    case open
    /// It has no summary: it is going on, or was cut off.
    case cut
  }

  public var run: String
  public var state: State
  public var hasPlan: Bool
  public var hasProof: Bool
  /// Nodes that left a stage report, by their keys.
  public var staged: [String]
  public var pruned: [String]
  public var summary: HarvestSummary?
}

/// Reads the runs' objects.
public struct RunHistory: Sendable {
  let store: any ObjectStore

  public init(store: any ObjectStore) { self.store = store }

  /// All runs, oldest first; the summaries of the newest `limit` are read.
  public func list(limit: Int) async throws(Failure) -> [RunRecord] {
    var records: [String: RunRecord] = [:]
    var summaries: Set<String> = []
    for object in try await store.list("runs/") {
      let parts = object.key.split(separator: "/").map(String.init)
      guard parts.count >= 3, isRunID(parts[1]) else { continue }
      let run = parts[1]
      var record =
        records[run]
        ?? RunRecord(run: run, state: .cut, hasPlan: false, hasProof: false, staged: [], pruned: [])
      switch parts[2] {
      case "plan.json": record.hasPlan = true
      case "proof.json": record.hasProof = true
      case "summary.json": summaries.insert(run)
      case "staged" where object.key.hasSuffix(".ndjson"): record.staged.append(nodeKey(parts.last ?? ""))
      case "pruned" where object.key.hasSuffix(".ndjson"): record.pruned.append(nodeKey(parts.last ?? ""))
      default: break
      }
      records[run] = record
    }
    var result = records.values.sorted { $0.run < $1.run }
    for index in result.indices {
      let run = result[index].run
      if result[index].hasPlan, !result[index].hasProof {
        result[index].state = .open
      } else if summaries.contains(run) {
        result[index].state = .ended
      }
      if index >= result.count - limit, summaries.contains(run) {
        result[index].summary = try await summary(run)
      }
    }
    return result
  }

  /// One run, by the beginning of its id.
  public func run(_ prefix: String) async throws(Failure) -> RunRecord {
    let found = try await list(limit: 0).filter { $0.run.hasPrefix(prefix) }
    guard var record = found.first, found.count == 1, !prefix.isEmpty else {
      throw Failure(
        found.isEmpty ? "run.unknown" : "run.ambiguous",
        found.isEmpty
          ? "No run's id begins with '\(printable(prefix))'."
          : "\(found.count) runs begin with '\(printable(prefix))'.",
        remedy: "'gadwall runs' lists them.")
    }
    record.summary = try await summary(record.run)
    return record
  }

  private func summary(_ run: String) async throws(Failure) -> HarvestSummary? {
    guard let bytes = try await store.get(RunKeys.summary(run), limit: .mebibytes(512)) else { return nil }
    return try decodeJSON(
      HarvestSummary.self, from: bytes, code: "run.broken", document: "The summary of run \(run)")
  }

  /// `Region-Zone-Node-12345678` of `Region-Zone-Node-12345678-TRY.ndjson`.
  private func nodeKey(_ name: String) -> String {
    name.split(separator: "-").dropLast().joined(separator: "-")
  }
}
