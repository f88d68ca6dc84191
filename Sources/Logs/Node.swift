// What there is on a node: who it is, its log files, streams, batches and bundles, and a writer of logs for trying things out.

import Files
public import Support

/// One machine with logs.
public struct Node: Hashable, Sendable, Codable, CustomStringConvertible {
  public var region: String
  public var zone: String
  public var name: String

  public init(region: String, zone: String, name: String) {
    self.region = region
    self.zone = zone
    self.name = name
  }

  public var description: String { "\(region)/\(zone)/\(name)" }

  /// `Region-Zone-Node`, as object names carry it.
  public var label: String { "\(region)-\(zone)-\(name)" }

  /// One key for the three: the label and 8 hex digits of their digest, since hyphens alone would make two nodes one.
  public var key: String { "\(label)-\(sha256("\(region)\n\(zone)\n\(name)\n".utf8).prefix(8))" }

  /// - Throws: `node.name` for a part that does not match `[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?`.
  public func validate() throws(Failure) {
    for (part, value) in [("region", region), ("zone", zone), ("name", name)] where !isNodePart(value) {
      throw Failure(
        "node.name", "A node's \(part) can't be '\(printable(value))'.",
        remedy:
          "It takes 1 to 63 letters, digits, dots, hyphens and underscores, a letter or digit first and last."
      )
    }
  }
}

func isNodePart(_ text: String) -> Bool {
  func isAlphanumeric(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
  }
  let bytes = Array(text.utf8)
  guard (1...63).contains(bytes.count), isAlphanumeric(bytes[0]), isAlphanumeric(bytes[bytes.count - 1])
  else {
    return false
  }
  return bytes.allSatisfy { isAlphanumeric($0) || $0 == 0x2E || $0 == 0x5F || $0 == 0x2D }
}
