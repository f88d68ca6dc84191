import CommandLine
import Harvest
import Support

/// `gadwall verify`
enum VerifyCommand: Command {
  static let definition = CommandDefinition(
    ["verify"], summary: "Check that the table holds every line of every archived file, once.",
    discussion: """
      For each batch: lines in the file = entries + malformed + blank, and rows in the table = entries + malformed, from the proofs, the nodes' reports of \
      their ledgers, the manifests and the table's own counts. Changes nothing. Ends with 1 when anything is off.
      """,
    flags: [formatFlag], examples: [("gadwall verify", "Is all there?")])

  static func run(_ arguments: ParsedArguments) async throws -> ExitStatus {
    let format = try arguments.choice(formatFlag, OutputFormat.self) ?? .table
    let report = try await cancellableBySignal {
      try await Workspace.open(arguments).closing { try await verify($0) }
    }
    switch format {
    case .json: Output.standard.write(encodeJSON(report, pretty: true) + [0x0A])
    case .table: Output.standard.write(rendered(report))
    }
    return report.findings.isEmpty ? .done : .partial
  }

  static func verify(_ workspace: Workspace) async throws(Failure) -> VerifyReport {
    try await Verifier(
      store: workspace.store, catalog: workspace.catalog, duckdb: workspace.duckdb, scratch: workspace.scratch
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
