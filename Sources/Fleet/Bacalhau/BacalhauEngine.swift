public import HTTP
public import Logs
public import Support
import Synchronization

/// One `ops` job per task, on every node that is meant. What differs by node lies in the task document, and reports come back through the store:
/// of what a container prints Bacalhau keeps 2,048 bytes.
public struct BacalhauEngine: Engine {
  public let name = "bacalhau"
  let client: BacalhauClient
  let settings: BacalhauSettings
  let storeArguments: [String]
  private let ending = Pending()

  /// - Parameters:
  ///   - api: `http://host:1234`.
  ///   - storeArguments: what tells a node's command which store it is.
  ///   - wait: waits for so many seconds, and not for longer than its task lives.
  public init(
    api: String, login: BacalhauLogin, http: HTTPClient, settings: BacalhauSettings, storeArguments: [String],
    wait: @escaping @Sendable (Double) async -> Void = { try? await Task.sleep(for: .seconds($0)) }
  ) {
    client = BacalhauClient(api: api, login: login, http: http, wait: wait)
    self.settings = settings
    self.storeArguments = storeArguments
  }

  public var whereNodesAre: String {
    "A node is one of Bacalhau's that has the labels region and zone: 'bacalhau serve --compute --name NAME -c Labels=region=…,zone=…'."
  }

  public func nodes(matching selection: NodeSelection) async throws(Failure) -> [Node] {
    try await client.checkVersion()
    return try await client.nodes().compactMap(\.node).filter(selection.matches).sorted { $0.key < $1.key }
  }

  public func others() async throws(Failure) -> [String] {
    try await client.nodes().filter { $0.isCompute && $0.node == nil }.map(\.facts.nodeID).sorted()
  }

  public func printedJob(for task: NodeTask, on nodes: [Node]) throws(Failure) -> [UInt8] {
    encodeJSON(try job(task, nodes, again: false).value, pretty: true) + [0x0A]
  }

  private func job(_ task: NodeTask, _ nodes: [Node], again: Bool) throws(Failure) -> JobSpec {
    // The document's digest tells a run's two stages apart, and makes a job that is submitted twice one.
    let name = "gadwall-\(task.kind.rawValue)-\(task.run)-\(task.digest.prefix(8))\(again ? "-again" : "")"
    return try JobSpec(name: name, task, storeArguments: storeArguments, on: nodes.map(\.name), settings)
  }

  public func settled() async { await ending.wait() }

  public func run(
    _ task: NodeTask, on nodes: [Node], deadline: Deadline,
    progress: @escaping @Sendable (Node, NodeProgress) -> Void
  ) -> AsyncStream<NodeOutcome> {
    AsyncStream { continuation in
      let work = Task {
        var carrying = Carrying(nodes) { continuation.yield($0) }
        do throws(Failure) {
          try await carry(task, deadline, &carrying)
        } catch {
          carrying.endAll(.failed(error.description))
        }
        carrying.endAll(.timedOut)
        continuation.finish()
      }
      ending.add(work)
      continuation.onTermination = { _ in work.cancel() }
    }
  }

  /// Of which nodes the outcome is known: each has one, and once.
  private struct Carrying {
    private(set) var waiting: [String: Node]
    private let yield: (NodeOutcome) -> Void

    init(_ nodes: [Node], _ yield: @escaping (NodeOutcome) -> Void) {
      waiting = Dictionary(nodes.map { ($0.name, $0) }) { first, _ in first }
      self.yield = yield
    }

    mutating func end(_ name: String, _ ending: NodeOutcome.Ending, output: String = "") {
      guard let node = waiting.removeValue(forKey: name) else { return }
      yield(NodeOutcome(node: node, ending: ending, output: output))
    }

    mutating func endAll(_ ending: NodeOutcome.Ending) {
      for name in waiting.keys.sorted() { end(name, ending) }
    }
  }

  private func carry(_ task: NodeTask, _ deadline: Deadline, _ carrying: inout Carrying) async throws(Failure)
  {
    // Before the job: a node that gets no execution is seen to be missing.
    let listed = try await listedNodes()
    for (name, node) in carrying.waiting {
      if listed[name]?.node != node {
        carrying.end(name, .offline("Bacalhau does not list it any more"))
      } else if let obstacle = listed[name]?.obstacle(settings) {
        carrying.end(name, obstacle)
      }
    }
    guard !carrying.waiting.isEmpty else { return }
    var words = try await carry(task, again: false, deadline, &carrying)
    guard !carrying.waiting.isEmpty, !deadline.hasPassed, !Task.isCancelled else { return }
    // Those that got no execution: gone meanwhile, or busy. What a query would wait for is over by then.
    if task.kind == .stage || task.kind == .prune {
      await client.wait(max(0, min(Self.pauseForBusy, deadline.remainingSeconds)))
      for (name, node) in try await listedNodes() {
        if let obstacle = node.obstacle(settings) { carrying.end(name, obstacle) }
      }
      if !carrying.waiting.isEmpty { words = try await carry(task, again: true, deadline, &carrying) }
    }
    for (name, node) in try await listedNodes() {
      carrying.end(name, node.obstacle(settings) ?? .failed(node.reasonForNone(settings, words)))
    }
    carrying.endAll(.offline("Bacalhau does not list it any more"))
  }

  /// Seconds after which a node that was busy is asked once more.
  private static let pauseForBusy = 5.0
  /// How often in a row the orchestrator may fail to say how a job is: about a minute, since each question is repeated, too. It may be starting anew.
  private static let mostSilence = 15

  private func listedNodes() async throws(Failure) -> [String: WireNode] {
    Dictionary(try await client.nodes().map { ($0.facts.nodeID, $0) }) { first, _ in first }
  }

  /// Submits the job for those that wait, and follows it to its end or the deadline. Those without an execution still wait then.
  ///
  /// - Returns: why it could not be placed anywhere; empty when it was.
  private func carry(
    _ task: NodeTask, again: Bool, _ deadline: Deadline, _ carrying: inout Carrying
  ) async throws(Failure) -> String {
    let spec = try job(task, Array(carrying.waiting.values), again: again)
    // Every execution embeds the job. While all of them together are small, looking at them tells who has ended already.
    let isSmall = carrying.waiting.count * spec.request.count <= 1 << 20
    do throws(Failure) {
      let id = try await client.submit(spec)
      if let end = try await follow(id, isSmall: isSmall, deadline, &carrying) { return end }
    } catch {
      // It may have been taken all the same, and nobody follows it.
      stopLater(spec.name)
      throw error
    }
    // Before it is stopped: afterwards all that had not ended is said to be cancelled.
    if !Task.isCancelled, let last = try? await client.job(named: spec.name, withExecutions: true) {
      await take(last, &carrying)
    }
    stopLater(spec.name)
    carrying.endAll(.timedOut)
    return ""
  }

  /// - Returns: nil when it was given up before its end.
  private func follow(
    _ id: String, isSmall: Bool, _ deadline: Deadline, _ carrying: inout Carrying
  ) async throws(Failure) -> String? {
    var poll = 0
    var silence = 0
    while true {
      poll += 1
      await client.wait(max(0, min(Pace.polling.pause(poll), deadline.remainingSeconds)))
      if Task.isCancelled || deadline.hasPassed { return nil }
      var answer: WireJobAnswer
      do throws(Failure) {
        answer = try await known(client.job(named: id, withExecutions: isSmall), id)
        if answer.job.isTerminal, !isSmall {
          answer = try await known(client.job(named: id, withExecutions: true), id)
        }
        silence = 0
      } catch {
        silence += 1
        guard error.code != "bacalhau.lost", error.code != "cancelled", silence < Self.mostSilence else {
          throw error
        }
        continue
      }
      await take(answer, &carrying)
      guard answer.job.isTerminal, answer.executions.allSatisfy(\.isTerminal) else { continue }
      if answer.job.stateName == "Stopped" {
        carrying.endAll(.failed("The job \(id) was stopped: \(answer.job.state.message)"))
      }
      return answer.executions.isEmpty ? answer.job.state.message : ""
    }
  }

  private func known(_ answer: WireJobAnswer?, _ id: String) throws(Failure) -> WireJobAnswer {
    guard let answer else {
      throw Failure(
        "bacalhau.lost", "Bacalhau's orchestrator does not know the job \(id) any more.",
        remedy: "Its own log may say why. What the nodes reported counts all the same.")
    }
    return answer
  }

  private func take(_ answer: WireJobAnswer, _ carrying: inout Carrying) async {
    let news = answer.executions.filter { carrying.waiting[$0.node] != nil }
    var hints: [String: String] = [:]
    if news.contains(where: \.wantsHint), let events = try? await client.history(answer.job.id) {
      for event in events {
        if let execution = event.execution, let hint = event.hint { hints[execution] = hint }
      }
    }
    for execution in news {
      let hint = execution.id.flatMap { hints[$0] }
      guard let ending = execution.ending(answer.job.state.message, hint: hint) else { continue }
      let output = ending == .answered ? execution.output?.output ?? "" : ""
      carrying.end(execution.node, ending, output: output)
    }
  }

  /// Stops the job, whatever becomes of the task that says so; ``settled()`` waits for it.
  private func stopLater(_ job: String) {
    let client = client
    ending.add(
      Task {
        try? await client.stop(job, reason: "gadwall does not wait for it any longer")
      })
  }
}

/// What has to have ended before the program does.
private final class Pending: Sendable {
  private let tasks = Mutex<[Task<Void, Never>]>([])

  func add(_ task: Task<Void, Never>) { tasks.withLock { $0.append(task) } }

  func wait() async {
    while let next = tasks.withLock({ $0.popLast() }) { await next.value }
  }
}
