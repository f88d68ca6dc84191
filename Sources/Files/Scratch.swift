import Glibc
import Support

/// Folders for what is on its way. A lock in each says whether its program still lives, whatever container that runs in.
public struct ScratchFolder: ~Copyable {
  public let path: String
  private let lock: FileLock

  /// Makes one that nobody else may look into, called `prefix` and 16 random digits.
  public init(in folder: String, prefix: String) throws(SystemError) {
    while true {
      let path = joined(folder, prefix + randomName())
      do {
        try makeFolder(path, mode: 0o700)
        let lock = try FileLock.take(joined(path, Self.lockName))
        // Before it was locked it looked abandoned: whoever removes those may have removed this one.
        guard exists(joined(path, Self.lockName)) else { continue }
        self.path = path
        self.lock = lock
        return
      } catch {
        guard error.wouldBlock || error.isMissing, exists(folder) else { throw error }
      }
    }
  }

  /// Leaves it to whoever comes after this process.
  public consuming func keepUntilExit() { lock.keepUntilExit() }

  public consuming func remove() {
    try? removeTree(path)
    lock.release()
  }

  /// Removes those of programs that were killed: folders of this user's that nobody else may write to, whose lock nobody has.
  public static func removeAbandoned(in folder: String, prefix: String) {
    for name in ((try? folderEntries(folder)) ?? []).compactMap(\.name) where isOurs(name, prefix) {
      let path = joined(folder, name)
      let lockPath = joined(path, lockName)
      guard let info = try? FileInfo(path: path), info.kind == .directory, info.uid == geteuid(),
        info.permissions & 0o077 == 0, let file = try? FileInfo(path: lockPath), file.kind == .regular,
        let lock = try? FileLock.take(lockPath)
      else { continue }
      try? removeTree(path)
      lock.release()
    }
  }

  private static func isOurs(_ name: String, _ prefix: String) -> Bool {
    let rest = name.dropFirst(prefix.count)
    return name.hasPrefix(prefix) && rest.count == 16
      && rest.allSatisfy { $0.isASCII && $0.isHexDigit && !$0.isUppercase }
  }

  private static let lockName = ".lock"
}
