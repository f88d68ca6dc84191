import CShims
import CommandLine
import Logs
import Rows
import Support

/// `gadwall generate`
enum GenerateCommand: Command {
  static let every = Flag(
    "every", value: "DURATION", "Time from one entry of a service to its next. Default 5s.")
  static let duration = Flag("duration", value: "DURATION", "Stop after this long. Default: never.")
  static let count = Flag("count", value: "N", "Write N entries at once, their times --every apart, and end.")
  static let seed = Flag("seed", value: "N", "The same seed writes the same entries. Default: random.")
  static let start = Flag("start", value: "TIME", "The first entry's time, ISO 8601. Default: now.")
  static let services = Flag(
    "services", value: "NAMES", "The services, separated by commas. Default Auth,AppStack,Database.")

  static let definition = CommandDefinition(
    ["generate"], summary: "Write log entries, as a service does, for trying things out.",
    discussion: """
      One entry of each service per round. Follows a rotation by rename (it opens the path again), by copytruncate (it appends) and SIGHUP. Every line \
      is written whole by one write. SIGTERM and SIGINT end it with 0.
      """,
    arguments: [Argument("FILE", "The log file; - for standard output.")],
    flags: [every, duration, count, seed, start, services],
    examples: [
      ("gadwall generate --count 4 --seed 1 --start 2026-11-23T14:00:00Z -", "Four entries to look at"),
      ("gadwall generate --every 1s --duration 10s /tmp/my_logs.log", "Ten seconds of a log being written"),
    ])

  static func run(_ arguments: ParsedArguments) async throws -> ExitStatus {
    let interval = try arguments.duration(every) ?? 5
    let random = UInt64(randomName(), radix: 16) ?? 0
    var seedValue = random
    if let text = arguments.value(seed) {
      guard let number = UInt64(text) else {
        throw UsageError("--seed takes a whole number, not '\(printable(text))'.", command: "generate")
      }
      seedValue = number
    }
    var first: Instant?
    if let text = arguments.value(start) {
      guard let time = timestamp(of: text) else {
        throw UsageError("--start takes an ISO 8601 time such as 2026-11-23T14:00:00Z.", command: "generate")
      }
      first = time
    }
    let names = (arguments.value(services) ?? LogGenerator.services.joined(separator: ",")).split(
      separator: ","
    ).map(String.init)
    guard !names.isEmpty,
      names.allSatisfy({ name in name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C } }
      )
    else {
      throw UsageError(
        "--services takes names of plain characters, separated by commas.", command: "generate")
    }
    let generator = LogGenerator(seed: seedValue)
    let path = arguments.positional[0]
    if let total = try arguments.integer(count, in: 0...1_000_000_000_000) {
      try bulk(generator, path, total, names, first ?? WallClock.system.now(), interval)
      return .done
    }
    guard interval > 0 else {
      throw UsageError("--every has to be longer than nothing.", command: "generate")
    }
    try paced(generator, path, names, first, interval, try arguments.duration(duration))
    return .done
  }

  /// All at once, many whole lines a write.
  private static func bulk(
    _ generator: LogGenerator, _ path: String, _ total: Int, _ names: [String], _ first: Instant,
    _ interval: Double
  ) throws {
    var generator = generator
    var sink = try Sink(path)
    var lines: [UInt8] = []
    lines.reserveCapacity(1 << 18 + 4096)
    let services = names.map { Array($0.utf8) }
    let step = Int64(interval * 1e6)
    for index in 0..<total {
      let time = Instant(microseconds: first.microseconds + Int64(index / names.count) * step)
      generator.append(service: services[index % services.count], at: time, to: &lines)
      if lines.count >= 1 << 18 {
        try sink.write(lines)
        lines.removeAll(keepingCapacity: true)
      }
    }
    if !lines.isEmpty { try sink.write(lines) }
  }

  /// As a service does: a round, then a pause, until it is told to stop.
  private static func paced(
    _ generator: LogGenerator, _ path: String, _ names: [String], _ first: Instant?, _ interval: Double,
    _ length: Double?
  ) throws {
    let signals = gw_signals_catch(0)
    guard signals >= 0 else { throw Failure("generate.signals", "Signals can't be caught.") }
    var generator = generator
    var sink = try Sink(path)
    var hangups = gw_signal_hangups()
    let services = names.map { Array($0.utf8) }
    let watch = Stopwatch()
    var round = 0
    // Entries of a round that are not written yet. While the disk is full nothing new is made up: a service stands still there, and goes on.
    var waiting: [[UInt8]] = []
    var troubled: Stopwatch?
    while gw_signal_terminating() == 0 {
      if gw_signal_hangups() != hangups {
        hangups = gw_signal_hangups()
        do { try sink.reopen() } catch { report(error, &troubled) }
      }
      do {
        while let line = waiting.first {
          try sink.write(line)
          waiting.removeFirst()
        }
        if let since = troubled.take() {
          Output.errors.line(
            "gadwall: The log \(path) is written to again after \(decimal(since.seconds, places: 1)) s.")
        }
      } catch {
        report(error, &troubled)
        _ = gw_wait_readable(signals, 1000)
        continue
      }
      let due = Double(round) * interval
      if let length, due >= length { break }
      let wait = due - watch.seconds
      if wait > 0 {
        _ = gw_wait_readable(signals, Int32(min(wait * 1000 + 1, 1_000_000)))
        continue
      }
      let time =
        first.map { Instant(microseconds: $0.microseconds + Int64(due * 1e6)) } ?? WallClock.system.now()
      for service in services {
        var line: [UInt8] = []
        generator.append(service: service, at: time, to: &line)
        waiting.append(line)
      }
      round += 1
    }
    for line in waiting { try sink.write(line) }
    // Ended as it was asked to: that is no failure of this command.
    gw_signal_forget()
  }

  /// Says once that the log can't be written to, until it can again.
  private static func report(_ error: any Error, _ troubled: inout Stopwatch?) {
    guard troubled == nil else { return }
    troubled = Stopwatch()
    Output.errors.line("gadwall: \(Failure.from(error).description)\n  It is tried again every second.")
  }

  private enum Sink: ~Copyable {
    case standard
    case file(LogFile)

    init(_ path: String) throws(Failure) {
      self = path == "-" ? .standard : .file(try LogFile.open(path))
    }

    mutating func write(_ lines: [UInt8]) throws(Failure) {
      switch consume self {
      case .standard:
        Output.standard.write(lines)
        self = .standard
      case .file(var file):
        do throws(Failure) {
          try file.write(lines)
          self = .file(file)
        } catch {
          self = .file(file)
          throw error
        }
      }
    }

    mutating func reopen() throws(Failure) {
      switch consume self {
      case .standard: self = .standard
      case .file(var file):
        do throws(Failure) {
          try file.reopen()
          self = .file(file)
        } catch {
          self = .file(file)
          throw error
        }
      }
    }
  }
}
