// Two of the floors of a stage, each alone on one core: the scanner with its frame written, and the urgent rows out of that frame as gzip'd lines with
// their digests. Leaves the frame for DuckDB's floor. Prints one line of JSON a measurement.

import Files
import Glibc
import Rows
import Support

let arguments = CommandLine.arguments
guard arguments.count == 3 else {
  print("usage: StageFloors INPUT FRAME")
  exit(64)
}

func seconds(_ clock: clockid_t) -> Double {
  var time = timespec()
  clock_gettime(clock, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

func measured<Result>(_ what: String, _ body: () throws -> Result) rethrows -> Result {
  let (wall, processor) = (seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID))
  let result = try body()
  print(
    "{\"what\":\"\(what)\",\"wall\":\(seconds(CLOCK_MONOTONIC) - wall),\"cpu\":\(seconds(CLOCK_PROCESS_CPUTIME_ID) - processor)}"
  )
  return result
}

unlink(arguments[2])
let layout = try measured("scan, frames written") {
  var frame = try FrameWriter.create(arguments[2])
  var scanner = Scanner()
  scanner.begin(batch: 0)
  let input = try Descriptor.input(arguments[1])
  try input.readBlocks { try scanner.scan($0) { try frame.append(&$0) } }
  try scanner.finish(.rotated) { try frame.append(&$0) }
  try scanner.drain { try frame.append(&$0) }
  return try frame.finish()
}

// Which rows, DuckDB says in a stage: that is in its floor.
var urgent: [UInt32] = []
var number: UInt32 = 0
let wanted = Array("SECURITY".utf8)
let reader = try FrameReader(layout)
try reader.rows(Array(0..<UInt32(layout.rows))) { row in
  if let category = row.category, category.elementsEqual(wanted) { urgent.append(number) }
  number += 1
}
try measured("urgent rows written") {
  var lines = RowLines()
  lines.begin(
    BatchColumns(
      region: "us-east1", zone: "us-east1-b", node: "us-east1-vm1", stream: "my_logs.log",
      rotated: Instant(seconds: 1_795_442_400), batch: String(repeating: "0a", count: 32)))
  var gzip = GzipWriter()
  var content = SHA256()
  var object = SHA256()
  unlink(arguments[2] + ".alert")
  let file = try Descriptor.create(arguments[2] + ".alert")
  func flush(_ last: Bool) throws {
    content.update(lines.text)
    try gzip.write(lines.text, last: last) { (out) throws in
      object.update(out)
      try file.write(out)
    }
    lines.removeAll()
  }
  try reader.rows(urgent) { row in
    lines.append(row)
    if lines.count >= 256 << 10 { try flush(false) }
  }
  try flush(true)
}
