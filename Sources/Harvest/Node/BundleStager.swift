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
    var alert: BatchUpload.Alert?
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
    var members: [Member] = []
    var dataFiles: [DataFile] = []
    let attempt = context.rules.triesHaveRandomNames ? randomName() : "0000000000000001"
    if isLarge {
      guard let member = try readLarge(files[0], work: work, &outcome) else { return outcome }
      members = [member]
    } else {
      let frame = try readSmall(files, work: work, members: &members, &outcome)
      guard !members.isEmpty, let frame else { return outcome }
      try fix(&members, as: known, ledger: ledger, outcome: &outcome)
      guard !members.isEmpty else { return outcome }
      if frame.rows > 0 {
        let piece = try await writePiece(
          frame, members: &members, work: work, number: 0, attempt: attempt, show: show, &outcome)
        dataFiles.append(contentsOf: piece)
      }
    }
    if isLarge {
      try fix(&members, as: known, ledger: ledger, outcome: &outcome)
      guard !members.isEmpty else { return outcome }
      guard
        let pieces = try await writePieces(&members[0], work: work, attempt: attempt, show: show, &outcome)
      else {
        return outcome
      }
      dataFiles = pieces
    }
    stepPoint("stage.uploaded-data")
    let upload = BatchUpload(context: context)
    for index in members.indices {
      outcome.bytesStored += try await upload.put(
        members[index].alert, members[index].content, &members[index].facts)
    }
    stepPoint("stage.uploaded")

    let facts = members.map(\.facts)
    let id = bundleID(batches: facts.map(\.id))
    outcome.bytesStored += dataFiles.reduce(0) { $0 + $1.size }
    try ledger.complete(bundle: id, try: attempt, dataFiles: dataFiles, facts: facts)
    stepPoint("stage.completed")
    outcome.bundle = StagedBundle(
      id: id, node: context.node, day: facts[0].day, attempt: attempt, batches: facts, dataFiles: dataFiles)
    return outcome
  }

  // MARK: reading

  /// Reads files that fit one data file into one frame. Nil when no row came of them and no file could be read.
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
      return try frame.finish()
    } catch let error as SystemError {
      throw context.scratchFailure(error)
    } catch {
      throw Failure.from(error)
    }
  }

  private struct TooMuchText: Error {}

  /// One pass: hashed, gzip'd and scanned side by side.
  private mutating func read(
    _ file: RotatedFile, number: Int32, into frame: inout FrameWriter, raw rawPath: String
  ) throws -> FileContent {
    var reader = try RotatedFileReader.open(file, settle: document.logs.settle, now: context.clock.now())
    reader.limits = context.inflateLimits
    var raw = try RawCopy.create(file, at: rawPath)
    var digest = SHA256()
    var bytes: Int64 = 0
    scanner.begin(batch: number)
    _ = try reader.read(
      raw: { try raw.take($0) },
      text: { block in
        digest.update(block)
        bytes += Int64(block.count)
        if bytes > context.pieceLimit + Int64(RotatedFileReader.blockSize) { throw TooMuchText() }
        try raw.takeText(block)
        try scanner.scan(block) { try frame.append(&$0) }
        noteProgress(Int64(block.count))
      })
    try scanner.finish(.rotated) { try frame.append(&$0) }
    entriesRead += scanner.counts.entries
    let copy = try raw.finish()
    return FileContent(
      digest: digest.hexDigest(), bytes: bytes, counts: scanner.counts, rawPath: copy.path,
      rawDigest: copy.digest,
      rawSize: copy.size, hadLease: reader.hasLease)
  }

  /// The first of two passes over a large file: its id has to be known before the first of its data files is written.
  private mutating func readLarge(
    _ file: RotatedFile, work: String, _ outcome: inout Outcome
  ) throws(Failure) -> Member? {
    do {
      var reader = try RotatedFileReader.open(file, settle: document.logs.settle, now: context.clock.now())
      reader.limits = context.inflateLimits
      var raw = try RawCopy.create(file, at: joined(work, "raw.gz"))
      var digest = SHA256()
      var bytes: Int64 = 0
      _ = try reader.read(
        raw: { try raw.take($0) },
        text: { block in
          digest.update(block)
          bytes += Int64(block.count)
          try raw.takeText(block)
          noteProgress(Int64(block.count))
        })
      let copy = try raw.finish()
      let content = FileContent(
        digest: digest.hexDigest(), bytes: bytes, counts: ScanCounts(), rawPath: copy.path,
        rawDigest: copy.digest,
        rawSize: copy.size, hadLease: reader.hasLease)
      return Member(number: 0, file: file, content: content, facts: facts(file, content))
    } catch ReadingRefusal.passOver(let reason, let note) {
      outcome.passedOver.append(passOver(file, reason, note))
      return nil
    } catch let error as SystemError {
      throw context.scratchFailure(error)
    } catch {
      throw Failure.from(error)
    }
  }

  /// The second pass: frames of about one piece each, and a data file of each. Nil when the file changed meanwhile.
  private mutating func writePieces(
    _ member: inout Member, work: String, attempt: String, show: Int, _ outcome: inout Outcome
  ) async throws(Failure) -> [DataFile]? {
    var dataFiles: [DataFile] = []
    var alert: AlertWriter?
    var again = SHA256()
    do {
      var reader = try RotatedFileReader.open(
        member.file, settle: document.logs.settle, now: context.clock.now())
      reader.limits = context.inflateLimits
      scanner.begin(batch: 0)
      var number = 0
      var atEnd = false
      while !atEnd {
        let path = joined(work, "frame-\(number).parquet")
        var frame = try FrameWriter.create(path)
        atEnd = try reader.read(
          atMost: context.pieceLimit, raw: { _ in },
          text: { block in
            again.update(block)
            try scanner.scan(block) { try frame.append(&$0) }
            noteProgress(0)
          })
        if atEnd { try scanner.finish(.rotated) { try frame.append(&$0) } }
        try scanner.drain { try frame.append(&$0) }
        let layout = try frame.finish()
        if layout.rows > 0 {
          let (files, urgent) = try await parquet(
            layout, [member], work: work, number: number, attempt: attempt)
          dataFiles.append(contentsOf: files)
          try collect(
            urgent, layout, member.facts, into: &alert, path: joined(work, "alert.json.gz"), show: show,
            &outcome)
        }
        try removeFile(path)
        number += 1
      }
      entriesRead += scanner.counts.entries
      member.content.counts = scanner.counts
      member.facts.setCounts(scanner.counts)
      member.facts.urgent = alert?.rows ?? 0
      if let finished = alert.take() {
        member.alert = try BatchUpload(context: context).alert(finished, member.facts)
      }
    } catch ReadingRefusal.passOver(let reason, let note) {
      outcome.passedOver.append(passOver(member.file, reason, note))
      return nil
    } catch let error as SystemError {
      throw context.scratchFailure(error)
    } catch {
      throw Failure.from(error)
    }
    guard again.hexDigest() == member.content.digest else {
      outcome.passedOver.append(passOver(member.file, .changed, "it changed while it was read"))
      return nil
    }
    return dataFiles
  }

  private func collect(
    _ urgent: [Int64], _ layout: FrameLayout, _ facts: BatchFacts, into alert: inout AlertWriter?,
    path: String, show: Int,
    _ outcome: inout Outcome
  ) throws {
    guard !urgent.isEmpty else { return }
    if alert == nil { alert = try AlertWriter.create(path) }
    let constant = columns(facts)
    let frame = try FrameReader(layout)
    try frame.rows(urgent) { row in
      let line = row.json(constant)
      try alert?.append(line)
      if outcome.urgentRows.count < show, let value = try? JSONValue(parsing: line) {
        outcome.urgentRows.append(value)
      }
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

  // MARK: DuckDB

  private func parquet(
    _ frame: FrameLayout, _ members: [Member], work: String, number: Int, attempt: String
  ) async throws(Failure) -> (files: [DataFile], urgent: [Int64]) {
    context.progress(NodeProgress(phase: "writing", bytes: bytesRead, entries: entriesRead))
    let step = ParquetStep(
      context: context, dataPath: document.dataPath, selection: selection, deadline: deadline)
    return try await step.run(frame, members.map(\.numbered), work: work, number: number, attempt: attempt)
  }

  /// Turns a frame of all members into a data file in the store, and its urgent rows into one alert file a batch.
  private mutating func writePiece(
    _ frame: FrameLayout, members: inout [Member], work: String, number: Int, attempt: String, show: Int,
    _ outcome: inout Outcome
  ) async throws(Failure) -> [DataFile] {
    let (files, urgent) = try await parquet(frame, members, work: work, number: number, attempt: attempt)
    do {
      let reader = try FrameReader(frame)
      var alert: AlertWriter?
      var current = -1
      func close(_ alert: inout AlertWriter?, _ index: Int) throws {
        guard let finished = alert.take() else { return }
        members[index].facts.urgent = finished.rows
        members[index].alert = try BatchUpload(context: context).alert(finished, members[index].facts)
      }
      try reader.rows(urgent) { row in
        guard let index = members.firstIndex(where: { $0.number == row.batch }) else { return }
        if index != current {
          try close(&alert, current)
          current = index
          alert = try AlertWriter.create(joined(work, "alert-\(index).json.gz"))
        }
        let line = row.json(columns(members[index].facts))
        try alert?.append(line)
        if outcome.urgentRows.count < show, let value = try? JSONValue(parsing: line) {
          outcome.urgentRows.append(value)
        }
      }
      try close(&alert, current)
    } catch let error as SystemError {
      throw context.scratchFailure(error)
    } catch {
      throw Failure.from(error)
    }
    return files
  }

  // MARK: words

  private func columns(_ facts: BatchFacts) -> BatchColumns {
    BatchColumns(
      region: context.node.region, zone: context.node.zone, node: context.node.name, stream: facts.stream,
      rotated: Instant(seconds: facts.rotated), batch: facts.id)
  }

  private func passOver(_ file: RotatedFile, _ reason: PassedOver.Reason, _ note: String) -> PassedOver {
    PassedOver(
      file: relative(file.path, context.root), reason: reason, note: note, bytes: file.info.size,
      rotated: file.info.modifiedSeconds)
  }

  private mutating func noteProgress(_ bytes: Int64) {
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
