import CommandLine
import Configuration
import Fleet
import Harvest
import Logs
import Support

/// `gadwall doctor`
enum DoctorCommand: Command {
  private static let deadline = Flag(
    "deadline", value: "DURATION", "How long to wait for the nodes. Default 30s.")

  private static let job = Flag(
    "job", value: "NAME",
    "Show all that Bacalhau says of a job, by its name or id, in place of trying the nodes: its executions, what happened, and what was published."
  )

  static let definition = CommandDefinition(
    ["doctor"], summary: "Try on every node what tasks will need there, and say what to change.",
    discussion: """
      Carries a small task to all nodes: can it write to its own folder, see its logs, delete in their folders, reach the store with the keys that it has, \
      start DuckDB in its sandbox, and is its clock right? A node that can't be asked is listed with the engine's reason.
      """,
    flags: SelectionFlags.all + [deadline, job, formatFlag],
    examples: [
      ("gadwall doctor", "Is the fleet ready for a harvest?"),
      ("gadwall doctor --job gadwall-stage-20261125T140000Z-1a2b3c4d-5e6f7a8b", "What became of a task?"),
    ])

  static func run(_ arguments: ParsedArguments) async throws -> ExitStatus {
    let seconds = try arguments.duration(deadline) ?? 30
    let format = try arguments.choice(formatFlag, OutputFormat.self) ?? .table
    if let name = arguments.value(job) { return try await show(name, format, arguments) }
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

  private static func show(_ name: String, _ format: OutputFormat, _ arguments: ParsedArguments) async throws
    -> ExitStatus
  {
    let configuration = try Workspace.configuration(arguments)
    guard configuration.engine == .bacalhau else {
      throw Failure("usage", "Only the engine bacalhau has jobs; this configuration's is another.")
    }
    guard let job = try await bacalhauEngine(configuration).examine(job: name) else {
      throw Failure(
        "bacalhau.job-unknown", "Bacalhau's orchestrator knows no job '\(printable(name))'.",
        remedy: "Jobs of ours are called gadwall-TASK-RUN-DIGEST. Is it another orchestrator's?")
    }
    switch format {
    case .json: Output.standard.write(encodeJSON(job, pretty: true) + [0x0A])
    case .table: Output.standard.write(rendered(job, width: Terminal.width(.standard)))
    }
    return .done
  }

  static func rendered(_ job: ExaminedJob, width: Int?) -> String {
    var text = "job      \(printable(job.id))\nstate    \(printable(job.state))"
    text += job.words.isEmpty ? "\n" : ": \(printable(job.words))\n"
    var table = TextTable(columns: [("node", .left), ("state", .left), ("status", .right), ("words", .left)])
    for part in job.executions {
      let words = [part.words, part.errors].filter { !$0.isEmpty }.joined(separator: "; ")
      table.rows.append([
        printable(part.node), printable(part.state), part.exitStatus.map { "\($0)" } ?? "",
        printable(words).replacing("\n", with: " "),
      ])
    }
    if !table.rows.isEmpty { text += "\n" + table.rendered(width: width) }
    text += "\n"
    for event in job.events {
      let node = event.node.map { "\($0): " } ?? ""
      let words = [event.topic, event.words].filter { !$0.isEmpty }.joined(separator: ": ")
      text += "\(printable("\(event.time.prefix(23))  \(node)\(words)"))\n"
      if let hint = event.hint { text += "  \(printable(hint).replacing("\n", with: "\n  "))\n" }
    }
    if let results = job.results, !results.isEmpty {
      text += "\npublished\n" + results.map { "  \(printable($0.text))\n" }.joined()
    }
    return text
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
