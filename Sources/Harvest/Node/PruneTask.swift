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
    let before = takeInventory(root: context.root, live: document.logs.live, rotated: document.logs.rotated)
    for over in try setAside.recover(before.folders, ledger) {
      report.kept.append(PruneReport.Kept(batch: "", file: over.file, reason: over.note))
    }
    for reference in document.nodes[context.node.key]?.proofs ?? [] {
      try await take(reference, ledger, &report)
    }
    stepPoint("prune.proven")
    for batch in try ledger.batches() where batch.state == .proven {
      guard !deadline.hasPassed else {
        report.kept.append(
          PruneReport.Kept(
            batch: batch.facts.id, file: relative(batch.path, context.root), reason: "the time was up"))
        continue
      }
      try prune(batch, setAside, ledger, &report)
    }
    try pruneReturned(setAside, ledger, &report)
    report.seconds = watch.seconds
    stepPoint("prune.before-report")
    let key = RunKeys.pruned(document.run) + "\(context.node.key)-\(randomName()).ndjson"
    try await context.store.put(encodeJSON(report) + [0x0A], at: key)
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
    for proven in proof.batches where proven.node == context.node {
      guard let own = try ledger.batch(proven.facts.id) else { continue }
      guard own.state == .fixed || own.state == .staged else { continue }
      guard own.facts.agrees(with: proven.facts) else {
        report.kept.append(
          PruneReport.Kept(
            batch: own.facts.id, file: relative(own.path, context.root),
            reason: "the proof's counts are not those of the node's ledger"))
        continue
      }
      try ledger.prove([own.facts.id], run: proven.run, sequence: proven.sequence)
    }
  }

  private func prune(
    _ batch: LedgerBatch, _ setAside: SetAside, _ ledger: borrowing Ledger, _ report: inout PruneReport
  ) throws(Failure) {
    let name = relative(batch.path, context.root)
    func keep(_ reason: String) {
      report.kept.append(PruneReport.Kept(batch: batch.facts.id, file: name, reason: reason))
    }
    guard let info = try? FileInfo(path: batch.path) else {
      // Rotation, or somebody, has removed it already: nothing is left to delete.
      try ledger.setPruned(batch.facts.id)
      report.pruned.append(batch.facts.id)
      return
    }
    let now = FileIdentity(info)
    guard now.inode == batch.identity.inode, now.device == batch.identity.device,
      now.born == batch.identity.born
    else {
      return keep("another file has its name now; the next run looks for it")
    }
    guard now.size == batch.identity.size, now.modified == batch.identity.modified else {
      return keep("it has changed since it was archived")
    }
    do throws(SetAside.Refusal) {
      report.bytes += try setAside.remove(
        batch.path, batch: batch.facts.id, digest: batch.facts.digest, identity: batch.identity,
        settle: document.logs.settle
      ) { () throws(Failure) in
        try ledger.setPruned(batch.facts.id)
      }
      report.pruned.append(batch.facts.id)
      removeTwin(of: batch, &report)
    } catch {
      keep(error.reason)
    }
  }

  /// NAME.gz beside NAME goes too if its content is NAME's or a beginning of it; it stays, with its reason, otherwise.
  private func removeTwin(of batch: LedgerBatch, _ report: inout PruneReport) {
    let twin = batch.path + ".gz"
    guard !batch.path.hasSuffix(".gz"), let info = try? FileInfo(path: twin), info.kind == .regular else {
      return
    }
    // A compression that was cut short never ends in a way that says so: what can be inflated is compared.
    let (whole, digest) = inflatedDigest(twin)
    if whole, digest == batch.facts.digest {
      try? removeFile(twin)
    } else {
      report.kept.append(
        PruneReport.Kept(
          batch: batch.facts.id, file: relative(twin, context.root),
          reason: whole
            ? "its content is another than that of the file beside it" : "its gzip stream is not whole"))
    }
  }

  private func inflatedDigest(_ path: String) -> (whole: Bool, digest: String) {
    guard let file = try? Descriptor.input(path) else { return (false, "") }
    var reader = GzipReader()
    var digest = SHA256()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { buffer.deallocate() }
    do {
      while true {
        let got = try file.read(into: buffer)
        if got == 0 { break }
        try reader.read(UnsafeRawBufferPointer(rebasing: buffer[..<got])) { digest.update($0) }
      }
      try reader.finish()
      return (true, digest.hexDigest())
    } catch {
      return (false, "")
    }
  }

  /// Files that show up for a batch that is pruned already (a restored copy, a late .gz) are pruned too, under the same checks.
  private func pruneReturned(
    _ setAside: SetAside, _ ledger: borrowing Ledger, _ report: inout PruneReport
  ) throws(Failure) {
    let inventory = takeInventory(
      root: context.root, live: document.logs.live, rotated: document.logs.rotated)
    for file in inventory.rotated {
      guard try ledger.batch(of: FileIdentity(file.info)) == nil else { continue }
      let gone = try ledger.batches(stream: file.stream, rotated: file.info.modifiedSeconds).filter {
        $0.state == .pruned
      }
      guard !gone.isEmpty,
        let digest = try? contentDigest(file, settle: document.logs.settle, now: context.clock.now()),
        let batch = gone.first(where: { $0.facts.digest == digest })
      else { continue }
      do throws(SetAside.Refusal) {
        report.bytes += try setAside.remove(
          file.path, batch: batch.facts.id, digest: digest, identity: FileIdentity(file.info),
          settle: document.logs.settle
        ) { () throws(Failure) in }
        report.returned.append(relative(file.path, context.root))
      } catch {
        report.kept.append(
          PruneReport.Kept(
            batch: batch.facts.id, file: relative(file.path, context.root), reason: error.reason))
      }
    }
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
