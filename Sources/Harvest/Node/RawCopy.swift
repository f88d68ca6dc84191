import Files
import Logs

/// The gzip'd form of a file, in scratch: compressed on the way, or the very bytes of one that is gzip already. A copy even then, since by the time
/// of the upload rotation may have given the file's name to another.
struct RawCopy: ~Copyable {
  struct Finished: Sendable {
    var path: String
    /// SHA-256 of the gzip'd bytes in hex, and how many there are.
    var digest: String
    var size: Int64
  }

  private let path: String
  private let isGzip: Bool
  private let file: Descriptor
  private var gzip = GzipWriter()
  private var digest = SHA256()
  private var size: Int64 = 0

  static func create(_ source: RotatedFile, at path: String) throws(SystemError) -> RawCopy {
    RawCopy(path: path, isGzip: source.isGzip, file: try Descriptor.create(path, mode: 0o600))
  }

  private init(path: String, isGzip: Bool, file: consuming Descriptor) {
    self.path = path
    self.isGzip = isGzip
    self.file = file
  }

  /// The bytes as they lie on the disk.
  mutating func take(_ block: UnsafeRawBufferPointer) throws(SystemError) {
    guard isGzip else { return }
    digest.update(block)
    size += Int64(block.count)
    try file.write(block)
  }

  /// The uncompressed bytes.
  mutating func takeText(_ block: UnsafeRawBufferPointer, last: Bool = false) throws(SystemError) {
    guard !isGzip else { return }
    var failure: SystemError?
    gzip.write(block, last: last) { out in
      digest.update(out)
      size += Int64(out.count)
      guard failure == nil else { return }
      do throws(SystemError) { try file.write(out) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  consuming func finish() throws(SystemError) -> Finished {
    try takeText(UnsafeRawBufferPointer(start: nil, count: 0), last: true)
    let (path, size) = (path, size)
    return Finished(path: path, digest: digest.hexDigest(), size: size)
  }
}
