// Runs a child process: starts it in a group of its own, streams its output within limits, ends it
// and everything it started on a deadline or when the task is cancelled.

import CShims
import Files
import Glibc
public import Support
import Synchronization

/// What to run and within which limits.
public struct ChildCommand: Sendable {
  /// The program's path; it is not searched for.
  public var executable: String
  public var arguments: [String]
  /// The child's whole environment.
  public var environment: [String: String]
  public var directory: String?
  public var input: [UInt8]
  /// What comes after ``input``; without one, standard input ends there.
  public var feed: ChildFeed?
  /// Output beyond this many bytes ends the child with ``ChildFailure/outputLimit``.
  public var outputLimit: ByteCount
  /// Of standard error only the last bytes up to this limit are kept; more is no failure.
  public var errorLimit: ByteCount
  public var deadline: Deadline?
  /// What the operating system keeps it to; without one it may do what this process may.
  public var sandbox: Sandbox?

  public init(
    _ executable: String, _ arguments: [String], environment: [String: String] = [:],
    directory: String? = nil,
    input: [UInt8] = [], feed: ChildFeed? = nil, outputLimit: ByteCount = .mebibytes(64),
    errorLimit: ByteCount = .kibibytes(64),
    deadline: Deadline? = nil, sandbox: Sandbox? = nil
  ) {
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
    self.directory = directory
    self.input = input
    self.feed = feed
    self.outputLimit = outputLimit
    self.errorLimit = errorLimit
    self.deadline = deadline
    self.sandbox = sandbox
  }
}

/// How a child ended. A status other than 0 is a value here, not an error.
public struct ChildResult: Sendable {
  public enum Status: Sendable, Equatable, CustomStringConvertible {
    case exited(Int32)
    case signalled(Int32)

    public var description: String {
      switch self {
      case .exited(let code): "exit status \(code)"
      case .signalled(let number): "signal \(number)"
      }
    }
  }

  public var status: Status
  public var output: [UInt8]
  public var errors: [UInt8]

  public var errorText: String { String(decoding: errors, as: UTF8.self) }
}

public enum ChildFailure: Error, Sendable, Equatable {
  /// It could not be started; the text is the kernel's.
  case start(String)
  /// This kernel can't keep it to its sandbox, so it was not started; the text says what is missing.
  case unconfined(String)
  case deadline(output: [UInt8], errors: [UInt8])
  case outputLimit(ByteCount)
  case cancelled
}

extension ChildFailure: CustomStringConvertible {
  public var description: String {
    switch self {
    case .start(let words): "it could not be started: \(words)"
    case .unconfined(let words): "it was not started, because it could not be confined: \(words)"
    case .deadline(let output, let errors):
      "it did not end in time; its last words: \(String(decoding: (output + errors).suffix(2_000), as: UTF8.self))"
    case .outputLimit(let limit): "it printed more than \(limit)"
    case .cancelled: "it was cancelled"
    }
  }
}

/// Which of a child's streams some bytes came from.
public enum ChildStream: Sendable { case output, errors }

/// Runs the command to its end.
///
/// Each child has a thread that feeds, drains and reaps it, so no thread of the pool ever waits. When the task is cancelled, the child's
/// group is killed and waited for before this returns.
/// - Parameter onBytes: called on that thread with what arrives, before it is collected.
public func run(
  _ command: ChildCommand,
  onBytes: (@Sendable (ChildStream, UnsafeRawBufferPointer) -> Void)? = nil
) async throws(ChildFailure) -> ChildResult {
  let stop = gw_event()
  guard stop >= 0 else { throw .start(String(cString: strerror(-stop))) }
  defer { close(stop) }
  let result: Result<ChildResult, ChildFailure> = await withTaskCancellationHandler {
    await withCheckedContinuation { continuation in
      let work = Work(command: command, stop: stop, onBytes: onBytes) { continuation.resume(returning: $0) }
      startThread(work)
    }
  } onCancel: {
    var one: UInt64 = 1
    _ = write(stop, &one, 8)
  }
  return try result.get()
}

private struct Work: Sendable {
  var command: ChildCommand
  var stop: Int32
  var onBytes: (@Sendable (ChildStream, UnsafeRawBufferPointer) -> Void)?
  var finish: @Sendable (Result<ChildResult, ChildFailure>) -> Void
}

private final class Box: Sendable {
  let work: Work
  init(_ work: Work) { self.work = work }
}

private func startThread(_ work: Work) {
  var thread = pthread_t()
  let box = Unmanaged.passRetained(Box(work))
  let result = pthread_create(
    &thread, nil,
    { argument in
      guard let argument else { return nil }
      // A child that goes before it has read its input is an error of a write here, and no reason to end.
      var signals = sigset_t()
      sigemptyset(&signals)
      sigaddset(&signals, SIGPIPE)
      pthread_sigmask(SIG_BLOCK, &signals, nil)
      let work = Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().work
      work.finish(supervise(work))
      return nil
    }, box.toOpaque())
  if result == 0 {
    pthread_detach(thread)
  } else {
    box.release()
    work.finish(.failure(.start(String(cString: strerror(result)))))
  }
}

/// The whole life of one child, on its own thread.
private func supervise(_ work: Work) -> Result<ChildResult, ChildFailure> {
  let command = work.command
  var input: [Int32] = [-1, -1]
  var output: [Int32] = [-1, -1]
  var errors: [Int32] = [-1, -1]
  defer { for fd in input + output + errors where fd >= 0 { close(fd) } }
  for result in [gw_pipe(&input), gw_pipe(&output), gw_pipe(&errors)] where result < 0 {
    return .failure(.start(String(cString: strerror(-result))))
  }

  let pid: Int32
  do throws(ChildFailure) {
    pid = try spawn(command, input: input[0], output: output[1], errors: errors[1])
  } catch {
    return .failure(error)
  }
  for fd in [input[0], output[1], errors[1]] { close(fd) }
  (input[0], output[1], errors[1]) = (-1, -1, -1)
  for fd in [input[1], output[0], errors[0]] { _ = gw_set_nonblocking(fd) }
  let ended = gw_pidfd(pid)
  defer { if ended >= 0 { close(ended) } }

  var state = Drained(command: command, onBytes: work.onBytes)
  var failure: ChildFailure?
  var pending = command.input
  var sent = 0
  var isFed = command.feed == nil
  var childEnded = false
  while failure == nil, !(childEnded && output[0] < 0 && errors[0] < 0) {
    if input[1] >= 0, isFed, sent == pending.count {
      close(input[1])
      input[1] = -1
    }
    var items = [
      gw_poll(fd: sent < pending.count ? input[1] : -1, events: Int16(POLLOUT), ready: 0),
      gw_poll(fd: output[0], events: Int16(POLLIN), ready: 0),
      gw_poll(fd: errors[0], events: Int16(POLLIN), ready: 0),
      gw_poll(fd: childEnded ? -1 : ended, events: Int16(POLLIN), ready: 0),
      gw_poll(fd: work.stop, events: Int16(POLLIN), ready: 0),
      gw_poll(fd: isFed ? -1 : command.feed?.event ?? -1, events: Int16(POLLIN), ready: 0),
    ]
    let ready = gw_poll(&items, 6, waitMilliseconds(command.deadline))
    if ready < 0 { failure = .start(String(cString: strerror(-ready))) }
    if items[4].ready != 0 { failure = .cancelled }
    if let deadline = command.deadline, deadline.hasPassed {
      failure = .deadline(output: state.output, errors: state.errors)
    }
    if items[0].ready != 0 {
      let count = pending.withUnsafeBytes { write(input[1], $0.baseAddress! + sent, $0.count - sent) }
      if count > 0 { sent += count }
      // A child that reads no further (EPIPE) says why by itself.
      if count < 0 && errno != EAGAIN && errno != EINTR {
        close(input[1])
        input[1] = -1
      }
    }
    if items[5].ready != 0, let feed = command.feed {
      let (more, isEnded) = feed.take()
      pending = Array(pending[sent...]) + more
      sent = 0
      isFed = isEnded
    }
    if items[1].ready != 0, state.drain(output[0], .output) {
      close(output[0])
      output[0] = -1
    }
    if items[2].ready != 0, state.drain(errors[0], .errors) {
      close(errors[0])
      errors[0] = -1
    }
    if state.overflown, failure == nil { failure = .outputLimit(command.outputLimit) }
    if items[3].ready != 0 {
      childEnded = true
      // Whatever it left running in its group has no business holding our pipes.
      kill(-pid, SIGKILL)
    }
  }
  if failure != nil { kill(-pid, SIGKILL) }
  let code = gw_reap(pid)
  if let failure { return .failure(failure) }
  let status: ChildResult.Status = code >= 256 ? .signalled(code - 256) : .exited(code)
  return .success(ChildResult(status: status, output: state.output, errors: state.errors))
}

private func waitMilliseconds(_ deadline: Deadline?) -> Int32 {
  guard let deadline else { return -1 }
  return Int32(max(0, min(deadline.remainingSeconds * 1000 + 1, 1_000_000)))
}

private struct Drained {
  var output: [UInt8] = []
  var errors: [UInt8] = []
  var overflown = false
  let outputLimit: Int
  let errorLimit: Int
  let onBytes: (@Sendable (ChildStream, UnsafeRawBufferPointer) -> Void)?
  var buffer = [UInt8](repeating: 0, count: 1 << 16)

  init(command: ChildCommand, onBytes: (@Sendable (ChildStream, UnsafeRawBufferPointer) -> Void)?) {
    outputLimit = Int(command.outputLimit.bytes)
    errorLimit = Int(command.errorLimit.bytes)
    self.onBytes = onBytes
  }

  /// Takes what is there; true at the stream's end.
  mutating func drain(_ fd: Int32, _ stream: ChildStream) -> Bool {
    while true {
      let got = buffer.withUnsafeMutableBytes { read(fd, $0.baseAddress, $0.count) }
      if got == 0 { return true }
      if got < 0 { return errno != EAGAIN && errno != EINTR }
      buffer.withUnsafeBytes { onBytes?(stream, UnsafeRawBufferPointer(rebasing: $0[..<got])) }
      switch stream {
      case .output:
        if output.count + got > outputLimit {
          overflown = true
        } else {
          output.append(contentsOf: buffer[..<got])
        }
      case .errors:
        errors.append(contentsOf: buffer[..<got])
        if errors.count > errorLimit { errors.removeFirst(errors.count - errorLimit) }
      }
      if overflown { return false }
    }
  }
}

private func spawn(
  _ command: ChildCommand, input: Int32, output: Int32, errors: Int32
) throws(ChildFailure) -> Int32 {
  var stage: Int32 = 0
  let environment = command.environment.map { "\($0.key)=\($0.value)" }
  let pid = withCStrings([command.executable] + command.arguments) { argv in
    withCStrings(environment) { environment in
      withCStrings([command.directory].compactMap(\.self)) { directory in
        withSandbox(of: command) { sandbox in
          var how = gw_spawn()
          how.path = UnsafePointer(argv[0])
          how.argv = argv
          how.environment = environment
          how.input = input
          how.output = output
          how.errors = errors
          how.directory = UnsafePointer(directory[0])
          how.sandbox = sandbox
          return gw_spawn(&how, &stage)
        }
      }
    }
  }
  if pid > 0 { return pid }
  throw startFailure(command, code: -pid, stage: stage)
}

/// The environment that a child of ours needs and no more: what finds programs and files, and the locale set to C.
public func plainEnvironment() -> [String: String] {
  var result = ["LC_ALL": "C.UTF-8", "TZ": "UTC"]
  for name in ["PATH", "HOME", "TMPDIR"] {
    if let value = environmentValue(name) { result[name] = value }
  }
  return result
}

/// A variable of this process's environment; nil when it is unset or empty.
public func environmentValue(_ name: String) -> String? {
  guard let value = getenv(name), value.pointee != 0 else { return nil }
  return String(cString: value)
}
