import CShims
import Rows
import Support
import TestSupport
import Testing

/// What makes the scanner fast changes nothing of what it finds.
@Suite struct ShortcutTests {
  /// Keys are expected where the line before had them: each line is what it is by itself.
  @Test(arguments: 21...24) func aLineIsTheSameBehindAnyOther(_ seed: UInt64) async throws {
    var generator = LineGenerator(seed: seed)
    var lines = (0..<150).map { _ in generator.line() }.filter { !$0.contains(0x0A) }
    // Alike but for blanks, escapes, and where a value ends.
    for text in [
      #"{"id":"1","@version":"a","message":"x"}"#, #"{"id": "1","@version" :"a", "message":"x"}"#,
      #"{"id":1,"@version":null,"message":["x"]}"#, #"{"id":"","@version":"a\"","message":"x"}"#,
      #"{"id":"1","@version":"a","message":"x"#, #"{"id":"1","@version":"a","message":"#, #"{"id":"#,
      #"{"id""#,
      #"{"id":"1","@versioN":"a","message":"x"}"#, #"{"\u0069d":"1","@version":"a","message":"x"}"#,
      "{\"id\":\r\"1\",\"@version\":\"a\"}", "{\"id\":\r",
    ] { lines += [Array(text.utf8), Array(#"{"id":"1","@version":"a","message":"x"}"#.utf8)] }
    // Keys in Latin-1, and such as are no UTF-8 at all: they are expected nowhere.
    for key in [[0xFF], [0x67, 0x72, 0xF6, 0xDF, 0x65], Array("größe".utf8)] as [[UInt8]] {
      let text =
        Array("{\"".utf8) + key
        + Array("\":1,\"message\":\"Svc [CAT] as long as thirty-two bytes and more\"}".utf8)
      lines += Array(repeating: text, count: 12)
    }
    lines.shuffle(using: &generator.random)
    let together = try await scan(BlockedFile(Array(lines.map { $0 + [0x0A] }.joined())))
    var alone: [Cells] = []
    for line in lines { alone += try await scan(BlockedFile(line + [0x0A])).cells }
    #expect(together.cells.count == alone.count)
    for (one, other) in zip(together.cells, alone) { #expect(one == other) }
  }

  /// Sixteen and thirty-two bytes at a time find what one at a time does, and read nothing behind the end.
  @Test func searchesFindTheFirst() {
    var random = SeededRandom(seed: 3)
    let kinds: [[UInt8]] = [Array(0x23...0x5A), Array(0x80...0xFF), Array(0...0xFF), [0x20, 0x41], [0x41]]
    for _ in 0..<4000 {
      let kind = kinds.randomElement(using: &random)!
      let count = Int.random(in: 0..<100, using: &random)
      // Exactly as long as what may be read, so that AddressSanitizer sees what reads on.
      let text = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, count))
      defer { text.deallocate() }
      for place in 0..<count { text[place] = kind.randomElement(using: &random)! }
      let bytes = UnsafeBufferPointer(start: text, count: count)
      var high: UInt64 = 0
      let stop = gw_string_stop(text, text + count, &high)! - UnsafePointer(text)
      #expect(stop == bytes.firstIndex { $0 == 0x22 || $0 == 0x5C || $0 < 0x20 } ?? count)
      if bytes[..<stop].contains(where: { $0 > 0x7F }) { #expect(high != 0) }
      if !bytes.contains(where: { $0 > 0x7F }) { #expect(high == 0) }
      let word = gw_word_stop(text, text + count)! - UnsafePointer(text)
      #expect(word == bytes.firstIndex { [0x20, 0x5B, 0x5D].contains($0) || (9...13).contains($0) } ?? count)
      let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: count + 32)
      defer { copy.deallocate() }
      let length = Int.random(in: 0...count, using: &random)
      gw_copy(copy, text, length, text + count)
      #expect(UnsafeBufferPointer(start: copy, count: length).elementsEqual(bytes[..<length]))
    }
  }

  /// A text is found where it is first, and nowhere else.
  @Test func textsAreFound() {
    var random = SeededRandom(seed: 5)
    for _ in 0..<20_000 {
      let kinds = UInt8(1 + Int.random(in: 0..<3, using: &random))
      func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0x61..<(0x61 + kinds), using: &random) }
      }
      let text = bytes(Int.random(in: 0..<120, using: &random))
      let part = bytes(Int.random(in: 1..<(Bool.random(using: &random) ? 6 : 70), using: &random))
      var place: Int?
      for start in 0..<max(0, text.count - part.count + 1)
      where text[start..<(start + part.count)].elementsEqual(part) {
        place = start
        break
      }
      let found = text.withUnsafeBufferPointer { text in
        part.withUnsafeBufferPointer { part in
          gw_find(text.baseAddress, text.count, part.baseAddress, part.count).map {
            $0 - UnsafeRawPointer(text.baseAddress!)
          }
        }
      }
      #expect(found == place)
    }
  }
}
