import CommandLine
import Configuration
import Files
import Harvest
import Logs
import Rows
import Support

private let nodeFlag = Flag(
  "node", value: "PATTERN", repeatable: true, "Only nodes whose name matches (* and ?); repeatable.")
private let streamFlag = Flag(
  "stream", value: "PATTERN", repeatable: true, "Only streams that match; repeatable.")
private let sinceFlag = Flag(
  "since", value: "TIME", "Rotated at or after this: an ISO 8601 time, or a duration ago such as 2d.")
private let untilFlag = Flag("until", value: "TIME", "Rotated at or before this.")

/// A moment as the command line gives it: a time, or a duration before now.
func moment(_ arguments: ParsedArguments, _ flag: Flag) throws(UsageError) -> Instant? {
  guard let text = arguments.value(flag) else { return nil }
  if let time = timestamp(of: text) { return time }
  if text.last?.isLetter == true, let seconds = parseDuration(text), seconds < 1e10 {
    return Instant(microseconds: WallClock.system.now().microseconds - Int64(seconds * 1e6))
  }
  throw UsageError(
    "--\(flag.name) takes a time such as 2026-11-23T14:00:00Z or a duration such as 2d, not '\(printable(text))'.",
    command: arguments.definition.name)
}

private func filter(_ arguments: ParsedArguments) throws(UsageError) -> BatchFilter {
  var filter = BatchFilter()
  filter.nodes = arguments.all(nodeFlag)
  filter.streams = arguments.all(streamFlag)
  filter.since = try moment(arguments, sinceFlag)
  filter.until = try moment(arguments, untilFlag)
  return filter
}

/// `gadwall raw list`
enum RawListCommand: Command {
  static let definition = CommandDefinition(
    ["raw", "list"], summary: "List the archived files whose original bytes can be had back.",
    flags: [nodeFlag, streamFlag, sinceFlag, untilFlag, formatFlag],
    examples: [("gadwall raw list --node 'us-*' --since 2d", "What came from there in the last two days")])

  static func run(_ arguments: ParsedArguments) async throws -> ExitStatus {
    let wanted = try filter(arguments)
    let format = try arguments.choice(formatFlag, OutputFormat.self) ?? .table
    let batches = try await cancellableBySignal {
      let store = try StoreDescription(try Workspace.configuration(arguments)).open()
      return try await RawFiles(store: store).list(wanted)
    }
    switch format {
    case .json: Output.standard.write(encodeJSON(batches, pretty: true) + [0x0A])
    case .table:
      var table = TextTable(columns: [
        ("batch", .left), ("rotated", .left), ("node", .left), ("file", .left), ("lines", .right),
        ("bytes", .right),
      ])
      for batch in batches {
        table.rows.append([
          String(batch.facts.id.prefix(12)), Instant(seconds: batch.facts.rotated).description,
          batch.node.name,
          printable(batch.facts.file), grouped(batch.facts.lines), ByteCount(batch.facts.bytes).description,
        ])
      }
      Output.standard.write(table.rendered(width: Terminal.width(.standard)))
    }
    return .done
  }
}

/// `gadwall raw get`
enum RawGetCommand: Command {
  static let output = Flag(
    "output", value: "FILE", "Where to write it, a file that does not exist yet. Default: standard output.")

  static let definition = CommandDefinition(
    ["raw", "get"], summary: "Get an archived file's original bytes back, digest checked.",
    arguments: [
      Argument(
        "BATCH", required: false,
        "The batch's id; its beginning is enough when that is unique. Left out when the flags name one batch."
      )
    ],
    flags: [nodeFlag, streamFlag, sinceFlag, untilFlag, output],
    examples: [
      ("gadwall raw get 7fdec36d03b6 --output my_logs.log", "One file as it was"),
      (
        "gadwall raw get --node us-east1-vm1 --stream my_logs.log --since 2026-11-23T13:00:00Z --until 2026-11-23T14:00:00Z",
        "The one of that hour"
      ),
    ])

  static func run(_ arguments: ParsedArguments) async throws -> ExitStatus {
    var chosen = try filter(arguments)
    chosen.prefix = arguments.positional.first?.lowercased() ?? ""
    guard !chosen.isEmpty else {
      throw UsageError(
        "Name a batch, or choose one with --node, --stream, --since and --until.", command: "raw get")
    }
    let wanted = chosen
    let target = arguments.value(output)
    if let target, exists(target) {
      throw Failure(
        "raw.exists", "The file \(target) exists.", remedy: "Name another: nothing is overwritten.")
    }
    try await cancellableBySignal {
      try await Workspace.open(arguments).closing { workspace in
        let raw = RawFiles(store: workspace.store)
        let batch = try await raw.batch(wanted)
        guard let target else {
          try await raw.read(batch, scratch: workspace.scratch) { Output.standard.write(Array($0)) }
          return
        }
        let scratch = scratchName(beside: target)
        do {
          let file = try Descriptor.create(scratch)
          try await raw.read(batch, scratch: workspace.scratch) { try file.write($0) }
          try file.synchronize()
          try publish(scratch: scratch, at: target, replacing: false)
        } catch let error as SystemError {
          try? removeFile(scratch)
          throw error.failure("raw.unwritable", "The file \(target) can't be written.")
        } catch {
          try? removeFile(scratch)
          throw error
        }
        Output.errors.line(
          "\(target): \(printable(batch.facts.file)) of \(batch.node), \(grouped(batch.facts.lines)) lines, digest \(batch.facts.digest.prefix(12))… checked"
        )
      }
    }
    return .done
  }
}
