// DuckDB as a child process: statements with their values quoted, settings, results, failures.

/// SQL text in which names and values are quoted by construction.
///
/// ```swift
/// let statement: SQL = "SELECT \(name: column) FROM read_parquet(\(paths))"
/// ```
/// Only ``SQL`` values and the quoting forms below can be interpolated; a bare `String` becomes a string literal.
public struct SQL: Sendable, Equatable, ExpressibleByStringInterpolation, CustomStringConvertible {
  public var text: String

  /// Text that is SQL already. Never call it with what a user or a log wrote.
  public init(trusted text: String) { self.text = text }
  public init(stringLiteral value: String) { text = value }
  public init(stringInterpolation: Interpolation) { text = stringInterpolation.text }
  public var description: String { text }

  public struct Interpolation: StringInterpolationProtocol {
    var text = ""
    public init(literalCapacity: Int, interpolationCount: Int) {}
    public mutating func appendLiteral(_ literal: String) { text += literal }
    public mutating func appendInterpolation(_ sql: SQL) { text += sql.text }
    public mutating func appendInterpolation(name: String) {
      text += quoted(name, in: "\"")
    }
    public mutating func appendInterpolation(_ value: String) { text += literal(value) }
    public mutating func appendInterpolation(_ value: some BinaryInteger) { text += String(value) }
    public mutating func appendInterpolation(_ values: [String]) {
      text += "[" + values.map(literal).joined(separator: ", ") + "]"
    }
  }
}

/// A string literal. DuckDB's shell drops a CR before a LF of its input, so one that holds a CR is written with escapes.
private func literal(_ text: String) -> String {
  guard text.utf8.contains(0x0D) else { return quoted(text, in: "'") }
  var escaped = String.UnicodeScalarView()
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\r": escaped.append(contentsOf: "\\r".unicodeScalars)
    case "\\": escaped.append(contentsOf: "\\\\".unicodeScalars)
    default: escaped.append(scalar)
    }
  }
  return "E" + quoted(String(escaped), in: "'")
}

/// A literal or a name. NUL can't stand in one and is left out.
///
/// By code points: to Swift a quote and an accent behind it are one Character, and no quote.
private func quoted(_ text: String, in quote: Unicode.Scalar) -> String {
  var result = String.UnicodeScalarView([quote])
  for scalar in text.unicodeScalars where scalar != "\0" {
    if scalar == quote { result.append(quote) }
    result.append(scalar)
  }
  result.append(quote)
  return String(result)
}

extension Sequence where Element == SQL {
  public func joined(separator: String) -> SQL {
    SQL(trusted: map(\.text).joined(separator: separator))
  }
}
