import Files
import HTTP
import Support
import TestSupport
import Testing

@testable import Fleet

/// A recorded conversation with a real orchestrator (Tests/Fixtures/bacalhau).
struct Recorded: Sendable, CustomTestStringConvertible {
  struct Exchange: Sendable {
    var method: String
    /// Without its query.
    var path: String
    var sent: JSONValue
    var status: Int
    var body: JSONValue
  }

  let testDescription: String
  let exchanges: [Exchange]
  /// What was recorded besides.
  let others: [JSONValue]

  init(_ name: String) throws {
    testDescription = name
    let path = joined(repositoryRoot, "Tests/Fixtures/bacalhau/\(name).json")
    let file = try JSONValue(parsing: readFile(path, limit: .mebibytes(1)))
    let items = file["exchanges"]?.array ?? []
    others = items.filter { $0["request"] == nil }
    exchanges = items.compactMap { item in
      guard let method = item["request"]?["method"]?.string, let path = item["request"]?["path"]?.string,
        let status = item["response"]?["status"]?.integer
      else { return nil }
      return Exchange(
        method: method, path: String(path.prefix { $0 != "?" }), sent: item["request"]?["body"] ?? .null,
        status: Int(status), body: item["response"]?["body"] ?? .null)
    }
  }

  static func names() throws -> [String] {
    try folderEntries(joined(repositoryRoot, "Tests/Fixtures/bacalhau")).compactMap(\.name)
      .filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
  }

  /// The last answer about each job that has executions, in the order of the jobs.
  func lastAnswers() throws -> [WireJobAnswer] {
    var last: [(id: String, answer: WireJobAnswer)] = []
    for exchange in exchanges where exchange.method == "GET" && exchange.status == 200 {
      guard let id = exchange.body["Job"]?["ID"]?.string, exchange.body["Executions"] != nil else { continue }
      let answer = try decodeJSON(
        WireJobAnswer.self, from: exchange.body.encoded, code: "test", document: "The recording")
      last.removeAll { $0.id == id }
      last.append((id, answer))
    }
    return last.map(\.answer)
  }
}

/// A server that gives recorded answers, and an engine that asks it without ever waiting.
struct RecordedOrchestrator: Sendable {
  let engine: BacalhauEngine
  private let server: ReplayServer

  /// Its nodes and its version were recorded, too. A job's recorded name is replaced by the one that the task has.
  ///
  /// - Parameter exchanges: in place of what is known, the first for each method and path counting.
  init(_ exchanges: [JSONValue], login: BacalhauLogin = .none) async throws {
    let known = try ["agent", "nodes"].flatMap { try Recorded($0).exchanges }.filter {
      ["/api/v1/agent/version", "/api/v1/orchestrator/nodes"].contains($0.path)
    }
    let standard = known.reduce(into: [Recorded.Exchange]()) { list, exchange in
      if !list.contains(where: { $0.path == exchange.path }) { list.append(exchange) }
    }
    let taken = Set(exchanges.compactMap { $0["request"]?["path"]?.string })
    server = try await ReplayServer(exchanges + standard.filter { !taken.contains($0.path) }.map(\.script))
    engine = BacalhauEngine(
      api: server.uri, login: login, http: server.http, settings: recordedSettings,
      storeArguments: ["--store", "s3://bucket/archive"], wait: { _ in })
  }

  func requests() async throws -> [JSONValue] {
    try JSONValue(parsing: try await server.asked()).array ?? []
  }
}

extension Recorded.Exchange {
  /// As the server of recordings takes it.
  var script: JSONValue { script(path) }

  func script(_ path: String) -> JSONValue {
    [
      "request": ["method": .string(method), "path": .string(path)],
      "response": ["status": .integer(Int64(status)), "headers": [:], "body": body],
    ]
  }
}

let recordedSettings = BacalhauSettings(
  image: "localhost:5000/gadwall:0.1.0",
  mounts: [
    BacalhauSettings.Mount(path: "/var/logs", isWritable: true),
    BacalhauSettings.Mount(path: "/var/lib/gadwall", isWritable: true),
    BacalhauSettings.Mount(path: "/etc/gadwall", isWritable: false),
  ], network: .host, cpu: "500m", memory: "768MiB")
