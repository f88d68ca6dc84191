import Files
public import Support

/// Writes the log entries of an imagined system: one of each service per round, the same ones for the same seed.
public struct LogGenerator: Sendable {
  public static let services = ["Auth", "AppStack", "Database"]
  public static let categories = ["INFO", "WARN", "CRITICAL", "SECURITY"]
  static let words = [
    "dog", "cheese", "cow", "car", "sky", "river", "lamp", "stone", "apple", "bridge", "cloud", "drum",
    "engine", "feather",
    "garden", "hammer", "island", "jacket", "kettle", "ladder", "mirror", "needle", "orange", "pencil",
    "quilt", "rocket",
    "saddle", "table", "umbrella", "violin", "window", "yard",
  ]

  private var random: SeededRandom

  public init(seed: UInt64) { random = SeededRandom(seed: seed) }

  /// The next entry of a service, with its line end.
  public mutating func line(service: String, at time: Instant) -> String {
    let high = random.next()
    let low = random.next()
    let id = hexID(high, low)
    let category = Self.categories[Int(random.next() % 4)]
    var message = "\(service) [\(category)]"
    var bits = random.next()
    for _ in 0..<5 {
      message += " " + Self.words[Int(bits % 32)]
      bits >>= 5
    }
    return
      #"{"id":"\#(id)","@timestamp":"\#(stamp(time))","@version":"1.1","message":"\#(message)"}"# + "\n"
  }

  /// A version 4 UUID's shape.
  private func hexID(_ high: UInt64, _ low: UInt64) -> String {
    let bytes =
      withUnsafeBytes(of: high.bigEndian) { Array($0) } + withUnsafeBytes(of: low.bigEndian) { Array($0) }
    var text = hex(bytes)
    for offset in [20, 16, 12, 8] { text.insert("-", at: text.index(text.startIndex, offsetBy: offset)) }
    return text
  }

  /// Milliseconds always, as logback writes them.
  private func stamp(_ time: Instant) -> String {
    let p = time.parts
    return
      "\(time.dateText)T\(padded(p.hour, 2)):\(padded(p.minute, 2)):\(padded(p.second, 2)).\(padded(p.fraction / 1000, 3))Z"
  }
}

/// Appends to a log file as a well-behaved service does: whole lines by one write each, in append mode (so a copytruncate loses nothing of
/// ours), and into a new file once its own was renamed or removed.
public struct LogFile: ~Copyable {
  private let path: String
  private var file: Descriptor
  private var info: FileInfo

  public static func open(_ path: String) throws(Failure) -> LogFile {
    do throws(SystemError) {
      try makeFolder(folderName(path))
      let file = try Descriptor.append(path)
      let info = try file.info()
      return LogFile(path: path, file: file, info: info)
    } catch {
      throw error.failure("generate.unwritable", "The log \(path) can't be written to.")
    }
  }

  private init(path: String, file: consuming Descriptor, info: FileInfo) {
    self.path = path
    self.file = file
    self.info = info
  }

  /// Opens the path again, as a service does on SIGHUP.
  public mutating func reopen() throws(Failure) { self = try LogFile.open(path) }

  public mutating func write(_ lines: [UInt8]) throws(Failure) {
    let now = try? FileInfo(path: path)
    if now?.inode != info.inode || now?.device != info.device { try reopen() }
    do throws(SystemError) {
      try file.write(lines)
    } catch {
      throw error.failure("generate.unwritable", "The log \(path) can't be written to.")
    }
  }
}
