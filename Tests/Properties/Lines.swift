import Files
import Support

@testable import Rows

extension Property {
  /// Every line of any bytes is counted once, and the rows are the same however the bytes are cut into blocks.
  static let scanner = Property(
    "scanner",
    words: [
      "{", "}", "[", "]", "\"", "\\", ",", ":", "\"id\":", "\"message\":", "\"@timestamp\":", "\"@version\":",
      "Auth [SECURITY] x", "2026-11-23T14:00:00Z", "\\u0069d", "\\ud83d\\ude00", "\\ud800", "null", "true",
      "1e400", "-0", "\r", "\t", "\u{B}", "\u{FEFF}",
    ],
    seeds: {
      utf8(
        #"{"id":"1","@timestamp":"2026-11-23T14:00:00.5Z","message":"Auth [SECURITY] dog cheese"}"# + "\n",
        " \t\r\n{}\r\nnonsense\n[1]\n\"x\"\n",
        #"{"id" : "é€😀\ud83d\ude00", "k": [ 1, {"a" : null} ], "id":2}"#,
        #"{"id":1e400,"@version":[ -0 ],"message":"a [b]","message":2,"x":"\\\"","@timestamp":1}"#,
        "{\"id\":\"\0\"}\n{\"a\":" + String(repeating: "[", count: 70) + String(repeating: "]", count: 70)
          + "}")
        + [[0x7B, 0x7D, 0x0A, 0xFF, 0x5C, 0xC3, 0x0A, 0xF0, 0x9F, 0x98]]
    },
    check: { bytes in
      var random = SeededRandom(of: bytes)
      for end in [FileEnd.rotated, .live] {
        let whole = try Scan([bytes], end)
        try hold(whole == Scan(pieces(bytes, &random), end), "other rows when it is cut otherwise (\(end))")
        try whole.checkLaws(bytes, end)
      }
    })

  /// Any bytes are read whole or refused, the same in pieces; what was written is read back.
  static let gzip = Property(
    "gzip",
    seeds: {
      let text = Array(#"{"id":"1","message":"Auth [SECURITY] lamp"}"#.utf8)
      let packed = Files.gzip(text)
      var named = packed
      // A header with an extra field, a name and a comment.
      named[3] = 4 | 8 | 16
      named.insert(contentsOf: [3, 0, 1, 2, 3, 0x61, 0, 0x62, 0], at: 10)
      return [packed, packed + packed, packed + [0, 0, 0], named, Files.gzip([]), text]
    },
    check: { bytes in
      var random = SeededRandom(of: bytes)
      let whole = inflated([bytes])
      let cut = inflated(pieces(bytes, &random))
      try hold(
        whole.bytes == cut.bytes && whole.isWhole == cut.isWhole, "other content when it is cut otherwise")
      let again = inflated(pieces(Files.gzip(bytes), &random))
      try hold(again.isWhole && again.bytes == bytes, "what was compressed does not come back")
    })

  /// A time that is read is one that is written the same way, within the years that the table knows.
  static let timestamp = Property(
    "timestamp", words: ["T", "t", "Z", "z", ":", "-", "+01:00", "-2359", ".123456", ",9", "9999", "0001"],
    seeds: {
      utf8(
        "2026-11-23T14:00:00Z", "2024-02-29 23:59:59,999999999+23:59", "0001-01-01", "9999-12-31T23:59z",
        "2026-11-23t14:00-0530", "2026-11-23T14:00:00.5+05")
    },
    check: { bytes in
      let read = bytes.withUnsafeBufferPointer { buffer -> Int64? in
        // In memory of exactly its size, so that a byte behind it is seen to be read.
        guard let start = buffer.baseAddress else { return nil }
        return parseTimestamp(start, buffer.count)
      }
      guard let read else { return }
      let text = Instant(microseconds: read).description
      try hold(text.utf8.count <= 27, "\(text) is no time of four digits' years")
      try hold(Rows.timestamp(of: text)?.microseconds == read, "\(text) is not what was read")
    })
}

/// The bytes in a few blocks, some of them empty.
private func pieces(_ bytes: [UInt8], _ random: inout SeededRandom) -> [[UInt8]] {
  if random.below(4) == 0 { return bytes.map { [$0] } }
  let cuts = (0..<1 + random.below(5)).map { _ in random.below(bytes.count + 1) }.sorted()
  return zip([0] + cuts, cuts + [bytes.count]).map { Array(bytes[$0..<$1]) }
}

private func inflated(_ pieces: [[UInt8]]) -> (bytes: [UInt8], isWhole: Bool) {
  var reader = GzipReader()
  var result: [UInt8] = []
  do {
    for piece in pieces {
      try piece.withUnsafeBytes { try reader.read($0) { result.append(contentsOf: $0) } }
    }
    try reader.finish()
    return (result, true)
  } catch {
    // How far a broken stream was read depends on the pieces.
    return ([], false)
  }
}

/// A scan's columns as the buffer holds them.
private struct Scan: Equatable {
  var counts = ScanCounts()
  /// By ``RowColumn``; a cell is nil where it is NULL.
  private var cells: [[ArraySlice<UInt8>?]] = Array(repeating: [], count: RowColumn.allCases.count)

  init(_ blocks: [[UInt8]], _ end: FileEnd) throws {
    var scanner = Scanner()
    scanner.begin(batch: 7)
    for block in blocks { try block.withUnsafeBytes { try scanner.scan($0) { take(&$0) } } }
    try scanner.finish(end) { take(&$0) }
    scanner.drain { take(&$0) }
    counts = scanner.counts
  }

  private mutating func take(_ rows: inout RowBuffer) {
    take(rows.batch, .batch, 4)
    take(rows.line, .line, 8)
    take(rows.ts, .ts, 8)
    take(rows.service, .service)
    take(rows.category, .category)
    take(rows.message, .message)
    take(rows.id, .id)
    take(rows.version, .version)
    take(rows.extra, .extra)
    take(rows.malformed, .malformed)
    take(rows.text, .text)
    rows.removeAll()
  }

  private mutating func take(_ column: borrowing ColumnBuffer, _ name: RowColumn, _ size: Int? = nil) {
    let bytes = Array(UnsafeBufferPointer(start: column.bytes, count: column.count))
    var at = 0
    for row in 0..<column.rows {
      guard column.present[row >> 3] >> UInt8(row & 7) & 1 == 1 else {
        cells[name.rawValue].append(nil)
        continue
      }
      var length = size ?? 0
      if size == nil {
        length = Int(littleEndian(bytes[at..<at + 4]))
        at += 4
      }
      cells[name.rawValue].append(bytes[at..<at + length])
      at += length
    }
  }

  func checkLaws(_ bytes: [UInt8], _ end: FileEnd) throws {
    var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
    if end == .live || lines.last?.isEmpty == true { lines.removeLast() }
    let numbers = lines.indices.filter { !isBlank(lines[$0]) }.map { Int64($0) + 1 }
    try hold(counts.lines == counts.entries + counts.malformed + counts.blank, "lines are not conserved")
    try hold(counts.lines == Int64(lines.count), "\(counts.lines) lines of \(lines.count)")
    try hold(column(.line).compactMap { $0.map(littleEndian) } == numbers, "a line's number is not its own")
    try hold(cells.allSatisfy { Int64($0.count) == counts.rows }, "the columns are not of one length")
    let times = column(.ts).compactMap { $0.map(littleEndian) }
    try hold(
      counts.firstTs?.microseconds == times.min() && counts.lastTs?.microseconds == times.max(),
      "first or last ts")
    for name in RowColumn.allCases where name.rawValue >= RowColumn.service.rawValue {
      try hold(
        column(name).allSatisfy { $0.map { String(validating: $0, as: UTF8.self) != nil } ?? true },
        "\(name) is no UTF-8")
    }
    for (row, number) in numbers.enumerated() {
      var line = lines[Int(number) - 1]
      if line.last == 0x0D, line.endIndex < bytes.count { line.removeLast() }
      guard let reason = column(.malformed)[row] else {
        try checkEntry(row)
        continue
      }
      let text = column(.text)[row] ?? []
      let kept = reason.elementsEqual("invalid-utf8".utf8) ? restored(text) : Array(text)
      try hold(kept.elementsEqual(line), "the text of line \(number) is not the line")
      try hold(
        RowColumn.allCases.allSatisfy { $0.rawValue <= 1 || $0.rawValue >= 9 || column($0)[row] == nil },
        "line \(number) is malformed and has columns")
    }
  }

  /// The row's own JSON, and its `extra`, are entries again, and the texts in them are the same.
  private func checkEntry(_ row: Int) throws {
    try hold(column(.text)[row] == nil, "an entry has a text")
    if let extra = column(.extra)[row] {
      try hold(try Scan([Array(extra)], .rotated).counts.entries == 1, "extra is no JSON object")
    }
    var lines = RowLines()
    lines.begin(
      BatchColumns(
        region: "r", zone: "z", node: "n", stream: "s\"\\\n", rotated: Instant(seconds: 0), batch: "b"))
    try lend(column(.message)[row]) { message in
      try lend(column(.id)[row]) { id in
        try lend(column(.extra)[row]) { extra in
          var read = FrameRow()
          (read.message, read.id, read.extra) = (message, id, extra)
          lines.append(read)
        }
      }
    }
    let again = try Scan([Array(lines.text)], .rotated)
    try hold(again.counts.entries == 1 && again.counts.lines == 1, "a row's JSON is no entry")
    try hold(
      again.column(.message) == [column(.message)[row]] && again.column(.id) == [column(.id)[row]],
      "a row's JSON has other texts")
  }

  private func lend(_ text: ArraySlice<UInt8>?, _ body: (FrameRow.Text?) throws -> Void) throws {
    guard let text else { return try body(nil) }
    try text.withUnsafeBufferPointer { try body($0) }
  }

  private func column(_ name: RowColumn) -> [ArraySlice<UInt8>?] { cells[name.rawValue] }
}

private func littleEndian(_ bytes: ArraySlice<UInt8>) -> Int64 {
  bytes.reversed().reduce(0) { $0 << 8 | Int64($1) }
}

private func isBlank(_ line: ArraySlice<UInt8>) -> Bool {
  line.allSatisfy { [0x20, 0x09, 0x0D, 0x0B, 0x0C].contains($0) }
}

/// The bytes that `text` stands for: backslashes are doubled, a bad byte is `\xhh`.
private func restored(_ text: ArraySlice<UInt8>) -> [UInt8] {
  var result: [UInt8] = []
  var at = text.startIndex
  while at < text.endIndex {
    if text[at] == 0x5C, at + 3 < text.endIndex, text[at + 1] == 0x78 {
      result.append(UInt8(String(decoding: text[at + 2...at + 3], as: UTF8.self), radix: 16) ?? 0)
      at += 4
    } else {
      result.append(text[at])
      at += text[at] == 0x5C ? 2 : 1
    }
  }
  return result
}
