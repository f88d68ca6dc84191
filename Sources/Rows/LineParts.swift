// What the scanner finds in a line, and where it goes.

import CShims
import Glibc

/// Where a known key's value lies in the line.
struct Slot {
  enum Kind { case absent, string, escapedString, null, other, otherWithBlanks }
  var kind = Kind.absent
  var start: Bytes
  var count = 0
}

@inline(__always)
func append(_ slot: Slot, readable limit: Bytes, to column: inout ColumnBuffer) {
  switch slot.kind {
  case .absent, .null: column.appendNull()
  case .string, .other: column.append(slot.start, slot.count, readable: limit)
  case .escapedString: column.append(limit: slot.count) { copyUnescaped(slot.start, slot.count, to: $0) }
  case .otherWithBlanks:
    column.append(limit: slot.count) { copyWithoutBlanks(slot.start, slot.count, to: $0) }
  }
}

@inline(__always)
func append(_ text: LineText, readable limit: Bytes, to column: inout ColumnBuffer) {
  if let start = text.start { column.append(start, text.count, readable: limit) } else { column.appendNull() }
}

/// Which columns are filled.
struct Wanted {
  let batch, line, ts, service, category, message, id, version, extra, malformed, text: Bool
  /// Whether the message has to be taken apart.
  let parts: Bool
  /// Whether the message's or another text's length is.
  let lengths: Bool
  /// Whether it matters what the time is, or whether it is one: what is none goes to `extra`.
  let needsTs: Bool
  /// Rows are counted, and none of their values is wanted.
  let nothingOfLines: Bool

  init(_ columns: Set<RowColumn>, _ derived: [DerivedColumn]) {
    batch = columns.contains(.batch)
    line = columns.contains(.line)
    ts = columns.contains(.ts)
    service = columns.contains(.service)
    category = columns.contains(.category)
    message = columns.contains(.message)
    id = columns.contains(.id)
    version = columns.contains(.version)
    extra = columns.contains(.extra)
    malformed = columns.contains(.malformed)
    text = columns.contains(.text)
    parts = service || category || derived.contains { $0.source == .service || $0.source == .category }
    lengths = derived.contains { !$0.isTime }
    needsTs = ts || extra || derived.contains(where: \.isTime)
    nothingOfLines = derived.isEmpty && columns.isSubset(of: [.batch, .line])
  }
}

enum KnownKey { case id, version, message, timestamp, other }

/// Which column a key fills, compared byte by byte after unescaping.
@inline(__always)
func knownKey(_ start: Bytes, _ count: Int, escaped: Bool) -> KnownKey {
  if escaped {
    // The longest known key has 10 characters, each at most six bytes when escaped.
    guard count <= 60 else { return .other }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 60) { text in
      plainKey(text.baseAddress!, copyUnescaped(start, count, to: text.baseAddress!))
    }
  }
  return plainKey(start, count)
}

@inline(__always)
func plainKey(_ start: Bytes, _ count: Int) -> KnownKey {
  switch count {
  case 2: return equals(start, "id") ? .id : .other
  case 7: return equals(start, "message") ? .message : .other
  case 8: return equals(start, "@version") ? .version : .other
  case 10: return equals(start, "@timestamp") ? .timestamp : .other
  default: return .other
  }
}

@inline(__always)
func equals(_ start: Bytes, _ word: StaticString) -> Bool {
  memcmp(start, word.utf8Start, word.utf8CodeUnitCount) == 0
}

/// The parts of a message that matches `^([^\s\[\]]+) \[([^\s\[\]]+)\]( .*)?$`.
@inline(__always)
func serviceAndCategory(_ start: Bytes, _ count: Int, readable limit: Bytes) -> (LineText, LineText)? {
  let end = start + count
  let service = min(gw_word_stop(start, limit), end)
  guard service > start, end - service >= 4, service[0] == 0x20, service[1] == openBracket else { return nil }
  let category = min(gw_word_stop(service + 2, limit), end)
  guard category > service + 2, category < end, category[0] == closeBracket else { return nil }
  guard category + 1 == end || category[1] == 0x20 else { return nil }
  return (
    LineText(start: start, count: service - start),
    LineText(start: service + 2, count: category - service - 2)
  )
}

/// Nothing but space, tab, CR, VT, FF (and no byte at all).
func isAllBlank(_ start: Bytes, _ end: Bytes) -> Bool {
  var at = start
  while at < end {
    let byte = at[0]
    guard byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0B || byte == 0x0C else { return false }
    at += 1
  }
  return true
}
