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
    for batch in try ledger.batches() where batch.state == .staged || batch.state == .proven {
      // Without a birth time nothing tells a file from a later one with its inode.
      guard let born = batch.identity.born else { continue }
      keys.insert(
        Key(
          device: batch.identity.device, inode: batch.identity.inode, born: born, size: batch.identity.size,
          modified: batch.identity.modified))
    }
  }

  func contains(_ info: FileInfo) -> Bool {
    guard let born = info.born else { return false }
    return keys.contains(
      Key(device: info.device, inode: info.inode, born: born, size: info.size, modified: info.modified))
  }
}
