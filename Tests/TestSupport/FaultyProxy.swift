import Files
import HTTP
import Support

/// Stands between a client and its server, and spoils some of what goes through (Tests/Servers/faulty_proxy.py).
public struct FaultyProxy: Sendable {
  /// A request that the server has answered.
  public struct Request: Decodable, Sendable {
    public var method: String
    /// With the query.
    public var path: String
    public var status: Int
    /// SHA-256 of the body in hex.
    public var digest: String
    /// Of a POST.
    public var body: String
  }

  public var endpoint: String

  /// - Parameter faults: as in `lost=0.3`, `only=^PUT`, `times=1`. None: it only counts.
  public static func start(
    before server: String, _ faults: [String], seed: Int = 1
  ) async throws -> FaultyProxy {
    let upstream = server.split(separator: ":").last.map(String.init) ?? ""
    let script = joined(repositoryRoot, "Tests/Servers/faulty_proxy.py")
    return FaultyProxy(
      endpoint: try await TestServers.start(
        "python/bin/python", { [script, String($0), upstream, String(seed)] + faults }))
  }

  /// How often each fault was done, `requests`, and `waiting`.
  public func counts() async throws -> [String: Int] {
    try await said([String: Int].self, "counts")
  }

  /// All that the server has answered, in this order.
  public func requests() async throws -> [Request] { try await said([Request].self, "requests") }

  /// Spoils so many more.
  public func spoil(_ times: Int) async throws { _ = try await said([String: Int].self, "times/\(times)") }

  /// Lets what waits go on, and spoils no more.
  public func go() async throws { _ = try await said([String: Int].self, "go") }

  private func said<Value: Decodable>(_ type: Value.Type, _ what: String) async throws -> Value {
    var request = HTTPRequest(.get, "\(endpoint)/-/\(what)")
    request.limit = .mebibytes(256)
    let response = try await HTTPClient().send(request)
    return try decodeJSON(type, from: response.body, code: "test", document: request.url)
  }
}
