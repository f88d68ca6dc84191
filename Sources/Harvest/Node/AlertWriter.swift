import Files
import Rows
import Support

/// Writes one batch's urgent rows as gzip'd NDJSON, and knows the digest of the uncompressed lines.
struct AlertWriter: ~Copyable {
  let path: String
  private let file: Descriptor
  private var gzip = GzipWriter()
  private var content = SHA256()
  private var object = SHA256()
  private var size: Int64 = 0
  private(set) var rows: Int64 = 0

  static func create(_ path: String) throws(SystemError) -> AlertWriter {
    AlertWriter(path: path, file: try Descriptor.create(path, mode: 0o600))
  }

  private init(path: String, file: consuming Descriptor) {
    self.path = path
    self.file = file
  }

  mutating func append(_ line: [UInt8]) throws(SystemError) {
    rows += 1
    content.updateBytes(line)
    try put(line, last: false)
  }

  private mutating func put(_ bytes: [UInt8], last: Bool) throws(SystemError) {
    var out: [UInt8] = []
    bytes.withUnsafeBytes { input in gzip.write(input, last: last) { out.append(contentsOf: $0) } }
    guard !out.isEmpty else { return }
    object.updateBytes(out)
    size += Int64(out.count)
    try file.write(out)
  }

  /// Ends the file. Digests in hex: of the lines, and of the object as it lies there.
  consuming func finish() throws(SystemError) -> (content: String, object: String, size: Int64) {
    try put([], last: true)
    let total = size
    return (content.hexDigest(), object.hexDigest(), total)
  }
}

extension SHA256 {
  mutating func updateBytes(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { update($0) }
  }
}
