import DuckDB
import Files
import Fleet
import Harvest
import Iceberg
import Logs
import ObjectStorage
import Rows
import Support
import Synchronization
import TestSupport
import Testing

@testable import FleetQuery

/// What a node reports is a stranger's word: whatever it says, no row of another node is touched, and it is named in the coverage.
@Suite(.tags(.medium)) struct HostileNodeTests {
  /// Two nodes, of which the second one's report is made worse before it is believed.
  private struct Engine: Fleet.Engine {
    let name = "test"
    let whereNodesAre = ""
    let store: any ObjectStore
    let folder: String
    let spoil: @Sendable (inout QueryReport, QueryReport) -> Void
    /// Makes other bytes of what it sends, with which its report agrees.
    var content: (@Sendable ([UInt8]) -> [UInt8])?

    static let nodes = ["a", "b"].map { Node(region: "r", zone: "z", name: $0) }

    func nodes(matching selection: NodeSelection) async throws(Failure) -> [Node] { Self.nodes }

    func run(
      _ task: NodeTask, on nodes: [Node], deadline: Deadline,
      progress: @escaping @Sendable (Node, NodeProgress) -> Void
    ) -> AsyncStream<NodeOutcome> {
      AsyncStream { continuation in
        Task {
          var honest: QueryReport?
          for node in nodes {
            do {
              let bytes = try await store.get(task.document, limit: .mebibytes(1)) ?? []
              let document = try decodeJSON(QueryDocument.self, from: bytes, code: "task", document: "task")
              let context = NodeContext(
                node: node, root: joined(folder, node.name), store: store, duckdb: try await testDuckDB())
              var report = try await QueryTask(context: context, document: document).run()
              if let honest {
                spoil(&report, honest)
                if let content {
                  for index in report.parts.indices {
                    let key = report.parts[index].key
                    let bytes = content(try await store.get(key, limit: .mebibytes(1)) ?? [])
                    try await store.put(bytes, at: key)
                    report.parts[index].checksum = crc32c(bytes)
                    report.parts[index].bytes = Int64(bytes.count)
                  }
                }
                let keys = try await store.list("queries/\(document.query)-\(node.key)-").map(\.key)
                let key = try #require(keys.first { $0.hasSuffix(".json") })
                try await store.put(encodeJSON(report), at: key)
              }
              honest = report
              continuation.yield(NodeOutcome(node: node, ending: .answered))
            } catch {
              continuation.yield(NodeOutcome(node: node, ending: .failed("\(error)")))
            }
          }
          continuation.finish()
        }
      }
    }
  }

  private func ask(
    _ statement: String, _ spoil: @escaping @Sendable (inout QueryReport, QueryReport) -> Void = { _, _ in },
    content: (@Sendable ([UInt8]) -> [UInt8])? = nil, fewRows: Int = 0
  ) async throws -> (states: [String: Coverage.NodeCoverage.State], rows: String) {
    try await withScratch { folder in
      for node in Engine.nodes {
        let logs = joined(folder, "\(node.name)/var/log/app")
        try makeFolder(logs)
        let line = #"{"id":"\#(node.name)"}"# + "\n"
        try publish(Array(line.utf8), at: joined(logs, "x.log"), replacing: true)
      }
      let store = try DirectoryStore(root: joined(folder, "store"))
      let query = FleetQuery(
        engine: Engine(store: store, folder: folder, spoil: spoil, content: content), store: store,
        catalog: DirectoryCatalog(store: store, namespace: "logs", name: "events"),
        duckdb: try await testDuckDB(),
        scratch: joined(folder, "scratch"))
      let taken = Mutex("")
      var request = QueryRequest(
        text: statement, logs: TaskDocument.Logs(live: ["var/log/app/*.log"], rotated: [], settle: 0))
      request.fewRows = fewRows
      let result = try await query.run(request) { _, path in
        let rows = String(decoding: try readFile(path, limit: .mebibytes(1)), as: UTF8.self)
        taken.withLock { $0 += rows }
      }
      let rows = taken.withLock { $0 }
      let states = result.coverage.nodes.map { ($0.node.name, $0.state) }
      return (Dictionary(uniqueKeysWithValues: states), rows)
    }
  }

  /// One that ships frames, and one that is asked a question.
  private static let statements = [
    "SELECT id, node FROM live WHERE stream <> '' ORDER BY row_number() OVER (ORDER BY id)",
    "SELECT id, node FROM live WHERE stream <> '' GROUP BY id, node ORDER BY id",
  ]

  @Test(arguments: statements, [0, 100])
  func honestOnesAreBothSeen(_ statement: String, fewRows: Int) async throws {
    let (states, rows) = try await ask(statement, { _, _ in }, fewRows: fewRows)
    #expect(states == ["a": .answered, "b": .answered])
    #expect(rows == "{\"c0\":\"a\",\"c1\":\"a\"}\n{\"c0\":\"b\",\"c1\":\"b\"}\n")
  }

  private static let contents: [String: @Sendable ([UInt8]) -> [UInt8]] = [
    "no Parquet": { _ in Array("no Parquet".utf8) },
    "nothing": { _ in [] },
    "half of it": { Array($0.prefix($0.count / 2)) },
    "its first page overwritten": { bytes in
      var bytes = bytes
      for index in 4..<min(40, bytes.count) { bytes[index] = 0xFF }
      return bytes
    },
    "other columns": {
      $0.map { $0 == UInt8(ascii: "d") || $0 == UInt8(ascii: "g") ? UInt8(ascii: "x") : $0 }
    },
  ]

  @Test(arguments: contents.keys.sorted(), statements)
  func whoSendsNoRowsIsNamedAndTheOthersAreSeen(_ kind: String, _ statement: String) async throws {
    let change = try #require(Self.contents[kind])
    let (states, rows) = try await ask(statement, content: change)
    #expect(states == ["a": .answered, "b": .failed])
    #expect(rows == "{\"c0\":\"a\",\"c1\":\"a\"}\n")
  }

  private static let spoils: [String: @Sendable (inout QueryReport, QueryReport) -> Void] = [
    "another node's name": { report, other in report.node = other.node },
    "another query": { report, _ in report.query = "x" },
    "another DuckDB": { report, _ in report.version = "1.0.0" },
    "another node's file numbers": { report, other in report.files = other.files },
    "a file twice": { report, _ in report.files += report.files },
    "a number that no file has": { report, _ in report.files[0].number = .max },
    "another node's object": { report, other in report.parts = other.parts },
    "an object twice": { report, _ in report.parts += report.parts },
    "an object that is not there": { report, _ in
      report.parts[0].key = report.parts[0].key + "x"
    },
    "a question that nobody asked": { report, _ in report.parts[0].question = 7 },
    "a wrong checksum": { report, _ in report.parts[0].checksum ^= 1 },
    "a wrong size": { report, _ in report.parts[0].bytes += 1 },
    "sizes beyond all numbers": { report, _ in report.parts[0].bytes = .max },
    "rows beyond all numbers": { report, _ in report.parts[0].rows = .max },
    "counts beyond all numbers": { report, _ in report.lines = .max },
    "counts below zero": { report, _ in report.bytes = -1 },
  ]

  @Test(arguments: spoils.keys.sorted(), statements)
  func whoLiesIsNamedAndTheOthersAreSeen(_ kind: String, _ statement: String) async throws {
    let (states, rows) = try await ask(statement, try #require(Self.spoils[kind]))
    #expect(states == ["a": .answered, "b": .failed])
    #expect(rows == "{\"c0\":\"a\",\"c1\":\"a\"}\n")
  }
}
