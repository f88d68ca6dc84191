import CommandLine
import Fleet
import Harvest
import Logs
import Support

/// `gadwall harvest`
enum HarvestCommand: Command {
  static let allowPartial = Flag("allow-partial", "End with 0 even when a node or a file is missing.")
  static let dryRun = Flag("dry-run", "Say what would be staged, committed and deleted, and touch nothing.")
  static let noPrune = Flag("no-prune", "Archive, and delete nothing. The next harvest without it deletes.")
  static let printJobs = Flag(
    "print-jobs",
    "Print the job that the engine would submit to stage, as 'bacalhau job run' takes it, and start nothing.")
  static let quiet = Flag("quiet", "Tell nothing while it runs.")

  static let definition = CommandDefinition(
    ["harvest"], summary: "Archive every node's rotated logs, bring urgent rows out, delete what is proven.",
    discussion: """
      Each node reads its rotated files once, uploads them, and reports. One Iceberg snapshot takes up all of it. It is read back, and only what it holds \
      is deleted on the nodes. Whatever is killed, cut off or repeated: run it again, and every line is in the table once.
      """,
    flags: SelectionFlags.all + [dryRun, noPrune, printJobs, formatFlag, allowPartial, quiet],
    examples: [
      ("gadwall harvest", "All nodes of ./gadwall.yaml"),
      ("gadwall harvest --dry-run", "What would happen?"),
      ("gadwall harvest --region 'us-*' --format json", "Part of the fleet, for a program"),
    ])

  static func run(_ arguments: ParsedArguments) async throws -> ExitStatus {
    let format = try arguments.choice(formatFlag, OutputFormat.self) ?? .table
    let isQuiet = arguments.has(quiet)
    if arguments.has(dryRun) {
      if arguments.has(noPrune) {
        throw UsageError("--dry-run deletes nothing as it is; leave --no-prune out.", command: "harvest")
      }
      return try await RehearsalView.run(
        arguments, format, isQuiet: isQuiet, allowPartial: arguments.has(allowPartial))
    }
    if arguments.has(printJobs) {
      return try await cancellableBySignal {
        try await Workspace.open(arguments).closing { workspace in
          let harvest = workspace.harvest()
          Output.standard.write(
            try await harvest.printedJob(workspace.harvestRequest(Workspace.selection(arguments))))
          return .done
        }
      }
    }
    let isPruneOff = arguments.has(noPrune)
    let summary = try await cancellableBySignal {
      try await Workspace.open(arguments).closing { workspace in
        let view = ProgressView(isQuiet: isQuiet)
        defer { view.end() }
        return try await harvest(workspace, Workspace.selection(arguments), view, isPruneOff: isPruneOff)
      }
    }
    switch format {
    case .json: Output.standard.write(encodeJSON(summary, pretty: true) + [0x0A])
    case .table: Output.standard.write(rendered(summary, width: Terminal.width(.standard)))
    }
    if !summary.hasAnswers { return .failed }
    return summary.isComplete || arguments.has(allowPartial) ? .done : .partial
  }

  static func harvest(
    _ workspace: Workspace, _ selection: NodeSelection, _ view: ProgressView, isPruneOff: Bool = false
  ) async throws(Failure) -> HarvestSummary {
    let harvest = workspace.harvest { view.show($0) }
    var request = workspace.harvestRequest(selection)
    request.isPruneOff = isPruneOff
    return try await harvest.run(request)
  }

  // MARK: what people read

  static func rendered(_ summary: HarvestSummary, width: Int?) -> String {
    var text = nodeTable(summary, width: width).rendered(width: width)
    text += urgentRows(summary, width: width)
    for node in summary.nodes {
      if let failure = node.failure { text += "\n✘ \(node.node): \(indented(failure))\n" }
      for problem in node.problems { text += "\n! \(node.node): \(indented(printable(problem)))\n" }
      let gaps = node.passedOver.filter(\.isGap)
      let others = node.passedOver.filter { !$0.isGap }
      for file in gaps { text += "\n! \(node.node): \(printable(file.file)) was not read: \(file.note)\n" }
      for file in others { text += "  \(node.node): \(printable(file.file)) was left alone: \(file.note)\n" }
      if node.foundNothing { text += "  \(node.node): no rotated file at all (raw_logs_not_found)\n" }
      for folder in node.missingFolders {
        text += "  \(node.node): the folder \(printable(folder)) does not exist\n"
      }
      if node.withoutLease > 0 {
        text +=
          "  \(node.node): \(counted(node.withoutLease, "file")) read without a lease, after the settle time\n"
      }
    }
    text += "\n"
    if summary.snapshots.isEmpty { text += "Nothing new: no snapshot was made.\n" }
    for snapshot in summary.snapshots {
      text +=
        "Snapshot \(snapshot.id) (sequence \(snapshot.sequence)): \(grouped(snapshot.rows)) rows in \(counted(snapshot.files, "data file")).\n"
    }
    return text
      + "Run \(summary.run): \(counted(summary.provenBatches, "batch", plural: "batches")) proven, \(counted(summary.nodes.reduce(0) { $0 + $1.pruned }, "file")) deleted, \(decimal(summary.seconds, places: 1)) s.\n"
  }

  /// A row per node. In a narrow terminal nodes go by their names alone, and then the columns that matter least go.
  private static func nodeTable(_ summary: HarvestSummary, width: Int?) -> TextTable {
    let whole = nodeTable(summary) { $0.description }
    guard let width, whole.naturalWidth > width else { return whole }
    let names = Set(summary.nodes.map(\.node.name))
    let short = names.count == summary.nodes.count ? nodeTable(summary) { $0.name } : whole
    let lesser: [Set<String>] = [[], ["stored", "seconds"], ["stored", "seconds", "batches", "lines"]]
    let fitting = lesser.map(short.dropping).first { $0.naturalWidth <= width }
    return fitting ?? short.dropping(lesser[2])
  }

  private static func nodeTable(_ summary: HarvestSummary, name: (Node) -> String) -> TextTable {
    var table = TextTable(columns: [
      ("node", .left), ("batches", .right), ("lines", .right), ("entries", .right), ("malformed", .right),
      ("urgent", .right),
      ("in", .right), ("stored", .right), ("deleted", .right), ("seconds", .right),
    ])
    var total = StageTotals()
    for node in summary.nodes {
      table.rows.append(
        cells(name(node.node), node.stage, deleted: node.pruned, note: node.failure != nil ? " ✘" : ""))
      total.add(node.stage, node.pruned)
    }
    if summary.nodes.count > 1 {
      table.rows.append(cells("all", total.stage, deleted: total.pruned, note: ""))
    }
    return table
  }

  private struct StageTotals {
    var stage = StageReport.Totals()
    var pruned = 0

    mutating func add(_ other: StageReport.Totals, _ pruned: Int) {
      stage.batches += other.batches
      stage.lines += other.lines
      stage.entries += other.entries
      stage.malformed += other.malformed
      stage.urgent += other.urgent
      stage.bytesIn += other.bytesIn
      stage.bytesStored += other.bytesStored
      stage.seconds += other.seconds
      self.pruned += pruned
    }
  }

  private static func cells(_ name: String, _ totals: StageReport.Totals, deleted: Int, note: String)
    -> [String]
  {
    [
      name + note, grouped(Int64(totals.batches)), grouped(totals.lines), grouped(totals.entries),
      grouped(totals.malformed),
      grouped(totals.urgent), ByteCount(totals.bytesIn).description,
      ByteCount(totals.bytesStored).description,
      grouped(Int64(deleted)), decimal(totals.seconds, places: 2),
    ]
  }

  private static func urgentRows(_ summary: HarvestSummary, width: Int?) -> String {
    let all = summary.urgent
    guard all > 0 else { return "\nNo urgent rows.\n" }
    var table = TextTable(columns: [
      ("ts", .left), ("node", .left), ("service", .left), ("category", .left), ("message", .left),
    ])
    let ordered = summary.urgentRows.sorted {
      ($0["ts"]?.string ?? "~", $0["node"]?.string ?? "") < (
        $1["ts"]?.string ?? "~", $1["node"]?.string ?? ""
      )
    }
    let shown = ordered.prefix(20)
    for row in shown {
      func cell(_ key: String) -> String { printable(row[key]?.string ?? "").replacing("\n", with: "⏎") }
      let message = row["message"]?.string != nil ? cell("message") : cell("text")
      table.rows.append([cell("ts"), cell("node"), cell("service"), cell("category"), message])
    }
    // The message names service and category itself.
    if let width, table.naturalWidth > width { table = table.dropping(["service", "category"]) }
    let rest = all - Int64(shown.count)
    return "\nUrgent rows (\(grouped(all))):\n\n" + table.rendered(width: width)
      + (rest > 0 ? "… and \(grouped(rest)) more, under alerts/ in the store.\n" : "")
  }

  private static func indented(_ text: String) -> String { text.replacing("\n", with: "\n  ") }
}
