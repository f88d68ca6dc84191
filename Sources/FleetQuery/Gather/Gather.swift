import DuckDB
import Files
import Logs
import Rows
import Support

/// A column of a result.
public struct ResultColumn: Sendable, Codable, Equatable {
  public var name: String
  /// As DuckDB calls it.
  public var type: String
}

/// How the rows are written.
public enum ResultFile: String, Sendable {
  /// A JSON object a row, with the keys c0, c1 and so on.
  case rows
  /// The same with every value as text.
  case texts
  /// CSV without a header.
  case csv
  case parquet
}

/// Finishes a statement over what nodes and archive sent.
///
/// DuckDB gets the statement as a literal, and reads the given files and nothing else: nodes are not trusted to send well-formed ones.
struct Gather: Sendable {
  let duckdb: DuckDB
  /// An empty folder of its own; what was sent lies under `in/`.
  let scratch: String
  let used: UsedColumns

  /// A node's part of what was sent.
  struct Answer: Sendable {
    var node: Node
    var files: [QueryReport.File]
    /// Frames, below `in/`.
    var frames: [String]
  }

  static func settings(scratch: String?, deadline: Deadline) -> DuckDB.Settings {
    DuckDB.Settings(memory: .gibibytes(2), scratch: scratch, deadline: deadline)
  }

  /// Shuts the door behind what was set up: from then on only these folders can be read or written, and nothing can be set.
  static func lock(folders: [String]) -> [SQL] {
    [
      "SET allowed_directories = \(folders)", "SET enable_external_access = false",
      "SET lock_configuration = true",
    ]
  }

  /// Views without a row, for the names and types of a statement.
  static let emptyViews: [SQL] = Relation.allCases.map { relation in
    let columns = relationColumns.map { "NULL::\($0.type) AS \(name: $0.name)" as SQL }
    return "CREATE VIEW \(name: relation.rawValue) AS SELECT \(columns.joined(separator: ", ")) LIMIT 0"
  }

  // MARK: the relations

  /// The relations over what was sent.
  func views(_ answers: [Answer], archive: [String]) throws(Failure) -> [SQL] {
    let frames = answers.flatMap(\.frames)
    var statements: [SQL] = []
    if frames.isEmpty {
      statements.append("CREATE VIEW live AS \(emptyRows)")
    } else {
      try writeFiles(answers)
      statements.append(
        "CREATE TABLE gadwall_files AS SELECT * FROM read_json(\(filesPath), format = 'newline_delimited', columns = {number: 'INTEGER', region: 'VARCHAR', zone: 'VARCHAR', node: 'VARCHAR', stream: 'VARCHAR', rotated: 'TIMESTAMPTZ', batch: 'VARCHAR'})"
      )
      let columns = relationColumns.map { column -> SQL in
        if ["region", "zone", "node", "stream", "rotated", "batch"].contains(column.name) {
          return "f.\(name: column.name)"
        }
        return used.uses(column.name)
          ? "r.\(name: column.name)" : "NULL::\(column.type) AS \(name: column.name)"
      }
      // Rows of files that broke while they were read have no entry among the files, and are not seen.
      statements.append(
        "CREATE VIEW live AS SELECT \(columns.joined(separator: ", ")) FROM read_parquet(\(frames)) r JOIN gadwall_files f ON r.batch = f.number"
      )
    }
    if archive.isEmpty {
      statements.append("CREATE VIEW archive AS \(emptyRows)")
    } else {
      let columns = relationColumns.map { column -> SQL in
        used.uses(column.name) ? "\(name: column.name)" : "NULL::\(column.type) AS \(name: column.name)"
      }
      statements.append(
        "CREATE VIEW archive AS SELECT \(columns.joined(separator: ", ")) FROM read_parquet(\(archive))")
    }
    statements.append("CREATE VIEW logs AS SELECT * FROM archive UNION ALL SELECT * FROM live")
    return statements
  }

  private var emptyRows: SQL {
    let columns = relationColumns.map { "NULL::\($0.type) AS \(name: $0.name)" as SQL }
    return "SELECT \(columns.joined(separator: ", ")) LIMIT 0"
  }

  private var filesPath: String { joined(scratch, "in/files.ndjson") }

  private func writeFiles(_ answers: [Answer]) throws(Failure) {
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
    do throws(SystemError) { try publish(bytes, at: filesPath, replacing: true) } catch {
      throw error.failure("scratch.unwritable", "The file \(filesPath) can't be written.")
    }
  }

  // MARK: the statement

  /// Runs the statement and writes its rows.
  ///
  /// - Returns: the file with the rows.
  /// - Throws: `sql.failed` with DuckDB's words.
  func run(
    _ statement: SQL, _ columns: [ResultColumn], as file: ResultFile, _ answers: [Answer], archive: [String],
    until deadline: Deadline
  ) async throws(Failure) -> String {
    let output = joined(scratch, "out/result")
    let spill = joined(scratch, "spill")
    let names = columns.indices.map { "c\($0)" as SQL }
    let values = columns.indices.map { index -> SQL in
      let isExact =
        ["DECIMAL", "HUGEINT", "UHUGEINT", "JSON", "BIGNUM"].contains { columns[index].type.hasPrefix($0) }
        && !columns[index].type.hasSuffix("]")
      return file == .texts || file == .rows && isExact ? "c\(index)::VARCHAR AS c\(index)" : "c\(index)"
    }
    let rows: SQL = "FROM query(\(statement.text)) AS gadwall_result(\(names.joined(separator: ", ")))"
    let copy: SQL =
      switch file {
      case .rows, .texts: "COPY (SELECT \(values.joined(separator: ", ")) \(rows)) TO \(output) (FORMAT json)"
      case .csv: "COPY (SELECT * \(rows)) TO \(output) (FORMAT csv, HEADER false)"
      case .parquet: "COPY (SELECT \(renamed(columns)) \(rows)) TO \(output) (FORMAT parquet)"
      }
    let folders = [joined(scratch, "in"), joined(scratch, "out"), spill].map { $0 + "/" }
    let script =
      Self.lock(folders: folders).dropLast() + (try views(answers, archive: archive))
      + Self.lock(folders: folders).suffix(1)
    do {
      try await duckdb.run(script + [copy], Self.settings(scratch: spill, deadline: deadline))
    } catch {
      guard error.code == "duckdb.failed" else { throw error }
      throw Failure("sql.failed", "The statement failed.", words: error.words)
    }
    return output
  }

  /// The columns under their own names; one that is there twice gets a number, since a file can't have two of one name.
  private func renamed(_ columns: [ResultColumn]) -> SQL {
    var seen: Set<String> = []
    return columns.enumerated().map { index, column -> SQL in
      var name = column.name
      var number = 1
      while !seen.insert(name.lowercased()).inserted {
        name = "\(column.name)_\(number)"
        number += 1
      }
      return "c\(index) AS \(name: name)"
    }.joined(separator: ", ")
  }
}
