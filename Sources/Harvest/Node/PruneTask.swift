import Files
import Ledger
import Logs
import ObjectStorage
public import Support

/// The prune task: deletes the rotated files whose proof agrees with the node's own ledger.
public struct PruneTask: Sendable {
  let context: NodeContext
  let document: TaskDocument

  public init(context: NodeContext, document: TaskDocument) {
    self.context = context
    self.document = document
  }

  /// Runs the task and writes its report to the store, last of all. A file for which anything does not fit stays, with its reason in the report.
  public func run() async throws(Failure) -> PruneReport {
    let watch = Stopwatch()
    let deadline = Deadline.after(seconds: document.seconds)
    let lock = try await context.takeLock(until: deadline)
    defer { _ = lock }
    let ledger = try Ledger.open(context.ledgerPath, node: context.node)
    var report = PruneReport(run: document.run, node: context.node)
    let setAside = SetAside(context: context, keep: document.keep)
    for over in try setAside.recover(rotatedFolders(root: context.root, globs: document.logs.rotated), ledger)
    {
      report.keep("", over.file, over.note)
    }
    stepPoint("prune.before-prove")
    for reference in document.nodes[context.node.key]?.proofs ?? [] {
      try await take(reference, ledger, &report)
    }
    stepPoint("prune.proven")
    let known = try KnownFiles(ledger)
    let inventory = takeInventory(
      root: context.root, live: document.logs.live, rotated: document.logs.rotated, isKnown: known.contains)
    let places = Places(inventory)
    for batch in try ledger.batches(in: .proven) {
      guard !deadline.hasPassed else {
        report.kept.append(
          PruneReport.Kept(
            batch: batch.facts.id, file: relative(batch.path, context.root), reason: "the time was up"))
        continue
      }
      try prune(batch, places, setAside, ledger, &report)
    }
    try pruneReturned(inventory, setAside, ledger, &report)
    report.seconds = watch.seconds
    stepPoint("prune.before-report")
    let key = RunKeys.pruned(document.run) + "\(context.node.key)-\(randomName()).ndjson"
    try await context.store.put(encodeJSON(report) + [0x0A], at: key)
    stepPoint("prune.reported")
    return report
  }

  /// Reads a proof and believes it for each batch that the ledger knows as the proof has it.
  private func take(
    _ reference: ObjectReference, _ ledger: borrowing Ledger, _ report: inout PruneReport
  ) async throws(Failure) {
    guard let bytes = try await context.store.get(reference.key, limit: .mebibytes(512)),
      sha256(bytes) == reference.digest
    else {
      report.kept.append(
        PruneReport.Kept(
          batch: "", file: reference.key, reason: "the proof is missing or not the one that was named"))
      return
    }
    let proof = try decodeJSON(
      Proof.self, from: bytes, code: "proof.broken", document: "The proof \(reference.key)")
    var agreed: [Int64?: [String]] = [:]
    for proven in proof.batches where proven.node == context.node {
      guard let own = try ledger.batch(proven.facts.id), own.state == .fixed || own.state == .staged else {
        continue
      }
      guard own.facts.agrees(with: proven.facts) else {
        report.keep(
          own.facts.id, relative(own.path, context.root),
          "the proof's counts are not those of the node's ledger")
        continue
      }
      agreed[proven.sequence, default: []].append(own.facts.id)
    }
    for (sequence, batches) in agreed { try ledger.prove(batches, run: proof.run, sequence: sequence) }
  }

  /// Where files lie now, by what a rename keeps: logrotate may have shifted the names since they were staged.
  private struct Places {
    private var files: [[UInt64]: RotatedFile] = [:]

    init(_ inventory: Inventory) {
      for file in inventory.rotated { files[[file.info.device, file.info.inode]] = file }
    }

    func file(of identity: FileIdentity) -> RotatedFile? {
      guard let file = files[[identity.device, identity.inode]], file.info.born == identity.born else {
        return nil
      }
      return file
    }
  }

  private func prune(
    _ batch: LedgerBatch, _ places: Places, _ setAside: SetAside, _ ledger: borrowing Ledger,
    _ report: inout PruneReport
  ) throws(Failure) {
    guard let file = places.file(of: batch.identity) else {
      // Rotation, or somebody, has removed it already: nothing is left to delete.
      guard let there = try? FileInfo(path: batch.path), there.inode == batch.identity.inode else {
        try ledger.setPruned(batch.facts.id)
        report.pruned.append(batch.facts.id)
        return
      }
      return report.keep(
        batch.facts.id, relative(batch.path, context.root), "it is no longer a file that may be read")
    }
    let name = relative(file.path, context.root)
    let now = FileIdentity(file.info)
    guard
      now.size == batch.identity.size && now.modified == batch.identity.modified
        || !context.rules.comparesBeforeDeleting
    else {
      return report.keep(batch.facts.id, name, "it has changed since it was archived")
    }
    do throws(SetAside.Refusal) {
      let done = try setAside.remove(
        file.path, batch: batch.facts.id, digest: batch.facts.digest, identity: batch.identity,
        settle: document.logs.settle,
        twin: file.twin
      ) { () throws(Failure) in
        try ledger.setPruned(batch.facts.id)
      }
      report.bytes += done.bytes
      report.pruned.append(batch.facts.id)
      if let reason = done.twinStays, let twin = file.twin {
        report.keep(batch.facts.id, relative(twin, context.root), reason)
      }
    } catch {
      report.keep(batch.facts.id, name, error.reason)
    }
  }

  /// Files that show up for a batch that is pruned already (a restored copy, a late .gz) are pruned too, under the same checks.
  private func pruneReturned(
    _ inventory: Inventory, _ setAside: SetAside, _ ledger: borrowing Ledger, _ report: inout PruneReport
  ) throws(Failure) {
    for file in inventory.rotated {
      // Those that were pruned just now are gone from their places.
      guard exists(file.path), try ledger.batch(of: FileIdentity(file.info)) == nil,
        try ledger.hasBatches(stream: file.stream, rotated: file.info.modifiedSeconds),
        let digest = try? contentDigest(file, settle: document.logs.settle, now: context.clock.now()),
        let batch = try ledger.batches(
          stream: file.stream, rotated: file.info.modifiedSeconds, digest: digest
        ).first(where: { $0.isPruned(in: file.folder) && $0.isOwn(file) })
      else { continue }
      do throws(SetAside.Refusal) {
        let done = try setAside.remove(
          file.path, batch: batch.facts.id, digest: digest, identity: FileIdentity(file.info),
          settle: document.logs.settle
        ) { () throws(Failure) in }
        report.bytes += done.bytes
        report.returned.append(relative(file.path, context.root))
      } catch {
        report.kept.append(
          PruneReport.Kept(
            batch: batch.facts.id, file: relative(file.path, context.root), reason: error.reason))
      }
    }
  }
}

extension PruneReport {
  fileprivate mutating func keep(_ batch: String, _ file: String, _ reason: String) {
    kept.append(Kept(batch: batch, file: file, reason: reason))
  }
}

extension BatchFacts {
  /// Whether a proof speaks of the very content that this ledger entry counted.
  func agrees(with other: BatchFacts) -> Bool {
    id == other.id && digest == other.digest && bytes == other.bytes && lines == other.lines
      && blank == other.blank
      && malformed == other.malformed && entries == other.entries && rotated == other.rotated
      && stream == other.stream
  }
}
