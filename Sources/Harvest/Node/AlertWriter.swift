import Files
import Rows
import Support

/// Writes one batch's urgent rows as gzip'd NDJSON, and knows the digest of the uncompressed lines.
struct AlertWriter: ~Copyable {
  let path: String
  private let file: Descriptor
  private var lines = RowLines()
  private var gzip = GzipWriter()
  private var content = SHA256()
  private var object = SHA256()
  private var size: Int64 = 0
  private(set) var rows: Int64 = 0

  /// Lines that are compressed at once.
  private static let blockSize = 256 << 10

  static func create(_ path: String, _ columns: BatchColumns) throws(SystemError) -> AlertWriter {
    AlertWriter(path: path, file: try Descriptor.create(path, mode: 0o600), columns: columns)
  }

  private init(path: String, file: consuming Descriptor, columns: BatchColumns) {
    self.path = path
    self.file = file
    lines.begin(columns)
  }

  /// - Parameter show: is lent the line.
  mutating func append(_ row: FrameRow, show: ((UnsafeRawBufferPointer) -> Void)? = nil) throws(SystemError) {
    rows += 1
    let start = lines.append(row)
    show?(UnsafeRawBufferPointer(rebasing: lines.text[start...]))
    if lines.count >= Self.blockSize { try flush(last: false) }
  }

  private mutating func flush(last: Bool) throws(SystemError) {
    content.update(lines.text)
    var failure: SystemError?
    gzip.write(lines.text, last: last) { out in
      object.update(out)
      size += Int64(out.count)
      guard failure == nil else { return }
      do throws(SystemError) { try file.write(out) } catch { failure = error }
    }
    lines.removeAll()
    if let failure { throw failure }
  }

  /// Ends the file. Digests in hex: of the lines, and of the object as it lies there.
  consuming func finish() throws(SystemError) -> (content: String, object: String, size: Int64) {
    try flush(last: true)
    let total = size
    return (content.hexDigest(), object.hexDigest(), total)
  }
}
