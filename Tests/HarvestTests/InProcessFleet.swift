import DuckDB
import Files
import Fleet
import HTTP
import Iceberg
import Logs
import ObjectStorage
import Support
import TestSupport

@testable import Harvest

/// An engine whose nodes are folders and whose tasks run in this process, with limits that a test may lower.
struct InProcessEngine: Engine {
  let name = "in-process"
  let whereNodesAre = ""
  var nodes: [Node]
  var folder: String
  var store: any ObjectStore
  var duckdb: DuckDB
  var pieceLimit: Int64 = 1 << 30
  var bundleLimit: Int64 = 256 << 20
  var progress: @Sendable (NodeProgress) -> Void = { _ in }
  var rules = ProtocolRules()

  func root(_ node: Node) -> String { joined(folder, "nodes/\(node.name)") }

  func nodes(matching selection: NodeSelection) async throws(Failure) -> [Node] {
    nodes.filter(selection.matches)
  }

  func run(
    _ task: NodeTask, on nodes: [Node], deadline: Deadline,
    progress: @escaping @Sendable (Node, NodeProgress) -> Void
  ) -> AsyncStream<NodeOutcome> {
    AsyncStream { continuation in
      Task {
        for node in nodes { continuation.yield(await runOne(task, node)) }
        continuation.finish()
      }
    }
  }

  private func runOne(_ task: NodeTask, _ node: Node) async -> NodeOutcome {
    var context = NodeContext(node: node, root: root(node), store: store, duckdb: duckdb)
    context.pieceLimit = pieceLimit
    context.progress = progress
    context.rules = rules
    context.bundleLimit = bundleLimit
    do throws(Failure) {
      let bytes = try await store.get(task.document, limit: .mebibytes(64)) ?? []
      let document = try decodeJSON(TaskDocument.self, from: bytes, code: "task", document: task.document)
      switch task.kind {
      case .stage: _ = try await StageTask(context: context, document: document).run()
      case .prune: _ = try await PruneTask(context: context, document: document).run()
      case .query, .probe: throw Failure("task", "A harvest asks for none.")
      }
      return NodeOutcome(node: node, ending: .answered)
    } catch {
      return NodeOutcome(node: node, ending: .failed(error.description))
    }
  }
}

/// A small fleet in a folder, with everything that a harvest needs.
struct InProcessFleet {
  var engine: InProcessEngine
  let store: any ObjectStore
  /// Where the store's objects lie as files: the server's own folder, too.
  let storeFolder: String
  let catalog: any Catalog
  let duckdb: DuckDB
  let folder: String

  init(_ folder: String, nodes: Int = 1, on backend: TestBackend = .current) async throws {
    self.folder = folder
    switch backend {
    case .folder:
      duckdb = try await testDuckDB()
      let store = try DirectoryStore(root: joined(folder, "store"))
      self.store = store
      storeFolder = store.root
      catalog = DirectoryCatalog(store: store, namespace: "logs", name: "events")
    case .s3:
      let parts = try await S3Parts.make()
      (store, storeFolder, catalog, duckdb) = (parts.store, parts.folder, parts.catalog, parts.duckdb)
    }
    let list = (1...nodes).map { Node(region: "r\($0 % 2)", zone: "z", name: "n\($0)") }
    engine = InProcessEngine(nodes: list, folder: folder, store: store, duckdb: duckdb)
    for node in list { try makeFolder(joined(engine.root(node), "var/logs/raw_logs")) }
  }

  var harvest: Harvest {
    Harvest(
      engine: engine, store: store, catalog: catalog, duckdb: duckdb, scratch: joined(folder, "scratch"),
      tell: { _ in })
  }

  var request: HarvestRequest {
    HarvestRequest(
      selection: NodeSelection(),
      logs: TaskDocument.Logs(live: ["var/log/app/*.log"], rotated: ["var/logs/raw_logs/*"], settle: 60),
      urgent: TaskDocument.Urgent(condition: "category = 'SECURITY'", show: 10), keep: 0)
  }

  func run() async throws -> HarvestSummary { try await harvest.run(request) }

  func path(_ node: Int, _ name: String) -> String {
    joined(engine.root(engine.nodes[node]), "var/logs/raw_logs/\(name)")
  }

  /// Writes a rotated file with generated lines and gives its text.
  @discardableResult
  func write(
    _ node: Int, _ name: String, lines: Int, seed: UInt64, at seconds: Int64 = 1_795_000_000
  ) async throws
    -> [UInt8]
  {
    var generator = LogGenerator(seed: seed)
    var text: [UInt8] = []
    for index in 0..<lines {
      text += generator.line(service: "Auth", at: Instant(seconds: seconds - 3600 + Int64(index))).utf8
    }
    try publish(text, at: path(node, name), replacing: true)
    try setModified(path(node, name), seconds: seconds)
    try await untilNobodyWrites(path(node, name))
    return text
  }

  /// What a query over the table gives.
  func query(_ sql: (SQL) -> SQL) async throws -> [JSONValue] {
    guard let table = try await catalog.load() else { return [] }
    let scan: SQL = "iceberg_scan(\(catalog.metadataURL(of: table)))"
    return try await duckdb.run([sql(scan)], DuckDB.Settings(load: ["avro", "iceberg"])).first ?? []
  }

  func count() async throws -> Int64 {
    try await query { "SELECT count(*) AS n FROM \($0)" }.first?["n"]?.integer ?? 0
  }

  func verify() async throws -> VerifyReport {
    try await Verifier(store: store, catalog: catalog, duckdb: duckdb, scratch: joined(folder, "scratch"))
      .run()
  }
}

/// Every file below the folder with its bytes.
func tree(_ folder: String) throws -> [String: [UInt8]] {
  var result: [String: [UInt8]] = [:]
  for name in try folderEntries(folder).compactMap(\.name) {
    let path = joined(folder, name)
    if try FileInfo(path: path).kind == .directory {
      result.merge(try tree(path)) { first, _ in first }
    } else {
      result[path] = try readFile(path, limit: .mebibytes(64))
    }
  }
  return result
}

/// A new bucket with a catalog of its own, and a DuckDB that may read it.
struct S3Parts {
  var store: S3Store
  var folder: String
  var catalog: RESTCatalog
  var duckdb: DuckDB

  static func make() async throws -> S3Parts {
    let archive = try await TestArchive.make()
    let http = try HTTPClient()
    let location = try S3Location(url: archive.url, endpoint: archive.store.endpoint, region: nil, style: nil)
    var settings = S3Store.Settings()
    settings.isConditional = false
    let keys = AccessKeys(id: archive.store.keyID, secret: archive.store.secret)
    let store = S3Store(location, http: http, keys: KeySource(keys), settings: settings)
    let login = CatalogLogin(
      .client(id: archive.catalog.keyID, secret: archive.catalog.secret, scope: nil, tokenURI: nil))
    let connection = RESTConnection(
      uri: archive.catalog.endpoint, warehouse: archive.warehouse, http: http, login: login)
    var duckdb = try await testDuckDB()
    duckdb.access = { () throws(Failure) in DuckDB.Access(archive.access, secrets: [archive.store.secret]) }
    return S3Parts(
      store: store, folder: archive.folder,
      catalog: RESTCatalog(connection, namespace: "logs", name: "events"),
      duckdb: duckdb)
  }
}
