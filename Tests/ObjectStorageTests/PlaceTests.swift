import Files
import HTTP
import Support
import TestSupport
import Testing

@testable import ObjectStorage

/// Objects outside the store's own prefix, and those that other keys are for.
@Suite(.tags(.medium)) struct PlaceTests {
  @Test(arguments: StoreKind.servers)
  func anotherBucketIsAStoreToo(_ kind: StoreKind) async throws {
    try await withS3(kind) { store, folder in
      let other = try await s3Store(kind)
      let root = "s3://\(other.location.bucket)/warehouse/a table"
      let url = "\(root)/data/dt=2026-11-23/x.parquet"
      #expect(store.key(of: url) == nil)
      try store.reach(root)
      let key = try #require(store.key(of: url))
      #expect(store.url(of: key) == url)
      #expect(store.key(of: "s3a" + url.dropFirst(2)) == key)
      // What lies beside it stays out of reach.
      #expect(store.key(of: root + "s/x") == nil && store.key(of: root) == nil)
      #expect(store.key(of: "\(root)/../x") == nil && store.key(of: "\(root)//x") == nil)
      let content = Array("content".utf8)
      #expect(try await store.putIfAbsent(content, at: key))
      #expect(try await !store.putIfAbsent(Array("other".utf8), at: key))
      #expect(try await store.get(key, limit: .kibibytes(1)) == content)
      #expect(try await store.range(key, from: 3, count: 2) == Array("te".utf8))
      #expect(try await store.stat(key)?.size == 7)
      let file = joined(folder, "large")
      try publish(randomContent(6 << 20, seed: 1), at: file, replacing: true)
      var inParts = store
      inParts.settings.partsFrom = .mebibytes(5)
      inParts.settings.partSize = .mebibytes(5)
      let large = try #require(store.key(of: "\(root)/data/large"))
      try await inParts.put(file: file, at: large)
      #expect(try await store.stat(large)?.size == 6 << 20)
      let all = try await store.list(store.key(of: "\(root)/data/x")!.dropLast(1).description)
      #expect(all.map(\.key) == [key, large].sorted())
      #expect(try await store.list(all[0].key, after: "").map(\.key) == [all[0].key])
      #expect(try await store.list(String(large.dropLast(5)), after: all[0].key).map(\.key) == [all[1].key])
      try await store.put(content, at: "runs/own")
      #expect(try await store.list("").map(\.key) == ["runs/own"])
      try await store.delete([key, large, "runs/own"])
      #expect(try await store.list("").isEmpty)
      #expect(try await store.stat(key) == nil)
      #expect(try await store.stat(large) == nil)
    }
  }

  @Test func otherKeysAreForThatPlaceAlone() async throws {
    let server = try await ScriptedServer.start([ScriptedServer.Answer(body: "x", times: 9)])
    let store = try server.store()
    try store.reach(
      "s3://bucket/x/table", keys: KeySource(AccessKeys(id: "LENT", secret: "l", sessionToken: "t")),
      region: "eu-west-3")
    // It lies within the store: from now on it is asked for with the keys that are for it.
    for url in ["s3://bucket/x/table/data/a", "s3://bucket/x/runs/a"] {
      _ = try await store.get(try #require(store.key(of: url)), limit: .kibibytes(1))
    }
    let requests = try await server.requests()
    #expect(requests.map(\.line) == ["GET /bucket/x/table/data/a", "GET /bucket/x/runs/a"])
    let signed = requests.map { $0.headers["authorization"] ?? "" }
    #expect(signed[0].contains("Credential=LENT/") && signed[0].contains("/eu-west-3/s3/"))
    #expect(signed[1].contains("Credential=AKID/") && signed[1].contains("/us-east-1/s3/"))
    #expect(requests.map { $0.headers["x-amz-security-token"] } == ["t", nil])
    let access = try await store.access()
    #expect(access.map(\.location.url) == ["s3://bucket/x", "s3://bucket/x/table"])
    #expect(access.map(\.keys.id) == ["AKID", "LENT"])
  }

  @Test func anErrorNamesTheServerOfThatPlace() async throws {
    let denied = ScriptedServer.Answer(
      status: 403, body: "<Error><Code>AccessDenied</Code></Error>", times: 9)
    let (own, other) = (try await ScriptedServer.start([]), try await ScriptedServer.start([denied]))
    let store = try own.store()
    try store.reach("s3://tables", keys: nil, endpoint: other.endpoint)
    let key = try #require(store.key(of: "s3://tables/x"))
    let failure = await #expect(throws: Failure.self) { _ = try await store.get(key, limit: .kibibytes(1)) }
    #expect(failure?.code == "store.denied" && failure?.sentence.contains(other.endpoint) == true)
  }
}
