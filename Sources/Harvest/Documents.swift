// The run: stage on the nodes, one commit for all of them, proof, prune. Plain values first: what travels between control machine and nodes.

import Files
public import Logs
public import Support

/// What a node is asked to do, the same document for all nodes of a task; what differs by node lies under the node's key.
public struct TaskDocument: Sendable, Codable {
  public struct Logs: Sendable, Codable {
    public var live: [String]
    public var rotated: [String]
    /// Seconds that a file must have been still where no lease is permitted.
    public var settle: Double

    public init(live: [String], rotated: [String], settle: Double) {
      self.live = live
      self.rotated = rotated
      self.settle = settle
    }
  }

  public struct Urgent: Sendable, Codable {
    /// SQL over the table's columns.
    public var condition: String
    /// How many urgent rows a node puts into its report.
    public var show: Int

    public init(condition: String, show: Int) {
      self.condition = condition
      self.show = show
    }
  }

  /// What one node has to know beside the rest.
  public struct NodePart: Sendable, Codable {
    /// No proof exists of this node: an empty ledger is the truth.
    public var isNew = false
    /// For a ledger that was lost: all that is proven of this node. Nil when the ledger is to be believed.
    public var adopt: [ProvenBatch]?
    /// Proofs to read before pruning.
    public var proofs: [ObjectReference] = []

    public init() {}
  }

  public var format = 1
  public var run: String
  public var task: String
  /// Say what would be done, and do nothing.
  public var isRehearsal = false
  /// The node stops by itself after this long.
  public var seconds: Double
  public var logs: Logs
  public var urgent: Urgent
  /// Seconds that a pruned file is kept under a private name.
  public var keep: Double
  /// Where data files go, as a URL.
  public var dataPath: String
  /// By node key.
  public var nodes: PartsByReader<NodePart>

  public init(
    run: String, task: String, seconds: Double, logs: Logs, urgent: Urgent, keep: Double, dataPath: String,
    nodes: PartsByReader<NodePart>
  ) {
    self.run = run
    self.task = task
    self.seconds = seconds
    self.logs = logs
    self.urgent = urgent
    self.keep = keep
    self.dataPath = dataPath
    self.nodes = nodes
  }
}

/// A file that a stage would read.
public struct PlannedFile: Sendable, Codable, Equatable {
  /// Relative to the node's root.
  public var file: String
  /// Files of the same number would become one bundle.
  public var bundle: Int
  @Count public var bytes: Int64
  public var rotated: Int64
}

public struct ObjectReference: Sendable, Codable, Equatable {
  public var key: String
  /// SHA-256 of the object in hex.
  public var digest: String

  public init(key: String, digest: String) {
    self.key = key
    self.digest = digest
  }
}

/// A bundle with one complete try: what a node reports, and what a plan is made of.
public struct StagedBundle: Sendable, Codable, Equatable {
  public var id: String
  public var node: Node
  public var day: Int32
  /// The name of the try whose data files these are.
  public var attempt: String
  public var batches: [BatchFacts]
  public var dataFiles: [DataFile]

  public var rows: Int64 { batches.reduce(0) { $0 + $1.rows } }
}

/// Why a reported bundle can't be true, or nil.
func contradiction(in bundle: StagedBundle, dataPath: String, isInStore: (String) -> Bool = { _ in false })
  -> String?
{
  if bundleID(batches: bundle.batches.map(\.id)) != bundle.id { return "its id is not that of its batches" }
  for batch in bundle.batches {
    if !batch.isConserved {
      return "batch \(batch.id.prefix(12)): its lines are not entries + malformed + blank"
    }
    if batch.day != bundle.day { return "batch \(batch.id.prefix(12)) was rotated on another day" }
    let id = batchID(
      node: bundle.node, folder: batch.folder, stream: batch.stream, rotated: batch.rotated,
      digest: batch.digest)
    if id != batch.id { return "batch \(batch.id.prefix(12)): its id is not that of its file" }
  }
  if bundle.dataFiles.reduce(0, { $0 + $1.rows }) != bundle.rows {
    return "its data files don't hold its rows"
  }
  for file in bundle.dataFiles where !file.url.hasPrefix(dataPath + "/") {
    // Staged when the catalog meant the table to lie elsewhere, before there was one. Its own name says whose it is.
    guard isInStore(file.url), baseName(file.url).hasPrefix("\(bundle.id.prefix(24))-\(bundle.attempt)-")
    else {
      return "the data file \(printable(file.url)) lies outside the table"
    }
  }
  return nil
}

/// All bundles that a run commits: written once, before the commit, and never changed.
public struct Plan: Sendable, Codable {
  public var format = 1
  public var run: String
  public var bundles: [StagedBundle]
}

/// A batch of which the control machine has read back that the table holds every line.
public struct ProvenBatch: Sendable, Codable, Equatable {
  public var facts: BatchFacts
  public var node: Node
  public var bundle: String
  public var run: String
  /// The snapshot that was found to hold it, and its sequence number; nil for a batch without rows.
  public var snapshot: Int64?
  public var sequence: Int64?
}

/// What a run's plan came to. Written once.
public struct Proof: Sendable, Codable {
  public var format = 1
  public var run: String
  /// When its snapshot was made; without one, when the proof was.
  public var writtenAt: String
  public var table: String
  public var tableUUID: String
  /// Nil when the run had only batches without rows, or all of them were there already.
  public var snapshot: Int64?
  public var sequence: Int64?
  public var batches: [ProvenBatch]
  public var dataFiles: [String]
  /// Bundles of the plan that another run had brought.
  public var leftOut: [String]
}

/// What a node says after stage. In the store as lines of JSON, the last of which says that it is whole.
public struct StageReport: Sendable {
  public struct Head: Sendable, Codable, Equatable {
    public var run: String
    public var node: Node
    public var version: String
    /// The ledger is new or was lost, and nothing was staged.
    public var wantsRebuild = false
    /// No file at all lay under the globs.
    public var foundNothing = false
    /// Files were taken by the weaker rule, since no lease is permitted here.
    public var withoutLease = 0
    public var missingFolders: [String] = []
  }

  /// What this task itself did, beside what earlier ones had left.
  public struct Totals: Sendable, Codable, Equatable {
    public var batches = 0
    @Count public var lines: Int64 = 0
    @Count public var entries: Int64 = 0
    @Count public var malformed: Int64 = 0
    @Count public var blank: Int64 = 0
    @Count public var urgent: Int64 = 0
    @Count public var bytesIn: Int64 = 0
    @Count public var bytesStored: Int64 = 0
    public var seconds = 0.0

    public init() {}
  }

  public var head: Head
  public var bundles: [StagedBundle] = []
  public var passedOver: [PassedOver] = []
  /// Bundles that could not be staged, each with its reason.
  public var failures: [String] = []
  /// The first urgent rows, one JSON object each.
  public var urgentRows: [JSONValue] = []
  public var totals = Totals()
  /// In a rehearsal: files that would be read, and files of bundles that wait for their proof.
  public var planned: [PlannedFile] = []
  public var known: [String] = []
  /// Bundles that this very task brought into the store. Does not travel.
  var own: Set<String> = []

  init(head: Head) { self.head = head }
}

/// What a node says after prune.
public struct PruneReport: Sendable, Codable, Equatable {
  public struct Kept: Sendable, Codable, Equatable {
    public var batch: String
    public var file: String
    public var reason: String
  }

  public var run: String
  public var node: Node
  /// Batches whose files went, all of them by their ids.
  public var pruned: [String] = []
  public var kept: [Kept] = []
  /// Files that came back after their batch had been pruned, and went again.
  public var returned: [String] = []
  @Count public var bytes: Int64 = 0
  public var seconds = 0.0

  init(run: String, node: Node) {
    self.run = run
    self.node = node
  }
}

// MARK: the stage report as lines

private struct ReportLine: Codable {
  enum Kind: String, Codable { case stage, bundle, file, failure, urgent, planned, known, end }

  var kind: Kind
  var head: StageReport.Head?
  var bundle: StagedBundle?
  var file: PassedOver?
  var failure: String?
  var row: JSONValue?
  var planned: PlannedFile?
  var known: String?
  var totals: StageReport.Totals?
}

extension StageReport {
  func encoded() -> [UInt8] {
    var lines = [ReportLine(kind: .stage, head: head)]
    lines += bundles.map { ReportLine(kind: .bundle, bundle: $0) }
    lines += passedOver.map { ReportLine(kind: .file, file: $0) }
    lines += failures.map { ReportLine(kind: .failure, failure: $0) }
    lines += urgentRows.map { ReportLine(kind: .urgent, row: $0) }
    lines += planned.map { ReportLine(kind: .planned, planned: $0) }
    lines += known.map { ReportLine(kind: .known, known: $0) }
    lines.append(ReportLine(kind: .end, totals: totals))
    return Array(lines.map { encodeJSON($0) + [0x0A] }.joined())
  }

  /// - Throws: `report.broken` for one that isn't whole.
  init(parsing bytes: [UInt8], name: String) throws(Failure) {
    var report: StageReport?
    var isWhole = false
    for line in bytes.split(separator: 0x0A) {
      let read = try decodeJSON(
        ReportLine.self, from: Array(line), code: "report.broken", document: "The report \(name)",
        remedy: recoverRemedy)
      if read.kind == .stage, let head = read.head { report = StageReport(head: head) }
      if let bundle = read.bundle { report?.bundles.append(bundle) }
      if let file = read.file { report?.passedOver.append(file) }
      if let failure = read.failure { report?.failures.append(failure) }
      if let row = read.row { report?.urgentRows.append(row) }
      if let planned = read.planned { report?.planned.append(planned) }
      if let known = read.known { report?.known.append(known) }
      if let totals = read.totals { report?.totals = totals }
      isWhole = read.kind == .end
    }
    guard let report, isWhole else {
      throw Failure("report.broken", "The report \(name) is not whole.", remedy: recoverRemedy)
    }
    self = report
  }
}
