import Iceberg
import Logs
import Support

/// What is to be done about a plan, given the table as it was loaded and the proofs as they were listed after that. Pure: performing it
/// is ``Committer``'s.
enum CommitStep: Equatable {
  /// The run's snapshot is in the table already.
  case committed(CommitMarker)
  /// Append these bundles' files; the others are there already.
  case append(bundles: [StagedBundle], leftOut: [String])
  /// There is nothing to append: batches without rows, or all of it is there.
  case nothing(bundles: [StagedBundle], leftOut: [String])
}

/// - Parameters:
///   - markers: of the loaded metadata, by run.
///   - proven: batches that a proof names. Listed after the table was loaded: the other order loses a commit that is proven, and its marker
///     removed, in between.
///   - plans: of the runs that have a marker and no proof.
///   - gone: bundles of which a data file is no longer in the store. A snapshot that named it could not be read by anybody.
func commitStep(
  _ plan: Plan, markers: [String: CommitMarker], proven: Set<String>, plans: [String: Plan],
  gone: Set<String> = [], rules: ProtocolRules = ProtocolRules()
) -> CommitStep {
  if let marker = markers[plan.run] { return .committed(marker) }
  var there = proven
  for (run, marker) in markers {
    for bundle in plans[run]?.bundles ?? []
    where !rules.believesWhatWasLeftOut || !marker.leftOut.contains(bundle.id) {
      there.formUnion(bundle.batches.map(\.id))
    }
  }
  let (leftOut, wanted) = plan.bundles.partitioned { bundle in
    if gone.contains(bundle.id) { return true }
    return rules.leavesOutPartlyThere
      ? bundle.batches.contains { there.contains($0.id) }
      : bundle.batches.allSatisfy { there.contains($0.id) }
  }
  let names = leftOut.map(\.id)
  if wanted.allSatisfy({ $0.dataFiles.isEmpty }) { return .nothing(bundles: wanted, leftOut: names) }
  return .append(bundles: wanted, leftOut: names)
}

/// The bundles that a run commits: all that were reported, of which no batch is proven, and of two that share a batch only one.
///
/// - Returns: the bundles, and those that were refused, each with its reason.
func chooseBundles(
  _ reported: [StagedBundle], proven: Set<String>, dataPath: String,
  isInStore: (String) -> Bool = { _ in false },
  rules: ProtocolRules = ProtocolRules()
) -> (bundles: [StagedBundle], refused: [(bundle: StagedBundle, reason: String)]) {
  var chosen: [StagedBundle] = []
  var refused: [(StagedBundle, String)] = []
  var taken: Set<String> = []
  var ids: Set<String> = []
  for bundle in reported {
    let batches = bundle.batches.map(\.id)
    let isThere =
      rules.leavesOutPartlyThere
      ? batches.contains(where: proven.contains) : batches.allSatisfy(proven.contains)
    if isThere { continue }
    if let reason = contradiction(in: bundle, dataPath: dataPath, isInStore: isInStore) {
      refused.append((bundle, reason))
    } else if ids.contains(bundle.id) {
      // The same bundle in two reports: a task that ran twice.
      continue
    } else if batches.contains(where: taken.contains) {
      refused.append(
        (bundle, "it shares a batch with another bundle of this run; the next run takes it apart"))
    } else {
      chosen.append(bundle)
      taken.formUnion(batches)
      ids.insert(bundle.id)
    }
  }
  return (chosen, refused)
}

extension Sequence {
  /// Those that fit, and those that don't, each in order.
  func partitioned(_ fits: (Element) -> Bool) -> ([Element], [Element]) {
    var yes: [Element] = []
    var no: [Element] = []
    for element in self { if fits(element) { yes.append(element) } else { no.append(element) } }
    return (yes, no)
  }
}

extension DataFile {
  func appended(_ bundle: StagedBundle) -> AppendedFile {
    AppendedFile(
      url: url, rows: rows, size: size, day: bundle.day, region: bundle.node.region,
      columns: columns.mapValues {
        ColumnMetrics(values: $0.values, nulls: $0.nulls, size: $0.size, min: $0.min, max: $0.max)
      })
  }
}
