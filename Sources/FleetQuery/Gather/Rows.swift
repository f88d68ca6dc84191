import DuckDB
import Files
import Logs
import Rows
import Support

// What frames, the archive's columns and answers are to DuckDB, on nodes and on the control machine alike.

/// A DuckDB for statements over files that somebody else has written, and the user's expressions in them. The operating system leaves it some
/// folders and nothing else; DuckDB itself refuses others as well, and nothing can be set.
///
/// It is started before there is something to do for it: that takes it 15 ms, in which others can read logs.
struct Confined: Sendable {
  /// For statements that are tried: with the first that fails it ends.
  let session: Session
  /// Seconds until it ends, whatever it is doing.
  var remainingSeconds: Double { deadline?.remainingSeconds ?? .infinity }
  private let deadline: Deadline?

  /// - Parameters:
  ///   - reading: a folder, which must be there, as must those for writing.
  ///   - settings: its confinement is this one's.
  init(
    _ duckdb: DuckDB, reading: String, writing: [String], _ settings: DuckDB.Settings
  ) throws(Failure) {
    var settings = settings
    settings.confinement = DuckDB.Confinement(readable: [reading], writable: writing)
    deadline = settings.deadline
    session = try duckdb.session(
      settings, first: Gather.lock(folders: ([reading] + writing).map { $0 + "/" }))
  }

  /// Runs statements and gives what ``DuckDB/run(_:_:)`` does.
  ///
  /// - Parameter relations: statements of ours before them, which make the views.
  /// - Throws: `sql.failed` with DuckDB's words.
  @discardableResult
  func run(_ relations: [SQL] = [], _ statements: [SQL]) async throws(Failure) -> [[JSONValue]] {
    do { return try await session.run(relations + statements) } catch {
      guard error.code == "duckdb.failed" else { throw error }
      throw Failure("sql.failed", "The statement failed.", words: error.words)
    }
  }

  var hasEnded: Bool { session.hasEnded }

  func end() { session.end() }
}

/// A folder for what is on its way, which nobody else may look into.
func makeScratch(_ path: String) throws(Failure) {
  do throws(SystemError) { try makeFolder(path, mode: 0o700) } catch {
    throw error.failure("scratch.unwritable", "The folder \(path) can't be made.")
  }
}

/// A table of the files that frames' rows are of.
func filesTable(_ path: String) -> SQL {
  "CREATE OR REPLACE TABLE gadwall_files AS SELECT * FROM read_json(\(path), format = 'newline_delimited', columns = {number: 'INTEGER', region: 'VARCHAR', zone: 'VARCHAR', node: 'VARCHAR', stream: 'VARCHAR', rotated: 'TIMESTAMPTZ', batch: 'VARCHAR'})"
}

/// A SELECT of the relation's columns over frames.
func liveRows(_ answers: [Gather.Answer], _ used: UsedColumns) -> SQL {
  let parts = answers.filter { !$0.frames.isEmpty }
  guard !parts.isEmpty else { return emptyRows(used.derived) }
  return parts.map { answer in
    let columns = relationColumns.map { column -> SQL in
      switch column.name {
      case "region": "\(answer.node.region) AS region"
      case "zone": "\(answer.node.zone) AS zone"
      case "node": "\(answer.node.name) AS node"
      case "stream", "rotated", "batch": value(of: column, used, in: "f.")
      default: value(of: column, used, in: "r.")
      }
    }
    // Each with its own numbers: a node's frame can't put rows into another one's files.
    let files: SQL =
      used.needsFiles
      ? " JOIN gadwall_files f ON r.batch = f.number AND r.batch BETWEEN \(answer.numbers.lowerBound) AND \(answer.numbers.upperBound - 1)"
      : ""
    let derived = used.derived.indices.map { "r.\(name: DerivedColumn.name($0))" as SQL }
    let list = (columns + derived).joined(separator: ", ")
    return "SELECT \(list) FROM read_parquet(\(answer.frames)) r\(files)"
  }.joined(separator: " UNION ALL ")
}

/// The column as it was sent, or NULL when nobody was asked for it.
private func value(of column: (name: String, type: SQL), _ used: UsedColumns, in source: SQL) -> SQL {
  used.uses(column.name)
    ? "\(source)\(name: column.name)" : "NULL::\(column.type) AS \(name: column.name)"
}

/// The same over the archive's columns.
func archiveRows(_ files: [String], _ used: UsedColumns) -> SQL {
  guard !files.isEmpty else { return emptyRows(used.derived) }
  let derived = used.derived.indices.map { "\(name: DerivedColumn.name($0))" as SQL }
  let columns = relationColumns.map { value(of: $0, used, in: "") } + derived
  return "SELECT \(columns.joined(separator: ", ")) FROM read_parquet(\(files))"
}

func emptyRows(_ derived: [DerivedColumn] = []) -> SQL {
  let columns = relationColumns.map { "NULL::\($0.type) AS \(name: $0.name)" as SQL }
  let others = derived.enumerated().map { "NULL::\($1.type) AS \(name: DerivedColumn.name($0))" as SQL }
  return "SELECT \((columns + others).joined(separator: ", ")) LIMIT 0"
}

/// Writes what ``filesTable(_:)`` reads.
func writeFiles(_ answers: [Gather.Answer], to path: String) throws(Failure) {
  struct Row: Encodable {
    var number: Int32
    var region: String
    var zone: String
    var node: String
    var stream: String
    var rotated: String?
    var batch: String?
  }
  var bytes: [UInt8] = []
  for answer in answers {
    for file in answer.files {
      bytes += encodeJSON(
        Row(
          number: file.number, region: answer.node.region, zone: answer.node.zone, node: answer.node.name,
          stream: file.stream, rotated: file.rotated.map { Instant(seconds: $0).description },
          batch: file.batch))
      bytes.append(0x0A)
    }
  }
  // In scratch: nobody needs it on the disk.
  do throws(SystemError) {
    let file = try Descriptor.create(path, mode: 0o600)
    try file.write(bytes)
  } catch {
    throw error.failure("scratch.unwritable", "The file \(path) can't be written.")
  }
}

extension [QueryPlan.Question] {
  /// Those over such relations, each with its number among all.
  func numbered(where isMeant: (Relation) -> Bool) -> [(number: Int, question: QueryPlan.Question)] {
    enumerated().map { (number: $0.offset, question: $0.element) }.filter { isMeant($0.question.relation) }
  }
}

/// For what is sent. The second version's encodings are smaller by far where numbers or times follow each other, and faster to write.
let packedParquet: SQL = "(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)"

/// Statements that answer the questions over ``rowsName``, each into `N.parquet` in the folder. Types that Parquet would change go as text.
func answerStatements(
  _ questions: [(number: Int, question: QueryPlan.Question)], in folder: String
) -> [SQL] {
  questions.map { number, question in
    let columns = question.columns.map { column -> SQL in
      let carried = CarriedType(column.type)
      let type = carried?.isFaithful == true ? carried?.name : nil
      return "CAST(\(name: column.name) AS \(SQL(trusted: type ?? "VARCHAR"))) AS \(name: column.name)"
    }
    let names = question.columns.map { "\(name: $0.name)" as SQL }
    return
      "COPY (SELECT \(columns.joined(separator: ", ")) FROM query(\(question.sql)) AS gadwall_answer(\(names.joined(separator: ", ")))) TO \(joined(folder, "\(number).parquet")) \(packedParquet)"
  }
}
