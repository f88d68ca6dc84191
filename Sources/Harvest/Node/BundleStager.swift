import DuckDB
import Files
import Fleet
import Ledger
import Logs
import ObjectStorage
import Rows
import Support

/// Brings one bundle into the store: reads its files once, fixes its members in the ledger, uploads, and records the complete try.
struct BundleStager: ~Copyable {
  let context: NodeContext
  let document: TaskDocument
  let selection: SQL
  let deadline: Deadline
  private var scanner = Scanner()
  private var sequence = 0
  private var progressAt: Stopwatch?
  private var bytesRead: Int64 = 0
  private var entriesRead: Int64 = 0

  /// What came of a group of files.
  struct Outcome {
    var bundle: StagedBundle?
    var passedOver: [PassedOver] = []
    var urgentRows: [JSONValue] = []
    var bytesStored: Int64 = 0
    var withoutLease = 0
    /// Files that turned out to hold more text than one data file takes: to be staged again, alone.
    var large: [RotatedFile] = []
  }

  init(context: NodeContext, document: TaskDocument, selection: SQL, deadline: Deadline) {
    self.context = context
    self.document = document
    self.selection = selection
    self.deadline = deadline
  }

  private struct Member {
    /// What the frame's rows carry as their batch.
    var number: Int32
    var file: RotatedFile
    var content: FileContent
    var facts: BatchFacts
    var numbered: NumberedBatch { NumberedBatch(number: number, facts: facts) }
  }

  /// - Parameters:
  ///   - known: a bundle that the ledger has fixed already: it is staged with just these members or not at all.
  ///   - show: how many urgent rows to hand back.
  mutating func stage(
    _ files: [RotatedFile], as known: LedgerBundle?, ledger: borrowing Ledger, show: Int
  ) async throws(Failure) -> Outcome {
    sequence += 1
    let work = joined(context.scratch, "bundle-\(sequence)")
    do { try makeFolder(work, mode: 0o700) } catch { throw context.scratchFailure(error) }
    defer { try? removeTree(work) }
    var outcome = Outcome()
    // A frame and a data file of each piece, and the copy of what is compressed already.
    let needed = files.reduce(Int64(64 << 20)) {
      $0 + min($1.estimatedText, context.pieceLimit) * 3 / 2 + ($1.isGzip ? $1.info.size : 0)
    }
    if let free = try? freeSpace(work), free.bytes < needed {
      for file in files {
        outcome.passedOver.append(
          passOver(
            file, .scratch, "its bundle needs \(ByteCount(needed)) of scratch space and there are \(free)"))
      }
      return outcome
    }
    let isLarge = files.count == 1 && files[0].estimatedText > context.pieceLimit
    let spill = joined(work, "spill")
    do { try makeFolder(spill, mode: 0o700) } catch { throw context.scratchFailure(error) }
    var settings = DuckDB.Settings(scratch: spill, deadline: deadline)
    // The condition for urgent rows is not ours.
    settings.confinement = DuckDB.Confinement(readable: [work], writable: [work, spill])
    // Started now, it is ready by the time the first frame is.
    let session = try context.duckdb.session(settings)
    defer { session.end() }
    let step = ParquetStep(
      context: context, session: session, dataPath: document.dataPath, selection: selection, work: work,
      attempt: context.rules.triesHaveRandomNames ? randomName() : "0000000000000001")
    var members: [Member] = []
    var frame: FrameLayout?
    if isLarge {
      guard let member = try readLarge(files[0], work: work, &outcome) else { return outcome }
      members = [member]
    } else {
      frame = try readSmall(files, work: work, members: &members, &outcome)
      guard !members.isEmpty else { return outcome }
    }
    try fix(&members, as: known, ledger: ledger, outcome: &outcome)
    guard !members.isEmpty else { return outcome }

    // With the ids in the ledger everything may go up: the raw files while DuckDB writes.
    let upload = BatchUpload(context: context)
    let raws = members.map { BatchUpload.Raw(facts: $0.facts, file: $0.content.raw) }
    async let stored = upload.put(raws)
    var alerts = AlertStep(context: context, work: work, show: show)
    let dataFiles: [DataFile]
    do throws(Failure) {
      if let frame {
        dataFiles = try await writePiece(frame, members.map(\.numbered), step, &alerts)
      } else if !isLarge {
        // Nothing but blank lines.
        dataFiles = []
      } else if let pieces = try await writePieces(&members[0], step, &alerts, &outcome) {
        dataFiles = pieces
      } else {
        // The file is another by now, and the copy on its way up is all that is left of it: to leave here would cancel that.
        _ = try? await stored
        return outcome
      }
    } catch {
      _ = try? await stored
      throw error
    }
    do { try alerts.finish(members.map(\.numbered)) } catch { throw scratchFailure(error) }
    outcome.urgentRows = alerts.shown
    stepPoint("stage.uploaded-data")
    do {
      for (index, object) in try await stored.enumerated() {
        members[index].facts.raw = object
        outcome.bytesStored += object.size
      }
    } catch {
      throw Failure.from(error)
    }
    for index in members.indices {
      guard let (alert, rows) = alerts.finished[members[index].number] else { continue }
      members[index].facts.urgent = rows
      members[index].facts.alert = try await upload.put(alert)
      outcome.bytesStored += alert.object.size
    }
    stepPoint("stage.uploaded")

    let facts = members.map(\.facts)
    let id = bundleID(batches: facts.map(\.id))
    outcome.bytesStored += dataFiles.reduce(0) { $0 + $1.size }
    try ledger.complete(bundle: id, try: step.attempt, dataFiles: dataFiles, facts: facts)
    stepPoint("stage.completed")
    outcome.bundle = StagedBundle(
      id: id, node: context.node, day: facts[0].day, attempt: step.attempt, batches: facts,
      dataFiles: dataFiles)
    return outcome
  }

  private func scratchFailure(_ error: any Error) -> Failure {
    (error as? SystemError).map { context.scratchFailure($0) } ?? Failure.from(error)
  }

  // MARK: reading

  /// Reads files that fit one data file into one frame. Nil when no row came of them.
  private mutating func readSmall(
    _ files: [RotatedFile], work: String, members: inout [Member], _ outcome: inout Outcome
  ) throws(Failure) -> FrameLayout? {
    do {
      var frame = try FrameWriter.create(joined(work, "frame.parquet"))
      for file in files {
        // The number of a member, or of a file that was given up half way: its rows stay in the frame and belong to no batch.
        let number = Int32(members.count + outcome.passedOver.count + outcome.large.count)
        do {
          let content = try read(file, number: number, into: &frame, raw: joined(work, "raw-\(number).gz"))
          members.append(Member(number: number, file: file, content: content, facts: facts(file, content)))
        } catch ReadingRefusal.passOver(let reason, let note) {
          outcome.passedOver.append(passOver(file, reason, note))
        } catch is TooMuchText {
          var large = file
          large.estimatedText = .max
          outcome.large.append(large)
        }
      }
      try scanner.drain { try frame.append(&$0) }
      let layout = try frame.finish()
      return layout.rows > 0 ? layout : nil
    } catch {
      throw scratchFailure(error)
    }
  }

  private struct TooMuchText: Error {}

  private func pass(_ file: RotatedFile, raw: String?) throws(Failure) -> FilePass {
    try FilePass(
      file, raw: raw, settle: document.logs.settle, now: context.clock.now(), limits: context.inflateLimits)
  }

  /// One pass: hashed, gzip'd and scanned side by side.
  private mutating func read(
    _ file: RotatedFile, number: Int32, into frame: inout FrameWriter, raw path: String
  ) throws -> FileContent {
    var pass = try pass(file, raw: path)
    var digest = SHA256()
    var bytes: Int64 = 0
    scanner.begin(batch: number)
    _ = try pass.text { block in
      digest.update(block)
      bytes += Int64(block.count)
      if bytes > context.pieceLimit + Int64(RotatedFileReader.blockSize) { throw TooMuchText() }
      try scanner.scan(block) { try frame.append(&$0) }
      try noteProgress(Int64(block.count))
    }
    try scanner.finish(.rotated) { try frame.append(&$0) }
    entriesRead += scanner.counts.entries
    return FileContent(
      digest: digest.hexDigest(), bytes: bytes, counts: scanner.counts, reading: try pass.finish())
  }

  /// The first of two passes over a large file: its id has to be known before the first of its data files is written.
  private mutating func readLarge(
    _ file: RotatedFile, work: String, _ outcome: inout Outcome
  ) throws(Failure) -> Member? {
    do {
      var pass = try pass(file, raw: joined(work, "raw.gz"))
      var digest = SHA256()
      var bytes: Int64 = 0
      _ = try pass.text { block in
        digest.update(block)
        bytes += Int64(block.count)
        try noteProgress(Int64(block.count))
      }
      let content = FileContent(
        digest: digest.hexDigest(), bytes: bytes, counts: ScanCounts(), reading: try pass.finish())
      return Member(number: 0, file: file, content: content, facts: facts(file, content))
    } catch ReadingRefusal.passOver(let reason, let note) {
      outcome.passedOver.append(passOver(file, reason, note))
      return nil
    } catch {
      throw scratchFailure(error)
    }
  }

  /// The second pass: frames of about one piece each, and a data file of each. Nil when the file changed meanwhile.
  private mutating func writePieces(
    _ member: inout Member, _ step: ParquetStep, _ alerts: inout AlertStep, _ outcome: inout Outcome
  ) async throws(Failure) -> [DataFile]? {
    var dataFiles: [DataFile] = []
    var again = SHA256()
    do {
      var pass = try pass(member.file, raw: nil)
      scanner.begin(batch: 0)
      var number = 0
      var atEnd = false
      while !atEnd {
        let path = joined(step.work, "frame-\(number).parquet")
        var frame = try FrameWriter.create(path)
        atEnd = try pass.text(atMost: context.pieceLimit) { block in
          again.update(block)
          try scanner.scan(block) { try frame.append(&$0) }
          try noteProgress(0)
        }
        if atEnd { try scanner.finish(.rotated) { try frame.append(&$0) } }
        try scanner.drain { try frame.append(&$0) }
        let layout = try frame.finish()
        if layout.rows > 0 {
          dataFiles += try await writePiece(layout, [member.numbered], step, &alerts, number: number)
        }
        try removeFile(path)
        number += 1
      }
      entriesRead += scanner.counts.entries
      member.content.counts = scanner.counts
      member.facts.setCounts(scanner.counts)
    } catch ReadingRefusal.passOver(let reason, let note) {
      outcome.passedOver.append(passOver(member.file, reason, note))
      return nil
    } catch {
      throw scratchFailure(error)
    }
    guard again.hexDigest() == member.content.digest else {
      outcome.passedOver.append(passOver(member.file, .changed, "it changed while it was read"))
      return nil
    }
    return dataFiles
  }

  /// Turns a frame into a data file in the store, and meanwhile its urgent rows into alert files.
  private func writePiece(
    _ frame: FrameLayout, _ members: [NumberedBatch], _ step: ParquetStep, _ alerts: inout AlertStep,
    number: Int = 0
  ) async throws(Failure) -> [DataFile] {
    context.progress(NodeProgress(phase: "writing", bytes: bytesRead, entries: entriesRead))
    let urgent = try await step.urgentRows(frame, members, number: number)
    async let written = step.write(frame, members, number: number)
    do {
      try alerts.append(urgent, of: frame, members)
      return [try await written]
    } catch {
      throw scratchFailure(error)
    }
  }

  // MARK: ledger

  /// Writes a new bundle's members to the ledger, or checks that they are the ones it knows. Empties the members when they are not.
  private mutating func fix(
    _ members: inout [Member], as known: LedgerBundle?, ledger: borrowing Ledger, outcome: inout Outcome
  ) throws(Failure) {
    outcome.withoutLease += members.count { !$0.content.hadLease }
    if let known {
      let read = Set(members.map(\.facts.id))
      guard read == Set(known.batches.map(\.facts.id)) else {
        // Not the bundle that was fixed: nothing of it may be uploaded under its name. What can be read becomes a bundle of its own.
        let rest = known.batches.map(\.facts.id).filter(read.contains)
        try ledger.dissolve(bundle: known.id, keeping: rest, day: known.day)
        members = members.filter { member in rest.contains(member.facts.id) }
        return
      }
      return
    }
    stepPoint("stage.before-fix")
    try ledger.fix(
      bundle: bundleID(batches: members.map(\.facts.id)), day: members[0].facts.day,
      batches: members.map { ($0.facts, $0.file.path, FileIdentity($0.file.info)) })
    stepPoint("stage.fixed")
  }

  private func facts(_ file: RotatedFile, _ content: FileContent) -> BatchFacts {
    let id = batchID(
      node: context.node, folder: file.folder, stream: file.stream, rotated: file.rotated,
      digest: content.digest)
    var facts = BatchFacts(
      id: id, folder: file.folder, file: file.name, stream: file.stream, rotated: file.rotated,
      digest: content.digest,
      bytes: content.bytes, lines: 0, blank: 0, malformed: 0, entries: 0)
    facts.setCounts(content.counts)
    return facts
  }

  // MARK: words

  private func passOver(_ file: RotatedFile, _ reason: PassedOver.Reason, _ note: String) -> PassedOver {
    PassedOver(
      file: relative(file.path, context.root), reason: reason, note: note, bytes: file.info.size,
      rotated: file.info.modifiedSeconds)
  }

  private mutating func noteProgress(_ bytes: Int64) throws(Failure) {
    if deadline.hasPassed {
      throw Failure(
        "node.deadline", "The time was up while it was read.",
        remedy: "The next run reads it; a file that takes longer than a run may has to be split.")
    }
    bytesRead += bytes
    if let progressAt, progressAt.seconds < 0.1 { return }
    progressAt = Stopwatch()
    context.progress(
      NodeProgress(phase: "reading", bytes: bytesRead, entries: entriesRead + scanner.counts.entries))
  }
}

extension BatchFacts {
  mutating func setCounts(_ counts: ScanCounts) {
    lines = counts.lines
    blank = counts.blank
    malformed = counts.malformed
    entries = counts.entries
    firstTs = counts.firstTs
    lastTs = counts.lastTs
  }
}
