import DuckDB
import Files
import Ledger
import Logs
import ObjectStorage
public import Support

/// What a node is to look at for `gadwall doctor`.
public struct ProbeDocument: Sendable, Codable {
  /// There is nothing to say to a single node, but that it is meant.
  public struct NodePart: Sendable, Codable {}

  public var format = 1
  public var run: String
  public var logs: TaskDocument.Logs
  /// Where data files go, as a URL; nil while there is no table and no catalog to ask.
  public var dataPath: String?
  public var nodes: PartsByReader<NodePart>

  /// Objects of its own, of which nothing is left.
  public static func prefix(_ run: String) -> String { "queries/\(run)-" }
}

/// What a node found, small enough to be printed: of a container's output Bacalhau keeps 2,048 bytes.
public struct ProbeReport: Sendable, Codable, Equatable {
  public struct Fault: Sendable, Codable, Equatable {
    public var what: String
    public var remedy: String

    public init(what: String, remedy: String) {
      self.what = what
      self.remedy = remedy
    }

    init(_ failure: Failure) {
      let words = failure.words.split(separator: "\n").first.map { ": \($0)" } ?? ""
      self.init(
        what: String((failure.sentence + words).prefix(300)), remedy: String(failure.remedy.prefix(160)))
    }
  }

  /// The node's clock, in seconds since 1970.
  public var at: Double
  public var version: String
  public var live = 0
  public var rotated = 0
  /// Folders of the logs that are not there: no fault, and worth knowing.
  public var missingFolders: [String] = []
  public var faults: [Fault] = []

  static let limit = 2_000

  /// One line, as long as it may be.
  public var line: [UInt8] {
    var report = self
    while true {
      let bytes = encodeJSON(report)
      if bytes.count < Self.limit || report.faults.isEmpty && report.missingFolders.isEmpty { return bytes }
      if report.missingFolders.popLast() == nil { report.faults.removeLast() }
    }
  }
}

/// Tries what tasks will need on a node, and leaves nothing behind.
public struct ProbeTask: Sendable {
  let context: NodeContext
  let document: ProbeDocument

  public init(context: NodeContext, document: ProbeDocument) {
    self.context = context
    self.document = document
  }

  public func run() async -> ProbeReport {
    let now = context.clock.now()
    var report = ProbeReport(at: Double(now.microseconds) / 1e6, version: DuckDB.version)
    lookAtState(&report)
    lookAtLogs(&report)
    for look in [lookAtStore, lookAtDuckDB] {
      do throws(Failure) { try await look() } catch { report.faults.append(ProbeReport.Fault(error)) }
    }
    return report
  }

  private func lookAtState(_ report: inout ProbeReport) {
    do throws(Failure) {
      try tryState()
      try AuditLog.ofNode(root: context.root).prepare()
      // Opened as it is: none is made for it.
      if exists(context.ledgerPath) { _ = try Ledger.open(context.ledgerPath, node: context.node) }
    } catch {
      report.faults.append(ProbeReport.Fault(error))
    }
  }

  private func tryState() throws(Failure) {
    do throws(SystemError) {
      try makeFolder(context.stateFolder, mode: 0o750)
      let path = joined(context.stateFolder, "probe-\(randomName())")
      try publish([0x0A], at: path, replacing: false)
      try removeFile(path)
    } catch {
      throw error.failure(
        "node.state", "The node's folder \(context.stateFolder) can't be written to.",
        remedy:
          "Ledger, audit log and scratch files lie there: mount it to be written, with room on its disk.")
    }
  }

  private func lookAtLogs(_ report: inout ProbeReport) {
    let inventory = takeInventory(
      root: context.root, live: document.logs.live, rotated: document.logs.rotated, isKnown: { _ in true })
    report.live = inventory.live.count
    report.rotated = inventory.rotated.count
    report.missingFolders = inventory.missingFolders
    for folder in rotatedFolders(root: context.root, globs: document.logs.rotated) where !isWritable(folder) {
      report.faults.append(
        ProbeReport.Fault(
          what: "The folder \(relative(folder, context.root)) can't be written to.",
          remedy: "Proven files are deleted there: let it be mounted to be written."))
    }
  }

  private func lookAtStore() async throws(Failure) {
    let key = "\(ProbeDocument.prefix(document.run))\(context.node.key)"
    let bytes = Array(context.node.key.utf8)
    try await context.store.put(bytes, at: key)
    guard try await context.store.get(key, limit: .kibibytes(4)) == bytes else {
      throw Failure(
        "store.other", "What is put into the store does not come back.", remedy: "Check 'store.url'.")
    }
    if let dataPath = document.dataPath { try context.store.reach(dataPath) }
  }

  private func lookAtDuckDB() async throws(Failure) {
    var settings = DuckDB.Settings(deadline: .after(seconds: 30))
    settings.confinement = DuckDB.Confinement()
    try await context.duckdb.run(["SELECT 1"], settings)
  }
}
