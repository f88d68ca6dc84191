import Files
public import Support

/// An object store in a folder. An object appears whole or not at all, and survives a loss of power once `put` has returned.
public struct DirectoryStore: ObjectStore {
  public let root: String
  public var url: String { "file://" + root }

  /// - Throws: `store.unwritable` when the folder can't be made or written to.
  public init(root: String) throws(Failure) {
    do {
      try makeFolder(root)
      self.root = resolvedPath(root)
      let probe = joined(self.root, ".gadwall-probe-\(randomName())")
      try publish([], at: probe, replacing: false)
      try removeFile(probe)
    } catch {
      throw error.failure(
        "store.unwritable", "The store \(root) can't be written to.",
        remedy: "Make it a folder that this user may write to, or name another with 'store.url'.")
    }
  }

  private func path(_ key: String) throws(Failure) -> String {
    guard isProperKey(key) else {
      throw Failure("store.key", "'\(printable(key))' is no name for an object.")
    }
    return joined(root, key)
  }

  private func prepared(_ key: String) throws(Failure) -> String {
    let path = try path(key)
    do {
      try makeFolder(folderName(path))
    } catch {
      throw unwritable(key, error)
    }
    return path
  }

  private func unwritable(_ key: String, _ error: SystemError) -> Failure {
    error.failure(
      error.isNoSpace ? "store.full" : "store.unwritable",
      "The object \(key) could not be written to the store \(root).",
      remedy: error.isNoSpace ? "Free some space there and run it again; nothing was lost." : "")
  }

  private func unreadable(_ key: String, _ error: SystemError) -> Failure {
    error.failure("store.unreadable", "The object \(key) could not be read from the store \(root).")
  }

  public func put(_ bytes: [UInt8], at key: String) async throws(Failure) {
    let path = try prepared(key)
    do { try publish(bytes, at: path, replacing: true) } catch { throw unwritable(key, error) }
  }

  public func put(file source: String, at key: String) async throws(Failure) {
    let path = try prepared(key)
    let scratch = scratchName(beside: path)
    do {
      let input = try Descriptor.input(source)
      try copyFile(input, to: scratch)
      try publish(scratch: scratch, at: path, replacing: true)
    } catch {
      try? removeFile(scratch)
      throw unwritable(key, error)
    }
  }

  public func put(moving source: String, at key: String) async throws(Failure) {
    let path = try prepared(key)
    let scratch = scratchName(beside: path)
    do {
      try linkFile(source, scratch)
      try publish(scratch: scratch, at: path, replacing: true)
      try removeFile(source)
    } catch {
      try? removeFile(scratch)
      // Another file system, or one without links.
      guard error.isNoLink else { throw unwritable(key, error) }
      try await put(file: source, at: key)
      try? removeFile(source)
    }
  }

  public func putIfAbsent(_ bytes: [UInt8], at key: String) async throws(Failure) -> Bool {
    let path = try prepared(key)
    do {
      try publish(bytes, at: path, replacing: false)
      return true
    } catch {
      if error.exists { return false }
      throw unwritable(key, error)
    }
  }

  public func get(_ key: String, limit: ByteCount) async throws(Failure) -> [UInt8]? {
    let path = try path(key)
    do {
      return try readFile(path, limit: limit)
    } catch {
      if error.isMissing { return nil }
      throw unreadable(key, error)
    }
  }

  public func get(_ key: String, toFile target: String) async throws(Failure) -> Bool {
    let path = try path(key)
    do {
      let input = try Descriptor.input(path)
      try copyFile(input, to: target)
      return true
    } catch {
      if error.isMissing, !exists(path) { return false }
      throw unreadable(key, error)
    }
  }

  public func take(_ key: String, toFile target: String) async throws(Failure) -> Bool {
    let path = try path(key)
    do {
      try renameFile(path, target, replacing: false)
      return true
    } catch {
      // Another file system, or somebody else's folder.
      return try await get(key, toFile: target)
    }
  }

  public func range(_ key: String, from offset: Int64, count: Int) async throws(Failure) -> [UInt8]? {
    let path = try path(key)
    do {
      let input = try Descriptor.input(path)
      var bytes = [UInt8](repeating: 0, count: count)
      let got = try read(input, into: &bytes, at: offset)
      bytes.removeLast(count - got)
      return bytes
    } catch {
      if error.isMissing { return nil }
      throw unreadable(key, error)
    }
  }

  public func stat(_ key: String) async throws(Failure) -> ObjectInfo? {
    let path = try path(key)
    do {
      let info = try FileInfo(path: path)
      guard info.kind == .regular else { return nil }
      return ObjectInfo(key: key, size: info.size, modified: Instant(microseconds: info.modified / 1000))
    } catch {
      if error.isMissing { return nil }
      throw unreadable(key, error)
    }
  }

  public func list(_ prefix: String, after start: String) async throws(Failure) -> [ObjectInfo] {
    // Only the folder that holds the prefix is walked, and of its folders those that come late enough.
    let folder = prefix.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(prefix[..<$0]) } ?? ""
    // No object's key begins with anything else.
    guard folder.isEmpty ? !prefix.utf8.starts(with: "/".utf8) : isProperKey(folder) else { return [] }
    var found: [ObjectInfo] = []
    do {
      try walk(folder, prefix, Array(start.utf8), &found)
    } catch {
      throw unreadable(prefix, error)
    }
    return found.sorted { Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8)) }
  }

  private func walk(
    _ folder: String, _ prefix: String, _ start: [UInt8], _ found: inout [ObjectInfo]
  ) throws(SystemError) {
    let entries: [FolderEntry]
    do throws(SystemError) {
      entries = try folderEntries(joined(root, folder))
    } catch {
      if error.isMissing { return }
      throw error
    }
    for entry in entries {
      // Names that begin with a dot are uploads that are going on or were cut off.
      guard let name = entry.name, !name.hasPrefix(".") else { continue }
      let key = folder.isEmpty ? name : folder + "/" + name
      guard key.utf8.starts(with: prefix.utf8) || prefix.utf8.starts(with: (key + "/").utf8) else { continue }
      let inside = Array((key + "/").utf8)
      if inside.lexicographicallyPrecedes(start), !start.starts(with: inside) { continue }
      let info: FileInfo
      do throws(SystemError) {
        info = try FileInfo(path: joined(root, key))
      } catch {
        if error.isMissing { continue }
        throw error
      }
      if info.kind == .directory {
        try walk(key, prefix, start, &found)
      } else if info.kind == .regular, key.utf8.starts(with: prefix.utf8),
        start.lexicographicallyPrecedes(key.utf8)
      {
        found.append(
          ObjectInfo(key: key, size: info.size, modified: Instant(microseconds: info.modified / 1000)))
      }
    }
  }

  public func delete(_ key: String) async throws(Failure) {
    let path = try path(key)
    do {
      try removeFile(path)
    } catch {
      if error.isMissing { return }
      throw unwritable(key, error)
    }
  }
}

private func read(_ file: borrowing Descriptor, into bytes: inout [UInt8], at offset: Int64)
  throws(SystemError) -> Int
{
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
  defer { buffer.deallocate() }
  let got = try file.read(into: buffer, at: offset)
  bytes.withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(buffer)) }
  return got
}
