import Files
import HTTP
import Support
import TestSupport
import Testing

@testable import ObjectStorage

/// What a store says while a proxy spoils requests to a real server: that a thing was done only when it was.
@Suite(.tags(.medium)) struct FaultTests {
  struct Fault: Sendable, CustomTestStringConvertible {
    var shares: [String: Double]
    /// Of 60 operations, so many may end in an error.
    var mayFail = 3
    var testDescription: String { words.joined(separator: " ") }
    var words: [String] { shares.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" } }
  }

  static let faults = [
    Fault(shares: ["busy": 0.3]), Fault(shares: ["lost": 0.15]), Fault(shares: ["cut": 0.1]),
    Fault(shares: ["truncated": 0.3]), Fault(shares: ["refused": 0.1]),
    Fault(shares: ["busy": 0.15, "lost": 0.08, "cut": 0.05, "truncated": 0.05, "refused": 0.05]),
    // More than a client may repeat.
    Fault(shares: ["busy": 0.3, "lost": 0.15, "cut": 0.1, "truncated": 0.1, "refused": 0.1], mayFail: 50),
  ]

  @Test(arguments: faults, [1, 2]) func whatIsReportedIsSo(_ fault: Fault, _ seed: Int) async throws {
    try await checkReports(.rclone, fault, seed)
  }

  @Test(arguments: [faults[1], faults[2], faults[5], faults[6]], [3])
  func whatIsReportedIsSoWithConditions(_ fault: Fault, _ seed: Int) async throws {
    try await checkReports(.moto, fault, seed)
  }

  private func checkReports(_ kind: StoreKind, _ fault: Fault, _ seed: Int) async throws {
    try await withS3(kind) { direct, folder in
      let proxy = try await FaultyProxy.start(before: direct.location.endpoint, fault.words, seed: seed)
      var model = StoreModel(store: try direct.through(proxy.endpoint), folder: folder, seed: seed)
      for _ in 0..<60 { try await model.step() }
      #expect(model.failed <= fault.mayFail)
      let counts = try await proxy.counts()
      for kind in fault.shares.keys { #expect(counts[kind, default: 0] > 0, "no request was \(kind)") }
      // Without the proxy: what was reported is there with its very bytes.
      for (key, states) in model.possible {
        let there = try await direct.get(key, limit: .mebibytes(1))
        #expect(states.contains(there), "\(key)")
      }
      let known = Set(model.possible.keys)
      #expect(try await direct.list("").allSatisfy { known.contains($0.key) })
    }
  }

  @Test(arguments: ["lost", "cut"], [1, 2]) func aConditionalWriteWhoseAnswerIsLostIsTheWritersOwn(
    _ fault: String, _ times: Int
  ) async throws {
    try await withS3(.moto) { direct, _ in
      let proxy = try await FaultyProxy.start(
        before: direct.location.endpoint, ["\(fault)=1", "only=^PUT .*wanted", "times=\(times)"])
      let store = try direct.through(proxy.endpoint)
      // The connection has been used before: libcurl sends a request again by itself when such a one breaks.
      try await store.put([1], at: "runs/other")
      let isFirst = try await store.putIfAbsent(Array("first".utf8), at: "runs/wanted")
      #expect(isFirst)
      #expect(try await proxy.counts()[fault] == times)
      let isSecond = try await store.putIfAbsent(Array("another".utf8), at: "runs/wanted")
      #expect(!isSecond)
      let there = try await direct.get("runs/wanted", limit: .kibibytes(1))
      #expect(there == Array("first".utf8))
    }
  }

  @Test func ofTwoWritersWhoseAnswersAreLostOneIsToldThatItWon() async throws {
    try await withS3(.moto) { direct, _ in
      let faults = ["lost=0.25", "cut=0.15", "busy=0.1", "only=^PUT"]
      let first = try await FaultyProxy.start(before: direct.location.endpoint, faults, seed: 7)
      let second = try await FaultyProxy.start(before: direct.location.endpoint, faults, seed: 8)
      let stores = [try direct.through(first.endpoint), try direct.through(second.endpoint)]
      // Neither as long as the other: the loser finds more, or less, than it has written.
      let contents = [Array("one".utf8), [UInt8](repeating: 2, count: 5000)]
      for number in 0..<20 {
        let key = "runs/\(number)"
        async let one = stores[0].putIfAbsent(contents[0], at: key)
        async let other = stores[1].putIfAbsent(contents[1], at: key)
        let won = [try await one, try await other]
        let there = try await direct.get(key, limit: .kibibytes(64))
        #expect(won.filter { $0 }.count == 1, "\(key)")
        #expect(there == contents[won[0] ? 0 : 1], "\(key)")
      }
      for proxy in [first, second] {
        let counts = try await proxy.counts()
        #expect(counts["lost", default: 0] > 0 && counts["cut", default: 0] > 0)
      }
    }
  }

  @Test func aTruncatedAnswerIsNeverTakenForTheWhole() async throws {
    try await withS3(.rclone) { direct, folder in
      let content = randomContent(300_000, seed: 9)
      for number in 0..<3 { try await direct.put(content, at: "raw/\(number)") }
      let passing = try await FaultyProxy.start(
        before: direct.location.endpoint, ["truncated=0.5", "only=^GET"], seed: 8)
      let store = try direct.through(passing.endpoint)
      let target = joined(folder, "target")
      for number in 0..<3 {
        let key = "raw/\(number)"
        #expect(try await store.get(key, limit: .mebibytes(1)) == content)
        #expect(try await store.get(key, toFile: target))
        #expect(try readFile(target, limit: .mebibytes(1)) == content)
        try removeFile(target)
        #expect(try await store.range(key, from: 1000, count: 200_000) == Array(content[1000..<201_000]))
        #expect(try await store.list("raw/").map(\.key) == ["raw/0", "raw/1", "raw/2"])
      }
      #expect(try await passing.counts()["truncated", default: 0] > 10)

      let lasting = try await FaultyProxy.start(
        before: direct.location.endpoint, ["truncated=1", "only=^GET"])
      for operation in [
        { _ = try await $0.get("raw/0", limit: .mebibytes(1)) },
        { _ = try await $0.get("raw/0", toFile: target) },
        { _ = try await $0.range("raw/0", from: 0, count: 300_000) }, { _ = try await $0.list("raw/") },
      ] as [(S3Store) async throws -> Void] {
        let failure = await #expect(throws: Failure.self) {
          try await operation(try direct.through(lasting.endpoint))
        }
        #expect(failure?.code == "store.broken", "\(failure?.description ?? "")")
        #expect(!exists(target))
      }
      #expect(try await lasting.counts()["truncated"] == 4 * RetryPolicy().attempts)
    }
  }

  @Test(arguments: StoreKind.servers, ["lost", "cut", "busy", "refused", "truncated"])
  func joinedPartsWhoseAnswerIsLostAreTheObject(_ kind: StoreKind, _ fault: String) async throws {
    try await withS3(kind) { direct, folder in
      let proxy = try await FaultyProxy.start(
        before: direct.location.endpoint, ["\(fault)=1", "only=^POST .*uploadId", "times=1"])
      try await checkParts(direct, through: proxy, folder)
      #expect(try await proxy.counts()[fault] == 1)
    }
  }

  @Test(arguments: ["lost", "cut", "busy", "refused", "truncated"]) func partsArriveWhateverHappensToSome(
    _ fault: String
  ) async throws {
    try await withS3(.rclone) { direct, folder in
      // The answer to a part has no body that could be truncated; that to the beginning of the upload has.
      let which = fault == "truncated" ? "only=^POST .*uploads" : "only=partNumber"
      let proxy = try await FaultyProxy.start(
        before: direct.location.endpoint, ["\(fault)=0.6", which, "times=3"], seed: 7)
      try await checkParts(direct, through: proxy, folder)
      #expect(try await proxy.counts()[fault, default: 0] > 0)
    }
  }

  /// Three parts.
  private static let large = randomContent(11 << 20, seed: 3)

  private func checkParts(_ direct: S3Store, through proxy: FaultyProxy, _ folder: String) async throws {
    var store = try direct.through(proxy.endpoint)
    store.settings.partsFrom = .mebibytes(5)
    store.settings.partSize = .mebibytes(5)
    let content = Self.large
    let file = joined(folder, "file")
    try publish(content, at: file, replacing: true)
    try await store.put(file: file, at: "raw/large")
    let there = try await direct.get("raw/large", limit: .mebibytes(16))
    #expect(there == content)
  }

  @Test func partsThatCantBeJoinedAreTakenAway() async throws {
    try await withS3(.rclone) { direct, folder in
      let proxy = try await FaultyProxy.start(
        before: direct.location.endpoint, ["busy=1", "only=^POST .*uploadId"])
      var store = try direct.through(proxy.endpoint)
      store.settings.partsFrom = ByteCount(1)
      let file = joined(folder, "file")
      try publish([1, 2, 3], at: file, replacing: true)
      let failure = await #expect(throws: Failure.self) { try await store.put(file: file, at: "raw/large") }
      #expect(failure?.code == "store.unavailable")
      #expect(try await direct.stat("raw/large") == nil)
      let later = Instant(seconds: WallClock.system.now().seconds + 3600)
      #expect(try await direct.abortUploads(before: later) == 0)
    }
  }

  @Test func aStalledAnswerIsNotWaitedFor() async throws {
    try await withS3(.rclone) { direct, _ in
      try await direct.put([1, 2, 3], at: "raw/a")
      let timeouts = HTTPRequest.Timeouts(connect: 5, idle: 1)
      let once = try await FaultyProxy.start(
        before: direct.location.endpoint, ["stall=1", "only=^GET", "times=1"])
      let store = try direct.through(once.endpoint, timeouts: timeouts)
      #expect(try await store.get("raw/a", limit: .kibibytes(1)) == [1, 2, 3])
      let counts = try await once.counts()
      #expect(counts["stall"] == 1 && counts["requests"] == 2)

      let lasting = try await FaultyProxy.start(before: direct.location.endpoint, ["stall=1", "only=^GET"])
      var client = try direct.through(lasting.endpoint, timeouts: timeouts).client
      client.policy.attempts = 2
      let stalled = S3Store(client)
      let failure = await #expect(throws: Failure.self) {
        _ = try await stalled.get("raw/a", limit: .kibibytes(1))
      }
      #expect(failure?.code == "store.timeout")
      #expect(failure?.description.contains(lasting.endpoint) == true)
    }
  }
}
