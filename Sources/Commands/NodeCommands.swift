import CommandLine
import Configuration
import DuckDB
import Files
import Fleet
import FleetQuery
import Glibc
import Harvest
import Ledger
import Logs
import ObjectStorage
import Processes
import Rows
import Support

let rootFlag = Flag("root", value: "DIR", "The node's root; / on a machine of its own.")
private let task = Flag("task", value: "KEY", "The task document: a key in the store, or a file's path.")
private let digest = Flag("task-sha256", value: "HEX", "What the document's SHA-256 has to be.")
private let progress = Flag(
  "progress", value: "none|json", "json: a line of JSON on standard error now and then.")
private let flags = [rootFlag] + StoreFlags.all + [task, digest, progress]
private let statement = Flag(
  "statement", value: "SQL", "What the user wrote, as the task document has to have it.")
private let columns = Flag(
  "columns", value: "NAME,…", "The columns that the query uses, as the task document has to have them.")

func nodeRoot(_ arguments: ParsedArguments) -> String { resolvedPath(arguments.value(rootFlag) ?? "/") }

/// What the node's administrator says.
func policyPath(_ nodeRoot: String) -> String { joined(nodeRoot, "etc/gadwall/policy.yaml") }

private enum ProgressKind: String, CaseIterable { case none, json }

/// A task's line in the node's audit log.
private struct TaskAudit {
  let log: AuditLog
  private let first: AuditLog.Entry

  init(_ arguments: ParsedArguments, _ kind: NodeTask.Kind) {
    log = .ofNode(root: nodeRoot(arguments))
    var entry = AuditLog.Entry(
      at: WallClock.system.now().description, task: kind.rawValue, outcome: .answered)
    entry.job = environmentValue("BACALHAU_JOB_ID")
    entry.execution = environmentValue("BACALHAU_EXECUTION_ID")
    entry.sql = arguments.value(statement)
    first = entry
  }

  /// Does the task, which fills in what it did. One that fails is written down here.
  func noting(_ body: (inout AuditLog.Entry) async throws -> Void) async throws {
    var entry = first
    do { try await body(&entry) } catch {
      entry.outcome = .failed
      entry.reason = Failure.from(error).sentence
      // It has failed either way, and maybe for the same reason.
      try? log.append(entry)
      throw error
    }
  }

  /// What a harvest did is done, and in the ledger: a full disk does not undo it.
  func note(_ entry: AuditLog.Entry) {
    do throws(Failure) { try log.append(entry) } catch { Output.errors.line(error.description) }
  }
}

/// What has a part for each node that it is for.
private protocol DocumentOfNodes: Decodable {
  associatedtype NodePart: Codable, Sendable
  var nodes: PartsByReader<NodePart> { get }
}

extension TaskDocument: DocumentOfNodes {}
extension QueryDocument: DocumentOfNodes {}
extension ProbeDocument: DocumentOfNodes {}

/// What a node's tasks are started with.
private struct NodeTaskStart<Document: DocumentOfNodes> {
  var context: NodeContext
  var document: Document
  /// What the node lets out.
  var policy = PolicyFile()

  init(_ arguments: ParsedArguments) async throws {
    func required(_ flag: Flag) throws -> String {
      guard let value = arguments.value(flag) else {
        throw UsageError("--\(flag.name) is missing.", command: arguments.definition.name)
      }
      return value
    }
    let nodeRoot = nodeRoot(arguments)
    let store = try StoreDescription(arguments).open(credentials: joined(nodeRoot, "etc/gadwall/credentials"))
    let name = try required(task)
    let bytes = try await taskDocument(name, store)
    if let wanted = arguments.value(digest), sha256(bytes) != wanted.lowercased() {
      throw Failure(
        "task.digest",
        "The task document \(printable(name)) is not the one that was meant: its digest is another.")
    }
    let node = try NodeContext.identity(declared: try declaredNode(nodeRoot), environment: environmentNode())
    document = try decodeJSON(
      Document.self, from: bytes, code: "task.broken", document: "The task document \(printable(name))",
      remedy: "Install the same Gadwall on the node and on the control machine.", reader: node.key)
    guard document.nodes[node.key] != nil else {
      throw Failure(
        "task.other-node", "The task is not for the node \(node), which this machine is.",
        remedy:
          "Region, zone and name in \(joined(nodeRoot, "var/lib/gadwall/node.yaml")) have to be those that the engine knows it by: on Bacalhau the labels region and zone, and the node's name."
      )
    }
    let policyPath = policyPath(nodeRoot)
    // Without the file there is no policy; one that can't be looked at is no such case.
    var hasPolicy = true
    do throws(SystemError) { _ = try FileInfo(path: policyPath) } catch {
      guard error.isMissing else {
        throw error.failure("config.unreadable", "The node's policy \(policyPath) can't be read.")
      }
      hasPolicy = false
    }
    if hasPolicy { policy = try PolicyFile.read(policyPath) }
    var duckdb = try DuckDB.locate(configured: nil)
    duckdb.sandboxIsOptional = policy.sandbox == .optional
    let kind = try arguments.choice(progress, ProgressKind.self) ?? .none
    context = NodeContext(
      node: node, root: nodeRoot, store: store, duckdb: duckdb,
      progress: { step in
        if kind == .json { Output.errors.write(encodeJSON(step) + [0x0A]) }
      })
  }
}

/// The document's bytes, from the store or from a file.
private func taskDocument(_ name: String, _ store: any ObjectStore) async throws(Failure) -> [UInt8] {
  if isProperKey(name), let bytes = try await store.get(name, limit: .mebibytes(256)) { return bytes }
  do throws(SystemError) {
    return try readFile(name, limit: .mebibytes(256))
  } catch {
    throw error.failure(
      "task.missing", "The task document \(printable(name)) is neither in the store nor a file.")
  }
}

private func environmentNode() -> Node? {
  guard let region = environmentValue("GADWALL_REGION"), let zone = environmentValue("GADWALL_ZONE"),
    let name = environmentValue("GADWALL_NODE")
  else { return nil }
  return Node(region: region, zone: zone, name: name)
}

private func declaredNode(_ root: String) throws(Failure) -> Node? {
  let path = joined(root, "var/lib/gadwall/node.yaml")
  guard exists(path) else { return nil }
  let parts = try NodeFile.read(path)
  return Node(region: parts.region, zone: parts.zone, name: parts.name)
}

/// `gadwall node stage`
enum NodeStageCommand: Command {
  static let definition = CommandDefinition(
    ["node", "stage"],
    summary: "On a node: bring the rotated files into the store and report. Run by an engine.",
    discussion: """
      Prints {"warning":"raw_logs_not_found",…} when there is no rotated file at all. Ends with 0 whenever its report was written, whatever \
      is in it. Deletes nothing.
      """,
    flags: flags)

  static func run(_ arguments: ParsedArguments) async throws -> ExitStatus {
    let audit = TaskAudit(arguments, .stage)
    try await audit.noting { entry in
      let start = try await NodeTaskStart<TaskDocument>(arguments)
      entry.id = start.document.run
      let report = try await StageTask(context: start.context, document: start.document).run()
      if report.head.foundNothing {
        Output.standard.line(
          #"{"warning":"raw_logs_not_found","date":"\#(Instant(seconds: start.context.clock.now().seconds))"}"#
        )
      }
      // A rehearsal leaves the node as it is.
      guard !start.document.isRehearsal else { return }
      let batches = report.bundles.flatMap(\.batches)
      entry.files = batches.count
      entry.rows = batches.reduce(0) { $0 + $1.rows }
      entry.bytes = batches.reduce(0) { $0 + $1.bytes }
      audit.note(entry)
    }
    return .done
  }
}

/// `gadwall node prune`
enum NodePruneCommand: Command {
  static let definition = CommandDefinition(
    ["node", "prune"], summary: "On a node: delete the rotated files that are proven. Run by an engine.",
    discussion: """
      Reads the proofs that the task document names, compares each with the node's own ledger, sets the file aside, checks that nobody has it open and that \
      its content is what was archived, and deletes it. Whatever does not fit stays, with its reason in the report.
      """,
    flags: flags)

  static func run(_ arguments: ParsedArguments) async throws -> ExitStatus {
    let audit = TaskAudit(arguments, .prune)
    try await audit.noting { entry in
      let start = try await NodeTaskStart<TaskDocument>(arguments)
      entry.id = start.document.run
      let report = try await PruneTask(context: start.context, document: start.document).run()
      entry.files = report.pruned.count
      entry.bytes = report.bytes
      audit.note(entry)
    }
    return .done
  }
}

/// `gadwall node query`
enum NodeQueryCommand: Command {
  static let definition = CommandDefinition(
    ["node", "query"], summary: "On a node: read what a statement asks for, and report. Run by an engine.",
    discussion: """
      Reads the files that are not in the archive yet into frames of the columns that the task document names, asks its questions of them where nothing else \
      can be read, sends what comes of it, and reports. /etc/gadwall/policy.yaml below the root says what is let out. Changes nothing on the node and waits for \
      no other task.
      """,
    flags: flags + [statement, columns])

  static func run(_ arguments: ParsedArguments) async throws -> ExitStatus {
    let audit = TaskAudit(arguments, .query)
    try await audit.noting { entry in
      let start = try await NodeTaskStart<QueryDocument>(arguments)
      let document = start.document
      entry.id = document.query
      entry.sql = document.statement
      try check(arguments, document)
      let (log, begun) = (audit.log, entry)
      let task = QueryTask(
        context: start.context, document: document, policy: try QueryPolicy(start.policy),
        beforeReport: { report throws(Failure) in
          var entry = begun
          entry.files = report.fileCount
          entry.rows = report.parts.reduce(0) { $0 + $1.rows }
          entry.bytes = report.parts.reduce(0) { $0 + $1.bytes }
          if let reason = report.refused {
            entry.outcome = .refused
            entry.reason = reason
          }
          try log.append(entry)
        })
      _ = try await task.run()
    }
    return .done
  }

  /// What the job said to the node's admission has to be what the document says.
  private static func check(_ arguments: ParsedArguments, _ document: QueryDocument) throws(Failure) {
    for (flag, said) in [(statement, document.statement), (columns, document.columnList)] {
      guard let value = arguments.value(flag), value != said else { continue }
      throw Failure("task.digest", "The task document's \(flag.name) is not the one that the job says.")
    }
  }
}

/// `gadwall node probe`
enum NodeProbeCommand: Command {
  static let definition = CommandDefinition(
    ["node", "probe"],
    summary: "On a node: try what tasks will need, and print what is missing. Run by an engine.",
    flags: flags)

  static func run(_ arguments: ParsedArguments) async throws -> ExitStatus {
    let start = try await NodeTaskStart<ProbeDocument>(arguments)
    let report = await ProbeTask(context: start.context, document: start.document).run()
    Output.standard.write(report.line + [0x0A])
    return .done
  }
}

extension QueryPolicy {
  /// - Throws: `config.value` for names that are none, and a key that can't be used.
  fileprivate init(_ file: PolicyFile) throws(Failure) {
    self.init()
    func check(_ names: [String]?, _ what: String, _ known: [String]) throws(Failure) {
      guard let wrong = names?.first(where: { !known.contains($0) }) else { return }
      throw Failure(
        "config.value", "The node's policy names a \(what) that is none: \(printable(wrong)).",
        remedy: "Known are \(known.joined(separator: ", ")).")
    }
    answersQueries = file.queries == .allow
    logs = file.logs.map { Set($0) }
    try check(file.columns, "column", relationColumns.map(\.name))
    columns = file.columns.map { Set($0) }
    for column in RowColumn.allCases {
      switch file.redact[column.name] {
      case .remove: redacted[column] = .remove
      case .hash: redacted[column] = .hash
      case .keep, nil: break
      }
    }
    if let path = file.hashKey {
      do throws(SystemError) { key = try readFile(path, limit: .kibibytes(4)) } catch {
        throw error.failure("config.unreadable", "The key \(path) of the node's policy can't be read.")
      }
      guard key.count >= 16 else {
        throw Failure("config.value", "The key \(path) of the node's policy has fewer than 16 bytes.")
      }
    }
    rows = file.rows
    smallestGroup = file.smallestGroup
    maxRows = file.maxRows
    maxBytes = file.maxBytes
  }
}
