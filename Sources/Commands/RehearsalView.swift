import CommandLine
import Harvest
import Logs
import Support

/// `gadwall harvest --dry-run`
enum RehearsalView {
  static func run(
    _ arguments: ParsedArguments, _ format: OutputFormat, isQuiet: Bool, allowPartial: Bool
  ) async throws -> ExitStatus {
    let rehearsal = try await cancellableBySignal {
      try await Workspace.open(arguments).closing { workspace in
        let view = ProgressView(isQuiet: isQuiet)
        defer { view.end() }
        let harvest = workspace.harvest { view.show($0) }
        return try await harvest.rehearse(workspace.harvestRequest(Workspace.selection(arguments)))
      }
    }
    switch format {
    case .json: Output.standard.write(encodeJSON(rehearsal, pretty: true) + [0x0A])
    case .table: Output.standard.write(rendered(rehearsal, width: Terminal.width(.standard)))
    }
    if rehearsal.nodes.allSatisfy({ $0.failure != nil }) { return .failed }
    return rehearsal.isComplete || allowPartial ? .done : .partial
  }

  /// Files of one node that are listed by name.
  private static let shownFiles = 20

  static func rendered(_ rehearsal: Rehearsal, width: Int?) -> String {
    var table = TextTable(columns: [
      ("node", .left), ("would stage", .right), ("bundles", .right), ("bytes", .right),
      ("would prove", .right),
      ("would delete", .right),
    ])
    for node in rehearsal.nodes {
      table.rows.append([
        node.node.description + (node.failure != nil ? " ✘" : ""), counted(node.planned.count, "file"),
        grouped(Int64(node.bundles)), ByteCount(node.bytes).description, counted(node.known.count, "file"),
        counted(node.planned.count + node.known.count, "file"),
      ])
    }
    var text = table.rendered(width: width) + "\n"
    for node in rehearsal.nodes {
      if let failure = node.failure { text += "✘ \(node.node): \(failure)\n" }
      for file in node.planned.prefix(shownFiles) {
        text +=
          "  \(node.node): \(printable(file.file)), \(ByteCount(file.bytes)), rotated \(Instant(seconds: file.rotated)), bundle \(file.bundle + 1)\n"
      }
      if node.planned.count > shownFiles {
        text += "  \(node.node): … and \(node.planned.count - shownFiles) more\n"
      }
      for file in node.known.prefix(shownFiles) {
        text += "  \(node.node): \(printable(file)), staged before\n"
      }
      for file in node.passedOver {
        text +=
          "\(file.isGap ? "!" : " ") \(node.node): \(printable(file.file)) would be left alone: \(file.note)\n"
      }
      for folder in node.missingFolders {
        text += "  \(node.node): the folder \(printable(folder)) does not exist\n"
      }
    }
    for run in rehearsal.openRuns { text += "The run \(run), which was cut off, would be finished first.\n" }
    return text + "Nothing was changed.\n"
  }
}
