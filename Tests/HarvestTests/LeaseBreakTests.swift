import Files
import Fleet
import Glibc
import Logs
import Processes
import Support
import Synchronization
import TestSupport
import Testing

@testable import Harvest

@Suite(.tags(.medium)) struct LeaseBreakTests {
  /// The kernel lets the writer wait for the lease for up to 45 s, and its signal would end a process that is not prepared.
  @Test func aWriterThatOpensAFileWhileItIsStagedGoesOnAndTheFileWaits() async throws {
    try await withScratch { folder in
      var fleet = try await InProcessFleet(folder)
      try await fleet.write(0, "big.log.1", lines: 40_000, seed: 1)
      // Of the next day: its bundle comes second, and the first block that is told of is one of the big file.
      try await fleet.write(0, "other.log.1", lines: 10, seed: 2, at: 1_795_000_000 + 86_400)
      let path = fleet.path(0, "big.log.1")
      let writer = Writer(path: path)
      fleet.engine.progress = { step in
        if step.phase == "reading" { writer.openOnce() }
      }
      let first = try await fleet.run()
      #expect(first.nodes[0].passedOver.map(\.reason) == [.waiting])
      #expect(first.nodes[0].passedOver.map(\.file) == ["var/logs/raw_logs/big.log.1"])
      #expect(first.isComplete, "a file that waits is no gap")
      #expect(first.proven.map(\.facts.file) == ["other.log.1"])
      #expect(try #require(await writer.seconds()) < 30)
      #expect(exists(path))

      // The next run takes it, with the line that was added.
      try await untilNobodyWrites(path)
      fleet.engine.progress = { _ in }
      let second = try await fleet.run()
      #expect(second.proven.map(\.facts.lines) == [40_001])
      #expect(try await fleet.count() == 40_011)
      #expect(!exists(path))
    }
  }
}

/// Somebody who appends to the file, from a process of his own.
private final class Writer: Sendable {
  private let path: String
  private let work = Mutex<Task<Double?, Never>?>(nil)

  init(path: String) { self.path = path }

  /// Starts it, and returns when the kernel has told this process that somebody wants its lease.
  func openOnce() {
    let before = leaseBreaks()
    let isFirst = work.withLock { work in
      guard work == nil else { return false }
      let path = path
      work = Task.detached {
        let watch = Stopwatch()
        let result = try? await Processes.run(
          ChildCommand("/bin/sh", ["-c", "echo added >> \"$0\"", path], deadline: .after(seconds: 60)))
        return result?.status == .exited(0) ? watch.seconds : nil
      }
      return true
    }
    guard isFirst else { return }
    let deadline = Deadline.after(seconds: 30)
    // Called from the middle of reading: nothing else would let this thread wait here.
    while leaseBreaks() == before, !deadline.hasPassed { usleep(1_000) }
  }

  func seconds() async -> Double? { await work.withLock { $0 }?.value }
}
