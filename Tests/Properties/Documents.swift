import Files
import Iceberg
import Logs
import Support

@testable import Harvest

extension Property {
  /// Documents that come out of the store or from a node: what is read is read the same when it is written again.
  static let documents: [Property] = [
    document("stage-report", seeds: { [Sample.report.encoded(), Sample.emptyReport.encoded()] }) {
      try StageReport(parsing: $0, name: "R").encoded()
    },
    document("prune-report", seeds: { [encodeJSON(Sample.pruneReport)] }) { try again(PruneReport.self, $0) },
    document("plan", seeds: { [encodeJSON(Sample.plan)] }) { try again(Plan.self, $0) },
    document("proof", seeds: { [encodeJSON(Sample.proof)] }) { try again(Proof.self, $0) },
    document("task", seeds: { [encodeJSON(Sample.task)] }) { try again(TaskDocument.self, $0) },
    document(
      "run-index",
      seeds: {
        [encodeJSON(RunIndex(through: "q", runs: ["r"], nodes: [Sample.node], days: ["2026-11-23": "k"]))]
      }
    ) {
      try again(RunIndex.self, $0)
    },
    document("indexed-day", seeds: { [encodeJSON(IndexedDay(batches: Sample.proof.batches))] }) {
      try again(IndexedDay.self, $0)
    },
  ]

  /// Whatever nodes report, what a run commits is free of contradictions, of doubles and of what is proven, and all of it is accounted for.
  static let choice = Property(
    "choice", .json, words: documentWords,
    seeds: { [Sample.report.encoded(), Sample.doubledReport.encoded()] },
    check: { bytes in
      guard let report = try read({ try StageReport(parsing: bytes, name: "R") }) else { return }
      var random = SeededRandom(of: bytes)
      let ids = report.bundles.flatMap { $0.batches.map(\.id) }
      let proven = Set(ids.filter { _ in random.below(4) == 0 })
      let (chosen, refused) = chooseBundles(report.bundles, proven: proven, dataPath: Sample.dataPath)
      try hold(chosen.count + refused.count <= report.bundles.count, "more bundles than were reported")
      let batches = chosen.flatMap { $0.batches.map(\.id) }
      try hold(Set(batches).count == batches.count, "a batch is committed twice")
      try hold(proven.isDisjoint(with: batches), "a proven batch is committed")
      for bundle in chosen {
        try hold(contradiction(in: bundle, dataPath: Sample.dataPath) == nil, "a contradiction is committed")
        try hold(bundle.batches.allSatisfy { $0.lines == $0.rows + $0.blank }, "lines are not conserved")
        for file in bundle.dataFiles { try checkManifestRow(file.appended(bundle)) }
      }
      // What the snapshot's summary says: sums over all that is committed.
      _ = chosen.reduce(0) { $0 + $1.rows }
      _ = chosen.flatMap(\.dataFiles).reduce(0) { $0 + $1.size }

      let plan = Plan(run: "new", bundles: chosen)
      let marker = CommitMarker(snapshot: 1, sequence: 1, leftOut: Array(chosen.prefix(1).map(\.id)))
      let there = Set(batches.filter { _ in random.below(3) == 0 })
      let step = commitStep(
        plan, markers: random.below(2) == 0 ? [:] : ["old": marker], proven: there, plans: ["old": plan])
      switch step {
      case .committed: try hold(false, "a run that is not in the table is taken for committed")
      case .append(let bundles, let leftOut), .nothing(let bundles, let leftOut):
        try hold(bundles.map(\.id).sorted() + leftOut.sorted() != [] || chosen.isEmpty, "bundles are lost")
        try hold(Set(bundles.map(\.id) + leftOut) == Set(chosen.map(\.id)), "bundles are lost")
        try hold(
          there.isDisjoint(with: bundles.flatMap { $0.batches.map(\.id) }),
          "a batch that is there is appended")
      }
    })

  private static func document(
    _ name: String, seeds: @escaping @Sendable () -> [[UInt8]],
    again: @escaping @Sendable ([UInt8]) throws -> [UInt8]
  ) -> Property {
    Property(name, .json, words: documentWords, seeds: seeds) { bytes in
      guard let written = try read({ try again(bytes) }) else { return }
      try hold(try again(written) == written, "what was written is not read the same")
    }
  }
}

private let documentWords = [
  "\"id\":", "\"lines\":", "\"rotated\":", "\"batches\":", "\"bundles\":", "\"kind\":\"bundle\"",
  "\"kind\":\"end\"",
  "null", "[]", "{}", "\"\"", "1.5", "true",
]

/// The value, or nil when it is refused as it should be: with a ``Failure`` that has a code of its own.
func read<Value>(_ body: () throws -> Value) throws -> Value? {
  do {
    return try body()
  } catch let failure as Failure {
    try hold(failure.code != "internal", "an error without a code: \(failure)")
    _ = failure.description
    return nil
  }
}

private func again<Value: Codable>(_ type: Value.Type, _ bytes: [UInt8]) throws -> [UInt8] {
  encodeJSON(try decodeJSON(type, from: bytes, code: "test.broken", document: "D"))
}

/// Documents as a small fleet makes them.
private enum Sample {
  static let dataPath = "file:///w/logs/events/data"
  static let node = Node(region: "us-east1", zone: "us-east1-b", name: "vm1")

  static func batch(_ stream: String, rows: Int64) -> BatchFacts {
    let digest = sha256(stream.utf8)
    var facts = BatchFacts(
      id: batchID(node: node, folder: "var/logs", stream: stream, rotated: 1_795_000_000, digest: digest),
      folder: "var/logs", file: stream + ".1", stream: stream, rotated: 1_795_000_000, digest: digest,
      bytes: 100,
      lines: rows + 1, blank: 1, malformed: min(1, rows), entries: max(0, rows - 1), urgent: 1)
    facts.firstTs = Instant(seconds: 1_794_999_000)
    facts.raw = StoredObject(key: "raw/x.json.gz", size: 50, digest: digest)
    return facts
  }

  static func bundle(_ streams: [String], rows: Int64 = 3) -> StagedBundle {
    let batches = streams.map { batch($0, rows: rows) }
    let columns = [
      "ts": ColumnStatistics(nulls: 1, values: 3, size: 20, min: "1794999000000000", max: "1795000000000000"),
      "message": ColumnStatistics(
        nulls: 0, values: 3, size: 40, min: "Auth", max: "\u{10FFFF}long, longer, longest"),
    ]
    let file = DataFile(
      url: "\(dataPath)/\(streams.joined()).parquet", size: 1000, rows: rows * Int64(streams.count),
      columns: columns)
    return StagedBundle(
      id: bundleID(batches: batches.map(\.id)), node: node, day: batches[0].day, attempt: "0123456789abcdef",
      batches: batches, dataFiles: rows == 0 ? [] : [file])
  }

  static var emptyReport: StageReport { StageReport(head: .init(run: "r", node: node, version: "1")) }

  static var report: StageReport {
    var report = emptyReport
    report.bundles = [bundle(["a.log", "b.log"]), bundle(["empty.log"], rows: 0)]
    report.passedOver = [PassedOver(file: "x", reason: .held, note: "it changed", bytes: 3, rotated: 5)]
    report.failures = ["no room"]
    report.urgentRows = [["message": "Auth [SECURITY] x", "line": 1]]
    report.planned = [PlannedFile(file: "f", bundle: 0, bytes: 1, rotated: 2)]
    report.known = ["k"]
    return report
  }

  static var doubledReport: StageReport {
    var report = emptyReport
    report.bundles = [bundle(["a.log"]), bundle(["a.log"]), bundle(["a.log", "c.log"])]
    return report
  }

  static var pruneReport: PruneReport {
    var report = PruneReport(run: "r", node: node)
    report.pruned = ["b1"]
    report.kept = [.init(batch: "b2", file: "f", reason: "it is open")]
    report.returned = ["f2"]
    return report
  }

  static var plan: Plan { Plan(run: "r", bundles: report.bundles) }

  static var proof: Proof {
    Proof(
      run: "r", writtenAt: "2026-11-23T14:00:00Z", table: "logs.events", tableUUID: "u", snapshot: 7,
      sequence: 1,
      batches: [ProvenBatch(facts: batch("a.log", rows: 3), node: node, bundle: "b", run: "r", sequence: 1)],
      dataFiles: ["\(dataPath)/a.parquet"], leftOut: ["l"])
  }

  static var task: TaskDocument {
    var part = TaskDocument.NodePart()
    part.adopt = proof.batches
    part.proofs = [ObjectReference(key: "runs/r/proof.json", digest: "d")]
    return TaskDocument(
      run: "r", task: "stage", seconds: 600, logs: .init(live: ["a/*.log"], rotated: ["b/*"], settle: 60),
      urgent: .init(condition: "category = 'SECURITY'", show: 100), keep: 0, dataPath: dataPath,
      nodes: [node.key: part])
  }
}
