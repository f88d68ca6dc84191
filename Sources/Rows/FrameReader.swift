public import Files
public import Support

/// One row of a frame. Its texts are the frame's own bytes: they can be used only as long as the call that lends them goes on.
public struct FrameRow {
  public typealias Text = UnsafeBufferPointer<UInt8>

  public internal(set) var batch: Int32 = 0
  public internal(set) var line: Int64 = 0
  public internal(set) var ts: Instant?
  public internal(set) var service: Text?
  public internal(set) var category: Text?
  public internal(set) var message: Text?
  public internal(set) var id: Text?
  public internal(set) var version: Text?
  public internal(set) var extra: Text?
  public internal(set) var malformed: Text?
  public internal(set) var text: Text?
}

/// Reads single rows back out of a frame that this process wrote, which is mapped: what no wanted row needs is never touched.
public struct FrameReader: ~Copyable {
  private let layout: FrameLayout
  private let file: MappedFile

  public init(_ layout: FrameLayout) throws(SystemError) {
    self.layout = layout
    file = try MappedFile(layout.path)
  }

  /// The rows with these numbers (from 0, ascending), in order.
  public func rows(_ wanted: [UInt32], _ body: (FrameRow) throws -> Void) throws {
    var next = 0
    var first: Int64 = 0
    for group in layout.groups {
      let end = first + Int64(group.rows)
      let from = next
      while next < wanted.count, Int64(wanted[next]) < end { next += 1 }
      if next > from { try read(group, wanted[from..<next], from: first, body) }
      first = end
    }
  }

  private func read(
    _ group: FrameLayout.RowGroup, _ wanted: ArraySlice<UInt32>, from first: Int64,
    _ body: (FrameRow) throws -> Void
  ) throws {
    guard let last = group.chunks.last, last.end <= Int64(file.bytes.count) else {
      throw FrameError.cut(layout.path)
    }
    func column(_ column: RowColumn) -> ColumnCursor {
      ColumnCursor(file.bytes, group.chunks[column.rawValue], fixedSize: column.fixedSize)
    }
    var batch = column(.batch)
    var line = column(.line)
    var ts = column(.ts)
    var service = column(.service)
    var category = column(.category)
    var message = column(.message)
    var id = column(.id)
    var version = column(.version)
    var extra = column(.extra)
    var malformed = column(.malformed)
    var text = column(.text)
    for number in wanted {
      let row = Int(Int64(number) - first)
      try body(
        FrameRow(
          batch: batch.value(row, as: Int32.self) ?? 0, line: line.value(row, as: Int64.self) ?? 0,
          ts: ts.value(row, as: Int64.self).map { Instant(microseconds: $0) }, service: service.text(row),
          category: category.text(row), message: message.text(row), id: id.text(row),
          version: version.text(row), extra: extra.text(row), malformed: malformed.text(row),
          text: text.text(row)))
    }
  }
}

enum FrameError: Error { case cut(String) }

/// Walks one column of a row group, forwards only.
private struct ColumnCursor {
  private var at: UnsafeRawPointer
  private let size: Int
  private var row = 0
  private let allPresent: Bool
  private let nonePresent: Bool
  private let bits: UnsafeRawPointer

  init(_ file: UnsafeRawBufferPointer, _ chunk: FrameLayout.Chunk, fixedSize: Int) {
    // A frame with a row group is never empty.
    let start = file.baseAddress!
    at = start + Int(chunk.valueOffset)
    size = fixedSize
    guard chunk.levelOffset >= 0 else {
      (allPresent, nonePresent, bits) = (true, false, at)
      return
    }
    // The three shapes that FrameWriter writes: all present, none present, one bit-packed run.
    var level = start + Int(chunk.levelOffset) + 4
    let isPacked = level.load(as: UInt8.self) & 1 == 1
    while level.load(as: UInt8.self) >= 0x80 { level += 1 }
    level += 1
    nonePresent = !isPacked && level.load(as: UInt8.self) == 0
    allPresent = !isPacked && !nonePresent
    bits = level
  }

  @inline(__always)
  private func isPresent(_ row: Int) -> Bool {
    allPresent
      || !nonePresent && bits.load(fromByteOffset: row >> 3, as: UInt8.self) >> UInt8(row & 7) & 1 == 1
  }

  /// Goes to the row; whether it has a value, which then begins at `at`.
  @inline(__always)
  private mutating func seek(_ wanted: Int) -> Bool {
    while row < wanted {
      if isPresent(row) { skip() }
      row += 1
    }
    return isPresent(wanted)
  }

  @inline(__always)
  private mutating func skip() {
    at += size > 0 ? size : 4 + Int(UInt32(littleEndian: at.loadUnaligned(as: UInt32.self)))
  }

  mutating func value<Value: FixedWidthInteger>(_ row: Int, as type: Value.Type) -> Value? {
    seek(row) ? Value(littleEndian: at.loadUnaligned(as: type)) : nil
  }

  mutating func text(_ row: Int) -> FrameRow.Text? {
    guard seek(row) else { return nil }
    let count = Int(UInt32(littleEndian: at.loadUnaligned(as: UInt32.self)))
    return FrameRow.Text(start: (at + 4).assumingMemoryBound(to: UInt8.self), count: count)
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
