import Files
import Glibc
public import Support

/// A file system of its own over a folder, in memory, as small as a test wants it.
public struct SmallDisk: Sendable {
  public let path: String

  /// Runs the body with the file system mounted over the folder, which is made; it is unmounted however the body ends.
  public static func with<Result>(
    over path: String, _ size: ByteCount, isolation: isolated (any Actor)? = #isolation,
    _ body: (SmallDisk) async throws -> Result
  ) async throws -> Result {
    try makeFolder(path)
    let disk = SmallDisk(path: path)
    try disk.mounted(size, flags: 0)
    defer { umount2(path, Int32(MNT_DETACH)) }
    return try await body(disk)
  }

  public func resize(to size: ByteCount) throws { try mounted(size, flags: UInt(MS_REMOUNT)) }

  private func mounted(_ size: ByteCount, flags: UInt) throws {
    if mount("tmpfs", path, "tmpfs", flags, "size=\(size.bytes)") == 0 { return }
    throw MissingPart(
      description:
        "No file system can be mounted over \(path) (\(String(cString: strerror(errno)))): this test needs root, and CAP_SYS_ADMIN in a container."
    )
  }

  private var filler: String { joined(path, ".filler") }

  /// Takes all the room there is, but so much.
  public func fill(leaving room: ByteCount = ByteCount(0)) throws {
    try empty()
    let file = try Descriptor.create(filler)
    let size = try freeSpace(path).bytes - room.bytes
    guard size > 0 else { return }
    let result = posix_fallocate(file.number, 0, off_t(size))
    if result != 0 {
      throw MissingPart(description: "\(path) can't be filled: \(String(cString: strerror(result)))")
    }
  }

  /// Gives back what was taken.
  public func empty() throws {
    if exists(filler) { try removeFile(filler) }
  }
}
