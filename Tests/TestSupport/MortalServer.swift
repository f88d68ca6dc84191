import Files
import Processes
import Support

/// A server on this machine's loopback that a test may kill, and start again at the same port.
public actor MortalServer {
  public let port: Int
  public nonisolated var endpoint: String { "http://127.0.0.1:\(port)" }
  private let program: String
  private let arguments: [String]
  private let environment: [String: String]
  private var life: Task<Void, Never>?

  private init(port: Int, program: String, arguments: [String], environment: [String: String]) {
    self.port = port
    self.program = program
    self.arguments = arguments
    self.environment = environment
  }

  /// Starts the program of `.build` and waits until it takes connections.
  public static func start(
    _ program: String, _ arguments: @Sendable (Int) -> [String], environment: [String: String] = [:]
  ) async throws -> MortalServer {
    let path = joined(repositoryRoot, ".build/\(program)")
    guard exists(path) else { throw MissingPart(description: "\(path) is missing: run 'make setup'.") }
    var words = ""
    for _ in 0..<5 {
      let port = try freePort()
      let server = MortalServer(
        port: port, program: path, arguments: arguments(port), environment: environment)
      guard let said = try await server.begin() else { return server }
      words = said
    }
    throw MissingPart(description: "\(path) did not start: \(words)")
  }

  /// What it said when it did not start.
  private func begin() async throws -> String? {
    let command = ChildCommand(
      program, arguments, environment: plainEnvironment().merging(environment) { $1 },
      outputLimit: .gibibytes(1), errorLimit: .kibibytes(16), deadline: .after(seconds: 7200))
    let text = Shared<String?>(nil)
    // Killed with this process, whose thread waits for it.
    life = Task.detached {
      let result = try? await Processes.run(command)
      text.set(result.map { "\($0.status): \($0.errorText)" } ?? "it could not be started")
    }
    let deadline = Deadline.after(seconds: 60 * patience)
    while text.value == nil, !deadline.hasPassed {
      if takesConnections(port) { return nil }
      try await Task.sleep(for: .milliseconds(20))
    }
    return text.value ?? "it took no connection"
  }

  /// SIGKILL. Returns when it is gone.
  public func kill() async {
    life?.cancel()
    await life?.value
  }

  /// Starts it again where it was. Somebody may have been given the port for a moment.
  public func restart() async throws {
    var words: String?
    for _ in 0..<20 {
      words = try await begin()
      if words == nil { return }
      try await Task.sleep(for: .milliseconds(100))
    }
    throw MissingPart(description: "\(program) did not start again at port \(port): \(words ?? "")")
  }

  /// rclone's S3 over the server's folder.
  public static func rclone(_ server: TestServer) async throws -> MortalServer {
    try await start(
      "servers/bin/rclone",
      {
        [
          "serve", "s3", "--auth-key", "\(server.keyID),\(server.secret)", "--auth-key",
          "\(TestServer.nodeKeyID),\(server.secret)", "--auth-key",
          "\(TestServer.lentKeyID),\(server.secret)", "--addr", "127.0.0.1:\($0)",
          "--vfs-cache-mode", "off", server.folder,
        ]
      })
  }

  /// Tests/Servers/rest_catalog.py over the storage, with its databases in the folder.
  ///
  /// - Parameter term: milliseconds that keys are good for which it lends; nil when it lends none.
  public static func catalog(
    _ server: TestServer, over storage: TestServer, folder: String, lending term: Int? = nil
  ) async throws -> MortalServer {
    try await start(
      "python/bin/python",
      { port in
        [
          joined(repositoryRoot, "Tests/Servers/rest_catalog.py"), String(port), folder,
          "client=\(server.keyID):\(server.secret)",
          "vend=" + (term.map { "\(TestServer.lentKeyID):\(server.secret):\($0)" } ?? ""),
          "s3.endpoint=\(storage.endpoint)", "s3.access-key-id=\(storage.keyID)",
          "s3.secret-access-key=\(storage.secret)",
          "s3.region=us-east-1",
        ]
      },
      environment: [
        "AWS_REQUEST_CHECKSUM_CALCULATION": "WHEN_REQUIRED",
        "AWS_RESPONSE_CHECKSUM_VALIDATION": "WHEN_REQUIRED",
      ])
  }
}

/// An S3 server and a catalog over it that a test may kill.
public struct MortalArchive: Sendable {
  public var archive: TestArchive
  public var store: MortalServer
  public var catalog: MortalServer

  /// Runs the body with servers of its own, over a folder.
  public static func with<Result>(
    _ folder: String, isolation: isolated (any Actor)? = #isolation,
    _ body: (MortalArchive) async throws -> Result
  ) async throws -> Result {
    var storage = TestServer(endpoint: "")
    storage.folder = joined(folder, "buckets")
    let databases = joined(folder, "catalogs")
    for folder in [storage.folder, databases] { try makeFolder(folder) }
    let store = try await MortalServer.rclone(storage)
    storage.endpoint = store.endpoint
    var server = TestServer(endpoint: "")
    let catalog = try await MortalServer.catalog(server, over: storage, folder: databases)
    server.endpoint = catalog.endpoint
    let result: Swift.Result<Result, any Error>
    do {
      let archive = try await TestArchive.make(on: storage, server)
      result = .success(try await body(MortalArchive(archive: archive, store: store, catalog: catalog)))
    } catch {
      result = .failure(error)
    }
    await store.kill()
    await catalog.kill()
    return try result.get()
  }
}
