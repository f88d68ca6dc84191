/// Which rows a scan keeps: those of which the condition is true, as SQL has it. No test of a value that is not there is true, but the tests for
/// that itself.
public indirect enum RowFilter: Sendable, Codable, Equatable {
  case all([RowFilter])
  case any([RowFilter])
  case text(TextColumn, TextTest, isNegated: Bool = false)
  case number(NumberColumn, ClosedRange<Int64>)
  /// How long a text is.
  case length(TextColumn, Unit, ClosedRange<Int64>)
  case isNull(Column, Bool = true)

  public enum TextColumn: String, Sendable, Codable, CaseIterable {
    case service, category, message, id, version
    /// The same for all rows of a file.
    case stream, region, zone, node
  }
  public enum NumberColumn: String, Sendable, Codable, CaseIterable {
    /// Microseconds since 1970.
    case ts
    case line
    /// Microseconds since 1970, the same for all rows of a file.
    case rotated
  }
  public enum Column: Sendable, Codable, Equatable {
    case text(TextColumn)
    case number(NumberColumn)
    case extra, malformed

    public var name: String {
      switch self {
      case .text(let column): column.rawValue
      case .number(let column): column.rawValue
      case .extra: "extra"
      case .malformed: "malformed"
      }
    }
  }
  public enum Unit: String, Sendable, Codable { case bytes, characters }

  /// Of bytes, as DuckDB compares texts without a collation.
  public enum TextTest: Sendable, Codable, Equatable {
    case equals(String)
    case contains(String)
    case hasPrefix(String)
    case hasSuffix(String)
    case isLess(String)
    case isLessOrEqual(String)
    /// These, in this order, with anything between two of them.
    case like([String], startsThere: Bool, endsThere: Bool)
  }

  public static let everything = RowFilter.all([])
  public static let nothing = RowFilter.any([])

  /// All of them, in the simplest form.
  public static func every(_ parts: [RowFilter]) -> RowFilter {
    if parts.contains(.nothing) { return .nothing }
    let left = parts.filter { $0 != .everything }
    return left.count == 1 ? left[0] : .all(left)
  }

  /// Any of them, in the simplest form.
  public static func either(_ parts: [RowFilter]) -> RowFilter {
    if parts.contains(.everything) { return .everything }
    let left = parts.filter { $0 != .nothing }
    return left.count == 1 ? left[0] : .any(left)
  }

  /// What is the same for all rows of a file.
  public struct FileFacts: Sendable {
    public var stream: String
    public var region: String
    public var zone: String
    public var node: String
    /// Microseconds since 1970; nil for a file that is being written.
    public var rotated: Int64?

    public init(stream: String, region: String, zone: String, node: String, rotated: Int64?) {
      self.stream = stream
      self.region = region
      self.zone = zone
      self.node = node
      self.rotated = rotated
    }
  }

  /// What is left of it to be asked of this file's rows: ``everything`` and ``nothing`` when no row has to be looked at.
  public func asked(of file: FileFacts) -> RowFilter {
    func known(_ isTrue: Bool) -> RowFilter { isTrue ? .everything : .nothing }
    func text(_ column: TextColumn) -> String? {
      switch column {
      case .stream: file.stream
      case .region: file.region
      case .zone: file.zone
      case .node: file.node
      case .service, .category, .message, .id, .version: nil
      }
    }
    switch self {
    case .all(let parts): return .every(parts.map { $0.asked(of: file) })
    case .any(let parts): return .either(parts.map { $0.asked(of: file) })
    case .text(let column, let test, let isNegated):
      return text(column).map { value in
        known(Array(value.utf8).withUnsafeBufferPointer { FilterTest(test).isTrue($0) } != isNegated)
      } ?? self
    case .length(let column, let unit, let range):
      return text(column).map { value in
        known(range.contains(Int64(unit == .bytes ? value.utf8.count : value.unicodeScalars.count)))
      } ?? self
    case .number(.rotated, let range): return known(file.rotated.map(range.contains) ?? false)
    case .isNull(.number(.rotated), let isNull): return known((file.rotated == nil) == isNull)
    case .isNull(.text(let column), let isNull): return text(column).map { _ in known(!isNull) } ?? self
    case .number, .isNull: return self
    }
  }

  /// Columns that it looks at.
  public var columnNames: Set<String> {
    switch self {
    case .all(let parts), .any(let parts): parts.reduce(into: []) { $0.formUnion($1.columnNames) }
    case .text(let column, _, _), .length(let column, _, _): [column.rawValue]
    case .number(let column, _): [column.rawValue]
    case .isNull(let column, _): [column.name]
    }
  }

  /// The filter without the tests of some columns: true of all rows that it is true of, and of more.
  public func without(_ isHidden: (Column) -> Bool) -> RowFilter {
    switch self {
    case .all(let parts): .every(parts.map { $0.without(isHidden) })
    case .any(let parts): .either(parts.map { $0.without(isHidden) })
    case .text(let column, _, _), .length(let column, _, _): isHidden(.text(column)) ? .everything : self
    case .number(let column, _): isHidden(.number(column)) ? .everything : self
    case .isNull(let column, _): isHidden(column) ? .everything : self
    }
  }

  // MARK: what stands in the line

  /// Of these texts one at least stands in the line of each row that is kept, as it is written here or with an escape; nil when nothing is known.
  var literals: [[UInt8]]? {
    switch self {
    case .any(let parts):
      var all: [[UInt8]] = []
      for part in parts {
        guard let some = part.literals else { return nil }
        all += some
      }
      return all.count > Self.literalLimit ? nil : all
    case .all(let parts):
      // The fewest, and of these the longest.
      return parts.compactMap(\.literals).max { lhs, rhs in
        (rhs.count, lhs.map(\.count).min() ?? 0) < (lhs.count, rhs.map(\.count).min() ?? 0)
      }
    case .text(let column, let test, isNegated: false): return column.literal(test).map { [$0] }
    default: return nil
    }
  }

  /// With more texts to look for, reading the line is the quicker way.
  private static let literalLimit = 8
}

extension RowFilter.TextColumn {
  /// What stands in the line when the test of this column is true.
  fileprivate func literal(_ test: RowFilter.TextTest) -> [UInt8]? {
    func around(_ before: String, _ text: String, _ after: String) -> [UInt8]? {
      let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 != quote && $0 != backslash }
      return isPlain && !text.isEmpty ? Array((before + text + after).utf8) : nil
    }
    switch (self, test) {
    case (.category, .equals(let text)): return around(" [", text, "]")
    case (.category, .hasPrefix(let text)): return around(" [", text, "")
    case (.category, .hasSuffix(let text)): return around("", text, "]")
    case (.category, .contains(let text)): return around("", text, "")
    case (.service, .equals(let text)): return around("\"", text, " [")
    case (.service, .hasPrefix(let text)): return around("\"", text, "")
    case (.service, .hasSuffix(let text)): return around("", text, " [")
    case (.service, .contains(let text)): return around("", text, "")
    case (.message, .equals(let text)), (.message, .hasPrefix(let text)), (.message, .hasSuffix(let text)),
      (.message, .contains(let text)), (.id, .equals(let text)), (.id, .hasPrefix(let text)),
      (.id, .hasSuffix(let text)), (.id, .contains(let text)), (.version, .equals(let text)),
      (.version, .hasPrefix(let text)), (.version, .hasSuffix(let text)), (.version, .contains(let text)):
      return longestWhole([text])
    case (.message, .like(let texts, _, _)), (.id, .like(let texts, _, _)),
      (.version, .like(let texts, _, _)):
      return longestWhole(texts)
    default: return nil
    }
  }
}

/// The longest part of the texts that stands in one piece wherever a value holds it. A value that is no string loses the blanks between its
/// parts, and what has to be escaped in a string stands there in another form.
private func longestWhole(_ texts: [String]) -> [UInt8]? {
  let ends = Array("{}[]:,\"\\".utf8)
  let pieces = texts.flatMap { $0.utf8.split { $0 < 0x20 || ends.contains($0) } }
  guard let longest = pieces.max(by: { $0.count < $1.count }), longest.count > 1 else { return nil }
  return Array(longest)
}
