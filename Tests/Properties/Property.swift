// What holds whatever the bytes are, of all that reads what others wrote. PropertiesTests asks it of damaged seeds whenever the tests run,
// Fuzzing/ of what libFuzzer comes up with, for as long as one likes.

/// One reader, and what is true of it for any input.
public struct Property: Sendable, CustomStringConvertible {
  public enum Shape: Sendable {
    case bytes
    /// JSON, or lines of it: damage keeps it JSON half of the time.
    case json
  }

  public let name: String
  public let shape: Shape
  /// What damage puts in, beside bytes.
  public let words: [String]
  /// Inputs to begin with: what the program itself or a person would write.
  public let seeds: @Sendable () -> [[UInt8]]
  /// - Throws: ``Broken``. That it comes back at all is the first thing that is asked of it.
  public let check: @Sendable ([UInt8]) throws -> Void

  init(
    _ name: String, _ shape: Shape = .bytes, words: [String] = [], seeds: @escaping @Sendable () -> [[UInt8]],
    check: @escaping @Sendable ([UInt8]) throws -> Void
  ) {
    self.name = name
    self.shape = shape
    self.words = words
    self.seeds = seeds
    self.check = check
  }

  public var description: String { name }

  public static let all: [Property] =
    [scanner, gzip, timestamp, jsonValue] + documents + [choice, metadata, configuration, nodeFile]
    + [streamName, wildcard, duration, words, duckdbOutput, objectKey]
}

/// What did not hold.
public struct Broken: Error, CustomStringConvertible {
  public var description: String
}

func hold(_ condition: Bool, _ what: @autoclosure () -> String) throws {
  if !condition { throw Broken(description: what()) }
}

func utf8(_ texts: String...) -> [[UInt8]] { texts.map { Array($0.utf8) } }
