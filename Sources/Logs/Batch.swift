import Files
public import Support

/// The id of a batch: the content of one rotated file, named so that gzip, a move within the stream or a second look can't make it another.
///
/// - Parameters:
///   - folder: relative to the node's root with links resolved, without a slash at either end; absolute for one outside of it.
///   - rotated: the file's modification time in whole seconds since 1970.
///   - digest: SHA-256 of the uncompressed content in hex.
/// - Returns: 64 hex digits.
public func batchID(node: Node, folder: String, stream: String, rotated: Int64, digest: String) -> String {
  let lines = [
    "gadwall-batch-1", node.region, node.zone, node.name, folder, stream, String(rotated), digest,
  ]
  return sha256(lines.map { $0 + "\n" }.joined().utf8)
}

/// The id of a bundle: the SHA-256 of its sorted batch ids, each ended by LF.
public func bundleID(batches: [String]) -> String {
  sha256(batches.sorted().map { $0 + "\n" }.joined().utf8)
}

/// The names of the objects that a batch leaves in the store.
public struct BatchObjects: Sendable {
  let node: Node
  let batch: String
  let rotated: Instant

  public init(node: Node, batch: String, rotated: Instant) {
    self.node = node
    self.batch = batch
    self.rotated = rotated
  }

  public var raw: String {
    "raw/dt=\(rotated.dateText)/\(batch.prefix(12))/\(node.label)-RAW-\(rotated.minuteStamp).json.gz"
  }

  /// - Parameter digest: of the alert's uncompressed content, so that other content gets another name.
  public func alert(digest: String) -> String {
    "alerts/dt=\(rotated.dateText)/\(batch.prefix(12))-\(digest.prefix(8))/\(node.label)-SECURITY-\(rotated.minuteStamp).json.gz"
  }
}
