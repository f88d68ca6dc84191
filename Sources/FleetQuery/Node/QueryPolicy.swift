import DuckDB
import Harvest
public import Rows
public import Support

/// What a node lets out of its logs. Its own administrator says so, and whoever asks can't change it: the task document around a question may be
/// anybody's.
///
/// What it hides is never in a frame, so no expression of a statement meets it. What questions may say is judged by their own syntax trees, amounts by the
/// answer.
public struct QueryPolicy: Sendable {
  public enum Redaction: Sendable {
    /// NULL stands in its place.
    case remove
    /// A keyed hash does, in hexadecimal digits: what is equal stays equal.
    case hash
  }

  public var answersQueries = true
  /// Patterns of log files that may be read; nil for all.
  public var logs: Set<String>?
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

  /// Whether it lets out everything as it is.
  var isOpen: Bool {
    columns == nil && redacted.isEmpty && rows == nil && smallestGroup == 1 && maxRows == nil
      && maxBytes == nil
  }

  /// Whether the words of an error could say more than an answer may.
  var hidesErrors: Bool { smallestGroup > 1 || maxRows != nil || maxBytes != nil }

  /// What it changes of every answer, for the coverage.
  var notes: [String] {
    var notes = RowColumn.allCases.filter { redacted[$0] != nil }.map { "\($0.name) is redacted" }
    if rows != nil { notes.append("some rows are left out") }
    if smallestGroup > 1 { notes.append("groups of fewer than \(smallestGroup) rows are left out") }
    return notes
  }

  // MARK: what is refused

  /// Why a query is refused, in one sentence; nil when it may be answered as far as its document tells.
  func refusal(of document: QueryDocument) -> String? {
    guard answersQueries else { return "The node's policy answers no queries." }
    if let logs,
      let other = (document.logs.live + document.logs.rotated).first(where: { !logs.contains($0) })
    {
      return "The node's policy does not let the files \(printable(other)) be read."
    }
    if let columns {
      let other = document.askedColumns.filter { !columns.contains($0) }
      if !other.isEmpty {
        return
          "The node's policy does not let \(other.joined(separator: ", ")) out: name the columns that are needed, of \(columns.sorted().joined(separator: ", "))."
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

  /// Looks at what the questions say themselves.
  ///
  /// - Returns: the questions that may be asked.
  /// - Throws: `policy.refused` with the reason.
  func judged(_ questions: [QueryPlan.Question], of document: QueryDocument, _ session: Session)
    async throws(Failure) -> [QueryPlan.Question]
  {
    if isOpen { return questions }
    var judged: [QueryPlan.Question] = []
    for var question in questions {
      func refuse(_ sentence: String) -> Failure { Failure("policy.refused", sentence) }
      let answer = try await session.run(["SELECT json_serialize_sql(\(question.sql))::VARCHAR AS tree"])
      let tree = try Syntax(parsing: answer.first?.first?["tree"]?.string ?? "")
      guard tree["statements"]?.items.count == 1, var node = tree["statements"]?.items.first?["node"],
        isOverRows(node)
      else { throw refuse("The node's policy lets nothing be asked but one SELECT over its rows.") }
      let used = usedColumns(node)
      if let other = relationColumns.map(\.name).first(where: { used.uses($0) && !document.used.uses($0) }) {
        throw refuse("The query's document does not say that it asks for \(other).")
      }
      if smallestGroup > 1 {
        if let reason = tellsOfSingleRows(node) {
          throw refuse("The node's policy lets out nothing but large groups, and \(reason).")
        }
        node["having"] = largeGroups(node)
        question.sql = try await session.rendered(node).text
      }
      // What is asked is what was judged.
      question.rowsSQL = nil
      question.groupsSQL = []
      judged.append(question)
    }
    return judged
  }

  /// One SELECT over the node's rows, with nothing around, beside or within it.
  private func isOverRows(_ node: Syntax) -> Bool {
    guard node.type == "SELECT_NODE", let from = node["from_table"], from.type == "BASE_TABLE",
      from["table_name"]?.string == rowsName, from["schema_name"]?.string?.isEmpty ?? true,
      from["catalog_name"]?.string?.isEmpty ?? true, from["at_clause"] == nil, from["sample"] == nil,
      (node["cte_map"]?["map"]?.items ?? []).isEmpty, node["sample"] == nil, node["having"] == nil,
      node["qualify"] == nil
    else { return false }
    func isPlain(_ part: Syntax) -> Bool {
      switch part.expressionClass {
      case "SUBQUERY", "WINDOW", "STAR", "POSITIONAL_REFERENCE", "PARAMETER": return false
      case "FUNCTION":
        let name = part["function_name"]?.string?.lowercased() ?? ""
        // make_timestamp and its kin are our own, and on the list like any other.
        guard allowedFunctions.contains(name) || name == "->" else { return false }
      default: break
      }
      return part.parts.allSatisfy(isPlain)
    }
    return ["select_list", "where_clause", "group_expressions", "modifiers"].allSatisfy {
      node[$0].map(isPlain) ?? true
    }
  }

  /// Of the rows of a group, and of those of them that an aggregate has a value of: a sum of one value and many NULLs is that value.
  private func largeGroups(_ node: Syntax) -> Syntax {
    var arguments: [Syntax] = []
    func look(_ part: Syntax) {
      let name = part["function_name"]?.string?.lowercased() ?? ""
      if Self.blurred.contains(name), let argument = part["children"]?.items.first,
        !arguments.contains(where: { $0.normalized == argument.normalized })
      {
        arguments.append(argument)
      }
      for part in part.parts { look(part) }
    }
    look(node["select_list"] ?? .null)
    func isLarge(_ count: Syntax) -> Syntax {
      .comparison("COMPARE_GREATERTHANOREQUALTO", count, .bigint(smallestGroup))
    }
    let tests =
      [isLarge(.function("count_star", []))]
      + arguments.map { argument in
        // Of no value at all it tells nothing.
        let count = Syntax.function("count", [argument.withoutAlias])
        return isLarge(
          .when(.comparison("COMPARE_EQUAL", count, .bigint(0)), .bigint(smallestGroup), else: count))
      }
    return tests.count == 1 ? tests[0] : .and(tests)
  }

  /// Aggregates of which no value is a single row's.
  private static let blurred: Set = [
    "count_star", "count", "sum", "avg", "mean", "var_pop", "var_samp", "variance", "stddev_pop",
    "stddev_samp", "stddev",
  ]

  /// Why groups of its answer could show a single row, however large they are; nil when they can't.
  private func tellsOfSingleRows(_ node: Syntax) -> String? {
    var isGrouped = !(node["group_expressions"]?.items ?? []).isEmpty
    var reason: String?
    func isColumn(_ part: Syntax) -> Bool {
      // What is derived of a column is as little the column as an expression over it.
      part.expressionClass == "COLUMN_REF" && relationColumns.contains { $0.name == part.columnName }
        || part.expressionClass == "CAST" && part["child"].map(isColumn) == true
    }
    func look(_ part: Syntax) {
      let name = part["function_name"]?.string?.lowercased() ?? ""
      guard part.expressionClass == "FUNCTION",
        aggregateFunctions.contains(name) || aggregateMacros.contains(name)
      else {
        for part in part.parts { look(part) }
        return
      }
      isGrouped = true
      if !Self.blurred.contains(name) {
        reason = reason ?? "\(name) can show a single row's value"
      } else if part["filter"] != nil || !(part["children"]?.items ?? []).allSatisfy(isColumn) {
        reason = reason ?? "\(name) over a part of a group can show a single row's value"
      }
    }
    look(node["select_list"] ?? .null)
    if !(node["modifiers"]?.items ?? []).isEmpty {
      reason = reason ?? "the first of an order are single ones"
    }
    return reason ?? (isGrouped ? nil : "rows are asked for")
  }

  // MARK: what is left out

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
}

extension RowColumn {
  fileprivate init?(named name: String) {
    guard let column = RowColumn.allCases.first(where: { $0.name == name }) else { return nil }
    self = column
  }
}
