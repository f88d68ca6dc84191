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

  /// Removes those of programs that were killed.
  public static func removeAbandoned(in folder: String, prefix: String) {
    for name in ((try? folderEntries(folder)) ?? []).compactMap(\.name) where name.hasPrefix(prefix) {
      let lockPath = joined(joined(folder, name), lockName)
      guard exists(lockPath), let lock = try? FileLock.take(lockPath) else { continue }
      try? removeTree(joined(folder, name))
      lock.release()
    }
  }

  private static let lockName = ".lock"
}
