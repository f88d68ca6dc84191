public import DuckDB
import Files
public import Fleet
public import Harvest
public import Iceberg
import Logs
public import ObjectStorage
import Rows
public import Support

/// What is asked, and how.
public struct QueryRequest: Sendable {
  public var text: String
  public var parameters: [String: String] = [:]
  public var selection = NodeSelection()
  public var logs: TaskDocument.Logs
  public var file = ResultFile.rows
  /// That rows may come in several files, as soon as they are there.
  public var streams = false
  /// Limits the relations to rows of this many seconds until now.
  public var since: Double?
  /// Seconds until the answer is due: nodes that have none by then are cut off.
  public var deadline = 300.0
  /// What one node may send.
  public var answerLimit = ByteCount.gibibytes(1)

  /// Up to so many rows a node sends as they are: starting a DuckDB to group them would cost it more than they do.
  public var fewRows = 100

  public init(text: String, logs: TaskDocument.Logs) {
    self.text = text
    self.logs = logs
  }
}

public struct QueryResult: Sendable {
  public var columns: [ResultColumn]
  public var coverage: Coverage
}

/// Asks the fleet's logs and the archive with one SQL statement.
public struct FleetQuery: Sendable {
  let engine: any Engine
  let store: any ObjectStore
  let catalog: any Catalog
  /// May read the store, for SQL of ours.
  let duckdb: DuckDB
  /// May not.
  let plain: DuckDB
  let scratch: String
  let clock: WallClock

  /// - Parameter scratch: a folder of its own, which goes when the result was read.
  public init(
    engine: any Engine, store: any ObjectStore, catalog: any Catalog, duckdb: DuckDB, scratch: String,
    clock: WallClock = .system
  ) {
    self.engine = engine
    self.store = store
    self.catalog = catalog
    self.duckdb = duckdb
    var plain = duckdb
    plain.access = nil
    self.plain = plain
    self.scratch = scratch
    self.clock = clock
  }

  /// How often it is asked again when a node has pruned what only a later snapshot holds.
  private static let attempts = 5

  /// Asks the statement.
  ///
  /// - Parameter take: gets files with rows, as the request wants them, in the order in which they are to be shown. Each is gone when it returns.
  public func run(
    _ request: QueryRequest, take: @escaping @Sendable ([ResultColumn], String) throws -> Void
  ) async throws(Failure) -> QueryResult {
    let watch = Stopwatch()
    let deadline = Deadline.after(seconds: request.deadline)
    let last = max(10, request.deadline / 4)
    let duckdb = try start(until: .after(seconds: request.deadline + last))
    defer { duckdb.end() }
    let prepared = try await prepare(request, duckdb.session)
    var streamer = Streamer(
      gather: Gather(duckdb: plain, scratch: scratch, used: prepared.plan.used), plan: prepared.plan,
      columns: prepared.columns, file: request.file, in: duckdb, take: take)
    defer { streamer.close() }
    var asked = try await ask(request, prepared, &streamer, deadline)
    var attempt = 1
    while asked.isTooOld {
      guard attempt < Self.attempts, !deadline.hasPassed else {
        throw Failure(
          "query.too-old",
          "A harvest deletes files faster than the statement is answered: \(counted(attempt, "snapshot")) of the table were too old.",
          remedy: "Ask again.")
      }
      attempt += 1
      await asked.cleaning?.value
      streamer.forget()
      asked = try await ask(request, prepared, &streamer, deadline)
    }
    let cleaning = asked.cleaning
    do throws(Failure) {
      try await streamer.end(
        archive: asked.archive,
        until: .after(seconds: max(last, deadline.remainingSeconds)))
    } catch {
      await cleaning?.value
      throw error
    }
    await cleaning?.value
    var coverage = asked.coverage
    coverage.seconds = watch.seconds
    for (node, words) in streamer.unreadable {
      guard let index = coverage.nodes.firstIndex(where: { $0.node == node }) else { continue }
      coverage.nodes[index] = Coverage.NodeCoverage(
        node: node, state: .failed, reason: "What it sent can't be read: \(words)")
    }
    return QueryResult(columns: prepared.columns, coverage: coverage)
  }

  /// How the statement would be answered, as text for people; nobody is asked.
  public func explain(_ request: QueryRequest) async throws(Failure) -> String {
    let prepared = try await prepareAlone(request)
    return explanation(
      prepared.plan, reads: prepared.statement.relations, asked: prepared.nodes.count,
      of: prepared.nodes.count + prepared.pruned)
  }

  // MARK: the statement

  struct Prepared: Sendable {
    var statement: Statement
    var columns: [ResultColumn]
    var plan: QueryPlan
    /// Those to ask, and how many the statement's conditions leave out.
    var nodes: [Node]
    var pruned: Int
  }

  /// The DuckDB that plans the statement, and finishes it when the nodes have answered.
  private func start(until deadline: Deadline) throws(Failure) -> Confined {
    for folder in ["in", "out", "spill"] { try makeScratch(joined(scratch, folder)) }
    return try Gather.start(plain, in: scratch, until: deadline)
  }

  private func prepareAlone(_ request: QueryRequest) async throws(Failure) -> Prepared {
    let started = try start(until: .after(seconds: request.deadline))
    defer { started.end() }
    return try await prepare(request, started.session)
  }

  private func prepare(_ request: QueryRequest, _ session: Session) async throws(Failure) -> Prepared {
    try await session.run(Gather.emptyViews)
    let moment = clock.now()
    let statement = try await session.statement(request.text, parameters: request.parameters, at: moment)
    let columns: [ResultColumn]
    do {
      // The names that DuckDB gives the text as it was written: a tree that was written back changes some.
      let text =
        request.parameters.isEmpty ? statement.text : try await session.rendered(statement.named).text
      columns = resultColumns(try await session.run(["DESCRIBE FROM query(\(text))"]))
    } catch {
      throw Failure(
        "sql.failed", "The statement can't be run.",
        remedy: "The columns are \(relationColumns.map(\.name).joined(separator: ", ")).", words: error.words)
    }
    var plan = try await session.plan(statement, columns)
    if let seconds = request.since {
      let first = moment.microseconds - Int64(min(seconds, 1e9) * 1e6)
      let isNew = RowFilter.number(.ts, first...(.max))
      // Not one of the statement's own conditions: it has to be decided by whoever reads the rows.
      plan.liveFilter = .every([isNew, plan.liveFilter])
      plan.archiveFilter = .every([isNew, plan.archiveFilter])
    }
    let hasLive = statement.relations.contains(where: \.hasLive)
    // A wish that nothing answers to is a mistake, whatever is asked.
    let chosen =
      hasLive || request.selection != NodeSelection() ? try await engine.chosenNodes(request.selection) : []
    let nodes = hasLive ? try await session.asked(plan, of: chosen) : []
    return Prepared(
      statement: statement, columns: columns, plan: plan, nodes: nodes,
      pruned: hasLive ? chosen.count - nodes.count : 0)
  }

  // MARK: asking

  struct Asked: Sendable {
    var archive: [String] = []
    var coverage = Coverage()
    var isTooOld = false
    /// The words of a node's DuckDB, over whose rows the statement fails.
    var sqlError: String?
    /// Removes what the query left in the store.
    var cleaning: Task<Void, Never>?
  }

  /// Asks nodes and archive once, as of the newest snapshot.
  private func ask(
    _ request: QueryRequest, _ prepared: Prepared, _ streamer: inout Streamer, _ deadline: Deadline
  ) async throws(Failure) -> Asked {
    let relations = prepared.statement.relations
    let hasLive = relations.contains(where: \.hasLive)
    let hasArchive = relations.contains(where: \.hasArchive)
    var asked = Asked()
    var holdings = SnapshotHoldings()
    var table: LoadedTable?
    if !relations.isEmpty {
      // The table first: what is proven after this is in a later snapshot.
      table = try await catalog.load()
      if let table { try table.checkOurs(name: catalog.table) }
      if hasLive { holdings = try await SnapshotHoldings(of: table, named: catalog.table, in: store) }
    }
    let snapshot = hasArchive ? table?.currentSnapshotID : nil
    asked.coverage.snapshot = snapshot
    let wanted = snapshot == nil ? nil : table
    // Beside the nodes, and with all the time that there is.
    let reading = Task {
      do throws(Failure) {
        let files = try await archive(wanted, request, prepared, deadline)
        let isAsked = !prepared.plan.questions.isEmpty && !files.isEmpty
        let answer = isAsked ? try await archiveAnswer(files, prepared.plan, deadline) : nil
        return Result<([String], Gather.Answer?), Failure>.success((files, answer))
      } catch {
        return .failure(error)
      }
    }
    do throws(Failure) {
      if hasLive {
        asked.coverage.pruned = prepared.pruned
        try await askNodes(prepared.nodes, request, prepared, holdings, &streamer, deadline, &asked)
      }
    } catch {
      reading.cancel()
      // Its DuckDB writes into what is about to be removed.
      _ = await reading.value
      throw error
    }
    let (files, answer) = try await withTaskCancellationHandler {
      await reading.value
    } onCancel: {
      reading.cancel()
    }.get()
    asked.archive = files
    if let answer { streamer.add(answer) }
    return asked
  }

  /// What the engine would submit for the statement, as its own tools take it. The task document that it names is written.
  ///
  /// - Throws: `engine.no-jobs`, `query.no-nodes`, and what ``run(_:take:)`` throws.
  public func printedJob(_ request: QueryRequest) async throws(Failure) -> [UInt8] {
    let prepared = try await prepareAlone(request)
    guard !prepared.nodes.isEmpty else {
      throw Failure("query.no-nodes", "The statement asks no node: there is no job.")
    }
    let holdings = try await SnapshotHoldings(of: catalog.load(), named: catalog.table, in: store)
    let (_, bytes, task) = document(prepared.nodes, request, prepared, holdings)
    let job = try engine.printedJob(for: task, on: prepared.nodes)
    try await store.put(bytes, at: task.document)
    return job
  }

  private func document(
    _ nodes: [Node], _ request: QueryRequest, _ prepared: Prepared, _ holdings: SnapshotHoldings
  ) -> (QueryDocument, bytes: [UInt8], task: NodeTask) {
    let query = "\(clock.now().basicStamp)-\(randomName())"
    let width = Int32.max / Int32(nodes.count)
    var parts: PartsByReader<QueryDocument.NodePart> = [:]
    for (index, node) in nodes.enumerated() {
      parts[node.key] = QueryDocument.NodePart(
        held: holdings.batches(of: node), firstFile: Int32(index) * width, fileCount: width)
    }
    var document = QueryDocument(
      query: query, statement: request.text, seconds: max(1, request.deadline), logs: request.logs,
      sequence: holdings.sequence,
      used: prepared.plan.used, questions: prepared.plan.questions,
      filter: prepared.plan.liveFilter,
      answerLimit: request.answerLimit, fewRows: request.fewRows, nodes: parts)
    document.announces = request.streams && prepared.plan.isPlain
    document.packs = !store.url.hasPrefix("file:")
    let bytes = encodeJSON(document)
    var task = NodeTask(
      kind: .query, run: query, document: QueryKeys.task(query), digest: sha256(bytes),
      seconds: document.seconds)
    task.statement = request.text
    task.columns = document.columnList
    return (document, bytes, task)
  }

  private func askNodes(
    _ nodes: [Node], _ request: QueryRequest, _ prepared: Prepared, _ holdings: SnapshotHoldings,
    _ streamer: inout Streamer, _ deadline: Deadline, _ asked: inout Asked
  ) async throws(Failure) {
    guard !nodes.isEmpty else { return }
    let (document, bytes, task) = self.document(nodes, request, prepared, holdings)
    let query = document.query
    let streams = document.announces
    try await store.put(bytes, at: task.document)
    var failure: Failure?
    var waiting = Set(nodes.map(\.key))
    let (events, continuation) = AsyncStream.makeStream(of: NodeOutcome?.self)
    let outcomes = engine.run(task, on: nodes, deadline: deadline, progress: { _, _ in })
    let forwarding = Task {
      for await outcome in outcomes { continuation.yield(outcome) }
      continuation.finish()
    }
    // What could not be given at once is, after a while, also when no other node answers.
    let ticking = Task {
      while streams, (try? await Task.sleep(for: .seconds(Streamer.pause))) != nil { continuation.yield(nil) }
    }
    defer {
      ticking.cancel()
      forwarding.cancel()
    }
    for await outcome in events where failure == nil {
      do throws(Failure) {
        if let outcome {
          if let answer = try await take(outcome, document, &asked) { streamer.add(answer) }
          waiting.remove(outcome.node.key)
        }
        if streams, !asked.isTooOld, asked.sqlError == nil {
          try await streamer.advance(waiting: waiting, document, store, until: deadline)
        }
      } catch {
        failure = error
      }
    }
    // What it left: nobody asks for it again, and nobody waits for that but the end.
    asked.cleaning = Task {
      let left = try? await store.list(QueryKeys.prefix(query))
      try? await store.delete((left ?? []).map(\.key))
    }
    if let failure {
      await asked.cleaning?.value
      throw failure
    }
    // As one DuckDB over all rows would fail as a whole.
    if let words = asked.sqlError {
      await asked.cleaning?.value
      throw Failure("sql.failed", "The statement failed.", words: words)
    }
  }
}
