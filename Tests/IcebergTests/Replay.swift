import Files
import HTTP
import Support
import TestSupport
import Testing

@testable import Iceberg

/// What was recorded of one catalog server (Tests/Fixtures/rest-catalog). Nothing but the conversations is known of the table.
struct Recording: Sendable, CustomTestStringConvertible {
  let testDescription: String
  /// Where the catalog is on its server.
  let base: String
  /// What /v1/config gave, with its slash.
  let prefix: String
  let name: String
  private let file: JSONValue

  /// `org.apache.iceberg:iceberg-open-api`, the Java project's own.
  static let reference = Recording("reference", base: "", prefix: "", name: "events_74735")
  static let nessie = Recording(
    "nessie", base: "/iceberg", prefix: "/main%7Cwarehouse", name: "events_74983")

  private init(_ server: String, base: String, prefix: String, name: String) {
    testDescription = server
    self.base = base
    self.prefix = prefix
    self.name = name
    let path = joined(repositoryRoot, "Tests/Fixtures/rest-catalog/\(server).json")
    file = (try? JSONValue(parsing: readFile(path, limit: .mebibytes(1)))) ?? .null
  }

  func exchange(_ name: String) throws -> JSONValue {
    try #require(file["exchanges"]?[name], "\(testDescription) has no recording '\(name)'")
  }

  func answer(_ name: String) throws -> Answer {
    let response = try #require(try exchange(name)["response"])
    return Answer(
      status: Int(try #require(response["status"]?.integer)), body: response["body"] ?? .null,
      headers: response["headers"]?.object?.compactMapValues(\.string) ?? [:])
  }

  /// The table's metadata in a recorded answer.
  func metadata(_ name: String) throws -> JSONValue { try #require(try answer(name).body["metadata"]) }

  var tables: String { "\(base)/v1\(prefix)/namespaces/logs/tables" }
  var table: String { "\(tables)/\(name)" }
  /// Of the table that was staged and then made by its first commit.
  var stagedName: String { name + "_st" }
  var stagedTable: String { "\(tables)/\(stagedName)" }
  var namespaces: String { "\(base)/v1\(prefix)/namespaces" }
  var tokens: String { "\(base)/v1/oauth/tokens" }

  /// A script that begins with the server's configuration.
  func script(_ rest: [JSONValue] = []) throws -> [JSONValue] { [try exchange("config")] + rest }
}

/// What a server answers.
struct Answer: Sendable {
  var status: Int
  var body: JSONValue = .null
  var headers: [String: String] = [:]

  func to(_ method: String, _ path: String, cut: String? = nil, echo: Bool = false) -> JSONValue {
    var exchange: JSONValue = [
      "request": ["method": .string(method), "path": .string(path)],
      "response": [
        "status": .integer(Int64(status)), "body": body,
        "headers": .object(headers.mapValues { .string($0) }),
      ],
    ]
    exchange["cut"] = cut.map { .string($0) }
    if echo { exchange["echo"] = true }
    return exchange
  }
}

/// A request as it arrived.
struct Asked: Decodable, Sendable {
  var method: String
  var path: String
  var headers: [String: String]
  var body: String

  var json: JSONValue { (try? JSONValue(parsing: Array(body.utf8))) ?? .null }
}

/// A server that follows a test's script, and a client's waits, none of which is waited.
struct Replay: Sendable {
  /// Without the path that a server of the recording has its catalog at.
  var uri: String { server.uri }
  let waits = Shared<[Double]>([])
  private let server: ReplayServer
  private var http: HTTPClient { server.http }

  init(_ exchanges: [JSONValue], address: String? = "127.0.0.1:19120") async throws {
    server = try await ReplayServer(exchanges, address: address)
  }

  func connection(
    _ path: String, login: CatalogLogin.Method = .none, warehouse: String? = "warehouse",
    clock: WallClock = .system
  ) -> RESTConnection {
    let waits = waits
    return RESTConnection(
      uri: uri + path, warehouse: warehouse, http: http, login: CatalogLogin(login), clock: clock,
      wait: { waits.set(waits.value + [$0]) })
  }

  func catalog(
    _ recording: Recording, name: String? = nil, namespace: String = "logs",
    login: CatalogLogin.Method = .none
  ) -> RESTCatalog {
    RESTCatalog(
      connection(recording.base, login: login), namespace: namespace, name: name ?? recording.name)
  }

  /// What was asked so far, in order.
  func asked(_ method: String? = nil, _ path: String? = nil) async throws -> [Asked] {
    let bytes = try await server.asked()
    let all = try decodeJSON([Asked].self, from: bytes, code: "test.replay", document: "The log")
    return all.filter { asked in
      (method ?? asked.method) == asked.method && (path ?? asked.path) == asked.path
    }
  }
}

extension TableChange {
  /// A change whose snapshot has no files.
  static func sample(
    _ id: Int64 = 9_007_199_254_740_993, run: String = "RUN-1", removing: [String] = []
  ) -> TableChange {
    TableChange(
      snapshot: [
        "snapshot-id": .integer(id), "sequence-number": 1, "timestamp-ms": .integer(1_795_500_000_000),
        "manifest-list": "file:///nowhere.avro",
        "summary": ["operation": "append", "gadwall.run": .string(run)],
        "schema-id": 0,
      ],
      setProperties: [
        CommitMarker.prefix + run: CommitMarker(snapshot: id, sequence: 1, leftOut: []).text
      ], removeProperties: removing)
  }
}

extension CommitAnswer {
  /// The server's words, when it is no clear answer.
  var unknownWords: String? { if case .unknown(let words) = self { words } else { nil } }
  var conflictWords: String? { if case .conflict(let words) = self { words } else { nil } }
}
