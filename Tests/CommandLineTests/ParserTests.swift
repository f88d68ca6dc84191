import CommandLine
import Support
import Testing

/// A small program's commands.
enum Sample {
  static let rows = Flag("rows", value: "N", "How many.")
  static let dry = Flag("dry-run", "Do nothing.")
  static let region = Flag("region", value: "PATTERN", repeatable: true, "Only these.")
  static let config = Flag("config", value: "FILE", "The configuration.")
  static let verbose = Flag("verbose", "Say more.")
  static let shared = [config, verbose]
  static let harvest = CommandDefinition(["harvest"], summary: "Harvest.", flags: [rows, dry, region])
  static let query = CommandDefinition(
    ["query"], summary: "Ask.",
    arguments: [Argument("SQL", "The statement."), Argument("FILE", required: false, "Where to.")],
    flags: [rows])
  static let stage = CommandDefinition(
    ["node", "stage"], summary: "Stage.", arguments: [Argument("TASK", "The task.")])
  static let prune = CommandDefinition(["node", "prune"], summary: "Prune.")
  static let commands = [harvest, query, stage, prune]

  static func parsed(_ words: [String]) throws(UsageError) -> ParsedArguments {
    try parse(words, commands: commands, shared: shared)
  }

  static func error(_ words: [String]) -> UsageError? {
    do {
      _ = try parsed(words)
      return nil
    } catch { return error }
  }
}

@Suite struct ParserTests {
  @Test(arguments: [
    ["harvest", "--rows", "5", "--dry-run", "--config", "f"],
    ["--config", "f", "harvest", "--rows", "5", "--dry-run"],
    ["--config=f", "harvest", "--rows=5", "--dry-run"],
    ["--dry-run", "harvest", "--config", "f", "--rows", "5"],
    ["--rows=5", "--dry-run", "--config=f", "harvest"],
    ["--rows", "5", "harvest", "--dry-run", "--config", "f"],
  ])
  func flagsStandAnywhere(words: [String]) throws {
    let parsed = try Sample.parsed(words)
    #expect(parsed.definition.name == "harvest")
    #expect(parsed.value(Sample.rows) == "5")
    #expect(parsed.value(Sample.config) == "f")
    #expect(parsed.has(Sample.dry))
    #expect(!parsed.has(Sample.verbose))
    #expect(parsed.positional == [])
    #expect(!parsed.wantsHelp)
  }

  @Test(arguments: [
    ["query", "SELECT 1", "out", "--rows", "3"], ["query", "--rows", "3", "SELECT 1", "out"],
    ["query", "SELECT 1", "--rows=3", "out"],
    ["--rows=3", "query", "SELECT 1", "out"], ["query", "SELECT 1", "--rows", "3", "--", "out"],
  ])
  func flagsStandBetweenArguments(words: [String]) throws {
    let parsed = try Sample.parsed(words)
    #expect(parsed.positional == ["SELECT 1", "out"])
    #expect(parsed.value(Sample.rows) == "3")
  }

  @Test(arguments: [
    (["query", "--", "--rows"], ["--rows"]), (["query", "--", "--", "-x"], ["--", "-x"]),
    (["query", "-"], ["-"]), (["query", ""], [""]),
    (["query", "--", "--help"], ["--help"]), (["query", "a", "--", "-h"], ["a", "-h"]),
    (["--", "query", "a"], ["a"]),
  ])
  func wordsBehindTwoHyphensAreNoFlags(words: [String], positional: [String]) throws {
    let parsed = try Sample.parsed(words)
    #expect(parsed.positional == positional)
    #expect(!parsed.wantsHelp)
  }

  @Test(arguments: [
    (["harvest", "--rows="], ""), (["harvest", "--rows=a=b"], "a=b"),
    (["harvest", "--rows", "--dry-run"], "--dry-run"), (["harvest", "--rows", "-5"], "-5"),
    (["harvest", "--rows", "--"], "--"),
  ])
  func valuesAreTakenAsTheyAre(words: [String], value: String) throws {
    let parsed = try Sample.parsed(words)
    #expect(parsed.value(Sample.rows) == value)
    #expect(!parsed.has(Sample.dry))
  }

  @Test func repeatableFlagsAreKeptInOrder() throws {
    let parsed = try Sample.parsed(["harvest", "--region", "a", "--region=b", "--region", "a"])
    #expect(parsed.all(Sample.region) == ["a", "b", "a"])
    #expect(parsed.value(Sample.region) == "a")
    #expect(try Sample.parsed(["harvest"]).all(Sample.region) == [])
  }

  @Test func subcommandsAreFound() throws {
    #expect(try Sample.parsed(["node", "stage", "t"]).definition.name == "node stage")
    #expect(try Sample.parsed(["node", "--verbose", "stage", "t"]).definition.name == "node stage")
    #expect(try Sample.parsed(["--config", "stage", "node", "prune"]).value(Sample.config) == "stage")
  }

  @Test(arguments: [
    ["harvest", "--help"], ["harvest", "-h"], ["--help", "harvest"], ["query", "--help"],
    ["query", "--rows", "1", "-h", "a", "b", "c"], ["node", "stage", "--help"],
  ])
  func helpNeedsNothingElse(words: [String]) throws { #expect(try Sample.parsed(words).wantsHelp) }

  @Test(arguments: [
    (["harvest", "--rows"], "--rows wants a value: --rows N.", "harvest"),
    (["harvest", "--rows", "1", "--rows", "2"], "--rows was given twice.", "harvest"),
    (["harvest", "--dry-run", "--dry-run"], "--dry-run was given twice.", "harvest"),
    (["harvest", "--dry-run=yes"], "--dry-run takes no value.", "harvest"),
    (["harvest", "--row", "1"], "'harvest' has no flag --row. Did you mean --rows?", "harvest"),
    (["harvest", "--dryrun"], "'harvest' has no flag --dryrun. Did you mean --dry-run?", "harvest"),
    (["harvest", "--hlep"], "'harvest' has no flag --hlep. Did you mean --help?", "harvest"),
    (["harvest", "--completely-else"], "'harvest' has no flag --completely-else.", "harvest"),
    (["harvest", "-x"], "'harvest' has no flag -x.", "harvest"),
    (["harvest", "-rows", "1"], "'harvest' has no flag -rows. Did you mean --rows?", "harvest"),
    (["harvest", "--Rows=1"], "'harvest' has no flag --Rows. Did you mean --rows?", "harvest"),
    (["harvest", "extra"], "'harvest' doesn't know what to do with 'extra'.", "harvest"),
    (["query"], "'query' wants SQL.", "query"),
    (["query", "a", "b", "c"], "'query' doesn't know what to do with 'c'.", "query"),
    (["node", "stage"], "'node stage' wants TASK.", "node stage"),
    (["harvst"], "There is no command 'harvst'. Did you mean 'harvest'?", ""),
    (["query", "--region", "x", "a"], "'query' has no flag --region.", "query"),
    (["node", "stag"], "There is no command 'node stag'. Did you mean 'node stage'?", ""),
    (["zzzzzz"], "There is no command 'zzzzzz'.", ""), ([], "A command is missing.", ""),
    (["--verbose"], "A command is missing.", ""),
    (["node"], "'node' is followed by one of: stage, prune.", ""),
    (["har\u{1B}[2Jvest"], "There is no command 'har\u{FFFD}[2Jvest'.", ""),
    ([""], "There is no command ''.", ""),
  ])
  func wrongUsageIsSaid(words: [String], message: String, command: String) {
    #expect(Sample.error(words) == UsageError(message, command: command))
  }

  @Test func typedValues() throws {
    enum Format: String, CaseIterable { case table, json }
    let format = Flag("config", value: "FORMAT", "")
    let parsed = try Sample.parsed(["harvest", "--rows", "5", "--config", "json"])
    #expect(try parsed.integer(Sample.rows, in: 0...5) == 5)
    #expect(try parsed.choice(format, Format.self) == .json)
    #expect(try parsed.duration(Sample.rows) == 5)
    let wrong = #expect(throws: UsageError.self) { try parsed.integer(Sample.rows, in: 0...4) }
    #expect(wrong == UsageError("--rows takes a whole number from 0 to 4, not '5'.", command: "harvest"))
    let other = try Sample.parsed(["harvest", "--config", "jsn", "--rows", "soon"])
    let choice = #expect(throws: UsageError.self) { try other.choice(format, Format.self) }
    #expect(choice == UsageError("--config takes one of table, json, not 'jsn'.", command: "harvest"))
    #expect(throws: UsageError.self) { try other.duration(Sample.rows) }
    #expect(throws: UsageError.self) { try other.integer(Sample.rows, in: 0...9) }
    let none = try Sample.parsed(["harvest"])
    #expect(try none.integer(Sample.rows, in: 0...1) == nil)
    #expect(try none.duration(Sample.rows) == nil)
    #expect(try none.choice(format, Format.self) == nil)
  }
}

@Suite struct DurationTests {
  @Test(
    arguments: [
      ("0", 0), ("90", 90), ("90s", 90), ("1.5m", 90), ("2h", 7200), ("1d", 86_400), ("500ms", 0.5),
      ("0.25s", 0.25), ("0ms", 0), ("007s", 7), (".5s", 0.5), ("5.", 5),
    ] as [(String, Double)])
  func isSeconds(text: String, seconds: Double) { #expect(parseDuration(text) == seconds) }

  @Test(arguments: [
    "", "s", "ms", "-1s", "+1s", "1 s", " 1s", "1s ", "1S", "1w", "1e3", "1e3s", "0x10", "inf", "nan",
    "infinity", "1h30m", "1.2.3", "1,5s", "٣s", "½h", ".", ".s", "1_000",
    String(repeating: "9", count: 400) + "s",
  ])
  func isNothingElse(text: String) { #expect(parseDuration(text) == nil) }
}
