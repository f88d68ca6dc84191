import Files
import Logs
import Rows
import Support

/// Writes the urgent rows of frames into one alert file a batch.
struct AlertStep: ~Copyable {
  let context: NodeContext
  let work: String
  /// How many urgent rows are still to be shown.
  private var show: Int
  private(set) var shown: [JSONValue] = []
  private var writer: AlertWriter?
  /// The number of the batch that the writer writes.
  private var current: Int32?
  /// By the numbers of their batches.
  private(set) var finished: [Int32: (alert: BatchUpload.Alert, rows: Int64)] = [:]

  /// Of the rows that are shown, all together: a hundred may be four hundred megabytes. What is not shown is in the alert all the same.
  private var showBytes = 1 << 20

  init(context: NodeContext, work: String, show: Int) {
    self.context = context
    self.work = work
    self.show = show
  }

  /// - Parameter urgent: numbers of rows in the frame, ascending. Rows of one batch follow each other, in this frame and over several.
  mutating func append(
    _ urgent: [UInt32], of frame: FrameLayout, _ members: [NumberedBatch]
  ) throws {
    guard !urgent.isEmpty else { return }
    let facts = Dictionary(uniqueKeysWithValues: members.map { ($0.number, $0.facts) })
    try FrameReader(frame).rows(urgent) { row in
      if row.batch != current {
        try close(facts)
        // Rows of a file that was given up half way belong to no batch.
        guard let own = facts[row.batch] else { return }
        current = row.batch
        writer = try AlertWriter.create(joined(work, "alert-\(row.batch).json.gz"), columns(own))
      }
      guard show > 0, showBytes > 0 else {
        try writer?.append(row)
        return
      }
      var line: [UInt8] = []
      let room = showBytes
      try writer?.append(row) { line = $0.count <= room ? Array($0) : [] }
      if line.isEmpty { return }
      showBytes -= line.count
      if let value = try? JSONValue(parsing: line) {
        shown.append(value)
        show -= 1
      }
    }
  }

  /// Ends the last file. `members` are those of the last frame.
  mutating func finish(_ members: [NumberedBatch]) throws {
    try close(Dictionary(uniqueKeysWithValues: members.map { ($0.number, $0.facts) }))
  }

  private mutating func close(_ facts: [Int32: BatchFacts]) throws {
    guard let written = writer.take(), let number = current, let own = facts[number] else { return }
    current = nil
    let rows = written.rows
    finished[number] = (try BatchUpload(context: context).alert(written, own), rows)
  }

  private func columns(_ facts: BatchFacts) -> BatchColumns {
    BatchColumns(
      region: context.node.region, zone: context.node.zone, node: context.node.name, stream: facts.stream,
      rotated: Instant(seconds: facts.rotated), batch: facts.id)
  }
}
