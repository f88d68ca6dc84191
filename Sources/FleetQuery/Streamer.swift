import Files
import Harvest
import Logs
import ObjectStorage
import Support

/// Gives rows of a plain filter as they come: what one node sent is finished by itself, since no row needs another one.
///
/// Not before every node has said that it is not too old: the statement might have to be asked again.
struct Streamer {
  typealias Take = @Sendable ([ResultColumn], String) throws -> Void

  let gather: Gather
  let plan: QueryPlan
  let columns: [ResultColumn]
  let file: ResultFile
  let take: Take
  /// Nodes whose part could not be read, and of which no row was given, with the reason.
  private(set) var unreadable: [Node: String] = [:]
  private var isOpen = false
  private var pending: [Gather.Answer] = []
  private var sinceLast: Stopwatch?
  /// The one that the statement was planned with, as long as nothing failed in it.
  private var duckdb: Confined

  init(
    gather: Gather, plan: QueryPlan, columns: [ResultColumn], file: ResultFile, in duckdb: Confined,
    take: @escaping Take
  ) {
    self.duckdb = duckdb
    self.gather = gather
    self.plan = plan
    self.columns = columns
    self.file = file
    self.take = take
  }

  /// Seconds between two looks at what there is.
  static let pause = 0.2

  /// Before it is all asked again. Nothing was given yet: a node was too old.
  mutating func forget() { pending = [] }

  mutating func add(_ answer: Gather.Answer) { pending.append(answer) }

  /// Gives what there is, if it may.
  ///
  /// - Parameter waiting: nodes of which nothing is known yet.
  mutating func advance(
    waiting: Set<String>, _ document: QueryDocument, _ store: any ObjectStore, until deadline: Deadline
  ) async throws(Failure) {
    guard !pending.isEmpty, sinceLast.map({ $0.seconds > Self.pause }) ?? true else { return }
    if !isOpen {
      let prefix = QueryKeys.looks(document.query)
      let looked = Set(try await store.list(prefix).map { String($0.key.dropFirst(prefix.count)) })
      isOpen = waiting.isSubset(of: looked)
      guard isOpen else { return }
    }
    try await finish(pending, archive: [], until: .after(seconds: max(10, deadline.remainingSeconds)))
    pending = []
    sinceLast = Stopwatch()
  }

  /// Gives the rest.
  mutating func end(archive: [String], until end: Deadline) async throws(Failure) {
    if !pending.isEmpty || !archive.isEmpty || sinceLast == nil {
      try await finish(pending, archive: archive, until: end)
    }
    pending = []
  }

  private mutating func finish(_ answers: [Gather.Answer], archive: [String], until end: Deadline)
    async throws(Failure)
  {
    var path = ""
    do throws(Failure) {
      path = try await run(answers, archive: archive, until: end)
    } catch {
      // By the statement's own fault, or by a node's that sent no such rows: nothing but its own part may fail then.
      guard error.code == "sql.failed" else { throw error }
      let broken = try await gather.unreadable(plan, answers, until: end)
      guard !broken.isEmpty else { throw error }
      for (node, words) in broken { unreadable[node] = words }
      path = try await run(
        answers.filter { unreadable[$0.node] == nil || $0.isArchive }, archive: archive, until: end)
    }
    defer { try? removeFile(path) }
    do { try take(columns, path) } catch { throw Failure.from(error) }
  }

  private mutating func run(_ answers: [Gather.Answer], archive: [String], until end: Deadline)
    async throws(Failure) -> String
  {
    // Nodes may have taken more time than they had.
    if duckdb.hasEnded || duckdb.remainingSeconds < end.remainingSeconds {
      duckdb.end()
      duckdb = try gather.start(until: end)
    }
    return try await gather.run(plan, columns, as: file, answers, archive: archive, in: duckdb)
  }

  /// Lets its DuckDB go.
  func close() { duckdb.end() }
}
