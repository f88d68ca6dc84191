import Processes
public import Support
import Synchronization

/// A DuckDB that is started before there is something to do for it, and is given its statements in turns.
///
/// One turn at a time. It ends with the first statement that fails, at its deadline, or when it is ended.
public final class Session: Sendable {
  private struct State {
    /// What it has printed and no turn has taken.
    var output: [UInt8] = []
    var turn = 0
    var waiting: CheckedContinuation<Void, Never>?
    /// How it ended, once it has.
    var ending: Failure?
    var hasEnded = false
  }

  private let state: Mutex<State>
  private let feed: ChildFeed
  private let task = Mutex<Task<Void, Never>?>(nil)
  /// What the end of a turn is told by. Random, so that no row of a result can be taken for it.
  private let mark = randomName()

  /// - Throws: `duckdb.missing` when no child can be had at all.
  init(_ duckdb: DuckDB, _ settings: DuckDB.Settings, first: [SQL]) throws(Failure) {
    state = Mutex(State())
    do { feed = try ChildFeed() } catch { throw failure(error) }
    let command = duckdb.command(first, settings, feed: feed)
    let task = Task {
      var ending: Failure?
      do throws(ChildFailure) {
        ending = failure(
          try await Processes.run(command) { stream, bytes in
            if stream == .output { self.take(bytes) }
          })
      } catch {
        ending = failure(error)
      }
      self.close(ending)
    }
    self.task.withLock { $0 = task }
  }

  /// Runs the statements and gives the rows of those that return some, as ``DuckDB/run(_:_:)`` does.
  ///
  /// - Throws: `duckdb.failed` with DuckDB's own words, `duckdb.deadline`; the session has ended then.
  @discardableResult
  public func run(_ statements: [SQL]) async throws(Failure) -> [[JSONValue]] {
    let turn = state.withLock { state in
      state.turn += 1
      return state.turn
    }
    let end: SQL = "SELECT \(endMark(turn)) AS gadwall_end"
    feed.send(Array(script(statements + [end]).utf8))
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          let isOver = state.hasEnded || hasEnd(state)
          if !isOver { state.waiting = continuation }
          return isOver
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      // It goes with the statement that nobody waits for any more.
      task.withLock { $0 }?.cancel()
    }
    let (output, ending, isWhole) = state.withLock { state in
      defer { state.output = [] }
      return (state.output, state.ending, hasEnd(state))
    }
    guard isWhole else {
      throw ending ?? Failure("duckdb.failed", "DuckDB ended before it was done.")
    }
    return Array(try resultSets(output).dropLast())
  }

  /// Whether there is nobody to give a statement to any more.
  public var hasEnded: Bool { state.withLock { $0.hasEnded } }

  /// Lets it go, after what it still has to do.
  public func end() { feed.end() }

  private func endMark(_ turn: Int) -> String { "\(mark)-\(turn)" }

  private func hasEnd(_ state: State) -> Bool {
    let wanted = Array("\"\(endMark(state.turn))\"}]".utf8)
    return state.output.suffix(wanted.count + 8).contains(wanted)
  }

  private func take(_ bytes: UnsafeRawBufferPointer) {
    resume { state in
      state.output.append(contentsOf: bytes)
      return hasEnd(state)
    }
  }

  private func close(_ ending: Failure?) {
    resume { state in
      state.ending = ending
      state.hasEnded = true
      return true
    }
  }

  private func resume(_ change: (inout State) -> Bool) {
    let waiting = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard change(&state) else { return nil }
      defer { state.waiting = nil }
      return state.waiting
    }
    waiting?.resume()
  }
}

extension DuckDB {
  /// Starts a DuckDB that waits for its statements.
  ///
  /// - Parameter first: statements that it runs before, and that give no rows. That one fails is said by the first turn.
  public func session(_ settings: Settings = Settings(), first: [SQL] = []) throws(Failure) -> Session {
    try Session(self, settings, first: first)
  }
}
