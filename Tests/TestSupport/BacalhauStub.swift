import Files
import HTTP
public import Support

/// An orchestrator that starts the tasks it is given as processes of this machine (Tests/Servers/bacalhau.py). One process for all tests, in which
/// each fleet has a name of its own.
public struct BacalhauStub: Sendable {
  /// A node as the orchestrator knows it.
  public struct Node: Sendable {
    public var name: String
    public var labels: [String: String]
    public var root: String
    public var allow = ["/var/logs:rw", "/var/log/app:rw", "/var/lib/gadwall:rw", "/etc/gadwall:ro"]
    /// Whatever else the server takes: connected, approved, docker, memory, busy, probe, environment.
    public var more: [String: JSONValue] = [:]

    public init(name: String, region: String, zone: String, root: String) {
      self.name = name
      labels = ["region": region, "zone": zone]
      self.root = root
    }
  }

  public struct Request: Decodable, Sendable {
    public var method: String
    public var path: String
    public var query: String
    public var headers: [String: String]
    public var body: String
  }

  public static let image = "registry.example/gadwall:test"

  /// What `bacalhau.api` is.
  public let api: String
  private let control: String
  private let http: HTTPClient

  private static let server = Task {
    try await TestServers.start(
      "python/bin/python", { [joined(repositoryRoot, "Tests/Servers/bacalhau.py"), String($0)] })
  }

  /// - Parameters:
  ///   - program: what runs in place of the image's entrypoint.
  ///   - more: whatever else the server takes: key, version, delay.
  public init(
    nodes: [Node], program: String, environment: [String: String] = [:], more: [String: JSONValue] = [:]
  ) async throws {
    http = try HTTPClient()
    let endpoint = try await Self.server.value
    let name = randomName()
    api = "\(endpoint)/\(name)"
    control = "\(endpoint)/-/\(name)"
    var said: [String: JSONValue] = [
      "program": .string(program), "image": .string(Self.image),
      "environment": .object(environment.mapValues(JSONValue.string)),
      "nodes": .array(
        nodes.map { node in
          let known: [String: JSONValue] = [
            "name": .string(node.name), "root": .string(node.root),
            "labels": .object(node.labels.mapValues(JSONValue.string)),
            "allow": .array(node.allow.map(JSONValue.string)),
          ]
          return .object(known.merging(node.more) { $1 })
        }),
    ]
    said.merge(more) { $1 }
    try await post("", .object(said))
  }

  private func post(_ path: String, _ body: JSONValue) async throws {
    let response = try await http.send(HTTPRequest(.post, control + path, body: .bytes(body.encoded)))
    guard response.isSuccess else { throw MissingPart(description: "The orchestrator's stand-in failed.") }
  }

  /// Takes the node away and kills what runs there.
  public func lose(_ node: String) async throws { try await post("/lose", ["node": .string(node)]) }

  /// Spoils answers to requests whose path contains that: `status` and `times`, or `cut` ("before" or "after" it was done).
  public func spoil(_ method: String, _ path: String, _ how: [String: JSONValue]) async throws {
    let known: [String: JSONValue] = ["method": .string(method), "path": .string(path)]
    try await post("/fault", .object(how.merging(known) { $1 }))
  }

  /// What was asked so far, in order.
  public func requests(_ method: String? = nil, _ path: String = "") async throws -> [Request] {
    let bytes = try await http.send(HTTPRequest(.get, control + "/log")).body
    let all = try decodeJSON([Request].self, from: bytes, code: "test.bacalhau", document: "The log")
    return all.filter { (method ?? $0.method) == $0.method && $0.path.contains(path) }
  }

  /// Jobs that were submitted.
  public func jobs() async throws -> [JSONValue] {
    try await requests("PUT", "/jobs").map { try JSONValue(parsing: Array($0.body.utf8))["Job"] ?? .null }
  }
}
