// However the bytes are cut into blocks, the rows are the same; every line is counted once; no bytes make the scanner fail.

import Rows
import Support
import TestSupport
import Testing

private let kinds: [(line: String, isBlank: Bool, isEntry: Bool)] = [
  (#"{"id":"1","@timestamp":"2026-11-23T14:00:00.5Z","message":"Auth [SECURITY] dog cheese"}"#, false, true),
  ("", true, false), ("\r", true, false), (" \t\u{B}\u{C}\r", true, false), ("nonsense\r", false, false),
  ("{\"id\" : \"é€😀\\ud83d\\ude00\", \"k\": [ 1, {\"a\" : null} ]}\r", false, true),
  ("{\"id\":\"\0\"}", false, false), ("[1]", false, false), ("{}", false, true), ("x\r\r", false, false),
  ("\r{}\r", false, true),
  (#"{"id":1e400,"@version":[ -0 ],"message":"a [b]","message":2,"x":"\\\""}"#, false, true),
]

/// A mixed file: with bad bytes, and without an LF at the end.
private let sample: [UInt8] =
  Array(kinds.map { Array($0.line.utf8) }.joined(separator: [0x0A])) + [0x0A, 0xFF, 0x5C, 0xC3, 0x0A]
  + Array("{\"id\":\"last\"}\r".utf8)

/// Places to cut so many bytes at: every one, or a few by chance, with empty blocks among them.
private func randomCuts(_ count: Int, _ random: inout SeededRandom) -> [Int] {
  let pieces = [1, 2, 5, 30, count].randomElement(using: &random)!
  if pieces == count { return Array(1..<count) }
  return (0..<pieces).map { _ in Int.random(in: 0...count, using: &random) }.sorted()
}

private func isBlank(_ line: some Sequence<UInt8>) -> Bool {
  line.allSatisfy { [0x20, 0x09, 0x0D, 0x0B, 0x0C].contains($0) }
}

/// The lines of a file, counted without the scanner.
private func lines(_ bytes: [UInt8], _ end: FileEnd) -> [ArraySlice<UInt8>] {
  var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
  if end == .live || lines.last?.isEmpty == true { lines.removeLast() }
  return lines
}

/// What is true of every scan, whatever the bytes are.
private func checkLaws(_ scanned: Scanned, _ bytes: [UInt8], _ end: FileEnd) {
  let all = lines(bytes, end)
  let blank = all.filter(isBlank).count
  let counts = scanned.counts
  #expect(counts.lines == counts.entries + counts.malformed + counts.blank)
  #expect(counts.lines == Int64(all.count))
  #expect(counts.blank == Int64(blank))
  #expect(counts.rows == Int64(scanned.rows.count))
  #expect(counts.malformed == Int64(scanned.rows.filter { $0.malformed != nil }.count))
  #expect(counts.firstTs == scanned.rows.compactMap(\.ts).min())
  #expect(counts.lastTs == scanned.rows.compactMap(\.ts).max())
  #expect(scanned.rows.map(\.line) == all.indices.filter { !isBlank(all[$0]) }.map { Int64($0) + 1 })
  for row in scanned.rows {
    for text in [
      row.service, row.category, row.message, row.id, row.version, row.extra, row.malformed, row.text,
    ] {
      #expect(text.map { String(validating: $0, as: UTF8.self) != nil } ?? true)
    }
    #expect((row.malformed == nil) == (row.text == nil))
    guard let reason = row.malformed, let text = row.text else { continue }
    var bare = row
    bare.malformed = nil
    bare.text = nil
    var empty = Row()
    empty.batch = row.batch
    empty.line = row.line
    #expect(bare == empty)
    // The line itself, whole.
    var line = all[Int(row.line) - 1]
    if line.last == 0x0D, line.endIndex < bytes.count { line.removeLast() }
    #expect((reason == Array("invalid-utf8".utf8) ? restored(text) : text) == Array(line))
  }
}

/// The rows without their batch, which is the number of the file.
private func unnumbered(_ scanned: Scanned) -> Scanned {
  var scanned = scanned
  for i in scanned.rows.indices { scanned.rows[i].batch = 0 }
  return scanned
}

@Suite struct BlockSplitTests {
  @Test func countsOfAKnownFile() async throws {
    for end in [FileEnd.rotated, .live] {
      let scanned = try await scan(BlockedFile(sample, end: end))
      let unended: Int64 = end == .rotated ? 1 : 0
      #expect(scanned.counts.lines == Int64(kinds.count) + 1 + unended)
      #expect(scanned.counts.blank == Int64(kinds.filter(\.isBlank).count))
      #expect(scanned.counts.entries == Int64(kinds.filter(\.isEntry).count) + unended)
      checkLaws(scanned, sample, end)
    }
  }

  @Test(arguments: [FileEnd.rotated, .live]) func everyWayToCutInTwo(_ end: FileEnd) async throws {
    let whole = try await scan(BlockedFile(sample, end: end))
    let cut = try await scan((0...sample.count).map { BlockedFile(sample, cutAt: [$0], end: end) })
    for (place, result) in cut.enumerated() {
      #expect(unnumbered(result) == whole, "cut at \(place)")
    }
  }

  @Test(arguments: [FileEnd.rotated, .live]) func oneByteAtATime(_ end: FileEnd) async throws {
    let whole = try await scan(BlockedFile(sample, end: end))
    #expect(try await scan(BlockedFile(sample, cutAt: Array(1..<sample.count), end: end)) == whole)
  }

  @Test(arguments: 1...12) func randomCutsOfRandomFiles(_ seed: UInt64) async throws {
    var generator = LineGenerator(seed: seed)
    let count = 40 + generator.below(80)
    let bytes = Array((0..<count).map { _ in generator.line() }.joined(separator: [0x0A]))
    for end in [FileEnd.rotated, .live] {
      let files = (0..<12).map { _ in
        BlockedFile(bytes, cutAt: randomCuts(bytes.count, &generator.random), end: end)
      }
      let whole = try await scan(BlockedFile(bytes, end: end))
      checkLaws(whole, bytes, end)
      for result in try await scan(files) { #expect(unnumbered(result) == whole) }
    }
  }

  /// A line longer than the memory that the scanner begins with, cut often.
  @Test func linesThatGrowOverManyBlocks() async throws {
    let long = Array("{\"id\":\"\(String(repeating: "é", count: 200_000))\",\"k\" : [ 1 ]}".utf8)
    let bytes = long + [0x0D, 0x0A] + long.dropLast() + [0x0A] + long
    let whole = try await scan(BlockedFile(bytes))
    #expect(whole.cells.map(\.malformed) == [nil, "not-json", nil])
    for size in [997, 65_536, 65_537] {
      let cut = BlockedFile(bytes, cutAt: Array(stride(from: size, to: bytes.count, by: size)))
      #expect(try await scan(cut) == whole)
    }
  }

  /// A file that is given up midway (its reader failed) leaves neither a cut line nor its counts to the next one.
  @Test(arguments: [5, 5 << 20]) func aFileThatWasGivenUpIsForgotten(_ size: Int) throws {
    var scanner = Scanner()
    func unused(_ rows: inout RowBuffer) { Issue.record("the rows were not full") }
    scanner.begin(batch: 1)
    try [UInt8](repeating: UInt8(ascii: "["), count: size).withUnsafeBytes {
      try scanner.scan($0, flush: unused)
    }
    scanner.begin(batch: 2)
    try Array("{}\n".utf8).withUnsafeBytes { try scanner.scan($0, flush: unused) }
    try scanner.finish(.rotated, flush: unused)
    var rows = 0
    scanner.drain { rows = $0.rows }
    #expect(rows == 1)
    #expect(scanner.counts.lines == 1 && scanner.counts.entries == 1)
  }

  @Test(arguments: 1...8) func noBytesMakeTheScannerFail(_ seed: UInt64) async throws {
    var generator = LineGenerator(seed: 1000 + seed)
    var files: [[UInt8]] = []
    for _ in 0..<40 {
      // Bytes of all kinds, and bytes that JSON is made of.
      let alphabet: [UInt8] =
        generator.below(2) == 0 ? Array(0...255) : Array("{}[]\",:\\u0d8e-1.tfn \t\r\n".utf8)
      files.append((0..<generator.below(400)).map { _ in generator.pick(alphabet) })
      var damaged: [UInt8] = []
      for _ in 0..<generator.below(12) {
        damaged += generator.damaged(generator.damaged(generator.line()))
        if generator.below(4) > 0 { damaged.append(0x0A) }
      }
      files.append(damaged)
    }
    let ends = files.indices.map { $0 % 3 == 0 ? FileEnd.live : .rotated }
    let whole = try await scan(zip(files, ends).map { BlockedFile($0, end: $1) })
    let cut = try await scan(
      zip(files, ends).map {
        BlockedFile($0, cutAt: $0.isEmpty ? [] : randomCuts($0.count, &generator.random), end: $1)
      })
    #expect(whole == cut)
    for (number, result) in whole.enumerated() { checkLaws(result, files[number], ends[number]) }
  }
}
