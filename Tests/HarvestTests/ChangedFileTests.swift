import Files
import Fleet
import Glibc
import Logs
import Support
import Synchronization
import TestSupport
import Testing

@testable import Harvest

/// Files that rotation, or somebody, takes from their places while a stage is at work on them.
@Suite(.tags(.medium)) struct ChangedFileTests {
  /// Logrotate shifts the names: what is uploaded has to be what was read, whatever has its name by then.
  @Test func aGzipFileThatIsShiftedBeforeItsUploadIsUploadedItself() async throws {
    try await withScratch { folder in
      var fleet = try await InProcessFleet(folder)
      try await putGzip(fleet, "a.log.1.gz", lines: 20, seed: 1, at: 1_795_000_000)
      try await putGzip(fleet, "newer", lines: 30, seed: 2, at: 1_795_003_600)
      let names = ["a.log.1.gz", "a.log.2.gz", "newer"].map { fleet.path(0, $0) }
      fleet.engine.progress = once({ $0.phase == "writing" }) {
        rename(names[0], names[1])
        rename(names[2], names[0])
      }
      var request = fleet.request
      request.logs.rotated = ["var/logs/raw_logs/*.gz"]
      let first = try await fleet.harvest.run(request)
      #expect(first.isComplete && first.proven.map(\.facts.lines) == [20])
      fleet.engine.progress = { _ in }
      let second = try await fleet.harvest.run(request)
      #expect(second.isComplete && second.proven.map(\.facts.lines) == [30])
      #expect(try await fleet.count() == 50)
      #expect(try folderEntries(folderName(names[0])).isEmpty)
      #expect(try await deepFindings(fleet) == [])
    }
  }

  /// What was read is archived, though nobody can see it any more; what lies there now is another batch.
  @Test func aFileThatIsReplacedWhileItIsReadIsTwoBatches() async throws {
    try await withScratch { folder in
      var fleet = try await InProcessFleet(folder)
      try await writeBig(fleet)
      replace(in: &fleet)
      let first = try await fleet.run()
      #expect(first.isComplete && first.proven.map(\.facts.lines) == [20_000])
      #expect(exists(fleet.path(0, "big.log.1")), "the file that took its place was never archived")
      fleet.engine.progress = { _ in }
      let second = try await fleet.run()
      #expect(second.isComplete && second.proven.map(\.facts.lines) == [7])
      #expect(try await fleet.count() == 20_007)
      #expect(!exists(fleet.path(0, "big.log.1")))
      #expect(try await deepFindings(fleet) == [])
    }
  }

  /// A large file is read twice. When another has its name by the second time, its raw object, which the first reading has brought up, is all that
  /// is left of it.
  @Test func aLargeFileThatIsReplacedBetweenItsTwoReadingsIsReadFromItsRawObject() async throws {
    try await withScratch { folder in
      var fleet = try await InProcessFleet(folder)
      try await writeBig(fleet)
      fleet.engine.pieceLimit = 2 << 20
      replace(in: &fleet)
      let first = try await fleet.run()
      #expect(first.nodes[0].passedOver.map(\.reason) == [.changed])
      #expect(try await fleet.count() == 0)
      fleet.engine.progress = { _ in }
      let second = try await fleet.run()
      #expect(second.isComplete, "\(second.nodes.map { ($0.failure, $0.problems, $0.passedOver) })")
      #expect(second.proven.map(\.facts.lines).sorted() == [7, 20_000])
      #expect(try await fleet.count() == 20_007)
      #expect(!exists(fleet.path(0, "big.log.1")))
      #expect(try await deepFindings(fleet) == [])
    }
  }

  @Test func aLargeFileThatIsShiftedBetweenItsTwoReadingsIsReadByTheNextRun() async throws {
    try await withScratch { folder in
      var fleet = try await InProcessFleet(folder)
      try await writeBig(fleet)
      fleet.engine.pieceLimit = 2 << 20
      let (from, to) = (fleet.path(0, "big.log.1"), fleet.path(0, "big.log.2"))
      fleet.engine.progress = inFirstPass { rename(from, to) }
      let first = try await fleet.run()
      #expect(first.nodes[0].passedOver.map(\.reason) == [.changed])
      #expect(exists(to))
      fleet.engine.progress = { _ in }
      let second = try await fleet.run()
      #expect(second.isComplete && second.proven.map(\.facts.lines) == [20_000])
      #expect(try await fleet.count() == 20_000)
      #expect(!exists(to))
      #expect(try await deepFindings(fleet) == [])
    }
  }

  /// Logrotate may shift NAME.gz, and gzip make another of that name, while NAME itself is read for the last time.
  @Test func aFileThatTookTheNameOfATwinIsNotDeletedForIt() async throws {
    try await withScratch { folder in
      let path = joined(folder, "a.log.1.gz")
      func twin() -> CompressedTwin { CompressedTwin(path: path, settle: 60, now: WallClock.system.now()) }
      let content = Array("{}\n".utf8)
      let other = gzip(Array("{\"id\":\"never archived\"}\n".utf8))
      try publish(gzip(content), at: path, replacing: true)
      try await untilNobodyWrites(path)
      let before = twin()
      try renameFile(path, joined(folder, "a.log.2.gz"), replacing: false)
      try publish(other, at: path, replacing: true)
      try await untilNobodyWrites(path)
      #expect(before.remove(ifBeginning: sha256(content), batch: sha256(content)) != nil)
      #expect(try readFile(path, limit: .kibibytes(1)) == other)

      try renameFile(joined(folder, "a.log.2.gz"), path, replacing: true)
      #expect(twin().remove(ifBeginning: sha256(content), batch: sha256(content)) == nil)
      #expect(try folderEntries(folder).isEmpty)
    }
  }

  /// Of three blocks, after the first of which progress is told.
  private func writeBig(_ fleet: InProcessFleet) async throws {
    let text = try await fleet.write(0, "big.log.1", lines: 20_000, seed: 1)
    try #require(text.count > 2 << 20)
  }

  private func replace(in fleet: inout InProcessFleet) {
    let path = fleet.path(0, "big.log.1")
    fleet.engine.progress = inFirstPass {
      let text = String(repeating: #"{"id":"new"}"# + "\n", count: 7)
      try? publish(Array(text.utf8), at: path, replacing: true)
      try? setModified(path, seconds: 1_795_000_000)
    }
  }

  private func putGzip(
    _ fleet: InProcessFleet, _ name: String, lines: Int, seed: UInt64, at seconds: Int64
  ) async throws {
    let path = fleet.path(0, name)
    try publish(
      gzip(try await fleet.write(0, "\(name).plain", lines: lines, seed: seed)), at: path, replacing: true)
    try removeFile(path + ".plain")
    try setModified(path, seconds: seconds)
    try await untilNobodyWrites(path)
  }

  private func deepFindings(_ fleet: InProcessFleet) async throws -> [Finding] {
    var scope = VerifyScope()
    scope.isDeep = true
    return try await Verifier(
      store: fleet.store, catalog: fleet.catalog, duckdb: fleet.duckdb,
      scratch: joined(fleet.folder, "scratch"),
      scope: scope
    ).run().findings
  }
}

/// Does it when about a block of the big file has been read.
private func inFirstPass(_ body: @escaping @Sendable () -> Void) -> @Sendable (NodeProgress) -> Void {
  once({ $0.phase == "reading" && $0.bytes >= 1 << 20 && $0.bytes < 2 << 20 }, body)
}

/// Does it the first time that such progress is told, in the midst of the work.
private func once(
  _ isTime: @escaping @Sendable (NodeProgress) -> Bool, _ body: @escaping @Sendable () -> Void
) -> @Sendable (NodeProgress) -> Void {
  let done = Mutex(false)
  return { step in
    guard isTime(step) else { return }
    let isFirst = done.withLock { done in
      defer { done = true }
      return !done
    }
    if isFirst { body() }
  }
}
