// Files as the kernel knows them: descriptors, facts, atomic publishing, locks, digests, gzip.

import CShims
import Glibc
public import Support

/// An open file, closed when the value goes.
public struct Descriptor: ~Copyable, Sendable {
  public let number: Int32

  public init(owning number: Int32) { self.number = number }
  deinit { close(number) }

  /// Opens a file to read, never following a link at its end and never waiting for a FIFO's writer.
  public static func input(_ path: String) throws(SystemError) -> Descriptor {
    Descriptor(owning: try check(gw_open_input(path), "open", path))
  }

  /// Creates a file that must not exist yet.
  public static func create(_ path: String, mode: Int32 = 0o644) throws(SystemError) -> Descriptor {
    Descriptor(owning: try check(gw_create(path, mode), "create", path))
  }

  /// Opens a file to append to, created when missing.
  public static func append(_ path: String, mode: Int32 = 0o644) throws(SystemError) -> Descriptor {
    Descriptor(owning: try check(gw_open_append(path, mode), "open", path))
  }

  /// Opens a file that exists, to write at offsets in it.
  public static func output(_ path: String) throws(SystemError) -> Descriptor {
    Descriptor(owning: try check(gw_open_output(path), "open", path))
  }

  public func info() throws(SystemError) -> FileInfo {
    var raw = gw_file_info()
    try check(gw_stat(number, nil, &raw), "stat", "an open file")
    return FileInfo(raw)
  }

  /// Reads into the buffer; 0 at the end.
  public func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
    while true {
      let got = Glibc.read(number, buffer.baseAddress, buffer.count)
      if got >= 0 { return got }
      let code = errno
      if code != EINTR { throw SystemError(code: code, call: "read", path: "an open file") }
    }
  }

  /// Reads on to the end and hands over block by block.
  public func readBlocks(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let got = try read(into: buffer)
      if got == 0 { return }
      try body(UnsafeRawBufferPointer(rebasing: buffer[..<got]))
    }
  }

  /// Reads at an offset, without moving; fewer bytes than asked only at the end.
  public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(SystemError) -> Int {
    var done = 0
    while done < buffer.count {
      let got = pread(number, buffer.baseAddress! + done, buffer.count - done, off_t(offset) + off_t(done))
      let code = errno
      if got == 0 { break }
      if got > 0 {
        done += got
      } else if code != EINTR {
        throw SystemError(code: code, call: "read", path: "an open file")
      }
    }
    return done
  }

  /// Writes all of it.
  public func write(_ buffer: UnsafeRawBufferPointer) throws(SystemError) {
    var done = 0
    while done < buffer.count {
      let put = Glibc.write(number, buffer.baseAddress! + done, buffer.count - done)
      let code = errno
      if put >= 0 {
        done += put
      } else if code != EINTR {
        throw SystemError(code: code, call: "write", path: "an open file")
      }
    }
  }

  /// Writes all of it at an offset, without moving.
  public func write(_ buffer: UnsafeRawBufferPointer, at offset: Int64) throws(SystemError) {
    var done = 0
    while done < buffer.count {
      let put = pwrite(number, buffer.baseAddress! + done, buffer.count - done, off_t(offset) + off_t(done))
      let code = errno
      if put >= 0 {
        done += put
      } else if code != EINTR {
        throw SystemError(code: code, call: "write", path: "an open file")
      }
    }
  }

  public func write(_ bytes: [UInt8]) throws(SystemError) {
    do {
      try bytes.withUnsafeBytes { try write($0) }
    } catch let error as SystemError {
      throw error
    } catch {
      preconditionFailure("write throws only SystemError")
    }
  }

  /// Appends all of the bytes or, when there is no room for all, none: what did go in is taken back. For a file that only this process appends to.
  public func writeWhole(_ bytes: [UInt8]) throws(SystemError) {
    var done = 0
    while done < bytes.count {
      let put = bytes.withUnsafeBytes { Glibc.write(number, $0.baseAddress! + done, $0.count - done) }
      let code = errno
      if put >= 0 {
        done += put
      } else if code != EINTR {
        if done > 0, let size = try? info().size { ftruncate(number, off_t(max(0, size - Int64(done)))) }
        throw SystemError(code: code, call: "write", path: "an open file")
      }
    }
  }

  /// Makes what was written survive a loss of power.
  public func synchronize() throws(SystemError) {
    try check(fsync(number) == 0 ? 0 : -errno, "fsync", "an open file")
  }

  public func seek(to offset: Int64) throws(SystemError) {
    try check(lseek(number, off_t(offset), SEEK_SET) < 0 ? -errno : 0, "seek", "an open file")
  }
}

/// A system call that failed.
public struct SystemError: Error, Sendable, Equatable, CustomStringConvertible {
  public var code: Int32
  public var call: String
  public var path: String

  /// The kernel's words for the error number, `No space left on device`.
  public var words: String { String(cString: strerror(code)) }
  public var description: String { "\(call) \(path): \(words)" }

  public var isMissing: Bool { code == ENOENT || code == ENOTDIR }
  public var exists: Bool { code == EEXIST || code == ENOTEMPTY }
  /// Why a file can't have a second name there, while it can be copied.
  public var isNoLink: Bool { [EXDEV, EPERM, EMLINK, EOPNOTSUPP].contains(code) }
  public var isNoSpace: Bool { code == ENOSPC || code == EDQUOT }
  public var isLoop: Bool { code == ELOOP }
  public var wouldBlock: Bool { code == EAGAIN }
  public var isNotPermitted: Bool { code == EACCES || code == EPERM }

  public func failure(_ code: FailureCode, _ sentence: String, remedy: String = "") -> Failure {
    Failure(code, sentence, remedy: remedy, words: description)
  }
}

/// The result of one of the C calls that return `-errno`, or that as an error.
@discardableResult
func check(_ result: Int32, _ call: String, _ path: String) throws(SystemError) -> Int32 {
  if result < 0 { throw SystemError(code: -result, call: call, path: path) }
  return result
}

/// What `statx` says of a file.
public struct FileInfo: Sendable, Equatable {
  public enum Kind: String, Sendable {
    case regular, directory, link, fifo, socket, device, other
  }

  public var kind: Kind
  public var device: UInt64
  public var inode: UInt64
  public var size: Int64
  public var uid: UInt32
  /// The lowest nine bits of its mode, and the three above.
  public var permissions: UInt32
  public var links: UInt64
  /// Nanoseconds since 1970.
  public var modified: Int64
  public var changed: Int64
  /// Nil where the file system keeps no birth time.
  public var born: Int64?

  /// Modification time in whole seconds. Kept within the years 1 to 9999, which is what timestamps can name; nanoseconds reach to 2262 only and
  /// wrap around beyond, which tells two times apart all the same.
  public var modifiedSeconds: Int64

  /// - Throws: ``SystemError``; a link is described itself, not what it points to.
  public init(path: String) throws(SystemError) {
    var raw = gw_file_info()
    try check(gw_stat(-1, path, &raw), "stat", path)
    self.init(raw)
  }

  init(_ raw: gw_file_info) {
    func nanoseconds(_ seconds: Int64, _ rest: UInt32) -> Int64 {
      seconds.multipliedReportingOverflow(by: 1_000_000_000).partialValue &+ Int64(rest)
    }
    switch raw.mode & UInt32(S_IFMT) {
    case UInt32(S_IFREG): kind = .regular
    case UInt32(S_IFDIR): kind = .directory
    case UInt32(S_IFLNK): kind = .link
    case UInt32(S_IFIFO): kind = .fifo
    case UInt32(S_IFSOCK): kind = .socket
    case UInt32(S_IFCHR), UInt32(S_IFBLK): kind = .device
    default: kind = .other
    }
    device = raw.device
    inode = raw.inode
    size = Int64(clamping: raw.size)
    uid = raw.uid
    permissions = raw.mode & 0o7777
    links = raw.links
    modified = nanoseconds(raw.mtime_seconds, raw.mtime_nanoseconds)
    modifiedSeconds = min(max(raw.mtime_seconds, -62_135_596_800), 253_402_300_799)
    changed = nanoseconds(raw.ctime_seconds, raw.ctime_nanoseconds)
    born =
      raw.birth_seconds == 0 && raw.birth_nanoseconds == 0
      ? nil : nanoseconds(raw.birth_seconds, raw.birth_nanoseconds)
  }
}
