import Files
public import Support

/// What a node lets out of its logs, as its `policy.yaml` says (docs/policy.md).
public struct PolicyFile: Sendable, Equatable {
  public enum Queries: String, Sendable, CaseIterable { case allow, refuse }
  public enum Redaction: String, Sendable, CaseIterable { case remove, hash, keep }
  public enum SandboxRule: String, Sendable, CaseIterable { case required, optional }

  public var queries = Queries.allow
  /// Patterns of log files that may be read; nil for all.
  public var logs: [String]?
  /// Columns that may leave; nil for all.
  public var columns: [String]?
  public var redact: [String: Redaction] = [:]
  /// Of the file with the key that values are hashed with.
  public var hashKey: String?
  /// An SQL condition: no row of which it is not true leaves.
  public var rows: String?
  public var smallestGroup: Int64 = 1
  public var maxRows: Int64?
  public var maxBytes: ByteCount?
  public var sandbox = SandboxRule.required
  /// Of `gadwall node admit`: images that may be started, tasks, folders that they may mount, networks, what one may take, and stores.
  public var images: [String] = []
  public var tasks: [Task] = Task.allCases
  public var mounts = Configuration.Bacalhau().mounts
  public var networks: [Configuration.Bacalhau.Network] = [.host]
  /// Processors, and bytes; nil for any.
  public var cpu: Double?
  public var memory: Double?
  /// What a store's URL has to be or lie below; nil for any.
  public var stores: [String]?

  public enum Task: String, Sendable, CaseIterable { case stage, prune, query, probe }

  public init() {}

  /// Columns whose values can be redacted: those that the scanner reads out of a line.
  public static let redactable = ["service", "category", "message", "id", "version", "extra", "text"]

  /// - Throws: as ``Configuration/read(_:)``.
  public static func read(_ path: String) throws(Failure) -> PolicyFile {
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try readFile(path, limit: .kibibytes(256))
    } catch {
      throw error.failure("config.unreadable", "The node's policy \(path) can't be read.")
    }
    return try parse(bytes, path: path)
  }

  static func parse(_ bytes: [UInt8], path: String) throws(Failure) -> PolicyFile {
    let reader = Reader(path: path, folder: folderName(path), result: Configuration(path: path))
    return try reader.policy(try parseYAML(bytes, path: path))
  }
}

extension Reader {
  fileprivate func policy(_ root: YAMLNode) throws(Failure) -> PolicyFile {
    let top = try section(
      root, "",
      keys: [
        "queries", "logs", "columns", "redact", "hashKey", "rows", "smallestGroup", "maxRows",
        "maxBytes",
        "sandbox", "images", "tasks", "mounts", "network", "cpu", "memory", "stores",
      ])
    func choice<Choice: RawRepresentable & CaseIterable>(
      _ section: Section, _ key: String, _ standard: Choice
    )
      throws(Failure) -> Choice where Choice.RawValue == String
    {
      guard let word = try text(section, key) else { return standard }
      guard let read = Choice(rawValue: word) else {
        throw wrong(
          "config.value", mark(section, key, root),
          "\(section.path(key)) is \(Choice.allCases.map(\.rawValue).joined(separator: " or ")), not '\(printable(word))'."
        )
      }
      return read
    }
    func names(_ key: String, areLowercase: Bool = true) throws(Failure) -> [String]? {
      guard let value = member(top, key) else { return nil }
      guard case .sequence(let items, _) = value else {
        throw wrong("config.value", value.mark, "\(key) is a list of names.")
      }
      var names: [String] = []
      for item in items {
        guard case .scalar(let name, _, _) = item else {
          throw wrong("config.value", item.mark, "\(key) is a list of names.")
        }
        names.append(areLowercase ? name.lowercased() : name)
      }
      return names
    }
    func choices<Choice: RawRepresentable & CaseIterable>(
      _ key: String, _ standard: [Choice]
    ) throws(Failure) -> [Choice] where Choice.RawValue == String {
      guard let names = try names(key) else { return standard }
      let read = names.compactMap(Choice.init)
      guard read.count == names.count else {
        let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        throw wrong("config.value", mark(top, key, root), "\(key) is a list of some of \(known).")
      }
      return read
    }
    func amount(_ key: String, _ parse: (String) -> Double?, _ example: String) throws(Failure) -> Double? {
      guard let word = try text(top, key) else { return nil }
      guard let amount = parse(word), amount > 0 else {
        throw wrong(
          "config.value", mark(top, key, root),
          "\(key) is an amount such as \(example), not '\(printable(word))'.")
      }
      return amount
    }
    func count(_ key: String) throws(Failure) -> Int64? {
      guard let word = try text(top, key) else { return nil }
      guard let number = Int64(word), number > 0 else {
        throw wrong(
          "config.value", mark(top, key, root), "\(key) is a whole number above 0, not '\(printable(word))'.")
      }
      return number
    }
    var policy = PolicyFile()
    policy.queries = try choice(top, "queries", policy.queries)
    policy.sandbox = try choice(top, "sandbox", policy.sandbox)
    policy.logs = try names("logs", areLowercase: false)
    policy.columns = try names("columns")
    let redact = try section(top, "redact", keys: PolicyFile.redactable)
    for column in PolicyFile.redactable where member(redact, column) != nil {
      policy.redact[column] = try choice(redact, column, .remove)
    }
    // What is hidden in a column of its own stands in a malformed line whole, and in a key that comes twice.
    if policy.redact.contains(where: { $0.value != .keep && $0.key != "text" && $0.key != "extra" }) {
      for column in ["text", "extra"] where policy.redact[column] == nil { policy.redact[column] = .remove }
    }
    policy.redact = policy.redact.filter { $0.value != .keep }
    policy.hashKey = try text(top, "hashKey").map { absolute($0) }
    if policy.hashKey == nil, policy.redact.values.contains(.hash) {
      throw wrong(
        "config.value", mark(top, "redact", root), "values that are hashed need a key.",
        remedy: "Add 'hashKey: FILE', with 16 bytes or more that nobody else knows in it.")
    }
    policy.rows = try text(top, "rows")
    policy.smallestGroup = try count("smallestGroup") ?? 1
    policy.maxRows = try count("maxRows")
    if let word = try text(top, "maxBytes") {
      guard let size = ByteCount(parsing: word), size.bytes > 0 else {
        throw wrong(
          "config.value", mark(top, "maxBytes", root),
          "maxBytes is a size such as 500KiB or 10MiB, not '\(printable(word))'.")
      }
      policy.maxBytes = size
    }
    policy.images = try names("images", areLowercase: false) ?? []
    policy.tasks = try choices("tasks", policy.tasks)
    if let value = member(top, "mounts") { policy.mounts = try mounts(value, "mounts") }
    policy.networks = try choices("network", policy.networks)
    policy.cpu = try amount("cpu", cpuCount, "500m")
    policy.memory = try amount("memory", memoryBytes, "768MiB")
    policy.stores = try names("stores", areLowercase: false)
    return policy
  }

  private func mark(_ section: Section, _ key: String, _ root: YAMLNode) -> Mark {
    member(section, key)?.mark ?? root.mark
  }
}
