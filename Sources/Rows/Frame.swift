public import Files
import Support

/// Where a frame's columns lie: what ``FrameReader`` needs to read it back without parsing its footer.
public struct FrameLayout: Sendable {
  struct Chunk: Sendable {
    /// Of the page header.
    var pageOffset: Int64
    /// Of the definition levels' bits, or -1 for a column that is never null.
    var levelOffset: Int64
    var valueOffset: Int64
    var valueBytes: Int
    var end: Int64
  }
  struct RowGroup: Sendable {
    var rows: Int
    var chunks: [Chunk]
  }

  public let path: String
  var groups: [RowGroup] = []
  public var rows: Int64 { groups.reduce(0) { $0 + Int64($1.rows) } }

  /// Of the columns' values.
  public var bytes: Int64 {
    groups.reduce(0) { sum, group in
      sum + (group.chunks.last?.end ?? 0) - (group.chunks.first?.pageOffset ?? 0)
    }
  }

  /// Bytes of a row, on the average of the row group where they are longest.
  public var longestRows: Int64 {
    groups.map { group in
      guard let first = group.chunks.first, let last = group.chunks.last, group.rows > 0 else { return 0 }
      return (last.end - first.pageOffset) / Int64(group.rows)
    }.max() ?? 0
  }
}

/// Writes rows as a frame: a Parquet file, PLAIN and uncompressed, one page a column and row group, that DuckDB reads faster than
/// anything else it takes. A frame is scratch: it isn't synchronized, and a cut one is thrown away.
///
/// Source of the format: apache/parquet-format, README.md and parquet.thrift.
public struct FrameWriter: ~Copyable {
  private let file: Descriptor
  private let columns: [RowColumn]
  private let derived: [DerivedColumn]
  private var layout: FrameLayout
  private var offset: Int64 = 0

  /// - Parameters:
  ///   - columns: those that are written. ``FrameReader`` reads frames of all columns alone.
  ///   - derived: as the scanner has them, behind the others.
  /// - Throws: ``SystemError`` when the file can't be created; it must not exist yet.
  public static func create(
    _ path: String, columns: Set<RowColumn> = Set(RowColumn.allCases), derived: [DerivedColumn] = []
  ) throws(SystemError) -> FrameWriter {
    var writer = FrameWriter(
      file: try Descriptor.create(path, mode: 0o600), path: path,
      columns: RowColumn.allCases.filter(columns.contains), derived: derived)
    try writer.put(magic)
    return writer
  }

  private init(
    file: consuming Descriptor, path: String, columns: [RowColumn], derived: [DerivedColumn]
  ) {
    self.file = file
    self.columns = columns
    self.derived = derived
    layout = FrameLayout(path: path)
  }

  public var rows: Int64 { layout.rows }
  public var bytes: Int64 { offset }

  /// Writes the buffer's rows as one row group and empties it.
  public mutating func append(_ buffer: inout RowBuffer) throws(SystemError) {
    let rows = buffer.rows
    guard rows > 0 else { return }
    var group = FrameLayout.RowGroup(rows: rows, chunks: [])
    for column in columns {
      let isRequired = column.isRequired
      let chunk =
        switch column {
        case .batch: try write(buffer.batch, rows, isRequired)
        case .line: try write(buffer.line, rows, isRequired)
        case .ts: try write(buffer.ts, rows, isRequired)
        case .service: try write(buffer.service, rows, isRequired)
        case .category: try write(buffer.category, rows, isRequired)
        case .message: try write(buffer.message, rows, isRequired)
        case .id: try write(buffer.id, rows, isRequired)
        case .version: try write(buffer.version, rows, isRequired)
        case .extra: try write(buffer.extra, rows, isRequired)
        case .malformed: try write(buffer.malformed, rows, isRequired)
        case .text: try write(buffer.text, rows, isRequired)
        }
      group.chunks.append(chunk)
    }
    for number in derived.indices { group.chunks.append(try write(buffer.derived[number], rows, false)) }
    layout.groups.append(group)
    buffer.removeAll()
  }

  /// Writes the footer; the frame can be read then.
  public consuming func finish() throws(SystemError) -> FrameLayout {
    let footer = encodedFooter()
    try put(footer)
    try put(littleEndian(UInt32(footer.count)) + magic)
    return layout
  }

  private mutating func write(
    _ data: borrowing ColumnBuffer, _ rowCount: Int, _ isRequired: Bool
  ) throws(SystemError) -> FrameLayout.Chunk {
    // A column that nobody filled is NULL.
    precondition(data.rows == rowCount || data.rows == 0 && !isRequired, "a column has other rows")
    let levels = isRequired ? [] : definitionLevels(data, rowCount)
    let size = levels.count + data.count
    var header = ThriftWriter()
    let rows = Int32(rowCount)
    header.structure {
      $0.field(1, i32: 0)  // a data page
      $0.field(2, i32: Int32(size))
      $0.field(3, i32: Int32(size))
      $0.field(5) {
        $0.field(1, i32: rows)
        $0.field(2, i32: 0)  // PLAIN
        $0.field(3, i32: 3)  // RLE
        $0.field(4, i32: 3)
      }
    }
    let start = offset
    try put(header.bytes + levels)
    let valueOffset = offset
    try file.write(UnsafeRawBufferPointer(start: data.bytes, count: data.count))
    offset += Int64(data.count)
    return FrameLayout.Chunk(
      pageOffset: start, levelOffset: isRequired ? -1 : start + Int64(header.bytes.count),
      valueOffset: valueOffset,
      valueBytes: data.count, end: offset)
  }

  /// A 4-byte length and one bit-packed run of the RLE/bit-packing hybrid, or one RLE run where all rows agree.
  private func definitionLevels(_ data: borrowing ColumnBuffer, _ rows: Int) -> [UInt8] {
    var run: [UInt8] = []
    func varint(_ value: Int) {
      var value = value
      while value >= 0x80 {
        run.append(UInt8(truncatingIfNeeded: value) | 0x80)
        value >>= 7
      }
      run.append(UInt8(value))
    }
    if data.values == rows || data.values == 0 {
      varint(rows << 1)
      run.append(data.values == 0 ? 0 : 1)
    } else {
      let groups = (rows + 7) / 8
      varint(groups << 1 | 1)
      run.append(contentsOf: UnsafeBufferPointer(start: data.present, count: groups))
    }
    return littleEndian(UInt32(run.count)) + run
  }

  private mutating func put(_ bytes: [UInt8]) throws(SystemError) {
    try file.write(bytes)
    offset += Int64(bytes.count)
  }

  private func encodedFooter() -> [UInt8] {
    var footer = ThriftWriter()
    let groups = layout.groups
    let rows = layout.rows
    let columns =
      columns.map(ColumnDescription.init)
      + derived.enumerated().map { ColumnDescription($1, number: $0) }
    footer.structure {
      $0.field(1, i32: 1)
      $0.field(2, structures: [nil] + columns.map(Optional.some)) { writer, column in
        guard let column else {
          writer.field(4, text: "frame")
          writer.field(5, i32: Int32(columns.count))
          return
        }
        column.describe(&writer)
      }
      $0.field(3, i64: rows)
      $0.field(4, structures: groups) { writer, group in
        writer.field(1, structures: Array(zip(columns, group.chunks))) { writer, item in
          let (column, chunk) = item
          writer.field(2, i64: chunk.pageOffset)
          writer.field(3) {
            $0.field(1, i32: column.physicalType)
            $0.field(2, i32s: [0, 3])
            $0.field(3, texts: [column.name])
            $0.field(4, i32: 0)  // uncompressed
            $0.field(5, i64: Int64(group.rows))
            $0.field(6, i64: chunk.end - chunk.pageOffset)
            $0.field(7, i64: chunk.end - chunk.pageOffset)
            $0.field(9, i64: chunk.pageOffset)
          }
        }
        writer.field(2, i64: (group.chunks.last?.end ?? 0) - (group.chunks.first?.pageOffset ?? 0))
        writer.field(3, i64: Int64(group.rows))
      }
      $0.field(6, text: "gadwall frame")
    }
    return footer.bytes
  }
}

/// What a frame's footer says of a column.
private struct ColumnDescription {
  private enum Kind { case number, time, text }
  let name: String
  /// Parquet's number for INT32, INT64 or BYTE_ARRAY.
  let physicalType: Int32
  private let isRequired: Bool
  private let kind: Kind

  init(_ column: RowColumn) {
    name = column.name
    isRequired = column.isRequired
    switch column {
    case .batch: (physicalType, kind) = (1, .number)
    case .line: (physicalType, kind) = (2, .number)
    case .ts: (physicalType, kind) = (2, .time)
    default: (physicalType, kind) = (6, .text)
    }
  }

  init(_ column: DerivedColumn, number: Int) {
    name = DerivedColumn.name(number)
    isRequired = false
    physicalType = 2
    kind = column.isTime ? .time : .number
  }

  func describe(_ writer: inout ThriftWriter) {
    writer.field(1, i32: physicalType)
    writer.field(3, i32: isRequired ? 0 : 1)
    writer.field(4, text: name)
    switch kind {
    case .number: break
    case .time:
      writer.field(10) {
        $0.field(8) {
          $0.field(1, bool: true)  // adjusted to UTC
          $0.field(2) { $0.field(2) { _ in } }  // microseconds
        }
      }
    case .text:
      writer.field(6, i32: 0)  // UTF8
      writer.field(10) { $0.field(1) { _ in } }
    }
  }
}

extension RowColumn {
  var isRequired: Bool { self == .batch || self == .line }
}

private let magic = Array("PAR1".utf8)

private func littleEndian(_ value: UInt32) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}
