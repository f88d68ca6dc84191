import Files
import HTTP
import Support
import Synchronization
import TestSupport
import Testing

@testable import ObjectStorage

/// What a store makes of answers that real servers on this machine don't give: AWS's own, and those of what is no S3.
@Suite(.tags(.medium)) struct S3AnswerTests {
  private typealias Answer = ScriptedServer.Answer
  private let hidden = errorDocument("InternalError", "We encountered an internal error. Please try again.")

  // MARK: errors behind a status of 200

  @Test func aCompletionThatFailsBehindItsStatusIsDoneAgain() async throws {
    try await withScratch { folder in
      let server = try await ScriptedServer.start(
        parts(completion: [
          Answer(to: "^POST .*uploadId", body: hidden),
          Answer(to: "^POST .*uploadId", body: "<CompleteMultipartUploadResult/>"),
        ]))
      try await put(server, folder)
      let lines = try await server.requests().map(\.line)
      #expect(lines.filter { $0 == "POST /bucket/x/raw/a?uploadId=U" }.count == 2)
      #expect(!lines.contains { $0.hasPrefix("DELETE") })
    }
  }

  @Test func aCompletionThatGoesOnFailingBehindItsStatusIsNone() async throws {
    try await withScratch { folder in
      let server = try await ScriptedServer.start(
        parts(completion: [Answer(to: "^POST .*uploadId", body: hidden)])
          + [Answer(to: "^DELETE", status: 204)])
      let failure = await #expect(throws: Failure.self) { try await put(server, folder) }
      #expect(failure?.code == "store.unavailable", "\(failure?.description ?? "")")
      #expect(failure?.words.contains("InternalError") == true)
      let lines = try await server.requests().map(\.line)
      #expect(
        lines.filter { $0.hasPrefix("POST") && $0.contains("uploadId") }.count == RetryPolicy().attempts)
      #expect(lines.last == "DELETE /bucket/x/raw/a?uploadId=U")
    }
  }

  /// S3 sends blanks while it joins the parts, so that nobody gives up; other servers may send them before anything else.
  @Test func blanksBeforeAnErrorDoNotHideIt() async throws {
    try await withScratch { folder in
      let blanks = String(repeating: " \n", count: 100)
      let result = "<?xml version=\"1.0\"?><CompleteMultipartUploadResult/>"
      let server = try await ScriptedServer.start(
        parts(completion: [
          Answer(to: "^POST .*uploadId", body: blanks + hidden),
          Answer(to: "^POST .*uploadId", body: blanks + result),
        ]))
      try await put(server, folder)
      #expect(try await server.requests().filter { $0.line.hasSuffix("uploadId=U") }.count == 3)
    }
  }

  @Test(arguments: [3, nil]) func aCompletionThatCantBeReadIsOneWhenTheObjectIsThere(_ size: Int?)
    async throws
  {
    try await withScratch { folder in
      let server = try await ScriptedServer.start(
        parts(completion: [Answer(to: "^POST .*uploadId", body: Self.page)])
          + (size.map { [Answer(to: "^HEAD", body: String(repeating: "x", count: $0))] } ?? []))
      if size == 3 {
        try await put(server, folder)
      } else {
        let failure = await #expect(throws: Failure.self) { try await put(server, folder) }
        #expect(failure?.code == "store.answer")
      }
    }
  }

  /// The upload is gone because the attempt before has joined it; or because somebody else has removed it.
  @Test(arguments: [3, 4]) func anUploadThatIsGoneHasBeenJoinedWhenTheObjectIsThere(_ size: Int) async throws
  {
    try await withScratch { folder in
      let server = try await ScriptedServer.start(
        parts(completion: [
          Answer(to: "^POST .*uploadId", status: 500),
          Answer(to: "^POST .*uploadId", status: 404, body: errorDocument("NoSuchUpload")),
        ]) + [Answer(to: "^HEAD", body: String(repeating: "x", count: size))])
      if size == 3 {
        try await put(server, folder)
      } else {
        let failure = await #expect(throws: Failure.self) { try await put(server, folder) }
        #expect(failure?.code == "store.refused")
      }
    }
  }

  private func parts(completion: [Answer]) -> [Answer] {
    [
      Answer(
        to: "^POST .*uploads=$",
        body: "<InitiateMultipartUploadResult><UploadId>U</UploadId></InitiateMultipartUploadResult>"),
      Answer(to: "^PUT .*partNumber=1", headers: ["ETag": "\"e\""]),
    ] + completion
  }

  private func put(_ server: ScriptedServer, _ folder: String) async throws {
    var store = try server.store()
    store.settings.partsFrom = ByteCount(1)
    let file = joined(folder, "file")
    try publish([1, 2, 3], at: file, replacing: true)
    try await store.put(file: file, at: "raw/a")
  }

  @Test func aListingThatFailsBehindItsStatusIsAskedForAgain() async throws {
    let listing =
      "<ListBucketResult><Contents><Key>x/raw/a</Key><Size>3</Size></Contents><IsTruncated>false</IsTruncated></ListBucketResult>"
    let server = try await ScriptedServer.start([
      Answer(body: hidden, times: 2), Answer(body: listing), Answer(body: hidden),
    ])
    #expect(try await server.store().list("raw/").map(\.key) == ["raw/a"])
    #expect(try await server.requests().count == 3)
    let failure = await #expect(throws: Failure.self) { _ = try await server.store().list("raw/") }
    #expect(failure?.code == "store.unavailable")
  }

  // MARK: what is put right once

  /// 2026-01-01 here, two hours later there.
  private let clock = WallClock { Instant(seconds: 1_767_225_600) }
  private let ahead = ["Date": "Thu, 01 Jan 2026 02:00:00 GMT"]

  @Test func anotherTimeIsTakenOverFromTheServerOnce() async throws {
    let server = try await ScriptedServer.start([
      Answer(status: 403, headers: ahead, body: errorDocument("RequestTimeTooSkewed")),
      Answer(body: "object"),
    ])
    let store = try server.store(clock: clock)
    #expect(try await store.get("a", limit: .kibibytes(1)) == Array("object".utf8))
    // The next one knows it beforehand.
    #expect(try await store.get("a", limit: .kibibytes(1)) == Array("object".utf8))
    let dates = try await server.requests().map { $0.headers["x-amz-date"] }
    #expect(dates == ["20260101T000000Z", "20260101T020000Z", "20260101T020000Z"])
  }

  @Test func anotherTimeThatRemainsIsSaid() async throws {
    for (headers, count) in [(ahead, 2), ([:], 1)] {
      let server = try await ScriptedServer.start([
        Answer(status: 403, headers: headers, body: errorDocument("RequestTimeTooSkewed"))
      ])
      let failure = await #expect(throws: Failure.self) {
        try await server.store(clock: clock).put([1], at: "a")
      }
      #expect(failure?.code == "store.clock")
      #expect(try await server.requests().count == count)
    }
  }

  /// The answer to HEAD has no body, and so no words.
  @Test func anotherTimeIsTakenOverWhenOnlyASizeIsAskedFor() async throws {
    let server = try await ScriptedServer.start([
      Answer(to: "^HEAD", status: 403, headers: ahead),
      Answer(to: "^GET", status: 403, headers: ahead, body: errorDocument("RequestTimeTooSkewed")),
      Answer(to: "^GET", status: 206, body: "x"), Answer(to: "^HEAD", body: "12345"),
    ])
    #expect(try await server.store(clock: clock).stat("a")?.size == 5)
  }

  @Test func expiredKeysAreFetchedAnewOnce() async throws {
    let server = try await ScriptedServer.start([
      Answer(to: "/a$", status: 400, body: errorDocument("ExpiredToken")), Answer(to: "/a$", body: "object"),
      Answer(to: "^HEAD .*/b$", status: 400), Answer(to: "^HEAD .*/b$", body: "12345"),
      Answer(to: "^GET .*/b$", status: 400, body: errorDocument("ExpiredToken")),
      Answer(to: "^GET .*/b$", status: 206, body: "x"),
    ])
    let provider = CountingKeys()
    let store = try server.store(KeySource([provider]))
    #expect(try await store.get("a", limit: .kibibytes(1)) == Array("object".utf8))
    #expect(provider.fetched == 2)
    var tokens = try await server.requests().map { $0.headers["x-amz-security-token"] }
    #expect(tokens == ["token 1", "token 2"])
    #expect(try await store.stat("b")?.size == 5)
    tokens = try await server.requests().map { $0.headers["x-amz-security-token"] }
    #expect(tokens.dropFirst(2) == ["token 2", "token 2", "token 3", "token 3"])
  }

  @Test func keysThatRemainExpiredAreSaidToBe() async throws {
    let server = try await ScriptedServer.start([Answer(status: 400, body: errorDocument("ExpiredToken"))])
    let provider = CountingKeys()
    let failure = await #expect(throws: Failure.self) {
      try await server.store(KeySource([provider])).put([1], at: "a")
    }
    #expect(failure?.code == "store.keys")
    #expect(failure?.words.contains("ExpiredToken") == true)
    let count = try await server.requests().count
    #expect(provider.fetched == 2 && count == 2)
    // Fixed ones can't be fetched anew.
    let fixed = await #expect(throws: Failure.self) { try await server.store().put([1], at: "a") }
    #expect(fixed?.code == "store.keys")
    #expect(try await server.requests().count == 3)
  }

  @Test func keysThatCantBeHadAreNoFaultOfAFile() async throws {
    let server = try await ScriptedServer.start([])
    struct Failing: KeyProvider {
      var name: String { "the test" }
      func fetch() async throws(Failure) -> AccessKeys? {
        throw Failure("store.keys", "There are none.", remedy: "Get some.")
      }
    }
    for source in [KeySource([Failing()]), KeySource([])] {
      let failure = await #expect(throws: Failure.self) { try await server.store(source).put([1], at: "a") }
      #expect(failure?.code == "store.keys")
      #expect(failure?.remedy.isEmpty == false)
    }
    #expect(try await server.requests().isEmpty)
  }

  @Test func aServerIsGivenTheTimeThatItAsksFor() async throws {
    let server = try await ScriptedServer.start([
      Answer(status: 503, headers: ["Retry-After": "3"], body: errorDocument("SlowDown")),
      Answer(status: 503, headers: ["Retry-After": "nan"]), Answer(),
    ])
    let waited = Mutex<[Double]>([])
    var client = try server.store().client
    client.wait = { seconds in waited.withLock { $0.append(seconds) } }
    try await S3Store(client).put([1], at: "a")
    let seconds = waited.withLock { $0 }
    #expect(seconds.count == 2 && seconds[0] >= 3 && seconds[1] < 1, "\(seconds)")
  }

  @Test func aLongerObjectThanOursIsAnothers() async throws {
    let server = try await ScriptedServer.start([
      Answer(to: "^PUT", status: 503),
      Answer(to: "^PUT", status: 412, body: errorDocument("PreconditionFailed")),
      Answer(to: "^GET", body: "another's"),
    ])
    var store = try server.store()
    store.settings.isConditional = true
    let isOurs = try await store.putIfAbsent(Array("ours".utf8), at: "a")
    #expect(!isOurs)
  }

  @Test func nothingOfAnAttemptThatWasCutOffStaysInTheFile() async throws {
    try await withScratch { folder in
      let server = try await ScriptedServer.start([
        Answer(headers: ["Content-Length": "100"], body: "the object as it was before"),
        Answer(body: "and is now"),
        Answer(headers: ["Content-Length": "100"], body: "the object as it was before"),
        Answer(status: 404, body: errorDocument("NoSuchKey")),
      ])
      let (store, target) = (try server.store(), joined(folder, "target"))
      #expect(try await store.get("a", toFile: target))
      #expect(try readFile(target, limit: .kibibytes(1)) == Array("and is now".utf8))
      try removeFile(target)
      #expect(try await !store.get("a", toFile: target))
      #expect(!exists(target))
      #expect(try await server.requests().count == 4)
    }
  }

  // MARK: what a person reads

  struct Reading: Sendable, CustomTestStringConvertible {
    var status: Int
    var headers: [String: String] = [:]
    var body = ""
    var code: FailureCode
    var words = ""
    var remedy = ""
    var testDescription: String { "\(status) \(body.prefix(90))" }
  }

  static let page = "<html><body><p>Welcome to the router<br></body></html>"
  static let readings = [
    Reading(
      status: 301, body: errorDocument("PermanentRedirect", "", "<Endpoint>bucket.s3.eu-west-3</Endpoint>"),
      code: "store.region", words: "PermanentRedirect"),
    Reading(
      status: 301, headers: ["x-amz-bucket-region": "eu-west-3"], body: errorDocument("PermanentRedirect"),
      code: "store.region", remedy: "eu-west-3"),
    Reading(
      status: 301, headers: ["x-amz-bucket-region": "eu-west-3"], code: "store.region", remedy: "eu-west-3"),
    Reading(
      status: 400,
      body: errorDocument("AuthorizationHeaderMalformed", "Wrong.", "<Region>eu-central-1</Region>"),
      code: "store.region", words: "Wrong.", remedy: "eu-central-1"),
    Reading(
      status: 403, body: errorDocument("AccessDenied", "No."), code: "store.denied",
      words: "AccessDenied: No. (request REQUEST-7)"),
    Reading(
      status: 403, headers: ["x-amz-request-id": "ID-9"], code: "store.denied",
      words: "HTTP 403 (request ID-9)"),
    Reading(
      status: 403, body: errorDocument("SignatureDoesNotMatch"), code: "store.keys",
      words: "SignatureDoesNotMatch"),
    Reading(status: 404, body: errorDocument("NoSuchBucket"), code: "store.bucket", words: "REQUEST-7"),
    Reading(status: 400, body: page, code: "store.answer", words: "HTTP 400"),
    Reading(status: 405, body: "no XML <", code: "store.answer"),
    Reading(status: 400, body: errorDocument("BadDigest"), code: "store.digest"),
    Reading(
      status: 400, body: errorDocument("EntityTooLarge"), code: "store.refused", words: "EntityTooLarge"),
    Reading(status: 503, body: errorDocument("SlowDown"), code: "store.unavailable", words: "SlowDown"),
    Reading(status: 400, body: errorDocument("RequestTimeout"), code: "store.unavailable"),
    Reading(status: 502, body: page, code: "store.unavailable"),
  ]

  @Test(arguments: readings) func refusalsSayWhoWhatAndWhatToDo(_ reading: Reading) async throws {
    let server = try await ScriptedServer.start([
      Answer(status: reading.status, headers: reading.headers, body: reading.body)
    ])
    let store = try server.store()
    for (operation, name) in [
      ({ try await store.put([1], at: "raw/a") }, "write the object raw/a"),
      ({ _ = try await store.get("raw/a", limit: .kibibytes(1)) }, "read the object raw/a"),
      ({ _ = try await store.list("raw/") }, "list the objects under raw/"),
      ({ _ = try await store.abortUploads(before: Instant(seconds: 0)) }, "list uploads in parts"),
      ({ _ = try await store.stat("raw/a") }, "look at the object raw/a"),
      ({ try await store.delete("raw/a") }, "delete the object raw/a"),
    ] as [(() async throws -> Void, String)] {
      // Of an object that is missing, or whose bucket is.
      if reading.status == 404, name.hasPrefix("look") || name.hasPrefix("delete") { continue }
      let failure = try #require(await #expect(throws: Failure.self) { try await operation() })
      #expect(failure.code == reading.code, "\(failure)")
      #expect(failure.sentence.contains(server.endpoint) && failure.sentence.contains("(It was to \(name).)"))
      #expect(failure.remedy.contains(reading.remedy) && !failure.remedy.isEmpty)
      // An answer to HEAD has no words.
      let hasWords = !(name.hasPrefix("look") && reading.status >= 500)
      #expect(!hasWords || failure.words.contains(reading.words))
      #expect(failure.words.hasPrefix("HTTP \(reading.status)"))
      #expect(!failure.description.contains("router"))
    }
  }

  @Test func aPageIsNoListingAndNoMissingObject() async throws {
    let server = try await ScriptedServer.start([
      Answer(to: "list-type", body: Self.page), Answer(to: "^GET", status: 404, body: Self.page),
      Answer(to: "^POST", body: Self.page),
    ])
    let store = try server.store()
    for operation in [
      { _ = try await store.list("") }, { _ = try await store.get("a", limit: .kibibytes(1)) },
      { _ = try await store.range("a", from: 0, count: 1) },
      { try await withScratch { try await put(server, $0) } },
    ] as [() async throws -> Void] {
      let failure = try #require(await #expect(throws: Failure.self) { try await operation() })
      #expect(failure.code == "store.answer", "\(failure)")
      #expect(failure.sentence.contains(server.endpoint) && failure.sentence.contains("(It was to "))
    }
  }
}

/// Others each time.
final class CountingKeys: KeyProvider {
  let name = "the test"
  private let count = Mutex(0)
  var fetched: Int { count.withLock { $0 } }

  func fetch() async throws(Failure) -> AccessKeys? {
    let number = count.withLock {
      $0 += 1
      return $0
    }
    return AccessKeys(id: "AKID", secret: "secret \(number)", sessionToken: "token \(number)")
  }
}
