// The built program, used as an operator would: a fleet of folders, real files, real DuckDB, real Python readers.

import DuckDB
import Files
import Glibc
import Processes
import Support
import TestSupport

/// How a run of the program ended. A signal counts as 128 and its number, as a shell has it.
struct Ended: Sendable, CustomStringConvertible {
  var status: Int32
  var output: String
  var errors: String

  init(_ result: ChildResult) {
    status =
      switch result.status {
      case .exited(let code): code
      case .signalled(let number): 128 + number
      }
    output = String(decoding: result.output, as: UTF8.self)
    errors = result.errorText
  }

  var all: String { output + errors }
  var description: String { "status \(status)\n\(output.suffix(2_000))\n\(errors.suffix(2_000))" }

  /// Standard output as one JSON document.
  func document() throws -> JSONValue { try JSONValue(parsing: Array(output.utf8)) }
}

/// A node of a test's fleet.
struct TestNode: Sendable {
  var region: String
  var zone: String
  var name: String
  var root: String

  var label: String { "\(region)-\(zone)-\(name)" }
  func path(_ name: String) -> String { joined(root, name) }
  func rawPath(_ name: String) -> String { joined(path(TestFleet.rawLogs), name) }
}

/// A fleet in a folder of its own. Whatever is put into it is remembered as it was, beside it, for the reference reading.
struct TestFleet: Sendable {
  static let rawLogs = "var/logs/raw_logs"
  /// 2026-11-23T14:00:00Z
  static let hour: Int64 = 1_795_442_400

  let folder: String
  let nodes: [TestNode]
  /// On S3 with a REST catalog; nil for a folder.
  var archive: TestArchive?
  /// In place of access keys in the environment.
  var usesCredentialsFile: String?

  var config: String { joined(folder, "gadwall.yaml") }
  /// The folder with the store's objects.
  var store: String { archive?.folder ?? joined(folder, "store") }
  var manifest: String { joined(folder, "originals/manifest.ndjson") }
  var temporary: String { joined(folder, "tmp") }
  private var metadata: String { joined(store, "warehouse/logs/events/metadata") }

  /// Runs the body with nodes that have empty log folders, and a configuration that names them.
  static func with<Result>(
    nodes count: Int = 1, on backend: TestBackend = .current, isolation: isolated (any Actor)? = #isolation,
    _ body: (TestFleet) async throws -> Result
  ) async throws -> Result {
    await Turnstile.fleets.enter()
    let result: Swift.Result<Result, any Error>
    do { result = .success(try await build(count, backend, body)) } catch { result = .failure(error) }
    await Turnstile.fleets.leave()
    return try result.get()
  }

  private static func build<Result>(
    _ count: Int, _ backend: TestBackend, isolation: isolated (any Actor)? = #isolation,
    _ body: (TestFleet) async throws -> Result
  ) async throws -> Result {
    try await withScratch { folder in
      let places = [("us-east1", "b"), ("europe-west4", "a"), ("asia-northeast1", "c")]
      let nodes = (0..<count).map { index in
        let (region, zone) = places[index % places.count]
        return TestNode(
          region: region, zone: "\(region)-\(zone)", name: "vm\(index + 1)",
          root: joined(folder, "nodes/vm\(index + 1)"))
      }
      let archive = backend == .s3 ? try await TestArchive.make() : nil
      let fleet = TestFleet(folder: folder, nodes: nodes, archive: archive)
      for folder in [joined(folder, "originals"), fleet.temporary] { try makeFolder(folder) }
      for node in nodes {
        for folder in [rawLogs, "var/log/app"] { try makeFolder(node.path(folder)) }
      }
      try publish([], at: fleet.manifest, replacing: true)
      try fleet.configure()
      return try await body(fleet)
    }
  }

  /// Writes `gadwall.yaml`.
  func configure(
    live: String = "var/log/app/*.log", rotated: [String] = ["\(rawLogs)/*"], settle: String = "60s",
    store: String = "file:store", extra: String = ""
  ) throws {
    var text = "engine: local\nlocal:\n  nodes:\n"
    for node in nodes {
      text +=
        "    - { region: \(node.region), zone: \(node.zone), name: \(node.name), root: nodes/\(baseName(node.root)) }\n"
    }
    text +=
      "logs:\n  live: [\"\(live)\"]\n  rotated: [\(rotated.map { "\"\($0)\"" }.joined(separator: ", "))]\n  settle: \(settle)\n"
    text += (archive?.configuration ?? "store: { url: \"\(store)\" }\n") + extra
    try write(Array(text.utf8), to: config)
  }

  /// Puts a rotated file onto a node, and remembers it as one whose every line has to be in the table.
  ///
  /// - Parameters:
  ///   - stored: how the content lies on the disk, when not as it is.
  ///   - stream: what section 2 of the design calls the file's stream.
  /// - Returns: the file's path.
  @discardableResult
  func put(
    _ name: String, _ content: [UInt8], on node: Int = 0, in folder: String = rawLogs, stored: [UInt8]? = nil,
    rotated: Int64 = hour, stream: String
  ) throws -> String {
    let path = joined(nodes[node].path(folder), name)
    try place(path, stored ?? content, rotated: rotated)
    try remember(name, content, on: node, in: folder, rotated: rotated, stream: stream)
    return path
  }

  /// Writes a file that the reference reading does not know of.
  func place(_ path: String, _ bytes: [UInt8], rotated: Int64 = hour) throws {
    try write(bytes, to: path)
    try setModified(path, seconds: rotated)
    try waitUntilNobodyWrites(path)
  }

  /// Tells the reference reading of a batch.
  func remember(
    _ name: String, _ content: [UInt8], on node: Int = 0, in folder: String = rawLogs, rotated: Int64 = hour,
    stream: String
  ) throws {
    let copy = joined(self.folder, "originals/\(randomName())")
    try write(content, to: copy)
    let owner = nodes[node]
    let line: JSONValue = [
      "region": .string(owner.region), "zone": .string(owner.zone), "node": .string(owner.name),
      "folder": .string(folder), "name": .string(name), "stream": .string(stream),
      "rotated": .integer(rotated),
      "content": .string(copy),
    ]
    let list = try Descriptor.append(manifest)
    try list.write(line.encoded + [0x0A])
  }

  func write(_ bytes: [UInt8], to path: String) throws {
    try makeFolder(folderName(path))
    try publish(bytes, at: path, replacing: true)
  }

  // MARK: the program

  static let program = builtProgram

  /// Runs the program with the fleet's configuration in `$GADWALL_CONFIG` and a TMPDIR of its own.
  func gadwall(
    _ arguments: String..., environment: [String: String] = [:], seconds: Double = 60
  ) async throws -> Ended { try await gadwall(arguments, environment: environment, seconds: seconds) }

  func gadwall(
    _ arguments: [String], environment: [String: String] = [:], seconds: Double = 60
  ) async throws -> Ended {
    var whole = programEnvironment()
    for (name, value) in environment { whole[name] = value }
    return try await run(Self.program, arguments, environment: whole, seconds: seconds)
  }

  /// Before a command: root without a single capability, an ordinary user to whom root's files belong.
  static func unprivileged() throws -> [String] {
    guard geteuid() == 0 else {
      throw MissingPart(description: "This test gives files to another user and mounts: it needs root.")
    }
    return ["/usr/bin/setpriv", "--inh-caps=-all", "--bounding-set=-all"]
  }

  /// Runs the program as an ordinary user.
  func gadwallUnprivileged(_ arguments: String..., seconds: Double = 60) async throws -> Ended {
    let whole = try Self.unprivileged() + [Self.program] + arguments
    return try await run(
      whole[0], Array(whole.dropFirst()), environment: programEnvironment(), seconds: seconds)
  }

  func programEnvironment() -> [String: String] {
    var environment = plainEnvironment()
    environment["TMPDIR"] = temporary
    environment["GADWALL_CONFIG"] = config
    environment.merge(archive?.environment ?? [:]) { $1 }
    if let file = usesCredentialsFile {
      for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] { environment[name] = nil }
      environment["AWS_SHARED_CREDENTIALS_FILE"] = file
    }
    return environment
  }

  /// What a node's command is told of the store.
  var storeArguments: [String] {
    archive.map { ["--store", $0.url, "--store-endpoint", $0.store.endpoint] } ?? [
      "--store", "file://\(store)",
    ]
  }

  /// What pyiceberg has to know to read the table.
  var readerProperties: [String: String] { archive?.properties ?? [:] }

  /// Runs some shell text in the fleet's folder.
  func shell(_ text: String, seconds: Double = 60) async throws -> Ended {
    try await run("/bin/sh", ["-c", text], environment: programEnvironment(), seconds: seconds)
  }

  private func run(
    _ program: String, _ arguments: [String], environment: [String: String], seconds: Double
  ) async throws -> Ended {
    guard exists(program) else {
      throw ProgramMissing(description: "\(program) is missing: run 'swift build'.")
    }
    let result = try await Processes.run(
      ChildCommand(
        program, arguments, environment: environment, directory: folder, errorLimit: .mebibytes(8),
        deadline: .after(seconds: seconds * patience)))
    return Ended(result)
  }

  // MARK: what is there afterwards

  /// All names in the folder, those that begin with a dot too.
  func names(_ node: Int = 0, in folder: String = rawLogs) throws -> [String] {
    try names(nodes[node].path(folder))
  }

  func names(_ path: String) throws -> [String] {
    guard exists(path) else { return [] }
    return try folderEntries(path).map { String(decoding: $0.bytes, as: UTF8.self) }.sorted()
  }

  /// Keys of the objects in the store below a prefix.
  func objects(_ prefix: String, in folder: String? = nil) throws -> [String] {
    var found: [String] = []
    func walk(_ key: String) throws {
      let path = joined(folder ?? store, key)
      guard exists(path) else { return }
      guard try FileInfo(path: path).kind == .directory else { return found.append(key) }
      for name in try names(path) { try walk(key.isEmpty ? name : "\(key)/\(name)") }
    }
    try walk(prefix)
    return found.sorted()
  }

  func object(_ key: String) throws -> [UInt8] { try readFile(joined(store, key), limit: .mebibytes(256)) }

  /// Replaces an object behind the program's back. Asked of the server, which remembers what its folders held.
  func replaceObject(_ key: String, with bytes: [UInt8]) async throws {
    guard let archive else { return try write(bytes, to: joined(store, key)) }
    try await archive.put(bytes, at: key)
  }

  func removeObject(_ key: String) async throws {
    guard let archive else { return try removeFile(joined(store, key)) }
    try await archive.delete(key)
  }

  /// The key of an object by its URL or path, in this fleet's store.
  func key(of url: String) -> String {
    let path = url.hasPrefix("file://") ? String(url.dropFirst(7)) : url
    return String(path.replacing(archive?.url ?? store, with: "").drop { $0 == "/" })
  }

  /// The table's metadata as it is now.
  func metadataBytes() throws -> [UInt8] { try object(key(of: tableMetadata())) }

  /// Makes the table what other metadata says: that of its newest state is replaced, or, in a folder, later ones go.
  func setTable(to metadata: [UInt8]) async throws {
    try await replaceObject(key(of: try tableMetadata()), with: metadata)
  }

  /// Sets the table back to what it was after the first commit.
  func setTableBack() async throws {
    guard archive == nil else {
      // The catalog goes on naming the newest file, and that says what the first one said.
      let names = try objects("warehouse").filter { $0.hasSuffix(".metadata.json") }
      return try await setTable(to: try object(names.min { baseName($0) < baseName($1) } ?? ""))
    }
    for name in try names(metadata) where name.hasSuffix(".metadata.json") && name != "v1.metadata.json" {
      try removeFile(joined(metadata, name))
    }
    try write(Array("1".utf8), to: joined(metadata, "version-hint.text"))
  }

  /// The newest metadata file, as the hint names it; a REST catalog's by the number that its name begins with.
  func tableMetadata() throws -> String {
    if let archive {
      let folder = joined(archive.store.folder, String(archive.warehouse.dropFirst(5)))
      let names = try objects("", in: folder).filter { $0.hasSuffix(".metadata.json") }
      guard let newest = names.max(by: { baseName($0) < baseName($1) }) else { return "" }
      return "\(archive.warehouse)/\(newest)"
    }
    let hint = try readFile(joined(metadata, "version-hint.text"), limit: .kibibytes(1))
    return joined(metadata, "v\(String(decoding: hint, as: UTF8.self).filter(\.isNumber)).metadata.json")
  }

  func hasTable() throws -> Bool {
    archive == nil ? exists(joined(metadata, "version-hint.text")) : try !tableMetadata().isEmpty
  }

  /// What readers go by; nil when there is no table.
  private func currentMetadata() async throws -> String? {
    if let archive { return try await archive.metadataLocation() }
    return try hasTable() ? try tableMetadata() : nil
  }

  /// Rows that DuckDB's own Iceberg reader gives for a statement over `events`; nothing when there is no table.
  func table(_ statement: SQL) async throws -> [JSONValue] {
    guard let metadata = try await currentMetadata() else { return [] }
    let view: SQL = "CREATE TEMP VIEW events AS SELECT * FROM iceberg_scan(\(metadata))"
    return try await testDuckDB().run(
      (archive?.access ?? []) + [view, statement],
      DuckDB.Settings(load: ["avro", "iceberg"], deadline: .after(seconds: 60 * patience))
    ).last ?? []
  }

  /// How often each `id` is in the table; nothing when there is no table.
  func idCounts() async throws -> [String: Int64] {
    var counts: [String: Int64] = [:]
    for row in try await table("SELECT id, count(*) AS n FROM events GROUP BY id") {
      counts[row["id"]?.string ?? "", default: 0] += row["n"]?.integer ?? 0
    }
    return counts
  }
}

/// Lets a few tests at a time work: the test library starts all of them at once, and a hundred fleets on two cores only miss their deadlines.
private actor Turnstile {
  static let fleets = Turnstile(free: 4)
  private var free: Int
  private var waiting: [CheckedContinuation<Void, Never>] = []

  init(free: Int) { self.free = free }

  func enter() async {
    guard free == 0 else {
      free -= 1
      return
    }
    await withCheckedContinuation { waiting.append($0) }
  }

  func leave() {
    if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
  }
}

struct ProgramMissing: Error, CustomStringConvertible { var description: String }

/// Lines of JSON with these ids, the form that `generate` writes.
func lines(_ ids: [String], category: String = "INFO") -> [UInt8] {
  Array(
    ids.map {
      #"{"id":"\#($0)","@timestamp":"2026-11-23T13:00:00.000Z","@version":"1.1","message":"Auth [\#(category)] dog"}"#
        + "\n"
    }.joined().utf8)
}

/// `prefix-0`, `prefix-1` and so on.
func ids(_ prefix: String, _ count: Int) -> [String] { (0..<count).map { "\(prefix)-\($0)" } }
