import Files
import Ledger
import Support

/// Files whose content is in the store already, by what `statx` says of them: a stage that finds one as it was reads no byte of it.
struct KnownFiles {
  private struct Key: Hashable {
    var device: UInt64
    var inode: UInt64
    var born: Int64
    var size: Int64
    var modified: Int64
  }

  private var keys: Set<Key> = []

  init(_ ledger: borrowing Ledger) throws(Failure) {
    for file in try ledger.files(in: [.staged, .proven]) {
      // Without a birth time nothing tells a file from a later one with its inode.
      guard let born = file.born else { continue }
      keys.insert(
        Key(
          device: file.device, inode: file.inode, born: born, size: file.size, modified: file.modified))
    }
  }

  func contains(_ info: FileInfo) -> Bool {
    guard let born = info.born else { return false }
    return keys.contains(
      Key(device: info.device, inode: info.inode, born: born, size: info.size, modified: info.modified))
  }
}
