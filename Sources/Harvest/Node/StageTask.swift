import DuckDB
import Files
import Ledger
import Logs
import ObjectStorage
import Rows
public import Support

/// The stage task: every rotated file that may be read, read once, into the store, and a report of all that has no proof yet.
public struct StageTask: Sendable {
  let context: NodeContext
  let document: TaskDocument

  public init(context: NodeContext, document: TaskDocument) {
    self.context = context
    self.document = document
  }

  private var part: TaskDocument.NodePart { document.nodes[context.node.key] ?? TaskDocument.NodePart() }

  /// Runs the task and writes its report to the store, last of all.
  ///
  /// Safe to run again at any time: what a killed one left is finished, what it had finished is reported again.
  public func run() async throws(Failure) -> StageReport {
    if document.isRehearsal { return try await rehearse() }
    // The catalog may have put the table elsewhere than the runs are.
    try context.store.reach(document.dataPath)
    let deadline = Deadline.after(seconds: document.seconds)
    let lock = try await context.takeLock(until: deadline)
    defer { _ = lock }
    try context.cleanScratch()
    let ledger = try Ledger.open(context.ledgerPath, node: context.node)
    var report = StageReport(
      head: StageReport.Head(run: document.run, node: context.node, version: DuckDB.version))
    if try prepare(ledger) {
      try await stage(ledger, deadline, &report)
    } else {
      report.head.wantsRebuild = true
    }
    try? removeTree(context.scratch)
    stepPoint("stage.before-report")
    let key = RunKeys.staged(document.run) + "\(context.node.key)-\(randomName()).ndjson"
    try await context.store.put(report.encoded(), at: key)
    stepPoint("stage.reported")
    return report
  }

  /// Says what a stage would do, and does none of it: the ledger is looked at in a copy, no file is set aside or uploaded but the report.
  private func rehearse() async throws(Failure) -> StageReport {
    var report = StageReport(
      head: StageReport.Head(run: document.run, node: context.node, version: DuckDB.version))
    let copy = try context.ledgerCopy()
    defer { try? removeTree(copy) }
    let ledger = try Ledger.open(joined(copy, "ledger.sqlite"), node: context.node)
    let known = try KnownFiles(ledger)
    let inventory = takeInventory(
      root: context.root, live: document.logs.live, rotated: document.logs.rotated, isKnown: known.contains)
    report.head.missingFolders = inventory.missingFolders
    report.head.foundNothing = inventory.rotated.isEmpty && inventory.passedOver.isEmpty
    let decisions = try decide(
      inventory, ledger: ledger, root: context.root, settle: document.logs.settle, now: context.clock.now())
    report.passedOver = decisions.passedOver
    let readable = decisions.fresh.filter { file in
      do throws(ReadingRefusal) {
        // Opened, leased and given back: whoever writes to it would make a stage leave it, too.
        try RotatedFileReader.open(file, settle: document.logs.settle, now: context.clock.now()).close()
        return true
      } catch {
        guard case .passOver(let reason, let note) = error else { return false }
        report.passedOver.append(
          PassedOver(
            file: relative(file.path, context.root), reason: reason, note: note, bytes: file.info.size,
            rotated: file.info.modifiedSeconds))
        return false
      }
    }
    for (index, group) in grouped(readable, limit: context.bundleLimit).enumerated() {
      for file in group {
        report.planned.append(
          PlannedFile(
            file: relative(file.path, context.root), bundle: index, bytes: file.info.size,
            rotated: file.info.modifiedSeconds))
      }
    }
    for bundle in try ledger.unprovenBundles() {
      for batch in bundle.batches where batch.state != .pruned {
        report.known.append(relative(batch.path, context.root))
      }
    }
    let key = RunKeys.staged(document.run) + "\(context.node.key)-\(randomName()).ndjson"
    try await context.store.put(report.encoded(), at: key)
    return report
  }

  /// Makes a new ledger ready if the control machine has said what is proven; false when it has not.
  private func prepare(_ ledger: borrowing Ledger) throws(Failure) -> Bool {
    if try ledger.isReady() { return true }
    if let adopt = part.adopt {
      for batch in adopt where batch.node == context.node {
        let path = joined(joined(context.root, batch.facts.folder), batch.facts.file)
        try ledger.adopt(batch.facts, path: path, run: batch.run, sequence: batch.sequence)
      }
    } else if !part.isNew {
      return false
    }
    try ledger.setReady()
    return true
  }

  private func stage(_ ledger: borrowing Ledger, _ deadline: Deadline, _ report: inout StageReport)
    async throws(Failure)
  {
    let watch = Stopwatch()
    let condition = try await context.duckdb.checkUrgent(document.urgent.condition)
    report.passedOver += try SetAside(context: context, keep: document.keep).recover(
      rotatedFolders(root: context.root, globs: document.logs.rotated), ledger)
    let known = try KnownFiles(ledger)
    let inventory = takeInventory(
      root: context.root, live: document.logs.live, rotated: document.logs.rotated, isKnown: known.contains)
    report.head.missingFolders = inventory.missingFolders
    report.head.foundNothing = inventory.rotated.isEmpty && inventory.passedOver.isEmpty
    let decisions = try decide(
      inventory, ledger: ledger, root: context.root, settle: document.logs.settle, now: context.clock.now())
    report.passedOver += decisions.passedOver
    for move in decisions.moves {
      try ledger.setFile(move.batch, path: move.file.path, file: FileIdentity(move.file.info))
    }

    var stager = BundleStager(
      context: context, document: document, selection: condition.selection, deadline: deadline)
    try await finishBundles(ledger, decisions, &stager, &report)
    var groups = grouped(decisions.fresh, limit: context.bundleLimit)
    while let group = groups.first {
      groups.removeFirst()
      if deadline.hasPassed {
        report.failures.append(
          "the time was up before \(counted(groups.joined().count + group.count, "file")) could be read")
        break
      }
      let large = await stageOne(group, as: nil, ledger, &stager, &report)
      groups.append(contentsOf: large.map { [$0] })
    }
    for bundle in try ledger.unprovenBundles() where bundle.completeTry != nil {
      guard context.rules.reportsAllUnproven || report.own.contains(bundle.id) else { continue }
      report.bundles.append(
        StagedBundle(
          id: bundle.id, node: context.node, day: bundle.day, attempt: bundle.completeTry ?? "",
          batches: bundle.batches.map(\.facts), dataFiles: bundle.dataFiles))
    }
    report.totals.seconds = watch.seconds
  }

  /// Bundles whose members are fixed and that no complete try of is in the store: staged again, with the same members or not at all. Those that
  /// are partly proven are taken apart first.
  private func finishBundles(
    _ ledger: borrowing Ledger, _ decisions: StageDecisions, _ stager: inout BundleStager,
    _ report: inout StageReport
  ) async throws(Failure) {
    let suspects =
      context.rules.completeTriesOutliveTheirFiles
      ? try ledger.partlyProvenBundles() : try ledger.unprovenBundles()
    for bundle in suspects {
      let proven = bundle.batches.contains { $0.state == .proven || $0.state == .pruned }
      let isShort =
        !context.rules.completeTriesOutliveTheirFiles
        && bundle.batches.contains { decisions.known[$0.facts.id] == nil }
      if proven && context.rules.dissolvesPartlyProven || isShort {
        let rest = bundle.batches.filter { batch in
          (batch.state == .fixed || batch.state == .staged)
            && !(isShort && decisions.known[batch.facts.id] == nil)
        }.map(\.facts.id)
        try ledger.dissolve(bundle: bundle.id, keeping: rest, day: bundle.day)
      }
    }
    for head in try ledger.unprovenHeads() {
      // A complete try is only looked for, not read: the store may have lost what it was given.
      if head.completeTry != nil, try await !lostItsFiles(head) { continue }
      let bundle = try ledger.withBatches(head)
      var readable: [(batch: String, file: RotatedFile)] = []
      for batch in bundle.batches {
        if let file = decisions.known[batch.facts.id] {
          readable.append((batch.facts.id, file.known(as: batch.facts)))
        } else if context.rules.readsFromRawObjects, let copy = try await rawCopy(of: batch) {
          readable.append((batch.facts.id, copy))
        } else if (try? FileInfo(path: batch.path))?.inode != batch.identity.inode {
          report.failures.append(
            bundle.completeTry == nil
              ? "\(relative(batch.path, context.root)) went away before it was staged: its lines are lost, unless somebody has the file"
              : "\(relative(batch.path, context.root)) is gone, and so are its data file and its raw object in the store: its lines are lost, unless somebody has the file"
          )
        }
      }
      let files = readable.map(\.file)
      if readable.count == bundle.batches.count {
        _ = await stageOne(files, as: bundle, ledger, &stager, &report)
      } else if try await isForgotten(bundle) {
        // Not a trace of a bundle that was there whole: that is another store, or one that is not mounted. Its word counts for nothing.
        continue
      } else {
        // A member can't be read again: the others become a bundle of their own.
        let rest = readable.map(\.batch)
        try ledger.dissolve(bundle: bundle.id, keeping: rest, day: bundle.day)
        guard !rest.isEmpty else { continue }
        let id = bundleID(batches: rest)
        guard let again = try ledger.unprovenBundles().first(where: { $0.id == id }) else { continue }
        _ = await stageOne(files, as: again, ledger, &stager, &report)
      }
    }
  }

  /// Whether a data file of the bundle's complete try is no longer in the store.
  private func lostItsFiles(_ bundle: LedgerBundle) async throws(Failure) -> Bool {
    guard context.rules.looksForDataFiles else { return false }
    for file in bundle.dataFiles {
      guard let key = context.store.key(of: file.url), try await context.seen(key)?.size == file.size else {
        return true
      }
    }
    return false
  }

  /// Whether the store, which had all of the bundle, has no raw object of it either.
  private func isForgotten(_ bundle: LedgerBundle) async throws(Failure) -> Bool {
    guard bundle.completeTry != nil else { return false }
    for batch in bundle.batches {
      if let raw = batch.facts.raw, try await context.seen(raw.key) != nil { return false }
    }
    return true
  }

  /// The batch's raw object as a file, for a batch whose own file is gone.
  private func rawCopy(of batch: LedgerBatch) async throws(Failure) -> RotatedFile? {
    let names = BatchObjects(
      node: context.node, batch: batch.facts.id, rotated: Instant(seconds: batch.facts.rotated))
    return try await context.rawCopy(names.raw, of: batch.facts)
  }

  /// Stages one group; what fails becomes part of the report, and the others go on. Files to stage again, alone.
  private func stageOne(
    _ files: [RotatedFile], as known: LedgerBundle?, _ ledger: borrowing Ledger, _ stager: inout BundleStager,
    _ report: inout StageReport
  ) async -> [RotatedFile] {
    do throws(Failure) {
      let outcome = try await stager.stage(
        files, as: known, ledger: ledger, show: document.urgent.show - report.urgentRows.count)
      report.passedOver += outcome.passedOver
      report.urgentRows += outcome.urgentRows
      report.head.withoutLease += outcome.withoutLease
      report.totals.bytesStored += outcome.bytesStored
      if let bundle = outcome.bundle { report.own.insert(bundle.id) }
      for batch in outcome.bundle?.batches ?? [] { report.totals.add(batch) }
      return outcome.large
    } catch {
      let names = files.prefix(3).map { relative($0.path, context.root) }.joined(separator: ", ")
      let more = files.count > 3 ? " and \(files.count - 3) more" : ""
      report.failures.append("\(names)\(more): \(error.description)")
      return []
    }
  }
}

extension StageReport.Totals {
  mutating func add(_ batch: BatchFacts) {
    batches += 1
    lines += batch.lines
    entries += batch.entries
    malformed += batch.malformed
    blank += batch.blank
    urgent += batch.urgent
    bytesIn += batch.bytes
  }
}
