import CShims
import Glibc
public import Support

/// `a/b` from `a` and `b`; an absolute second part stands alone.
public func joined(_ folder: String, _ name: String) -> String {
  if name.hasPrefix("/") || folder.isEmpty { return name }
  return folder.hasSuffix("/") ? folder + name : folder + "/" + name
}

/// The last component of a path.
public func baseName(_ path: String) -> String {
  // By bytes, here and below: to Swift a slash and an accent behind it are one Character.
  path.utf8.split(separator: UInt8(ascii: "/")).last.map { String(Substring($0)) } ?? path
}

/// All but the last component of a path.
public func folderName(_ path: String) -> String {
  guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// The path made absolute, with links resolved, as far as it exists.
public func resolvedPath(_ path: String) -> String {
  if let found = realpath(path, nil) {
    defer { free(found) }
    return String(cString: found)
  }
  if path.isEmpty { return currentDirectory() }
  let isTop = !path.utf8.contains(UInt8(ascii: "/"))
  let parent = isTop ? currentDirectory() : resolvedPath(folderName(path))
  // What stands behind the last slash; nothing for a path that ends with one.
  let name = isTop ? path : String(Substring(path.utf8.dropFirst(folderName(path).utf8.count))).trimmedSlashes
  switch name {
  case "", ".": return parent
  case "..": return folderName(parent)
  default: return joined(parent, name)
  }
}

extension String {
  /// Without the slashes that it begins with.
  fileprivate var trimmedSlashes: String {
    String(Substring(utf8.drop { $0 == UInt8(ascii: "/") }))
  }
}

public func currentDirectory() -> String {
  guard let found = getcwd(nil, 0) else { return "/" }
  defer { free(found) }
  return String(cString: found)
}

/// The running program's own file.
public func executablePath() -> String {
  guard let found = realpath("/proc/self/exe", nil) else { return CommandLine.arguments[0] }
  defer { free(found) }
  return String(cString: found)
}

public func exists(_ path: String) -> Bool { (try? FileInfo(path: path)) != nil }

/// Makes the folder and those above it.
public func makeFolder(_ path: String, mode: UInt32 = 0o755) throws(SystemError) {
  if mkdir(path, mode) == 0 { return }
  let code = errno
  if code == EEXIST { return }
  let parent = folderName(path)
  if code == ENOENT, parent != path {
    try makeFolder(parent, mode: mode)
    if mkdir(path, mode) == 0 || errno == EEXIST { return }
    throw SystemError(code: errno, call: "mkdir", path: path)
  }
  throw SystemError(code: code, call: "mkdir", path: path)
}

/// A folder's entry. A name that is no UTF-8 has its bytes only.
public struct FolderEntry: Sendable {
  public var bytes: [UInt8]
  /// Nil for a name that is no UTF-8.
  public var name: String? { String(validating: bytes, as: UTF8.self) }
}

/// The names in a folder, `.` and `..` left out, sorted by their bytes.
public func folderEntries(_ path: String) throws(SystemError) -> [FolderEntry] {
  guard let folder = opendir(path) else { throw SystemError(code: errno, call: "opendir", path: path) }
  defer { closedir(folder) }
  var entries: [FolderEntry] = []
  while true {
    errno = 0
    guard let entry = readdir(folder) else {
      let code = errno
      if code != 0 { throw SystemError(code: code, call: "readdir", path: path) }
      break
    }
    let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
    if bytes != [0x2E], bytes != [0x2E, 0x2E] { entries.append(FolderEntry(bytes: bytes)) }
  }
  return entries.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
}

public func removeFile(_ path: String) throws(SystemError) {
  if unlink(path) != 0 { throw SystemError(code: errno, call: "unlink", path: path) }
}

public func renameFile(_ from: String, _ to: String, replacing: Bool) throws(SystemError) {
  if replacing {
    if rename(from, to) != 0 { throw SystemError(code: errno, call: "rename", path: from) }
  } else {
    try check(gw_rename_noreplace(from, to), "rename", from)
  }
}

/// Removes a folder with all that is in it; links are removed, not followed. What is missing is no error.
public func removeTree(_ path: String) throws(SystemError) {
  let info: FileInfo
  do throws(SystemError) {
    info = try FileInfo(path: path)
  } catch {
    if error.isMissing { return }
    throw error
  }
  if info.kind == .directory {
    for entry in try folderEntries(path) {
      if let name = entry.name {
        try removeTree(joined(path, name))
      } else {
        let raw = Array(path.utf8) + [0x2F] + entry.bytes + [0]
        let result = raw.withUnsafeBufferPointer { buffer in
          buffer.withMemoryRebound(to: CChar.self) { unlink($0.baseAddress!) }
        }
        if result != 0 { throw SystemError(code: errno, call: "unlink", path: path) }
      }
    }
    if rmdir(path) != 0 { throw SystemError(code: errno, call: "rmdir", path: path) }
  } else {
    // Whoever made it may be removing it, too.
    do throws(SystemError) { try removeFile(path) } catch { guard error.isMissing else { throw error } }
  }
}

/// Makes the folder's own entries survive a loss of power.
public func synchronizeFolder(_ path: String) throws(SystemError) {
  let folder = Descriptor(owning: try check(gw_open_directory(path), "open", path))
  try folder.synchronize()
}

/// Sets a file's modification time, in whole seconds since 1970.
public func setModified(_ path: String, seconds: Int64) throws(SystemError) {
  var times = [timespec(tv_sec: Int(seconds), tv_nsec: 0), timespec(tv_sec: Int(seconds), tv_nsec: 0)]
  if utimensat(AT_FDCWD, path, &times, AT_SYMLINK_NOFOLLOW) != 0 {
    throw SystemError(code: errno, call: "utimensat", path: path)
  }
}

/// The whole file, at most so many bytes.
///
/// - Throws: ``SystemError``, with `EFBIG` when the file is larger than the limit.
public func readFile(_ path: String, limit: ByteCount) throws(SystemError) -> [UInt8] {
  let file = try Descriptor.input(path)
  return try readAll(file, path: path, limit: limit)
}

/// Whether a path is the folder, or lies below it, by their names alone.
public func isBelow(_ path: String, _ folder: String) -> Bool {
  path == folder || path.hasPrefix(folder + "/")
}

/// Whether this process may make and remove files in the folder.
public func isWritable(_ folder: String) -> Bool { access(folder, W_OK | X_OK) == 0 }

/// All of standard input, at most so many bytes.
public func readStandardInput(limit: ByteCount) throws(SystemError) -> [UInt8] {
  // Not by the name /dev/stdin: that is a link, and what it leads to may be a pipe, which has to be waited for.
  let number = fcntl(0, F_DUPFD_CLOEXEC, 3)
  guard number >= 0 else { throw SystemError(code: errno, call: "dup", path: "standard input") }
  return try readAll(Descriptor(owning: number), path: "standard input", limit: limit)
}

public func readAll(_ file: borrowing Descriptor, path: String, limit: ByteCount) throws(SystemError)
  -> [UInt8]
{
  let size = try file.info().size
  if size > limit.bytes { throw SystemError(code: EFBIG, call: "read", path: path) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: max(4096, min(Int(size) + 1, 1 << 20)))
  while true {
    let got = try read(file, &buffer)
    if got == 0 { return bytes }
    bytes.append(contentsOf: buffer[..<got])
    if bytes.count > limit.bytes { throw SystemError(code: EFBIG, call: "read", path: path) }
  }
}

private func read(_ file: borrowing Descriptor, _ buffer: inout [UInt8]) throws(SystemError) -> Int {
  let number = file.number
  while true {
    let got = buffer.withUnsafeMutableBytes { Glibc.read(number, $0.baseAddress, $0.count) }
    if got >= 0 { return got }
    let code = errno
    if code != EINTR { throw SystemError(code: code, call: "read", path: "an open file") }
  }
}

/// Writes a file so that a reader sees all of it or nothing, and a loss of power leaves it whole or absent.
///
/// - Parameter replacing: false makes an existing file the error `EEXIST`, decided by the kernel and not by a look beforehand.
public func publish(_ bytes: [UInt8], at path: String, replacing: Bool, mode: Int32 = 0o644)
  throws(SystemError)
{
  let scratch = scratchName(beside: path)
  do {
    let file = try Descriptor.create(scratch, mode: mode)
    try file.write(bytes)
    try file.synchronize()
  } catch {
    unlink(scratch)
    throw error
  }
  try publish(scratch: scratch, at: path, replacing: replacing)
}

/// Gives a finished and synchronized file of the same folder its name.
public func publish(scratch: String, at path: String, replacing: Bool) throws(SystemError) {
  if replacing {
    if rename(scratch, path) != 0 {
      let code = errno
      unlink(scratch)
      throw SystemError(code: code, call: "rename", path: path)
    }
  } else {
    // A link, unlike a rename, fails when the name is taken, on every file system.
    let result = link(scratch, path)
    let code = errno
    unlink(scratch)
    if result != 0 { throw SystemError(code: code, call: "link", path: path) }
  }
  try synchronizeFolder(folderName(path))
}

/// Gives a file of ours, synchronized and readable for all, a second name that must not exist yet.
public func linkFile(_ from: String, _ to: String) throws(SystemError) {
  let file = try Descriptor.input(from)
  if fchmod(file.number, 0o644) != 0 { throw SystemError(code: errno, call: "chmod", path: from) }
  try file.synchronize()
  if link(from, to) != 0 { throw SystemError(code: errno, call: "link", path: to) }
}

/// A name in the file's folder that nobody else uses and that globs for logs don't match.
public func scratchName(beside path: String) -> String {
  joined(folderName(path), ".gadwall-\(randomName()).part")
}

/// Copies a file into one that must not exist yet, and synchronizes it. The number of bytes copied.
@discardableResult
public func copyFile(_ from: borrowing Descriptor, to path: String, mode: Int32 = 0o644) throws(SystemError)
  -> Int64
{
  let to = try Descriptor.create(path, mode: mode)
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
  defer { buffer.deallocate() }
  var total: Int64 = 0
  while true {
    let got = try from.read(into: buffer)
    if got == 0 { break }
    try to.write(UnsafeRawBufferPointer(rebasing: buffer[..<got]))
    total += Int64(got)
  }
  try to.synchronize()
  return total
}

/// Bytes free for this user on the file system that holds the path.
public func freeSpace(_ path: String) throws(SystemError) -> ByteCount {
  var facts = statvfs()
  if statvfs(path, &facts) != 0 { throw SystemError(code: errno, call: "statvfs", path: path) }
  return ByteCount(Int64(clamping: UInt64(facts.f_bavail) &* UInt64(facts.f_frsize)))
}

/// Makes the file so long.
public func setSize(_ path: String, _ size: Int64) throws(SystemError) {
  try check(truncate(path, off_t(size)) == 0 ? 0 : -errno, "truncate", path)
}

/// Sets the file's permission bits.
public func setMode(_ path: String, _ mode: UInt32) throws(SystemError) {
  try check(chmod(path, mode_t(mode)) == 0 ? 0 : -errno, "chmod", path)
}
