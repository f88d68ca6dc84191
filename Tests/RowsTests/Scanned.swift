import Files
import Rows
import Support
import TestSupport

/// What scanning a file's bytes gives: its rows, read back through a frame, and its counts.
struct Scanned: Sendable, Equatable {
  var rows: [Row] = []
  var counts = ScanCounts()

  var cells: [Cells] { rows.map(Cells.init) }
}

/// A file's bytes in the blocks in which the scanner gets them.
struct BlockedFile: Sendable {
  var blocks: [[UInt8]]
  var end = FileEnd.rotated

  init(blocks: [[UInt8]], end: FileEnd = .rotated) {
    self.blocks = blocks
    self.end = end
  }

  /// The bytes, cut at these places (ascending).
  init(_ bytes: [UInt8], cutAt cuts: [Int] = [], end: FileEnd = .rotated) {
    var start = 0
    blocks = []
    for cut in cuts + [bytes.count] {
      blocks.append(Array(bytes[start..<cut]))
      start = cut
    }
    self.end = end
  }
}

/// Scans the files one after the other, with one scanner and into one frame.
func scan(_ files: [BlockedFile]) async throws -> [Scanned] {
  try await withScratch { folder in
    var scanner = Scanner()
    var writer = try FrameWriter.create(joined(folder, "rows.parquet"))
    var results: [Scanned] = []
    for (number, file) in files.enumerated() {
      scanner.begin(batch: Int32(number))
      for block in file.blocks {
        try block.withUnsafeBytes { try scanner.scan($0) { try writer.append(&$0) } }
      }
      try scanner.finish(file.end) { try writer.append(&$0) }
      results.append(Scanned(counts: scanner.counts))
    }
    try scanner.drain { try writer.append(&$0) }
    let layout = try writer.finish()
    let reader = try FrameReader(layout)
    try reader.rows(Array(0..<UInt32(layout.rows))) { results[Int($0.batch)].rows.append(Row($0)) }
    return results
  }
}

func scan(_ file: BlockedFile) async throws -> Scanned { try await scan([file])[0] }

func scan(_ text: String, _ end: FileEnd = .rotated) async throws -> Scanned {
  try await scan(BlockedFile(Array(text.utf8), end: end))
}

/// The columns that come out of a line, as texts. Equal only when the bytes are: `==` on `String` takes é for e and an accent.
struct Cells: Sendable, Equatable, CustomStringConvertible {
  var ts: String?
  var service: String?
  var category: String?
  var message: String?
  var id: String?
  var version: String?
  var extra: String?
  var malformed: String?
  var text: String?

  private var named: [(String, String?)] {
    [
      ("ts", ts), ("service", service), ("category", category), ("message", message), ("id", id),
      ("version", version), ("extra", extra), ("malformed", malformed), ("text", text),
    ]
  }

  static func == (a: Cells, b: Cells) -> Bool {
    zip(a.named, b.named).allSatisfy { $0.1.map { Array($0.utf8) } == $1.1.map { Array($0.utf8) } }
  }

  var description: String {
    let parts = named.compactMap { name, value in value.map { "\(name): \($0.prefix(200).debugDescription)" }
    }
    return "{" + parts.joined(separator: ", ") + "}"
  }
}

extension Cells {
  /// What is no UTF-8 becomes a text that no test expects.
  init(_ row: Row) {
    func text(_ bytes: [UInt8]?) -> String? {
      bytes.map { String(validating: $0, as: UTF8.self) ?? "no UTF-8: \($0)" }
    }
    self.init(
      ts: row.ts?.description, service: text(row.service), category: text(row.category),
      message: text(row.message), id: text(row.id), version: text(row.version), extra: text(row.extra),
      malformed: text(row.malformed), text: text(row.text))
  }

  static func malformed(_ reason: String, _ text: String) -> Cells { Cells(malformed: reason, text: text) }
}
