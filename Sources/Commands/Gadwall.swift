// What the user types: one file per command, and what they share.

import CShims
import CommandLine
import Files
import Glibc
import Support

/// How a command ended; the numbers are the program's exit status.
enum ExitStatus: Int32 {
  case done = 0
  /// Done in part: something is missing, or was found wrong.
  case partial = 1
  case failed = 2
  case usage = 64
}

/// One command: what there is to say about it, and how it runs.
protocol Command: Sendable {
  static var definition: CommandDefinition { get }
  static func run(_ arguments: ParsedArguments) async throws -> ExitStatus
}

/// The program. `main()` never returns.
public enum Gadwall {
  public static let version = "0.1.0"

  static let commands: [any Command.Type] = [
    DemoCommand.self, QueryCommand.self, QueriesCommand.self, HarvestCommand.self, VerifyCommand.self,
    RecoverCommand.self,
    GenerateCommand.self,
    ConfigCheckCommand.self,
    ConfigShowCommand.self, DoctorCommand.self, RunsCommand.self, NodesCommand.self, RawListCommand.self,
    RawGetCommand.self,
    NodeStageCommand.self, NodePruneCommand.self, NodeQueryCommand.self,
    NodeProbeCommand.self, NodeAdmitCommand.self, NodeAuditCommand.self, HelpCommand.self,
    VersionCommand.self,
  ]

  public static func main() async -> Never {
    gw_signal_ignore_pipe()
    gw_signal_end_first_process()
    let words = Swift.CommandLine.arguments
    guard !words.isEmpty else {
      Output.errors.write("gadwall: /proc is not mounted here, and the command line is read from there.\n")
      exit(ExitStatus.failed.rawValue)
    }
    exit(await run(Array(words.dropFirst())))
  }

  /// Runs the words of a command line and gives the exit status.
  static func run(_ words: [String]) async -> Int32 {
    let definitions = commands.map { $0.definition }
    do {
      switch words.first {
      case nil, "--help", "-h":
        Output.standard.write(overview(definitions, title: title, footer: footer))
        return words.isEmpty ? ExitStatus.usage.rawValue : 0
      case "--version":
        return try await finish(VersionCommand.self, ["version"])
      default: break
      }
      let parsed = try parse(words, commands: definitions, shared: SharedFlags.all)
      guard let command = commands.first(where: { $0.definition.path == parsed.definition.path }) else {
        return ExitStatus.usage.rawValue
      }
      if parsed.wantsHelp {
        Output.standard.write(help(command.definition, shared: SharedFlags.all, width: Terminal.helpWidth))
        return 0
      }
      return try await perform(command, parsed)
    } catch let error as UsageError {
      let hint = error.command.isEmpty ? "gadwall --help" : "gadwall \(error.command) --help"
      Output.errors.write("gadwall: \(error.message)\n  See '\(hint)'.\n")
      return ExitStatus.usage.rawValue
    } catch {
      let signal = gw_signal_terminating()
      if signal != 0 {
        Output.errors.write(
          "gadwall: stopped by signal \(signal). Nothing is lost: run it again.\n")
        return 128 + signal
      }
      Output.errors.write("gadwall: \(Failure.from(error).description)\n")
      return ExitStatus.failed.rawValue
    }
  }

  private static func finish(_ command: any Command.Type, _ words: [String]) async throws -> Int32 {
    try await perform(
      command, try parse(words, commands: commands.map { $0.definition }, shared: SharedFlags.all))
  }

  private static func perform(_ command: any Command.Type, _ parsed: ParsedArguments) async throws -> Int32 {
    let status = try await command.run(parsed)
    let signal = gw_signal_terminating()
    return signal != 0 ? 128 + signal : status.rawValue
  }

  static let title = """
    gadwall \(version): asks a fleet's logs where they lie, archives them into Iceberg exactly once, and deletes a
    log file only on proof that the table holds every line.
    """
  static let footer = """
    'gadwall COMMAND --help' explains a command. Start with 'gadwall demo'.
    Exit status: 0 all done; 1 done in part, or something was found; 2 failed; 64 wrong usage; 128+n on signal n.
    """
}

/// Flags that every command takes.
enum SharedFlags {
  static let config = Flag(
    "config", value: "FILE",
    "The configuration; else $GADWALL_CONFIG, ./gadwall.yaml, /etc/gadwall/gadwall.yaml.")
  static let all = [config]
}

/// Runs the body; SIGINT, SIGTERM and a closed terminal cancel it, a second one ends the program at once.
func cancellableBySignal<Result: Sendable>(
  _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
  let descriptor = gw_signals_catch(1)
  guard descriptor >= 0 else { return try await body() }
  let work = Task { try await body() }
  startSignalThread(descriptor) {
    work.cancel()
  }
  return try await work.value
}

private final class SignalWork: Sendable {
  let descriptor: Int32
  let cancel: @Sendable () -> Void
  init(_ descriptor: Int32, _ cancel: @escaping @Sendable () -> Void) {
    self.descriptor = descriptor
    self.cancel = cancel
  }
}

private func startSignalThread(_ descriptor: Int32, _ cancel: @escaping @Sendable () -> Void) {
  var thread = pthread_t()
  let box = Unmanaged.passRetained(SignalWork(descriptor, cancel))
  let result = pthread_create(
    &thread, nil,
    { argument in
      guard let argument else { return nil }
      let work = Unmanaged<SignalWork>.fromOpaque(argument).takeRetainedValue()
      var seen = 0
      while true {
        _ = gw_wait_readable(work.descriptor, -1)
        guard gw_signal_terminating() != 0 else { continue }
        seen += 1
        if seen > 1 { _exit(128 + gw_signal_terminating()) }
        work.cancel()
      }
    }, box.toOpaque())
  if result == 0 { pthread_detach(thread) } else { box.release() }
}
