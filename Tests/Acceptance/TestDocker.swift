// A Docker daemon and a registry of a test's own, from the packages that `make setup` unpacks, and the image that they are given.

import Files
import Glibc
import Processes
import Support
import TestSupport

/// A daemon with a folder, a socket and a /run of its own. It touches no network, no firewall and no other daemon.
struct TestDocker: Sendable {
  private let folder: String

  private static let root = joined(repositoryRoot, ".build/containers/docker")
  private var socket: String { joined(folder, "docker.sock") }
  private static let path = "\(root)/usr/sbin:\(root)/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin"

  /// Runs the body with a daemon. Nothing of it is left afterwards, whichever way the body or this process ends: it and all that it
  /// starts live in namespaces that go with their first process.
  static func with<Result>(
    isolation: isolated (any Actor)? = #isolation, _ body: (TestDocker) async throws -> Result
  ) async throws -> Result {
    guard geteuid() == 0 else {
      throw MissingPart(description: "A Docker daemon is started for this test: it needs root.")
    }
    guard exists(joined(root, "usr/sbin/dockerd")) else {
      throw MissingPart(description: "\(root) is missing: run 'make setup'.")
    }
    return try await withScratch { folder in
      let docker = TestDocker(folder: folder)
      let ended = Shared<String?>(nil)
      let life = Task.detached { ended.set(await docker.live()) }
      let result: Swift.Result<Result, any Error>
      do {
        let answers = try await eventually(seconds: 60 * patience) {
          ended.value != nil || docker.isListening
        }
        guard answers, ended.value == nil else {
          throw MissingPart(description: "dockerd did not start: \(ended.value ?? docker.words)")
        }
        result = .success(try await body(docker))
      } catch {
        result = .failure(error)
      }
      life.cancel()
      await life.value
      return try result.get()
    }
  }

  /// The daemon from its start to its end, and how it ended.
  private func live() async -> String {
    let settings = joined(folder, "daemon.json")
    let script = """
      echo '{}' > '\(settings)' && mount -t tmpfs tmpfs /run && exec dockerd --config-file '\(settings)' --iptables=false \
      --ip6tables=false --bridge=none --data-root '\(folder)/data' --exec-root '\(folder)/exec' --pidfile '\(folder)/pid' \
      --host 'unix://\(socket)' > '\(folder)/log' 2>&1
      """
    let command = ChildCommand(
      "/usr/bin/unshare",
      ["--mount", "--pid", "--mount-proc", "--fork", "--kill-child", "/bin/sh", "-c", script],
      environment: ["PATH": Self.path], deadline: .after(seconds: 600 * patience))
    do { return "\(try await Processes.run(command).status): \(words)" } catch { return "\(error): \(words)" }
  }

  private var isListening: Bool {
    let said = (try? readFile(joined(folder, "log"), limit: .mebibytes(16))) ?? []
    return String(decoding: said, as: UTF8.self).contains("API listen on")
  }

  private var words: String {
    String(
      decoding: ((try? readFile(joined(folder, "log"), limit: .mebibytes(16))) ?? []).suffix(2_000),
      as: UTF8.self)
  }

  /// Runs the client.
  func callAsFunction(_ arguments: [String], seconds: Double = 120) async throws -> Ended {
    let environment = ["PATH": Self.path, "DOCKER_HOST": "unix://\(socket)", "DOCKER_CONFIG": folder]
    let result = try await Processes.run(
      ChildCommand(
        joined(Self.root, "usr/bin/docker"), arguments, environment: environment,
        deadline: .after(seconds: seconds * patience)))
    return Ended(result)
  }

  func callAsFunction(_ arguments: String...) async throws -> Ended { try await self(arguments) }

  /// A registry at a port of the loopback interface, over a folder that goes with the body.
  static func withRegistry<Result>(
    isolation: isolated (any Actor)? = #isolation, _ body: (Int) async throws -> Result
  ) async throws -> Result {
    try await withScratch { folder in
      let server = try await MortalServer.start("containers/docker/usr/bin/docker-registry") { port in
        let settings = joined(folder, "registry.yml")
        let text = """
          version: 0.1
          storage: { filesystem: { rootdirectory: "\(folder)/registry" } }
          http: { addr: "127.0.0.1:\(port)" }
          """
        try? publish(Array(text.utf8), at: settings, replacing: true)
        return ["serve", settings]
      }
      let result: Swift.Result<Result, any Error>
      do { result = .success(try await body(server.port)) } catch { result = .failure(error) }
      await server.kill()
      return try result.get()
    }
  }
}

/// The image that the tests run: `$GADWALL_TEST_IMAGE`, or one of the program that was built with them.
actor TestImage {
  static let shared = TestImage()
  static let name = "gadwall:test"

  private var building: Task<String, any Error>?

  /// The archive's path.
  func archive() async throws -> String {
    let task =
      building
      ?? Task {
        if let given = environmentValue("GADWALL_TEST_IMAGE") { return resolvedPath(given) }
        let folder = joined(folderName(builtProgram), "container-image")
        try makeFolder(folder)
        let archive = joined(folder, "image.tar")
        try await Self.build(archive)
        return archive
      }
    building = task
    return try await task.value
  }

  /// Builds the image of the program that was built with the tests. Its Swift runtime is not linked in, and goes along.
  static func build(_ archive: String) async throws {
    let program = archive + ".program"
    try await run("/usr/bin/strip", ["-o", program, builtProgram])
    defer { try? removeFile(program) }
    try await run(
      "/usr/bin/python3",
      [
        joined(repositoryRoot, "deploy/container/image.py"), "--program", program, "--own-libraries",
        "--duckdb", joined(repositoryRoot, ".build/duckdb"), "--queries", joined(repositoryRoot, "queries"),
        "--packages", joined(repositoryRoot, ".build/containers/debian"), "--name", name, "--created", "0",
        "--label", "org.opencontainers.image.title=gadwall", "--compression", "1", "--output", archive,
      ])
  }

  private static func run(_ program: String, _ arguments: [String]) async throws {
    let result = try await Processes.run(
      ChildCommand(
        program, arguments, environment: plainEnvironment(), deadline: .after(seconds: 180 * patience)))
    guard result.status == .exited(0) else {
      throw MissingPart(
        description: "\(baseName(program)) \(arguments.first ?? ""): \(result.status), \(result.errorText)")
    }
  }
}
