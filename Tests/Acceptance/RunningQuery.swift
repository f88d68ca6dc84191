import Files
import Glibc
import Processes
import Support
import TestSupport
import Testing

/// A query that a test looks at, and interrupts, while it goes on.
final class RunningQuery: Sendable {
  let pid: pid_t
  private let work: Task<ChildResult, any Error>

  /// Returns when the program runs.
  init(_ fleet: TestFleet, _ arguments: [String]) async throws {
    let identity = joined(fleet.folder, "pid-\(randomName())")
    // The shell becomes the program, so that the file holds the program's own process id.
    let script = "echo $$ > '\(identity).new'; mv '\(identity).new' '\(identity)'; exec \"$@\""
    let command = ChildCommand(
      "/bin/sh", ["-c", script, "sh", TestFleet.program, "query"] + arguments,
      environment: fleet.programEnvironment(), deadline: .after(seconds: 120 * patience))
    work = Task { try await Processes.run(command) }
    do {
      try #require(try await eventually { exists(identity) })
      let text = String(decoding: try readFile(identity, limit: .kibibytes(1)), as: UTF8.self)
      pid = try #require(pid_t(text.filter(\.isNumber)))
    } catch {
      // Nothing of it may outlive the fleet's folder.
      work.cancel()
      _ = try? await work.value
      throw error
    }
  }

  func signal(_ number: Int32) { kill(pid, number) }

  /// How it ended; a signal that it did not catch is seen as one.
  func ended() async throws -> ChildResult { try await work.value }

  /// Kills it when it still runs.
  func end() async {
    work.cancel()
    _ = try? await work.value
  }
}

/// A process that the program has started for a fleet, or the program itself.
struct FleetProcess: Sendable, Hashable, CustomStringConvertible {
  var pid: pid_t
  var parent: pid_t
  /// When it began, in the kernel's ticks: another process with the same id began later.
  var began: Int64
  /// Processor time in hundredths of a second.
  var ticks: Int64
  var words: [String]

  var isNodeTask: Bool { words.dropFirst().starts(with: ["node", "query"]) }
  var isDuckDB: Bool { words.first.map { baseName($0) == "duckdb" } ?? false }
  var description: String { "\(pid) \(words.joined(separator: " ").prefix(100))" }

  /// Whether it is still there. One that has ended and that nobody has asked about is not.
  var isAlive: Bool {
    guard let now = FleetProcess(pid, words: []) else { return false }
    return now.began == began
  }

  fileprivate init?(_ pid: pid_t, words: [String]) {
    guard let stat = procText(pid, "stat"), let end = stat.lastIndex(of: ")") else { return nil }
    let fields = stat[end...].split(separator: " ")
    guard fields.count > 20, fields[1] != "Z", fields[1] != "X" else { return nil }
    self.pid = pid
    parent = pid_t(fields[2]) ?? 0
    ticks = (Int64(fields[12]) ?? 0) + (Int64(fields[13]) ?? 0)
    began = Int64(fields[20]) ?? 0
    self.words = words
  }
}

extension TestFleet {
  /// All processes that were started for this fleet, whoever their parent is by now: each has the fleet's own TMPDIR in its environment.
  func processes() -> [FleetProcess] {
    let mark = "TMPDIR=\(temporary)"
    return ((try? folderEntries("/proc")) ?? []).compactMap(\.name).compactMap { pid_t($0) }.compactMap {
      pid in
      guard let environment = procText(pid, "environ"), environment.split(separator: "\0").contains(mark[...])
      else { return nil }
      let words = (procText(pid, "cmdline") ?? "").split(separator: "\0").map(String.init)
      return FleetProcess(pid, words: words)
    }
  }

  /// Waits for a process that has worked for a while.
  func busy(seconds: Double = 0.3, _ isMeant: @escaping (FleetProcess) -> Bool) async throws -> FleetProcess {
    var found: FleetProcess?
    let isThere = try await eventually(seconds: 60 * patience) {
      found = processes().first { isMeant($0) && Double($0.ticks) >= seconds * 100 }
      return found != nil
    }
    try #require(isThere, "no such process: \(processes())")
    return try #require(found)
  }

  /// Waits until nothing of these, nor anything else that was started for the fleet, is left.
  func expectNobodyLeft(
    of before: [FleetProcess], sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let isEmpty = try await eventually { processes().isEmpty && !before.contains(where: \.isAlive) }
    #expect(
      isEmpty, "\(processes()) of \(before) are left", sourceLocation: sourceLocation)
  }
}

private func procText(_ pid: pid_t, _ name: String) -> String? {
  (try? readFile("/proc/\(pid)/\(name)", limit: .mebibytes(1))).map { String(decoding: $0, as: UTF8.self) }
}

/// A session at a terminal of its own, in which the program is started, and which is interrupted or closed.
enum TerminalSession {
  enum End: String { case interrupt, close }

  /// How the program ended there.
  struct Result: Sendable {
    /// The exit status; a signal as 128 and its number.
    var status: Int64
    /// What the terminal has shown.
    var shown: String
    /// Whether the terminal's settings are what they were before.
    var isSame: Bool
  }

  /// - Parameter isReady: when it is interrupted, or closed.
  static func run(
    _ fleet: TestFleet, _ arguments: [String], end: End, when isReady: () async throws -> Void
  ) async throws -> Result {
    let go = joined(fleet.folder, "go-\(randomName())")
    let spec: JSONValue = [
      "arguments": .array(([TestFleet.program] + arguments).map { .string($0) }),
      "environment": .object(fleet.programEnvironment().mapValues { .string($0) }),
      "go": .string(go), "end": .string(end.rawValue),
    ]
    async let printed = python(script, [String(decoding: spec.encoded, as: UTF8.self)])
    do { try await isReady() } catch { Issue.record("\(error)") }
    try fleet.write([], to: go)
    let answer = try JSONValue(parsing: try await printed)
    return Result(
      status: answer["status"]?.integer ?? -1, shown: answer["shown"]?.string ?? "",
      isSame: answer["same"]?.bool ?? false)
  }

  private static let script = #"""
    import fcntl, pty, select, signal, sys, termios, time
    spec = json.loads(sys.argv[1])
    # The other end is held open, so that the settings can be read when the program has gone.
    master, tty = pty.openpty()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        fcntl.ioctl(tty, termios.TIOCSCTTY, 0)
        for number in range(3):
            os.dup2(tty, number)
        os.closerange(3, 64)
        os.execve(spec["arguments"][0], spec["arguments"], spec["environment"])
    before = termios.tcgetattr(tty)
    shown, status, acted, deadline = b"", None, False, time.monotonic() + 120
    same = True
    while status is None:
        if not acted and os.path.exists(spec["go"]):
            acted = True
            if spec["end"] == "interrupt":
                os.write(master, b"\x03")
            else:
                os.close(tty)
                os.close(master)
                master = None
        if master is None:
            time.sleep(0.01)
        elif select.select([master], [], [], 0.01)[0]:
            shown += os.read(master, 65536)
        ended, code = os.waitpid(pid, os.WNOHANG)
        if ended:
            status = os.waitstatus_to_exitcode(code)
            status = 128 - status if status < 0 else status
        elif time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
    if master is not None:
        same = termios.tcgetattr(tty) == before
        while select.select([master], [], [], 0.1)[0]:
            shown += os.read(master, 65536)
    print(json.dumps({"status": status, "shown": shown.decode("utf-8", "replace"), "same": same}))
    """#
}
