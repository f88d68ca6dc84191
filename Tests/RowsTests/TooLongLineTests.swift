// Lines of more than 4 MiB.

import Rows
import TestSupport
import Testing

private let limit = 4 << 20
private let kept = 64 << 10

/// An entry of so many bytes.
private func entry(_ count: Int) -> [UInt8] {
  let frame = Array(#"{"id":"1","k":""}"#.utf8)
  return frame.dropLast(2) + [UInt8](repeating: UInt8(ascii: "a"), count: count - frame.count)
    + frame.suffix(2)
}

private let follower = Array("{\"id\":\"next\"}".utf8)

/// Behind the long line, up to and with its line end; whether that makes it too long.
private struct Ending: Sendable, CustomTestStringConvertible {
  var size: Int
  var end: String
  var isTooLong: Bool
  var testDescription: String {
    "limit \(size - limit >= 0 ? "+" : "")\(size - limit), \(end.debugDescription)"
  }
}

private let endings: [Ending] = [
  Ending(size: limit, end: "\n", isTooLong: false),
  Ending(size: limit, end: "\r\n", isTooLong: false),
  Ending(size: limit, end: "", isTooLong: false),
  Ending(size: limit - 1, end: "\r\r\n", isTooLong: false),
  Ending(size: limit - 1, end: "\r", isTooLong: false),
  Ending(size: limit + 1, end: "\n", isTooLong: true),
  Ending(size: limit + 1, end: "\r\n", isTooLong: true),
  Ending(size: limit + 1, end: "", isTooLong: true),
  Ending(size: limit, end: "\r\r\n", isTooLong: true),
  // Without an LF the CR is part of the line.
  Ending(size: limit, end: "\r", isTooLong: true),
  Ending(size: limit, end: " \n", isTooLong: true),
]

/// The beginning of a long line, as bytes up to `kept`, and the text that has to come of it.
private struct Beginning: Sendable, CustomTestStringConvertible {
  var name: String
  /// The last bytes before the cut, and those behind it.
  var before: [UInt8]
  var behind: [UInt8] = []
  /// What the bytes before the cut become.
  var text: String
  var testDescription: String { name }
}

private let beginnings: [Beginning] = [
  Beginning(name: "plain", before: Array("xyz".utf8), text: "xyz"),
  Beginning(name: "two bytes, cut after one", before: [0xC3], behind: [0xA9], text: ""),
  Beginning(name: "two bytes, whole", before: [0xC3, 0xA9], text: "é"),
  Beginning(name: "three bytes, cut after one", before: [0xE2], behind: [0x82, 0xAC], text: ""),
  Beginning(name: "three bytes, cut after two", before: [0xE2, 0x82], behind: [0xAC], text: ""),
  Beginning(name: "three bytes, whole", before: [0xE2, 0x82, 0xAC], text: "€"),
  Beginning(name: "U+0800, cut", before: [0xE0, 0xA0], behind: [0x80], text: ""),
  Beginning(name: "U+D7FF, cut", before: [0xED, 0x9F], behind: [0xBF], text: ""),
  Beginning(name: "four bytes, cut after one", before: [0xF0], behind: [0x9F, 0x98, 0x80], text: ""),
  Beginning(name: "four bytes, cut after two", before: [0xF0, 0x9F], behind: [0x98, 0x80], text: ""),
  Beginning(name: "four bytes, cut after three", before: [0xF0, 0x9F, 0x98], behind: [0x80], text: ""),
  Beginning(name: "four bytes, whole", before: [0xF0, 0x9F, 0x98, 0x80], text: "😀"),
  Beginning(name: "U+10FFFF, cut", before: [0xF4, 0x8F, 0xBF], behind: [0xBF], text: ""),
  Beginning(name: "a cut one behind a whole one", before: [0xC3, 0xA9, 0xC3], behind: [0xA9], text: "é"),
  Beginning(name: "a bad byte", before: [0xFF], text: "\u{FFFD}"),
  Beginning(name: "a continuation alone", before: [0x80], text: "\u{FFFD}"),
  Beginning(
    name: "bad bytes, one for each", before: [0xFF, 0xC0, 0x80, 0x61], text: "\u{FFFD}\u{FFFD}\u{FFFD}a"),
  Beginning(name: "a surrogate", before: [0xED, 0xA0, 0x80], text: "\u{FFFD}\u{FFFD}\u{FFFD}"),
  Beginning(name: "half a surrogate", before: [0xED, 0xA0], text: "\u{FFFD}\u{FFFD}"),
  Beginning(name: "overlong and cut", before: [0xF0, 0x80], behind: [0x80, 0x80], text: "\u{FFFD}\u{FFFD}"),
  Beginning(
    name: "above U+10FFFF and cut", before: [0xF4, 0x90], behind: [0x80, 0x80], text: "\u{FFFD}\u{FFFD}"),
  Beginning(name: "a character cut short inside", before: [0xE2, 0x82, 0x61], text: "\u{FFFD}\u{FFFD}a"),
  Beginning(name: "backslashes stay single", before: Array(#"\xff\\"#.utf8), text: #"\xff\\"#),
  Beginning(name: "NUL stays", before: [0x61, 0, 0x62], text: "a\0b"),
]

/// Every `size` bytes.
private func cuts(_ count: Int, every size: Int) -> [Int] { Array(stride(from: size, to: count, by: size)) }

@Suite struct TooLongLineTests {
  @Test(arguments: endings) fileprivate func theLimitIsFourMebibytesWithoutTheLineEnd(_ ending: Ending)
    async throws
  {
    let line = entry(ending.size)
    let end = Array(ending.end.utf8)
    let bytes = Array("x\n".utf8) + line + end + (end.last == 0x0A ? follower : [])
    let start = 2 + line.count
    let blockings: [[Int]] = [
      [], [start], [start + end.count], [3, start - 1, start, start + end.count],
      cuts(bytes.count, every: 1 << 20),
    ]
    for result in try await scan(blockings.map { BlockedFile(bytes, cutAt: $0) }) {
      let cells = result.cells
      #expect(cells.count == (end.last == 0x0A ? 3 : 2))
      if ending.isTooLong {
        #expect(cells[1] == .malformed("too-long", String(decoding: line.prefix(kept), as: UTF8.self)))
      } else {
        #expect(cells[1].id == "1" && cells[1].malformed == nil)
        #expect(cells[1].extra?.utf8.count == ending.size - #""id":"1","#.utf8.count)
      }
      if end.last == 0x0A { #expect(cells[2] == Cells(id: "next")) }
      #expect(result.rows.map(\.line) == Array(1...Int64(cells.count)))
      #expect(result.counts.malformed == (ending.isTooLong ? 2 : 1))
    }
  }

  @Test(arguments: beginnings) fileprivate func theFirst64KiBAreKept(_ beginning: Beginning) async throws {
    let filler = [UInt8](repeating: UInt8(ascii: "a"), count: kept - beginning.before.count)
    let start = filler + beginning.before + beginning.behind
    let bytes = start + [UInt8](repeating: UInt8(ascii: "b"), count: limit + 1 - start.count) + [0x0A]
    let expected = Cells.malformed("too-long", String(decoding: filler, as: UTF8.self) + beginning.text)
    let blockings = [
      [], [1], [kept], [kept - 1, kept, kept + 1], [limit], cuts(bytes.count, every: 300_000),
    ]
    for result in try await scan(blockings.map { BlockedFile(bytes, cutAt: $0) }) {
      #expect(result.cells == [expected])
      #expect(result.counts.lines == 1 && result.counts.malformed == 1)
    }
  }

  @Test func aLineThatNeverEndsIsOneRow() async throws {
    let block = [UInt8](repeating: UInt8(ascii: "["), count: 1 << 20)
    let rotated = try await scan(BlockedFile(blocks: Array(repeating: block, count: 9)))
    #expect(rotated.cells == [.malformed("too-long", String(repeating: "[", count: kept))])
    let live = try await scan(BlockedFile(blocks: Array(repeating: block, count: 9), end: .live))
    #expect(live == Scanned())
  }

  /// What one file leaves behind must not reach the next one.
  @Test func aFileThatEndsInALongLineLeavesNothingBehind() async throws {
    let long = [UInt8](repeating: UInt8(ascii: "x"), count: limit + 10)
    let results = try await scan([
      BlockedFile(long, cutAt: [5], end: .live), BlockedFile(follower), BlockedFile(long),
      BlockedFile(follower),
    ])
    #expect(results[0] == Scanned())
    #expect(results[1].cells == [Cells(id: "next")])
    #expect(results[2].cells == [.malformed("too-long", String(repeating: "x", count: kept))])
    #expect(results[3].cells == [Cells(id: "next")])
  }

  /// A line of blanks is blank, however long it is.
  @Test func aLongBlankLineIsBlank() async throws {
    var blank = [UInt8](repeating: 0x20, count: limit + 5)
    blank[limit + 2] = 0x0B
    var ending = blank
    ending[limit + 4] = UInt8(ascii: "x")
    for cut in [[], [100], [kept + 1, limit + 3], cuts(limit, every: 1 << 20)] {
      let both = try await scan([
        BlockedFile(blank + [0x0A] + follower, cutAt: cut),
        BlockedFile(ending + [0x0A] + follower, cutAt: cut),
      ])
      #expect(both[0].cells == [Cells(id: "next")])
      #expect(both[0].counts.blank == 1 && both[0].counts.lines == 2)
      #expect(
        both[1].cells == [.malformed("too-long", String(repeating: " ", count: kept)), Cells(id: "next")])
    }
  }

  @Test func tooLongComesBeforeEveryOtherReason() async throws {
    for bad in [0xFF, 0x00, 0x5B] as [UInt8] {
      let bytes = [UInt8](repeating: UInt8(ascii: "a"), count: limit) + [bad]
      #expect(try await scan(BlockedFile(bytes)).cells.map(\.malformed) == ["too-long"])
    }
  }
}
