import CommandLine
import Configuration
import Harvest
import Logs
import Support

/// `gadwall runs`
enum RunsCommand: Command {
  static let limit = Flag("limit", value: "N", "How many of the newest runs. Default 20.")

  static let definition = CommandDefinition(
    ["runs"],
    summary:
      "List the runs, or tell all of one: what it staged, committed, proved, deleted, and what failed.",
    arguments: [Argument("RUN", required: false, "A run's id; its beginning is enough when that is unique.")],
    flags: [limit, formatFlag],
    examples: [("gadwall runs", "The newest runs"), ("gadwall runs 20261125T17", "The one run of that hour")])

  static func run(_ arguments: ParsedArguments) async throws -> ExitStatus {
    let format = try arguments.choice(formatFlag, OutputFormat.self) ?? .table
    let count = try arguments.integer(limit, in: 1...100_000) ?? 20
    let history = RunHistory(store: try StoreDescription(try Workspace.configuration(arguments)).open())
    if let prefix = arguments.positional.first {
      let record = try await history.run(prefix)
      switch format {
      case .json: Output.standard.write(encodeJSON(record, pretty: true) + [0x0A])
      case .table: Output.standard.write(rendered(record))
      }
      return .done
    }
    let records = try await history.list(limit: count).suffix(count)
    switch format {
    case .json: Output.standard.write(encodeJSON(Array(records), pretty: true) + [0x0A])
    case .table:
      var table = TextTable(columns: [
        ("run", .left), ("state", .left), ("nodes", .right), ("failed", .right), ("proven", .right),
        ("rows", .right),
        ("deleted", .right), ("seconds", .right),
      ])
      for record in records { table.rows.append(cells(record)) }
      Output.standard.write(table.rendered(width: Terminal.width(.standard)))
    }
    return .done
  }

  private static func cells(_ record: RunRecord) -> [String] {
    guard let summary = record.summary else {
      return [record.run, record.state.rawValue, grouped(Int64(record.staged.count)), "", "", "", "", ""]
    }
    return [
      record.run, record.state.rawValue, grouped(Int64(summary.nodes.count)),
      grouped(Int64(summary.nodes.count { $0.failure != nil })), grouped(Int64(summary.provenBatches)),
      grouped(summary.snapshots.reduce(0) { $0 + $1.rows }),
      grouped(Int64(summary.nodes.reduce(0) { $0 + $1.pruned })),
      decimal(summary.seconds, places: 1),
    ]
  }

  private static func rendered(_ record: RunRecord) -> String {
    if let summary = record.summary {
      return HarvestCommand.rendered(summary, width: Terminal.width(.standard))
    }
    var text = "The run \(record.run) has no summary: it is going on, or was cut off.\n"
    text += record.hasPlan ? "It has a plan" : "It has no plan"
    text += record.hasProof ? " and a proof.\n" : " and no proof; the next harvest finishes what there is.\n"
    for key in record.staged { text += "  staged: \(key)\n" }
    for key in record.pruned { text += "  pruned: \(key)\n" }
    return text
  }
}

/// `gadwall nodes`
enum NodesCommand: Command {
  static let definition = CommandDefinition(
    ["nodes"], summary: "List the nodes: the last run of each, what waits there, and what is held.",
    discussion: """
      Asks every node, as 'harvest --dry-run' does: nothing is changed. The backlog is what a harvest would read now, together with what waits and what is \
      staged and not proven.
      """,
    flags: SelectionFlags.all + [formatFlag], examples: [("gadwall nodes", "Is anybody behind?")])

  struct NodeLine: Codable, Sendable {
    var node: Node
    var lastRun: String?
    var backlogFiles: Int
    var backlogBytes: Int64
    /// The modification time of the oldest file of the backlog.
    var oldest: String?
    var waiting: Int
    var held: [PassedOver]
    var failure: String?
  }

  static func run(_ arguments: ParsedArguments) async throws -> ExitStatus {
    let format = try arguments.choice(formatFlag, OutputFormat.self) ?? .table
    let lines = try await cancellableBySignal {
      try await Workspace.open(arguments).closing { workspace in
        let harvest = workspace.harvest()
        let rehearsal = try await harvest.rehearse(workspace.harvestRequest(Workspace.selection(arguments)))
        let runs = try await RunHistory(store: workspace.store).list(limit: 0)
        return rehearsal.nodes.map { line($0, runs) }
      }
    }
    switch format {
    case .json: Output.standard.write(encodeJSON(lines, pretty: true) + [0x0A])
    case .table: Output.standard.write(rendered(lines))
    }
    if lines.allSatisfy({ $0.failure != nil }) { return .failed }
    return lines.contains { $0.failure != nil || !$0.held.isEmpty } ? .partial : .done
  }

  private static func line(_ part: Rehearsal.NodePart, _ runs: [RunRecord]) -> NodeLine {
    let waiting = part.passedOver.filter { $0.reason == .waiting }
    let times = part.planned.map(\.rotated) + waiting.compactMap(\.rotated)
    return NodeLine(
      node: part.node, lastRun: runs.last { $0.staged.contains(part.node.key) }?.run,
      backlogFiles: part.planned.count + part.known.count + waiting.count,
      backlogBytes: part.bytes + waiting.reduce(0) { $0 + $1.bytes },
      oldest: times.min().map { Instant(seconds: $0).description }, waiting: waiting.count,
      held: part.passedOver.filter { $0.reason == .held }, failure: part.failure)
  }

  private static func rendered(_ lines: [NodeLine]) -> String {
    var table = TextTable(columns: [
      ("node", .left), ("last run", .left), ("backlog", .right), ("bytes", .right), ("oldest", .left),
      ("waiting", .right),
      ("held", .right),
    ])
    for line in lines {
      table.rows.append([
        line.node.description + (line.failure == nil ? "" : " ✘"),
        line.lastRun.map { String($0.prefix(16)) } ?? "never",
        counted(line.backlogFiles, "file"), ByteCount(line.backlogBytes).description, line.oldest ?? "",
        grouped(Int64(line.waiting)), grouped(Int64(line.held.count)),
      ])
    }
    var text = table.rendered(width: Terminal.width(.standard))
    for line in lines {
      if let failure = line.failure { text += "\n✘ \(line.node): \(printable(failure))\n" }
      for file in line.held { text += "\n! \(line.node): \(printable(file.file)) is held: \(file.note)\n" }
    }
    return text
  }
}
