import Glibc

/// A file's bytes, mapped to be read. They are the page cache's memory, not the process's.
///
/// Only for files that nobody else changes: one that is cut while it is mapped ends the process with SIGBUS.
public struct MappedFile: ~Copyable {
  public let bytes: UnsafeRawBufferPointer

  public init(_ path: String) throws(SystemError) {
    let file = try Descriptor.input(path)
    let size = Int(try file.info().size)
    guard size > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, file.number, 0), start != MAP_FAILED else {
      throw SystemError(code: errno, call: "map", path: path)
    }
    bytes = UnsafeRawBufferPointer(start: start, count: size)
  }

  deinit {
    if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
  }
}
