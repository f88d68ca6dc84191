import Support

/// What was wrong with the words on the command line. The program ends with 64.
public struct UsageError: Error, Sendable, Equatable {
  public var message: String
  /// The command whose help would say more; empty for the program itself.
  public var command: String

  public init(_ message: String, command: String = "") {
    self.message = message
    self.command = command
  }
}

/// A command's flags and arguments as plain text.
public struct ParsedArguments: Sendable {
  public let definition: CommandDefinition
  var values: [String: [String]] = [:]
  public internal(set) var positional: [String] = []
  public internal(set) var wantsHelp = false

  public func has(_ flag: Flag) -> Bool { values[flag.name] != nil }
  /// The last value given.
  public func value(_ flag: Flag) -> String? { values[flag.name]?.last }
  public func all(_ flag: Flag) -> [String] { values[flag.name] ?? [] }

  func wrong(_ flag: Flag, _ text: String, _ wanted: String) -> UsageError {
    UsageError("--\(flag.name) takes \(wanted), not '\(printable(text))'.", command: definition.name)
  }

  public func integer(_ flag: Flag, in range: ClosedRange<Int>) throws(UsageError) -> Int? {
    guard let text = value(flag) else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw wrong(flag, text, "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// Seconds of `90`, `90s`, `1.5m`, `2h`, `1d`, `500ms`.
  public func duration(_ flag: Flag) throws(UsageError) -> Double? {
    guard let text = value(flag) else { return nil }
    guard let seconds = parseDuration(text) else {
      throw wrong(flag, text, "a duration such as 500ms, 5s, 2m, 1h or 1d")
    }
    return seconds
  }

  public func choice<Choice: RawRepresentable & CaseIterable>(
    _ flag: Flag, _ type: Choice.Type
  ) throws(UsageError) -> Choice? where Choice.RawValue == String {
    guard let text = value(flag) else { return nil }
    guard let choice = Choice(rawValue: text) else {
      throw wrong(flag, text, "one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return choice
  }
}

/// Reads the words behind the program's name. Flags may stand before the command's name, between and behind its arguments;
/// `--flag value`, `--flag=value`, and `--` before words that are no flags.
///
/// - Parameter shared: flags that every command takes.
public func parse(
  _ words: [String], commands: [CommandDefinition], shared: [Flag]
) throws(UsageError) -> ParsedArguments {
  let (definition, rest) = try findCommand(words, commands, shared)
  var result = ParsedArguments(definition: definition)
  let flags = definition.flags + shared
  var at = rest.startIndex
  var onlyArguments = false
  while at < rest.endIndex {
    let word = rest[at]
    at += 1
    if onlyArguments || !word.hasPrefix("-") || word == "-" {
      result.positional.append(word)
      continue
    }
    if word == "--" {
      onlyArguments = true
      continue
    }
    if word == "--help" || word == "-h" {
      result.wantsHelp = true
      continue
    }
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let name = parts[0].hasPrefix("--") ? String(parts[0].dropFirst(2)) : String(parts[0].dropFirst())
    let isLong = parts[0].hasPrefix("--")
    guard let flag = flags.first(where: { isLong ? $0.name == name : $0.short == name }) else {
      let near = nearest(to: name, among: flags.map(\.name) + ["help"])
      throw UsageError(
        "'\(definition.name)' has no flag \(printable(parts[0]))."
          + (near.map { " Did you mean --\($0)?" } ?? ""),
        command: definition.name)
    }
    var value = ""
    if flag.value != nil {
      if parts.count == 2 {
        value = parts[1]
      } else if at < rest.endIndex {
        value = rest[at]
        at += 1
      } else {
        throw UsageError(
          "--\(flag.name) wants a value: --\(flag.name) \(flag.value!).", command: definition.name)
      }
    } else if parts.count == 2 {
      throw UsageError("--\(flag.name) takes no value.", command: definition.name)
    }
    if !flag.isRepeatable, result.values[flag.name] != nil {
      throw UsageError("--\(flag.name) was given twice.", command: definition.name)
    }
    result.values[flag.name, default: []].append(value)
  }
  if !result.wantsHelp { try checkArguments(result) }
  return result
}

private func checkArguments(_ result: ParsedArguments) throws(UsageError) {
  let definition = result.definition
  let required = definition.arguments.filter(\.isRequired)
  if result.positional.count < required.count {
    throw UsageError(
      "'\(definition.name)' wants \(required[result.positional.count].name).", command: definition.name)
  }
  if result.positional.count > definition.arguments.count {
    throw UsageError(
      "'\(definition.name)' doesn't know what to do with '\(printable(result.positional[definition.arguments.count]))'.",
      command: definition.name)
  }
}

/// The command that the words name, and the words without its name.
private func findCommand(
  _ words: [String], _ commands: [CommandDefinition], _ shared: [Flag]
) throws(UsageError) -> (CommandDefinition, [String]) {
  var rest = words
  var path: [String] = []
  var at = 0
  while at < rest.count {
    let word = rest[at]
    if word.hasPrefix("-") {
      // A flag before the command's name, maybe one of its own; its value, if it stands apart, is no name either.
      let flags = shared + commands.flatMap(\.flags)
      let takesValue = flags.contains { "--" + $0.name == word && $0.value != nil }
      at += takesValue ? 2 : 1
      continue
    }
    let candidates = commands.filter {
      Array($0.path.prefix(path.count)) == path && $0.path.count > path.count
    }
    let names = Set(candidates.map { $0.path[path.count] })
    guard names.contains(word) else {
      let near = nearest(to: word, among: names.sorted())
      let whole = (path + [word]).joined(separator: " ")
      throw UsageError(
        "There is no command '\(printable(whole))'."
          + (near.map { " Did you mean '\((path + [$0]).joined(separator: " "))'?" } ?? ""))
    }
    path.append(word)
    rest.remove(at: at)
    if let found = commands.first(where: { $0.path == path }) { return (found, rest) }
  }
  if path.isEmpty { throw UsageError("A command is missing.") }
  let below = commands.filter { $0.path.starts(with: path) }.map { $0.path[path.count] }
  throw UsageError(
    "'\(path.joined(separator: " "))' is followed by one of: \(below.joined(separator: ", ")).")
}
