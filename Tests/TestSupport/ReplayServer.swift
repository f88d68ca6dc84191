import Files
public import HTTP
public import Support

/// A server that follows a test's script (Tests/Servers/replay.py). One process for all tests, in which each script has a name of its own.
public struct ReplayServer: Sendable {
  public let uri: String
  public let http: HTTPClient
  private let log: String

  private static let server = Task {
    try await TestServers.start(
      "python/bin/python", { [joined(repositoryRoot, "Tests/Servers/replay.py"), String($0)] })
  }

  /// - Parameter address: that the recording was made at; this server's stands in its place.
  public init(_ exchanges: [JSONValue], address: String? = nil) async throws {
    http = try HTTPClient()
    let endpoint = try await Self.server.value
    let name = randomName()
    uri = "\(endpoint)/\(name)"
    log = "\(endpoint)/-/\(name)"
    var script: JSONValue = ["exchanges": .array(exchanges)]
    script["address"] = address.map { .string($0) }
    let response = try await http.send(HTTPRequest(.post, log, body: .bytes(script.encoded)))
    guard response.isSuccess else { throw MissingPart(description: "The recordings' server failed.") }
  }

  /// What was asked so far, in order, as JSON.
  public func asked() async throws -> [UInt8] { try await http.send(HTTPRequest(.get, log)).body }
}
