public import Logs
public import Support

/// All that a harvest did and did not do. `--format json` prints it, and the store keeps it as `runs/RUN/summary.json`.
public struct HarvestSummary: Sendable, Codable {
  public struct NodeSummary: Sendable, Codable {
    public var node: Node
    public var stage: StageReport.Totals
    public var pruned = 0
    public var prunedBytes: Int64 = 0
    /// Why the node did not do its task; nil when it did.
    public var failure: String?
    /// What it did not take or not delete, each with its reason.
    public var problems: [String] = []
    public var passedOver: [PassedOver] = []
    public var missingFolders: [String] = []
    public var foundNothing = false
    public var withoutLease = 0
  }

  public struct Snapshot: Sendable, Codable {
    /// The run whose plan it holds: an earlier one where that was finished now.
    public var run: String
    public var id: Int64
    public var sequence: Int64
    public var rows: Int64
    public var files: Int
  }

  public var run: String
  public var startedAt: String
  public var seconds = 0.0
  public var nodes: [NodeSummary]
  public var snapshots: [Snapshot] = []
  public var provenBatches: Int { proven.count }
  /// Urgent rows of all that was proven in this run.
  public var urgent: Int64 { proven.reduce(0) { $0 + $1.facts.urgent } }
  public var proven: [ProvenBatch] = []
  /// The first urgent rows of all nodes.
  public var urgentRows: [JSONValue] = []

  init(run: String, startedAt: Instant, nodes: [Node]) {
    self.run = run
    self.startedAt = startedAt.description
    self.nodes = nodes.map { NodeSummary(node: $0, stage: StageReport.Totals()) }
  }

  /// Whether all that there was to do was done.
  public var isComplete: Bool {
    nodes.allSatisfy { $0.failure == nil && $0.problems.isEmpty && !$0.passedOver.contains(where: \.isGap) }
  }

  /// Whether any node did its task at all.
  public var hasAnswers: Bool { nodes.contains { $0.failure == nil } }

  private mutating func change(_ node: Node, _ body: (inout NodeSummary) -> Void) {
    guard let index = nodes.firstIndex(where: { $0.node == node }) else { return }
    body(&nodes[index])
  }

  mutating func fail(_ node: Node, _ reason: String) {
    change(node) { $0.failure = $0.failure ?? reason }
  }

  mutating func addProblem(_ node: Node, _ problem: String) {
    change(node) { $0.problems.append(problem) }
  }

  mutating func add(_ report: StageReport) {
    change(report.head.node) { summary in
      summary.stage.batches += report.totals.batches
      summary.stage.lines += report.totals.lines
      summary.stage.entries += report.totals.entries
      summary.stage.malformed += report.totals.malformed
      summary.stage.blank += report.totals.blank
      summary.stage.urgent += report.totals.urgent
      summary.stage.bytesIn += report.totals.bytesIn
      summary.stage.bytesStored += report.totals.bytesStored
      summary.stage.seconds += report.totals.seconds
      summary.problems += report.failures
      summary.passedOver += report.passedOver
      summary.missingFolders = report.head.missingFolders
      summary.foundNothing = report.head.foundNothing
      summary.withoutLease += report.head.withoutLease
    }
    urgentRows += report.urgentRows
  }

  mutating func add(_ report: PruneReport) {
    change(report.node) { summary in
      summary.pruned += report.pruned.count + report.returned.count
      summary.prunedBytes += report.bytes
      summary.problems += report.kept.map { "\($0.file) stays: \($0.reason)" }
    }
  }
}
