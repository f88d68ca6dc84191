import Glibc

/// A port of the loopback interface that counts who comes.
public final class Listener: Sendable {
  public let port: Int
  private let descriptor: Int32

  public init() throws {
    descriptor = socket(
      AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = descriptor
    let result = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && listen(descriptor, 4096) == 0
          ? getsockname(descriptor, $0, &size) : -1
      }
    }
    guard result == 0 else { throw MissingPart(description: "No port can be listened at.") }
    port = Int(UInt16(bigEndian: address.sin_port))
  }

  deinit { close(descriptor) }

  /// How many have connected since this was asked before: the kernel keeps them in a queue.
  public func visitors() -> Int {
    var count = 0
    while true {
      let visitor = accept(descriptor, nil, nil)
      if visitor < 0 { return count }
      close(visitor)
      count += 1
    }
  }
}
