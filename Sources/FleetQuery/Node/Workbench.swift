import DuckDB
import Files
import Support

/// Where a node works on its frames: a scratch folder, and the DuckDB that the node's expressions run in, once there is one.
struct Workbench {
  /// Where results are written, below the scratch folder.
  let output: String
  private let duckdb: DuckDB
  private let scratch: String
  private let deadline: Deadline
  private var started: Confined?
  private var hasRelations = false

  init(_ duckdb: DuckDB, scratch: String, until deadline: Deadline) throws(Failure) {
    self.duckdb = duckdb
    self.scratch = scratch
    self.deadline = deadline
    output = joined(scratch, "out")
    for folder in [output, spill] { try makeScratch(folder) }
  }

  private var spill: String { joined(scratch, "spill") }

  /// Starts DuckDB, if it was not yet.
  @discardableResult
  mutating func start() throws(Failure) -> Confined {
    if let started { return started }
    let fresh = try Confined(
      duckdb, reading: scratch, writing: [output, spill],
      DuckDB.Settings(memory: .gibibytes(1), scratch: spill, deadline: deadline))
    started = fresh
    return fresh
  }

  /// Runs statements over the node's frames, which are the same each time.
  ///
  /// - Throws: `sql.failed` with DuckDB's words.
  mutating func run(
    _ statements: [SQL], over frames: Gather.Answer, _ used: UsedColumns
  ) async throws(Failure) -> [[JSONValue]] {
    let duckdb = try start()
    var relations: [SQL] = []
    if !hasRelations {
      let files = joined(scratch, "files.ndjson")
      try writeFiles([frames], to: files)
      relations = [
        filesTable(files), "CREATE VIEW \(name: rowsName) AS \(liveRows([frames], used))",
      ]
      hasRelations = true
    }
    return try await duckdb.run(relations, statements)
  }

  func end() { started?.end() }
}
