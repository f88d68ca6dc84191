import DuckDB
import Files
import Ledger
import Logs
import ObjectStorage
import Rows
import Support

/// Stages batches from their raw objects, on the control machine: for those whose data files are gone, or were never written.
///
/// It is the node's own stage, with a ledger and a scratch folder that live no longer than this.
struct RawStager {
  let store: any ObjectStore
  let duckdb: DuckDB
  /// A folder that goes afterwards.
  let scratch: String
  let request: HarvestRequest
  let dataPath: String
  let clock: WallClock

  /// - Parameter batches: of any nodes and days. Grouped into bundles as a stage would.
  /// - Returns: bundles that are in the store; what can't be read from its raw object, each with its reason.
  func stage(_ batches: [RawBatch]) async throws(Failure) -> (bundles: [StagedBundle], refused: [String]) {
    var bundles: [StagedBundle] = []
    var refused: [String] = []
    let places = Dictionary(grouping: batches) { Place(node: $0.node, day: $0.facts.day) }
    for (place, some) in places.sorted(by: { ($0.key.node.key, $0.key.day) < ($1.key.node.key, $1.key.day) })
    {
      for group in groups(some) {
        let found = try await stage(group, place.node)
        bundles += found.bundles
        refused += found.refused
      }
    }
    return (bundles, refused)
  }

  private struct Place: Hashable {
    var node: Node
    var day: Int32
  }

  /// Batches that share a data file: small ones up to a bundle's size, so that no more than that lies in scratch at once.
  private func groups(_ batches: [RawBatch]) -> [[RawBatch]] {
    var groups: [[RawBatch]] = []
    var size: Int64 = 0
    for batch in batches.sorted(by: { ($0.facts.rotated, $0.facts.id) < ($1.facts.rotated, $1.facts.id) }) {
      if groups.isEmpty || size + batch.facts.bytes > bundleLimit {
        groups.append([])
        size = 0
      }
      groups[groups.count - 1].append(batch)
      size += batch.facts.bytes
    }
    return groups
  }

  private let bundleLimit: Int64 = 256 << 20

  private func stage(_ batches: [RawBatch], _ node: Node) async throws(Failure) -> (
    bundles: [StagedBundle], refused: [String]
  ) {
    let root = joined(scratch, "stage-\(randomName())")
    defer { try? removeTree(root) }
    let context = NodeContext(node: node, root: root, store: store, duckdb: duckdb, clock: clock)
    var refused: [String] = []
    var files: [RotatedFile] = []
    do { try makeFolder(context.scratch, mode: 0o700) } catch { throw context.scratchFailure(error) }
    for batch in batches {
      guard let raw = batch.facts.raw, let file = try await context.rawCopy(raw.key, of: batch.facts) else {
        refused.append("the raw object of batch \(batch.facts.id.prefix(12)) is gone")
        continue
      }
      files.append(file)
    }
    let found = try await stage(files, context)
    var bundles: [StagedBundle] = []
    let wanted = Dictionary(uniqueKeysWithValues: batches.map { ($0.facts.id, $0.facts) })
    refused += found.refused
    for bundle in found.bundles {
      // The id is made of the content: another id is another content.
      let differ = bundle.batches.filter { batch in
        wanted[batch.id].map { !$0.agrees(with: batch) } ?? true
      }
      guard differ.isEmpty else {
        refused += differ.map { "the raw object of batch \($0.id.prefix(12)) holds other lines than it had" }
        // The others without it.
        let same = Set(bundle.batches.map(\.id)).subtracting(differ.map(\.id))
        guard !same.isEmpty else { continue }
        let rest = try await stage(batches.filter { same.contains($0.facts.id) }, node)
        bundles += rest.bundles
        refused += rest.refused
        continue
      }
      bundles.append(bundle)
    }
    return (bundles, refused)
  }

  private func stage(_ files: [RotatedFile], _ context: NodeContext) async throws(Failure) -> (
    bundles: [StagedBundle], refused: [String]
  ) {
    let condition = try await duckdb.checkUrgent(request.urgent.condition)
    let ledger = try Ledger.open(context.ledgerPath, node: context.node)
    let document = TaskDocument(
      run: "", task: "stage", seconds: request.stageSeconds, logs: request.logs, urgent: request.urgent,
      keep: 0, dataPath: dataPath, nodes: [:])
    var stager = BundleStager(
      context: context, document: document, selection: condition.selection,
      deadline: .after(seconds: request.stageSeconds))
    var waiting = files.isEmpty ? [] : [files]
    var bundles: [StagedBundle] = []
    var refused: [String] = []
    while let group = waiting.popLast() {
      let outcome = try await stager.stage(group, as: nil, ledger: ledger, show: 0)
      if let bundle = outcome.bundle { bundles.append(bundle) }
      refused += outcome.passedOver.map { "\($0.file): \($0.note)" }
      waiting += outcome.large.map { [$0] }
    }
    return (bundles, refused)
  }
}
