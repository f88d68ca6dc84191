import Files
import Support
import TestSupport

@testable import Processes

/// A Python in a sandbox that makes attempts, and says of each how it ended: `done`, or the name of the errno.
struct Attempts {
  var sandbox: Sandbox
  private let interpreter: String

  init(_ sandbox: Sandbox = Sandbox()) throws {
    let link = joined(repositoryRoot, ".build/python/bin/python")
    guard exists(link) else {
      throw MissingPart(description: "\(link) is missing: run 'make setup'.")
    }
    interpreter = resolvedPath(link)
    self.sandbox = sandbox
    self.sandbox.readable.append(folderName(folderName(interpreter)))
  }

  private static let prelude = """
    import ctypes, errno, os, resource, signal, socket, sys, threading
    libc = ctypes.CDLL(None, use_errno=True)
    def call(name, *arguments):
        function = getattr(libc, name) if isinstance(name, str) else lambda *a: libc.syscall(name, *a)
        if function(*arguments) < 0: raise OSError(ctypes.get_errno(), str(name))
    def attempt(what):
        try: what()
        except OSError as e: return errno.errorcode.get(e.errno, str(e.errno))
        except MemoryError: return "ENOMEM"
        return "done"

    """

  /// Runs the script, which has `attempt` and `call` at hand.
  func run(_ script: String, _ arguments: [String] = []) async throws -> ChildResult {
    try await Processes.run(
      ChildCommand(
        interpreter, ["-I", "-S", "-c", Self.prelude + script] + arguments,
        deadline: .after(seconds: 60 * patience), sandbox: sandbox))
  }

  /// How each of the expressions ended.
  func outcomes(_ attempts: [String], _ arguments: [String] = []) async throws -> [String] {
    let script = attempts.map { "print(attempt(lambda: \($0)))\n" }.joined()
    let result = try await run(script, arguments)
    guard result.status == .exited(0) else {
      throw MissingPart(description: "Python ended with \(result.status): \(result.errorText)")
    }
    return result.text.split(separator: "\n").map(String.init)
  }
}
