/// A type as DuckDB writes it, as which a value travels in Parquet and comes back as what it was.
///
/// Parquet has no tuples: their fields get names, which nothing but a result would show. Top-level values of a type that it changes travel as text; within
/// others they are lost. What it says stands in SQL, and on a node the type is a stranger's word: nothing but a type passes.
struct CarriedType: Equatable {
  /// What the value is cast to before it is written and after it was read.
  let name: String
  /// Whether Parquet gives it back as what it is.
  let isFaithful: Bool

  private static let changed: Set<Substring> = [
    "HUGEINT", "UHUGEINT", "INTERVAL", "TIME WITH TIME ZONE", "BIT", "BIGNUM",
  ]

  /// Nil for what can't travel at all: also ENUM and UNION.
  init?(_ type: String) {
    var parser = TypeParser(rest: type[...])
    guard let parsed = parser.type(), parser.rest.isEmpty else { return nil }
    guard parsed.bases.contains(where: Self.changed.contains) else {
      (name, isFaithful) = (parsed.text, true)
      return
    }
    guard !parsed.isNested else { return nil }
    (name, isFaithful) = (type, false)
  }
}

private struct TypeParser {
  struct Parsed {
    var text: String
    var bases: Set<Substring>
    var isNested: Bool
  }

  var rest: Substring
  private var depth = 0

  init(rest: Substring) { self.rest = rest }

  private static let depthLimit = 50

  /// Takes a type from the front; nil when there is none, or one that is nested too deeply.
  mutating func type() -> Parsed? {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthLimit, var found = base() else { return nil }
    while rest.hasPrefix("["), let end = rest.firstIndex(of: "]"),
      rest[rest.index(after: rest.startIndex)..<end].allSatisfy(Self.isDigit)
    {
      found.text += rest[...end]
      found.isNested = true
      rest = rest[rest.index(after: end)...]
    }
    return found
  }

  private static func isDigit(_ character: Character) -> Bool { ("0"..."9").contains(character) }

  private mutating func base() -> Parsed? {
    let word = rest.prefix { ("A"..."Z").contains($0) || Self.isDigit($0) || $0 == "_" }
    guard !word.isEmpty else { return nil }
    rest = rest.dropFirst(word.count)
    switch word {
    case "STRUCT": return parts { parser, index in parser.field(index) }
    case "MAP": return parts(of: "MAP") { parser, _ in parser.type() }
    case "TIME", "TIMESTAMP":
      let zone = " WITH TIME ZONE"
      guard rest.hasPrefix(zone) else { break }
      rest = rest.dropFirst(zone.count)
      return Parsed(text: word + zone, bases: ["\(word)\(zone)"], isNested: false)
    default: break
    }
    guard rest.hasPrefix("("), let end = rest.firstIndex(of: ")") else {
      return Parsed(text: String(word), bases: [word], isNested: false)
    }
    // DECIMAL(9,2), and not ENUM('a', 'b').
    let arguments = rest[...end]
    guard arguments.dropFirst().dropLast().allSatisfy({ Self.isDigit($0) || $0 == "," }) else { return nil }
    rest = rest[rest.index(after: end)...]
    return Parsed(text: String(word + arguments), bases: [word], isNested: false)
  }

  private mutating func parts(
    of kind: String = "STRUCT", _ part: (inout TypeParser, Int) -> Parsed?
  ) -> Parsed? {
    guard rest.hasPrefix("(") else { return nil }
    rest = rest.dropFirst()
    var all = Parsed(text: "", bases: [], isNested: true)
    var texts: [String] = []
    while let found = part(&self, texts.count) {
      texts.append(found.text)
      all.bases.formUnion(found.bases)
      if rest.hasPrefix(", ") {
        rest = rest.dropFirst(2)
        continue
      }
      guard rest.hasPrefix(")") else { return nil }
      rest = rest.dropFirst()
      all.text = "\(kind)(\(texts.joined(separator: ", ")))"
      return all
    }
    return nil
  }

  /// A field with its name, or with one of ours in a tuple.
  private mutating func field(_ index: Int) -> Parsed? {
    let start = rest
    if var found = type(), rest.hasPrefix(", ") || rest.hasPrefix(")") {
      found.text = "f\(index) \(found.text)"
      return found
    }
    rest = start
    let name: Substring
    if rest.hasPrefix("\"") {
      var end = rest.index(after: rest.startIndex)
      var isClosed = false
      while !isClosed {
        guard let quote = rest[end...].firstIndex(of: "\"") else { return nil }
        end = rest.index(after: quote)
        isClosed = !rest[end...].hasPrefix("\"")
        if !isClosed { end = rest.index(after: end) }
      }
      name = rest[..<end]
    } else {
      name = rest.prefix { $0.isASCII && ($0.isLetter || Self.isDigit($0) || $0 == "_") }
    }
    guard !name.isEmpty else { return nil }
    rest = rest.dropFirst(name.count)
    guard rest.hasPrefix(" ") else { return nil }
    rest = rest.dropFirst()
    guard var found = type() else { return nil }
    found.text = "\(name) \(found.text)"
    return found
  }
}
