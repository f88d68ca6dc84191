import Files
import Fleet
public import Logs
import ObjectStorage
public import Support

/// What a harvest would do now.
public struct Rehearsal: Sendable, Codable {
  public struct NodePart: Sendable, Codable {
    public var node: Node
    /// Files that would be read, uploaded and, once proven, deleted.
    public var planned: [PlannedFile] = []
    /// Files of bundles that wait for their proof: they would be committed and deleted.
    public var known: [String] = []
    public var passedOver: [PassedOver] = []
    public var missingFolders: [String] = []
    public var failure: String?

    public var bytes: Int64 { planned.reduce(0) { $0 + $1.bytes } }
    public var bundles: Int { Set(planned.map(\.bundle)).count }
  }

  public var nodes: [NodePart]
  /// Plans of earlier runs that would be finished first.
  public var openRuns: [String]

  public var isComplete: Bool {
    nodes.allSatisfy { $0.failure == nil && !$0.passedOver.contains(where: \.isGap) }
  }
}

extension Harvest {
  /// Asks every node what it would stage, and does nothing: no ledger, no log, no object of the archive changes. What passes between the machines
  /// under `runs/` is removed again.
  public func rehearse(_ request: HarvestRequest) async throws(Failure) -> Rehearsal {
    let nodes = try await engine.chosenNodes(request.selection)
    _ = try await duckdb.checkUrgent(request.urgent.condition)
    let dataPath = try await catalog.dataPath(in: store)
    let run = newRunID(at: clock.now())
    var document = stageDocument(request, run, nodes, dataPath, ProvenIndex())
    document.isRehearsal = true
    let result: Rehearsal
    do throws(Failure) {
      result = try await ask(document, nodes, seconds: request.stageSeconds)
    } catch {
      try? await forget(run)
      throw error
    }
    try await forget(run)
    return result
  }

  private func ask(_ document: TaskDocument, _ nodes: [Node], seconds: Double) async throws(Failure)
    -> Rehearsal
  {
    let outcomes = try await carry(document, name: "stage", kind: .stage, seconds: seconds, nodes)
    var parts: [Rehearsal.NodePart] = []
    for node in nodes {
      var part = Rehearsal.NodePart(node: node)
      let reports = try await runs.stageReports(document.run, node)
      for report in reports {
        part.planned += report.planned
        part.known += report.known
        part.passedOver += report.passedOver
        part.missingFolders = report.head.missingFolders
      }
      if reports.isEmpty, let outcome = outcomes[node] {
        part.failure = reason(outcome, seconds) ?? "it answered, and left no report in the store"
      }
      parts.append(part)
    }
    return Rehearsal(nodes: parts, openRuns: try await runs.openRuns())
  }

  private func forget(_ run: String) async throws(Failure) {
    try await store.delete(try await store.list("runs/\(run)/").map(\.key))
  }
}
