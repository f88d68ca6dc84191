public import Files
public import Support

/// One row of a frame, as text and numbers.
public struct Row: Sendable, Equatable {
  public var batch: Int32 = 0
  public var line: Int64 = 0
  public var ts: Instant?
  public var service: [UInt8]?
  public var category: [UInt8]?
  public var message: [UInt8]?
  public var id: [UInt8]?
  public var version: [UInt8]?
  public var extra: [UInt8]?
  public var malformed: [UInt8]?
  public var text: [UInt8]?

  public init() {}
}

/// Reads single rows back out of a frame that this process wrote. Row groups without a wanted row are not read; the others are read whole.
public struct FrameReader: ~Copyable {
  private let layout: FrameLayout
  private let file: Descriptor

  public init(_ layout: FrameLayout) throws(SystemError) {
    self.layout = layout
    file = try Descriptor.input(layout.path)
  }

  /// The rows with these numbers (from 0, ascending), in order.
  public func rows(_ wanted: [Int64], _ body: (Row) throws -> Void) throws {
    var next = 0
    var first: Int64 = 0
    for group in layout.groups {
      let end = first + Int64(group.rows)
      let from = next
      while next < wanted.count, wanted[next] < end { next += 1 }
      if next > from { try read(group, wanted[from..<next].map { Int($0 - first) }, body) }
      first = end
    }
  }

  private func read(_ group: FrameLayout.RowGroup, _ wanted: [Int], _ body: (Row) throws -> Void) throws {
    var columns: [ColumnReader] = []
    for (column, chunk) in zip(RowColumn.allCases, group.chunks) {
      let start = chunk.levelOffset < 0 ? chunk.valueOffset : chunk.levelOffset
      var bytes = [UInt8](repeating: 0, count: Int(chunk.end - start))
      let got = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: start) }
      guard got == bytes.count else { throw FrameError.cut(layout.path) }
      columns.append(ColumnReader(bytes: bytes, hasLevels: chunk.levelOffset >= 0, size: column.fixedSize))
    }
    var at = 0
    for row in wanted {
      while at < row {
        for i in columns.indices { _ = columns[i].next() }
        at += 1
      }
      var result = Row()
      for (i, column) in RowColumn.allCases.enumerated() {
        result.set(column, columns[i].next().map(Array.init))
      }
      at += 1
      try body(result)
    }
  }
}

enum FrameError: Error { case cut(String) }

private struct ColumnReader {
  let bytes: [UInt8]
  let size: Int
  private var at = 0
  private var row = 0
  private var allPresent = true
  private var nonePresent = false
  private var bits = 0

  init(bytes: [UInt8], hasLevels: Bool, size: Int) {
    self.bytes = bytes
    self.size = size
    guard hasLevels else { return }
    // The three shapes that FrameWriter writes: all present, none present, one bit-packed run.
    let length = Int(bytes[0]) | Int(bytes[1]) << 8 | Int(bytes[2]) << 16 | Int(bytes[3]) << 24
    at = 4 + length
    var header = 0
    var shift = 0
    var i = 4
    while true {
      header |= Int(bytes[i] & 0x7F) << shift
      shift += 7
      i += 1
      if bytes[i - 1] < 0x80 { break }
    }
    if header & 1 == 1 {
      allPresent = false
      bits = i
    } else {
      nonePresent = bytes[i] == 0
      allPresent = !nonePresent
    }
  }

  mutating func next() -> ArraySlice<UInt8>? {
    defer { row += 1 }
    guard allPresent || !nonePresent && bytes[bits + row >> 3] >> UInt8(row & 7) & 1 == 1 else { return nil }
    var count = size
    if size == 0 {
      count = Int(bytes[at]) | Int(bytes[at + 1]) << 8 | Int(bytes[at + 2]) << 16 | Int(bytes[at + 3]) << 24
      at += 4
    }
    at += count
    return bytes[at - count..<at]
  }
}

extension RowColumn {
  /// Bytes a value, 0 for texts.
  fileprivate var fixedSize: Int {
    switch self {
    case .batch: 4
    case .line, .ts: 8
    default: 0
    }
  }
}

extension Row {
  fileprivate mutating func set(_ column: RowColumn, _ value: [UInt8]?) {
    func number() -> Int64 {
      var result: UInt64 = 0
      for (i, byte) in (value ?? []).enumerated() { result |= UInt64(byte) << UInt64(8 * i) }
      return Int64(bitPattern: result)
    }
    switch column {
    case .batch: batch = Int32(truncatingIfNeeded: number())
    case .line: line = number()
    case .ts: ts = value == nil ? nil : Instant(microseconds: number())
    case .service: service = value
    case .category: category = value
    case .message: message = value
    case .id: id = value
    case .version: version = value
    case .extra: extra = value
    case .malformed: malformed = value
    case .text: text = value
    }
  }
}
