// The command line: each flag defined once, and from that its parsing, its help and the documentation.

/// One flag of a command.
public struct Flag: Sendable, Hashable {
  public var name: String
  /// One letter that stands for it, as in `-f`.
  public var short: String?
  /// What its value is called in the help; nil for a flag without one.
  public var value: String?
  public var help: String
  public var isRepeatable: Bool

  public init(
    _ name: String, short: String? = nil, value: String? = nil, repeatable: Bool = false, _ help: String
  ) {
    self.name = name
    self.short = short
    self.value = value
    self.help = help
    isRepeatable = repeatable
  }
}

/// A positional argument.
public struct Argument: Sendable {
  public var name: String
  public var help: String
  public var isRequired: Bool

  public init(_ name: String, required: Bool = true, _ help: String) {
    self.name = name
    self.help = help
    isRequired = required
  }
}

/// Everything that is to be said about one command.
public struct CommandDefinition: Sendable {
  /// `["node", "stage"]` for `gadwall node stage`.
  public var path: [String]
  public var summary: String
  public var discussion: String
  public var arguments: [Argument]
  public var flags: [Flag]
  /// Examples that work when pasted, with what they do.
  public var examples: [(command: String, what: String)]

  public init(
    _ path: [String], summary: String, discussion: String = "", arguments: [Argument] = [],
    flags: [Flag] = [],
    examples: [(command: String, what: String)] = []
  ) {
    self.path = path
    self.summary = summary
    self.discussion = discussion
    self.arguments = arguments
    self.flags = flags
    self.examples = examples
  }

  public var name: String { path.joined(separator: " ") }
}
