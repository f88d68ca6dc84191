import Files
public import Logs
import Processes
public import Support
import Synchronization

/// A node of the local engine: a folder that is its root, as `/` would be on a machine of its own.
public struct LocalNode: Sendable, Equatable {
  public var node: Node
  public var root: String

  public init(node: Node, root: String) {
    self.node = node
    self.root = root
  }
}

/// The embedded engine: each node is a folder and a child process, `gadwall node …`. The same node code as everywhere.
public struct LocalEngine: Engine {
  public let name = "local"
  public let whereNodesAre = "List nodes under 'local.nodes' in the configuration."
  let all: [LocalNode]
  let executable: String
  /// What tells a node's command which store it is.
  let storeArguments: [String]
  let environment: [String: String]
  /// How many nodes work at once.
  let width: Int

  /// - Parameter environment: what the children get beside who they are.
  public init(
    nodes: [LocalNode], executable: String, storeArguments: [String], environment: [String: String],
    width: Int = 8
  ) {
    all = nodes
    self.executable = executable
    self.storeArguments = storeArguments
    self.environment = environment
    self.width = width
  }

  public func nodes(matching selection: NodeSelection) async throws(Failure) -> [Node] {
    all.map(\.node).filter(selection.matches)
  }

  public func run(
    _ task: NodeTask, on nodes: [Node], deadline: Deadline,
    progress: @escaping @Sendable (Node, NodeProgress) -> Void
  ) -> AsyncStream<NodeOutcome> {
    AsyncStream { continuation in
      let work = Task {
        await withTaskGroup(of: NodeOutcome.self) { group in
          var waiting = nodes[...]
          func startNext() {
            guard let node = waiting.popFirst() else { return }
            group.addTask { await runOne(task, on: node, deadline: deadline, progress: progress) }
          }
          for _ in 0..<width { startNext() }
          for await outcome in group {
            continuation.yield(outcome)
            startNext()
          }
        }
        continuation.finish()
      }
      continuation.onTermination = { _ in work.cancel() }
    }
  }

  private func runOne(
    _ task: NodeTask, on node: Node, deadline: Deadline,
    progress: @escaping @Sendable (Node, NodeProgress) -> Void
  ) async -> NodeOutcome {
    guard let local = all.first(where: { $0.node == node }) else {
      return NodeOutcome(node: node, ending: .failed("the local engine has no such node"))
    }
    guard exists(local.root) else {
      return NodeOutcome(node: node, ending: .offline("its root \(local.root) does not exist"))
    }
    var environment = self.environment
    environment["GADWALL_REGION"] = node.region
    environment["GADWALL_ZONE"] = node.zone
    environment["GADWALL_NODE"] = node.name
    let lines = ProgressLines { progress(node, $0) }
    let command = ChildCommand(
      executable,
      ["node", task.kind.rawValue, "--root", local.root] + storeArguments + [
        "--task", task.document, "--task-sha256", task.digest, "--progress", "json",
      ],
      environment: environment, outputLimit: .mebibytes(1), errorLimit: .kibibytes(64),
      deadline: min(deadline, .after(seconds: task.seconds)))
    do {
      let result = try await Processes.run(command) { stream, bytes in
        if stream == .errors { lines.take(bytes) }
      }
      let output = String(decoding: result.output, as: UTF8.self)
      if result.status == .exited(0) { return NodeOutcome(node: node, ending: .answered, output: output) }
      let words = lines.rest(result.errorText)
      return NodeOutcome(
        node: node, ending: .failed(words.isEmpty ? "\(result.status)" : words), output: output)
    } catch {
      switch error {
      case .deadline: return NodeOutcome(node: node, ending: .timedOut)
      case .start(let words), .unconfined(let words): return NodeOutcome(node: node, ending: .failed(words))
      case .outputLimit(let limit):
        return NodeOutcome(node: node, ending: .failed("it printed more than \(limit)"))
      case .cancelled: return NodeOutcome(node: node, ending: .failed("cancelled"))
      }
    }
  }
}

/// Picks the lines that tell progress out of a child's standard error.
private final class ProgressLines: Sendable {
  private let pending = Mutex<[UInt8]>([])
  private let report: @Sendable (NodeProgress) -> Void

  init(_ report: @escaping @Sendable (NodeProgress) -> Void) { self.report = report }

  func take(_ bytes: UnsafeRawBufferPointer) {
    let lines = pending.withLock { pending in
      pending.append(contentsOf: bytes)
      var lines: [[UInt8]] = []
      while let end = pending.firstIndex(of: 0x0A) {
        lines.append(Array(pending[..<end]))
        pending.removeSubrange(...end)
      }
      // A line that never ends is no progress of ours.
      if pending.count > 1 << 16 { pending.removeAll() }
      return lines
    }
    for line in lines where line.first == UInt8(ascii: "{") {
      if let progress = try? decodeJSON(NodeProgress.self, from: line, code: "progress", document: "progress")
      {
        report(progress)
      }
    }
  }

  /// The text without the progress lines.
  func rest(_ text: String) -> String {
    text.split(separator: "\n").filter { !$0.hasPrefix("{\"bytes\"") }.joined(separator: "\n")
  }
}
