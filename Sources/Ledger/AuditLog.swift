import Files
public import Support

/// What a node has been asked to do, and what left it, for its owner: a line of JSON for each task that ran or was refused, each with the digest of the line
/// before. Tasks in containers and the agent's own admission append to one file, one after the other.
///
/// A line that is changed, taken out or put in breaks the chain. That the last lines are gone shows only to who kept a later digest.
public struct AuditLog: Sendable {
  public struct Entry: Sendable, Codable, Equatable {
    public enum Outcome: String, Sendable, Codable { case answered, refused, failed }

    /// ISO 8601, UTC.
    public var at: String
    public var task: String
    /// Of the run or the query.
    public var id: String?
    /// Bacalhau's, when it carries the task.
    public var job: String?
    public var execution: String?
    public var sql: String?
    public var files: Int?
    /// Rows and bytes that left the node.
    public var rows: Int64?
    public var bytes: Int64?
    public var outcome: Outcome
    public var reason: String?
    /// SHA-256 in hex of the line before, without its line feed; empty for the first.
    public var before = ""

    public init(at: String, task: String, outcome: Outcome) {
      self.at = at
      self.task = task
      self.outcome = outcome
    }
  }

  /// What a check of the chain found.
  public struct Report: Sendable, Codable, Equatable {
    public var lines = 0
    /// Of the last line; who keeps it will see later that nothing before it was taken out.
    public var head = ""
    /// Each with its file and line.
    public var faults: [String] = []
    /// Whether the digest that was asked for is that of a line.
    public var hasWanted = true
  }

  public let path: String
  /// A file that would grow over this is put aside as `.1`, the one before as `.2`, and so on.
  var limit = ByteCount.mebibytes(16)
  static let kept = 9
  /// A statement has at most 64 KiB, every byte of which may be written as six.
  private static let longestLine = ByteCount.mebibytes(1)

  public init(path: String) { self.path = path }

  /// The one of a node's.
  public static func ofNode(root: String) -> AuditLog {
    AuditLog(path: joined(root, "var/lib/gadwall/audit.ndjson"))
  }

  /// Whether it can be appended to.
  ///
  /// - Throws: `audit.unwritable`.
  public func prepare() throws(Failure) {
    do throws(SystemError) { _ = try locked() } catch { throw unwritable(error) }
  }

  /// Appends one line, and returns when it is on the disk. Waits for others who append.
  ///
  /// - Throws: `audit.unwritable`.
  public func append(_ entry: Entry) throws(Failure) {
    do throws(SystemError) {
      var lock = try locked()
      let last = try lastLine()
      // What a power cut left of a line is a line, too, and stays.
      var separator: [UInt8] = last.isTorn ? [0x0A] : []
      if try FileInfo(path: path).size >= limit.bytes {
        try rotate()
        lock = try locked()
        separator = []
      }
      var entry = entry
      entry.before = last.bytes.isEmpty ? "" : sha256(last.bytes)
      try lock.write(separator + encodeJSON(entry) + [0x0A])
      try lock.synchronize()
    } catch {
      throw unwritable(error)
    }
  }

  private func unwritable(_ error: SystemError) -> Failure {
    error.failure(
      "audit.unwritable", "The node's audit log \(path) can't be written.",
      remedy: "What is not written down there is not done: make it writable, with room on its disk.")
  }

  /// The file, locked for this process alone.
  private func locked() throws(SystemError) -> Descriptor {
    // What is refused before anything else was done is the first that a node knows.
    try makeFolder(folderName(path), mode: 0o750)
    while true {
      // The agent's user and the container's root both append, by a group of the folder's: whoever makes it lets that write, whatever its umask says.
      let isNew = !exists(path)
      let file = try Descriptor.append(path, mode: 0o660)
      if isNew { try setMode(path, 0o660) }
      try file.lockExclusively()
      // Whoever had the lock may have put the file aside.
      let inode = try file.info().inode
      if exists(path), try FileInfo(path: path).inode == inode { return file }
    }
  }

  private func rotate() throws(SystemError) {
    for number in stride(from: Self.kept - 1, through: 1, by: -1) where exists("\(path).\(number)") {
      try renameFile("\(path).\(number)", "\(path).\(number + 1)", replacing: true)
    }
    try renameFile(path, "\(path).1", replacing: true)
  }

  /// The newest line, which may be in the file before.
  private func lastLine() throws(SystemError) -> (bytes: [UInt8], isTorn: Bool) {
    for name in [path, "\(path).1"] where exists(name) {
      let size = try FileInfo(path: name).size
      guard size > 0 else { continue }
      let file = try Descriptor.input(name)
      let count = min(size, Self.longestLine.bytes)
      var tail = [UInt8](repeating: 0, count: Int(count))
      let got = tail.withUnsafeMutableBytes { buffer in
        Result { () throws(SystemError) in try file.read(into: buffer, at: size - count) }
      }
      tail = Array(tail.prefix(try got.get()))
      let isTorn = tail.last != 0x0A
      if !isTorn { tail.removeLast() }
      let start = tail.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
      return (Array(tail[start...]), isTorn && name == path)
    }
    return ([], false)
  }

  /// Entries of all files, the oldest first, as far as they can be read.
  public func entries() throws(Failure) -> [Entry] {
    try lines().compactMap { line in
      try? decodeJSON(Entry.self, from: line.bytes, code: "audit.line", document: "The line")
    }
  }

  /// Follows the chain from the oldest line to the newest.
  ///
  /// - Parameter wanted: a digest that somebody kept.
  public func check(wanted: String? = nil) throws(Failure) -> Report {
    var report = Report()
    // What came before the oldest file that is kept nobody knows.
    var before = exists("\(path).\(Self.kept)") ? nil : ""
    var digests: Set<String> = []
    for line in try lines() {
      report.lines += 1
      let place = "\(line.file), line \(line.number)"
      let entry = try? decodeJSON(Entry.self, from: line.bytes, code: "audit.line", document: "The line")
      if let entry {
        if let before, entry.before != before {
          report.faults.append("\(place): the line before it is not the one that it was written after")
        }
      } else {
        report.faults.append("\(place) is no entry: it was cut off, or written by somebody else")
      }
      let digest = sha256(line.bytes)
      digests.insert(digest)
      before = digest
    }
    report.head = before ?? ""
    report.hasWanted = wanted.map { digests.contains($0.lowercased()) } ?? true
    return report
  }

  private struct Line {
    var file: String
    var number: Int
    var bytes: [UInt8]
  }

  private func lines() throws(Failure) -> [Line] {
    var lines: [Line] = []
    let names = (1...Self.kept).reversed().map { "\(path).\($0)" } + [path]
    for name in names where exists(name) {
      let bytes: [UInt8]
      do throws(SystemError) {
        bytes = try readFile(name, limit: ByteCount(limit.bytes + 2 * Self.longestLine.bytes))
      } catch {
        throw error.failure("audit.unreadable", "The node's audit log \(name) can't be read.")
      }
      var parts = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
      if parts.last?.isEmpty == true { parts.removeLast() }
      for (index, part) in parts.enumerated() {
        lines.append(Line(file: baseName(name), number: index + 1, bytes: Array(part)))
      }
    }
    return lines
  }
}
