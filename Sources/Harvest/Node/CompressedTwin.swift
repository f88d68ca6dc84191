import Files
import Logs
import Support

/// NAME.gz beside NAME: a compression that is going on, was cut short, or is done and whose NAME was not removed.
struct CompressedTwin {
  let path: String
  /// How much it holds, as far as it can be inflated, and the digest of that.
  let bytes: Int64
  private let digest: String
  private let problem: String?
  private let info: FileInfo?

  /// - Parameter settle: seconds that it must have been still where no lease is permitted.
  init(path: String, settle: Double, now: Instant) {
    self.path = path
    var bytes: Int64 = 0
    var digest = SHA256()
    var problem: String?
    var info: FileInfo?
    do {
      let found = try FileInfo(path: path)
      info = found
      // Not as the gzip file that it is: its stream need not have an end.
      let file = RotatedFile(
        path: path, folder: "", name: baseName(path), stream: "", info: found, isGzip: false,
        estimatedText: found.size)
      var reader = try RotatedFileReader.open(file, settle: settle, now: now)
      var inflater = GzipReader()
      _ = try reader.read(
        raw: { block in
          try inflater.read(block) {
            digest.update($0)
            bytes += Int64($0.count)
          }
        }, text: { _ in })
    } catch ReadingRefusal.passOver(_, let note) {
      problem = note
    } catch let error as SystemError {
      problem = error.words
    } catch {
      problem = "\(error)"
    }
    self.bytes = bytes
    self.digest = digest.hexDigest()
    self.problem = problem
    self.info = info
  }

  /// Removes it if what it holds is the beginning of the file beside it; the reason why it stays otherwise.
  ///
  /// Set aside first: rotation may have given its name to a file that nobody has read.
  func remove(ifBeginning beginning: String, batch: String) -> String? {
    if let problem { return problem }
    guard beginning == digest else { return "its content is not that of the file beside it" }
    do throws(SystemError) {
      let hidden = SetAside.hiddenName(path, batch: batch)
      try renameFile(path, hidden, replacing: false)
      let there = try FileInfo(path: hidden)
      guard let info, there.inode == info.inode, there.device == info.device, there.born == info.born,
        there.size == info.size, there.modified == info.modified
      else {
        try renameFile(hidden, path, replacing: false)
        return "another file has its name by now"
      }
      try removeFile(hidden)
      return nil
    } catch {
      return error.words
    }
  }
}

/// The digest of a stream's first bytes.
struct BeginningDigest: ~Copyable {
  private var left: Int64
  private var digest = SHA256()

  init(bytes: Int64) { left = bytes }

  mutating func update(_ block: UnsafeRawBufferPointer) {
    guard left > 0 else { return }
    let count = Int(min(left, Int64(block.count)))
    digest.update(UnsafeRawBufferPointer(rebasing: block[..<count]))
    left -= Int64(count)
  }

  /// Nothing that a digest equals, when the stream was shorter.
  consuming func hexDigest() -> String { left > 0 ? "" : digest.hexDigest() }
}
