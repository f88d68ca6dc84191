// What `text` holds of a line with bad bytes, and in which order reasons are looked for.

import Rows
import Support
import TestSupport
import Testing

private func bytes(_ parts: Any...) -> [UInt8] {
  parts.flatMap { part -> [UInt8] in
    switch part {
    case let text as String: Array(text.utf8)
    case let byte as Int: [UInt8(byte)]
    default: []
    }
  }
}

private let badBytes: [LineCase] = [
  LineCase(bytes(0xFF), .malformed("invalid-utf8", #"\xff"#)),
  LineCase(bytes(0x80), .malformed("invalid-utf8", #"\x80"#)),
  LineCase(bytes("a", 0xE4, "b"), .malformed("invalid-utf8", #"a\xe4b"#)),
  LineCase(bytes(#"{"a":"x"#, 0xE4, #""}"#), .malformed("invalid-utf8", #"{"a":"x\xe4"}"#)),
  LineCase(bytes(#"{"x"#, 0xE4, #"":1}"#), .malformed("invalid-utf8", #"{"x\xe4":1}"#)),
  LineCase(
    bytes(#"{"message":"0123456789"#, 0xFC, #"","id":"1"}"#),
    .malformed("invalid-utf8", #"{"message":"0123456789\xfc","id":"1"}"#)),
  LineCase(bytes(#"{"a":[{"b":"x"#, 0xE4, #""}]}"#), .malformed("invalid-utf8", #"{"a":[{"b":"x\xe4"}]}"#)),
  LineCase(bytes(#"{"a":"\n"#, 0xE4, #"\\"}"#), .malformed("invalid-utf8", #"{"a":"\\n\xe4\\\\"}"#)),
  LineCase(bytes("{}", 0xFE), .malformed("invalid-utf8", #"{}\xfe"#)),
  LineCase(bytes(0xFE, "{}"), .malformed("invalid-utf8", #"\xfe{}"#)),
  LineCase(bytes(#"{"a":"#, 0xE4, "}"), .malformed("invalid-utf8", #"{"a":\xe4}"#)),
  LineCase(bytes(#"\xff"#, 0xFF), .malformed("invalid-utf8", #"\\xff\xff"#)),
  LineCase(bytes("é😀", 0xE9, "é"), .malformed("invalid-utf8", #"é😀\xe9é"#)),
  LineCase(bytes(" ", 0xFF, " "), .malformed("invalid-utf8", #" \xff "#)),
  // Overlong, surrogates, above U+10FFFF, cut short.
  LineCase(bytes(0xC0, 0x80), .malformed("invalid-utf8", #"\xc0\x80"#)),
  LineCase(bytes(0xC1, 0xBF), .malformed("invalid-utf8", #"\xc1\xbf"#)),
  LineCase(bytes(0xE0, 0x9F, 0xBF), .malformed("invalid-utf8", #"\xe0\x9f\xbf"#)),
  LineCase(bytes(0xF0, 0x8F, 0xBF, 0xBF), .malformed("invalid-utf8", #"\xf0\x8f\xbf\xbf"#)),
  LineCase(bytes(0xED, 0xA0, 0x80), .malformed("invalid-utf8", #"\xed\xa0\x80"#)),
  LineCase(bytes(0xED, 0xBF, 0xBF), .malformed("invalid-utf8", #"\xed\xbf\xbf"#)),
  LineCase(bytes(0xF4, 0x90, 0x80, 0x80), .malformed("invalid-utf8", #"\xf4\x90\x80\x80"#)),
  LineCase(bytes(0xF5, 0x80, 0x80, 0x80), .malformed("invalid-utf8", #"\xf5\x80\x80\x80"#)),
  LineCase(bytes(0xC3, "A"), .malformed("invalid-utf8", #"\xc3A"#)),
  LineCase(bytes(0xE2, 0x82), .malformed("invalid-utf8", #"\xe2\x82"#)),
  LineCase(bytes(0xE2, 0x82, "A"), .malformed("invalid-utf8", #"\xe2\x82A"#)),
  LineCase(bytes(0xF0, 0x9F, 0x98, 0xC3, 0xA9), .malformed("invalid-utf8", #"\xf0\x9f\x98é"#)),
]

private let goodCharacters = [
  "\u{80}", "\u{7FF}", "\u{800}", "\u{D7FF}", "\u{E000}", "\u{FFFD}", "\u{FFFF}", "\u{10000}", "\u{10FFFF}",
  "\u{FEFF}", "\u{7F}", "e\u{301}",
]

private let nulBytes: [LineCase] = [
  LineCase("\0", .malformed("nul-byte", "\0")),
  LineCase("\0\0\0", .malformed("nul-byte", "\0\0\0")),
  LineCase("{\"a\":\"b\0c\"}", .malformed("nul-byte", "{\"a\":\"b\0c\"}")),
  LineCase("{\"a\":\"bcdefghijk\0\"}", .malformed("nul-byte", "{\"a\":\"bcdefghijk\0\"}")),
  LineCase("{}\0", .malformed("nul-byte", "{}\0")),
  LineCase("\0{}", .malformed("nul-byte", "\0{}")),
  LineCase("\\\0", .malformed("nul-byte", "\\\0")),
  LineCase(#"{"id":"a\u0000b","k":"\u0000"}"#, Cells(id: "a\0b", extra: #"{"k":"\u0000"}"#)),
]

private let reasonOrder: [LineCase] = [
  LineCase(bytes(0, 0xFF), .malformed("invalid-utf8", "\0\\xff")),
  LineCase(bytes("[\"", 0xFF, "\"]"), .malformed("invalid-utf8", #"["\xff"]"#)),
  LineCase(bytes("nonsense", 0xFF), .malformed("invalid-utf8", #"nonsense\xff"#)),
  LineCase("[1]\0", .malformed("nul-byte", "[1]\0")),
  LineCase("\"\0\"", .malformed("nul-byte", "\"\0\"")),
  LineCase("nonsense\0", .malformed("nul-byte", "nonsense\0")),
  LineCase("[1] x", .malformed("not-json", "[1] x")),
]

/// The bytes that a text with `\xhh` and doubled backslashes stands for; nil when it is none.
func restored(_ text: [UInt8]) -> [UInt8]? {
  func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x61...0x66: byte - 0x57
    default: nil
    }
  }
  var bytes: [UInt8] = []
  var rest = text[...]
  while let byte = rest.popFirst() {
    guard byte == 0x5C else {
      bytes.append(byte)
      continue
    }
    switch rest.popFirst() {
    case 0x5C: bytes.append(0x5C)
    case UInt8(ascii: "x"):
      guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
        return nil
      }
      bytes.append(high << 4 | low)
    default: return nil
    }
  }
  return bytes
}

@Suite struct MalformedTextTests {
  @Test(arguments: badBytes) func badBytesAreEscaped(_ line: LineCase) async throws { try await line.check() }

  @Test(arguments: nulBytes) func rawNULIsMalformedAndEscapedNULIsNot(_ line: LineCase) async throws {
    try await line.check()
  }

  @Test(arguments: reasonOrder) func theFirstReasonThatFitsIsGiven(_ line: LineCase) async throws {
    try await line.check()
  }

  @Test(arguments: goodCharacters) func everyCharacterIsValid(_ character: String) async throws {
    let line = "{\"id\":\"\(character)\",\"\(character)\":[\"\(character)\"]}"
    try await LineCase(line, Cells(id: character, extra: "{\"\(character)\":[\"\(character)\"]}")).check()
  }

  /// The scanner reads eight bytes at a time: a bad byte has to be seen at every place in and behind such a word.
  @Test func aBadByteIsSeenAtEveryPlace() async throws {
    var lines: [[UInt8]] = []
    for length in 1...26 {
      for place in 0..<length {
        var value = [UInt8](repeating: UInt8(ascii: "a"), count: length)
        value[place] = 0xE4
        lines.append(bytes(#"{"k":""#) + value + bytes(#""}"#))
      }
    }
    let scanned = try await scan(lines.map { BlockedFile($0) })
    for (line, result) in zip(lines, scanned) {
      #expect(result.cells.first?.malformed == "invalid-utf8")
      #expect(result.rows.first?.text.flatMap(restored) == line)
    }
  }

  @Test func badBytesCanBeRestored() async throws {
    var random = SeededRandom(seed: 7)
    let pieces: [[UInt8]] = [
      [0x5C], [0x5C, 0x78, 0x66, 0x66], [0xC3, 0xA9], [0xF0, 0x9F, 0x98, 0x80], [0xE2, 0x82], [0], [0x22],
    ]
    let lines = (0..<500).map { _ -> [UInt8] in
      var line: [UInt8] = [0xFF]
      for _ in 0..<Int.random(in: 0..<40, using: &random) {
        if Bool.random(using: &random) {
          line += pieces.randomElement(using: &random)!
        } else {
          line.append(UInt8.random(in: 0...255, using: &random))
        }
      }
      return line.filter { $0 != 0x0A && $0 != 0x0D }
    }
    let scanned = try await scan(BlockedFile(Array(lines.joined(separator: [0x0A]))))
    #expect(scanned.rows.count == lines.count)
    for (line, row) in zip(lines, scanned.rows) {
      #expect(row.malformed == Array("invalid-utf8".utf8))
      let text = try #require(row.text)
      #expect(String(validating: text, as: UTF8.self) != nil)
      #expect(restored(text) == line)
    }
  }
}
