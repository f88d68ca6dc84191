import Files
import Processes
import Support
import TestSupport
import Testing

/// A shell that runs a script, with ten seconds to do it unless more is said.
func shell(_ script: String, input: [UInt8] = [], deadline: Double = 30) -> ChildCommand {
  ChildCommand(
    "/bin/sh", ["-c", script], environment: ["PATH": "/usr/bin:/bin"], input: input,
    deadline: .after(seconds: deadline))
}

extension ChildResult {
  var text: String { String(decoding: output, as: UTF8.self) }
}

extension ChildFailure {
  /// What was written before a deadline passed; nil for another failure.
  var beforeDeadline: (output: [UInt8], errors: [UInt8])? {
    if case .deadline(let output, let errors) = self { (output, errors) } else { nil }
  }
}

/// What a child that fails gives.
func failure(
  _ command: ChildCommand, onBytes: (@Sendable (ChildStream, UnsafeRawBufferPointer) -> Void)? = nil
) async -> ChildFailure? {
  do {
    _ = try await run(command, onBytes: onBytes)
    return nil
  } catch {
    return error
  }
}

/// Whether the process is gone, or is a corpse that nobody has collected, within ten seconds.
func isDead(_ pid: Int) async throws -> Bool {
  let deadline = Deadline.after(seconds: 10 * patience)
  repeat {
    guard let status = try? readFile("/proc/\(pid)/stat", limit: .kibibytes(4)) else { return true }
    let behind = String(decoding: status, as: UTF8.self).split(separator: ")").last ?? ""
    if behind.hasPrefix(" Z") || behind.hasPrefix(" X") { return true }
    try await Task.sleep(for: .milliseconds(5))
  } while !deadline.hasPassed
  return false
}
