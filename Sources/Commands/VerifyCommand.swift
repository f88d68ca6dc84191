import CommandLine
import Harvest
import Support

/// `gadwall verify`
enum VerifyCommand: Command {
  static let node = Flag(
    "node", value: "PATTERN", repeatable: true,
    "Only batches of nodes whose name matches (* and ?); repeatable.")
  static let since = Flag(
    "since", value: "TIME",
    "Only batches rotated at or after this: an ISO 8601 time, or a duration ago such as 7d.")
  static let deep = Flag("deep", "Read every object whole, and compare digests and counts.")
  static let removeOrphans = Flag(
    "remove-orphans",
    "Remove data files that killed tasks left, and that nothing refers to. All else changes nothing.")

  static let definition = CommandDefinition(
    ["verify"], summary: "Check that the table holds every line of every archived file, once.",
    discussion: """
      For each batch: lines in the file = entries + malformed + blank, and rows in the table = entries + malformed, from the proofs, the nodes' reports of \
      their ledgers, the manifests and the table's own counts. Changes nothing, unless --remove-orphans is given. Ends with 1 when anything is off; orphans are not.
      """,
    flags: [node, since, deep, removeOrphans, formatFlag],
    examples: [
      ("gadwall verify", "Is all there?"),
      ("gadwall verify --deep --since 7d", "Read the last week's objects whole"),
    ])

  static func run(_ arguments: ParsedArguments) async throws -> ExitStatus {
    let format = try arguments.choice(formatFlag, OutputFormat.self) ?? .table
    var scope = VerifyScope()
    scope.filter.nodes = arguments.all(node)
    scope.filter.since = try moment(arguments, since)
    scope.isDeep = arguments.has(deep)
    scope.removesOrphans = arguments.has(removeOrphans)
    let wanted = scope
    let report = try await cancellableBySignal {
      try await Workspace.open(arguments).closing { try await verify($0, wanted) }
    }
    switch format {
    case .json: Output.standard.write(encodeJSON(report, pretty: true) + [0x0A])
    case .table: Output.standard.write(rendered(report))
    }
    return report.findings.isEmpty ? .done : .partial
  }

  static func verify(_ workspace: Workspace, _ scope: VerifyScope = VerifyScope()) async throws(Failure)
    -> VerifyReport
  {
    try await Verifier(
      store: workspace.store, catalog: workspace.catalog, duckdb: workspace.duckdb,
      scratch: workspace.scratch,
      scope: scope
    ).run()
  }

  /// Findings that are shown to people.
  private static let shownFindings = 20

  static func rendered(_ report: VerifyReport) -> String {
    var text = """
      \(counted(report.batches, "batch", plural: "batches")) of \(counted(report.runs, "run")), \(counted(report.dataFiles, "data file")); the files of \(report.pruned) are deleted.
      lines \(grouped(report.lines)) = entries \(grouped(report.entries)) + malformed \(grouped(report.malformed)) + blank \(grouped(report.blank))
      rows in the table \(grouped(report.tableRows)), wanted \(grouped(report.entries + report.malformed))

      """
    if report.objectsFrozen > 0 {
      text +=
        "\(counted(report.objectsFrozen, "object")) in cold storage, not read: 'gadwall raw get' asks for one to be brought back\n"
    }
    if report.objectsRead > 0 { text += "\(counted(report.objectsRead, "object")) read whole\n" }
    if !report.orphans.isEmpty {
      let size = ByteCount(report.orphans.reduce(0) { $0 + $1.size })
      text += "\n\(counted(report.orphans.count, "orphan")) (\(size)) that killed tasks left"
      if let run = report.orphansKeptFor {
        text +=
          "; none was removed, since the run \(run) is going on. One that was cut off is forgotten after a day:\n"
      } else {
        text +=
          report.orphansRemoved > 0
          ? ", now removed:\n" : "; 'gadwall verify --remove-orphans' removes them:\n"
      }
      for orphan in report.orphans.prefix(shownFindings) { text += "  \(orphan.key)\n" }
    }
    // One lost data file can mean a thousand batches: the document has them all.
    for finding in report.findings.prefix(shownFindings) {
      text += "\n✘ \(finding.what)\n  \(finding.remedy)\n  [\(finding.kind.rawValue)]\n"
    }
    if report.findings.count > shownFindings {
      text +=
        "\n… and \(grouped(Int64(report.findings.count - shownFindings))) more; --format json has them all.\n"
    }
    text +=
      report.findings.isEmpty
      ? "✔ Every line is in the table once.\n" : "\n\(counted(report.findings.count, "finding")).\n"
    return text
  }
}
