public import Logs
public import Support

/// What an answer covers: which nodes gave what, and what is missing.
public struct Coverage: Sendable, Codable {
  public struct NodeCoverage: Sendable, Codable {
    public enum State: String, Sendable, Codable {
      case answered, refused, failed, timedOut = "timed-out", offline
    }

    public var node: Node
    public var state: State
    /// Why it did not answer.
    public var reason: String?
    public var files = 0
    @Count public var bytes: Int64
    @Count public var lines: Int64
    /// Nil when it was not counted: lines that could not have a row of the answer were passed over unread.
    public var malformed: Int64? = 0
    /// Files that were left unread for the same reason.
    public var prunedFiles = 0
    /// Bytes of its answer, and its rows: groups, or rows of the logs.
    @Count public var moved: Int64
    @Count public var movedRows: Int64
    public var seconds = 0.0
    /// What the node's policy changes of its rows.
    public var policy: [String] = []
    /// Its policy keeps back groups that are too small, if there are any: then they are missing from the answer.
    public var mayWithhold = false
    /// Files that were not read; the gaps among them are missing from the answer.
    public var passedOver: [PassedOver] = []

    public init(node: Node, state: State, reason: String? = nil) {
      self.node = node
      self.state = state
      self.reason = reason
      bytes = 0
      lines = 0
      moved = 0
      movedRows = 0
    }

    var gaps: [PassedOver] { passedOver.filter(\.isGap) }
  }

  public var nodes: [NodeCoverage] = []
  /// The snapshot that the archive was read as of; nil when there is none, or it was not asked for.
  public var snapshot: Int64?
  /// Nodes that the statement's own conditions left out.
  public var pruned = 0
  public var seconds = 0.0

  public init() {}

  public func count(_ state: NodeCoverage.State) -> Int { nodes.count { $0.state == state } }
  /// Whether every row that was asked for was seen.
  public var isWhole: Bool {
    nodes.allSatisfy { $0.state == .answered && $0.gaps.isEmpty && !$0.mayWithhold }
  }
  /// Whether anybody answered; a statement that asks no node has its answer.
  public var hasAnswers: Bool { nodes.isEmpty || nodes.contains { $0.state == .answered } }

  /// One line for people.
  public var line: String {
    func sum(_ value: (NodeCoverage) -> Int64) -> Int64 { nodes.reduce(0) { $0 + value($1) } }
    var parts = ["\(count(.answered)) of \(counted(nodes.count, "node"))"]
    for (state, word) in [
      (NodeCoverage.State.refused, "refused"), (.failed, "failed"), (.timedOut, "timed out"),
      (.offline, "offline"),
    ] where count(state) > 0 {
      parts.append("\(count(state)) \(word)")
    }
    if pruned > 0 { parts.append("\(pruned) left out by the statement") }
    parts.append(counted(nodes.reduce(0) { $0 + $1.files }, "file"))
    let prunedFiles = nodes.reduce(0) { $0 + $1.prunedFiles }
    if prunedFiles > 0 { parts.append("\(grouped(Int64(prunedFiles))) more not needed") }
    parts.append("\(ByteCount(sum(\.bytes))) read")
    parts.append("\(grouped(sum(\.lines))) lines")
    let malformed = sum { $0.malformed ?? 0 }
    if malformed > 0 { parts.append("\(grouped(malformed)) malformed") }
    let gaps = nodes.reduce(0) { $0 + $1.gaps.count }
    if gaps > 0 { parts.append("\(counted(gaps, "file")) missing") }
    if nodes.contains(where: \.mayWithhold) { parts.append("small groups withheld") }
    if nodes.contains(where: { !$0.policy.isEmpty }) { parts.append("limited by policy") }
    parts.append("\(ByteCount(sum(\.moved))) moved")
    if let snapshot { parts.append("archive as of snapshot \(snapshot)") }
    parts.append("\(decimal(seconds, places: 2)) s")
    return parts.joined(separator: ", ")
  }
}
