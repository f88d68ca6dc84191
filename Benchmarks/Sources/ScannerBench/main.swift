// The scanner on one core, side by side in one run with a plain pass over the same bytes: what counting line ends alone costs, or, of a gzip'd file,
// inflating it.
// Prints one line of JSON a measurement: megabytes (10^6) a second of processor time, and the ratio to the plain pass.

import Files
import Glibc
import Rows

let arguments = CommandLine.arguments
guard arguments.count >= 2, let file = fopen(arguments[1], "r") else {
  print("usage: ScannerBench FILE [ROUNDS]")
  exit(64)
}
let rounds = arguments.count > 2 ? Int(arguments[2]) ?? 5 : 5
fseek(file, 0, SEEK_END)
let length = ftell(file)
rewind(file)
let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: length, alignment: 4096)
guard fread(bytes.baseAddress, 1, length, file) == length else { exit(2) }
let input = UnsafeRawBufferPointer(bytes)

func processorSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

func blocks(
  _ input: UnsafeRawBufferPointer, _ size: Int, _ body: (UnsafeRawBufferPointer) throws -> Void
) rethrows {
  var at = 0
  while at < input.count {
    let end = min(at + size, input.count)
    try body(UnsafeRawBufferPointer(rebasing: input[at..<end]))
    at = end
  }
}

/// What every reader has to do at least.
func countLines(_ input: UnsafeRawBufferPointer) -> Int {
  var lines = 0
  blocks(input, 1 << 20) { block in
    var at = block.baseAddress!
    let end = at + block.count
    while at < end, let found = memchr(at, 0x0A, end - at) {
      lines += 1
      at = UnsafeRawPointer(found) + 1
    }
  }
  return lines
}

func scan(
  _ input: UnsafeRawBufferPointer, _ columns: Set<RowColumn> = Set(RowColumn.allCases)
) throws -> Int64 {
  var scanner = Scanner(columns: columns)
  scanner.begin(batch: 0)
  try blocks(input, 1 << 20) { try scanner.scan($0) { $0.removeAll() } }
  try scanner.finish(.rotated) { $0.removeAll() }
  return scanner.counts.rows
}

func scanToFrames(_ input: UnsafeRawBufferPointer, _ path: String) throws -> Int64 {
  unlink(path)
  var frame = try FrameWriter.create(path)
  var scanner = Scanner()
  scanner.begin(batch: 0)
  try blocks(input, 1 << 20) { try scanner.scan($0) { try frame.append(&$0) } }
  try scanner.finish(.rotated) { try frame.append(&$0) }
  try scanner.drain { try frame.append(&$0) }
  let layout = try frame.finish()
  unlink(path)
  return layout.rows
}

/// Inflates, and gives the text on.
func inflate(_ input: UnsafeRawBufferPointer, _ text: (UnsafeRawBufferPointer) throws -> Void) throws -> Int {
  var reader = GzipReader()
  var bytes = 0
  try blocks(input, 1 << 20) { block in
    try reader.read(block) {
      bytes += $0.count
      try text($0)
    }
  }
  try reader.finish()
  return bytes
}

func inflateAndScan(_ input: UnsafeRawBufferPointer, _ path: String) throws {
  unlink(path)
  var frame = try FrameWriter.create(path)
  var scanner = Scanner()
  scanner.begin(batch: 0)
  _ = try inflate(input) { try scanner.scan($0) { try frame.append(&$0) } }
  try scanner.finish(.rotated) { try frame.append(&$0) }
  try scanner.drain { try frame.append(&$0) }
  _ = try frame.finish()
  unlink(path)
}

let frame = arguments[1] + ".frame"
let isGzip = input.starts(with: [0x1F, 0x8B])
let size = isGzip ? try inflate(input) { _ in } : input.count
let measurements: [(String, () throws -> Void)] =
  isGzip
  ? [
    ("inflate", { _ = try inflate(input) { _ in } }),
    ("inflate and scan, frames written", { try inflateAndScan(input, frame) }),
  ]
  : [
    ("count line ends", { _ = countLines(input) }), ("scan, all columns", { _ = try scan(input) }),
    ("scan, ts", { _ = try scan(input, [.ts]) }), ("scan, message", { _ = try scan(input, [.message]) }),
    ("scan, service and category", { _ = try scan(input, [.service, .category]) }),
    ("scan, frames written", { _ = try scanToFrames(input, frame) }),
  ]
var times = [[Double]](repeating: [], count: measurements.count)
for round in 0...rounds {
  for (index, (_, body)) in measurements.enumerated() {
    let start = processorSeconds()
    try body()
    // The first round only warms up.
    if round > 0 { times[index].append(processorSeconds() - start) }
  }
}
let medians = times.map { $0.sorted()[$0.count / 2] }
for (index, (name, _)) in measurements.enumerated() {
  let rate = Double(size) / 1e6 / medians[index]
  let ratio = (medians[index] / medians[0] * 10).rounded() / 10
  print(
    "{\"what\":\"\(name)\",\"mb_per_cpu_second\":\(Int(rate)),\"cpu_seconds\":\(medians[index]),\"times_first\":\(ratio),\"bytes\":\(size)}"
  )
}
