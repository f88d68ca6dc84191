// What every other target shares: the failure that a person reads, sizes, times, randomness and
// JSON as a value.

/// A stable name for a kind of failure, such as `store.unwritable`. Callers and tests switch on it.
public struct FailureCode: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
  public let name: String

  public init(_ name: String) { self.name = name }
  public init(stringLiteral value: String) { name = value }
  public var description: String { name }
}

/// Why something was not done, for a person: what happened and to which thing, what to do about it,
/// and what another program said in its own words.
///
/// Secrets never go into any of the texts.
public struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
  public var code: FailureCode
  /// One sentence that names the thing.
  public var sentence: String
  /// What the reader can do, as a sentence; empty when nothing helps.
  public var remedy: String
  /// The words of DuckDB, SQLite, S3 or the kernel, at most ``wordsLimit`` characters of them.
  public var words: String

  public static let wordsLimit = 4_000

  public init(_ code: FailureCode, _ sentence: String, remedy: String = "", words: String = "") {
    self.code = code
    self.sentence = sentence
    self.remedy = remedy
    self.words = String(words.prefix(Self.wordsLimit))
  }

  /// The failure as the command line shows it, without the leading `gadwall: `.
  public var description: String {
    var text = sentence
    if !remedy.isEmpty { text += "\n  " + remedy }
    if !words.isEmpty {
      let quoted = printable(words).split(separator: "\n").map { "  | " + $0 }
      text += "\n" + quoted.joined(separator: "\n")
    }
    return text + "\n  [" + code.name + "]"
  }

  /// Any error as a failure; what is none yet gets the code `internal`.
  public static func from(_ error: any Error) -> Failure {
    if let failure = error as? Failure { return failure }
    if error is CancellationError {
      return Failure("cancelled", "The work was cancelled.")
    }
    return Failure("internal", "Something failed that should not have: \(error).")
  }
}

/// The text without the secrets, and without signatures, with which a request could be sent again: for what another program has quoted of it.
public func hiding(_ secrets: [String], in text: String) -> String {
  let text = secrets.filter { !$0.isEmpty }.reduce(text) {
    $0.split(separator: $1, omittingEmptySubsequences: false).joined(separator: "***")
  }
  let parts = text.split(separator: "Signature=", omittingEmptySubsequences: false)
  let rest = parts.dropFirst().map { part in
    let signature = part.prefix { $0.isHexDigit }
    return signature.isEmpty ? part : "***" + part.dropFirst(signature.count)
  }
  return (parts.prefix(1) + rest).joined(separator: "Signature=")
}

/// The text with control characters (a terminal acts on some) replaced, line feeds and tabs kept.
public func printable(_ text: String) -> String {
  var result = String.UnicodeScalarView()
  for scalar in text.unicodeScalars {
    let value = scalar.value
    if value == 0x0A || value == 0x09 {
      result.append(scalar)
    } else if value < 0x20 || (0x7F...0x9F).contains(value) || (0x202A...0x202E).contains(value)
      || (0x2066...0x2069).contains(value)
    {
      result.append("\u{FFFD}")
    } else {
      result.append(scalar)
    }
  }
  return String(result)
}
