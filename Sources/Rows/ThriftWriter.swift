/// Thrift's compact protocol, as far as Parquet's page headers and footer use it.
///
/// Source: apache/thrift, doc/specs/thrift-compact-protocol.md.
struct ThriftWriter {
  private(set) var bytes: [UInt8] = []
  private var lastField: Int16 = 0
  private var outer: [Int16] = []

  private enum Kind: UInt8 {
    case boolTrue = 1
    case boolFalse = 2
    case i32 = 5
    case i64 = 6
    case binary = 8
    case list = 9
    case structure = 12
  }

  private mutating func header(_ id: Int16, _ kind: Kind) {
    let delta = id - lastField
    if delta > 0, delta <= 15 {
      bytes.append(UInt8(delta) << 4 | kind.rawValue)
    } else {
      bytes.append(kind.rawValue)
      varint(zigzag(Int64(id)))
    }
    lastField = id
  }

  private mutating func varint(_ value: UInt64) {
    var value = value
    while value >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    bytes.append(UInt8(value))
  }

  private func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: value << 1 ^ value >> 63) }

  mutating func field(_ id: Int16, i32 value: Int32) {
    header(id, .i32)
    varint(zigzag(Int64(value)))
  }

  mutating func field(_ id: Int16, i64 value: Int64) {
    header(id, .i64)
    varint(zigzag(value))
  }

  mutating func field(_ id: Int16, bool value: Bool) { header(id, value ? .boolTrue : .boolFalse) }

  mutating func field(_ id: Int16, text value: String) {
    header(id, .binary)
    text(value)
  }

  private mutating func text(_ value: String) {
    varint(UInt64(value.utf8.count))
    bytes.append(contentsOf: value.utf8)
  }

  mutating func field(_ id: Int16, _ body: (inout ThriftWriter) -> Void) {
    header(id, .structure)
    structure(body)
  }

  /// A structure without a field header: an element of a list, or the document itself.
  mutating func structure(_ body: (inout ThriftWriter) -> Void) {
    outer.append(lastField)
    lastField = 0
    body(&self)
    bytes.append(0)
    lastField = outer.removeLast()
  }

  private mutating func listHeader(_ id: Int16, _ count: Int, _ kind: Kind) {
    header(id, .list)
    if count < 15 {
      bytes.append(UInt8(count) << 4 | kind.rawValue)
    } else {
      bytes.append(0xF0 | kind.rawValue)
      varint(UInt64(count))
    }
  }

  mutating func field<Element>(
    _ id: Int16, structures elements: [Element], _ body: (inout ThriftWriter, Element) -> Void
  ) {
    listHeader(id, elements.count, .structure)
    for element in elements { structure { body(&$0, element) } }
  }

  mutating func field(_ id: Int16, i32s values: [Int32]) {
    listHeader(id, values.count, .i32)
    for value in values { varint(zigzag(Int64(value))) }
  }

  mutating func field(_ id: Int16, texts values: [String]) {
    listHeader(id, values.count, .binary)
    for value in values { text(value) }
  }
}
