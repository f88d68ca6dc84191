import DuckDB
import Files
import Iceberg
import Ledger
import Logs
import ObjectStorage
import Support
import TestSupport
import Testing

@testable import Harvest

/// Files, ledgers and tasks that are not as they should be: harvested without loss, or left where they are with a reason.
@Suite(.tags(.medium)) struct OddInputTests {
  private func document(_ fleet: InProcessFleet) async throws -> TaskDocument {
    var part = TaskDocument.NodePart()
    part.isNew = true
    return TaskDocument(
      run: newRunID(at: WallClock.system.now()), task: "stage", seconds: 600, logs: fleet.request.logs,
      urgent: fleet.request.urgent, keep: 0, dataPath: try await fleet.catalog.newLocation() + "/data",
      nodes: [fleet.engine.nodes[0].key: part])
  }

  private func context(_ fleet: InProcessFleet) -> NodeContext {
    let node = fleet.engine.nodes[0]
    return NodeContext(node: node, root: fleet.engine.root(node), store: fleet.store, duckdb: fleet.duckdb)
  }

  /// Whoever reads a byte of a file takes its lease first, and a writer that has it open would be in the way.
  @Test func aStageOfWhatIsStagedReadsNoByteOfIt() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      let document = try await document(fleet)
      let first = try await StageTask(context: context(fleet), document: document).run()
      let writer = try Descriptor.append(fleet.path(0, "a.log.1"))
      let second = try await StageTask(context: context(fleet), document: document).run()
      try writer.write([])
      #expect(second.passedOver.isEmpty && second.failures.isEmpty)
      #expect(second.bundles == first.bundles && second.bundles.count == 1)
      #expect(second.totals.batches == 0 && second.totals.bytesIn == 0)
    }
  }

  /// Left over from a run that ended long ago, with a document that knows nothing of what came since.
  @Test func aTaskOfAnEarlierRunTakesNothingBack() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      let late = try await document(fleet)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      _ = try await fleet.run()
      try await fleet.write(0, "b.log.1", lines: 4, seed: 2)
      _ = try await StageTask(context: context(fleet), document: late).run()
      _ = try await PruneTask(context: context(fleet), document: late).run()
      #expect(exists(fleet.path(0, "b.log.1")))
      _ = try await fleet.run()
      _ = try await StageTask(context: context(fleet), document: late).run()
      _ = try await fleet.run()
      #expect(try await fleet.count() == 7)
      #expect(!exists(fleet.path(0, "b.log.1")))
      #expect(try await fleet.verify().findings.isEmpty)
    }
  }

  @Test func aGzipFileThatGrowsBeyondReasonIsLeftWithItsReason() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try publish(
        gzip([UInt8](repeating: 0x20, count: 8 << 20)), at: fleet.path(0, "bomb.log.1.gz"), replacing: true)
      try await untilNobodyWrites(fleet.path(0, "bomb.log.1.gz"))
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      var tight = context(fleet)
      tight.inflateLimits = InflateLimits(harmless: 1 << 20, ratio: 100)
      let report = try await StageTask(context: tight, document: try await document(fleet)).run()
      #expect(report.passedOver.map(\.file) == ["var/logs/raw_logs/bomb.log.1.gz"])
      #expect(report.passedOver.map(\.isGap) == [true])
      #expect(report.bundles.flatMap(\.batches).map(\.file) == ["a.log.1"])
      // What is only large, and no bomb, is read.
      let summary = try await fleet.run()
      #expect(summary.isComplete && summary.proven.contains { $0.facts.file == "bomb.log.1.gz" })
    }
  }

  @Test func aLedgerOfANewerVersionIsRefused() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      let path = context(fleet).ledgerPath
      do { _ = try Ledger.open(path, node: fleet.engine.nodes[0]) }
      _ = try await python(
        "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('PRAGMA user_version = 99')", [path])
      let summary = try await fleet.run()
      #expect(summary.nodes[0].failure?.contains("ledger.newer") == true)
      #expect(exists(fleet.path(0, "a.log.1")))
    }
  }

  @Test func aDamagedLedgerStopsTheNodeAndMovedAwayItIsMadeAnew() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      _ = try await fleet.run()
      try await fleet.write(0, "b.log.1", lines: 4, seed: 2)
      let path = context(fleet).ledgerPath
      try publish([UInt8](repeating: 0x41, count: 8192), at: path, replacing: true)
      let stopped = try await fleet.run()
      #expect(stopped.nodes[0].failure?.contains("ledger.corrupt") == true)
      #expect(exists(fleet.path(0, "b.log.1")))
      try removeFile(path)
      let summary = try await fleet.run()
      #expect(summary.isComplete)
      #expect(try await fleet.count() == 7)
    }
  }

  @Test func aReportThatIsCutOrAnothersIsNotBelieved() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder, nodes: 2)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      let report = try await StageTask(context: context(fleet), document: try await document(fleet)).run()
      let whole = report.encoded()
      for end in [0, 1, whole.count / 2, whole.count - 2] {
        #expect(throws: Failure.self) { _ = try StageReport(parsing: Array(whole[..<end]), name: "cut") }
      }
      let run = report.head.run
      let other = fleet.engine.nodes[1]
      try await fleet.store.put(whole, at: RunKeys.staged(run) + "\(other.key)-0.ndjson")
      let failure = await #expect(throws: Failure.self) {
        _ = try await RunStore(store: fleet.store).stageReports(run, other)
      }
      #expect(failure?.code == "report.foreign")
    }
  }

  /// The control machine's clock decides nothing: a run id that sorts before an earlier one is a run all the same.
  @Test func aClockThatIsAnHourOffLosesNothing() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      _ = try await fleet.run()
      try await fleet.write(0, "b.log.1", lines: 4, seed: 2)
      let slow = WallClock { Instant(microseconds: WallClock.system.now().microseconds - 3_600_000_000) }
      let harvest = Harvest(
        engine: fleet.engine, store: fleet.store, catalog: fleet.catalog, duckdb: fleet.duckdb,
        scratch: joined(folder, "scratch"), clock: slow, tell: { _ in })
      #expect(try await harvest.run(fleet.request).isComplete)
      #expect(try await fleet.count() == 7)
      #expect(try await fleet.verify().findings.isEmpty)
    }
  }
}
