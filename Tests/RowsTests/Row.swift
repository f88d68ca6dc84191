import Support

@testable import Rows

/// One row of a frame as values of its own, that outlive the call which lends the row.
struct Row: Sendable, Equatable {
  var batch: Int32 = 0
  var line: Int64 = 0
  var ts: Instant?
  var service: [UInt8]?
  var category: [UInt8]?
  var message: [UInt8]?
  var id: [UInt8]?
  var version: [UInt8]?
  var extra: [UInt8]?
  var malformed: [UInt8]?
  var text: [UInt8]?

  init() {}

  init(_ row: FrameRow) {
    batch = row.batch
    line = row.line
    ts = row.ts
    service = row.service.map { Array($0) }
    category = row.category.map { Array($0) }
    message = row.message.map { Array($0) }
    id = row.id.map { Array($0) }
    version = row.version.map { Array($0) }
    extra = row.extra.map { Array($0) }
    malformed = row.malformed.map { Array($0) }
    text = row.text.map { Array($0) }
  }

  /// The row as a line of JSON.
  func json(_ constant: BatchColumns) -> [UInt8] {
    var lines = RowLines()
    lines.begin(constant)
    var row = FrameRow()
    row.batch = batch
    row.line = line
    row.ts = ts
    // As a frame has them: one after the other in memory.
    let texts = [service, category, message, id, version, extra, malformed, text]
    let memory = texts.map { text in
      text.map { bytes -> UnsafeMutableBufferPointer<UInt8> in
        let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(bytes.count, 1))
        _ = copy.initialize(from: bytes)
        return copy
      }
    }
    func lent(_ index: Int) -> FrameRow.Text? {
      memory[index].map { FrameRow.Text(start: UnsafePointer($0.baseAddress), count: texts[index]!.count) }
    }
    defer { for copy in memory { copy?.deallocate() } }
    (row.service, row.category, row.message, row.id) = (lent(0), lent(1), lent(2), lent(3))
    (row.version, row.extra, row.malformed, row.text) = (lent(4), lent(5), lent(6), lent(7))
    // Behind another line, in a buffer that has to grow.
    let start = lines.append(row)
    let again = lines.append(row)
    let whole = Array(lines.text)
    precondition(Array(whole[start..<again]) == Array(whole[again...]))
    return Array(whole[again...])
  }
}
