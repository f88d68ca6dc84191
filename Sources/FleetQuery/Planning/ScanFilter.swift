import Rows
import Support

/// Of a condition, what the scanner can decide by itself: comparisons of columns with constants. For every row of which the condition is true, the
/// filter is, too.
struct ScanFilter {
  var filter: RowFilter
  /// Whether it is true of no other row: then nothing is left to be asked.
  var isExact: Bool

  static let everything = ScanFilter(filter: .everything, isExact: false)

  /// Moments that constant expressions stand for, in microseconds since 1970, by the expressions.
  typealias Moments = [Syntax: Int64]

  /// - Parameters:
  ///   - select: a SELECT over one relation.
  ///   - moments: of the expressions that ``momentsAsked(_:)`` gives.
  init(_ select: Syntax, _ moments: Moments) {
    guard let from = select["from_table"], let condition = select["where_clause"] else {
      self = .everything
      return
    }
    var reader = ConditionReader(scope: RelationScope(from), moments: moments)
    self = reader.filter(condition)
  }

  private init(filter: RowFilter, isExact: Bool) {
    self.filter = filter
    self.isExact = isExact
  }

  /// Expressions of the SELECT's condition whose moments have to be known.
  static func momentsAsked(_ select: Syntax) -> [Syntax] {
    guard let from = select["from_table"], let condition = select["where_clause"] else { return [] }
    var reader = ConditionReader(scope: RelationScope(from), moments: nil)
    _ = reader.filter(condition)
    return reader.asked
  }

  fileprivate static func exact(_ filter: RowFilter) -> ScanFilter {
    ScanFilter(filter: filter, isExact: true)
  }

  /// True where any of them is.
  static func any(_ all: [ScanFilter]) -> RowFilter { .either(all.map(\.filter)) }

  fileprivate static func all(_ parts: [ScanFilter]) -> ScanFilter {
    ScanFilter(filter: .every(parts.map(\.filter)), isExact: parts.allSatisfy(\.isExact))
  }

  fileprivate static func either(_ parts: [ScanFilter]) -> ScanFilter {
    ScanFilter(filter: any(parts), isExact: parts.allSatisfy(\.isExact))
  }
}

private struct ConditionReader {
  let scope: RelationScope
  /// Nil while it is only asked which ones are needed.
  let moments: ScanFilter.Moments?
  var asked: [Syntax] = []

  mutating func filter(_ part: Syntax) -> ScanFilter {
    switch (part.expressionClass, part.type) {
    case ("CONJUNCTION", "CONJUNCTION_AND"): return .all(part.children.map { filter($0) })
    case ("CONJUNCTION", "CONJUNCTION_OR"): return .either(part.children.map { filter($0) })
    case ("OPERATOR", "OPERATOR_NOT"):
      // Only of what is known exactly: the opposite of too many rows is too few.
      guard let inner = part.children.first.map({ filter($0) }), inner.isExact else { return .everything }
      return .exact(inner.filter.opposite)
    case ("OPERATOR", "OPERATOR_IS_NULL"), ("OPERATOR", "OPERATOR_IS_NOT_NULL"):
      guard let column = part.children.first.flatMap(column) else { return .everything }
      return .exact(.isNull(column, part.type == "OPERATOR_IS_NULL"))
    case ("OPERATOR", "COMPARE_IN"), ("OPERATOR", "COMPARE_NOT_IN"):
      let (items, isNot) = (part.children, part.type == "COMPARE_NOT_IN")
      guard items.count > 1, items.count < 1000 else { return .everything }
      let tests = items.dropFirst().map { compared(items[0], "COMPARE_EQUAL", $0) }
      guard isNot else { return .either(tests) }
      guard tests.allSatisfy(\.isExact) else { return .everything }
      return .all(tests.map { .exact($0.filter.opposite) })
    case ("COMPARISON", let type?):
      guard let left = part["left"], let right = part["right"] else { return .everything }
      if isConstant(left) { return compared(right, Self.turned[type] ?? type, left) }
      return compared(left, type, right)
    case ("BETWEEN", "COMPARE_BETWEEN"):
      guard let input = part["input"], let lower = part["lower"], let upper = part["upper"] else {
        return .everything
      }
      // One end may say how the other is compared, too: by a collation.
      let ends = [
        compared(input, "COMPARE_GREATERTHANOREQUALTO", lower),
        compared(input, "COMPARE_LESSTHANOREQUALTO", upper),
      ]
      return ends.allSatisfy(\.isExact) ? .all(ends) : .everything
    case ("FUNCTION", _): return function(part)
    default: return .everything
    }
  }

  /// With what stands right and left the other way round.
  private static let turned = [
    "COMPARE_LESSTHAN": "COMPARE_GREATERTHAN", "COMPARE_GREATERTHAN": "COMPARE_LESSTHAN",
    "COMPARE_LESSTHANOREQUALTO": "COMPARE_GREATERTHANOREQUALTO",
    "COMPARE_GREATERTHANOREQUALTO": "COMPARE_LESSTHANOREQUALTO",
  ]

  // MARK: comparisons

  private mutating func compared(_ value: Syntax, _ type: String, _ constant: Syntax) -> ScanFilter {
    let plain: RowFilter?
    switch column(value) {
    case .text(let column): plain = text(constant).flatMap { Self.compared(column, type, $0) }
    case .number(.line): plain = wholeNumber(constant).flatMap { Self.compared(.line, type, $0) }
    case .number(let column): plain = moment(constant).flatMap { Self.compared(column, type, $0) }
    case .extra, .malformed: plain = nil
    case nil:
      guard let (column, unit) = lengthOf(value), let number = wholeNumber(constant) else {
        plain = nil; break
      }
      plain = Self.ranges(type, number).map { ranges in
        .either(ranges.map { .length(column, unit, $0) })
      }
    }
    guard let plain else { return .everything }
    switch type {
    // Whether or not there is a value.
    case "COMPARE_DISTINCT_FROM":
      guard let column = column(value) else { return .everything }
      return .exact(.any([.isNull(column), plain]))
    case "COMPARE_NOT_DISTINCT_FROM":
      // Where there is no value it is false, and its opposite true.
      guard let column = column(value) else { return .everything }
      return .exact(.all([.isNull(column, false), plain]))
    default: return .exact(plain)
    }
  }

  private static func compared(_ column: RowFilter.TextColumn, _ type: String, _ text: String) -> RowFilter? {
    switch type {
    case "COMPARE_EQUAL", "COMPARE_NOT_DISTINCT_FROM": .text(column, .equals(text))
    case "COMPARE_NOTEQUAL", "COMPARE_DISTINCT_FROM": .text(column, .equals(text), isNegated: true)
    case "COMPARE_LESSTHAN": .text(column, .isLess(text))
    case "COMPARE_LESSTHANOREQUALTO": .text(column, .isLessOrEqual(text))
    case "COMPARE_GREATERTHAN": .text(column, .isLessOrEqual(text), isNegated: true)
    case "COMPARE_GREATERTHANOREQUALTO": .text(column, .isLess(text), isNegated: true)
    default: nil
    }
  }

  private static func compared(_ column: RowFilter.NumberColumn, _ type: String, _ number: Int64)
    -> RowFilter?
  {
    ranges(type, number).map { .either($0.map { .number(column, $0) }) }
  }

  private static func ranges(_ type: String, _ number: Int64) -> [ClosedRange<Int64>]? {
    // Nobody's time or line is as far out as this.
    guard number > .min / 2, number < .max / 2 else { return nil }
    return switch type {
    case "COMPARE_EQUAL", "COMPARE_NOT_DISTINCT_FROM": [number...number]
    case "COMPARE_NOTEQUAL", "COMPARE_DISTINCT_FROM": [.min...(number - 1), (number + 1)...(.max)]
    case "COMPARE_LESSTHAN": [.min...(number - 1)]
    case "COMPARE_LESSTHANOREQUALTO": [.min...number]
    case "COMPARE_GREATERTHAN": [(number + 1)...(.max)]
    case "COMPARE_GREATERTHANOREQUALTO": [number...(.max)]
    default: nil
    }
  }

  private func function(_ part: Syntax) -> ScanFilter {
    let arguments = part.children
    guard arguments.count == 2, part["schema"]?.string?.isEmpty ?? true, part["filter"] == nil,
      case .text(let column)? = column(arguments[0]), let text = text(arguments[1])
    else { return .everything }
    switch part["function_name"]?.string?.lowercased() {
    case "~~": return like(column, text)
    case "!~~":
      let found = like(column, text)
      return found.isExact ? .exact(found.filter.opposite) : .everything
    case "contains": return .exact(.text(column, .contains(text)))
    case "starts_with", "^@", "prefix": return .exact(.text(column, .hasPrefix(text)))
    case "ends_with", "suffix": return .exact(.text(column, .hasSuffix(text)))
    default: return .everything
    }
  }

  /// `%` is decided; of a pattern with `_` only what stands around it.
  private func like(_ column: RowFilter.TextColumn, _ pattern: String) -> ScanFilter {
    let pieces = pattern.utf8.split(whereSeparator: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "_") })
      .map { String(decoding: $0, as: UTF8.self) }
    guard !pattern.utf8.contains(UInt8(ascii: "_")) else {
      return ScanFilter.all([
        .exact(.text(column, .like(pieces, startsThere: false, endsThere: false))), .everything,
      ])
    }
    let startsThere = pattern.utf8.first != UInt8(ascii: "%")
    let endsThere = pattern.utf8.last != UInt8(ascii: "%")
    let test: RowFilter.TextTest =
      switch (pieces.count, startsThere, endsThere) {
      case (0, true, true): .equals("")
      case (1, true, true): .equals(pieces[0])
      case (1, true, false): .hasPrefix(pieces[0])
      case (1, false, true): .hasSuffix(pieces[0])
      case (1, false, false): .contains(pieces[0])
      default: .like(pieces, startsThere: startsThere, endsThere: endsThere)
      }
    return .exact(.text(column, test))
  }

  // MARK: columns and constants

  private func column(_ part: Syntax) -> RowFilter.Column? {
    guard part.expressionClass == "COLUMN_REF", scope.owns(part), let name = part.columnName else {
      return nil
    }
    if let column = RowFilter.TextColumn(rawValue: name) { return .text(column) }
    if let column = RowFilter.NumberColumn(rawValue: name) { return .number(column) }
    return name == "extra" ? .extra : name == "malformed" ? .malformed : nil
  }

  private func lengthOf(_ part: Syntax) -> (RowFilter.TextColumn, RowFilter.Unit)? {
    guard part.expressionClass == "FUNCTION", part.children.count == 1,
      case .text(let column)? = column(part.children[0])
    else { return nil }
    switch part["function_name"]?.string?.lowercased() {
    case "length", "len", "char_length", "character_length": return (column, .characters)
    case "strlen": return (column, .bytes)
    default: return nil
    }
  }

  private func text(_ part: Syntax) -> String? {
    guard part.expressionClass == "CONSTANT", part["value"]?["type"]?["id"]?.string == "VARCHAR" else {
      return nil
    }
    return part["value"]?["value"]?.string
  }

  private func wholeNumber(_ part: Syntax) -> Int64? {
    guard part.expressionClass == "CONSTANT", case .number(let digits)? = part["value"]?["value"],
      ["TINYINT", "SMALLINT", "INTEGER", "BIGINT"].contains(part["value"]?["type"]?["id"]?.string)
    else { return nil }
    return Int64(digits)
  }

  /// A text's or an expression's, as DuckDB reads it.
  private mutating func moment(_ part: Syntax) -> Int64? {
    guard isConstant(part) else { return nil }
    let plain = part.withoutAlias
    guard let moments else {
      asked.append(plain)
      return 0
    }
    return moments[plain]
  }

  /// Whether it has the same value for all rows, and at any time.
  private func isConstant(_ part: Syntax) -> Bool { !part.hasColumns && scope.isSteady(part) }
}

extension Syntax {
  fileprivate var children: [Syntax] { self["children"]?.items ?? [] }
}

extension RowFilter {
  /// True where this one is false, and not where there is no value to say.
  var opposite: RowFilter {
    switch self {
    case .all(let parts): .either(parts.map(\.opposite))
    case .any(let parts): .every(parts.map(\.opposite))
    case .text(let column, let test, let isNegated): .text(column, test, isNegated: !isNegated)
    case .number(let column, let range): outside(range) { .number(column, $0) }
    case .length(let column, let unit, let range): outside(range) { .length(column, unit, $0) }
    case .isNull(let column, let isNull): .isNull(column, !isNull)
    }
  }

  private func outside(_ range: ClosedRange<Int64>, _ part: (ClosedRange<Int64>) -> RowFilter) -> RowFilter {
    var parts: [RowFilter] = []
    if range.lowerBound > .min { parts.append(part(.min...(range.lowerBound - 1))) }
    if range.upperBound < .max { parts.append(part((range.upperBound + 1)...(.max))) }
    return .either(parts)
  }
}
