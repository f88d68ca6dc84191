import Files
import Glibc
import Processes
import Support
import TestSupport
import Testing

/// A `generate` that writes a round every so often until it is stopped.
final class RunningWriter: Sendable {
  private let identity: String
  private let work: Task<ChildResult, any Error>

  init(_ fleet: TestFleet, _ live: String, every interval: String = "20ms", seed: Int = 5) {
    let identity = joined(fleet.folder, "pid-\(randomName())")
    self.identity = identity
    // The shell becomes the program, so that the file holds the program's own process id.
    let script = "echo $$ > '\(identity).new'; mv '\(identity).new' '\(identity)'; exec \"$0\" \"$@\""
    let command = ChildCommand(
      "/bin/sh",
      ["-c", script, TestFleet.program, "generate", "--every", interval, "--seed", "\(seed)", live],
      environment: fleet.programEnvironment(), deadline: .after(seconds: 120 * patience))
    work = Task { try await Processes.run(command) }
  }

  var process: pid_t {
    let text = (try? readFile(identity, limit: .kibibytes(1))) ?? []
    return pid_t(String(decoding: text, as: UTF8.self).filter(\.isNumber)) ?? 0
  }

  func start() async throws { try #require(try await eventually { process > 0 }) }

  /// Runs the body while the writer stands still.
  func whileStopped(_ body: () throws -> Void) async throws {
    kill(process, SIGSTOP)
    defer { kill(process, SIGCONT) }
    try #require(
      try await eventually {
        let status = try readFile("/proc/\(process)/stat", limit: .kibibytes(4))
        return String(decoding: status, as: UTF8.self).contains(") T ")
      })
    try body()
  }

  /// Asks it to end, and waits until it has.
  func stop() async throws -> ChildResult {
    kill(process, SIGTERM)
    return try await work.value
  }
}
