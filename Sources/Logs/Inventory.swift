public import Files
import Glibc
public import Support

/// A rotated file that may be read.
public struct RotatedFile: Sendable {
  public var path: String
  /// Relative to the node's root, links resolved.
  public var folder: String
  public var name: String
  public var stream: String
  public var info: FileInfo
  public var isGzip: Bool
  /// The file's own .gz beside it: a compression that is going on or was cut short.
  public var twin: String?

  /// Its modification time in seconds; of a batch that is known, the one that it had when it became one, whatever was done to the file since.
  public var rotated: Int64
  /// The day of its rotation, in days since 1970.
  public var day: Int32 { Instant(seconds: rotated).day }
  /// About how much text it holds; a gzip file says so itself, modulo 4 GiB.
  public var estimatedText: Int64
  /// A copy of ours that nobody else knows: no lease is needed to be sure that nobody writes to it.
  public var isOwn = false
  /// Its first bytes were looked at; otherwise `isGzip` says nothing.
  public var isExamined = true

  public init(
    path: String, folder: String, name: String, stream: String, info: FileInfo, isGzip: Bool,
    estimatedText: Int64
  ) {
    self.path = path
    self.folder = folder
    self.name = name
    self.stream = stream
    self.info = info
    rotated = info.modifiedSeconds
    self.isGzip = isGzip
    self.estimatedText = estimatedText
  }

  /// The file as the one that a batch was made of: under another name, in another folder or with another time it is the same batch.
  public func known(as facts: BatchFacts) -> RotatedFile {
    var file = self
    file.folder = facts.folder
    file.name = facts.file
    file.stream = facts.stream
    file.rotated = facts.rotated
    return file
  }
}

/// A file that was not read, and why.
public struct PassedOver: Sendable, Codable, Equatable {
  public enum Reason: String, Sendable, Codable {
    case link, directory, fifo, socket, device, name, unreadable, compression, brokenGzip = "broken-gzip"
    case beingCompressed = "being-compressed"
    case copytruncate, waiting, held, scratch, changed, twin
  }

  /// Relative to the node's root where it lies below it.
  public var file: String
  public var reason: Reason
  public var note: String
  @Count public var bytes: Int64
  /// The file's modification time in seconds, where it was looked at.
  public var rotated: Int64?

  public init(file: String, reason: Reason, note: String, bytes: Int64 = 0, rotated: Int64? = nil) {
    self.file = file
    self.reason = reason
    self.note = note
    self.bytes = bytes
    self.rotated = rotated
  }

  /// Whether lines are missing from the archive because of it, so that a run did not do all there was to do.
  public var isGap: Bool {
    switch reason {
    case .unreadable, .held, .name, .brokenGzip, .compression, .scratch: true
    default: false
    }
  }
}

/// Which files there are under a node's globs, and which of them may be touched.
public struct Inventory: Sendable {
  public var rotated: [RotatedFile] = []
  public var passedOver: [PassedOver] = []
  /// Folders of the globs that do not exist: reported, and the same as empty.
  public var missingFolders: [String] = []
  /// Folders that were listed, absolute.
  public var folders: [String] = []
  public var live: [String] = []
}

/// Lists and examines the files. Opens each rotated file once, for its first bytes; reads nothing else but what tells a copytruncate.
///
/// - Parameters:
///   - root: the node's root.
///   - live: globs of the files that are being written, relative to the root.
///   - rotated: globs of the files that their writers have left.
///   - isKnown: files that need no look, since they are archived: no byte of them is read.
public func takeInventory(
  root: String, live: [String], rotated: [String], isKnown: (FileInfo) -> Bool = { _ in false }
) -> Inventory {
  // What is found has its links resolved, and is named relative to the root.
  let root = resolvedPath(root)
  var result = Inventory()
  var seen: Set<[UInt64]> = []
  // By bytes, here and in `pairUp`: to Swift a letter with its accent and the two of them one after the other are equal.
  var passed: Set<[UInt8]> = []
  var livePaths: Set<[UInt8]> = []
  for glob in live {
    for found in expand(glob, root: root, &result) {
      guard case .file(let path, let info) = found, info.kind == .regular else { continue }
      result.live.append(path)
      livePaths.insert(Array(path.utf8))
      seen.insert([info.device, info.inode])
    }
  }
  var candidates: [RotatedFile] = []
  for glob in rotated {
    for found in expand(glob, root: root, &result) {
      switch found {
      case .odd(let over):
        if passed.insert(Array(over.file.utf8)).inserted { result.passedOver.append(over) }
      case .file(let path, let info):
        guard !livePaths.contains(Array(path.utf8)) else { continue }
        if let over = unfit(path, info, root: root) {
          if passed.insert(Array(over.file.utf8)).inserted { result.passedOver.append(over) }
          continue
        }
        guard seen.insert([info.device, info.inode]).inserted else { continue }
        if isKnown(info) {
          candidates.append(unexamined(path, info, root: root))
          continue
        }
        switch examine(path, root: root) {
        case .success(let file): candidates.append(file)
        case .failure(let over): result.passedOver.append(over.passedOver)
        }
      }
    }
  }
  result.rotated = pairUp(candidates, root: root, &result.passedOver)
  result.rotated.removeAll { file in
    guard file.isExamined, !file.isGzip, let live = result.live.first(where: { isBeginning(file, of: $0) })
    else {
      return false
    }
    result.passedOver.append(
      PassedOver(
        file: relative(file.path, root), reason: .copytruncate,
        note: "it is the beginning of \(relative(live, root)): a copytruncate that is going on",
        bytes: file.info.size))
    return true
  }
  result.missingFolders = Array(Set(result.missingFolders)).sorted()
  result.folders = Array(Set(result.folders)).sorted()
  return result
}

/// The folders that the globs name, absolute, as far as they exist.
public func rotatedFolders(root: String, globs: [String]) -> [String] {
  var result = Inventory()
  for glob in globs { _ = expand(glob, root: root, &result) }
  return Array(Set(result.folders)).sorted()
}

/// A path relative to the root, or the path itself when it lies elsewhere.
public func relative(_ path: String, _ root: String) -> String {
  let base = root.hasSuffix("/") ? root : root + "/"
  // By bytes: an accent at a name's beginning makes one Character with the slash before it.
  guard path.utf8.starts(with: base.utf8) else { return path }
  return String(Substring(path.utf8.dropFirst(base.utf8.count)))
}

private enum Found {
  case file(String, FileInfo)
  case odd(PassedOver)
}

private func expand(_ glob: String, root: String, _ result: inout Inventory) -> [Found] {
  let parts = glob.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
  var folders = [resolvedPath(root)]
  var found: [Found] = []
  for (depth, part) in parts.enumerated() {
    let isLast = depth == parts.count - 1
    var next: [String] = []
    for folder in folders {
      let entries: [FolderEntry]
      do {
        entries = try folderEntries(folder)
      } catch {
        if error.isMissing {
          result.missingFolders.append(relative(folder, root))
        } else {
          found.append(
            .odd(PassedOver(file: relative(folder, root), reason: .unreadable, note: error.words)))
        }
        continue
      }
      if isLast { result.folders.append(folder) }
      if !isLast, !part.contains(where: { "*?[".contains($0) }) {
        next.append(resolvedPath(joined(folder, part)))
        continue
      }
      for entry in entries where matches(part, entry.bytes) {
        guard let name = entry.name,
          !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else {
          // A line feed in a name would begin a line of its own in what people read, and say there what it likes.
          let shown = printable(String(decoding: entry.bytes, as: UTF8.self)).replacing(
            "\n", with: "\u{FFFD}")
          found.append(
            .odd(
              PassedOver(
                file: relative(joined(folder, shown), root), reason: .name,
                note: "its name is no UTF-8 or holds control characters")))
          continue
        }
        let path = joined(folder, name)
        do throws(SystemError) {
          let info = try FileInfo(path: path)
          if isLast {
            found.append(.file(path, info))
          } else {
            let target = resolvedPath(path)
            if let kind = try? FileInfo(path: target).kind, kind == .directory { next.append(target) }
          }
        } catch {
          // Gone between the listing and the look: nothing to report.
          if !error.isMissing {
            found.append(.odd(PassedOver(file: relative(path, root), reason: .unreadable, note: error.words)))
          }
        }
      }
    }
    folders = next
  }
  return found
}

private func matches(_ pattern: String, _ name: [UInt8]) -> Bool {
  (name + [0]).withUnsafeBufferPointer { buffer in
    buffer.withMemoryRebound(to: CChar.self) { fnmatch(pattern, $0.baseAddress, FNM_PERIOD) == 0 }
  }
}

/// Why what lies there is no file to read.
private func unfit(_ path: String, _ info: FileInfo, root: String) -> PassedOver? {
  func over(_ reason: PassedOver.Reason, _ note: String) -> PassedOver {
    PassedOver(file: relative(path, root), reason: reason, note: note)
  }
  switch info.kind {
  case .regular:
    guard baseName(path).utf8.count > longestName else { return nil }
    return over(
      .name,
      "its name is longer than \(longestName) bytes: no room is left for the private name under which it would be deleted"
    )
  case .link: return over(.link, "it is a symbolic link")
  case .directory: return over(.directory, "it is a directory")
  case .fifo: return over(.fifo, "it is a FIFO")
  case .socket: return over(.socket, "it is a socket")
  case .device, .other: return over(.device, "it is a device")
  }
}

/// In bytes. Linux takes 255; up to 39 more stand before it while a file is set aside, or in the trash.
private let longestName = 216

private struct Unfit: Error { var passedOver: PassedOver }

/// A file as its name and facts alone tell of it.
private func unexamined(_ path: String, _ info: FileInfo, root: String) -> RotatedFile {
  var file = RotatedFile(
    path: path, folder: relative(resolvedPath(folderName(path)), resolvedPath(root)), name: baseName(path),
    stream: streamName(ofFile: baseName(path)), info: info, isGzip: false, estimatedText: info.size)
  file.isExamined = false
  return file
}

/// Opens the file and looks at its first bytes: what a file is, they say, not its name.
private func examine(_ path: String, root: String) -> Result<RotatedFile, Unfit> {
  func over(_ reason: PassedOver.Reason, _ note: String, _ bytes: Int64) -> Result<RotatedFile, Unfit> {
    .failure(
      Unfit(passedOver: PassedOver(file: relative(path, root), reason: reason, note: note, bytes: bytes)))
  }
  do {
    let file = try Descriptor.input(path)
    let info = try file.info()
    guard info.kind == .regular else {
      return over(.changed, "it became something else while it was looked at", 0)
    }
    var head = [UInt8](repeating: 0, count: 16)
    let got = try head.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
    head.removeLast(16 - got)
    if let name = otherCompression(head) {
      return over(.compression, "it is \(name) compressed, which is not read", info.size)
    }
    let isGzip = head.starts(with: [0x1F, 0x8B])
    var text = info.size
    if isGzip, info.size >= 18 {
      var tail = [UInt8](repeating: 0, count: 4)
      _ = try tail.withUnsafeMutableBytes { try file.read(into: $0, at: info.size - 4) }
      let said = Int64(tail[0]) | Int64(tail[1]) << 8 | Int64(tail[2]) << 16 | Int64(tail[3]) << 24
      text = max(said, info.size)
    }
    let folder = relative(resolvedPath(folderName(path)), resolvedPath(root))
    return .success(
      RotatedFile(
        path: path, folder: folder, name: baseName(path), stream: streamName(ofFile: baseName(path)),
        info: info,
        isGzip: isGzip, estimatedText: text))
  } catch let error as SystemError {
    if error.isLoop { return over(.link, "it is a symbolic link", 0) }
    if error.isMissing { return over(.changed, "it went away while it was looked at", 0) }
    return over(.unreadable, error.words, 0)
  } catch {
    return over(.unreadable, "\(error)", 0)
  }
}

/// The name of a compression other than gzip that the first bytes show.
public func otherCompression(_ head: [UInt8]) -> String? {
  let marks: [(String, [UInt8])] = [
    ("xz", [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]), ("zstd", [0x28, 0xB5, 0x2F, 0xFD]),
    ("lz4", [0x04, 0x22, 0x4D, 0x18]),
    ("zip", [0x50, 0x4B, 0x03, 0x04]), ("zip", [0x50, 0x4B, 0x05, 0x06]),
  ]
  // Behind the block size comes the first block or, when nothing was compressed, the end.
  let blocks: [[UInt8]] = [[0x31, 0x41, 0x59, 0x26, 0x53, 0x59], [0x17, 0x72, 0x45, 0x38, 0x50, 0x90]]
  if head.count >= 10, head.starts(with: Array("BZh".utf8)), blocks.contains(Array(head[4..<10])) {
    return "bzip2"
  }
  return marks.first { head.starts(with: $0.1) }?.0
}

/// NAME.gz beside NAME is a compression that is going on or was cut short: NAME is read and NAME.gz is not.
private func pairUp(_ files: [RotatedFile], root: String, _ passedOver: inout [PassedOver]) -> [RotatedFile] {
  let paths = Set(files.map { Array($0.path.utf8) })
  var result: [RotatedFile] = []
  for var file in files {
    if file.name.hasSuffix(".gz"), paths.contains(Array(file.path.utf8.dropLast(3))) {
      passedOver.append(
        PassedOver(
          file: relative(file.path, root), reason: .beingCompressed,
          note: "\(relative(String(file.path.dropLast(3)), root)) lies beside it and is read instead",
          bytes: file.info.size))
      continue
    }
    if !file.name.hasSuffix(".gz"), paths.contains(Array((file.path + ".gz").utf8)) {
      file.twin = file.path + ".gz"
    }
    result.append(file)
  }
  return result
}

/// Whether the file is not empty and equals the beginning of the live one: its first 64 KiB and its last 4 KiB, at the same offsets.
private func isBeginning(_ file: RotatedFile, of live: String) -> Bool {
  let size = file.info.size
  guard size > 0, let liveInfo = try? FileInfo(path: live), liveInfo.size >= size else { return false }
  let head = Int(min(size, 64 << 10))
  let tail = Int(min(size, 4 << 10))
  return samePart(file.path, live, at: 0, head) && samePart(file.path, live, at: size - Int64(tail), tail)
}

private func samePart(_ a: String, _ b: String, at offset: Int64, _ count: Int) -> Bool {
  func part(_ path: String) -> [UInt8]? {
    guard let file = try? Descriptor.input(path) else { return nil }
    var bytes = [UInt8](repeating: 0, count: count)
    guard let got = try? bytes.withUnsafeMutableBytes({ try file.read(into: $0, at: offset) }), got == count
    else {
      return nil
    }
    return bytes
  }
  guard let first = part(a) else { return false }
  return first == part(b)
}
