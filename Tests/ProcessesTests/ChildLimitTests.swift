import Processes
import Support
import TestSupport
import Testing

@Suite struct ChildLimitTests {
  @Test func endlessOutputEndsTheChild() async throws {
    var command = shell("echo $$ >&2; exec yes")
    command.outputLimit = .mebibytes(1)
    let seen = Seen()
    #expect(await failure(command) { seen.add($0, Array($1)) } == .outputLimit(.mebibytes(1)))
    let pid = try #require(Int(String(decoding: seen.errors, as: UTF8.self).dropLast()))
    #expect(try await isDead(pid))
  }

  @Test func theLimitItselfIsAllowed() async throws {
    var command = shell("head -c 100000 /dev/zero")
    command.outputLimit = ByteCount(100_000)
    #expect(try await run(command).output.count == 100_000)
    command.outputLimit = ByteCount(99_999)
    #expect(await failure(command) == .outputLimit(ByteCount(99_999)))
  }

  @Test func ofErrorsTheLastAreKept() async throws {
    var command = shell("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done >&2")
    command.errorLimit = ByteCount(100)
    let result = try await run(command)
    let whole = (0..<20_000).map { "line \($0)\n" }.joined()
    #expect(result.status == .exited(0))
    #expect(result.errorText == String(whole.suffix(100)))
  }

  @Test func aDeadlineEndsTheWholeGroup() async throws {
    let watch = Stopwatch()
    let command = shell("sleep 300 & echo $! $$; echo why >&2; wait", deadline: 4)
    let (output, errors) = try #require(await failure(command)?.beforeDeadline)
    #expect(watch.seconds < 200)
    #expect(String(decoding: errors, as: UTF8.self) == "why\n")
    let pids = String(decoding: output, as: UTF8.self).dropLast().split(separator: " ").compactMap { Int($0) }
    #expect(pids.count == 2)
    for pid in pids { #expect(try await isDead(pid)) }
  }

  @Test func aDeadlineThatHasPassedStartsNothingThatLasts() async {
    guard case .deadline = await failure(shell("sleep 300", deadline: -1)) else {
      Issue.record("no deadline")
      return
    }
  }

  /// A grandchild that still holds the pipe must not keep us waiting once the child is gone.
  @Test func whatTheChildLeftRunningIsEndedWithIt() async throws {
    let watch = Stopwatch()
    let result = try await run(shell("sleep 300 & echo $!"))
    #expect(result.status == .exited(0))
    #expect(watch.seconds < 200)
    #expect(try await isDead(try #require(Int(result.text.dropLast()))))
  }

  @Test func aChildThatIgnoresSignalsIsEndedAllTheSame() async throws {
    let command = shell("trap '' TERM INT HUP; sleep 300; sleep 300", deadline: 0.5)
    let written = try #require(await failure(command)?.beforeDeadline)
    #expect(written.errors == [])
  }

  @Test func cancellingKillsAndReturns() async throws {
    let seen = Seen()
    let watch = Stopwatch()
    let task = Task {
      await failure(shell("sleep 300 & echo $! $$; wait", deadline: 250)) { seen.add($0, Array($1)) }
    }
    let deadline = Deadline.after(seconds: 150)
    while seen.output.last != 0x0A, !deadline.hasPassed { try await Task.sleep(for: .milliseconds(2)) }
    task.cancel()
    #expect(await task.value == .cancelled)
    #expect(watch.seconds < 200)
    let pids = String(decoding: seen.output, as: UTF8.self).dropLast().split(separator: " ").compactMap {
      Int($0)
    }
    #expect(pids.count == 2)
    for pid in pids { #expect(try await isDead(pid)) }
  }

  @Test func aCancelledTaskGetsNoResult() async {
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return await failure(shell("sleep 300", deadline: 250))
    }
    #expect(await task.value == .cancelled)
  }
}
