import Files
import Logs
import ObjectStorage
import Support
import TestSupport
import Testing

@testable import Harvest

@Suite(.tags(.medium)) struct HistoryTests {
  private let aDayLater: Int64 = 1_795_086_400

  @Test func settledRunsAreFoldedAndTheProofsStayWhatCounts() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      var harvest = fleet.harvest
      harvest.foldAfter = 2
      func run() async throws { _ = try await harvest.run(fleet.request) }
      try await fleet.write(0, "a.log.1", lines: 2, seed: 1)
      try await run()
      #expect(try await fleet.store.stat(RunIndex.key) == nil)
      try await fleet.write(0, "b.log.1", lines: 2, seed: 2, at: aDayLater)
      try await run()
      let runs = RunStore(store: fleet.store)
      let index = try await runs.proven()
      #expect(index.recent.isEmpty && index.runs.count == 2 && index.batches.count == 2)
      #expect(index.index.days.count == 2 && index.nodes == [fleet.engine.nodes[0]])
      // Of one day alone only its own object is read.
      let day = try #require(index.batches.values.map(\.facts.day).min())
      #expect(try await runs.proven(.days([day])).batches.count == 1)
      // The third is read beside the index.
      try await fleet.write(0, "c.log.1", lines: 2, seed: 3)
      try await run()
      #expect(try await runs.proven().recent.count == 1)
      #expect(try await runs.proven().batches.count == 3)
      #expect(try await fleet.verify().findings.isEmpty)
      #expect(try await fleet.count() == 6)
    }
  }

  /// With the index set back, broken, or without one of its days: the proofs are what counts.
  @Test(arguments: ["index gone", "index broken", "day gone", "day broken"])
  func anIndexThatCantBeReadCostsTimeAndNothingElse(_ damage: String) async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      var harvest = fleet.harvest
      harvest.foldAfter = 1
      for (seed, rotated) in [(1, aDayLater - 86_400), (2, aDayLater)] as [(UInt64, Int64)] {
        try await fleet.write(0, "\(seed).log.1", lines: 2, seed: seed, at: rotated)
        _ = try await harvest.run(fleet.request)
      }
      // A new view each time, as a harvest has it: nothing is known yet.
      func read() async throws -> ProvenIndex { try await RunStore(store: fleet.store).proven() }
      let whole = try await read()
      #expect(whole.recent.isEmpty && whole.batches.count == 2)
      // The day that the next file is of, too: a harvest reads no other.
      let day = dayText(Instant(seconds: aDayLater).day)
      let key = damage.hasPrefix("index") ? RunIndex.key : try #require(whole.index.days[day])
      if damage.hasSuffix("gone") {
        try await fleet.store.delete(key)
      } else {
        try await fleet.store.put(Array("nonsense".utf8), at: key)
      }
      let after = try await read()
      #expect(after.recent.count == 2 && after.batches.count == 2 && after.nodes == whole.nodes)
      // The next harvest writes it anew.
      try await fleet.write(0, "c.log.1", lines: 2, seed: 3, at: aDayLater)
      _ = try await harvest.run(fleet.request)
      let again = try await read()
      #expect(again.recent.isEmpty && again.batches.count == 3 && again.index.days.count == 2)
      #expect(try await fleet.count() == 6)
    }
  }

  @Test func aRehearsalChangesNothing() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder, nodes: 2)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      _ = try await fleet.run()
      try await fleet.write(0, "b.log.1", lines: 3, seed: 2)
      try await fleet.write(1, "c.log.1", lines: 3, seed: 3)
      let before = try tree(folder)
      let rehearsal = try await fleet.harvest.rehearse(fleet.request)
      #expect(try tree(folder) == before)
      #expect(
        rehearsal.nodes.map { $0.planned.map(\.file) } == [
          ["var/logs/raw_logs/b.log.1"], ["var/logs/raw_logs/c.log.1"],
        ])
      #expect(rehearsal.isComplete)
    }
  }

  @Test func aHarvestThatPrunesNothingIsFollowedByOneThatDoes() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      var request = fleet.request
      request.isPruneOff = true
      let first = try await fleet.harvest.run(request)
      #expect(first.proven.count == 1 && exists(fleet.path(0, "a.log.1")))
      let rehearsal = try await fleet.harvest.rehearse(fleet.request)
      #expect(rehearsal.nodes[0].known == ["var/logs/raw_logs/a.log.1"])
      #expect(rehearsal.nodes[0].planned.isEmpty)
      let second = try await fleet.run()
      #expect(second.snapshots.isEmpty && second.isComplete && !exists(fleet.path(0, "a.log.1")))
      #expect(try await fleet.count() == 3)
    }
  }

  @Test func theOriginalBytesComeBack() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      let text = try await fleet.write(0, "a.log.1", lines: 30, seed: 1)
      try await fleet.write(0, "other.log.1", lines: 3, seed: 2, at: 1_795_000_000 + 7200)
      _ = try await fleet.run()
      let raw = RawFiles(store: fleet.store)
      var filter = BatchFilter()
      filter.streams = ["a*"]
      let batch = try #require(try await raw.list(filter).first)
      #expect(try await raw.list(BatchFilter()).map(\.facts.file) == ["a.log.1", "other.log.1"])
      filter.streams = []
      filter.since = Instant(seconds: 1_795_000_000 + 1)
      #expect(try await raw.list(filter).map(\.facts.file) == ["other.log.1"])
      filter.since = nil
      filter.until = Instant(seconds: 1_795_000_000)
      #expect(try await raw.list(filter).map(\.facts.file) == ["a.log.1"])
      var read: [UInt8] = []
      try await raw.read(
        try await raw.batch(BatchFilter(prefix: String(batch.facts.id.prefix(9)))), scratch: folder
      ) {
        read += $0
      }
      #expect(read == text)
      await #expect(throws: Failure.self) { _ = try await raw.batch(BatchFilter()) }
      // One that was changed is not handed out as the original.
      let key = try #require(batch.facts.raw).key
      try await fleet.store.put(gzip(Array("forged\n".utf8)), at: key)
      let failure = await #expect(throws: Failure.self) {
        try await raw.read(batch, scratch: folder) { _ in Issue.record("a byte of it was given out") }
      }
      #expect(failure?.code == "raw.damaged")
    }
  }

  @Test func runsAreListedByWhatTheyLeft() async throws {
    try await withScratch { folder in
      let fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "a.log.1", lines: 3, seed: 1)
      let first = try await fleet.run()
      let history = RunHistory(store: fleet.store)
      var records = try await history.list(limit: 10)
      #expect(records.map(\.run) == [first.run] && records[0].state == .ended && records[0].summary != nil)
      #expect(records[0].staged == [fleet.engine.nodes[0].key] && records[0].pruned == records[0].staged)
      try await fleet.store.delete(RunKeys.proof(first.run))
      records = try await history.list(limit: 10)
      #expect(records[0].state == .open)
      try await fleet.store.delete(RunKeys.plan(first.run))
      try await fleet.store.delete(RunKeys.summary(first.run))
      #expect(try await history.run(String(first.run.prefix(15))).state == .cut)
      await #expect(throws: Failure.self) { _ = try await history.run("9") }
    }
  }

  /// Every file below the folder with its content.
}
