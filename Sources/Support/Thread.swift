import Glibc
import Synchronization

/// A thread of its own for work that waits, with its result.
///
/// Threads of the pool must not wait for each other; this one may.
public final class Thread<Result: Sendable>: Sendable {
  private let result = Mutex<Result?>(nil)
  private let identity = Mutex<pthread_t?>(nil)
  private let body: @Sendable () -> Result

  /// Starts it.
  ///
  /// - Throws: `thread.limit` when the system has no thread left. The body must not be run in its place: what waits for it would wait for itself.
  public init(_ body: @escaping @Sendable () -> Result) throws(Failure) {
    self.body = body
    var thread = pthread_t()
    let box = Unmanaged.passRetained(Work { [self] in run() })
    let code = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
        return nil
      }, box.toOpaque())
    if code == 0 {
      identity.withLock { $0 = thread }
    } else {
      box.release()
      throw Failure(
        "thread.limit", "No thread could be started.",
        remedy: "A limit on this user's or this unit's tasks is reached; the next run goes on.",
        words: String(cString: strerror(code)))
    }
  }

  private func run() {
    let value = body()
    result.withLock { $0 = value }
  }

  /// Waits until it has ended. To be called once.
  public func join() -> Result {
    if let thread = identity.withLock({ $0.take() }) { pthread_join(thread, nil) }
    guard let value = result.withLock({ $0 }) else {
      preconditionFailure("a thread ended without its result")
    }
    return value
  }
}

private final class Work: Sendable {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
