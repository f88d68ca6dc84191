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

  /// - Parameter settle: seconds that it must have been still where no lease is permitted.
  init(path: String, settle: Double, now: Instant) {
    self.path = path
    var bytes: Int64 = 0
    var digest = SHA256()
    var problem: String?
    do {
      let info = try FileInfo(path: path)
      // Not as the gzip file that it is: its stream need not have an end.
      let file = RotatedFile(
        path: path, folder: "", name: baseName(path), stream: "", info: info, isGzip: false,
        estimatedText: info.size)
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
  }

  /// Removes it if what it holds is the beginning of the file beside it; the reason why it stays otherwise.
  func remove(ifBeginning beginning: String) -> String? {
    if let problem { return problem }
    guard beginning == digest else { return "its content is not that of the file beside it" }
    do throws(SystemError) {
      try removeFile(path)
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
