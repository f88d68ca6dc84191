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

  private static let wordBytes = words.map { Array(" \($0)".utf8) }
  private static let categoryBytes = categories.map { Array(" [\($0)]".utf8) }

  /// The next entry of a service, with its line end.
  public mutating func line(service: String, at time: Instant) -> String {
    var bytes: [UInt8] = []
    append(service: Array(service.utf8), at: time, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends the next entry of a service, with its line end. About 0.3 µs.
  public mutating func append(service: [UInt8], at time: Instant, to lines: inout [UInt8]) {
    let high = random.next()
    let low = random.next()
    let category = Int(random.next() % 4)
    var bits = random.next()
    put("{\"id\":\"", &lines)
    putID(high, low, &lines)
    put("\",\"@timestamp\":\"", &lines)
    putStamp(time, &lines)
    put("\",\"@version\":\"1.1\",\"message\":\"", &lines)
    lines.append(contentsOf: service)
    lines.append(contentsOf: Self.categoryBytes[category])
    for _ in 0..<5 {
      lines.append(contentsOf: Self.wordBytes[Int(bits % 32)])
      bits >>= 5
    }
    put("\"}\n", &lines)
  }

  private func put(_ text: StaticString, _ lines: inout [UInt8]) {
    lines.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// A version 4 UUID's shape.
  private func putID(_ high: UInt64, _ low: UInt64, _ lines: inout [UInt8]) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 36) { text in
      var at = 0
      for nibble in 0..<32 {
        if [8, 12, 16, 20].contains(nibble) {
          text[at] = UInt8(ascii: "-")
          at += 1
        }
        let word = nibble < 16 ? high : low
        let value = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * (nibble & 15))) & 15
        text[at] = value < 10 ? 0x30 + value : 0x57 + value
        at += 1
      }
      lines.append(contentsOf: UnsafeBufferPointer(rebasing: text[..<at]))
    }
  }

  /// Milliseconds always, as logback writes them.
  private func putStamp(_ time: Instant, _ lines: inout [UInt8]) {
    let p = time.parts
    guard (0...9999).contains(p.year) else {
      // A year that takes another number of digits.
      let text =
        "\(time.dateText)T\(padded(p.hour, 2)):\(padded(p.minute, 2)):\(padded(p.second, 2)).\(padded(p.fraction / 1000, 3))Z"
      lines.append(contentsOf: text.utf8)
      return
    }
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 24) { text in
      var at = 0
      func digits(_ value: Int, _ width: Int, _ mark: Unicode.Scalar) {
        var rest = value
        for place in (0..<width).reversed() {
          text[at + place] = 0x30 + UInt8(rest % 10)
          rest /= 10
        }
        text[at + width] = UInt8(ascii: mark)
        at += width + 1
      }
      digits(p.year, 4, "-")
      digits(p.month, 2, "-")
      digits(p.day, 2, "T")
      digits(p.hour, 2, ":")
      digits(p.minute, 2, ":")
      digits(p.second, 2, ".")
      digits(p.fraction / 1000, 3, "Z")
      lines.append(contentsOf: UnsafeBufferPointer(rebasing: text[..<at]))
    }
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
      try file.writeWhole(lines)
    } catch {
      throw error.failure("generate.unwritable", "The log \(path) can't be written to.")
    }
  }
}
