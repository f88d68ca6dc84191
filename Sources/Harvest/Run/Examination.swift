import Files
import Fleet
public import Logs
import ObjectStorage
public import Support

/// What was found out about a node.
public struct ExaminedNode: Sendable, Encodable {
  public var node: Node
  /// What it says of itself; nil when it could not be asked.
  public var report: ProbeReport?
  public var faults: [ProbeReport.Fault] = []

  /// Seconds. A clock that is further off spoils signatures and times of rotation.
  private static let clockTolerance = 30.0

  /// - Parameter began: when it was asked.
  init(_ outcome: NodeOutcome, began: Instant, now: Instant) {
    node = outcome.node
    let reason: String
    switch outcome.ending {
    case .answered:
      do throws(Failure) {
        try take(outcome.output, began: began, now: now)
        return
      } catch {
        reason = error.description
      }
    case .refused(let words): reason = "It refuses: \(words)"
    case .failed(let words): reason = words
    case .timedOut: reason = "It did not answer in time."
    case .offline(let words): reason = "It is offline: \(words)."
    }
    faults = [ProbeReport.Fault(what: reason, remedy: "")]
  }

  private mutating func take(_ output: String, began: Instant, now: Instant) throws(Failure) {
    let said = try decodeJSON(
      ProbeReport.self, from: Array(output.utf8), code: "probe.report", document: "What it printed")
    report = said
    faults = said.faults
    let first = Double(began.microseconds) / 1e6 - Self.clockTolerance
    let last = Double(now.microseconds) / 1e6 + Self.clockTolerance
    guard said.at < first || said.at > last else { return }
    let seconds = decimal(Self.clockTolerance, places: 0)
    faults.append(
      ProbeReport.Fault(
        what: "Its clock is \(said.at < first ? "slow" : "fast") by more than \(seconds) s.",
        remedy: "Have it set by NTP."))
  }
}

extension Harvest {
  /// Has every node try what tasks will need there. Leaves nothing behind.
  public func examine(_ request: HarvestRequest, seconds: Double) async throws(Failure) -> [ExaminedNode] {
    let nodes = try await engine.chosenNodes(request.selection)
    let run = newRunID(at: clock.now())
    var parts: PartsByReader<ProbeDocument.NodePart> = [:]
    for node in nodes { parts[node.key] = ProbeDocument.NodePart() }
    let document = ProbeDocument(
      run: run, logs: request.logs, dataPath: try await catalog.dataPath(in: store), nodes: parts)
    let bytes = encodeJSON(document)
    let key = ProbeDocument.prefix(run) + "task.json"
    try await store.put(bytes, at: key)
    let task = NodeTask(kind: .probe, run: run, document: key, digest: sha256(bytes), seconds: seconds)
    var examined: [ExaminedNode] = []
    let began = clock.now()
    let outcomes = engine.run(task, on: nodes, deadline: .after(seconds: seconds), progress: { _, _ in })
    for await outcome in outcomes {
      examined.append(ExaminedNode(outcome, began: began, now: clock.now()))
    }
    let left = try? await store.list(ProbeDocument.prefix(run))
    try? await store.delete((left ?? []).map(\.key))
    return examined.sorted { $0.node.key < $1.node.key }
  }
}
