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
  private var progressAt = Stopwatch()
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
    var alert: (path: String, content: String, object: StoredObject)?
  }

  /// - Parameters:
  ///   - known: a bundle that the ledger has fixed already: it is staged with just these members or not at all.
  ///   - show: how many urgent rows to hand back.
  mutating func stage(
    _ files: [RotatedFile], as known: LedgerBundle?, ledger: borrowing Ledger, show: Int
  ) async throws(Failure) -> Outcome {
    sequence += 1
    let work = joined(context.scratch, "bundle-\(sequence)")
    do { try makeFolder(work, mode: 0o700) } catch { throw scratchFailure(error) }
    defer { try? removeTree(work) }
    var outcome = Outcome()
    let needed = files.reduce(Int64(64 << 20)) { $0 + min($1.estimatedText, context.pieceLimit) * 3 / 2 }
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
    let attempt = randomName()
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
    for index in members.indices { try await upload(&members[index], &outcome) }
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
      throw scratchFailure(error)
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
      throw scratchFailure(error)
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
      if let finished = alert.take() { member.alert = try named(finished, member.facts) }
    } catch ReadingRefusal.passOver(let reason, let note) {
      outcome.passedOver.append(passOver(member.file, reason, note))
      return nil
    } catch let error as SystemError {
      throw scratchFailure(error)
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
    try ledger.fix(
      bundle: bundleID(batches: members.map(\.facts.id)), day: members[0].facts.day,
      batches: members.map { ($0.facts, $0.file.path, FileIdentity($0.file.info)) })
    stepPoint("stage.fixed")
  }

  private func facts(_ file: RotatedFile, _ content: FileContent) -> BatchFacts {
    let rotated = file.info.modifiedSeconds
    let id = batchID(
      node: context.node, folder: file.folder, stream: file.stream, rotated: rotated, digest: content.digest)
    var facts = BatchFacts(
      id: id, folder: file.folder, file: file.name, stream: file.stream, rotated: rotated,
      digest: content.digest,
      bytes: content.bytes, lines: 0, blank: 0, malformed: 0, entries: 0)
    facts.setCounts(content.counts)
    return facts
  }

  // MARK: DuckDB

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
        members[index].alert = try named(finished, members[index].facts)
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
      throw scratchFailure(error)
    } catch {
      throw Failure.from(error)
    }
    return files
  }

  /// Runs DuckDB over one frame and uploads the data file. The urgent rows' numbers in the frame, ascending.
  private func parquet(
    _ frame: FrameLayout, _ members: [Member], work: String, number: Int, attempt: String
  ) async throws(Failure) -> ([DataFile], [Int64]) {
    struct BatchRow: Encodable {
      var index: Int32
      var stream: String
      var rotated: Int64
      var id: String
    }
    let table = joined(work, "batches-\(number).ndjson")
    let rows = members.map {
      BatchRow(index: $0.number, stream: $0.facts.stream, rotated: $0.facts.rotated, id: $0.facts.id)
    }
    let data = joined(work, "data-\(number).parquet")
    let urgentPath = joined(work, "urgent-\(number).csv")
    do throws(SystemError) {
      try publish(Array(rows.map { encodeJSON($0) + [0x0A] }.joined()), at: table, replacing: true)
    } catch {
      throw scratchFailure(error)
    }
    context.progress(NodeProgress(phase: "writing", bytes: bytesRead, entries: entriesRead))
    let results = try await context.duckdb.run(
      [
        batchTableStatement(rows: table), rowsViewStatement(frame: frame.path, node: context.node),
        dataFileStatement(to: data), urgentRowsStatement(selection, to: urgentPath),
      ], DuckDB.Settings(scratch: joined(work, "spill"), deadline: deadline))
    guard let statistics = results.first(where: { $0.first?["column_statistics"] != nil })?.first,
      let count = statistics["count"]?.integer, let size = statistics["file_size_bytes"]?.integer
    else { throw Failure("duckdb.output", "DuckDB did not say what it wrote.") }
    let bundle = bundleID(batches: members.map(\.facts.id))
    let url =
      "\(document.dataPath)/rotated_day=\(dayText(members[0].facts.day))/region=\(context.node.region)/\(bundle.prefix(24))-\(attempt)-\(number).parquet"
    guard let key = context.store.key(of: url) else {
      throw Failure(
        "table.elsewhere",
        "The table's data path \(document.dataPath) lies outside the store \(context.store.url).")
    }
    stepPoint("stage.before-upload")
    try await context.store.put(file: data, at: key)
    guard try await context.store.stat(key)?.size == size else {
      throw Failure("store.unreliable", "The object \(key) does not have the size that was written to it.")
    }
    try? removeFile(data)
    return (
      [DataFile(url: url, size: size, rows: count, columns: columnStatistics(statistics))],
      try urgentRows(urgentPath)
    )
  }

  private func urgentRows(_ path: String) throws(Failure) -> [Int64] {
    do throws(SystemError) {
      let bytes = try readFile(path, limit: .gibibytes(1))
      return bytes.split(separator: 0x0A).compactMap { Int64(String(decoding: $0, as: UTF8.self)) }
    } catch {
      throw scratchFailure(error)
    }
  }

  // MARK: the store

  private func named(_ alert: consuming AlertWriter, _ facts: BatchFacts) throws -> (
    path: String, content: String, object: StoredObject
  ) {
    let path = alert.path
    let done = try alert.finish()
    let names = BatchObjects(node: context.node, batch: facts.id, rotated: Instant(seconds: facts.rotated))
    return (
      path, done.content,
      StoredObject(key: names.alert(digest: done.content), size: done.size, digest: done.object)
    )
  }

  private func upload(_ member: inout Member, _ outcome: inout Outcome) async throws(Failure) {
    if let alert = member.alert {
      try await context.store.put(file: alert.path, at: alert.object.key)
      member.facts.alert = alert.object
      outcome.bytesStored += alert.object.size
    }
    let names = BatchObjects(
      node: context.node, batch: member.facts.id, rotated: Instant(seconds: member.facts.rotated))
    let raw = StoredObject(key: names.raw, size: member.content.rawSize, digest: member.content.rawDigest)
    member.facts.raw = try await putRaw(raw, from: member.content.rawPath, content: member.content.digest)
    outcome.bytesStored += raw.size
  }

  /// Uploads the raw file. One that is there already is kept when it holds the same content, and replaced when it can't be read.
  private func putRaw(_ raw: StoredObject, from path: String, content: String) async throws(Failure)
    -> StoredObject
  {
    if try await context.store.stat(raw.key) != nil {
      let copy = joined(context.scratch, "there-\(randomName()).gz")
      defer { try? removeFile(copy) }
      if (try? await context.store.get(raw.key, toFile: copy)) == true, let there = describe(copy) {
        guard there.content == content else {
          throw Failure(
            "store.other-content",
            "The object \(raw.key) is in the store already, with other content than its batch has.",
            remedy:
              "Somebody else wrote it. Move it away and run the harvest again; nothing of this batch was deleted."
          )
        }
        return StoredObject(key: raw.key, size: there.size, digest: there.object)
      }
    }
    try await context.store.put(file: path, at: raw.key)
    return raw
  }

  /// Digests of a gzip file; nil when it can't be read whole.
  private func describe(_ path: String) -> (content: String, object: String, size: Int64)? {
    guard let file = try? Descriptor.input(path) else { return nil }
    var reader = GzipReader()
    var content = SHA256()
    var object = SHA256()
    var size: Int64 = 0
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { buffer.deallocate() }
    do {
      while true {
        let got = try file.read(into: buffer)
        if got == 0 { break }
        let block = UnsafeRawBufferPointer(rebasing: buffer[..<got])
        object.update(block)
        size += Int64(got)
        try reader.read(block) { content.update($0) }
      }
      try reader.finish()
    } catch {
      return nil
    }
    return (content.hexDigest(), object.hexDigest(), size)
  }

  // MARK: words

  private func columns(_ facts: BatchFacts) -> BatchColumns {
    BatchColumns(
      region: context.node.region, zone: context.node.zone, node: context.node.name, stream: facts.stream,
      rotated: Instant(seconds: facts.rotated), batch: facts.id)
  }

  private func passOver(_ file: RotatedFile, _ reason: PassedOver.Reason, _ note: String) -> PassedOver {
    PassedOver(file: relative(file.path, context.root), reason: reason, note: note, bytes: file.info.size)
  }

  private func scratchFailure(_ error: SystemError) -> Failure {
    error.failure(
      error.isNoSpace ? "scratch.full" : "scratch.unwritable",
      "The scratch folder \(context.scratch) can't be written to.",
      remedy: "Nothing was lost: the files are read again by the next run.")
  }

  private mutating func noteProgress(_ bytes: Int64) {
    bytesRead += bytes
    guard progressAt.seconds > 0.1 else { return }
    progressAt = Stopwatch()
    context.progress(
      NodeProgress(phase: "reading", bytes: bytesRead, entries: entriesRead + scanner.counts.entries))
  }
}

/// The gzip'd form of a file: a copy that is compressed on the way, or the file itself when it is gzip already.
private struct RawCopy: ~Copyable {
  private let path: String
  private let isGzip: Bool
  private let file: Descriptor?
  private var gzip = GzipWriter()
  private var digest = SHA256()
  private var size: Int64 = 0

  static func create(_ source: RotatedFile, at path: String) throws(SystemError) -> RawCopy {
    if source.isGzip { return RawCopy(path: source.path, isGzip: true, file: nil) }
    return RawCopy(path: path, isGzip: false, file: try Descriptor.create(path, mode: 0o600))
  }

  private init(path: String, isGzip: Bool, file: consuming Descriptor?) {
    self.path = path
    self.isGzip = isGzip
    self.file = file
  }

  /// The bytes as they lie on the disk.
  mutating func take(_ block: UnsafeRawBufferPointer) throws(SystemError) {
    guard isGzip else { return }
    digest.update(block)
    size += Int64(block.count)
  }

  /// The uncompressed bytes.
  mutating func takeText(_ block: UnsafeRawBufferPointer, last: Bool = false) throws(SystemError) {
    guard !isGzip else { return }
    var failure: SystemError?
    gzip.write(block, last: last) { out in
      digest.update(out)
      size += Int64(out.count)
      guard failure == nil else { return }
      do throws(SystemError) { try file?.write(out) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  consuming func finish() throws(SystemError) -> (path: String, digest: String, size: Int64) {
    try takeText(UnsafeRawBufferPointer(start: nil, count: 0), last: true)
    let (path, size) = (path, size)
    return (path, digest.hexDigest(), size)
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

/// DuckDB's statistics by column, times as microseconds.
func columnStatistics(_ row: JSONValue) -> [String: ColumnStatistics] {
  var result: [String: ColumnStatistics] = [:]
  for (quoted, value) in row["column_statistics"]?.object ?? [:] {
    let name = quoted.filter { $0 != "\"" }
    func bound(_ key: String) -> String? {
      guard let text = value[key]?.string else { return nil }
      guard name == "ts" || name == "rotated" else { return text }
      return timestamp(of: text).map { String($0.microseconds) }
    }
    result[name] = ColumnStatistics(
      nulls: value["null_count"]?.integer ?? 0, values: value["num_values"]?.integer ?? 0,
      size: value["column_size_bytes"]?.integer ?? 0, min: bound("min"), max: bound("max"))
  }
  return result
}
