import CShims
import Glibc

/// An exclusive lock on a file, kept until the value goes; a process that is killed gives it back too.
public struct FileLock: ~Copyable, Sendable {
  private let descriptor: Descriptor

  private init(descriptor: consuming Descriptor) { self.descriptor = descriptor }

  /// - Throws: ``SystemError``; `EAGAIN` when another process has the lock.
  public static func take(_ path: String) throws(SystemError) -> FileLock {
    let opened = try Descriptor.append(path, mode: 0o600)
    if flock(opened.number, LOCK_EX | LOCK_NB) != 0 {
      throw SystemError(code: errno, call: "flock", path: path)
    }
    return FileLock(descriptor: opened)
  }

  /// Keeps the lock until the process ends, however it ends.
  public consuming func keepUntilExit() {
    // The lock belongs to the open file, not to the number: a second one that nobody closes keeps it.
    _ = fcntl(descriptor.number, F_DUPFD_CLOEXEC, 3)
  }

  /// Gives it back.
  public consuming func release() {}
}

extension Descriptor {
  /// Waits until this open file has the file's exclusive lock, which it keeps until it is closed.
  public func lockExclusively() throws(SystemError) {
    while flock(number, LOCK_EX) != 0 {
      let code = errno
      if code != EINTR { throw SystemError(code: code, call: "flock", path: "an open file") }
    }
  }
}

/// A read lease on an open file (DESIGN.md 4.1): refused while anybody has the file open for writing, and broken, with a signal to us,
/// when somebody opens it to write. Given back when the value goes.
public struct ReadLease: ~Copyable, Sendable {
  private let number: Int32

  private init(number: Int32) { self.number = number }

  public enum Refusal: Error, Sendable, Equatable {
    /// Somebody has the file open for writing.
    case writerPresent
    /// The kernel or the file system grants this process no lease on this file.
    case notPermitted(SystemError)
  }

  /// - Parameter owner: the file's owner. A process without CAP_LEASE is granted leases only on its own files, so the owner's identity
  ///   is taken for the duration of the call.
  public static func take(_ file: borrowing Descriptor, owner: UInt32) throws(Refusal) -> ReadLease {
    let result = takeLease(file.number, owner: owner)
    if result == -EAGAIN { throw .writerPresent }
    if result != 0 { throw .notPermitted(SystemError(code: -result, call: "lease", path: "an open file")) }
    return ReadLease(number: file.number)
  }

  deinit { gw_lease_release(number) }

  /// False once somebody who wants to write waits for us.
  public var isWhole: Bool { gw_lease_held(number) == 1 }
}

private func takeLease(_ number: Int32, owner: UInt32) -> Int32 {
  let signal = gw_lease_signal_prepare()
  guard signal > 0 else { return signal }
  let result = gw_lease_take(number, signal)
  guard result == -EACCES || result == -EPERM else { return result }
  let before = gw_set_fs_user(owner)
  defer { gw_set_fs_user(UInt32(bitPattern: before)) }
  return gw_lease_take(number, signal)
}

/// How many leases of this process have been asked back so far. Cheap: one atomic load.
public func leaseBreaks() -> UInt32 { gw_lease_breaks() }
