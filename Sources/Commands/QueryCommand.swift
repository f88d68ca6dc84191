import CommandLine
import Configuration
import Files
import Fleet
import FleetQuery
import Harvest
import Logs
import Support

/// `gadwall query`
enum QueryCommand: Command {
  enum Format: String, CaseIterable { case table, json, ndjson, csv, parquet, markdown }

  static let file = Flag(
    "file", short: "f", value: "FILE", "Read the statement from a file; - for standard input.")
  static let saved = Flag("saved", value: "NAME", "Ask a saved query; 'gadwall queries' lists them.")
  static let bars = Flag("bars", "In a table with one column of numbers, draw them too.")
  static let parameter = Flag(
    "param", value: "NAME=VALUE", repeatable: true,
    "The value of $NAME in the statement, as a text; repeatable.")
  static let format = Flag(
    "format", value: "table|json|ndjson|csv|parquet|markdown",
    "How the rows are written. A table on a terminal, else ndjson.")
  static let output = Flag("output", value: "FILE", "Write the rows to a file, which must not exist yet.")
  static let since = Flag("since", value: "DURATION", "Only rows whose ts lies in the last 1h, 2d and so on.")
  static let deadline = Flag(
    "deadline", value: "DURATION",
    "When the answer is due: nodes without one by then are cut off. Default 5m, on Bacalhau 1m.")
  static let coverage = Flag("coverage", "Tell of each node what it gave, as JSON on standard error.")
  static let allowPartial = Flag("allow-partial", "End with 0 even when a node or a file is missing.")
  static let explain = Flag("explain", "Say how it would be answered, and ask nobody.")
  static let printJobs = Flag(
    "print-jobs",
    "Print the job that the engine would submit, as 'bacalhau job run' takes it, and ask nobody.")
  static let quiet = Flag("quiet", "No line about what the answer covers.")

  static let definition = CommandDefinition(
    ["query"], summary: "Ask the logs of the whole fleet and the archive with one SQL statement.",
    discussion: """
      Three relations have the same columns: live (what is on the nodes and not in the archive, also what is being written), archive (the table) and logs \
      (both). Any SELECT of DuckDB's can be asked; DESCRIBE logs names the columns. The answer is what one DuckDB would give over all the lines in one \
      place, and a line on standard error says what it covers.
      """,
    arguments: [Argument("SQL", required: false, "The statement.")],
    flags: SelectionFlags.all + [
      file, saved, parameter, since, format, bars, output, deadline, explain, printJobs, coverage,
      allowPartial, quiet,
    ],
    examples: [
      (
        "gadwall query \"SELECT category, count(*) FROM logs GROUP BY ALL ORDER BY 2 DESC\"",
        "What is there?"
      ),
      (
        "gadwall query \"FROM live SELECT ts, node, message WHERE category = 'SECURITY'\" --format ndjson",
        "Rows for a program"
      ),
      ("gadwall query --saved error-rate --since 1d --bars", "One of the saved queries"),
      ("gadwall query -f report.sql --param day=2026-11-23 --output report.parquet", "A file"),
    ])

  static func run(_ arguments: ParsedArguments) async throws -> ExitStatus {
    let format = try chosenFormat(arguments)
    var text = ""
    var parameters: [String: String] = [:]
    for pair in arguments.all(parameter) {
      guard let split = pair.firstIndex(of: "="), split > pair.startIndex else {
        throw UsageError("--param is NAME=VALUE.", command: "query")
      }
      parameters[String(pair[..<split])] = String(pair[pair.index(after: split)...])
    }
    if let name = arguments.value(saved) {
      guard arguments.positional.isEmpty, arguments.value(file) == nil else {
        throw UsageError("--saved stands in place of a statement.", command: "query")
      }
      let query = try SavedQueries.named(
        name, configuration: try? Workspace.configuration(arguments).path)
      text = query.text
      parameters = query.values(parameters)
    } else {
      text = try statement(arguments)
    }
    let (asked, values) = (text, parameters)
    let path = arguments.value(output)
    if let path, exists(path) {
      throw Failure(
        "output.exists", "The file \(printable(path)) exists already.", remedy: "Name another, or remove it.")
    }
    if format == .parquet, path == nil, Terminal.width(.standard) != nil {
      throw UsageError("Parquet is nothing for a terminal: add --output FILE.", command: "query")
    }
    let seconds = try arguments.duration(deadline)
    let age = try arguments.duration(since)
    return try await cancellableBySignal {
      try await Workspace.open(arguments, isQuick: true).closing { workspace in
        let settings = workspace.harvestRequest(Workspace.selection(arguments))
        var request = QueryRequest(text: asked, logs: settings.logs)
        request.parameters = values
        request.selection = settings.selection
        request.file = format.file
        // Bacalhau notices after two minutes that it has lost a node.
        request.deadline = seconds ?? (workspace.configuration.engine == .bacalhau ? 60 : request.deadline)
        request.since = age
        let query = FleetQuery(
          engine: workspace.engine, store: workspace.store, catalog: workspace.catalog,
          duckdb: workspace.duckdb,
          scratch: joined(workspace.scratch, "query"))
        if arguments.has(explain) {
          Output.standard.write(try await query.explain(request))
          return .done
        }
        if arguments.has(printJobs) {
          Output.standard.write(try await query.printedJob(request))
          return .done
        }
        let view = QueryView(format, hasBars: arguments.has(bars), to: path)
        request.streams = view.streams
        let result = try await query.run(request) { try view.take($0, $1) }
        try view.end(result)
        if !arguments.has(quiet) { Output.errors.line(result.coverage.line) }
        if arguments.has(coverage) {
          Output.errors.write(encodeJSON(result.coverage, pretty: true) + [0x0A])
        } else if !arguments.has(quiet) {
          tellGaps(result.coverage)
        }
        guard result.coverage.hasAnswers else { return .failed }
        return result.coverage.isWhole || arguments.has(allowPartial) ? .done : .partial
      }
    }
  }

  private static func chosenFormat(_ arguments: ParsedArguments) throws -> Format {
    if let format = try arguments.choice(format, Format.self) { return format }
    if let path = arguments.value(output) {
      let ending = path.split(separator: ".").last.map { $0.lowercased() } ?? ""
      if let format = ["json": Format.json, "csv": .csv, "parquet": .parquet, "md": .markdown][ending] {
        return format
      }
    }
    return Terminal.width(.standard) != nil && arguments.value(output) == nil ? .table : .ndjson
  }

  private static func statement(_ arguments: ParsedArguments) throws -> String {
    switch (arguments.positional.first, arguments.value(file)) {
    case (.some, .some):
      throw UsageError("Give the statement, or a file with it, and not both.", command: "query")
    case (let text?, nil): return text
    case (nil, let path):
      guard let path = path ?? (Terminal.isInteractive ? nil : "-") else {
        throw UsageError("There is no statement.", command: "query")
      }
      do throws(SystemError) {
        let limit = ByteCount.mebibytes(1)
        let bytes = try path == "-" ? readStandardInput(limit: limit) : readFile(path, limit: limit)
        return String(decoding: bytes, as: UTF8.self)
      } catch {
        throw error.failure("query.file", "The statement's file \(printable(path)) can't be read.")
      }
    }
  }

  private static func tellGaps(_ coverage: Coverage) {
    for node in coverage.nodes {
      if node.state != .answered {
        Output.errors.line(
          "✘ \(node.node): \(node.state.rawValue)\(node.reason.map { ": " + printable($0) } ?? "")")
      }
      for file in node.passedOver where file.isGap {
        Output.errors.line("! \(node.node): \(printable(file.file)) was not read: \(printable(file.note))")
      }
    }
  }
}

extension QueryCommand.Format {
  /// What DuckDB writes for it.
  var file: ResultFile {
    switch self {
    case .json, .ndjson: .rows
    case .table, .markdown: .texts
    case .csv: .csv
    case .parquet: .parquet
    }
  }
}
