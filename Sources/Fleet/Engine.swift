// The fleet: which nodes there are, and what carries a task to them.

public import Logs
public import Support

/// Which part of the fleet is meant: patterns with `*` and `?`, any of which may match; an empty list is no limit.
public struct NodeSelection: Sendable, Equatable, Codable {
  public var regions: [String] = []
  public var zones: [String] = []
  public var names: [String] = []

  public init(regions: [String] = [], zones: [String] = [], names: [String] = []) {
    self.regions = regions
    self.zones = zones
    self.names = names
  }

  public func matches(_ node: Node) -> Bool {
    func any(_ patterns: [String], _ value: String) -> Bool {
      patterns.isEmpty || patterns.contains { wildcardMatches($0, value) }
    }
    return any(regions, node.region) && any(zones, node.zone) && any(names, node.name)
  }

  /// The patterns that match none of the nodes, as the flags that gave them.
  public func unmatched(among nodes: [Node]) -> [String] {
    func missing(_ flag: String, _ patterns: [String], _ part: (Node) -> String) -> [String] {
      patterns.filter { pattern in !nodes.contains { wildcardMatches(pattern, part($0)) } }.map {
        "--\(flag) \($0)"
      }
    }
    return missing("region", regions, \.region) + missing("zone", zones, \.zone)
      + missing("node", names, \.name)
  }
}

/// Whether the pattern (`*` any run, `?` any one character) matches the whole text.
public func wildcardMatches(_ pattern: String, _ text: String) -> Bool {
  let pattern = Array(pattern)
  let text = Array(text)
  var p = 0
  var t = 0
  var star: (p: Int, t: Int)?
  while t < text.count {
    if p < pattern.count, pattern[p] == "*" {
      star = (p, t)
      p += 1
    } else if p < pattern.count, pattern[p] == "?" || pattern[p] == text[t] {
      p += 1
      t += 1
    } else if let last = star {
      star = (last.p, last.t + 1)
      p = last.p + 1
      t = last.t + 1
    } else {
      return false
    }
  }
  return pattern[p...].allSatisfy { $0 == "*" }
}

/// What a node is asked to do: the same for every node, what differs lies in the task document.
public struct NodeTask: Sendable {
  public enum Kind: String, Sendable, Codable, CaseIterable {
    case stage, prune, query, probe
  }

  public var kind: Kind
  /// The run that it belongs to.
  public var run: String
  /// The task document in the store, and its SHA-256 in hex.
  public var document: String
  public var digest: String
  /// How long one node may take.
  public var seconds: Double
  /// Of a query: what the user wrote, and the columns that it uses, for whom the node lets judge it before it starts.
  public var statement: String?
  public var columns: String?

  public init(kind: Kind, run: String, document: String, digest: String, seconds: Double) {
    self.kind = kind
    self.run = run
    self.document = document
    self.digest = digest
    self.seconds = seconds
  }
}

/// What became of one node's task. A node that was asked always has exactly one.
public struct NodeOutcome: Sendable {
  public enum Ending: Sendable, Equatable {
    /// It ran to its end; its report lies in the store.
    case answered
    case refused(String)
    case failed(String)
    case timedOut
    /// Why, as far as is known.
    case offline(String)
  }

  public var node: Node
  public var ending: Ending
  /// What the node printed for people, as it came.
  public var output: String

  public init(node: Node, ending: Ending, output: String = "") {
    self.node = node
    self.ending = ending
    self.output = output
  }
}

/// How far a node has come.
public struct NodeProgress: Sendable, Codable, Equatable {
  public var phase: String
  public var bytes: Int64
  public var entries: Int64

  public init(phase: String, bytes: Int64, entries: Int64) {
    self.phase = phase
    self.bytes = bytes
    self.entries = entries
  }
}

/// What carries tasks to nodes. The commands don't know which one they use.
public protocol Engine: Sendable {
  var name: String { get }
  /// Where its nodes come from, for somebody who has none.
  var whereNodesAre: String { get }

  /// The nodes that match, as the engine knows them now, reachable or not.
  func nodes(matching selection: NodeSelection) async throws(Failure) -> [Node]

  /// What else there is, by its name, and is no node of ours.
  func others() async throws(Failure) -> [String]

  /// Carries one task to each of these nodes. Yields one outcome per node, in the order they arrive, and ends when every node has one or the
  /// deadline has passed.
  func run(
    _ task: NodeTask, on nodes: [Node], deadline: Deadline,
    progress: @escaping @Sendable (Node, NodeProgress) -> Void
  ) -> AsyncStream<NodeOutcome>

  /// What it would submit for the task, as its own tools take it.
  ///
  /// - Throws: `engine.no-jobs` when it has none.
  func printedJob(for task: NodeTask, on nodes: [Node]) throws(Failure) -> [UInt8]

  /// Waits until all that it began has ended: jobs that nobody waits for any longer are stopped by then.
  func settled() async
}

extension Engine {
  public func printedJob(for task: NodeTask, on nodes: [Node]) throws(Failure) -> [UInt8] {
    throw Failure(
      "engine.no-jobs", "The engine '\(name)' submits no jobs.", remedy: "The engine 'bacalhau' does.")
  }

  public func settled() async {}

  public func others() async throws(Failure) -> [String] { [] }

  /// The nodes that are meant.
  ///
  /// - Throws: `fleet.empty`; `fleet.no-match`, which lists the known ones, for a pattern that matches none.
  public func chosenNodes(_ selection: NodeSelection) async throws(Failure) -> [Node] {
    let all = try await nodes(matching: NodeSelection())
    guard !all.isEmpty else {
      throw Failure(
        "fleet.empty", "The engine '\(name)' has no node.",
        remedy: whereNodesAre)
    }
    let unmatched = selection.unmatched(among: all)
    let chosen = all.filter(selection.matches)
    guard unmatched.isEmpty, !chosen.isEmpty else {
      throw Failure(
        "fleet.no-match",
        "No node matches \(unmatched.isEmpty ? "all of the patterns at once" : unmatched.joined(separator: " ")).",
        remedy: "Known nodes: \(all.map(\.description).joined(separator: ", ")).")
    }
    return chosen
  }
}
