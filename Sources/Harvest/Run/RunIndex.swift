import Files
import Fleet
import Logs
import ObjectStorage
import Support
import Synchronization

/// Of all runs that are settled, what every harvest wants to know of them, so that a year of hourly runs is one small object and not 8,760. The
/// proven batches are in an object for each day of rotation, of which a harvest reads the days that its bundles are of.
///
/// A cache: the proofs stay, and are what counts. One that is missing, old or broken costs time and nothing else. Two machines that write it at
/// once do no harm: either's is true, and one that names a day's object which the other has removed is written anew.
struct RunIndex: Codable, Sendable {
  static let key = "runs/index.json.gz"
  static let days = "runs/index/"
  var format = 2
  /// No run with an id up to this one will get a proof that is not in here: only later ones are listed.
  var through = ""
  var runs: [String] = []
  /// Those that ever had a proven batch.
  var nodes: [Node] = []
  /// The key of the object with the day's batches, by day of rotation, `2026-11-23`.
  var days: [String: String] = [:]
}

/// The proven batches of one day of rotation, in an object that is written once, under a name of its own.
struct IndexedDay: Codable, Sendable {
  var batches: [ProvenBatch]
}

/// Which batches have to be known.
enum ProvenReach {
  case all
  /// Those of these days of rotation, in days since 1970, and all of the runs that are not in the index yet.
  case days(Set<Int32>)

  static let runs = ProvenReach.days([])
  static func of(_ bundles: [StagedBundle]) -> ProvenReach {
    .days(Set(bundles.flatMap(\.batches).map(\.day)))
  }
}

/// Which batches are proven, and by which run's proof.
struct ProvenIndex: Sendable {
  /// As far as they were asked for.
  var batches: [String: ProvenBatch] = [:]
  var runs: Set<String> = []
  var nodes: Set<Node> = []
  /// Proofs that are not in the index yet.
  var recent: [Proof] = []
  /// What the others are known by.
  var index = RunIndex()

  mutating func add(_ proof: Proof) {
    runs.insert(proof.run)
    for batch in proof.batches { add(batch) }
  }

  mutating func add(_ batch: ProvenBatch) {
    batches[batch.facts.id] = batch
    nodes.insert(batch.node)
  }
}

/// Proofs and days that were read already. They never change once they are there.
final class KnownProofs: Sendable {
  private struct State {
    var proofs: [String: Proof] = [:]
    var days: [String: [ProvenBatch]] = [:]
  }
  private let state = Mutex(State())

  func proof(_ run: String) -> Proof? { state.withLock { $0.proofs[run] } }
  func keep(_ proof: Proof) { state.withLock { $0.proofs[proof.run] = proof } }
  func day(_ key: String) -> [ProvenBatch]? { state.withLock { $0.days[key] } }
  func keep(_ batches: [ProvenBatch], _ key: String) { state.withLock { $0.days[key] = batches } }
}

extension RunStore {
  /// What is proven: by the index, and by the proofs that are not in it.
  ///
  /// One listing of the runs since the index was written, and one read for each of their proofs and for each day that was not read before.
  func proven(_ reach: ProvenReach = .all) async throws(Failure) -> ProvenIndex {
    if let index = try await index(), let proven = try await folded(reach, index) {
      return try await recent(beside: proven)
    }
    return try await recent(beside: ProvenIndex())
  }

  /// What the index alone says: also of proofs that are gone.
  func indexed() async throws(Failure) -> ProvenIndex {
    guard let index = try await index() else { return ProvenIndex() }
    return try await folded(.all, index) ?? ProvenIndex()
  }

  /// Nil when a day's object is gone or broken.
  private func folded(_ reach: ProvenReach, _ index: RunIndex) async throws(Failure) -> ProvenIndex? {
    var proven = ProvenIndex(runs: Set(index.runs), nodes: Set(index.nodes), index: index)
    for (day, key) in index.days {
      if case .days(let wanted) = reach, !wanted.contains(where: { dayText($0) == day }) { continue }
      guard let batches = try await batches(key) else { return nil }
      for batch in batches { proven.add(batch) }
    }
    return proven
  }

  private func recent(beside proven: ProvenIndex) async throws(Failure) -> ProvenIndex {
    var proven = proven
    for run in try await provenRuns(after: proven.index.through) where !proven.runs.contains(run) {
      guard let proof = try await knownProof(run) else { continue }
      proven.add(proof)
      proven.recent.append(proof)
    }
    return proven
  }

  /// Runs with a proof, in the order of their ids.
  func provenRuns(after run: String = "") async throws(Failure) -> [String] {
    let start = run.isEmpty ? "" : RunKeys.folder(run) + "~"
    return try await store.list("runs/", after: start).compactMap { object in
      let parts = object.key.split(separator: "/")
      return parts.count == 3 && parts[2] == "proof.json" && isRunID(parts[1]) ? String(parts[1]) : nil
    }
  }

  private func knownProof(_ run: String) async throws(Failure) -> Proof? {
    if let known = known.proof(run) { return known }
    guard let proof = try await proof(run)?.proof else { return nil }
    known.keep(proof)
    return proof
  }

  private func batches(_ key: String) async throws(Failure) -> [ProvenBatch]? {
    if let known = known.day(key) { return known }
    guard let day: IndexedDay = try await unpacked(key) else { return nil }
    known.keep(day.batches, key)
    return day.batches
  }

  /// Ends a run that has its proof: no other looks at its plan again.
  func close(_ run: String, rules: ProtocolRules = ProtocolRules()) async throws(Failure) {
    // Written when nobody could know of this run any more: one that slept for a day, or whose clock was wrong. Without the index its proof is seen.
    if rules.dropsAnIndexThatHidesAProof, let index = try await index(), index.through >= run,
      !index.runs.contains(run)
    {
      try await store.delete(RunIndex.key)
    }
    try await store.delete(RunKeys.open(run))
  }

  /// Nil when there is none that can be read.
  func index() async throws(Failure) -> RunIndex? {
    let index: RunIndex? = try await unpacked(RunIndex.key)
    return index?.format == RunIndex().format ? index : nil
  }

  private func unpacked<Document: Decodable>(_ key: String) async throws(Failure) -> Document? {
    guard let bytes = try await store.get(key, limit: .mebibytes(512)),
      let text = try? gunzip(bytes, limit: .gibibytes(2))
    else { return nil }
    return try? decodeJSON(Document.self, from: text, code: "index.broken", document: key)
  }

  /// Takes what is proven into the index once so many runs are not in it.
  ///
  /// - Parameters:
  ///   - open: runs that have an entry under `runs/open/`, listed before `proven` was read. They may get a proof yet.
  ///   - now: a run that began a day ago and has no entry yet is not waited for (``close(_:)``).
  func fold(_ proven: ProvenIndex, after limit: Int, open: [String], now: Instant) async throws(Failure) {
    guard proven.recent.count >= limit else { return }
    var index = proven.index
    let recent = proven.recent.flatMap(\.batches)
    for (day, batches) in Dictionary(grouping: recent, by: { dayText($0.facts.day) }) {
      var all = batches
      if let key = index.days[day] {
        // Without it nothing is known to be whole: the next reading finds that, too.
        guard let before = try await self.batches(key) else { return try await store.delete(RunIndex.key) }
        all += before
      }
      let object = IndexedDay(batches: all.sorted { $0.facts.id < $1.facts.id })
      let key = "\(RunIndex.days)\(day)-\(randomName()).json.gz"
      try await store.put(gzip(encodeJSON(object)), at: key)
      index.days[day] = key
    }
    index.runs = proven.runs.sorted()
    index.nodes = proven.nodes.sorted { $0.key < $1.key }
    let limit = min(runTime(Instant(seconds: now.seconds - 86_400)), open.min() ?? "~")
    index.through = max(index.through, index.runs.last { $0 < limit } ?? "")
    stepPoint("index.before")
    try await store.put(gzip(encodeJSON(index)), at: RunIndex.key)
    stepPoint("index.written")
    let named = Set(index.days.values)
    // Those of an hour ago and less may be of another machine, which is about to name them.
    for object in try await store.list(RunIndex.days)
    where !named.contains(object.key) && object.modified.seconds < now.seconds - 3600 {
      try await store.delete(object.key)
    }
  }
}
