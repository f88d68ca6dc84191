/// A column of a frame that the scanner makes of another one, so that what it is made of needs not be in the frame.
public enum DerivedColumn: Sendable, Hashable, Codable {
  /// How long a text is.
  case length(RowFilter.TextColumn, RowFilter.Unit)
  /// The last moment that is not after `ts` and so many microseconds, or a multiple of them, after the beginning of the year 1, which was a Monday.
  case floor(microseconds: Int64)

  /// What it is made of.
  public var source: RowColumn? {
    switch self {
    case .length(let column, _): RowColumn.allCases.first { $0.name == column.rawValue }
    case .floor: .ts
    }
  }

  /// Whether there is such a column: a task document may say anything.
  public var isSane: Bool {
    switch self {
    case .length: source != nil
    case .floor(let width): (1...RowFilter.week).contains(width)
    }
  }

  /// Microseconds from 1970 to the beginning of the year 1. Times before it are in no line and in no table.
  public static let origin: Int64 = -62_135_596_800_000_000

  /// What the n-th of a frame is called.
  public static func name(_ number: Int) -> String { "gadwall_d\(number)" }

  var isTime: Bool { if case .floor = self { true } else { false } }
}

extension RowFilter {
  /// In microseconds.
  public static let week: Int64 = 604_800_000_000
}

/// How the scanner fills one.
enum DerivedForm {
  case length(RowFilter.TextColumn, inBytes: Bool)
  /// A text that only a hash is kept of.
  case hashLength(RowFilter.TextColumn)
  case floor(Int64)
  /// What it is made of is hidden.
  case nothing

  init(_ column: DerivedColumn, hidden: Set<RowColumn>, hashed: Set<RowColumn>) {
    guard column.isSane, let source = column.source, !hidden.contains(source) else {
      self = .nothing
      return
    }
    switch column {
    case .length(let text, _) where hashed.contains(source): self = .hashLength(text)
    case .length(let text, let unit): self = .length(text, inBytes: unit == .bytes)
    case .floor(let width): self = .floor(width)
    }
  }

  /// - Parameter isASCII: that all texts are.
  @inline(__always)
  func value(_ line: LineValues, isASCII: Bool) -> Int64? {
    switch self {
    case .length(let column, let inBytes):
      let text = line.text(column)
      guard let start = text.start else { return nil }
      return Int64(inBytes || isASCII ? text.count : characterCount(start, text.count))
    case .hashLength(let column): return line.text(column).start == nil ? nil : 64
    case .floor(let width): return line.ts.map { $0 - ($0 - DerivedColumn.origin) % width }
    case .nothing: return nil
    }
  }
}
