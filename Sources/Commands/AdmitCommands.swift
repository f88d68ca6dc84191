import CommandLine
import Configuration
import Files
import Fleet
import Ledger
import Processes
import Support

/// `gadwall node admit`
enum NodeAdmitCommand: Command {
  /// Bacalhau itself takes no larger job; one of ours has at most 96 KiB.
  private static let limit = ByteCount.mebibytes(1)

  static let definition = CommandDefinition(
    ["node", "admit"], summary: "On a node: judge a job of Bacalhau's before it starts.",
    discussion: """
      For JobAdmissionControl.ProbeExec. Reads the job on standard input and ends with 0 when it is one of Gadwall's that the node's policy \
      (/etc/gadwall/policy.yaml) lets in: image, task, mounts, network, resources, store and the columns of a query. Else it ends with 2 and gives the \
      reason as one sentence on standard error. What is refused is written to the node's audit log.
      """,
    flags: [rootFlag],
    examples: [("gadwall node admit < probe.json", "Would this node start it?")])

  static func run(_ arguments: ParsedArguments) async throws -> ExitStatus {
    let nodeRoot = nodeRoot(arguments)
    let offered: OfferedJob
    do {
      offered = judged(try payload(), try rules(nodeRoot))
    } catch {
      return refuse(OfferedJob(refusal: Failure.from(error).sentence), nodeRoot)
    }
    return offered.refusal == nil ? .done : refuse(offered, nodeRoot)
  }

  private static func payload() throws(Failure) -> JSONValue {
    let bytes: [UInt8]
    do throws(SystemError) { bytes = try readStandardInput(limit: limit) } catch {
      throw error.failure("admit.payload", "The job on standard input can't be read.")
    }
    return try decodeJSON(
      JSONValue.self, from: bytes, code: "admit.payload", document: "The job on standard input")
  }

  private static func rules(_ nodeRoot: String) throws(Failure) -> AdmissionRules {
    let policy = try PolicyFile.read(policyPath(nodeRoot))
    var rules = AdmissionRules()
    rules.images = policy.images
    rules.tasks = Set(policy.tasks.map(\.rawValue))
    rules.mounts = policy.mounts.map(BacalhauSettings.Mount.init)
    rules.networks = Set(policy.networks.map(BacalhauSettings.Network.init))
    rules.cpu = policy.cpu
    rules.memory = policy.memory
    rules.stores = policy.stores
    rules.answersQueries = policy.queries == .allow
    rules.columns = policy.columns.map { Set($0) }
    return rules
  }

  private static func refuse(_ offered: OfferedJob, _ nodeRoot: String) -> ExitStatus {
    let reason = offered.refusal ?? ""
    var entry = AuditLog.Entry(
      at: WallClock.system.now().description, task: offered.task ?? "admit", outcome: .refused)
    entry.job = offered.id
    entry.sql = offered.statement
    entry.reason = reason
    var words = reason
    do throws(Failure) {
      try AuditLog.ofNode(root: nodeRoot).append(entry)
    } catch {
      // It is refused all the same.
      words += " (\(error.sentence))"
    }
    Output.errors.line(words)
    return .failed
  }
}

/// `gadwall node audit`
enum NodeAuditCommand: Command {
  private static let check = Flag("check", "Follow the chain of digests, and say where it is broken.")
  private static let head = Flag(
    "head", value: "HEX", "With --check: a digest that an earlier check gave has to be in the chain.")

  static let definition = CommandDefinition(
    ["node", "audit"], summary: "On a node: what has been asked of it, and what left it.",
    discussion: """
      Each task that ran or was refused is one line of /var/lib/gadwall/audit.ndjson, with the digest of the line before. A line that is changed, taken \
      out or put in breaks the chain; that the newest ones are gone shows to who kept the digest that --check gives.
      """,
    flags: [rootFlag, check, head, formatFlag],
    examples: [
      ("gadwall node audit", "What was asked here?"),
      ("gadwall node audit --check", "Is it whole?"),
    ])

  static func run(_ arguments: ParsedArguments) async throws -> ExitStatus {
    let nodeRoot = nodeRoot(arguments)
    let log = AuditLog.ofNode(root: nodeRoot)
    let format = try arguments.choice(formatFlag, OutputFormat.self) ?? .table
    let wanted = arguments.value(head)
    if wanted != nil, !arguments.has(check) {
      throw UsageError("--head belongs to --check.", command: definition.name)
    }
    guard arguments.has(check) else {
      try show(log, format)
      return .done
    }
    let report = try log.check(wanted: wanted)
    switch format {
    case .json: Output.standard.write(encodeJSON(report, pretty: true) + [0x0A])
    case .table:
      for fault in report.faults { Output.standard.line("✘ \(printable(fault))") }
      if !report.hasWanted { Output.standard.line("✘ no line has the digest \(printable(wanted ?? ""))") }
      Output.standard.line("\(counted(report.lines, "line")), the last with the digest \(report.head)")
    }
    return report.faults.isEmpty && report.hasWanted ? .done : .partial
  }

  private static func show(_ log: AuditLog, _ format: OutputFormat) throws(Failure) {
    let entries = try log.entries()
    switch format {
    case .json: for entry in entries { Output.standard.write(encodeJSON(entry) + [0x0A]) }
    case .table:
      var table = TextTable(columns: [
        ("at", .left), ("task", .left), ("outcome", .left), ("files", .right), ("rows", .right),
        ("bytes", .right),
        ("what", .left),
      ])
      table.rows = entries.map { entry in
        let what = [entry.reason, entry.sql].compactMap(\.self).joined(separator: ": ")
        return [
          entry.at, entry.task, entry.outcome.rawValue, entry.files.map { grouped(Int64($0)) } ?? "",
          entry.rows.map(grouped) ?? "", entry.bytes.map { ByteCount($0).description } ?? "",
          printable(what).replacing("\n", with: "⏎"),
        ]
      }
      Output.standard.write(table.rendered(width: Terminal.width(.standard)))
    }
  }
}
