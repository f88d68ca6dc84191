public import Support

/// One place that may have access keys.
public protocol KeyProvider: Sendable {
  /// What a person knows it by, for errors: "the environment".
  var name: String { get }
  /// The keys; nil when this place is not set up here.
  ///
  /// - Throws: `store.keys` when it is set up, and gives none.
  func fetch() async throws(Failure) -> AccessKeys?
}

/// The access keys of a store: from the first place that has some, kept until shortly before they expire, fetched once however many ask.
public actor KeySource {
  private let providers: [any KeyProvider]
  private let clock: WallClock
  private var current: AccessKeys?
  private var running: Task<Result<AccessKeys, Failure>, Never>?
  /// When new ones are asked for again, after there were none.
  private var next: Instant?

  /// Seconds before they expire that new ones are fetched.
  static let margin: Int64 = 300
  /// Seconds that old ones are used without asking again: a place that fails slowly would hold up every request.
  static let rest: Int64 = 20

  public init(_ providers: [any KeyProvider], clock: WallClock = .system) {
    self.providers = providers
    self.clock = clock
  }

  /// Fixed ones.
  public init(_ keys: AccessKeys) { self.init([FixedKeys(keys: keys)]) }

  /// These, until they expire, and then those of the other place.
  public init(_ keys: AccessKeys, then other: any KeyProvider, clock: WallClock = .system) {
    providers = [other]
    self.clock = clock
    current = keys
  }

  public func keys() async throws(Failure) -> AccessKeys {
    if let current, isFresh(current) || isResting(current) { return current }
    let result: Result<AccessKeys, Failure>
    if let running {
      result = await running.value
    } else {
      let task = Task { [providers] in await firstOf(providers) }
      running = task
      result = await task.value
      // By who began it alone: the others may come back when the next one is on its way.
      running = nil
      switch result {
      case .success(let keys):
        // A place that gives keys for a shorter time than the margin is not asked before each request.
        (current, next) = (keys, isFresh(keys) ? nil : Instant(seconds: clock.now().seconds + Self.rest))
      case .failure: next = Instant(seconds: clock.now().seconds + Self.rest)
      }
    }
    switch result {
    case .success(let keys): return keys
    case .failure(let failure):
      // Old ones that still work are better than none.
      if let current, isValid(current) { return current }
      throw failure
    }
  }

  /// Forgets the keys, which a server has called expired, unless there are others by now.
  ///
  /// - Returns: whether others are to be had.
  func renew(_ expired: AccessKeys) async throws(Failure) -> Bool {
    if current == expired { current = nil }
    return try await keys() != expired
  }

  private func isResting(_ keys: AccessKeys) -> Bool {
    guard let next else { return false }
    return isValid(keys) && clock.now() < next
  }

  private func isValid(_ keys: AccessKeys) -> Bool { keys.expires.map { $0 > clock.now() } ?? true }

  private func isFresh(_ keys: AccessKeys) -> Bool {
    guard let expires = keys.expires else { return true }
    return expires.seconds - clock.now().seconds > Self.margin
  }
}

private func firstOf(_ providers: [any KeyProvider]) async -> Result<AccessKeys, Failure> {
  for provider in providers {
    do throws(Failure) {
      if let keys = try await provider.fetch() { return .success(keys) }
    } catch {
      return .failure(error)
    }
  }
  return .failure(
    Failure(
      "store.keys",
      "There are no access keys for the store: \(providers.map(\.name).joined(separator: ", ")) have none.",
      remedy: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write a credentials file."))
}

private struct FixedKeys: KeyProvider {
  var name: String { "the caller" }
  let keys: AccessKeys
  func fetch() async throws(Failure) -> AccessKeys? { keys }
}
