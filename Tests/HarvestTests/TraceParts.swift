import Iceberg
import Support
import Synchronization

@testable import Harvest

/// Holds a machine at a place while others go on.
final class Gate: Sendable {
  private struct State {
    var wanted: String?
    var reached: CheckedContinuation<Void, Never>?
    var hasReached = false
    var held: CheckedContinuation<Void, Never>?
    var isOpen = false
  }

  private let state: Mutex<State>

  /// Holds whoever comes to this place first.
  init(at place: String) { state = Mutex(State(wanted: place)) }

  func pause(_ place: String) async {
    let isMine = state.withLock { state in
      guard state.wanted == place else { return false }
      state.wanted = nil
      state.hasReached = true
      state.reached?.resume()
      return true
    }
    guard isMine else { return }
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock { state in
        if !state.isOpen { state.held = continuation }
        return state.isOpen
      }
      if isOpen { continuation.resume() }
    }
  }

  /// Returns once somebody stands at the place.
  func reached() async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if !state.hasReached { state.reached = continuation }
        return state.hasReached
      }
      if isThere { continuation.resume() }
    }
  }

  func open() {
    let held = state.withLock { state in
      state.isOpen = true
      return state.held
    }
    held?.resume()
  }
}

/// A catalog in front of another: what it does not do itself, that one does.
protocol ForwardingCatalog: Catalog {
  var inner: any Catalog { get }
}

extension ForwardingCatalog {
  var table: String { inner.table }
  func load() async throws(Failure) -> LoadedTable? { try await inner.load() }
  func newLocation() async throws(Failure) -> String { try await inner.newLocation() }
  func metadataURL(of table: LoadedTable) -> String { inner.metadataURL(of: table) }
  func settle(_ table: LoadedTable) async throws(Failure) { try await inner.settle(table) }
  func commit(_ change: TableChange, on base: LoadedTable?) async throws(Failure) -> CommitAnswer {
    try await inner.commit(change, on: base)
  }
}

/// A catalog that shows only the newest snapshot, as one server does and as expiry leaves it.
struct NewestOnlyCatalog: ForwardingCatalog {
  let inner: any Catalog

  func load() async throws(Failure) -> LoadedTable? {
    guard var table = try await inner.load() else { return nil }
    table.metadata["snapshots"] = .array(Array((table.metadata["snapshots"]?.array ?? []).suffix(1)))
    return table
  }
}

/// A catalog that makes the first change, and whose answer is lost on the way.
final class LostAnswerCatalog: ForwardingCatalog {
  let inner: any Catalog
  private let isFirst = Mutex(true)
  /// Called when the change is made and nobody knows.
  let made: @Sendable () async -> Void

  init(_ inner: any Catalog, made: @escaping @Sendable () async -> Void = {}) {
    self.inner = inner
    self.made = made
  }

  func commit(_ change: TableChange, on base: LoadedTable?) async throws(Failure) -> CommitAnswer {
    let answer = try await inner.commit(change, on: base)
    let isLost = isFirst.withLock { first in
      defer { first = false }
      return first
    }
    guard isLost else { return answer }
    await made()
    return .unknown(words: "the answer was lost")
  }
}

/// A catalog to which the first change comes late: it is made just before the next one.
final class LateCatalog: ForwardingCatalog {
  let inner: any Catalog
  private struct Sent: Sendable {
    var change: TableChange
    var base: LoadedTable?
  }
  private let late = Mutex<Sent?>(nil)
  private let isFirst = Mutex(true)

  init(_ inner: any Catalog) { self.inner = inner }

  func commit(_ change: TableChange, on base: LoadedTable?) async throws(Failure) -> CommitAnswer {
    let isHeld = isFirst.withLock { first in
      defer { first = false }
      return first
    }
    if isHeld {
      late.withLock { $0 = Sent(change: change, base: base) }
      return .unknown(words: "no answer in time")
    }
    if let sent = late.withLock({ sent in
      defer { sent = nil }
      return sent
    }) {
      _ = try await inner.commit(sent.change, on: sent.base)
    }
    return try await inner.commit(change, on: base)
  }
}
