import CShims
import Glibc

/// A column's text in a line, or nothing where it is NULL.
struct LineText {
  var start: Bytes?
  var count = 0
}

/// What a filter looks at.
struct LineValues {
  var service = LineText()
  var category = LineText()
  var message = LineText()
  var id = LineText()
  var version = LineText()
  var ts: Int64?
  var line: Int64 = 0
  var hasExtra = false
  var isMalformed = false

  @inline(__always)
  func text(_ column: RowFilter.TextColumn) -> LineText {
    switch column {
    case .service: service
    case .category: category
    case .message: message
    case .id: id
    case .version: version
    // Decided for the whole file before.
    case .stream, .region, .zone, .node: LineText()
    }
  }

  @inline(__always)
  func number(_ column: RowFilter.NumberColumn) -> Int64? {
    switch column {
    case .ts: ts
    case .line: line
    case .rotated: nil
    }
  }
}

/// A test of texts, ready to be made for many of them.
final class FilterTest {
  private enum Kind { case equals, contains, hasPrefix, hasSuffix, isLess, isLessOrEqual, like }
  private let kind: Kind
  /// All pieces, one behind the other.
  private let bytes: UnsafeMutablePointer<UInt8>
  private let count: Int
  private let pieces: [Int]
  private let startsThere: Bool
  private let endsThere: Bool

  init(_ test: RowFilter.TextTest) {
    var texts: [String] = []
    var (startsThere, endsThere) = (false, false)
    switch test {
    case .equals(let text): (kind, texts) = (.equals, [text])
    case .contains(let text): (kind, texts) = (.contains, [text])
    case .hasPrefix(let text): (kind, texts) = (.hasPrefix, [text])
    case .hasSuffix(let text): (kind, texts) = (.hasSuffix, [text])
    case .isLess(let text): (kind, texts) = (.isLess, [text])
    case .isLessOrEqual(let text): (kind, texts) = (.isLessOrEqual, [text])
    case .like(let all, let starts, let ends):
      (kind, texts) = (.like, all)
      (startsThere, endsThere) = (starts, ends)
    }
    self.startsThere = startsThere
    self.endsThere = endsThere
    pieces = texts.map(\.utf8.count)
    count = pieces.reduce(0, +)
    bytes = .allocate(capacity: max(1, count))
    var at = 0
    for text in texts {
      for byte in text.utf8 {
        bytes[at] = byte
        at += 1
      }
    }
  }

  deinit { bytes.deallocate() }

  func isTrue(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    text.withMemoryRebound(to: UInt8.self) { text in
      guard let start = text.baseAddress else {
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1) { none in
          isTrue(UnsafePointer(none.baseAddress!), 0)
        }
      }
      return isTrue(start, text.count)
    }
  }

  @inline(__always)
  func isTrue(_ start: Bytes, _ length: Int) -> Bool {
    switch kind {
    case .equals: length == count && memcmp(start, bytes, count) == 0
    case .contains: gw_find(start, length, bytes, count) != nil
    case .hasPrefix: length >= count && memcmp(start, bytes, count) == 0
    case .hasSuffix: length >= count && memcmp(start + (length - count), bytes, count) == 0
    case .isLess: compared(start, length) < 0
    case .isLessOrEqual: compared(start, length) <= 0
    case .like: isLike(start, length)
    }
  }

  private func compared(_ start: Bytes, _ length: Int) -> Int {
    let order = Int(memcmp(start, bytes, min(length, count)))
    return order == 0 ? length - count : order
  }

  /// Each piece at the first place where it is: whatever may follow has the most room then.
  private func isLike(_ start: Bytes, _ length: Int) -> Bool {
    guard !pieces.isEmpty else { return !(startsThere && endsThere) || length == 0 }
    var at = start
    var end = start + length
    var piece = UnsafePointer(bytes)
    var first = 0
    var last = pieces.count
    if startsThere {
      let size = pieces[0]
      guard end - at >= size, memcmp(at, piece, size) == 0 else { return false }
      if last == 1, endsThere { return end - at == size }
      at += size
      piece += size
      first = 1
    }
    if endsThere, first < last {
      let size = pieces[last - 1]
      guard end - at >= size, memcmp(end - size, bytes + (count - size), size) == 0 else { return false }
      end -= size
      last -= 1
    }
    while first < last {
      let size = pieces[first]
      guard let found = gw_find(at, end - at, piece, size) else { return false }
      at = UnsafePointer(found.assumingMemoryBound(to: UInt8.self)) + size
      piece += size
      first += 1
    }
    return true
  }
}

/// A filter as a list of tests, each of which says where to go on: nothing is allocated or counted for a line.
struct FilterProgram {
  private enum Kind {
    case text(RowFilter.TextColumn, FilterTest, isNegated: Bool)
    case number(RowFilter.NumberColumn, low: Int64, high: Int64)
    case length(RowFilter.TextColumn, isBytes: Bool, low: Int64, high: Int64)
    case isNull(RowFilter.Column, Bool)
  }
  private struct Step {
    var kind: Kind
    var ifTrue: Int
    var ifFalse: Int
  }
  private static let keep = -1
  private static let leave = -2

  private var steps: [Step] = []
  private var first = 0
  /// What is looked for before a line is read; nil when every line has to be.
  let literals: [[UInt8]]?

  init(_ filter: RowFilter) {
    literals = filter.literals
    first = add(filter, ifTrue: Self.keep, ifFalse: Self.leave)
  }

  /// From the end, so that each knows where the next one is.
  private mutating func add(_ filter: RowFilter, ifTrue: Int, ifFalse: Int) -> Int {
    let kind: Kind
    switch filter {
    case .all(let parts): return parts.reversed().reduce(ifTrue) { add($1, ifTrue: $0, ifFalse: ifFalse) }
    case .any(let parts): return parts.reversed().reduce(ifFalse) { add($1, ifTrue: ifTrue, ifFalse: $0) }
    case .text(let column, let test, let isNegated):
      kind = .text(column, FilterTest(test), isNegated: isNegated)
    case .number(let column, let range):
      kind = .number(column, low: range.lowerBound, high: range.upperBound)
    case .length(let column, let unit, let range):
      kind = .length(column, isBytes: unit == .bytes, low: range.lowerBound, high: range.upperBound)
    case .isNull(let column, let isNull): kind = .isNull(column, isNull)
    }
    steps.append(Step(kind: kind, ifTrue: ifTrue, ifFalse: ifFalse))
    return steps.count - 1
  }

  func keeps(_ line: borrowing LineValues) -> Bool {
    var at = first
    while at >= 0 {
      let isTrue: Bool
      switch steps[at].kind {
      case .text(let column, let test, let isNegated):
        let text = line.text(column)
        isTrue = text.start.map { test.isTrue($0, text.count) != isNegated } ?? false
      case .number(let column, let low, let high):
        isTrue = line.number(column).map { low <= $0 && $0 <= high } ?? false
      case .length(let column, let isBytes, let low, let high):
        let text = line.text(column)
        if let start = text.start {
          let length = Int64(isBytes ? text.count : characterCount(start, text.count))
          isTrue = low <= length && length <= high
        } else {
          isTrue = false
        }
      case .isNull(let column, let isNull):
        let isThere =
          switch column {
          case .text(let column): line.text(column).start != nil
          case .number(let column): line.number(column) != nil
          case .extra: line.hasExtra
          case .malformed: line.isMalformed
          }
        isTrue = isThere != isNull
      }
      at = isTrue ? steps[at].ifTrue : steps[at].ifFalse
    }
    return at == Self.keep
  }
}

func characterCount(_ start: Bytes, _ count: Int) -> Int {
  var characters = 0
  for index in 0..<count where start[index] & 0xC0 != 0x80 { characters += 1 }
  return characters
}
