import Processes
import Synchronization

/// What a child wrote, as it came.
final class Seen: Sendable {
  private let bytes = Mutex<(output: [UInt8], errors: [UInt8])>(([], []))

  func add(_ stream: ChildStream, _ new: [UInt8]) {
    bytes.withLock { bytes in
      switch stream {
      case .output: bytes.output += new
      case .errors: bytes.errors += new
      }
    }
  }

  var output: [UInt8] { bytes.withLock { $0.output } }
  var errors: [UInt8] { bytes.withLock { $0.errors } }
}
