import CommandLine
import Fleet
import Harvest
import Logs
import Support

/// `gadwall doctor`
enum DoctorCommand: Command {
  private static let deadline = Flag(
    "deadline", value: "DURATION", "How long to wait for the nodes. Default 30s.")

  static let definition = CommandDefinition(
    ["doctor"], summary: "Try on every node what tasks will need there, and say what to change.",
    discussion: """
      Carries a small task to all nodes: can it write to its own folder, see its logs, delete in their folders, reach the store with the keys that it has, \
      start DuckDB in its sandbox, and is its clock right? A node that can't be asked is listed with the engine's reason.
      """,
    flags: SelectionFlags.all + [deadline, formatFlag],
    examples: [("gadwall doctor", "Is the fleet ready for a harvest?")])

  static func run(_ arguments: ParsedArguments) async throws -> ExitStatus {
    let seconds = try arguments.duration(deadline) ?? 30
    let format = try arguments.choice(formatFlag, OutputFormat.self) ?? .table
    let (patients, others) = try await cancellableBySignal {
      try await Workspace.open(arguments).closing { workspace in
        let harvest = workspace.harvest()
        let request = workspace.harvestRequest(Workspace.selection(arguments))
        return (try await harvest.examine(request, seconds: seconds), try await workspace.engine.others())
      }
    }
    switch format {
    case .json:
      struct Document: Encodable {
        var nodes: [ExaminedNode]
        var others: [String]
      }
      Output.standard.write(encodeJSON(Document(nodes: patients, others: others), pretty: true) + [0x0A])
    case .table: Output.standard.write(rendered(patients, others, width: Terminal.width(.standard)))
    }
    if patients.allSatisfy({ $0.report == nil }) { return .failed }
    return patients.allSatisfy(\.faults.isEmpty) ? .done : .partial
  }

  static func rendered(_ patients: [ExaminedNode], _ others: [String], width: Int?) -> String {
    var table = TextTable(columns: [
      ("node", .left), ("", .left), ("DuckDB", .left), ("live", .right), ("rotated", .right),
    ])
    for patient in patients {
      let report = patient.report
      table.rows.append([
        patient.node.description, patient.faults.isEmpty ? "✔" : "✘", report?.version ?? "",
        report.map { grouped(Int64($0.live)) } ?? "", report.map { grouped(Int64($0.rotated)) } ?? "",
      ])
    }
    var text = table.rendered(width: width)
    for patient in patients {
      for fault in patient.faults {
        text += "\n✘ \(patient.node): \(printable(fault.what).replacing("\n", with: "\n  "))\n"
        if !fault.remedy.isEmpty { text += "  \(printable(fault.remedy))\n" }
      }
      for folder in patient.report?.missingFolders ?? [] {
        text += "\n  \(patient.node): the folder \(printable(folder)) does not exist\n"
      }
    }
    if !others.isEmpty {
      text +=
        "\nNo nodes of ours, since they have no labels region and zone: \(printable(others.joined(separator: ", ")))\n"
    }
    return text
  }
}
