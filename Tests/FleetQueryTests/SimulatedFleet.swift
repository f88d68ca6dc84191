import DuckDB
import Files
import Logs
import Rows
import Support
import TestSupport

@testable import FleetQuery

/// Rows dealt over nodes and an archive, and a statement answered as a fleet does it: planned, asked of each part by itself, through Parquet, and
/// finished. All in one DuckDB, so that hundreds of statements take seconds.
final class SimulatedFleet {
  let folder: String
  private let duckdb: DuckDB
  private let rows: [SQL]
  private var session: Session
  private let parts: [Int]
  /// The nodes of those parts whose rows are all of one; the others are always asked.
  private var nodes: [Int: Node] = [:]

  /// - Parameters:
  ///   - rows: statements that make the table `logs_all`, with a column `part`.
  ///   - parts: those that are nodes; the archive is ``archive``.
  init(_ folder: String, rows: [SQL], parts: [Int]) async throws {
    self.folder = folder
    self.rows = rows
    self.parts = parts
    duckdb = try await testDuckDB()
    session = try await Self.open(duckdb, rows)
    let places = try await session.run([
      "SELECT part, any_value(region) AS region, any_value(zone) AS zone, any_value(node) AS node FROM logs_all WHERE part <> 5 GROUP BY part HAVING count(DISTINCT node) = 1"
    ])
    for place in places.last ?? [] {
      guard let part = place["part"]?.integer else { continue }
      nodes[Int(part)] = Node(
        region: place["region"]?.string ?? "", zone: place["zone"]?.string ?? "",
        name: place["node"]?.string ?? "")
    }
  }

  static let archive = 5

  /// The relations as one DuckDB has them: all in one place.
  private static let wholeViews = views(over: "logs_all")

  private static func views(over table: SQL) -> [SQL] {
    [
      "CREATE OR REPLACE VIEW live AS SELECT * EXCLUDE (part) FROM \(table) WHERE part <> 5",
      "CREATE OR REPLACE VIEW archive AS SELECT * EXCLUDE (part) FROM \(table) WHERE part = 5",
      "CREATE OR REPLACE VIEW logs AS SELECT * EXCLUDE (part) FROM \(table)",
    ]
  }

  private static func open(_ duckdb: DuckDB, _ rows: [SQL]) async throws -> Session {
    var settings = DuckDB.Settings(memory: .gibibytes(1))
    // One session answers thousands of statements.
    settings.outputLimit = .gibibytes(16)
    let session = try duckdb.session(settings)
    let empty: SQL = "CREATE OR REPLACE VIEW gadwall_rows AS \(emptyRows())"
    try await session.run(rows + wholeViews + [empty])
    return session
  }

  /// What one DuckDB gives. Values as text, by place.
  func reference(_ text: String) async throws -> [[String]] {
    try await reopening {
      try await self.session.run(Self.wholeViews)
      return try await self.values(SQL(trusted: text))
    }
  }

  /// The same over the rows in another order, in one thread: a statement that leaves something open may give something else then.
  func reference(_ text: String, shuffledBy number: Int) async throws -> [[String]] {
    try await reopening {
      let shuffled: SQL =
        "CREATE OR REPLACE TABLE logs_shuffled AS SELECT * FROM logs_all ORDER BY hash(line, node, stream, rotated, \(number))"
      try await self.session.run(
        [shuffled] + Self.views(over: "logs_shuffled") + ["SET threads = 1" as SQL])
      let rows = try await self.values(SQL(trusted: text))
      try await self.session.run(["SET threads = 2"])
      return rows
    }
  }

  /// The same with nothing left out that the result does not need.
  func unabridgedReference(_ text: String) async throws -> [[String]] {
    try await reopening {
      try await self.session.run(Self.wholeViews + ["PRAGMA disable_optimizer"])
      let rows = try await self.values(SQL(trusted: text))
      try await self.session.run(["PRAGMA enable_optimizer"])
      return rows
    }
  }

  /// What the fleet gives, and how.
  func answer(_ text: String) async throws -> (rows: [[String]], plan: QueryPlan) {
    try await reopening {
      let (plan, columns) = try await self.planned(text)
      let isAsked = !plan.questions.isEmpty
      try await self.session.run(isAsked ? try await self.asked(plan) : self.shipped(plan))
      return (try await self.values(plan.gather, count: columns.count), plan)
    }
  }

  func plan(_ text: String) async throws -> QueryPlan {
    try await reopening { try await self.planned(text).0 }
  }

  /// Whether its outermost SELECT reads one of the relations and nothing else.
  func isOverOneRelation(_ text: String) async throws -> Bool {
    let query = try await reopening { try await self.session.statement(text).query }
    return query.type == "SELECT_NODE" && query["from_table"].flatMap(plainRelation) != nil
  }

  private func planned(_ text: String) async throws -> (QueryPlan, [ResultColumn]) {
    try await session.run(Self.wholeViews)
    let statement = try await session.statement(text)
    let columns = resultColumns(try await session.run(["DESCRIBE FROM query(\(text))"]))
    return (try await session.plan(statement, columns), columns)
  }

  /// Each part's answers, as files, and the relations over them.
  private func asked(_ plan: QueryPlan) async throws -> [SQL] {
    var answers: [Gather.Answer] = []
    let chosen = try await session.asked(plan, of: Array(nodes.values))
    try await session.run(["DROP TABLE IF EXISTS \(name: nodesName)"])
    for part in parts + [Self.archive] {
      if let node = nodes[part], !chosen.contains(node) { continue }
      var questions = plan.questions.numbered(where: part == Self.archive ? \.hasArchive : \.hasLive)
      // Every other node finds that it has too many groups.
      for index in questions.indices where part % 2 == 1 {
        questions[index].question.sql = questions[index].question.rowsSQL ?? questions[index].question.sql
      }
      let place = joined(folder, randomName())
      try makeFolder(place)
      let derived = plan.used.derived.enumerated().map {
        ", \($1.sql) AS \(name: DerivedColumn.name($0))" as SQL
      }
      .joined(separator: "")
      let view: SQL =
        "CREATE OR REPLACE VIEW gadwall_rows AS SELECT * EXCLUDE (part)\(derived) FROM logs_all WHERE part = \(part) AND \(part == Self.archive ? plan.archiveFilter.sql : plan.liveFilter.sql)"
      try await session.run([view] + answerStatements(questions, in: place))
      var answer = Gather.Answer(node: Node(region: "", zone: "", name: ""), files: [])
      answer.isArchive = part == Self.archive
      for (number, _) in questions { answer.answered[number] = [joined(place, "\(number).parquet")] }
      answers.append(answer)
    }
    let gather = Gather(duckdb: duckdb, scratch: folder, used: plan.used)
    let views =
      plan.way == .split
      ? try gather.views(of: plan.questions, answers) : gather.views(plan.questions[0], answers)
    return views.map {
      SQL(trusted: $0.text.replacing("CREATE VIEW", with: "CREATE OR REPLACE VIEW"))
    }
  }

  /// The relations with nothing but the columns that the plan says are used, and the rows that it says matter.
  private func shipped(_ plan: QueryPlan) -> [SQL] {
    let columns = relationColumns.map { column -> SQL in
      plan.used.uses(column.name) ? "\(name: column.name)" : "NULL::\(column.type) AS \(name: column.name)"
    }.joined(separator: ", ")
    return [
      "CREATE OR REPLACE VIEW live AS SELECT \(columns) FROM logs_all WHERE part <> 5 AND \(plan.liveFilter.sql)",
      "CREATE OR REPLACE VIEW archive AS SELECT \(columns) FROM logs_all WHERE part = 5 AND \(plan.archiveFilter.sql)",
      "CREATE OR REPLACE VIEW logs AS SELECT * FROM live UNION ALL SELECT * FROM archive",
    ]
  }

  private func values(_ statement: SQL, count: Int? = nil) async throws -> [[String]] {
    var count = count
    if count == nil {
      count = resultColumns(try await session.run(["DESCRIBE FROM query(\(statement.text))"])).count
    }
    let names = (0..<(count ?? 0)).map { "c\($0)" as SQL }
    let values = names.map { "\($0)::VARCHAR AS \($0)" as SQL }
    let answer = try await session.run([
      "SELECT \(values.joined(separator: ", ")) FROM query(\(statement.text)) AS gadwall_result(\(names.joined(separator: ", ")))"
    ])
    return (answer.last ?? []).map { row in names.map { row[$0.text]?.string ?? "NULL" } }
  }

  /// A statement that fails ends the session.
  private func reopening<Result>(_ body: () async throws -> Result) async throws -> Result {
    do { return try await body() } catch {
      session.end()
      session = try await Self.open(duckdb, rows)
      throw error
    }
  }
}
