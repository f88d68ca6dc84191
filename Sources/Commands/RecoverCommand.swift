import CommandLine
import Fleet
import Harvest
import Support

/// `gadwall recover`
enum RecoverCommand: Command {
  static let apply = Flag("apply", "Do what can be done, instead of only saying it.")
  static let removed = Flag(
    "removed", "Bring back proven rows as well that somebody seems to have deleted on purpose.")
  static let trustTable = Flag(
    "trust-table",
    "Take the table's word for rows of which neither a report nor a raw object is left. No file is deleted for that."
  )
  static let gone = Flag(
    "gone", value: "PATTERN", repeatable: true,
    "Nodes that will not come back, by name (* and ?): what they left unfinished is finished without them. Those that the configuration no longer names are gone anyway."
  )

  static let definition = CommandDefinition(
    ["recover"],
    summary: "Mend what a harvest can't: lost proofs, a table that was set back, a node that is gone.",
    discussion: """
      Looks at the table, the proofs, the nodes' reports and the raw objects, and says what does not fit and what would be done about it. Does it only with \
      --apply, and never deletes the only copy of anything. A lost ledger needs nothing: the next harvest tells the node what is proven. \
      Ends with 1 when something is left to be done.
      """,
    flags: [apply, removed, gone, trustTable, formatFlag],
    examples: [
      ("gadwall recover", "What is off, and what could be done?"), ("gadwall recover --apply", "Do it"),
      ("gadwall recover --gone us-east1-vm3", "The machine burned down"),
    ])

  static func run(_ arguments: ParsedArguments) async throws -> ExitStatus {
    let format = try arguments.choice(formatFlag, OutputFormat.self) ?? .table
    var scope = RecoveryScope()
    scope.isApplied = arguments.has(apply)
    scope.bringsBackRemoved = arguments.has(removed)
    scope.gone = arguments.all(gone)
    scope.trustsTable = arguments.has(trustTable)
    let wanted = scope
    let report = try await cancellableBySignal {
      try await Workspace.open(arguments).closing { workspace in
        try await Recovery(
          engine: workspace.engine, store: workspace.store, catalog: workspace.catalog,
          duckdb: workspace.duckdb, scratch: workspace.scratch,
          request: workspace.harvestRequest(NodeSelection()), scope: wanted,
          tell: { Output.errors.line("▸ \(printable($0))") }
        ).run()
      }
    }
    switch format {
    case .json: Output.standard.write(encodeJSON(report, pretty: true) + [0x0A])
    case .table: Output.standard.write(rendered(report))
    }
    return report.isSettled ? .done : .partial
  }

  private static func mark(_ state: RecoveryItem.State) -> String {
    switch state {
    case .possible: "▸"
    case .done: "✔"
    case .failed, .impossible: "✘"
    case .left: "·"
    }
  }

  static func rendered(_ report: RecoveryReport) -> String {
    if report.items.isEmpty { return "✔ Nothing to recover: table, proofs and reports agree.\n" }
    var text = ""
    for item in report.items {
      text += "\(mark(item.state)) \(item.found)\n  \(item.action)\n"
      if !item.words.isEmpty {
        text += item.words.split(separator: "\n").map { "  | \(printable(String($0)))\n" }.joined()
      }
      text += "  [\(item.kind.rawValue)]\n\n"
    }
    let possible = report.items.count { $0.state == .possible }
    let done = report.items.count { $0.state == .done }
    let stuck = report.items.count { $0.state == .impossible || $0.state == .failed }
    var parts: [String] = []
    if done > 0 { parts.append("\(done) done") }
    if possible > 0 { parts.append("\(possible) that 'gadwall recover --apply' does") }
    if stuck > 0 { parts.append("\(stuck) that need a person") }
    let left = report.items.count { $0.state == .left }
    if left > 0 { parts.append("\(left) left alone") }
    return text + parts.joined(separator: ", ") + ".\n"
  }
}
