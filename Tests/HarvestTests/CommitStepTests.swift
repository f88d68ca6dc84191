import Files
import Iceberg
import Logs
import Support
import Testing

@testable import Harvest

@Suite struct CommitStepTests {
  static let node = Node(region: "r", zone: "z", name: "n")

  static func batch(_ name: String, rows: Int64 = 2) -> BatchFacts {
    let digest = sha256(name.utf8)
    let id = batchID(node: node, folder: "logs", stream: name, rotated: 1_795_000_000, digest: digest)
    return BatchFacts(
      id: id, folder: "logs", file: name, stream: name, rotated: 1_795_000_000, digest: digest, bytes: 10,
      lines: rows, blank: 0,
      malformed: 0, entries: rows)
  }

  static func bundle(_ names: [String], rows: Int64 = 2) -> StagedBundle {
    let batches = names.map { batch($0, rows: rows) }
    let total = batches.reduce(0) { $0 + $1.rows }
    let files =
      total == 0
      ? [] : [DataFile(url: "file:///t/data/\(names.joined()).parquet", size: 1, rows: total, columns: [:])]
    return StagedBundle(
      id: bundleID(batches: batches.map(\.id)), node: node, day: batches[0].day, attempt: "a",
      batches: batches, dataFiles: files)
  }

  static func plan(_ run: String, _ bundles: [StagedBundle]) -> Plan { Plan(run: run, bundles: bundles) }

  @Test func aFreshPlanIsAppendedWhole() {
    let plan = Self.plan("one", [Self.bundle(["a"]), Self.bundle(["b"])])
    #expect(
      commitStep(plan, markers: [:], proven: [], plans: [:]) == .append(bundles: plan.bundles, leftOut: []))
  }

  @Test func aPlanWhoseMarkerIsThereIsNeverAppendedAgain() {
    let marker = CommitMarker(snapshot: 7, sequence: 1, leftOut: [])
    let plan = Self.plan("one", [Self.bundle(["a"])])
    #expect(commitStep(plan, markers: ["one": marker], proven: [], plans: [:]) == .committed(marker))
  }

  @Test func whatAProofNamesIsLeftOut() {
    let there = Self.bundle(["a"])
    let wanted = Self.bundle(["b"])
    let step = commitStep(
      Self.plan("one", [there, wanted]), markers: [:], proven: [there.batches[0].id], plans: [:])
    #expect(step == .append(bundles: [wanted], leftOut: [there.id]))
  }

  @Test func aBundleThatIsPartlyThereIsLeftOutWhole() {
    let bundle = Self.bundle(["a", "b"])
    let step = commitStep(Self.plan("one", [bundle]), markers: [:], proven: [Self.batch("b").id], plans: [:])
    #expect(step == .nothing(bundles: [], leftOut: [bundle.id]))
  }

  @Test func whatAnotherRunHasCommittedAndNotProvenIsLeftOut() {
    let bundle = Self.bundle(["a"])
    let other = Self.plan("other", [bundle])
    let marker = CommitMarker(snapshot: 7, sequence: 1, leftOut: [])
    let step = commitStep(
      Self.plan("one", [bundle]), markers: ["other": marker], proven: [], plans: ["other": other])
    #expect(step == .nothing(bundles: [], leftOut: [bundle.id]))
  }

  /// Without the rule the bundle is taken for there, and its lines never come into the table.
  @Test(arguments: [true, false]) func whatAnotherRunsCommitLeftOutIsNotTakenForThere(_ rule: Bool) {
    let bundle = Self.bundle(["a"])
    let other = Self.plan("other", [bundle])
    let marker = CommitMarker(snapshot: 7, sequence: 1, leftOut: [bundle.id])
    var rules = ProtocolRules()
    rules.believesWhatWasLeftOut = rule
    let step = commitStep(
      Self.plan("one", [bundle]), markers: ["other": marker], proven: [], plans: ["other": other],
      rules: rules)
    #expect(
      step == (rule ? .append(bundles: [bundle], leftOut: []) : .nothing(bundles: [], leftOut: [bundle.id])))
  }

  @Test func batchesWithoutRowsNeedNoSnapshot() {
    let empty = Self.bundle(["a"], rows: 0)
    #expect(
      commitStep(Self.plan("one", [empty]), markers: [:], proven: [], plans: [:])
        == .nothing(bundles: [empty], leftOut: []))
  }

  // MARK: which bundles

  @Test func aBundleThatIsReportedTwiceIsTakenOnce() {
    let bundle = Self.bundle(["a"])
    let chosen = chooseBundles([bundle, bundle], proven: [], dataPath: "file:///t/data")
    #expect(chosen.bundles == [bundle])
    #expect(chosen.refused.isEmpty)
  }

  @Test func ofTwoBundlesThatShareABatchOneIsTaken() {
    let one = Self.bundle(["a", "b"])
    let two = Self.bundle(["b", "c"])
    let chosen = chooseBundles([one, two], proven: [], dataPath: "file:///t/data")
    #expect(chosen.bundles == [one])
    #expect(chosen.refused.map(\.bundle) == [two])
  }

  @Test func aBundleWithAProvenBatchIsNotTaken() {
    let bundle = Self.bundle(["a", "b"])
    #expect(chooseBundles([bundle], proven: [Self.batch("a").id], dataPath: "file:///t/data").bundles.isEmpty)
  }

  enum Lie: CaseIterable { case lines, rows, day, id, batch, elsewhere }

  @Test(arguments: Lie.allCases) func aReportThatContradictsItselfIsRefused(_ lie: Lie) {
    var bundle = Self.bundle(["a"])
    switch lie {
    case .lines: bundle.batches[0].lines += 1
    case .rows: bundle.dataFiles[0].rows += 1
    case .day: bundle.day += 1
    case .id: bundle.id = String(bundle.id.reversed())
    case .batch: bundle.batches[0].digest = sha256([])
    case .elsewhere: bundle.dataFiles[0].url = "file:///elsewhere/x.parquet"
    }
    let chosen = chooseBundles([bundle], proven: [], dataPath: "file:///t/data")
    #expect(chosen.bundles.isEmpty)
    #expect(chosen.refused.count == 1)
  }
}
