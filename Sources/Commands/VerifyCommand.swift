import CommandLine
import Support

enum VerifyCommand: Command {
  static let definition = CommandDefinition(["verify"], summary: "Check.")
  static func run(_ arguments: ParsedArguments) async throws -> ExitStatus { .done }
}
enum DemoCommand: Command {
  static let definition = CommandDefinition(["demo"], summary: "Demo.")
  static func run(_ arguments: ParsedArguments) async throws -> ExitStatus { .done }
}
