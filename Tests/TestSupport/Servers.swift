public import DuckDB
import Files
import Glibc
import HTTP
import Processes
import Support
import Synchronization

@testable import ObjectStorage

/// Where the tests of a harvest keep the archive.
public enum TestBackend: String, Sendable {
  /// A folder, with the directory catalog.
  case folder
  /// rclone's S3, with a REST catalog of pyiceberg's.
  case s3

  /// `GADWALL_TEST_STORE=s3` runs all of them on real storage.
  public static let current = environmentValue("GADWALL_TEST_STORE").flatMap(TestBackend.init) ?? .folder
}

/// A server on this machine's loopback that lives as long as the tests do.
public struct TestServer: Sendable {
  public var endpoint: String
  public var keyID = "AKIDTEST12345"
  /// Of other users, with the same secret: a node, and who has keys that the catalog lends.
  public static let nodeKeyID = "AKIDNODE12345"
  public static let lentKeyID = "AKIDLENT12345"
  public var secret = "test/secret+KEY=12345"
  /// Where rclone keeps its buckets, each a folder; empty for moto, which keeps them in memory.
  public var folder = ""
}

/// Real S3 servers, started when the first test asks for one: each is blind where the other sees.
public actor TestServers {
  public static let shared = TestServers()

  private var running: [String: Task<TestServer, any Error>] = [:]
  private static let folders = Mutex<[String]>([])

  /// Checks signatures and MD5; ignores conditions and other checksums.
  public func rclone() async throws -> TestServer {
    try await server("rclone") { () async throws -> TestServer in
      let folder = resolvedPath(
        joined(environmentValue("TMPDIR") ?? "/tmp", "gadwall-test-rclone-\(randomName())"))
      try makeFolder(folder)
      TestServers.removeAtExit(folder)
      var server = TestServer(endpoint: "")
      server.folder = folder
      server.endpoint = try await MortalServer.rclone(server).endpoint
      return server
    }
  }

  /// Honours conditions; checks no signature.
  public func moto() async throws -> TestServer {
    try await server("moto") { () async throws -> TestServer in
      TestServer(
        endpoint: try await TestServers.start(
          "servers/bin/moto_server", { ["-H", "127.0.0.1", "-p", String($0)] }))
    }
  }

  /// An Iceberg REST catalog by pyiceberg over rclone's buckets, with a token that has to be fetched.
  ///
  /// - Parameter term: milliseconds that keys are good for which it lends; nil when it lends none.
  public func catalog(lending term: Int? = nil) async throws -> TestServer {
    let storage = try await rclone()
    return try await server("catalog \(term ?? 0)") { () async throws -> TestServer in
      let folder = joined(storage.folder, ".catalogs-\(term ?? 0)")
      try makeFolder(folder)
      var server = TestServer(endpoint: "")
      server.endpoint = try await MortalServer.catalog(
        server, over: storage, folder: folder, lending: term
      ).endpoint
      return server
    }
  }

  private func server(
    _ name: String, _ start: @escaping @Sendable () async throws -> TestServer
  ) async throws -> TestServer {
    let task = running[name] ?? Task { try await start() }
    running[name] = task
    return try await task.value
  }

  /// Starts the program of `.build` and waits until it takes connections. It lives as long as this process.
  public static func start(
    _ program: String, _ arguments: @escaping @Sendable (Int) -> [String], environment: [String: String] = [:]
  ) async throws -> String {
    try await MortalServer.start(program, arguments, environment: environment).endpoint
  }

  private static func removeAtExit(_ folder: String) {
    folders.withLock { list in
      if list.isEmpty { atexit { TestServers.removeFolders() } }
      list.append(folder)
    }
  }
  private static func removeFolders() {
    for folder in folders.withLock({ $0 }) { try? removeTree(folder) }
  }
}

private let givenPorts = Mutex<Set<Int>>([])

/// A port that nobody has at the moment, and that nobody else in this process was given.
public func freePort() throws -> Int {
  while true {
    guard let port = freeLoopbackPort() else {
      throw MissingPart(description: "No port of the loopback interface is free.")
    }
    if givenPorts.withLock({ $0.insert(port).inserted }) { return port }
  }
}

/// A new bucket of rclone's, with a warehouse in the REST catalog's server, and what the program is told of them.
public struct TestArchive: Sendable {
  /// Where the store's objects lie as files: the server's own folder.
  public var folder: String
  public var url: String
  public var store: TestServer
  public var catalog: TestServer
  public var warehouse: String

  public static func make() async throws -> TestArchive {
    try await make(on: TestServers.shared.rclone(), TestServers.shared.catalog())
  }

  public static func make(on store: TestServer, _ catalog: TestServer) async throws -> TestArchive {
    let bucket = try await makeBucket(on: store)
    let url = "s3://\(bucket)/archive"
    let folder = joined(store.folder, "\(bucket)/archive")
    return TestArchive(
      folder: folder, url: url, store: store, catalog: catalog, warehouse: url + "/warehouse")
  }

  /// Asked for, and not made as a folder: rclone would not see that for minutes.
  public static func makeBucket(on server: TestServer) async throws -> String {
    let bucket = "bucket-\(randomName())"
    let location = try S3Location(
      url: "s3://\(bucket)", endpoint: server.endpoint, region: nil, style: nil)
    let keys = KeySource(AccessKeys(id: server.keyID, secret: server.secret))
    let client = S3Store(location, http: try HTTPClient(), keys: keys).client
    _ = try await client.send(S3Request(.put, nil), "make the bucket")
    return bucket
  }

  /// Replaces an object, as its owner does.
  public func put(_ bytes: [UInt8], at key: String) async throws { try await open().put(bytes, at: key) }
  public func delete(_ key: String) async throws { try await open().delete(key) }

  private func open() throws -> any ObjectStore {
    let location = try S3Location(url: url, endpoint: store.endpoint, region: nil, style: nil)
    let keys = KeySource(AccessKeys(id: store.keyID, secret: store.secret))
    return S3Store(location, http: try HTTPClient(), keys: keys)
  }

  public var environment: [String: String] {
    [
      "AWS_ACCESS_KEY_ID": store.keyID, "AWS_SECRET_ACCESS_KEY": store.secret,
      "GADWALL_CATALOG_CREDENTIAL": "\(catalog.keyID):\(catalog.secret)",
    ]
  }

  /// What pyiceberg has to know to read it.
  public var properties: [String: String] {
    [
      "s3.endpoint": store.endpoint, "s3.region": "us-east-1", "s3.access-key-id": store.keyID,
      "s3.secret-access-key": store.secret,
    ]
  }

  /// What the catalog names as the newest metadata file of the table `logs.events`; nil when there is no table.
  ///
  /// A server that has refused a commit may have written a file with the same number before.
  public func metadataLocation() async throws -> String? {
    let http = try HTTPClient()
    let base = "\(catalog.endpoint)/v1"
    let form = formEncoded([
      ("grant_type", "client_credentials"), ("client_id", catalog.keyID), ("client_secret", catalog.secret),
    ])
    let login = HTTPRequest(.post, "\(base)/oauth/tokens", body: .bytes(Array(form.utf8)))
    let token = try JSONValue(parsing: try await http.send(login).body)["access_token"]?.string ?? ""
    let url = "\(base)/\(percentEncoded(warehouse))/namespaces/logs/tables/events"
    let response = try await http.send(
      HTTPRequest(.get, url, headers: [("Authorization", "Bearer \(token)")]))
    if response.status == 404 { return nil }
    guard let place = try JSONValue(parsing: response.body)["metadata-location"]?.string else {
      throw MissingPart(description: "The catalog gave no place of the table: HTTP \(response.status).")
    }
    return place
  }

  /// Lines of a `gadwall.yaml`.
  public var configuration: String {
    """
    store: { url: "\(url)", endpoint: "\(store.endpoint)" }
    catalog: { type: rest, uri: "\(catalog.endpoint)", warehouse: "\(warehouse)" }

    """
  }

  /// Lets DuckDB read it.
  public var access: [SQL] {
    [
      "LOAD httpfs",
      "CREATE SECRET (TYPE s3, KEY_ID \(store.keyID), SECRET \(store.secret), ENDPOINT \(String(store.endpoint.dropFirst(7))), URL_STYLE 'path', USE_SSL false)",
    ]
  }
}
