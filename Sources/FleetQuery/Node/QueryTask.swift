import CShims
import DuckDB
import Files
public import Harvest
import Logs
import ObjectStorage
import Rows
public import Support

/// The query task on a node: every file that is not in the archive yet, read once into frames, and a report.
///
/// Takes no lock and changes nothing on the node: a harvest may run at the same time.
public struct QueryTask: Sendable {
  let context: NodeContext
  let document: QueryDocument
  let policy: QueryPolicy
  /// Gets the report before it is written. Until then nobody takes up what lies in the store, and if it throws nobody will.
  let beforeReport: @Sendable (QueryReport) throws(Failure) -> Void
  /// Of all objects of this try: nobody else writes to them.
  private let answerName = randomName()

  public init(
    context: NodeContext, document: QueryDocument, policy: QueryPolicy = QueryPolicy(),
    beforeReport: @escaping @Sendable (QueryReport) throws(Failure) -> Void = { _ in }
  ) {
    self.context = context
    self.document = document
    self.policy = policy
    self.beforeReport = beforeReport
  }

  /// How often the files are looked at again when one was truncated while it was read.
  private static let attempts = 5

  /// Runs the task and writes its report to the store, last of all.
  public func run() async throws(Failure) -> QueryReport {
    // Every file is held open until it was read, so that no rename takes one away.
    gw_raise_open_files()
    let deadline = Deadline.after(seconds: document.seconds)
    if let reason = policy.refusal(of: document) {
      var report = QueryReport(query: document.query, node: context.node, version: DuckDB.version)
      report.refused = reason
      return try await published(report)
    }
    for _ in 1..<Self.attempts {
      do throws(Failure) { return try await run(until: deadline) } catch {
        guard error.code == "query.truncated" else { throw error }
      }
    }
    return try await run(until: deadline)
  }

  private func run(until deadline: Deadline) async throws(Failure) -> QueryReport {
    let watch = Stopwatch()
    var report = QueryReport(query: document.query, node: context.node, version: DuckDB.version)
    guard let part = document.nodes[context.node.key], part.isSane else {
      throw Failure("task.broken", "The task document does not name the node \(context.node) as it should.")
    }
    guard document.used.derived.allSatisfy(\.isSane), document.used.derived.count <= Derivation.most else {
      throw Failure("task.broken", "The task document asks for columns that nothing makes.")
    }
    for pattern in document.logs.live + document.logs.rotated
    where pattern.utf8.split(separator: UInt8(ascii: "/")).contains(where: { $0.elementsEqual("..".utf8) }) {
      throw Failure(
        "task.broken", "The task document names files outside of the node's root: \(printable(pattern)).")
    }
    var look = try await NodeLook(
      root: context.root, logs: document.logs, ledgerPath: context.ledgerPath, node: context.node,
      held: part.held, until: deadline)
    // Ours are neither logs nor anybody's to ask for.
    let own = ["etc/gadwall/", "var/lib/gadwall/"].map { joined(context.root, $0) }
    look.wanted.removeAll { wanted in own.contains { wanted.file.path.hasPrefix($0) } }
    report.passedOver = look.passedOver
    report.missingFolders = look.missingFolders
    report.policy = policy.notes
    if let newest = look.newestPruned, newest > document.sequence {
      report.tooOld = true
    } else {
      if document.announces {
        try await context.store.put([], at: QueryKeys.looks(document.query) + context.node.key)
      }
      guard look.wanted.count <= part.fileCount else {
        throw Failure(
          "query.files",
          "There are \(grouped(Int64(look.wanted.count))) files, and a node may have \(part.fileCount).",
          remedy: "Harvest them.")
      }
      ScratchFolder.removeAbandoned(in: context.stateFolder, prefix: Self.scratchPrefix)
      let folder = try scratchFolder()
      let scratch = folder.path
      defer { try? removeTree(scratch) }
      let questions: [QueryPlan.Question]
      do throws(Failure) { questions = try await judgedQuestions(deadline) } catch {
        guard error.code == "policy.refused" else { throw error }
        report.refused = error.sentence
        return try await published(report)
      }
      let filter = RowFilter.every([
        try await policy.rowFilter(context.duckdb, deadline), policy.filter(document.filter),
      ])
      var bench = try Workbench(context.duckdb, scratch: scratch, until: deadline)
      defer { bench.end() }
      if willAsk(look, filter) { try bench.start() }
      let frames = try await scan(look, filter, first: part.firstFile, scratch, &report)
      do throws(Failure) {
        let sendsRows =
          document.questions.isEmpty || isFew(frames)
          ? true : try await hasManyGroups(questions, frames, &bench, report)
        let sent =
          sendsRows
          ? try await rows(questions, frames, &bench, &report)
          : try await answers(questions, frames, &bench, &report)
        if let reason = policy.refusal(ofRows: sent.reduce(0) { $0 + $1.rows }) {
          report.refused = reason
        } else {
          try await send(sent, &report)
        }
      } catch {
        switch error.code {
        case "sql.failed":
          report.sqlError =
            policy.hidesErrors
            ? "It fails over a node's rows, and that node's policy keeps back the words." : error.words
        case "policy.bytes": report.refused = error.sentence
        default: throw error
        }
      }
    }
    report.seconds = watch.seconds
    return try await published(report)
  }

  private func judgedQuestions(_ deadline: Deadline) async throws(Failure) -> [QueryPlan.Question] {
    guard !document.questions.isEmpty, !policy.isOpen else { return document.questions }
    let session = try context.duckdb.session(Gather.settings(scratch: nil, deadline: deadline))
    defer { session.end() }
    return try await policy.judged(document.questions, of: document, session)
  }

  private func published(_ report: QueryReport) async throws(Failure) -> QueryReport {
    var report = report
    // What is refused says nothing else.
    if let reason = report.refused {
      report = QueryReport(query: document.query, node: context.node, version: DuckDB.version)
      report.refused = reason
    }
    try beforeReport(report)
    try await context.store.put(encodeJSON(report), at: QueryKeys.report(document.query, context.node))
    return report
  }

  private static let scratchPrefix = "query-"

  private func scratchFolder() throws(Failure) -> ScratchFolder {
    do throws(SystemError) {
      try makeFolder(context.stateFolder, mode: 0o750)
      return try ScratchFolder(in: context.stateFolder, prefix: Self.scratchPrefix)
    } catch {
      throw error.failure("scratch.unwritable", "A scratch folder in \(context.stateFolder) can't be made.")
    }
  }

  // MARK: the answer

  private struct Sent {
    var path: String
    var rows: Int64
    var question: Int?
  }

  /// Bytes of which it is worth starting a DuckDB before it is known what they hold.
  private static let worthStarting: Int64 = 1 << 20

  /// Whether its own DuckDB will most likely be asked: with it being started while the logs are read nobody waits for that.
  private func willAsk(_ look: NodeLook, _ filter: RowFilter) -> Bool {
    document.questions.contains(where: \.relation.hasLive) && filter == .everything
      && look.wanted.reduce(0) { $0 + $1.file.info.size } > Self.worthStarting
  }

  /// Whether the rows themselves are sent since there are so few. What a policy says of amounts is of answers, and these are none.
  private func isFew(_ frames: [FrameLayout]) -> Bool {
    policy.isOpen && !document.questions.contains(where: \.isOfRows)
      && frames.reduce(0) { $0 + $1.rows } <= document.fewRows
  }

  /// Rows of which it is worth looking at some before they are grouped, and how many of them.
  private static let manyRows: Int64 = 50_000
  private static let sampleRows: Int64 = 10_000

  /// Whether more than half of some rows make groups of their own: then grouping costs more than it saves, and the rows themselves are sent.
  private func hasManyGroups(
    _ questions: [QueryPlan.Question], _ frames: [FrameLayout], _ bench: inout Workbench,
    _ report: QueryReport
  ) async throws(Failure) -> Bool {
    let asked = questions.filter(\.relation.hasLive)
    guard policy.smallestGroup == 1, frames.reduce(0, { $0 + $1.rows }) > Self.manyRows,
      asked.contains(where: { !$0.groupsSQL.isEmpty }),
      // Beside partial values it is less that travels of a group than of a row.
      !document.packs || asked.allSatisfy({ $0.rowsSQL != nil })
    else { return false }
    let samples = asked.flatMap(\.groupsSQL).map { sql -> SQL in
      "WITH gadwall_some AS MATERIALIZED (SELECT * FROM query(\(sql)) LIMIT \(Self.sampleRows)) SELECT (SELECT count(*) FROM gadwall_some) AS all_of_them, (SELECT count(*) FROM (SELECT DISTINCT * FROM gadwall_some)) AS others"
    }
    return try await run(samples, over: frames, &bench, report).contains { result in
      let (all, others) = (
        result.first?["all_of_them"]?.integer ?? 0, result.first?["others"]?.integer ?? 0
      )
      return others * 2 > all && all >= Self.sampleRows
    }
  }

  /// Bytes below which starting a DuckDB to pack them would take longer than to send them.
  private static let worthPacking: Int64 = 256 << 10

  /// The rows as they are; packed if they go a long way, and then with nothing but what the questions need of them.
  private func rows(
    _ questions: [QueryPlan.Question], _ frames: [FrameLayout], _ bench: inout Workbench,
    _ report: inout QueryReport
  ) async throws(Failure) -> [Sent] {
    let asTheyAre = frames.map { Sent(path: $0.path, rows: $0.rows) }
    guard document.packs, frames.reduce(0, { $0 + $1.bytes }) > Self.worthPacking else { return asTheyAre }
    let asked = questions.filter(\.relation.hasLive)
    if !asked.isEmpty, asked.allSatisfy({ $0.rowsSQL != nil }) {
      let questions = questions.map { question in
        var question = question
        question.sql = question.rowsSQL ?? question.sql
        return question
      }
      return try await answers(questions, frames, &bench, &report)
    }
    let sent = frames.indices.map {
      Sent(path: joined(bench.output, "packed-\($0).parquet"), rows: frames[$0].rows)
    }
    try await run(
      zip(frames, sent).map { "COPY (FROM read_parquet(\($0.path))) TO \($1.path) \(packedParquet)" },
      over: frames, &bench, report)
    return sent
  }

  /// Runs statements over the frames as one relation.
  @discardableResult
  private func run(
    _ statements: [SQL], over frames: [FrameLayout], _ bench: inout Workbench, _ report: QueryReport
  ) async throws(Failure) -> [[JSONValue]] {
    let own = Gather.Answer(
      node: context.node, files: report.files, frames: frames.map(\.path),
      numbers: document.numbers(of: context.node))
    return try await bench.run(statements, over: own, document.used)
  }

  /// Asks the questions of the frames. The statement's expressions meet these, and no log.
  private func answers(
    _ questions: [QueryPlan.Question], _ frames: [FrameLayout], _ bench: inout Workbench,
    _ report: inout QueryReport
  ) async throws(Failure) -> [Sent] {
    let asked = questions.numbered(where: \.hasLive)
    let counts = asked.map { number, _ -> SQL in
      "SELECT count(*) AS rows FROM read_parquet(\(joined(bench.output, "\(number).parquet")))"
    }
    let results = try await run(
      answerStatements(asked, in: bench.output) + counts, over: frames, &bench, report)
    let numbers = results.suffix(counts.count).map { $0.first }
    report.mayWithhold = policy.smallestGroup > 1
    return zip(asked, numbers).map { item, count in
      Sent(
        path: joined(bench.output, "\(item.number).parquet"), rows: count?["rows"]?.integer ?? 0,
        question: item.number)
    }
  }

  private func send(_ frames: [Sent], _ report: inout QueryReport) async throws(Failure) {
    var total: Int64 = 0
    for (number, frame) in frames.enumerated() {
      let key = "\(QueryKeys.answers(document.query, context.node))\(answerName)-\(number).parquet"
      let size: Int64
      let checksum: UInt32
      do throws(SystemError) {
        size = try FileInfo(path: frame.path).size
        checksum = try crc32c(file: frame.path)
      } catch {
        throw error.failure("scratch.unwritable", "The frame \(frame.path) can't be read.")
      }
      total += size
      if let limit = policy.maxBytes, total > limit.bytes {
        throw Failure(
          "policy.bytes", "The node's policy lets \(limit) out for a query, and this answer has more.")
      }
      guard total <= document.answerLimit.bytes else {
        throw Failure(
          "query.answer-limit", "The node's answer is longer than \(document.answerLimit).",
          remedy: "Ask for fewer rows or columns, or raise --max-answer.")
      }
      try await context.store.put(moving: frame.path, at: key)
      report.parts.append(
        QueryReport.Part(
          key: key, checksum: checksum, bytes: size, rows: frame.rows,
          question: frame.question))
    }
  }
}
