import CommandLine
import DuckDB
import Support

/// `gadwall help`
enum HelpCommand: Command {
  static let markdown = Flag("markdown", "All commands as one Markdown page: docs/commands.md.")

  static var definition: CommandDefinition {
    CommandDefinition(
      ["help"], summary: "Explain a command.",
      arguments: [
        Argument("COMMAND", required: false, "Such as harvest."),
        Argument("SUBCOMMAND", required: false, "Such as check, of config."),
      ],
      flags: [markdown], examples: [("gadwall help harvest", "The same as 'gadwall harvest --help'")])
  }

  static func run(_ arguments: ParsedArguments) async throws -> ExitStatus {
    let definitions = Gadwall.commands.map { $0.definition }
    if arguments.has(markdown) {
      let preface = """
        # Commands

        This page is written by `gadwall help --markdown`; `make check` compares the two.

        Exit status, the same for every command: 0 all done; 1 done in part (a node or a file is missing, `verify` found something); 2 failed;
        64 wrong usage; 128+n on signal n. A closed pipe is quiet. `gadwall node stage` and `node prune` end with 0 whenever they wrote their report.
        """
      Output.standard.write(markdownPage(definitions, shared: SharedFlags.all, preface: preface))
      return .done
    }
    guard !arguments.positional.isEmpty else {
      Output.standard.write(overview(definitions, title: Gadwall.title, footer: Gadwall.footer))
      return .done
    }
    let parsed = try parse(arguments.positional + ["--help"], commands: definitions, shared: SharedFlags.all)
    Output.standard.write(help(parsed.definition, shared: SharedFlags.all, width: Terminal.helpWidth))
    return .done
  }
}

/// `gadwall version`
enum VersionCommand: Command {
  static let definition = CommandDefinition(
    ["version"],
    summary: "Print the versions of Gadwall and of the DuckDB that it is made for. Also --version.")

  static func run(_ arguments: ParsedArguments) async throws -> ExitStatus {
    Output.standard.line("gadwall \(Gadwall.version) (DuckDB \(DuckDB.version))")
    return .done
  }
}
