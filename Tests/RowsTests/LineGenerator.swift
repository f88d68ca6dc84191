import Support
import TestSupport

/// Makes lines of a log: entries in all their spellings, and what damage makes of them. No line holds an LF.
struct LineGenerator {
  var random: SeededRandom

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  /// About two thirds valid entries.
  mutating func line() -> [UInt8] {
    switch below(12) {
    case 0: return pick(oddLines)
    case 1, 2, 3: return damaged(entry())
    default: return entry()
    }
  }

  mutating func entry() -> [UInt8] {
    let members = (0..<below(7)).map { _ in member() }
    let text =
      blank() + "{" + blank() + members.joined(separator: blank() + "," + blank()) + blank() + "}" + blank()
    return Array(text.utf8)
  }

  /// The line with a few bytes changed, removed, repeated or put in.
  mutating func damaged(_ line: [UInt8]) -> [UInt8] {
    var line = line
    for _ in 0...below(3) where !line.isEmpty {
      let place = below(line.count)
      let end = min(line.count, place + 1 + below(6))
      switch below(6) {
      case 0: line.remove(at: place)
      case 1: line[place] = UInt8(below(256))
      case 2: line.insert(contentsOf: pick(fragments), at: place)
      case 3: line.removeSubrange(place..<end)
      case 4: line.insert(contentsOf: line[place..<end], at: below(line.count))
      default: line.removeSubrange(place...)
      }
    }
    return line.map { $0 == 0x0A ? 0x20 : $0 }
  }

  mutating func below(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }

  mutating func pick<Choice>(_ choices: [Choice]) -> Choice { choices[below(choices.count)] }

  private mutating func member() -> String {
    let colon = blank() + ":" + blank()
    switch below(12) {
    case 0, 1:
      return pick(["\"id\"", "\"id\"", "\"\\u0069d\""]) + colon + (below(4) == 0 ? value(3) : string())
    case 2, 3:
      return pick(["\"message\"", "\"mess\\u0061ge\""]) + colon + (below(6) == 0 ? value(3) : message())
    case 4, 5: return "\"@timestamp\"" + colon + (below(6) == 0 ? value(2) : "\"\(time())\"")
    case 6: return "\"@version\"" + colon + (below(2) == 0 ? value(1) : "\"1\"")
    case 7:
      return "\"\(pick(["ts", "node", "batch", "line", "extra", "category", "ID"]))\"" + colon + value(2)
    default: return string() + colon + value(4)
    }
  }

  private mutating func value(_ depth: Int) -> String {
    switch below(depth > 0 ? 9 : 6) {
    case 0, 1, 2: return string()
    case 3, 4: return pick(numbers)
    case 5: return pick(["true", "false", "null"])
    case 6, 7:
      let items = (0..<below(4)).map { _ in value(depth - 1) }
      return "[" + blank() + items.joined(separator: blank() + "," + blank()) + blank() + "]"
    default:
      let items = (0..<below(4)).map { _ in string() + blank() + ":" + blank() + value(depth - 1) }
      return "{" + blank() + items.joined(separator: "," + blank()) + blank() + "}"
    }
  }

  private mutating func string() -> String {
    "\"" + (0..<below(5)).map { _ in pick(pieces) }.joined() + "\""
  }

  private mutating func message() -> String {
    "\"" + pick(shapes) + (0..<below(4)).map { _ in pick(pieces) }.joined() + "\""
  }

  private mutating func time() -> String {
    if below(8) == 0 { return pick(oddTimes) }
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let date =
      "\(pick(["2026", "1970", "1969", "2000", "0001", "9999"]))-\(two(below(13) + 1))-\(two(below(31) + 1))"
    let clock =
      "\(two(below(24))):\(two(below(60)))"
      + pick(["", ":", ":"].map { $0.isEmpty ? "" : $0 + two(below(61)) })
    let fraction = clock.utf8.count > 5 ? pick(["", "", ".5", ".123", ".123456", ",250", ".999999999"]) : ""
    return date + pick(["T", "T", " ", "t"]) + clock + fraction
      + pick(["", "Z", "Z", "+01:00", "-0530", "+05", "-23:59"])
  }

  private mutating func blank() -> String { below(5) == 0 ? pick([" ", "  ", "\t", "\r", " \t "]) : "" }
}

private let pieces = [
  "a", "dog", "cheese", "01234567", "0123456789abcdef", " ", "  ", "é", "€", "😀", "e\u{301}", "\u{2028}",
  "\u{7F}", "\\n", "\\\"", "\\\\", "\\/", "\\t",
  "\\u0041", "\\u00e9", "\\u0000", "\\ud83d\\uDE00", "\\u2028", "[", "]", "{", "}", ",", ":", "'", "//",
  "NaN", "null", "1e5", "\\\\u0041", "\\\\\\\"",
]

private let shapes = [
  "Auth [SECURITY] ", "Auth [SECURITY]", "Mail [Info] sent\\n", "a [b]\\t", "a  [b] ", "[b] ", "a [] ",
  "a [b", "\\u0041uth [SEC\\u0055RITY] ", "é [Ü] ", "", "x",
]

private let numbers = [
  "0", "-0", "7", "-12", "1.50", "0.1", "-0.0", "1e5", "1E+2", "1.5e-7", "1e400", "-1e999",
  "9007199254740993", "18446744073709551616", "123456789012345678901234567890",
  "3.141592653589793238462643383279", "1e-400", "2.50e+001",
]

private let oddTimes = [
  "", "now", "epoch", "infinity", "2026-11-23", "2026-11-23Z", "2026-02-29", "2024-02-29T10:00Z",
  "2026-11-23T24:00:00Z", "2026-11-23T14:05:60Z", "0000-12-31T23:30-01:00",
  "9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59-00:01", "2026-11-23T14:05:06.Z", "1764000000",
  "2026-11-23 14:05:06 Europe/Berlin", "2026-11-23T14:05:06\\u005a", "20261123T140506Z",
]

/// What damage puts in.
private let fragments: [[UInt8]] =
  [
    "\"", "\\", "{", "}", "[", "]", ",", ":", "0", "-", ".", "e", "\\u", "\\ud800", "\\udc00",
    "\\ud83d\\ude00", "\u{FEFF}", "NaN", "Infinity", "-Infinity", "null", "true", "//", "/**/", "\0", "\t",
    "\r", "\u{B}", "\u{1F}", "\u{A0}", ",\"id\":\"again\"", "\"message\":\"Auth [SECURITY] x\",", ",}", ",]",
  ].map { Array($0.utf8) } + [
    [0xFF], [0xC3], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0xF0, 0x9F, 0x98],
  ]

private let oddLines: [[UInt8]] =
  [
    "", " ", "\t \r", "\u{B}\u{C}", "nonsense", "[]", "[1, 2]", "\"text\"", "17", "-0.5", "true", "null",
    "NaN", "{", "{}", " {} ", "{}{}", "{},", "\u{FEFF}{}", "\0", "{\"id\":\"\0\"}",
    "2026-11-23 14:05:06 INFO Auth - dog", "{\"id\":NaN}", "{\"id\":[-Infinity]}", "{\"id\":1,}",
    "{\"id\":[1,],\"message\":\"m\"}", "{\"id\":\"\\ud800\"}", "{\"a\":\"\\udc00\"}",
    "{\"id\":\"1\",\"id\":\"2\"}", "{\"message\":1,\"message\":\"2\"}",
    "{\"@timestamp\":\"2026-11-23\",\"@timestamp\":\"2025-11-23\"}", "{\"a\":1e400}", "{\"id\":1e400}",
    "{\"a\":/**/1}",
    "{\"a\":" + String(repeating: "[", count: 511) + String(repeating: "]", count: 511) + "}",
    "{\"a\":" + String(repeating: "[", count: 512) + String(repeating: "]", count: 512) + "}",
  ].map { Array($0.utf8) } + [[0xFF], Array("{\"id\":\"".utf8) + [0xE9] + Array("\"}".utf8)]
