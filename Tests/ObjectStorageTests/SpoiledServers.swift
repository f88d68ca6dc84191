import Files
import HTTP
import Support
import TestSupport

@testable import ObjectStorage

/// A server that says what a test has written down, and remembers what it was asked (Tests/Servers/scripted_server.py).
struct ScriptedServer: Sendable {
  struct Answer: Encodable, Sendable {
    /// Searched in the method and target, as in `PUT /bucket/key`.
    var to = ""
    var status = 200
    var headers: [String: String] = [:]
    var body = ""
    /// How often, before the next one to the same; the last one to it for ever.
    var times = 1
  }
  struct Request: Decodable, Sendable {
    /// Method and target.
    var line: String
    /// By names in lower case.
    var headers: [String: String]
    var body: String
  }

  var endpoint: String

  static func start(_ answers: [Answer]) async throws -> ScriptedServer {
    let script = joined(repositoryRoot, "Tests/Servers/scripted_server.py")
    let text = String(decoding: encodeJSON(answers), as: UTF8.self)
    return ScriptedServer(
      endpoint: try await TestServers.start("python/bin/python", { [script, String($0), text] }))
  }

  func requests() async throws -> [Request] {
    try await remembered([Request].self, "\(endpoint)/-/requests")
  }

  /// A store that takes it for an S3 server, and doesn't wait between attempts.
  func store(
    _ keys: KeySource = KeySource(AccessKeys(id: "AKID", secret: "secret")), clock: WallClock = .system
  )
    throws -> S3Store
  {
    let location = try S3Location(url: "s3://bucket/x", endpoint: endpoint, region: nil, style: nil)
    var client = S3Client(location: location, http: try HTTPClient(), keys: keys, clock: clock)
    client.wait = { _ in }
    return S3Store(client)
  }
}

private func remembered<Value: Decodable>(_ type: Value.Type, _ url: String) async throws -> Value {
  let response = try await HTTPClient().send(HTTPRequest(.get, url))
  return try decodeJSON(type, from: response.body, code: "test", document: url)
}

extension S3Store {
  /// The same store, asked through another address, without waiting between attempts.
  func through(_ endpoint: String, timeouts: HTTPRequest.Timeouts = HTTPRequest.Timeouts()) throws -> S3Store
  {
    let location = try S3Location(url: url, endpoint: endpoint, region: nil, style: nil)
    var other = S3Client(location: location, http: try HTTPClient(), keys: client.keys, clock: .system)
    other.wait = { _ in }
    other.timeouts = timeouts
    return S3Store(other, settings)
  }
}

/// An error of S3's, as its servers write it.
func errorDocument(_ code: String, _ message: String = "Its words.", _ more: String = "") -> String {
  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>\(code)</Code><Message>\(message)</Message>\(more)<RequestId>REQUEST-7</RequestId></Error>"
}
