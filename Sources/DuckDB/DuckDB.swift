import Files
import Glibc
import Processes
public import Support

/// The pinned DuckDB program and how it is run.
public struct DuckDB: Sendable {
  public static let version = "1.5.5"

  public let executable: String
  /// The folder with `v1.5.5/PLATFORM/NAME.duckdb_extension`.
  public let extensions: String

  /// What lets it read the store.
  public struct Access: Sendable {
    /// With the keys among them: given on standard input alone, and only with the iceberg extension.
    public var statements: [SQL]
    /// What DuckDB, or a server that it asks, may quote of them, and nobody is to read.
    public var secrets: [String]

    public init(_ statements: [SQL], secrets: [String]) {
      self.statements = statements
      self.secrets = secrets
    }
  }

  /// Whether it runs all the same where the kernel has no sandbox for it.
  public var sandboxIsOptional = false

  public var access: (@Sendable () async throws(Failure) -> Access)?

  public struct Settings: Sendable {
    public var memory: ByteCount
    public var threads: Int
    /// Where it spills; nil forbids spilling.
    public var scratch: String?
    public var load: [String] = []
    public var deadline: Deadline?
    public var outputLimit = ByteCount.mebibytes(64)
    /// What the operating system keeps it to, for statements that are not ours; without it, it may do what this process may.
    public var confinement: Confinement?

    /// - Parameter memory: at most; less on a machine, or in a control group, that has little.
    public init(
      memory: ByteCount = .mebibytes(512), scratch: String? = nil, load: [String] = [],
      deadline: Deadline? = nil
    ) {
      self.memory = min(memory, Self.affordable)
      // Each has its own buffers: with two of them 96 MiB do not do for a data file.
      threads = self.memory < .mebibytes(192) ? 1 : 2
      self.scratch = scratch
      self.load = load
      self.deadline = deadline
    }

    /// Three eighths of what there is; a data file can't be written with much less than 96 MiB.
    private static let affordable = max(.mebibytes(96), ByteCount(machineMemory().bytes / 8 * 3))
  }

  init(executable: String) {
    self.executable = executable
    extensions = joined(folderName(executable), "extensions")
  }

  /// Finds the program without starting it: each of its runs checks the version before anything else.
  ///
  /// Looked for in this order: `configured`, `$GADWALL_DUCKDB`, `../lib/gadwall/duckdb` seen from the executable's folder, `duckdb/duckdb` in
  /// the `.build` folder that the executable lies in, `PATH`.
  /// - Throws: `duckdb.missing` with the places looked at.
  public static func locate(configured: String?) throws(Failure) -> DuckDB {
    let own = folderName(executablePath())
    var places: [String] = []
    if let configured {
      places = [configured]
    } else if let named = environmentValue("GADWALL_DUCKDB") {
      places = [named]
    } else {
      places.append(joined(folderName(own), "lib/gadwall/duckdb"))
      if let range = own.split(separator: "/").lastIndex(of: ".build") {
        let build = "/" + own.split(separator: "/")[...range].joined(separator: "/")
        places.append(joined(build, "duckdb/duckdb"))
      }
      for folder in (environmentValue("PATH") ?? "").split(separator: ":") where folder.hasPrefix("/") {
        places.append(joined(String(folder), "duckdb"))
      }
    }
    guard let found = places.first(where: { isFile($0) }) else {
      throw Failure(
        "duckdb.missing",
        "DuckDB \(version) was not found: looked at \(places.prefix(4).joined(separator: ", ")).",
        remedy: "Install it there, or name it with 'duckdb.path' in the configuration or $GADWALL_DUCKDB.")
    }
    return DuckDB(executable: resolvedPath(found))
  }

  /// Finds the program and asks it for its version, before there is work to do with it.
  ///
  /// - Throws: `duckdb.missing` with the places looked at; `duckdb.version` with both versions.
  public static func find(configured: String?) async throws(Failure) -> DuckDB {
    let duckdb = try locate(configured: configured)
    let found = duckdb.executable
    let result: ChildResult
    do {
      result = try await Processes.run(
        ChildCommand(
          duckdb.executable, ["--version"], environment: plainEnvironment(), outputLimit: .kibibytes(4),
          deadline: .after(seconds: 30)))
    } catch {
      throw Failure(
        "duckdb.missing", "\(found) can't be run.", remedy: "Name a DuckDB \(version).", words: "\(error)")
    }
    let said = String(decoding: result.output, as: UTF8.self)
    let words = said.split(whereSeparator: { $0 == " " || $0 == "\n" })
    guard result.status == .exited(0), words.first == "v\(version)" else {
      throw Failure(
        "duckdb.version",
        "\(found) is DuckDB \(words.first.map(String.init) ?? "of no known version"), and Gadwall is made for v\(version).",
        remedy: "Name a DuckDB \(version) with 'duckdb.path' in the configuration or $GADWALL_DUCKDB.",
        words: result.status == .exited(0) ? "" : result.errorText)
    }
    return duckdb
  }

  /// Runs the statements and gives the rows of those that return some, one array a statement, in order.
  ///
  /// - Throws: `duckdb.failed` with DuckDB's own words; `scratch.full`; `duckdb.deadline`; `cancelled`.
  @discardableResult
  public func run(_ statements: [SQL], _ settings: Settings = Settings()) async throws(Failure)
    -> [[JSONValue]]
  {
    var before: [SQL] = []
    var secrets: [String] = []
    let mark = randomName()
    if settings.load.contains("iceberg"), let access {
      // Some of them print a row, too: the statements' own begin after the mark.
      let access = try await access()
      before = access.statements + ["SELECT \(mark) AS gadwall_begin"]
      secrets = access.secrets
    }
    let result: ChildResult
    do {
      result = try await Processes.run(command(before + statements, settings))
    } catch {
      throw failure(error)
    }
    if var failure = failure(result) {
      failure.words = hiding(secrets, in: failure.words)
      throw failure
    }
    let results = try resultSets(result.output)
    if before.isEmpty { return results }
    let begin = results.firstIndex { $0.first?["gadwall_begin"]?.string == mark }
    return Array(results.dropFirst(begin.map { $0 + 1 } ?? 0))
  }

  func command(_ statements: [SQL], _ settings: Settings, feed: ChildFeed? = nil) -> ChildCommand {
    ChildCommand(
      executable, ["-json", "-bail"], environment: environment,
      input: Array(script(preamble(settings) + statements).utf8), feed: feed,
      outputLimit: settings.outputLimit, errorLimit: .kibibytes(16), deadline: settings.deadline,
      sandbox: sandbox(settings))
  }

  /// Its own folder stands in for the user's home: a `.duckdbrc` there must not change what our statements mean.
  private var environment: [String: String] {
    var environment = plainEnvironment()
    environment["HOME"] = folderName(executable)
    return environment
  }

  private func preamble(_ settings: Settings) -> [SQL] {
    var sql: [SQL] = [
      "SET VARIABLE gadwall_version = CASE WHEN version() = \("v\(Self.version)") THEN 1 ELSE error(\(wrongVersion) || version()) END",
      "SET memory_limit = \("\(settings.memory.bytes >> 20)MiB")", "SET threads = \(settings.threads)",
      "SET TimeZone = 'UTC'", "SET autoinstall_known_extensions = false",
      "SET autoload_known_extensions = false",
      "SET extension_directory = \(extensions)",
    ]
    if let scratch = settings.scratch {
      sql.append("SET temp_directory = \(scratch)")
    } else {
      sql.append("SET temp_directory = ''")
    }
    if let confinement = settings.confinement {
      sql.append("SET max_temp_directory_size = \("\(confinement.fileLimit.bytes >> 20)MiB")")
    }
    return sql + settings.load.map { "LOAD \(name: $0)" }
  }
}

/// What stands before the version of a DuckDB that is not the one meant.
private let wrongVersion = "Gadwall is made for DuckDB v\(DuckDB.version), and this is "

func script(_ statements: [SQL]) -> String { statements.map { $0.text + ";\n" }.joined() }

func failure(_ error: ChildFailure) -> Failure {
  switch error {
  case .start(let words): Failure("duckdb.missing", "DuckDB could not be started.", words: words)
  case .unconfined(let words):
    Failure(
      "sandbox.unavailable",
      "This kernel can't keep a DuckDB with somebody's statement away from everything else, so it was not started.",
      remedy:
        "It takes Linux 5.13 or later with Landlock switched on ('landlock' in /sys/kernel/security/lsm), and in a container a seccomp profile that permits Landlock's calls and prctl. On a node, 'sandbox: optional' in its policy.yaml does without (docs/policy.md).",
      words: words)
  case .deadline: Failure("duckdb.deadline", "DuckDB did not finish in time.")
  case .outputLimit(let limit): Failure("duckdb.output", "DuckDB printed more than \(limit).")
  case .cancelled: Failure("cancelled", "The work was cancelled.")
  }
}

/// Why a DuckDB that ended did not do what it was asked; nil when it did.
func failure(_ result: ChildResult) -> Failure? {
  guard result.status != .exited(0) else { return nil }
  let words = trimmed(result.errorText)
  if words.contains(wrongVersion) {
    return Failure(
      "duckdb.version", words.split(separator: ": ").last.map { "\($0)." } ?? words,
      remedy: "Name a DuckDB \(DuckDB.version) with 'duckdb.path' in the configuration or $GADWALL_DUCKDB.")
  }
  // The kernel's own words are all that DuckDB says of the reason.
  let noSpace = [ENOSPC, EDQUOT].map { String(cString: strerror($0)) }
  if words.hasPrefix("IO Error"), noSpace.contains(where: words.contains) {
    return Failure(
      "scratch.full", "DuckDB found no room for the files that it writes.",
      remedy: "Free some space there and run it again; nothing was lost.", words: words)
  }
  let more =
    "Nothing was lost. It takes about 256 MiB of memory in all; the run after one that had them goes on where this one ended."
  if words.hasPrefix("Out of Memory Error") {
    return Failure(
      "duckdb.memory", "DuckDB may use too little memory here for what it was asked.", remedy: more,
      words: words)
  }
  if result.status == .signalled(SIGXCPU) {
    return Failure("duckdb.deadline", "DuckDB took more of the processors' time than it may.", words: words)
  }
  if result.status == .signalled(SIGXFSZ) {
    return Failure("duckdb.output", "DuckDB wrote a larger file than it may.", words: words)
  }
  if result.status == .signalled(SIGKILL) {
    return Failure(
      "duckdb.killed", "DuckDB was killed (\(result.status)), most likely by the kernel for want of memory.",
      remedy: more, words: words)
  }
  if words.hasPrefix("HTTP Error") {
    return Failure(
      "duckdb.store", "DuckDB could not read from the store.",
      remedy:
        "The control machine's keys must permit to read the table's data and metadata (docs/security.md), and the endpoint must be an S3 server.",
      words: words)
  }
  return Failure("duckdb.failed", "DuckDB failed (\(result.status)).", words: words)
}

private func isFile(_ path: String) -> Bool {
  (try? FileInfo(path: resolvedPath(path)))?.kind == .regular
}

private func trimmed(_ text: String) -> String {
  var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
  while lines.last?.allSatisfy({ $0 == " " }) == true { lines.removeLast() }
  return lines.joined(separator: "\n")
}

/// The arrays that `-json` prints one after the other. Each begins with `[` at the start of a line; what stands between them
/// (warnings arrive on standard output too) is passed over.
func resultSets(_ output: [UInt8]) throws(Failure) -> [[JSONValue]] {
  var sets: [[JSONValue]] = []
  var at = 0
  while at < output.count {
    if let end = colourEnd(output, from: at) {
      at = end
    } else if output[at] == UInt8(ascii: "[") {
      guard let end = arrayEnd(output, from: at) else { break }
      guard
        case .array(let rows) = try decodeJSON(
          JSONValue.self, from: Array(output[at..<end]), code: "duckdb.output",
          document: "What DuckDB printed")
      else { break }
      sets.append(rows)
      at = end
    } else {
      // To the next line.
      while at < output.count, output[at] != 0x0A { at += 1 }
      at += 1
    }
  }
  guard at >= output.count else {
    throw Failure(
      "duckdb.output", "DuckDB's output was cut short.",
      words: String(decoding: output[at...].prefix(200), as: UTF8.self))
  }
  return sets
}

/// Where the colour that begins here ends: DuckDB colours its warnings, and the set back stands at the head of the next array's line.
private func colourEnd(_ bytes: [UInt8], from start: Int) -> Int? {
  guard bytes[start] == 0x1B, start + 1 < bytes.count, bytes[start + 1] == UInt8(ascii: "[") else {
    return nil
  }
  var at = start + 2
  while at < bytes.count, (0x30...0x3B).contains(bytes[at]) { at += 1 }
  return at < bytes.count && bytes[at] == UInt8(ascii: "m") ? at + 1 : nil
}

private func arrayEnd(_ bytes: [UInt8], from start: Int) -> Int? {
  var depth = 0
  var inString = false
  var at = start
  while at < bytes.count {
    let byte = bytes[at]
    if inString {
      if byte == UInt8(ascii: "\\") { at += 1 } else if byte == UInt8(ascii: "\"") { inString = false }
    } else {
      switch byte {
      case UInt8(ascii: "\""): inString = true
      case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        depth -= 1
        if depth == 0 { return at + 1 }
      default: break
      }
    }
    at += 1
  }
  return nil
}
