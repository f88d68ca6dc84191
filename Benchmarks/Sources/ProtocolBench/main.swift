// How the protocol's cost grows: with the age of an installation, and with the size of a commit and of the table it goes to.
//
// Prints one line of JSON a measurement: wall seconds, the processor's with all children, and the largest resident set of this process so far.

import DuckDB
import Files
import Fleet
import Glibc
import HTTP
import Harvest
import Iceberg
import Logs
import ObjectStorage
import Support

func seconds(_ clock: clockid_t) -> Double {
  var time = timespec()
  clock_gettime(clock, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// User and system time of ended children and of this process.
func processorSeconds() -> Double {
  [RUSAGE_SELF, RUSAGE_CHILDREN].reduce(0) { sum, who in
    var usage = rusage()
    getrusage(who.rawValue, &usage)
    let times = [usage.ru_utime, usage.ru_stime]
    return sum + times.reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
  }
}

/// A value of this process from `/proc/self/status`, in MiB.
func mebibytes(_ name: String) throws -> Int64 {
  let text = String(decoding: try readFile("/proc/self/status", limit: .mebibytes(1)), as: UTF8.self)
  let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") } ?? ""
  return (Int64(line.filter(\.isNumber)) ?? 0) / 1024
}

func measured(_ facts: String, _ body: () async throws -> Void) async throws {
  let (wall, processor) = (seconds(CLOCK_MONOTONIC), processorSeconds())
  try await body()
  print(
    "{\(facts),\"wall\":\(decimal(seconds(CLOCK_MONOTONIC) - wall, places: 3)),\"cpu\":\(decimal(processorSeconds() - processor, places: 3)),\"anonymous_mib\":\(try mebibytes("RssAnon"))}"
  )
  fflush(nil)
}

let usage = """
  usage: ProtocolBench age GADWALL DUCKDB FOLDER RUNS     one node, one line an hour, by a clock that goes an hour a run
         ProtocolBench commit GADWALL DUCKDB FOLDER       1, 100, 1,000 data files onto a table of 1, 100, 1,000 manifests
         ProtocolBench upload ENDPOINT URL FILE…          files into a store on S3, eight at a time, with the keys of the environment
  """
let arguments = CommandLine.arguments
guard arguments.count >= 5, ["age", "commit", "upload"].contains(arguments[1]) else {
  print(usage)
  exit(64)
}
if arguments[1] == "upload" {
  let location = try S3Location(url: arguments[3], endpoint: arguments[2], region: nil, style: nil)
  let http = try HTTPClient()
  let surroundings = KeySurroundings(
    environment: { name in getenv(name).map { String(cString: $0) } }, http: http, region: location.region)
  let store = S3Store(location, http: http, keys: KeySource(surroundings.providers))
  let files = Array(arguments[4...])
  try await measured("\"what\":\"upload\",\"files\":\(files.count)") {
    _ = try await inParallel(8, files) { path throws(Failure) in
      try await store.put(file: path, at: "raw/\(baseName(path))")
    }
  }
  exit(0)
}
let folder = resolvedPath(arguments[4])
let duckdb = try await DuckDB.find(configured: arguments[3])
try makeFolder(folder)
let store = try DirectoryStore(root: joined(folder, "store"))
let catalog = DirectoryCatalog(store: store, namespace: "logs", name: "events")
let scratch = joined(folder, "scratch")

if arguments[1] == "age" {
  guard arguments.count == 6, let runs = Int(arguments[5]) else {
    print(usage)
    exit(64)
  }
  try await age(runs)
} else {
  try await commit()
}

func age(_ runs: Int) async throws {
  let node = Node(region: "us-east1", zone: "us-east1-b", name: "vm1")
  let root = joined(folder, "node")
  try makeFolder(joined(root, "var/logs/raw_logs"))
  let engine = LocalEngine(
    nodes: [LocalNode(node: node, root: root)], executable: arguments[2],
    storeArguments: ["--store", store.url],
    environment: ["GADWALL_DUCKDB": arguments[3]])
  let request = HarvestRequest(
    selection: NodeSelection(),
    logs: TaskDocument.Logs(live: [], rotated: ["var/logs/raw_logs/*"], settle: 60),
    urgent: TaskDocument.Urgent(condition: "category = 'SECURITY'", show: 100), keep: 0)
  for run in 0..<runs {
    let hour = Instant(seconds: 1_795_442_400 + 3600 * Int64(run))
    let file = joined(root, "var/logs/raw_logs/my_logs.log.1")
    try publish(
      Array("{\"id\":\"\(run)\",\"message\":\"Auth [INFO] a line\"}\n".utf8), at: file, replacing: true)
    try setModified(file, seconds: hour.seconds - 60)
    try await measured("\"what\":\"harvest by age\",\"runs_before\":\(run)") {
      // A view of its own each time, as a process has it.
      let harvest = Harvest(
        engine: engine, store: store, catalog: catalog, duckdb: duckdb, scratch: scratch,
        clock: WallClock { hour }, tell: { _ in })
      let summary = try await harvest.run(request)
      guard summary.proven.count == 1, !exists(file) else { fatalError("the run \(run) did not do its work") }
    }
  }
}

func commit() async throws {
  let writer = TableWriter(duckdb: duckdb, store: store, catalog: catalog, scratch: scratch, clock: .system)
  var manifests = 0
  func append(_ count: Int) async throws {
    let dataPath = try await catalog.newLocation() + "/data"
    let metrics = ColumnMetrics(
      values: 1_000, nulls: 0, size: 4_000, min: "aaaaaaaaaaaaaaaa", max: "zzzzzzzzzzzzzzzz")
    let files = (0..<count).map { number in
      AppendedFile(
        url: "\(dataPath)/\(manifests)-\(number).parquet", rows: 1_000, size: 100_000, day: 20_780,
        region: "us-east1",
        columns: Dictionary(
          uniqueKeysWithValues: [
            "service", "category", "message", "id", "region", "zone", "node", "stream", "batch",
          ]
          .map { ($0, metrics) }))
    }
    let table = try await catalog.load()
    let answer = try await writer.append(
      files, run: "run\(manifests)", leftOut: [], settled: manifests > 0 ? ["run\(manifests - 1)"] : [],
      on: table)
    guard case .committed(let after) = answer, let snapshot = after.currentSnapshot else {
      fatalError("the commit was not done: \(answer)")
    }
    let found = try await writer.files(of: snapshot, addedBy: snapshot.id)
    guard found.count == count else { fatalError("\(found.count) files of \(count) were read back") }
    manifests += 1
  }
  for size in [1, 100, 1_000] {
    while manifests < size { try await append(1) }
    for count in [1, 100, 1_000] {
      try await measured("\"what\":\"commit\",\"data_files\":\(count),\"manifests_before\":\(manifests)") {
        try await append(count)
      }
    }
  }
}
