import Files
import Glibc
import Processes
import Support
import Synchronization

/// The S3 server and the REST catalog of `gadwall demo --s3`: rclone and a small catalog over pyiceberg, on this machine's loopback, with keys of their
/// own that are thrown away.
struct DemoServers: Sendable {
  let folder: String
  let rclone: String
  let python: String
  let script: String
  let storePort: Int
  let catalogPort: Int
  let keyID = "demo-\(randomName())"
  let secret = hex(randomBytes(20))
  let client = "demo"
  let clientSecret = hex(randomBytes(20))

  static let bucket = "demo"
  var storeURL: String { "s3://\(Self.bucket)/archive" }
  var storeEndpoint: String { "http://127.0.0.1:\(storePort)" }
  var catalogURI: String { "http://127.0.0.1:\(catalogPort)" }

  /// - Throws: `demo.servers` when a program is missing.
  init(folder: String) throws(Failure) {
    self.folder = folder
    let own = folderName(executablePath()).split(separator: "/").map(String.init)
    var checkouts: [String] = []
    if let index = own.lastIndex(of: ".build") { checkouts = ["/" + own[..<index].joined(separator: "/")] }
    func find(_ name: String, _ inCheckout: String) throws(Failure) -> String {
      let places =
        checkouts.map { joined($0, inCheckout) }
        + (environmentValue("PATH") ?? "").split(separator: ":").map { joined(String($0), name) }
      if let found = places.first(where: { exists(resolvedPath($0)) }) { return found }
      throw Failure(
        "demo.servers", "The demo on S3 needs \(name), which is not there.",
        remedy: "In a checkout 'make setup' installs it: \(inCheckout). Without --s3 the demo needs nothing.")
    }
    func port() throws(Failure) -> Int {
      guard let port = freeLoopbackPort() else {
        throw Failure("demo.servers", "No port of the loopback interface is free.")
      }
      return port
    }
    rclone = try find("rclone", ".build/servers/bin/rclone")
    script = try find("rest_catalog.py", "Tests/Servers/rest_catalog.py")
    python = try find("python with pyiceberg", ".build/python/bin/python")
    storePort = try port()
    catalogPort = try port()
  }

  /// Writes what starts them again: `servers start|stop`, and `env` with the keys, which no other file has.
  func writeFiles() throws(SystemError) {
    try makeFolder(joined(folder, "s3/\(Self.bucket)"))
    try makeFolder(joined(folder, "catalog"))
    let environment = """
      # Made by 'gadwall demo --s3': the keys of the demo's own servers, good for nothing else.
      export AWS_ACCESS_KEY_ID=\(keyID)
      export AWS_SECRET_ACCESS_KEY=\(secret)
      export GADWALL_CATALOG_CREDENTIAL=\(client):\(clientSecret)
      unset AWS_SESSION_TOKEN AWS_PROFILE AWS_ENDPOINT_URL_S3 GADWALL_CATALOG_TOKEN GADWALL_CONFIG

      """
    try publish(Array(environment.utf8), at: joined(folder, "env"), replacing: true)
    try setMode(joined(folder, "env"), 0o600)
    try publish(
      try readFile(script, limit: .mebibytes(1)), at: joined(folder, "rest_catalog.py"), replacing: true)
    let servers = """
      #!/usr/bin/env bash
      # The demo's S3 server and Iceberg REST catalog. Usage: servers start|stop
      set -euo pipefail
      cd "$(dirname "$0")"
      . ./env
      stop() {
        for name in rclone catalog; do
          [ -e "$name.pid" ] && kill "$(cat "$name.pid")" 2>/dev/null || true
          rm -f "$name.pid"
        done
      }
      case ${1:-} in
        start)
          stop
          RCLONE_AUTH_KEY='"'"$AWS_ACCESS_KEY_ID,$AWS_SECRET_ACCESS_KEY"'"' setsid nohup \(quotedForShell(rclone)) \(rcloneArguments.joined(separator: " ")) >rclone.log 2>&1 &
          echo $! >rclone.pid
          CATALOG_OPTIONS="client=$GADWALL_CATALOG_CREDENTIAL
      s3.access-key-id=$AWS_ACCESS_KEY_ID
      s3.secret-access-key=$AWS_SECRET_ACCESS_KEY
      s3.endpoint=\(storeEndpoint)
      s3.region=us-east-1" AWS_REQUEST_CHECKSUM_CALCULATION=WHEN_REQUIRED AWS_RESPONSE_CHECKSUM_VALIDATION=WHEN_REQUIRED \\
            setsid nohup \(quotedForShell(python)) rest_catalog.py \(catalogPort) catalog >catalog.log 2>&1 &
          echo $! >catalog.pid
          for port in \(storePort) \(catalogPort); do
            for _ in $(seq 300); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && continue 2; sleep 0.1; done
            echo "Nothing answers on port $port: see *.log in $PWD." >&2
            exit 1
          done
          ;;
        stop) stop ;;
        *) echo "usage: servers start|stop" >&2; exit 64 ;;
      esac

      """
    try publish(Array(servers.utf8), at: joined(folder, "servers"), replacing: true)
    try setMode(joined(folder, "servers"), 0o755)
  }

  private var rcloneArguments: [String] {
    ["serve", "s3", "--addr", "127.0.0.1:\(storePort)", "--vfs-cache-mode", "off", "s3"]
  }

  /// Runs the body while both servers run. They end with it, and with this process.
  func running<Result: Sendable>(_ body: @Sendable () async throws -> Result) async throws -> Result {
    // What the commands of this process read, as they would after `. ./env`.
    for (name, value) in [
      ("AWS_ACCESS_KEY_ID", keyID), ("AWS_SECRET_ACCESS_KEY", secret),
      ("GADWALL_CATALOG_CREDENTIAL", "\(client):\(clientSecret)"),
    ] { setenv(name, value, 1) }
    for name in ["AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "GADWALL_CATALOG_TOKEN"] {
      unsetenv(name)
    }
    var store = plainEnvironment()
    // A list with one item that has a comma.
    store["RCLONE_AUTH_KEY"] = "\"\(keyID),\(secret)\""
    var catalog = plainEnvironment()
    catalog["CATALOG_OPTIONS"] = [
      "client=\(client):\(clientSecret)", "s3.access-key-id=\(keyID)", "s3.secret-access-key=\(secret)",
      "s3.endpoint=\(storeEndpoint)", "s3.region=us-east-1",
    ].joined(separator: "\n")
    catalog["AWS_REQUEST_CHECKSUM_CALCULATION"] = "WHEN_REQUIRED"
    catalog["AWS_RESPONSE_CHECKSUM_VALIDATION"] = "WHEN_REQUIRED"
    let commands = [
      command(rclone, rcloneArguments, store),
      command(python, ["rest_catalog.py", String(catalogPort), "catalog"], catalog),
    ]
    let endings = commands.map { _ in Shared<String?>(nil) }
    let tasks = zip(commands, endings).map { command, ending in
      Task {
        do {
          let result = try await Processes.run(command)
          ending.set("\(result.status): \(result.errorText)")
        } catch {
          ending.set("\(error)")
        }
      }
    }
    func end() async {
      for task in tasks { task.cancel() }
      for task in tasks { await task.value }
    }
    do {
      for (port, ending) in zip([storePort, catalogPort], endings) { try await waitFor(port, ending) }
      let result = try await body()
      await end()
      return result
    } catch {
      await end()
      throw error
    }
  }

  private func command(_ path: String, _ arguments: [String], _ environment: [String: String]) -> ChildCommand
  {
    var command = ChildCommand(
      path, arguments, environment: environment, outputLimit: .gibibytes(1), errorLimit: .kibibytes(16),
      deadline: .after(seconds: 86_400))
    command.directory = folder
    return command
  }

  private func waitFor(_ port: Int, _ ending: Shared<String?>) async throws {
    let deadline = Deadline.after(seconds: 60)
    while !takesConnections(port) {
      if ending.value != nil || deadline.hasPassed {
        throw Failure(
          "demo.servers", "A server of the demo did not start on port \(port).",
          words: ending.value ?? "it took no connection")
      }
      try await Task.sleep(for: .milliseconds(20))
    }
  }
}
