import Files
import HTTP
import Support
import TestSupport
import Testing

@testable import ObjectStorage

/// What is S3's own: conditions, checksums, uploads in parts, and what people read when something is wrong.
@Suite(.tags(.medium)) struct S3StoreTests {
  @Test(arguments: StoreKind.servers) func serversAreAskedWhetherTheyHonourConditions(_ kind: StoreKind)
    async throws
  {
    try await withS3(kind) { store, _ in
      let answer = try await store.probeConditions(at: "runs/probe")
      #expect(answer == (kind == .moto))
      // It is there now, and that says as much.
      let again = try await store.probeConditions(at: "runs/probe")
      #expect(again == answer)
      let kept = try await store.honoursConditions()
      #expect(kept == answer)
      let keys = try await store.list("runs/").map(\.key)
      #expect(keys == ["runs/probe", "runs/store.json"])
    }
  }

  @Test func aWrongKeyIsSaidToBe() async throws {
    let keys = AccessKeys(id: "AKIDTEST12345", secret: "wrong")
    let store = try await s3Store(.rclone, keys: keys)
    for operation in [
      { _ = try await store.get("a", limit: .kibibytes(1)) }, { try await store.put([1], at: "a") },
      { _ = try await store.stat("a") }, { _ = try await store.list("") },
    ] as [() async throws -> Void] {
      let failure = await #expect(throws: Failure.self) { try await operation() }
      #expect(failure?.code == "store.keys", "\(failure?.description ?? "")")
      #expect(failure?.description.contains(store.location.endpoint) == true)
      #expect(failure?.words.contains("SignatureDoesNotMatch") == true)
      #expect(failure?.description.contains("wrong") == false)
    }
  }

  @Test func aMissingBucketIsSaidToBe() async throws {
    for kind in StoreKind.servers {
      let there = try await s3Store(kind)
      let location = try S3Location(
        url: "s3://no-such-bucket/x", endpoint: there.location.endpoint, region: nil, style: nil)
      let store = S3Store(location, http: there.client.http, keys: there.client.keys)
      for operation in [
        { try await store.put([1], at: "a") }, { _ = try await store.list("") },
        { _ = try await store.get("a", limit: .kibibytes(1)) },
      ] as [() async throws -> Void] {
        let failure = await #expect(throws: Failure.self) { try await operation() }
        #expect(failure?.code == "store.bucket", "\(kind): \(failure?.description ?? "")")
      }
    }
  }

  @Test func nobodyThereIsSaidToBe() async throws {
    let location = try S3Location(
      url: "s3://bucket/x", endpoint: "http://127.0.0.1:\(try freePort())", region: nil, style: nil)
    var client = S3Client(
      location: location, http: try HTTPClient(), keys: KeySource(AccessKeys(id: "a", secret: "b")),
      clock: .system)
    client.wait = { _ in }
    let store = S3Store(client)
    let failure = await #expect(throws: Failure.self) { try await store.put([1], at: "a") }
    #expect(failure?.code == "store.unreachable")
    #expect(failure?.description.contains(location.endpoint) == true)
  }

  @Test func whatIsNoS3IsSaidToBe() async throws {
    // A catalog's port by mistake: rclone's own web page will do.
    let server = try await TestServers.start(
      "servers/bin/rclone", { ["serve", "http", "--addr", "127.0.0.1:\($0)", repositoryRoot + "/docs"] })
    let location = try S3Location(url: "s3://bucket/x", endpoint: server, region: nil, style: nil)
    let store = S3Store(location, http: try HTTPClient(), keys: KeySource(AccessKeys(id: "a", secret: "b")))
    for operation in [
      { try await store.put([1], at: "a") }, { _ = try await store.list("") },
      { _ = try await store.get("a", limit: .kibibytes(1)) },
    ] as [() async throws -> Void] {
      let failure = await #expect(throws: Failure.self) { try await operation() }
      #expect(["store.answer", "store.refused"].contains(failure?.code), "\(failure?.description ?? "")")
    }
  }

  @Test func storageClassesGoByKind() async throws {
    try await withS3(.moto) { store, folder in
      var store = store
      store.settings.storageClasses = [.raw: "GLACIER_IR"]
      store.settings.partsFrom = .mebibytes(5)
      store.settings.partSize = .mebibytes(5)
      try await store.put([1], at: "raw/small")
      try await store.put([1], at: "runs/small")
      let file = joined(folder, "file")
      try publish(randomContent(6 << 20, seed: 1), at: file, replacing: true)
      try await store.put(file: file, at: "raw/large")
      func storageClass(_ key: String) async throws -> String? {
        try await store.client.send(try store.request(.head, key), "look").response.headers[
          "x-amz-storage-class"]
      }
      #expect(try await storageClass("raw/small") == "GLACIER_IR")
      #expect(try await storageClass("raw/large") == "GLACIER_IR")
      #expect(try await storageClass("runs/small") == nil)
    }
  }

  /// With rclone alone: moto says of every upload that it was begun in 2010.
  @Test func anUploadThatWasLeftBehindIsAborted() async throws {
    try await withS3(.rclone) { store, _ in
      var create = try store.request(.post, "raw/left")
      create.query = [("uploads", "")]
      _ = try await store.client.send(create, "begin")
      let now = WallClock.system.now()
      #expect(try await store.abortUploads(before: Instant(seconds: now.seconds - 3600)) == 0)
      #expect(try await store.abortUploads(before: Instant(seconds: now.seconds + 3600)) == 1)
      #expect(try await store.abortUploads(before: Instant(seconds: now.seconds + 3600)) == 0)
    }
  }

  @Test func whatLiesInColdStorageIsAskedForOnce() async throws {
    try await withS3(.moto) { store, _ in
      var store = store
      store.settings.storageClasses = [.raw: "DEEP_ARCHIVE"]
      try await store.put([1], at: "raw/cold")
      let failure = await #expect(throws: Failure.self) {
        _ = try await store.get("raw/cold", limit: .kibibytes(1))
      }
      #expect(failure?.code == "store.frozen" && failure?.words.contains("InvalidObjectState") == true)
      #expect(try await store.thaw("raw/cold"))
      // moto has it back at once.
      #expect(try await store.get("raw/cold", limit: .kibibytes(1)) == [1])
    }
  }

  @Test func aFileThatShrinksWhileItGoesUpIsNoObject() async throws {
    try await withS3(.moto) { store, folder in
      let file = joined(folder, "file")
      try publish([UInt8](repeating: 7, count: 1000), at: file, replacing: true)
      var request = try store.request(.put, "short")
      request.body = .file(file, offset: 0, count: 2000)
      request.digest = Signer.unsignedPayload
      let failure = await #expect(throws: Failure.self) {
        _ = try await store.client.send(request, "write it")
      }
      #expect(failure?.code == "store.file")
      #expect(try await store.stat("short") == nil)
    }
  }

  @Test func partsArePlannedWithinTheLimits() {
    #expect(PartPlan(size: 1, partSize: .mebibytes(16)) == PartPlan(size: 1, partSize: .mebibytes(16)))
    for size in [1, 5 << 20, (5 << 20) + 1, 1 << 30, 5 << 40, (48 << 30) + 123] as [Int64] {
      let plan = PartPlan(size: size, partSize: .mebibytes(16))
      #expect(plan.count <= 10_000 && plan.partSize >= 5 << 20)
      #expect((0..<plan.count).reduce(0) { $0 + plan.part($1).count } == size)
      #expect((0..<plan.count - 1).allSatisfy { plan.part($0).count == plan.partSize })
      #expect(plan.part(plan.count - 1).count > 0)
    }
  }

  @Test func pausesGrowAndAreRandom() {
    let policy = RetryPolicy()
    #expect(
      (1...12).map { policy.pause(after: $0, asked: nil, random: 1) }.prefix(8) == [
        0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 8,
      ])
    #expect(policy.pause(after: 3, asked: nil, random: 0.5) == 0.2)
    #expect(policy.pause(after: 1, asked: 3, random: 0) == 3)
    #expect(policy.pause(after: 1, asked: 1e9, random: 0) == 20)
    let budget = RetryBudget(most: 2)
    #expect(budget.takeOne() && budget.takeOne() && !budget.takeOne())
    budget.earn()
    #expect(!budget.takeOne())
    budget.earn()
    #expect(budget.takeOne())
  }

  @Test func datesAreRead() {
    #expect(httpDate("Sun, 06 Nov 1994 08:49:37 GMT")?.description == "1994-11-06T08:49:37Z")
    #expect(listingDate("2026-11-25T23:14:37.123Z")?.description == "2026-11-25T23:14:37Z")
    for text in ["", "x", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT"] {
      #expect(httpDate(text) == nil)
    }
    for (zone, time) in [
      ("", "23:14:37"), (".5+00:00", "23:14:37"), ("+02:00", "21:14:37"), ("-00:30", "23:44:37"),
    ] {
      #expect(listingDate("2026-11-25T23:14:37\(zone)")?.description == "2026-11-25T\(time)Z")
    }
    for text in ["", "2026", "2026-13-25T23:14:37Z", "2026-11-25T23:14:37 CET", "2026-11-25T23:14:37+25:00"] {
      #expect(listingDate(text) == nil)
    }
  }

  @Test func locationsAreRead() throws {
    func location(_ url: String, _ endpoint: String? = nil, _ region: String? = nil) throws -> S3Location {
      try S3Location(url: url, endpoint: endpoint, region: region, style: nil)
    }
    let aws = try location("s3://bucket/a/b/", nil, "eu-central-1")
    #expect(aws.url == "s3://bucket/a/b")
    #expect(
      aws.address("a/b/c").host == "bucket.s3.eu-central-1.amazonaws.com"
        && aws.address("a/b/c").path == "/a/b/c")
    // A certificate for *.s3… covers no dot.
    #expect(try location("s3://my.bucket").address(nil).path == "/my.bucket/")
    let own = try location("s3a://bucket", "http://127.0.0.1:9000/")
    #expect(
      own.url == "s3://bucket" && own.address("x y").path == "/bucket/x%20y"
        && own.address("x").host == "127.0.0.1:9000")
    #expect(try location("s3://bucket", "https://host:443").host == "host")
    for (url, endpoint) in [
      ("file:///x", nil), ("s3://", nil), ("s3:///x", nil), ("s3://a", nil), ("s3://b@d/x", nil),
      ("s3://bucket/../x", nil),
      ("s3://bucket", "ftp://x"), ("s3://bucket", "http://"), ("s3://bucket", "http://user:pw@host"),
      ("s3://bucket", "http://h/?x"),
    ] as [(String, String?)] {
      #expect(throws: Failure.self, "\(url)") { _ = try location(url, endpoint) }
    }
  }
}
