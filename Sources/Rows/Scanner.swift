// Lines to rows to frames: the one definition of how a line of a log becomes a row, used by stage and by query.

import CShims
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
///
/// With fewer columns it copies less, and with a filter it leaves rows out; neither changes what a line is or how lines are counted. Lines that the
/// filter lets it skip without reading them, or of which nothing is wanted but that they are there, are in ``skipped`` besides. Where neither `ts` nor `extra` is wanted, times need not be read.
public struct Scanner: ~Copyable {
  /// The longest line, in bytes without its line end, that is read whole.
  public static let lineLimit = 4 << 20
  /// How much of a longer line is kept in `text`.
  public static let keptOfLongLine = 64 << 10

  public private(set) var counts = ScanCounts()
  /// Lines of the file that were not read: whether they are malformed or entries is not known.
  public private(set) var skipped: Int64 = 0
  // Not public: the 6.3.1 optimizer crashes on the setter of a public property that is noncopyable.
  var rows: RowBuffer
  private var batch: Int32 = 0

  /// A line that a block's end has cut.
  private var carry: UnsafeMutablePointer<UInt8>
  private var carried = 0
  private var carryCapacity = 1 << 16
  /// The line is over the limit: only its first bytes are kept, and whether all of it was blank.
  private var overlong = false
  private var overlongBlank = false
  private let open: UnsafeMutablePointer<UInt64>
  /// Up to where bytes can be read: the end of the line's block.
  private var limit: Bytes
  private var expected = ExpectedKeys()
  private let wanted: Wanted
  /// Columns of whose values only a hash is kept, with its key.
  private let hashed: [RowColumn]
  private let hashKey: [UInt8]
  private let derived: [DerivedForm]
  private var lastTime = LastTime()
  private var filter: FilterProgram?
  private var search: LineSearch?
  private var searches: Int64 = 0
  /// Texts of a line in another form than it has them.
  private var made: UnsafeMutablePointer<UInt8>
  private var madeCapacity = 1 << 16

  /// - Parameters:
  ///   - columns: those of the rows that are filled; in a frame the others are NULL.
  ///   - derived: what is made of columns beside, whether these are filled or not.
  ///   - hidden: columns that are NULL, whatever is asked.
  ///   - hashed: texts in whose place HMAC-SHA-256 of them with the key is kept, as hexadecimal digits.
  public init(
    columns: Set<RowColumn> = Set(RowColumn.allCases), derived: [DerivedColumn] = [],
    hidden: Set<RowColumn> = [], hashed: Set<RowColumn> = [], hashKey: [UInt8] = []
  ) {
    let columns = columns.subtracting(hidden)
    rows = RowBuffer(derived: derived.count)
    self.derived = derived.map { DerivedForm($0, hidden: hidden, hashed: hashed) }
    self.hashed = RowColumn.allCases.filter { hashed.contains($0) && columns.contains($0) }
    self.hashKey = hashKey
    carry = .allocate(capacity: carryCapacity)
    made = .allocate(capacity: madeCapacity)
    limit = UnsafePointer(carry)
    open = .allocate(capacity: depthLimit / 64)
    open.initialize(repeating: 0, count: depthLimit / 64)
    wanted = Wanted(columns, derived)
  }

  deinit {
    carry.deallocate()
    made.deallocate()
    open.deallocate()
  }

  /// Starts a file.
  ///
  /// - Parameters:
  ///   - batch: what its rows carry as the number of their batch.
  ///   - filter: which of its rows are kept, with nothing left in it that is the same for the whole file.
  public mutating func begin(batch: Int32, filter: RowFilter = .everything) {
    self.batch = batch
    counts = ScanCounts()
    skipped = 0
    searches = 0
    carried = 0
    overlong = false
    self.filter = filter == .everything ? nil : FilterProgram(filter)
    search = self.filter?.literals.map { LineSearch($0) }
  }

  /// Scans more of the file. `flush` is called whenever the rows are to be taken away, and must leave the buffer empty.
  public mutating func scan(
    _ block: UnsafeRawBufferPointer, flush: (inout RowBuffer) throws -> Void
  ) throws {
    guard var at = block.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
    let end = at + block.count
    search?.begin(at, end)
    limit = end
    while at < end {
      if search != nil, carried == 0, !overlong {
        at = skipped(at, end)
        if at == end { return }
        // Where it finds more lines than it passes over, reading them all is quicker.
        searches += 1
        if searches & 1023 == 0, skipped < searches { search = nil }
      }
      let found = memchr(at, 0x0A, end - at)
      guard let found else {
        keep(at, end - at)
        return
      }
      let lineEnd = UnsafePointer(found.assumingMemoryBound(to: UInt8.self))
      if carried > 0 || overlong {
        keep(at, lineEnd - at)
        endCarriedLine(hasEnd: true)
        limit = end
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

  /// The start of the next line that may have a row to be kept, or of the one that the block's end cuts.
  private mutating func skipped(_ at: Bytes, _ end: Bytes) -> Bytes {
    let place = search!.first(at, end) ?? end
    guard let before = gw_find_last(at, 0x0A, place - at) else { return at }
    let start = UnsafePointer(before.assumingMemoryBound(to: UInt8.self)) + 1
    let count = Int64(gw_count(at, start - at, 0x0A))
    counts.lines += count
    skipped += count
    return start
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
    limit = end
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
    if hashed.isEmpty { return appendPlainLine(start, end) }
    let starts = hashed.map { rows.bytes($0) }
    appendPlainLine(start, end)
    for (column, start) in zip(hashed, starts) { rows.hash(column, from: start, key: hashKey) }
  }

  private mutating func appendPlainLine(_ start: Bytes, _ end: Bytes) {
    counts.lines += 1
    if wanted.nothingOfLines, filter == nil {
      if isAllBlank(start, end) {
        counts.blank += 1
      } else {
        skipped += 1
        appendPlace()
      }
      return
    }
    if appendEntry(start, end) {
      counts.entries += 1
    } else if isAllBlank(start, end) {
      counts.blank += 1
    } else {
      appendMalformed { line throws(Never) in
        let reason = malformedReason(start, end, open: line.open)
        guard line.wanted.text else { return reason }
        let count = end - start
        if reason == .invalidUTF8 {
          line.rows.text.append(limit: count * 4) { copyEscapingBadBytes(start, end, to: $0) }
        } else {
          line.rows.text.append(start, count, readable: end)
        }
        return reason
      }
    }
  }

  private mutating func appendTooLong(_ start: Bytes, _ end: Bytes) {
    let textStart = rows.bytes(.text)
    defer { if hashed.contains(.text) { rows.hash(.text, from: textStart, key: hashKey) } }
    counts.lines += 1
    if !overlong, isAllBlank(start, end) {
      counts.blank += 1
      return
    }
    appendMalformed { line throws(Never) in
      guard line.wanted.text else { return .tooLong }
      let kept = min(end - start, Self.keptOfLongLine)
      line.rows.text.append(limit: kept * 3) { copyReplacingBadBytes(start, start + kept, to: $0) }
      return .tooLong
    }
  }

  /// - Parameter text: appends the line's text, if it is wanted, and gives the reason.
  private mutating func appendMalformed(_ text: (inout Scanner) -> MalformedReason) {
    counts.malformed += 1
    if let filter {
      var values = LineValues()
      values.line = counts.lines
      values.isMalformed = true
      guard filter.keeps(values) else { return }
    }
    guard wanted.text || wanted.malformed else { return appendNulls() }
    let reason = text(&self)
    if wanted.malformed {
      var name = reason.rawValue
      name.withUTF8 { rows.malformed.append($0) }
    }
    appendNulls()
  }

  private mutating func appendNulls() {
    appendPlace()
    if wanted.ts { rows.ts.appendNull() }
    if wanted.service { rows.service.appendNull() }
    if wanted.category { rows.category.appendNull() }
    if wanted.message { rows.message.appendNull() }
    if wanted.id { rows.id.appendNull() }
    if wanted.version { rows.version.appendNull() }
    if wanted.extra { rows.extra.appendNull() }
    for number in derived.indices { rows.derived[number].appendNull() }
  }

  @inline(__always)
  private mutating func appendPlace() {
    if wanted.batch { rows.batch.append(batch) }
    if wanted.line { rows.line.append(counts.lines) }
    rows.rows += 1
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
    var member = 0
    let limit = limit

    at = skipBlanks(at + 1, end)
    if at < end, at[0] == closeBrace {
      at += 1
    } else {
      members: while true {
        let key: MemberKey
        if let likely = expected.found(member, at, limit) {
          key = likely
        } else {
          guard let read = readKey(at, end, &noticed) else { return takeBack(hasExtra) }
          key = read
          expected.missed(key, member, at)
        }
        let keyStart = at
        at += key.value
        member += 1
        // Another line may have blanks here.
        if at[0] <= 0x20 { at = skipBlanks(at, end) }
        guard at < end else { return takeBack(hasExtra) }
        // The value.
        var slot = Slot(start: at)
        if at[0] == quote {
          guard let close = stringEnd(at + 1, end, readable: limit, &noticed) else {
            return takeBack(hasExtra)
          }
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
        switch key.known {
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
          if wanted.needsTs || filter != nil {
            ts = timestamp(slot)
            taken = ts != nil || slot.kind == .null
          } else {
            taken = true
          }
        default: break
        }
        if !taken {
          if wanted.extra {
            if hasExtra { rows.extra.extend(UInt8(ascii: ",")) } else { openExtra() }
            appendMember(keyStart, keyStart + key.end, slot)
          }
          hasExtra = true
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
    if noticed.high != 0, !isUTF8(start, end) { return takeBack(hasExtra) }

    if let ts { noteTs(ts) }
    var values = LineValues()
    var used = 0
    var textLimit = limit
    if wanted.parts || wanted.lengths || filter != nil {
      values.message = text(of: message, end - start, &used)
      // What is made of a text is followed by the rest of the memory for it.
      if used > 0 { textLimit = UnsafePointer(made) + madeCapacity }
      if message.kind == .string || message.kind == .escapedString,
        let (service, category) = serviceAndCategory(
          values.message.start!, values.message.count, readable: textLimit)
      {
        values.service = service
        values.category = category
      }
    }
    values.ts = ts
    if wanted.lengths || filter != nil {
      values.id = text(of: id, end - start, &used)
      values.version = text(of: version, end - start, &used)
    }
    if filter != nil {
      values.line = counts.lines
      values.hasExtra = hasExtra
      guard filter!.keeps(values) else {
        _ = takeBack(hasExtra)
        return true
      }
    }
    appendPlace()
    if wanted.ts {
      if let ts { rows.ts.append(ts) } else { rows.ts.appendNull() }
    }
    if wanted.message {
      if values.message.start != nil {
        append(values.message, readable: textLimit, to: &rows.message)
      } else {
        append(message, readable: limit, to: &rows.message)
      }
    }
    if wanted.service { append(values.service, readable: textLimit, to: &rows.service) }
    if wanted.category { append(values.category, readable: textLimit, to: &rows.category) }
    if wanted.id { append(id, readable: limit, to: &rows.id) }
    if wanted.version { append(version, readable: limit, to: &rows.version) }
    if wanted.extra {
      if hasExtra {
        rows.extra.extend(closeBrace)
        rows.extra.commit()
      } else {
        rows.extra.appendNull()
      }
    }
    if wanted.malformed { rows.malformed.appendNull() }
    if wanted.text { rows.text.appendNull() }
    for number in derived.indices {
      if let value = derived[number].value(values, isASCII: noticed.high == 0 && used == 0) {
        rows.derived[number].append(value)
      } else {
        rows.derived[number].appendNull()
      }
    }
    return true
  }

  /// A member's key and what stands before its value.
  @inline(never)
  private func readKey(_ start: Bytes, _ end: Bytes, _ noticed: inout Noticed) -> MemberKey? {
    guard start < end, start[0] == quote, let close = stringEnd(start + 1, end, readable: limit, &noticed)
    else {
      return nil
    }
    let known = knownKey(start + 1, close - start - 1, escaped: noticed.escaped)
    let colon = skipBlanks(close + 1, end)
    guard colon < end, colon[0] == UInt8(ascii: ":") else { return nil }
    let value = skipBlanks(colon + 1, end)
    guard value < end else { return nil }
    return MemberKey(known: known, end: close - start, value: value - start)
  }

  @inline(__always)
  private mutating func noteTs(_ ts: Int64) {
    if counts.firstTs.map({ ts < $0.microseconds }) ?? true { counts.firstTs = Instant(microseconds: ts) }
    if counts.lastTs.map({ ts > $0.microseconds }) ?? true { counts.lastTs = Instant(microseconds: ts) }
  }

  private mutating func takeBack(_ hasExtra: Bool) -> Bool {
    if hasExtra, wanted.extra { rows.extra.cancel() }
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

  /// The column's text: where the line has it, or made of that behind the first `used` bytes of what was made for this line.
  @inline(__always)
  private mutating func text(of slot: Slot, _ lineLength: Int, _ used: inout Int) -> LineText {
    switch slot.kind {
    case .absent, .null: return LineText()
    case .string, .other: return LineText(start: slot.start, count: slot.count)
    case .escapedString, .otherWithBlanks:
      if lineLength > madeCapacity {
        made.deallocate()
        madeCapacity = lineLength * 2
        made = .allocate(capacity: madeCapacity)
      }
      let start = made + used
      let count =
        slot.kind == .escapedString
        ? copyUnescaped(slot.start, slot.count, to: start)
        : copyWithoutBlanks(slot.start, slot.count, to: start)
      used += count
      return LineText(start: UnsafePointer(start), count: count)
    }
  }

  @inline(__always)
  private mutating func timestamp(_ slot: Slot) -> Int64? {
    switch slot.kind {
    case .string: return parseTimestamp(slot.start, slot.count, &lastTime)
    case .escapedString: return escapedTimestamp(slot)
    default: return nil
    }
  }

  @inline(never)
  private func escapedTimestamp(_ slot: Slot) -> Int64? {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: slot.count) { text in
      let count = copyUnescaped(slot.start, slot.count, to: text.baseAddress!)
      return parseTimestamp(text.baseAddress!, count)
    }
  }
}
