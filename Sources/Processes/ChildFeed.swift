import CShims
import Glibc
import Synchronization

/// What a running child is to read on its standard input, given piece by piece. One feed serves one child.
public final class ChildFeed: Sendable {
  private struct State {
    var bytes: [UInt8] = []
    var isEnded = false
  }

  private let state = Mutex(State())
  /// Readable when there is something to take.
  let event: Int32

  /// - Throws: ``ChildFailure/start(_:)`` when the kernel has no more descriptors.
  public init() throws(ChildFailure) {
    event = gw_event()
    guard event >= 0 else { throw .start(String(cString: strerror(-event))) }
  }

  deinit { close(event) }

  public func send(_ bytes: [UInt8]) {
    state.withLock { $0.bytes += bytes }
    signal()
  }

  /// Nothing more comes: the child's standard input is closed once it has read all of it.
  public func end() {
    state.withLock { $0.isEnded = true }
    signal()
  }

  private func signal() {
    var one: UInt64 = 1
    _ = write(event, &one, 8)
  }

  func take() -> (bytes: [UInt8], isEnded: Bool) {
    var count: UInt64 = 0
    _ = read(event, &count, 8)
    return state.withLock { state in
      defer { state.bytes = [] }
      return (state.bytes, state.isEnded)
    }
  }
}
