import DuckDB
import Harvest
public import Rows
public import Support

/// What a node lets out of its logs. Its own administrator says so, and whoever asks can't change it.
///
/// What it hides is never in a frame, so no expression of a statement meets it; group sizes and amounts are judged by the answer.
public struct QueryPolicy: Sendable {
  public enum Redaction: Sendable {
    /// NULL stands in its place.
    case remove
    /// A keyed hash does, in hexadecimal digits: what is equal stays equal.
    case hash
  }

  public var answersQueries = true
  /// Nil for all.
  public var relations: Set<Relation>?
  /// Names of columns that may leave; nil for all.
  public var columns: Set<String>?
  public var redacted: [RowColumn: Redaction] = [:]
  public var key: [UInt8] = []
  /// A condition that the scanner can decide: rows of which it is not true don't leave.
  public var rows: String?
  /// Rows that each row of an answer has to stand for.
  public var smallestGroup: Int64 = 1
  public var maxRows: Int64?
  public var maxBytes: ByteCount?

  public init() {}

  /// Why a query is refused, in one sentence; nil when it may be answered.
  func refusal(of document: QueryDocument) -> String? {
    guard answersQueries else { return "The node's policy answers no queries." }
    if let relations, let other = document.relations.subtracting(relations).map(\.rawValue).min() {
      return "The node's policy does not let the relation \(other) be asked."
    }
    if let columns {
      let asked = Set(relationColumns.map(\.name).filter(document.used.uses)).union(
        document.filter.columnNames)
      let other = relationColumns.map(\.name).filter { asked.contains($0) && !columns.contains($0) }
      if !other.isEmpty {
        let names = other.joined(separator: ", ")
        return
          "The node's policy does not let \(names) out: name the columns that are needed, of \(columns.sorted().joined(separator: ", "))."
      }
    }
    if smallestGroup > 1, document.questions.isEmpty || document.questions.contains(where: \.isOfRows) {
      return
        "The node's policy lets out nothing but groups of \(smallestGroup) rows or more, and rows are asked for."
    }
    return nil
  }

  func refusal(ofRows count: Int64) -> String? {
    guard let maxRows, count > maxRows else { return nil }
    return
      "The node's policy lets \(grouped(maxRows)) rows out for a query, and this answer has \(grouped(count))."
  }

  /// What is known of its rows' values when they are scanned: a test of what is redacted must not be told from the answer.
  func filter(_ asked: RowFilter) -> RowFilter {
    asked.without { column in
      switch column {
      case .text(let column): RowColumn(named: column.rawValue).map { redacted[$0] != nil } ?? false
      case .extra: redacted[.extra] != nil
      case .number, .malformed: false
      }
    }
  }

  /// The rows that may leave, as the scanner decides it.
  ///
  /// - Throws: `policy.rows` when it can't.
  func rowFilter(_ duckdb: DuckDB, _ deadline: Deadline) async throws(Failure) -> RowFilter {
    guard let rows else { return .everything }
    let session = try duckdb.session(Gather.settings(scratch: nil, deadline: deadline))
    defer { session.end() }
    do throws(Failure) {
      try await session.run(Gather.emptyViews + Gather.lock(folders: []))
      let statement = try await session.statement("SELECT line FROM live WHERE (\(rows)\n)")
      let moments = try await session.moments(ScanFilter.momentsAsked(statement.query))
      let filter = ScanFilter(statement.query, moments)
      if filter.isExact { return filter.filter }
    } catch {
      throw Failure("policy.rows", "The node's policy has rows: that can't be read.", words: "\(error)")
    }
    throw Failure(
      "policy.rows", "The node's policy has rows: that say more than comparisons of columns with constants.",
      remedy: "docs/policy.md says what can stand there.")
  }

  /// What it changes of every answer, for the coverage.
  var notes: [String] {
    var notes = RowColumn.allCases.filter { redacted[$0] != nil }.map { "\($0.name) is redacted" }
    if rows != nil { notes.append("some rows are left out") }
    return notes
  }
}

/// The question asked of groups that are large enough, and how many are not.
func limited(_ question: QueryPlan.Question, to smallest: Int64, _ session: Session)
  async throws(Failure) -> (question: QueryPlan.Question, withheld: SQL)
{
  let answer = try await session.run(["SELECT json_serialize_sql(\(question.sql))::VARCHAR AS tree"])
  let tree = try Syntax(parsing: answer.first?.first?["tree"]?.string ?? "")
  guard var node = tree["statements"]?.items.first?["node"], node["having"] == nil else {
    throw Failure("policy.question", "The question's groups can't be counted.")
  }
  let size = Syntax.function("count_star", [])
  node["having"] = .comparison("COMPARE_GREATERTHANOREQUALTO", size, .bigint(smallest))
  var limited = question
  limited.sql = try await session.rendered(node).text
  node["having"] = .comparison("COMPARE_LESSTHAN", size, .bigint(smallest))
  return (limited, "SELECT count(*) AS withheld FROM query(\(try await session.rendered(node).text))")
}

extension RowColumn {
  fileprivate init?(named name: String) {
    guard let column = RowColumn.allCases.first(where: { $0.name == name }) else { return nil }
    self = column
  }
}
