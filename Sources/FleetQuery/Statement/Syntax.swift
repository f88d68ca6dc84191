// One SQL statement over the whole fleet: read, judged, carried to the nodes, and finished where they send to.

public import Support

/// A part of DuckDB's syntax tree, as `json_serialize_sql` writes it. Keys keep their order and numbers their digits, so that what nobody has
/// changed goes back as it came: a HUGEINT's halves fit no Swift number, and `1e400` is written as no JSON at all.
public enum Syntax: Sendable, Hashable {
  case null
  case bool(Bool)
  /// As it was written: digits, or DuckDB's `Infinity` and `NaN`.
  case number(String)
  case text(String)
  case list([Syntax])
  case node([Member])

  public struct Member: Sendable, Hashable {
    public var key: String
    public var value: Syntax
  }
}

extension Syntax {
  /// The member of a node; nil for an absent one and for null. Setting one that is absent adds it.
  public subscript(key: String) -> Syntax? {
    get {
      guard case .node(let members) = self,
        let value = members.first(where: { $0.key == key })?.value, value != .null
      else { return nil }
      return value
    }
    set {
      guard case .node(var members) = self else { return }
      if let index = members.firstIndex(where: { $0.key == key }) {
        members[index].value = newValue ?? .null
      } else if let newValue {
        members.append(Member(key: key, value: newValue))
      }
      self = .node(members)
    }
  }

  public var string: String? { if case .text(let value) = self { value } else { nil } }
  public var items: [Syntax] { if case .list(let items) = self { items } else { [] } }
  public var isTrue: Bool { self == .bool(true) }

  /// The kind of an expression, `COLUMN_REF`; nil for what is none.
  public var expressionClass: String? { self["class"]?.string }
  /// The kind of a query node or of what stands in a FROM, `SELECT_NODE`, `BASE_TABLE`; of an expression its operator.
  public var type: String? { self["type"]?.string }

  /// The members of a node.
  public var members: [(key: String, value: Syntax)] {
    if case .node(let members) = self { members.map { ($0.key, $0.value) } } else { [] }
  }

  /// Parts of this one, in the order in which they were written.
  public var parts: [Syntax] {
    switch self {
    case .list(let items): items
    case .node(let members): members.map(\.value)
    default: []
    }
  }

  /// Visits this part and all below it, outermost first. What the body says false of is not descended into.
  public func visit(_ body: (Syntax) throws(Failure) -> Bool) throws(Failure) {
    guard try body(self) else { return }
    for part in parts { try part.visit(body) }
  }

  /// Whether the body says true of this part or of any below it.
  func contains(where body: (Syntax) -> Bool) -> Bool {
    body(self) || parts.contains { $0.contains(where: body) }
  }

  /// The tree with each part replaced by what the body makes of it, innermost first.
  public func rewritten<Problem: Error>(_ body: (Syntax) throws(Problem) -> Syntax) throws(Problem) -> Syntax
  {
    switch self {
    case .list(let items):
      var changed: [Syntax] = []
      for item in items { changed.append(try item.rewritten(body)) }
      return try body(.list(changed))
    case .node(let members):
      var changed: [Member] = []
      for member in members {
        changed.append(Member(key: member.key, value: try member.value.rewritten(body)))
      }
      return try body(.node(changed))
    default: return try body(self)
    }
  }
}

// MARK: JSON

extension Syntax {
  /// How deep a tree may be: an operator is two levels. What walks it takes a frame of the stack for each.
  static let depthLimit = 1_200

  /// - Throws: `sql.tree` for what is no JSON, or nested too deeply.
  public init(parsing text: String) throws(Failure) {
    var parser = SyntaxParser(bytes: Array(text.utf8))
    self = try parser.document()
  }

  public var json: String {
    var out: [UInt8] = []
    write(to: &out)
    return String(decoding: out, as: UTF8.self)
  }

  private func write(to out: inout [UInt8]) {
    switch self {
    case .null: out += "null".utf8
    case .bool(let value): out += (value ? "true" : "false").utf8
    case .number(let digits): out += digits.utf8
    case .text(let text): Self.write(text, to: &out)
    case .list(let items):
      out.append(UInt8(ascii: "["))
      for (index, item) in items.enumerated() {
        if index > 0 { out.append(UInt8(ascii: ",")) }
        item.write(to: &out)
      }
      out.append(UInt8(ascii: "]"))
    case .node(let members):
      out.append(UInt8(ascii: "{"))
      for (index, member) in members.enumerated() {
        if index > 0 { out.append(UInt8(ascii: ",")) }
        Self.write(member.key, to: &out)
        out.append(UInt8(ascii: ":"))
        member.value.write(to: &out)
      }
      out.append(UInt8(ascii: "}"))
    }
  }

  private static func write(_ text: String, to out: inout [UInt8]) {
    let digits = Array("0123456789abcdef".utf8)
    out.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): out += [UInt8(ascii: "\\"), byte]
      case 0..<0x20: out += "\\u00".utf8 + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      default: out.append(byte)
      }
    }
    out.append(UInt8(ascii: "\""))
  }
}

private struct SyntaxParser {
  let bytes: [UInt8]
  var at = 0
  var depth = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  private var broken: Failure {
    Failure("sql.tree", "DuckDB's syntax tree can't be read.", words: "at byte \(at) of \(bytes.count)")
  }

  mutating func document() throws(Failure) -> Syntax {
    let value = try value()
    skip()
    guard at == bytes.count else { throw broken }
    return value
  }

  private mutating func skip() {
    while at < bytes.count, bytes[at] == 0x20 || bytes[at] == 0x0A || bytes[at] == 0x0D || bytes[at] == 0x09 {
      at += 1
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    skip()
    guard at < bytes.count, bytes[at] == byte else { return false }
    at += 1
    return true
  }

  private mutating func value() throws(Failure) -> Syntax {
    skip()
    guard at < bytes.count else { throw broken }
    depth += 1
    defer { depth -= 1 }
    guard depth < Syntax.depthLimit else {
      throw Failure("sql.refused", "The statement is nested too deeply.")
    }
    switch bytes[at] {
    case UInt8(ascii: "{"): return try node()
    case UInt8(ascii: "["): return try list()
    case UInt8(ascii: "\""): return .text(try string())
    default: return try word()
    }
  }

  private mutating func node() throws(Failure) -> Syntax {
    at += 1
    var members: [Syntax.Member] = []
    if take(UInt8(ascii: "}")) { return .node(members) }
    repeat {
      skip()
      guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else { throw broken }
      let key = try string()
      guard take(UInt8(ascii: ":")) else { throw broken }
      members.append(Syntax.Member(key: key, value: try value()))
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "}")) else { throw broken }
    return .node(members)
  }

  private mutating func list() throws(Failure) -> Syntax {
    at += 1
    var items: [Syntax] = []
    if take(UInt8(ascii: "]")) { return .list(items) }
    repeat { items.append(try value()) } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "]")) else { throw broken }
    return .list(items)
  }

  private mutating func word() throws(Failure) -> Syntax {
    let start = at
    while at < bytes.count, ![0x2C, 0x5D, 0x7D, 0x20, 0x0A, 0x0D, 0x09].contains(bytes[at]) { at += 1 }
    let text = String(decoding: bytes[start..<at], as: UTF8.self)
    switch text {
    case "null": return .null
    case "true": return .bool(true)
    case "false": return .bool(false)
    case "Infinity", "-Infinity", "NaN", "-NaN": return .number(text)
    default:
      guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) })
      else { throw broken }
      return .number(text)
    }
  }

  private mutating func string() throws(Failure) -> String {
    at += 1
    let start = at
    while at < bytes.count, bytes[at] != UInt8(ascii: "\"") { at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1 }
    guard at < bytes.count else { throw broken }
    let raw = bytes[start..<at]
    at += 1
    guard raw.contains(UInt8(ascii: "\\")) else { return String(decoding: raw, as: UTF8.self) }
    // Escapes and surrogates are the library's to read.
    do {
      return try decodeJSON(
        String.self, from: [0x22] + Array(raw) + [0x22], code: "sql.tree", document: "A text")
    } catch { throw broken }
  }
}
