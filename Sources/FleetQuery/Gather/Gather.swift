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
    var frames: [String] = []
    /// Files with answers, by question.
    var answered: [Int: [String]] = [:]
    /// Numbers that its frames' rows may carry.
    var numbers: Range<Int32> = 0..<0
    var isArchive = false
  }

  /// For a DuckDB that the operating system leaves no folder at all.
  static func settings(scratch: String?, deadline: Deadline) -> DuckDB.Settings {
    var settings = DuckDB.Settings(memory: .gibibytes(2), scratch: scratch, deadline: deadline)
    settings.confinement = DuckDB.Confinement()
    return settings
  }

  /// Shuts the door: from then on only these folders can be read or written, and nothing can be set.
  static func lock(folders: [String]) -> [SQL] {
    [
      "SET allowed_directories = \(folders)", "SET enable_external_access = false",
      "SET lock_configuration = true",
    ]
  }

  /// Views without a row, for the names and types of a statement.
  static let emptyViews: [SQL] = (Relation.allCases.map(\.rawValue) + [rowsName]).map { name in
    "CREATE OR REPLACE VIEW \(name: name) AS \(emptyRows())"
  }

  // MARK: what was sent

  /// The relations over what was sent.
  func views(_ answers: [Answer], archive: [String]) throws(Failure) -> [SQL] {
    let path = joined(scratch, "in/files-\(randomName()).ndjson")
    try writeFiles(answers, to: path)
    return [filesTable(path)]
      + views(live: liveRows(answers, used), archive: archiveRows(archive, used))
  }

  /// The relations over what was left of the nodes' and the archive's rows.
  func views(_ question: QueryPlan.Question, _ answers: [Answer]) -> [SQL] {
    func rows(_ answers: [Answer]) -> SQL { archiveRows(answers.flatMap { $0.answered[0] ?? [] }, used) }
    return views(live: rows(answers.filter { !$0.isArchive }), archive: rows(answers.filter(\.isArchive)))
  }

  private func views(live: SQL, archive: SQL) -> [SQL] {
    [
      "CREATE OR REPLACE VIEW live AS \(live)", "CREATE OR REPLACE VIEW archive AS \(archive)",
      "CREATE OR REPLACE VIEW logs AS SELECT * FROM archive UNION ALL SELECT * FROM live",
    ]
  }

  /// The answers to the questions, each as a relation of its own. Of nodes that sent their rows, the questions are asked here.
  func views(of questions: [QueryPlan.Question], _ answers: [Answer]) throws(Failure) -> [SQL] {
    let withRows = answers.filter { !$0.frames.isEmpty }
    var sql: [SQL] = []
    if !withRows.isEmpty {
      let path = joined(scratch, "in/files-\(randomName()).ndjson")
      try writeFiles(withRows, to: path)
      sql = [filesTable(path), "CREATE OR REPLACE VIEW \(name: rowsName) AS \(liveRows(withRows, used))"]
    }
    return sql
      + questions.enumerated().map { index, question -> SQL in
        let files = answers.flatMap { $0.answered[index] ?? [] }
        func columns(_ value: (QueryPlan.PartialColumn) -> SQL) -> SQL {
          let casts = question.columns.map {
            "CAST(\(value($0)) AS \(SQL(trusted: $0.type))) AS \(name: $0.name)" as SQL
          }
          return casts.joined(separator: ", ")
        }
        /// Each row as often as it says; a partial value is there once.
        func rows(_ source: SQL, counted: Bool) -> SQL {
          guard counted else { return "SELECT \(columns { "\(name: $0.name)" }) FROM \(source)" }
          let values = columns { column in
            isPartialValue(column.name)
              ? "CASE WHEN gadwall_copy.number = 0 THEN \(name: column.name) END" : "\(name: column.name)"
          }
          return "SELECT \(values) FROM \(source), range(\(name: copiesName)) AS gadwall_copy(number)"
        }
        var parts: [SQL] = []
        if !files.isEmpty {
          parts.append(rows("read_parquet(\(files))", counted: question.isBag))
        }
        if !withRows.isEmpty, question.relation.hasLive {
          let names = question.columns.map { "\(name: $0.name)" as SQL }.joined(separator: ", ")
          parts.append(
            rows(
              "query(\(question.rowsSQL ?? question.sql)) AS gadwall_answer(\(names))",
              // Ungrouped, each stands for itself.
              counted: question.rowsSQL == nil && question.isBag))
        }
        if parts.isEmpty { parts.append("SELECT \(columns { _ in "NULL" }) LIMIT 0") }
        return
          "CREATE OR REPLACE VIEW \(name: partialName(index)) AS \(parts.joined(separator: " UNION ALL "))"
      }
  }

  // MARK: the statement

  /// Starts the DuckDB for ``run(_:_:as:_:archive:in:)``.
  func start(until deadline: Deadline) throws(Failure) -> Confined {
    try Self.start(duckdb, in: scratch, until: deadline)
  }

  /// The same before it is known what will be gathered.
  static func start(_ duckdb: DuckDB, in scratch: String, until deadline: Deadline) throws(Failure)
    -> Confined
  {
    let spill = joined(scratch, "spill")
    return try Confined(
      duckdb, reading: joined(scratch, "in"), writing: [joined(scratch, "out"), spill],
      settings(scratch: spill, deadline: deadline))
  }

  /// Runs the statement and writes its rows.
  ///
  /// - Returns: the file with the rows.
  /// - Throws: `sql.failed` with DuckDB's words.
  func run(
    _ plan: QueryPlan, _ columns: [ResultColumn], as file: ResultFile, _ answers: [Answer], archive: [String],
    in duckdb: Confined
  ) async throws(Failure) -> String {
    let output = joined(scratch, "out/\(randomName())")
    let names = columns.indices.map { "c\($0)" as SQL }
    let values = columns.indices.map { index -> SQL in
      let isExact =
        ["DECIMAL", "HUGEINT", "UHUGEINT", "JSON", "BIGNUM"].contains { columns[index].type.hasPrefix($0) }
        && !columns[index].type.hasSuffix("]")
      return file == .texts || file == .rows && isExact ? "c\(index)::VARCHAR AS c\(index)" : "c\(index)"
    }
    let rows: SQL = "FROM query(\(plan.gather.text)) AS gadwall_result(\(names.joined(separator: ", ")))"
    let copy: SQL =
      switch file {
      case .rows, .texts: "COPY (SELECT \(values.joined(separator: ", ")) \(rows)) TO \(output) (FORMAT json)"
      case .csv: "COPY (SELECT * \(rows)) TO \(output) (FORMAT csv, HEADER false)"
      case .parquet: "COPY (SELECT \(renamed(columns)) \(rows)) TO \(output) (FORMAT parquet)"
      }
    try await duckdb.run(try relations(plan, answers, archive: archive), [copy])
    return output
  }

  private func relations(_ plan: QueryPlan, _ answers: [Answer], archive: [String]) throws(Failure) -> [SQL] {
    if plan.way == .split { return try views(of: plan.questions, answers) }
    if let question = plan.questions.first { return views(question, answers) }
    return try views(answers, archive: archive)
  }

  /// Which of what nodes sent can't be read as what it should be, with DuckDB's words. Reads all of it, each by itself: for statements that failed.
  func unreadable(_ plan: QueryPlan, _ answers: [Answer], until deadline: Deadline) async throws(Failure)
    -> [(node: Node, words: String)]
  {
    var found: [(node: Node, words: String)] = []
    for answer in answers where !answer.isArchive {
      let names: [SQL] =
        switch plan.way {
        // Of its rows the questions are asked here: that these fail over them says nothing of what was sent.
        case .split where !answer.frames.isEmpty: ["\(name: rowsName)"]
        case .split: plan.questions.indices.map { "\(name: partialName($0))" }
        case .nothing, .ship: ["live"]
        }
      do throws(Failure) {
        let started = try start(until: deadline)
        defer { started.end() }
        try await started.run(
          try relations(plan, [answer], archive: []),
          names.map { "SELECT max(hash(gadwall_all)) FROM \($0) AS gadwall_all" })
      } catch {
        guard error.code == "sql.failed" else { throw error }
        found.append((answer.node, error.words))
      }
    }
    return found
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
