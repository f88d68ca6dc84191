// Lines to rows to frames: the one definition of how a line of a log becomes a row, used by stage and by query.

import Glibc
public import Support

/// What a scan has seen of one file.
public struct ScanCounts: Sendable, Equatable, Codable {
  /// All lines, blank ones included. Always entries + malformed + blank.
  public var lines: Int64 = 0
  public var blank: Int64 = 0
  public var malformed: Int64 = 0
  public var entries: Int64 = 0
  public var firstTs: Instant?
  public var lastTs: Instant?

  public init() {}
  /// Rows that the file has in the table.
  public var rows: Int64 { entries + malformed }
}

/// Where a file's bytes end.
public enum FileEnd: Sendable {
  /// The writer has left the file: a last line without its line end counts.
  case rotated
  /// The file is still being written: a last line without its line end is left alone.
  case live
}

/// Turns the bytes of log files into rows (docs/table.md has the rules, one by one).
///
/// Takes blocks of any size and gives the same rows however the bytes are cut into blocks. Never fails on what the bytes say: a line is an
/// entry, malformed or blank. Memory: at most ``lineLimit`` for a line that a block's end cuts, and about 40 MiB of rows. Not safe for use
/// from several threads at once; use one scanner each.
public struct Scanner: ~Copyable {
  /// The longest line, in bytes without its line end, that is read whole.
  public static let lineLimit = 4 << 20
  /// How much of a longer line is kept in `text`.
  public static let keptOfLongLine = 64 << 10

  public private(set) var counts = ScanCounts()
  // Not public: the 6.3.1 optimizer crashes on the setter of a public property that is noncopyable.
  var rows = RowBuffer()
  private var batch: Int32 = 0

  /// A line that a block's end has cut.
  private var carry: UnsafeMutablePointer<UInt8>
  private var carried = 0
  private var carryCapacity = 1 << 16
  /// The line is over the limit: only its first bytes are kept, and whether all of it was blank.
  private var overlong = false
  private var overlongBlank = false
  private let open: UnsafeMutablePointer<UInt64>

  public init() {
    carry = .allocate(capacity: carryCapacity)
    open = .allocate(capacity: depthLimit / 64)
    open.initialize(repeating: 0, count: depthLimit / 64)
  }

  deinit {
    carry.deallocate()
    open.deallocate()
  }

  /// Starts a file. `batch` is what its rows carry as the number of their batch.
  public mutating func begin(batch: Int32) {
    self.batch = batch
    counts = ScanCounts()
    carried = 0
    overlong = false
  }

  /// Scans more of the file. `flush` is called whenever the rows are to be taken away, and must leave the buffer empty.
  public mutating func scan(
    _ block: UnsafeRawBufferPointer, flush: (inout RowBuffer) throws -> Void
  ) throws {
    guard var at = block.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
    let end = at + block.count
    while at < end {
      let found = memchr(at, 0x0A, end - at)
      guard let found else {
        keep(at, end - at)
        return
      }
      let lineEnd = UnsafePointer(found.assumingMemoryBound(to: UInt8.self))
      if carried > 0 || overlong {
        keep(at, lineEnd - at)
        endCarriedLine(hasEnd: true)
      } else {
        var stop = lineEnd
        if stop > at, stop[-1] == 0x0D { stop -= 1 }
        if stop - at > Self.lineLimit { appendTooLong(at, stop) } else { appendLine(at, stop) }
      }
      at = lineEnd + 1
      if rows.isFull { try flush(&rows) }
    }
  }

  /// Ends the file.
  public mutating func finish(_ how: FileEnd, flush: (inout RowBuffer) throws -> Void) throws {
    if how == .rotated, carried > 0 || overlong { endCarriedLine(hasEnd: false) }
    carried = 0
    overlong = false
    if rows.isFull { try flush(&rows) }
  }

  /// Hands over the rows that are still in the buffer.
  public mutating func drain(_ flush: (inout RowBuffer) throws -> Void) rethrows {
    if rows.rows > 0 { try flush(&rows) }
  }

  // MARK: lines that a block's end cuts

  private mutating func keep(_ start: Bytes, _ count: Int) {
    if overlong {
      overlongBlank = overlongBlank && isAllBlank(start, start + count)
      return
    }
    // One byte more than the limit: it may be the CR of the line end.
    let limit = Self.lineLimit + 1
    if carried + count > limit {
      // Over the limit whatever comes. The first bytes are all that is still needed.
      overlongBlank = isAllBlank(carry, carry + carried) && isAllBlank(start, start + count)
      let wanted = max(0, min(count, Self.keptOfLongLine - carried))
      if wanted > 0 { appendToCarry(start, wanted) }
      overlong = true
      return
    }
    appendToCarry(start, count)
  }

  private mutating func appendToCarry(_ start: Bytes, _ count: Int) {
    if carried + count > carryCapacity {
      let larger = max(carryCapacity * 2, carried + count)
      let fresh = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
      fresh.update(from: carry, count: carried)
      carry.deallocate()
      carry = fresh
      carryCapacity = larger
    }
    (carry + carried).update(from: start, count: count)
    carried += count
  }

  private mutating func endCarriedLine(hasEnd: Bool) {
    let start = UnsafePointer(carry)
    var end = start + carried
    if overlong {
      if overlongBlank {
        counts.lines += 1
        counts.blank += 1
      } else {
        appendTooLong(start, end)
      }
    } else {
      if hasEnd, end > start, end[-1] == 0x0D { end -= 1 }
      if end - start > Self.lineLimit { appendTooLong(start, end) } else { appendLine(start, end) }
    }
    carried = 0
    overlong = false
  }

  // MARK: one line

  private mutating func appendLine(_ start: Bytes, _ end: Bytes) {
    counts.lines += 1
    if appendEntry(start, end) {
      counts.entries += 1
    } else if isAllBlank(start, end) {
      counts.blank += 1
    } else {
      let reason = malformedReason(start, end, open: open)
      let count = end - start
      if reason == .invalidUTF8 {
        rows.text.append(limit: count * 4) { copyEscapingBadBytes(start, end, to: $0) }
      } else {
        rows.text.append(start, count)
      }
      appendMalformed(reason)
    }
  }

  private mutating func appendTooLong(_ start: Bytes, _ end: Bytes) {
    counts.lines += 1
    if !overlong, isAllBlank(start, end) {
      counts.blank += 1
      return
    }
    let kept = min(end - start, Self.keptOfLongLine)
    rows.text.append(limit: kept * 3) { copyReplacingBadBytes(start, start + kept, to: $0) }
    appendMalformed(.tooLong)
  }

  private mutating func appendMalformed(_ reason: MalformedReason) {
    counts.malformed += 1
    var name = reason.rawValue
    name.withUTF8 { rows.malformed.append($0.baseAddress!, $0.count) }
    appendPlace()
    rows.ts.appendNull()
    rows.service.appendNull()
    rows.category.appendNull()
    rows.message.appendNull()
    rows.id.appendNull()
    rows.version.appendNull()
    rows.extra.appendNull()
  }

  @inline(__always)
  private mutating func appendPlace() {
    rows.batch.append(batch)
    rows.line.append(counts.lines)
  }

  /// Appends the line's row if it is an entry; leaves the rows as they were and says false if it is not.
  @inline(__always)
  private mutating func appendEntry(_ start: Bytes, _ end: Bytes) -> Bool {
    var noticed = Noticed()
    var at = skipBlanks(start, end)
    guard at < end, at[0] == openBrace else { return false }
    var id = Slot(start: start)
    var version = Slot(start: start)
    var message = Slot(start: start)
    var hasTs = false
    var ts: Int64?
    var hasExtra = false

    at = skipBlanks(at + 1, end)
    if at < end, at[0] == closeBrace {
      at += 1
    } else {
      members: while true {
        // The key.
        let key = at
        guard at < end, at[0] == quote, let keyEnd = stringEnd(at + 1, end, &noticed) else {
          return takeBack(hasExtra)
        }
        let known = knownKey(key + 1, keyEnd - key - 1, escaped: noticed.escaped)
        at = keyEnd + 1
        if at < end, at[0] != UInt8(ascii: ":") { at = skipBlanks(at, end) }
        guard at < end, at[0] == UInt8(ascii: ":") else { return takeBack(hasExtra) }
        at += 1
        if at < end, at[0] <= 0x20 { at = skipBlanks(at, end) }
        guard at < end else { return takeBack(hasExtra) }
        // The value.
        var slot = Slot(start: at)
        if at[0] == quote {
          guard let close = stringEnd(at + 1, end, &noticed) else { return takeBack(hasExtra) }
          slot = Slot(kind: noticed.escaped ? .escapedString : .string, start: at + 1, count: close - at - 1)
          at = close + 1
        } else {
          noticed.blanks = false
          guard let behind = valueEnd(at, end, depth: 1, open: open, &noticed) else {
            return takeBack(hasExtra)
          }
          slot.count = behind - at
          slot.kind = at[0] == UInt8(ascii: "n") ? .null : noticed.blanks ? .otherWithBlanks : .other
          at = behind
        }
        // Where it goes: the first of a known key into its column, all else to extra.
        var taken = false
        switch known {
        case .id where id.kind == .absent:
          id = slot
          taken = true
        case .version where version.kind == .absent:
          version = slot
          taken = true
        case .message where message.kind == .absent:
          message = slot
          taken = true
        case .timestamp where !hasTs:
          hasTs = true
          ts = timestamp(slot)
          taken = ts != nil || slot.kind == .null
        default: break
        }
        if !taken {
          if hasExtra { rows.extra.extend(UInt8(ascii: ",")) } else { openExtra() }
          hasExtra = true
          appendMember(key, keyEnd, slot)
        }
        // What follows.
        if at < end, at[0] <= 0x20 { at = skipBlanks(at, end) }
        guard at < end else { return takeBack(hasExtra) }
        if at[0] == UInt8(ascii: ",") {
          at += 1
          if at < end, at[0] <= 0x20 { at = skipBlanks(at, end) }
        } else if at[0] == closeBrace {
          at += 1
          break members
        } else {
          return takeBack(hasExtra)
        }
      }
    }
    if at != end, skipBlanks(at, end) != end { return takeBack(hasExtra) }
    // Strings are the only place where valid JSON has other bytes than ASCII.
    if noticed.high & 0x8080_8080_8080_8080 != 0, !isUTF8(start, end) { return takeBack(hasExtra) }

    appendPlace()
    if let ts {
      rows.ts.append(ts)
      noteTs(ts)
    } else {
      rows.ts.appendNull()
    }
    appendMessage(message)
    append(id, to: &rows.id)
    append(version, to: &rows.version)
    if hasExtra {
      rows.extra.extend(closeBrace)
      rows.extra.commit()
    } else {
      rows.extra.appendNull()
    }
    rows.malformed.appendNull()
    rows.text.appendNull()
    return true
  }

  @inline(__always)
  private mutating func noteTs(_ ts: Int64) {
    if counts.firstTs.map({ ts < $0.microseconds }) ?? true { counts.firstTs = Instant(microseconds: ts) }
    if counts.lastTs.map({ ts > $0.microseconds }) ?? true { counts.lastTs = Instant(microseconds: ts) }
  }

  private mutating func takeBack(_ hasExtra: Bool) -> Bool {
    if hasExtra { rows.extra.cancel() }
    return false
  }

  private mutating func openExtra() {
    rows.extra.open()
    rows.extra.extend(openBrace)
  }

  private mutating func appendMember(_ key: Bytes, _ keyEnd: Bytes, _ slot: Slot) {
    rows.extra.extend(key, keyEnd + 1 - key)
    rows.extra.extend(UInt8(ascii: ":"))
    switch slot.kind {
    case .string, .escapedString: rows.extra.extend(slot.start - 1, slot.count + 2)
    case .otherWithBlanks:
      rows.extra.extend(limit: slot.count) { copyWithoutBlanks(slot.start, slot.count, to: $0) }
    case .null, .other, .absent: rows.extra.extend(slot.start, slot.count)
    }
  }

  @inline(__always)
  private mutating func appendMessage(_ slot: Slot) {
    let before = rows.message.count
    append(slot, to: &rows.message)
    if slot.kind == .string || slot.kind == .escapedString,
      let (service, category) = serviceAndCategory(
        UnsafePointer(rows.message.bytes) + before + 4, rows.message.count - before - 4)
    {
      rows.service.append(service.baseAddress!, service.count)
      rows.category.append(category.baseAddress!, category.count)
    } else {
      rows.service.appendNull()
      rows.category.appendNull()
    }
  }

  private func timestamp(_ slot: Slot) -> Int64? {
    switch slot.kind {
    case .string: return parseTimestamp(slot.start, slot.count)
    case .escapedString:
      return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: slot.count) { text in
        let count = copyUnescaped(slot.start, slot.count, to: text.baseAddress!)
        return parseTimestamp(text.baseAddress!, count)
      }
    default: return nil
    }
  }
}

/// Where a known key's value lies in the line.
private struct Slot {
  enum Kind { case absent, string, escapedString, null, other, otherWithBlanks }
  var kind = Kind.absent
  var start: Bytes
  var count = 0
}

@inline(__always)
private func append(_ slot: Slot, to column: inout ColumnBuffer) {
  switch slot.kind {
  case .absent, .null: column.appendNull()
  case .string, .other: column.append(slot.start, slot.count)
  case .escapedString: column.append(limit: slot.count) { copyUnescaped(slot.start, slot.count, to: $0) }
  case .otherWithBlanks:
    column.append(limit: slot.count) { copyWithoutBlanks(slot.start, slot.count, to: $0) }
  }
}

private enum KnownKey { case id, version, message, timestamp, other }

/// Which column a key fills, compared byte by byte after unescaping.
@inline(__always)
private func knownKey(_ start: Bytes, _ count: Int, escaped: Bool) -> KnownKey {
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
private func plainKey(_ start: Bytes, _ count: Int) -> KnownKey {
  switch count {
  case 2: return equals(start, "id") ? .id : .other
  case 7: return equals(start, "message") ? .message : .other
  case 8: return equals(start, "@version") ? .version : .other
  case 10: return equals(start, "@timestamp") ? .timestamp : .other
  default: return .other
  }
}

@inline(__always)
private func equals(_ start: Bytes, _ word: StaticString) -> Bool {
  memcmp(start, word.utf8Start, word.utf8CodeUnitCount) == 0
}

/// The parts of a message that matches `^([^\s\[\]]+) \[([^\s\[\]]+)\]( .*)?$`.
@inline(__always)
private func serviceAndCategory(_ start: Bytes, _ count: Int) -> (
  UnsafeBufferPointer<UInt8>, UnsafeBufferPointer<UInt8>
)? {
  let end = start + count
  let service = wordEnd(start, end)
  guard service > start, end - service >= 4, service[0] == 0x20, service[1] == openBracket else { return nil }
  let category = wordEnd(service + 2, end)
  guard category > service + 2, category < end, category[0] == closeBracket else { return nil }
  guard category + 1 == end || category[1] == 0x20 else { return nil }
  return (
    UnsafeBufferPointer(start: start, count: service - start),
    UnsafeBufferPointer(start: service + 2, count: category - service - 2)
  )
}

/// Behind the run of bytes that are neither a blank nor a bracket.
@inline(__always)
private func wordEnd(_ start: Bytes, _ end: Bytes) -> Bytes {
  var at = start
  while at < end {
    let byte = at[0]
    if byte == 0x20 || byte &- 9 < 5 || byte == openBracket || byte == closeBracket { break }
    at += 1
  }
  return at
}

/// Nothing but space, tab, CR, VT, FF (and no byte at all).
private func isAllBlank(_ start: Bytes, _ end: Bytes) -> Bool {
  var at = start
  while at < end {
    let byte = at[0]
    guard byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0B || byte == 0x0C else { return false }
    at += 1
  }
  return true
}
