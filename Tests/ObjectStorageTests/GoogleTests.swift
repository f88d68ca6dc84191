import HTTP
import Support
import TestSupport
import Testing

@testable import ObjectStorage

/// Google Cloud Storage's XML API is S3's under other names.
@Suite(.tags(.medium)) struct GoogleTests {
  private typealias Answer = ScriptedServer.Answer

  /// A store that takes the server for Google's.
  private func store(_ server: ScriptedServer, _ keys: KeySource) throws -> S3Store {
    var location = try S3Location(url: "s3://bucket/x", endpoint: server.endpoint, region: "auto", style: nil)
    location.vendor = .google
    var client = S3Client(location: location, http: try HTTPClient(), keys: keys, clock: .system)
    client.wait = { _ in }
    var settings = S3Store.Settings()
    settings.isConditional = true
    settings.storageClasses = [.raw: "COLDLINE"]
    return S3Store(client, settings)
  }

  @Test func itsHostsAreKnown() throws {
    for (endpoint, vendor) in [
      ("https://storage.googleapis.com", S3Location.Vendor.google), ("https://s3.example", .amazon),
      ("https://storage.googleapis.com.example", .amazon),
    ] {
      let location = try S3Location(url: "s3://bucket", endpoint: endpoint, region: nil, style: nil)
      #expect(location.vendor == vendor)
      #expect(location.region == (vendor == .google ? "auto" : "us-east-1"))
    }
  }

  @Test func aRequestHasHeadersOfOneVendorOnly() async throws {
    let server = try await ScriptedServer.start([Answer(times: 9)])
    let store = try store(server, KeySource(AccessKeys(id: "GOOG1E", secret: "s")))
    #expect(try await store.putIfAbsent(Array("x".utf8), at: "raw/a"))
    let request = try #require(try await server.requests().first)
    #expect(!request.headers.keys.contains { $0.hasPrefix("x-amz") || $0 == "if-none-match" })
    #expect(request.headers["x-goog-if-generation-match"] == "0")
    #expect(request.headers["x-goog-storage-class"] == "COLDLINE")
    #expect(request.headers["content-md5"] != nil)
    let signature = request.headers["authorization"] ?? ""
    #expect(signature.hasPrefix("GOOG4-HMAC-SHA256 Credential=GOOG1E/"))
    #expect(signature.contains("/auto/storage/goog4_request,SignedHeaders="))
    #expect(
      signature.contains("x-goog-content-sha256;x-goog-date;x-goog-if-generation-match;x-goog-storage-class"))
  }

  @Test func anAccessTokenStandsInPlaceOfASignatureAndIsRenewedWhenItIsRefused() async throws {
    let server = try await ScriptedServer.start([
      Answer(to: "GET /bucket", status: 401, body: "<Error><Code>AuthenticationRequired</Code></Error>"),
      Answer(to: "GET /bucket", body: "content", times: 9),
      Answer(
        to: "GET /computeMetadata", headers: ["Metadata-Flavor": "Google"],
        body: #"{"access_token":"ya29.new","expires_in":3599,"token_type":"Bearer"}"#, times: 9),
    ])
    let host = String(server.endpoint.dropFirst(7))
    let surroundings = KeySurroundings(
      environment: { $0 == "GCE_METADATA_HOST" ? host : nil }, http: try HTTPClient(), region: "auto")
    let old = AccessKeys(bearer: "ya29.old", expires: nil)
    let store = try store(server, KeySource(old, then: GoogleKeys(surroundings: surroundings)))
    #expect(try await store.get("runs/a", limit: .kibibytes(1)) == Array("content".utf8))
    let requests = try await server.requests()
    #expect(
      requests.map(\.line) == [
        "GET /bucket/x/runs/a", "GET /computeMetadata/v1/instance/service-accounts/default/token",
        "GET /bucket/x/runs/a",
      ])
    #expect(requests.map { $0.headers["authorization"] } == ["Bearer ya29.old", nil, "Bearer ya29.new"])
    #expect(requests[1].headers["metadata-flavor"] == "Google")
    #expect(!requests.contains { $0.headers.keys.contains { $0.hasPrefix("x-goog-date") } })
  }

  @Test func whoIsNotGoogleGivesNoToken() async throws {
    let server = try await ScriptedServer.start([Answer(body: #"{"access_token":"x"}"#, times: 9)])
    let host = String(server.endpoint.dropFirst(7))
    func keys(_ host: String) throws -> GoogleKeys {
      GoogleKeys(
        surroundings: KeySurroundings(
          environment: { $0 == "GCE_METADATA_HOST" ? host : nil }, http: try HTTPClient(), region: "auto"))
    }
    #expect(try await keys(host).fetch() == nil)
    // Nobody at all.
    #expect(try await keys("127.0.0.1:\(try freePort())").fetch() == nil)
  }

  @Test func aMachineWithoutAnAccountIsTold() async throws {
    let server = try await ScriptedServer.start([
      Answer(status: 404, headers: ["Metadata-Flavor": "Google"], body: "not found", times: 9)
    ])
    let surroundings = KeySurroundings(
      environment: { $0 == "GCE_METADATA_HOST" ? String(server.endpoint.dropFirst(7)) : nil },
      http: try HTTPClient(), region: "auto")
    let failure = await #expect(throws: Failure.self) {
      _ = try await GoogleKeys(surroundings: surroundings).fetch()
    }
    #expect(failure?.code == "store.keys" && failure?.remedy.contains("service account") == true)
  }

  @Test func objectsAreDeletedOneByOne() async throws {
    let server = try await ScriptedServer.start([Answer(status: 204, times: 9)])
    let store = try store(server, KeySource(AccessKeys(bearer: "t", expires: nil)))
    try await store.delete(["runs/a", "runs/b"])
    #expect(
      Set(try await server.requests().map(\.line)) == ["DELETE /bucket/x/runs/a", "DELETE /bucket/x/runs/b"])
  }
}
