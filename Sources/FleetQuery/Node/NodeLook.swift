import Files
import Harvest
import Ledger
import Logs
import Support

/// A file that a query reads, held open: a rename under it takes nothing away.
final class HeldFile: Sendable {
  let descriptor: Descriptor
  let path: String
  let info: FileInfo
  /// Nil for a file that is being written.
  let rotated: RotatedFile?
  /// Its first bytes when it was opened: one that was truncated and written anew has others.
  let head: [UInt8]

  init(_ path: String, rotated: RotatedFile?) throws(SystemError) {
    descriptor = try Descriptor.input(path)
    info = try descriptor.info()
    self.path = path
    self.rotated = rotated
    head = try Self.head(of: descriptor, atMost: info.size)
  }

  /// Whether it begins as it did when it was opened.
  func isSame() throws(SystemError) -> Bool { try Self.head(of: descriptor, atMost: info.size) == head }

  private static func head(of descriptor: borrowing Descriptor, atMost size: Int64) throws(SystemError)
    -> [UInt8]
  {
    let count = Int(min(256, max(0, size)))
    guard count > 0 else { return [] }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
    defer { buffer.deallocate() }
    return Array(buffer.prefix(try descriptor.read(into: buffer, at: 0)))
  }
}

/// Which files of a node a query reads: all that its ledger does not know to be in the snapshot or gone, each once, whoever renames them meanwhile.
struct NodeLook {
  /// A file whose rows are asked for, with its batch where that is known.
  struct Wanted: Sendable {
    var file: HeldFile
    var batch: String?
    var stream: String
    /// Seconds since 1970.
    var rotated: Int64?
  }

  var wanted: [Wanted] = []
  var passedOver: [PassedOver] = []
  var missingFolders: [String] = []
  /// Sequence number of the newest snapshot that holds a batch whose file is gone.
  var newestPruned: Int64?

  private let root: String
  private let logs: TaskDocument.Logs

  /// Looks, opens, and looks again until nothing moved in between; then reads the ledger.
  ///
  /// - Throws: `query.unsteady` when the files are renamed all the time.
  init(
    root: String, logs: TaskDocument.Logs, ledgerPath: String, node: Node, held: Set<String>,
    until deadline: Deadline
  ) async throws(Failure) {
    self.root = root
    self.logs = logs
    var opened: [HeldFile] = []
    while true {
      let before = names()
      passedOver = []
      opened = try open()
      if names() == before, isSteady(opened) { break }
      guard !deadline.hasPassed else {
        throw Failure(
          "query.unsteady", "The log files were renamed all the time while they were looked at.",
          remedy: "Ask again.")
      }
      // Whoever renames them tells nobody when it has done.
      try? await Task.sleep(for: .milliseconds(5))
    }
    // Only now: a batch that was pruned since then has its file open here, and its sequence number in the ledger.
    try choose(opened, ledgerPath, node, held)
  }

  /// Whether no copy was made, and no file cut, between the look and the opening.
  private func isSteady(_ opened: [HeldFile]) -> Bool {
    let live = opened.filter { $0.rotated == nil }.map(\.info.size)
    // A copy that was passed over as the beginning of a file in use: that one still holds it all.
    let copies = passedOver.filter { $0.reason == .copytruncate }
    return copies.allSatisfy { copy in live.contains { $0 >= copy.bytes } }
      && opened.allSatisfy { file in file.rotated.map { $0.info.size == file.info.size } ?? true }
  }

  /// What lies in the folders, by path, each with the file that it names.
  private func names() -> [String: [UInt64]] {
    var found: [String: [UInt64]] = [:]
    for folder in rotatedFolders(root: root, globs: logs.live + logs.rotated) {
      for entry in (try? folderEntries(folder)) ?? [] {
        guard let name = entry.name, let info = try? FileInfo(path: joined(folder, name)) else { continue }
        found[joined(folder, name)] = [info.device, info.inode]
      }
    }
    return found
  }

  private mutating func open() throws(Failure) -> [HeldFile] {
    let inventory = takeInventory(root: root, live: logs.live, rotated: logs.rotated)
    passedOver = inventory.passedOver
    missingFolders = inventory.missingFolders
    var opened: [HeldFile] = []
    var seen: Set<[UInt64]> = []
    // Live ones first: one that is rotated meanwhile is seen twice, and counted once.
    for path in inventory.live { hold(path, nil, &opened, &seen) }
    for file in inventory.rotated { hold(file.path, file, &opened, &seen) }
    for file in filesSetAside(in: rotatedFolders(root: root, globs: logs.rotated), root: root) {
      hold(file.path, file, &opened, &seen)
    }
    return opened
  }

  private mutating func hold(
    _ path: String, _ rotated: RotatedFile?, _ opened: inout [HeldFile], _ seen: inout Set<[UInt64]>
  ) {
    do throws(SystemError) {
      let file = try HeldFile(path, rotated: rotated)
      guard file.info.kind == .regular, seen.insert([file.info.device, file.info.inode]).inserted else {
        return
      }
      opened.append(file)
    } catch {
      // Gone: the second look sees that it moved.
      if error.isMissing { return }
      passedOver.append(PassedOver(file: relative(path, root), reason: .unreadable, note: error.words))
    }
  }

  private mutating func choose(
    _ opened: [HeldFile], _ ledgerPath: String, _ node: Node, _ held: Set<String>
  ) throws(Failure) {
    let ledger = try Ledger.read(ledgerPath)
    var known = KnownBatches()
    var isReady = false
    switch ledger {
    case .none: break
    case .some(let ledger):
      known = KnownBatches(try ledger.batches())
      newestPruned = try ledger.newestPruned()
      isReady = try ledger.isReady()
    }
    var taken: Set<String> = []
    for file in opened {
      guard let rotated = file.rotated else {
        wanted.append(
          Wanted(file: file, batch: nil, stream: streamName(ofFile: baseName(file.path)), rotated: nil))
        continue
      }
      var batch = known.batch(file.info)
      // The same content under another name or compressed since, or a ledger that was lost: the content says which batch it is.
      if batch == nil, known.mayHold(rotated) || (!isReady && !held.isEmpty) {
        let digest: String
        do { digest = try contentDigest(file) } catch {
          passedOver.append(
            PassedOver(file: relative(file.path, root), reason: .unreadable, note: error.description))
          continue
        }
        let id = batchID(
          node: node, folder: rotated.folder, stream: rotated.stream, rotated: rotated.rotated, digest: digest
        )
        batch =
          known.batches[id]
          ?? KnownBatches.Batch(id: id, isPruned: false, stream: rotated.stream, rotated: rotated.rotated)
      }
      if let batch {
        guard !batch.isPruned, !held.contains(batch.id), taken.insert(batch.id).inserted else { continue }
        wanted.append(Wanted(file: file, batch: batch.id, stream: batch.stream, rotated: batch.rotated))
      } else {
        wanted.append(Wanted(file: file, batch: nil, stream: rotated.stream, rotated: rotated.rotated))
      }
    }
  }
}

/// The ledger's batches, by the files that they were read from.
private struct KnownBatches {
  struct Batch {
    var id: String
    var isPruned: Bool
    var stream: String
    var rotated: Int64
  }

  var batches: [String: Batch] = [:]
  private var files: [[Int64]: Batch] = [:]
  private var seconds: Set<String> = []

  init() {}

  init(_ all: [LedgerBatch]) {
    for entry in all {
      let batch = Batch(
        id: entry.facts.id, isPruned: entry.state == .pruned, stream: entry.facts.stream,
        rotated: entry.facts.rotated)
      batches[batch.id] = batch
      seconds.insert("\(batch.rotated) \(batch.stream)")
      let file = entry.identity
      // Without a birth time nothing tells a file from a later one with its inode.
      guard let born = file.born else { continue }
      files[Self.key(file.device, file.inode, born, file.size, file.modified)] = batch
    }
  }

  func batch(_ info: FileInfo) -> Batch? {
    info.born.flatMap { files[Self.key(info.device, info.inode, $0, info.size, info.modified)] }
  }

  func mayHold(_ file: RotatedFile) -> Bool { seconds.contains("\(file.rotated) \(file.stream)") }

  private static func key(_ device: UInt64, _ inode: UInt64, _ born: Int64, _ size: Int64, _ modified: Int64)
    -> [Int64]
  {
    [Int64(bitPattern: device), Int64(bitPattern: inode), born, size, modified]
  }
}

func contentDigest(_ file: HeldFile) throws(Failure) -> String {
  var digest = SHA256()
  try readText(file) { digest.update($0) }
  return digest.hexDigest()
}

/// Lends a file's text, inflated where it is gzip'd, up to where it ended when it was opened.
///
/// - Throws: `query.file` when it can't be read to its end; `query.truncated` for a file in use that has become shorter: what was in it is in a copy by
///   now, which was not looked at.
func readText(_ file: HeldFile, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void) throws(Failure) {
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
  defer { buffer.deallocate() }
  var inflater = GzipReader()
  let isGzip = file.rotated?.isGzip ?? false
  var at: Int64 = 0
  do {
    while at < file.info.size {
      let wanted = Int(min(Int64(buffer.count), file.info.size - at))
      let got = try file.descriptor.read(
        into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: at)
      if got == 0 {
        guard file.rotated == nil else { throw Failure("query.file", "It became shorter while it was read.") }
        throw Failure("query.truncated", "The file \(printable(file.path)) was truncated while it was read.")
      }
      at += Int64(got)
      let block = UnsafeRawBufferPointer(rebasing: buffer[..<got])
      if isGzip { try inflater.read(block) { try body($0) } } else { try body(block) }
    }
    if isGzip { try inflater.finish() }
    if file.rotated == nil, try !file.isSame() {
      throw Failure("query.truncated", "The file \(printable(file.path)) was written anew while it was read.")
    }
  } catch let failure as Failure {
    throw failure
  } catch let error as SystemError {
    throw error.failure("query.file", "It could not be read to its end.")
  } catch {
    throw Failure("query.file", "It is no whole gzip file.", words: "\(error)")
  }
}
