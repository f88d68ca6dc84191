import Files
import Glibc
import Processes
import Support
import TestSupport
import Testing

/// A stage of an ordinary user that stands still in the midst of reading a file: nobody takes what it tells of its progress.
final class PausedStage: Sendable {
  private let progress: Descriptor
  private let work: Task<ChildResult, any Error>

  /// Returns when it stands there.
  init(_ fleet: TestFleet, task: String, reading path: String) async throws {
    let pipe = joined(fleet.folder, "progress")
    let identity = joined(fleet.folder, "stage-pid")
    try #require(mkfifo(pipe, 0o600) == 0)
    let full = Descriptor(owning: open(pipe, O_RDWR | O_NONBLOCK | O_CLOEXEC))
    try #require(full.number >= 0)
    while Glibc.write(full.number, "x", 1) == 1 {}
    try #require(errno == EAGAIN)
    progress = full

    let node = fleet.nodes[0]
    var environment = fleet.programEnvironment()
    environment["GADWALL_REGION"] = node.region
    environment["GADWALL_ZONE"] = node.zone
    environment["GADWALL_NODE"] = node.name
    // The shell becomes the program, so that the file holds the program's own process id.
    let script = "echo $$ > '\(identity).new'; mv '\(identity).new' '\(identity)'; exec \"$@\" 2> '\(pipe)'"
    let program =
      try TestFleet.unprivileged() + [
        TestFleet.program, "node", "stage", "--root", node.root, "--task", task, "--progress", "json",
      ] + fleet.storeArguments
    let command = ChildCommand(
      "/bin/sh", ["-c", script, "sh"] + program, environment: environment, deadline: .after(seconds: 120))
    work = Task { try await Processes.run(command) }
    do {
      try #require(try await eventually(seconds: 60) { try Self.isWriting(identity) })
      let position = try Self.position(of: path, in: try Self.process(identity))
      let size = try FileInfo(path: path).size
      try #require(position > 0 && position < size, "it stands at byte \(position) of \(size)")
    } catch {
      // Nothing of it may outlive the fleet's folder.
      work.cancel()
      _ = try? await work.value
      throw error
    }
  }

  /// Lets it finish, and says how it ended.
  func goOn() async throws -> ChildResult {
    // An empty pipe has room for all that it still has to tell.
    var taken = [UInt8](repeating: 0, count: 1 << 16)
    while Glibc.read(progress.number, &taken, taken.count) > 0 {}
    return try await work.value
  }

  private static func process(_ identity: String) throws -> pid_t {
    let text = (try? readFile(identity, limit: .kibibytes(1))) ?? []
    return pid_t(String(decoding: text, as: UTF8.self).filter(\.isNumber)) ?? 0
  }

  /// Whether one of its threads waits in a call whose first argument is 2, its standard error.
  private static func isWriting(_ identity: String) throws -> Bool {
    let tasks = "/proc/\(try process(identity))/task"
    return ((try? folderEntries(tasks)) ?? []).compactMap(\.name).contains { thread in
      let call = (try? readFile("\(tasks)/\(thread)/syscall", limit: .kibibytes(4))) ?? []
      return String(decoding: call, as: UTF8.self).split(separator: " ").dropFirst().first == "0x2"
    }
  }

  /// How far it has read in the file.
  private static func position(of path: String, in process: pid_t) throws -> Int64 {
    for name in try folderEntries("/proc/\(process)/fd").compactMap(\.name)
    where resolvedPath("/proc/\(process)/fd/\(name)") == path {
      let facts = try readFile("/proc/\(process)/fdinfo/\(name)", limit: .kibibytes(4))
      let words = String(decoding: facts, as: UTF8.self).split(whereSeparator: \.isWhitespace)
      if words.first == "pos:", let position = Int64(words[1]) { return position }
    }
    return 0
  }
}
