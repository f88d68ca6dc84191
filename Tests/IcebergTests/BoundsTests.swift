import Support
import TestSupport
import Testing

@testable import Iceberg

@Suite struct BoundsTests {
  private static let sixteen = "0123456789abcdef"

  @Test(arguments: [
    ("", ""), ("a", "a"), (sixteen, sixteen), (sixteen + "g", sixteen), ("\u{10FFFF}", "\u{10FFFF}"),
    (String(repeating: "é", count: 20), String(repeating: "é", count: 16)),
    (String(repeating: "\u{1F986}", count: 17), String(repeating: "\u{1F986}", count: 16)),
    // Code points, not characters as a reader sees them.
    (String(repeating: "e\u{301}", count: 16), String(repeating: "e\u{301}", count: 8)),
  ])
  func lowerBoundsKeepSixteenCodePoints(value: String, bound: String) {
    #expect(lowerBound(.string, value) == Array(bound.utf8))
  }

  @Test(arguments: [
    ("", ""), ("a", "a"), (sixteen, sixteen), ("\u{10FFFF}", "\u{10FFFF}"),
    (sixteen + "x", "0123456789abcdeg"), (sixteen + "\u{0}", "0123456789abcdeg"),
    // Behind U+D7FF come the surrogates.
    ("0123456789abcde\u{D7FF}x", "0123456789abcde\u{E000}"),
    ("0123456789abcde\u{7F}x", "0123456789abcde\u{80}"),
    ("0123456789abcde\u{FFFF}x", "0123456789abcde\u{10000}"),
    // What can't be raised is dropped and the one before it raised.
    ("0123456789abcde\u{10FFFF}x", "0123456789abcdf"),
    ("a" + String(repeating: "\u{10FFFF}", count: 20), "b"),
  ])
  func upperBoundsAreRaisedWhenTheyAreCut(value: String, bound: String) {
    #expect(upperBound(.string, value) == Array(bound.utf8))
  }

  @Test(arguments: [17, 18, 100])
  func whatCantBeRaisedHasNoUpperBound(count: Int) {
    let value = String(repeating: "\u{10FFFF}", count: count)
    #expect(upperBound(.string, value) == nil)
    #expect(lowerBound(.string, value)?.count == 64)
  }

  @Test func everyValueLiesBetweenItsBounds() {
    var random = SeededRandom(seed: 16)
    let edges: [UInt32] = [
      0, 0x41, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFE, 0x10FFFF,
    ]
    for _ in 0..<5000 {
      var scalars = String.UnicodeScalarView()
      for _ in 0..<Int.random(in: 0...36, using: &random) {
        let near = edges.randomElement(using: &random) ?? 0
        let number = Bool.random(using: &random) ? near : UInt32.random(in: 0...0x10FFFF, using: &random)
        if let scalar = Unicode.Scalar(number) { scalars.append(scalar) }
      }
      let value = String(scalars)
      let bytes = Array(value.utf8)
      let lower = lowerBound(.string, value)
      #expect(lower.map { !bytes.lexicographicallyPrecedes($0) } == true, "\(bytes)")
      if let upper = upperBound(.string, value) {
        #expect(!upper.lexicographicallyPrecedes(bytes), "\(bytes)")
        let text = String(validating: upper, as: UTF8.self)
        #expect(text.map { $0.unicodeScalars.count <= 16 } == true, "\(bytes)")
      } else {
        #expect(value.unicodeScalars.prefix(16).allSatisfy { $0.value == 0x10FFFF }, "\(bytes)")
      }
    }
  }

  @Test(arguments: [
    (TableColumn.Kind.long, "1", [1, 0, 0, 0, 0, 0, 0, 0] as [UInt8]),
    (.long, "-2", [0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
    (.long, "9223372036854775807", [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]),
    (.timestamptz, "1795442400000000", [0x00, 0x78, 0x77, 0x02, 0xF2, 0x60, 0x06, 0x00]),
  ])
  func numbersAreEightBytesFromTheLowest(kind: TableColumn.Kind, text: String, bytes: [UInt8]) {
    #expect(lowerBound(kind, text) == bytes)
    #expect(upperBound(kind, text) == bytes)
  }

  @Test func whatIsNoNumberHasNoBound() {
    #expect(lowerBound(.long, "2026-11-23") == nil)
    #expect(upperBound(.timestamptz, "") == nil)
  }

  @Test func daysAreFourBytes() {
    #expect(littleEndian(Int32(20_780)) == [0x2C, 0x51, 0, 0])
    #expect(littleEndian(Int32(-1)) == [0xFF, 0xFF, 0xFF, 0xFF])
  }
}
