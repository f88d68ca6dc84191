import CShims
import Files
import Support

/// One column's values in Parquet's PLAIN layout, with a bit a row that says whether there is one. Its memory is used again for the
/// next row group: memory fresh from the kernel is what would cost most.
struct ColumnBuffer: ~Copyable {
  private(set) var bytes: UnsafeMutablePointer<UInt8>
  private(set) var count = 0
  private var capacity: Int
  /// One bit a row, 1 where there is a value.
  let present: UnsafeMutablePointer<UInt8>
  private(set) var rows = 0
  private(set) var values = 0
  private var openStart = 0

  init() {
    capacity = 1 << 16
    bytes = .allocate(capacity: capacity)
    present = .allocate(capacity: RowBuffer.rowLimit / 8 + 1)
    present.initialize(repeating: 0, count: RowBuffer.rowLimit / 8 + 1)
  }

  deinit {
    bytes.deallocate()
    present.deallocate()
  }

  mutating func removeAll() {
    present.update(repeating: 0, count: rows / 8 + 1)
    count = 0
    rows = 0
    values = 0
  }

  @inline(__always)
  private mutating func reserve(_ more: Int) {
    if count + more > capacity { grow(more) }
  }

  private mutating func grow(_ more: Int) {
    let larger = max(capacity * 2, count + more)
    let fresh = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
    fresh.update(from: bytes, count: count)
    bytes.deallocate()
    bytes = fresh
    capacity = larger
  }

  @inline(__always)
  private mutating func setPresent() {
    present[rows >> 3] |= 1 << UInt8(rows & 7)
    rows += 1
    values += 1
  }

  @inline(__always)
  mutating func appendNull() { rows += 1 }

  @inline(__always)
  mutating func append<Value: FixedWidthInteger>(_ value: Value) {
    let size = MemoryLayout<Value>.size
    reserve(size)
    UnsafeMutableRawPointer(bytes + count).storeBytes(of: value.littleEndian, as: Value.self)
    count += size
    setPresent()
  }

  /// - Parameter limit: up to where bytes can be read.
  @inline(__always)
  mutating func append(_ start: UnsafePointer<UInt8>, _ length: Int, readable limit: UnsafePointer<UInt8>) {
    reserve(4 + length + 32)
    UnsafeMutableRawPointer(bytes + count).storeBytes(of: UInt32(length).littleEndian, as: UInt32.self)
    gw_copy(bytes + count + 4, start, length, limit)
    count += 4 + length
    setPresent()
  }

  /// Appends a text behind which nothing can be read; it isn't empty.
  mutating func append(_ text: UnsafeBufferPointer<UInt8>) {
    append(text.baseAddress!, text.count, readable: text.baseAddress! + text.count)
  }

  /// Appends a text of at most `limit` bytes that the closure writes; it returns how many there are.
  @inline(__always)
  mutating func append(limit: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Int) {
    reserve(4 + limit)
    let length = write(bytes + count + 4)
    UnsafeMutableRawPointer(bytes + count).storeBytes(of: UInt32(length).littleEndian, as: UInt32.self)
    count += 4 + length
    setPresent()
  }

  // A text that grows piece by piece and may be taken back.

  mutating func open() {
    reserve(4)
    openStart = count
    count += 4
  }

  mutating func extend(_ start: UnsafePointer<UInt8>, _ length: Int) {
    reserve(length)
    (bytes + count).update(from: start, count: length)
    count += length
  }

  mutating func extend(_ byte: UInt8) {
    reserve(1)
    bytes[count] = byte
    count += 1
  }

  mutating func extend(limit: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Int) {
    reserve(limit)
    count += write(bytes + count)
  }

  mutating func commit() {
    let length = count - openStart - 4
    UnsafeMutableRawPointer(bytes + openStart).storeBytes(of: UInt32(length).littleEndian, as: UInt32.self)
    setPresent()
  }

  mutating func cancel() { count = openStart }

  /// Puts another text in the place of the last one, which begins there.
  mutating func replaceLast(from start: Int, with text: [UInt8]) {
    count = start
    rows -= 1
    values -= 1
    text.withUnsafeBufferPointer { append($0) }
  }
}

/// The columns that the scanner fills, in the order in which frames hold them.
public enum RowColumn: Int, CaseIterable, Sendable, Codable {
  case batch, line, ts, service, category, message, id, version, extra, malformed, text
  public var name: String { "\(self)" }
}

/// Rows on their way from the scanner to a frame, column by column.
public struct RowBuffer: ~Copyable {
  /// A row group's rows; DuckDB's own number, so that its threads share frames evenly.
  public static let rowLimit = 122_880
  /// A row group is closed once its values take this many bytes.
  static let byteLimit = 24 << 20

  var batch = ColumnBuffer()
  var line = ColumnBuffer()
  var ts = ColumnBuffer()
  var service = ColumnBuffer()
  var category = ColumnBuffer()
  var message = ColumnBuffer()
  var id = ColumnBuffer()
  var version = ColumnBuffer()
  var extra = ColumnBuffer()
  var malformed = ColumnBuffer()
  var text = ColumnBuffer()
  let derived: UnsafeMutablePointer<ColumnBuffer>
  let derivedCount: Int

  /// - Parameter derived: how many derived columns there are beside.
  public init(derived count: Int = 0) {
    derivedCount = count
    derived = .allocate(capacity: count)
    for number in 0..<count { (derived + number).initialize(to: ColumnBuffer()) }
  }

  deinit {
    derived.deinitialize(count: derivedCount)
    derived.deallocate()
  }

  public internal(set) var rows = 0

  @inline(__always)
  var isFull: Bool {
    rows >= Self.rowLimit
      || message.count + extra.count + text.count + id.count + version.count >= Self.byteLimit
  }

  /// Bytes of a text column so far.
  func bytes(_ column: RowColumn) -> Int {
    switch column {
    case .service: service.count
    case .category: category.count
    case .message: message.count
    case .id: id.count
    case .version: version.count
    case .extra: extra.count
    case .text: text.count
    case .batch, .line, .ts, .malformed: 0
    }
  }

  /// Leaves a hash of the value that begins there; nothing where there is none.
  mutating func hash(_ column: RowColumn, from start: Int, key: [UInt8]) {
    func hash(_ buffer: inout ColumnBuffer) {
      guard buffer.count > start else { return }
      let value = Array(UnsafeBufferPointer(start: buffer.bytes + start + 4, count: buffer.count - start - 4))
      buffer.replaceLast(from: start, with: Array(hex(hmacSHA256(key: key, value)).utf8))
    }
    switch column {
    case .service: hash(&service)
    case .category: hash(&category)
    case .message: hash(&message)
    case .id: hash(&id)
    case .version: hash(&version)
    case .extra: hash(&extra)
    case .text: hash(&text)
    case .batch, .line, .ts, .malformed: break
    }
  }

  public mutating func removeAll() {
    rows = 0
    batch.removeAll()
    line.removeAll()
    ts.removeAll()
    service.removeAll()
    category.removeAll()
    message.removeAll()
    id.removeAll()
    version.removeAll()
    extra.removeAll()
    malformed.removeAll()
    text.removeAll()
    for number in 0..<derivedCount { derived[number].removeAll() }
  }
}
