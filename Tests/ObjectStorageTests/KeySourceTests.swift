import HTTP
import Support
import Synchronization
import TestSupport
import Testing

@testable import ObjectStorage

/// Keys are kept, fetched once however many ask, and fetched anew before they expire.
struct KeySourceTests {
  /// Gives what the test says, when it says so.
  private final class Provider: KeyProvider {
    struct State {
      var fetched = 0
      var isOpen = true
      var result: Result<AccessKeys?, Failure>
    }
    let name: String
    private let state: Mutex<State>

    init(_ result: Result<AccessKeys?, Failure>, name: String = "the test") {
      self.name = name
      state = Mutex(State(result: result))
    }

    var fetched: Int { state.withLock { $0.fetched } }
    func set(_ result: Result<AccessKeys?, Failure>) { state.withLock { $0.result = result } }
    func set(isOpen: Bool) { state.withLock { $0.isOpen = isOpen } }

    func fetch() async throws(Failure) -> AccessKeys? {
      state.withLock { $0.fetched += 1 }
      _ = try? await becomesTrue { state.withLock { $0.isOpen } }
      return try state.withLock { $0.result }.get()
    }
  }

  private static let none = Failure("store.keys", "None.")
  private let now = Shared(Instant(seconds: 1_000_000))
  private var clock: WallClock { WallClock { [now] in now.value } }

  private func keys(_ id: String, expires: Int64? = nil) -> AccessKeys {
    AccessKeys(id: id, secret: "s", expires: expires.map { Instant(seconds: $0) })
  }

  @Test func theFirstPlaceThatHasKeysGivesThem() async throws {
    let places = [
      Provider(.success(nil)), Provider(.success(keys("second"))), Provider(.success(keys("third"))),
    ]
    let source = KeySource(places, clock: clock)
    #expect(try await source.keys().id == "second")
    #expect(try await source.keys().id == "second")
    #expect(places.map(\.fetched) == [1, 1, 0])
  }

  @Test func keysThatWereLentAreAskedForAgainWhenTheyEnd() async throws {
    let place = Provider(.success(keys("new", expires: 1_000_100)))
    let source = KeySource(keys("lent", expires: 1_000_400), then: place, clock: clock)
    #expect(try await source.keys().id == "lent" && place.fetched == 0)
    now.set(Instant(seconds: 1_000_101))
    place.set(.success(keys("newer", expires: 1_000_301)))
    #expect(try await source.keys().id == "newer" && place.fetched == 1)
    // They end sooner than new ones are asked for; the place is left alone for a while all the same.
    #expect(try await source.keys().id == "newer" && place.fetched == 1)
    now.set(Instant(seconds: 1_000_101 + KeySource.rest))
    _ = try await source.keys()
    #expect(place.fetched == 2)
  }

  @Test func aPlaceThatIsSetUpAndFailsIsNotPassedOver() async throws {
    let places = [Provider(.failure(Self.none)), Provider(.success(keys("second")))]
    let source = KeySource(places, clock: clock)
    await #expect(throws: Self.none) { _ = try await source.keys() }
    #expect(places.map(\.fetched) == [1, 0])
    // It is asked again.
    places[0].set(.success(keys("first")))
    #expect(try await source.keys().id == "first")
  }

  @Test func whereNobodyHasAnyEachPlaceIsNamed() async throws {
    let source = KeySource([
      Provider(.success(nil), name: "the moon"), Provider(.success(nil), name: "the sun"),
    ])
    let failure = await #expect(throws: Failure.self) { _ = try await source.keys() }
    #expect(failure?.code == "store.keys" && failure?.sentence.contains("the moon, the sun") == true)
    #expect(failure?.remedy.isEmpty == false)
  }

  @Test func thePlacesAreAskedInTheOrderOfAWS() throws {
    let surroundings = KeySurroundings(environment: { _ in nil }, http: try HTTPClient(), region: "x")
    #expect(
      surroundings.providers.map(\.name) == [
        "the environment", "the web identity", "the credentials files", "the container's endpoint",
        "the machine's metadata",
      ])
  }

  @Test func manyThatAskAtOnceMakeOneFetch() async throws {
    let provider = Provider(.success(keys("a")))
    provider.set(isOpen: false)
    let source = KeySource([provider], clock: clock)
    let asking = (0..<50).map { _ in Shared(false) }
    let tasks = asking.map { isAsking in
      Task {
        isAsking.set(true)
        return try await source.keys()
      }
    }
    let haveAllAsked = try await becomesTrue {
      asking.allSatisfy { $0.value } && provider.fetched > 0
    }
    #expect(haveAllAsked)
    provider.set(isOpen: true)
    for task in tasks { #expect(try await task.value.id == "a") }
    #expect(provider.fetched == 1)
  }

  @Test func noSecondFetchBeginsWhileOneIsOnItsWay() async throws {
    // Over already: each that asks has them fetched, unless they are on their way.
    let provider = CrowdedKeys(keys: keys("a", expires: 999_999))
    let source = KeySource([provider], clock: clock)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<20 {
        group.addTask { for _ in 0..<200 { _ = try await source.keys() } }
      }
      try await group.waitForAll()
    }
    let (most, fetched) = provider.seen
    #expect(most == 1 && fetched > 1)
  }

  /// Counts how many fetch at once.
  private final class CrowdedKeys: KeyProvider {
    let name = "the test"
    let keys: AccessKeys
    private let counts = Mutex((now: 0, most: 0, fetched: 0))

    init(keys: AccessKeys) { self.keys = keys }

    var seen: (most: Int, fetched: Int) { counts.withLock { ($0.most, $0.fetched) } }

    func fetch() async throws(Failure) -> AccessKeys? {
      counts.withLock {
        $0.now += 1
        $0.fetched += 1
        $0.most = max($0.most, $0.now)
      }
      for _ in 0..<3 { await Task.yield() }
      counts.withLock { $0.now -= 1 }
      return keys
    }
  }

  @Test func keysAreFetchedAnewFiveMinutesBeforeTheyExpire() async throws {
    let expires: Int64 = 1_003_600
    let provider = Provider(.success(keys("old", expires: expires)))
    let source = KeySource([provider], clock: clock)
    #expect(try await source.keys().id == "old")
    provider.set(.success(keys("new", expires: expires + 3600)))
    now.set(Instant(seconds: expires - 301))
    #expect(try await source.keys().id == "old")
    #expect(provider.fetched == 1)
    now.set(Instant(seconds: expires - 300))
    #expect(try await source.keys().id == "new")
    #expect(provider.fetched == 2)
    // Some never expire.
    let lasting = Provider(.success(keys("a")))
    let other = KeySource([lasting], clock: clock)
    _ = try await other.keys()
    now.set(Instant(seconds: 9_000_000_000))
    _ = try await other.keys()
    #expect(lasting.fetched == 1)
  }

  @Test func oldKeysAreKeptWhileNewOnesCantBeHad() async throws {
    let provider = Provider(.success(keys("old", expires: 1_000_600)))
    let source = KeySource([provider], clock: clock)
    #expect(try await source.keys().id == "old")
    provider.set(.failure(Self.none))
    now.set(Instant(seconds: 1_000_570))
    #expect(try await source.keys().id == "old")
    #expect(provider.fetched == 2)
    // It may have taken long to fail: for a while it is not asked again.
    now.set(Instant(seconds: 1_000_589))
    #expect(try await source.keys().id == "old")
    #expect(provider.fetched == 2)
    now.set(Instant(seconds: 1_000_590))
    #expect(try await source.keys().id == "old")
    #expect(provider.fetched == 3)
    now.set(Instant(seconds: 1_000_600))
    await #expect(throws: Self.none) { _ = try await source.keys() }
    provider.set(.success(keys("new", expires: 1_009_000)))
    #expect(try await source.keys().id == "new")
  }

  @Test func aServersWordThatKeysHaveExpiredIsTaken() async throws {
    let provider = Provider(.success(keys("old")))
    let source = KeySource([provider], clock: clock)
    let old = try await source.keys()
    // The same again helps nobody.
    #expect(try await !source.renew(old))
    provider.set(.success(keys("new")))
    #expect(try await source.renew(old))
    #expect(try await source.keys().id == "new")
    #expect(provider.fetched == 3)
    // A request that was signed with the old ones is told of it only now: the new ones are good.
    #expect(try await source.renew(old))
    #expect(provider.fetched == 3)
    provider.set(.failure(Self.none))
    let new = keys("new")
    await #expect(throws: Self.none) { _ = try await source.renew(new) }
    await #expect(throws: Self.none) { _ = try await source.keys() }
  }

  @Test func keysShowNothingOfThemselves() {
    let keys = AccessKeys(id: "ID-SHOWN", secret: "SECRET-SHOWN", sessionToken: "TOKEN-SHOWN")
    var dumped = ""
    dump(keys, to: &dumped)
    dump(Signer(keys: keys, region: "x"), to: &dumped)
    dump([Optional(keys)], to: &dumped)
    for text in ["\(keys)", String(reflecting: keys), String(reflecting: [keys]), dumped] {
      #expect(!text.contains("SHOWN"), "\(text)")
    }
  }
}
