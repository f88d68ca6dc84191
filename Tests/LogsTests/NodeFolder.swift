import Files
import Glibc
import Logs
import Support
import TestSupport
import Testing

/// A node's root with `app/` for live logs and `raw/` for rotated ones.
struct NodeFolder: Sendable {
  let root: String
  var live = ["app/*.log"]
  var rotated = ["raw/*"]

  init(_ scratch: String) throws {
    root = joined(scratch, "node")
    try makeFolder(joined(root, "app"))
    try makeFolder(joined(root, "raw"))
  }

  func path(_ name: String) -> String { joined(root, name) }

  func put(_ name: String, _ text: String) throws { try put(name, Array(text.utf8)) }

  func put(_ name: String, _ bytes: [UInt8]) throws {
    try publish(bytes, at: path(name), replacing: true)
  }

  /// Puts an empty file whose name is these bytes into `raw/`.
  func put(rawName bytes: [UInt8]) throws {
    let whole = (Array(path("raw/").utf8) + bytes + [0]).map { CChar(bitPattern: $0) }
    let made = open(whole, O_CREAT | O_WRONLY, 0o644)
    try #require(made >= 0)
    close(made)
  }

  func take() -> Inventory { takeInventory(root: root, live: live, rotated: rotated) }
}

extension Inventory {
  var names: [String] { rotated.map(\.name).sorted() }

  /// Reasons by file.
  var reasons: [String: PassedOver.Reason] {
    Dictionary(passedOver.map { ($0.file, $0.reason) }, uniquingKeysWith: { first, _ in first })
  }
}
