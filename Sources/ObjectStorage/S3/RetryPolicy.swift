import Support
import Synchronization

/// When a request is sent again, as pure functions of what came back. The waiting and the counting are the client's.
public struct RetryPolicy: Sendable {
  public var attempts: Int
  /// Seconds; doubled with each attempt, up to ``longest``, and a random part of it is waited.
  public var first: Double
  public var longest: Double

  public init(attempts: Int = 8, first: Double = 0.1, longest: Double = 8) {
    self.attempts = attempts
    self.first = first
    self.longest = longest
  }

  /// Answers that may be others on another try.
  static func mayPass(status: Int, code: String) -> Bool {
    let words: Set = [
      "SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "Throttling",
      "ThrottlingException",
      "RequestLimitExceeded", "OperationAborted", "ConditionalRequestConflict",
    ]
    return [408, 429, 500, 502, 503, 504].contains(status) || words.contains(code)
  }

  /// The same with a number of its own.
  public func pause(after attempt: Int, asked: Double?) -> Double {
    let random = Double(randomBytes(2).reduce(0) { $0 << 8 | Int($1) }) / 65_536
    return pause(after: attempt, asked: asked, random: random)
  }

  /// Seconds to wait after the attempt, counted from 1.
  ///
  /// - Parameters:
  ///   - asked: by the server's `Retry-After`.
  ///   - random: from 0 up to 1. With it many clients don't come back at once ("Exponential Backoff And Jitter", AWS Architecture Blog).
  func pause(after attempt: Int, asked: Double?, random: Double) -> Double {
    var most = first
    for _ in 1..<max(1, min(attempt, 30)) { most = min(longest, most * 2) }
    if let asked { return min(max(0, asked), 20) + most * random }
    return most * random
  }
}

/// What all requests of a client may be repeated together: a server that fails most of them is not flooded with more.
final class RetryBudget: Sendable {
  private let left: Mutex<Double>
  private let most: Double

  init(most: Double = 60) {
    self.most = most
    left = Mutex(most)
  }

  func takeOne() -> Bool {
    left.withLock {
      guard $0 >= 1 else { return false }
      $0 -= 1
      return true
    }
  }
  /// A request that was answered well gives back half a repetition: a third of all may fail for as long as it lasts.
  func earn() { left.withLock { $0 = min(most, $0 + 0.5) } }
}
