import FoundationEssentials

/// A JSON document as a value, for documents whose unknown fields have to survive (Iceberg's metadata, syntax trees).
///
/// Whole numbers keep 64 bits; others become `Double`. The order of keys is not kept: written documents have them sorted.
public enum JSONValue: Hashable, Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  case double(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])
}

extension JSONValue: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    // The commonest first: each miss costs a thrown error.
    if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .integer(value)
    } else if let value = try? container.decode([String: JSONValue].self) {
      self = .object(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .array(value)
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if container.decodeNil() {
      self = .null
    } else {
      // One that is whole is written as a whole number, and then read as one.
      let value = try container.decode(Double.self)
      self = Int64(exactly: value).map(JSONValue.integer) ?? .double(value)
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .double(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .array(let value): try container.encode(value)
    case .object(let value): try container.encode(value)
    }
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int64) { self = .integer(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(Dictionary(elements, uniquingKeysWith: { $1 }))
  }
}

extension JSONValue {
  /// The member of an object; nil for an absent one, for null, and for what is no object.
  public subscript(key: String) -> JSONValue? {
    get {
      guard case .object(let members) = self, let value = members[key], value != .null else { return nil }
      return value
    }
    set {
      guard case .object(var members) = self else { return }
      members[key] = newValue
      self = .object(members)
    }
  }

  public var string: String? { if case .string(let value) = self { value } else { nil } }
  public var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
  public var object: [String: JSONValue]? { if case .object(let value) = self { value } else { nil } }
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

  /// The whole number, also one that arrived as text (DuckDB prints nested BIGINTs so).
  public var integer: Int64? {
    switch self {
    case .integer(let value): value
    case .string(let value): Int64(value)
    default: nil
    }
  }

  /// - Throws: the decoder's error for what is no JSON.
  public init(parsing bytes: [UInt8]) throws {
    self = try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
  }

  /// The document in one line, keys sorted, slashes as they are.
  public var encoded: [UInt8] { encodeJSON(self) }
  public var text: String { String(decoding: encoded, as: UTF8.self) }
}

/// One line of JSON with sorted keys, so that equal values give equal bytes.
public func encodeJSON(_ value: some Encodable, pretty: Bool = false) -> [UInt8] {
  let encoder = JSONEncoder()
  encoder.outputFormatting =
    pretty ? [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted] : [.sortedKeys, .withoutEscapingSlashes]
  // Only a value that throws in its own `encode`, or a number that is not finite, could fail here; none of ours does.
  guard let data = try? encoder.encode(value) else { preconditionFailure("a value of ours is no JSON") }
  return [UInt8](data)
}

/// The value, or a ``Failure`` of the given code that names the document and what is wrong with it.
///
/// - Parameter reader: whose part of the document is wanted, where it has some (``PartsByReader``).
public func decodeJSON<Value: Decodable>(
  _ type: Value.Type, from bytes: [UInt8], code: FailureCode, document: String, remedy: String = "",
  reader: String? = nil
) throws(Failure) -> Value {
  do {
    let decoder = JSONDecoder()
    if let key = readerKey, let reader { decoder.userInfo[key] = reader }
    return try decoder.decode(type, from: Data(bytes))
  } catch {
    throw Failure(
      code, "\(document) can't be read as what it should be.", remedy: remedy, words: describe(error))
  }
}

private let readerKey = CodingUserInfoKey(rawValue: "reader")

/// Parts of a document for its readers, by their names. A reader that says who it is decodes its own alone: each of a thousand would
/// otherwise decode all thousand.
public struct PartsByReader<Part: Codable & Sendable>: Codable, Sendable, ExpressibleByDictionaryLiteral {
  private var parts: [String: Part]

  public init(dictionaryLiteral elements: (String, Part)...) {
    parts = Dictionary(elements) { _, last in last }
  }

  public subscript(reader: String) -> Part? {
    get { parts[reader] }
    set { parts[reader] = newValue }
  }

  public init(from decoder: any Decoder) throws {
    guard let key = readerKey, let reader = decoder.userInfo[key] as? String else {
      parts = try decoder.singleValueContainer().decode([String: Part].self)
      return
    }
    let own = ReaderName(stringValue: reader)
    parts = [:]
    parts[reader] = try decoder.container(keyedBy: ReaderName.self).decodeIfPresent(Part.self, forKey: own)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(parts)
  }
}

private struct ReaderName: CodingKey {
  var stringValue: String
  var intValue: Int? { nil }

  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

private func describe(_ error: any Error) -> String {
  guard let error = error as? DecodingError else { return "\(error)" }
  func at(_ context: DecodingError.Context) -> String {
    let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(
      separator: ".")
    return path.isEmpty ? "" : " at \(path)"
  }
  switch error {
  case .keyNotFound(let key, let context): return "'\(key.stringValue)' is missing\(at(context))"
  case .typeMismatch(let type, let context): return "no \(type)\(at(context))"
  case .valueNotFound(let type, let context): return "null where a \(type) belongs\(at(context))"
  case .dataCorrupted(let context): return "\(context.debugDescription)\(at(context))"
  @unknown default: return "\(error)"
  }
}
