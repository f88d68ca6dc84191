public import Support

/// Microseconds since 1970 of an ISO 8601 time as DESIGN 5.1 (docs/table.md) reads it, or nil when it is unreadable.
///
/// `T`, `t` or a space; seconds and fraction (after `.` or `,`) optional; zone `Z`, `z`, ±hh:mm, ±hhmm or ±hh up to 23:59, none means UTC;
/// a date alone is its midnight. The fraction is cut to microseconds. In UTC the year must lie within 0001 to 9999.
func parseTimestamp(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int64? {
  var last = LastTime()
  return parseTimestamp(start, count, &last)
}

/// What was read last: in a log nearly every line has the minute of the line before, and the date even more often.
struct LastTime {
  private var date = Prefix()
  private var minute = Prefix()

  /// The first bytes of a time, compared as they are.
  private struct Prefix {
    var first: UInt64 = 0
    var rest: UInt64 = 0
    var seconds: Int?
  }

  /// Seconds from 1970 to the midnight of the ten bytes' date, or nil when it is none.
  private mutating func midnight(_ start: UnsafePointer<UInt8>) -> Int? {
    let raw = UnsafeRawPointer(start)
    let (first, rest) = (loadWord(start), UInt64(raw.loadUnaligned(fromByteOffset: 8, as: UInt16.self)))
    if first != date.first || rest != date.rest {
      date = Prefix(first: first, rest: rest, seconds: Rows.midnight(start))
    }
    return date.seconds
  }

  /// Seconds to the first of the minute that the 16 bytes name, or nil when they name none.
  @inline(__always)
  mutating func minute(_ start: UnsafePointer<UInt8>) -> Int? {
    let (first, rest) = (loadWord(start), loadWord(start + 8))
    if first != minute.first || rest != minute.rest {
      minute = Prefix(first: first, rest: rest, seconds: readMinute(start))
    }
    return minute.seconds
  }

  @inline(never)
  private mutating func readMinute(_ start: UnsafePointer<UInt8>) -> Int? {
    guard let midnight = midnight(start), start[10] | 0x20 == letterT || start[10] == space,
      start[13] == colon,
      let hour = two(start + 11), hour < 24, let minute = two(start + 14), minute < 60
    else { return nil }
    return midnight + hour * 3600 + minute * 60
  }
}

private func midnight(_ start: UnsafePointer<UInt8>) -> Int? {
  guard start[4] == minus, start[7] == minus else { return nil }
  guard let y1 = two(start), let y2 = two(start + 2), let month = two(start + 5), let day = two(start + 8)
  else {
    return nil
  }
  let year = y1 * 100 + y2
  guard isRealDate(year: year, month: month, day: day) else { return nil }
  return days(fromYear: year, month: month, day: day) * 86_400
}

@inline(__always)
func parseTimestamp(_ start: UnsafePointer<UInt8>, _ count: Int, _ last: inout LastTime) -> Int64? {
  if count == 24, let behind = behindMinute(loadWord(start + 16)) {
    guard let minute = last.minute(start) else { return nil }
    return inRange(minute, 0).map { $0 + behind }
  }
  return parseAnyTimestamp(start, count, &last)
}

/// Microseconds of `:ss.mmmZ`; nil for any other eight bytes.
@inline(__always)
private func behindMinute(_ text: UInt64) -> Int64? {
  // What is left of a digit is its value, and of the rest nothing.
  let digits = text ^ 0x5A30_3030_2E30_303A
  // Sets the top bit of a byte that is over 9, or over 0 where no digit is.
  guard (digits &+ 0x7F76_7676_7F76_767F | digits) & 0x8080_8080_8080_8080 == 0 else { return nil }
  func digit(_ place: UInt64) -> Int64 { Int64(digits >> (8 * place) & 15) }
  let second = digit(1) * 10 + digit(2)
  guard second < 60 else { return nil }
  return second * 1_000_000 + (digit(4) * 100 + digit(5) * 10 + digit(6)) * 1_000
}

@inline(never)
private func parseAnyTimestamp(_ start: UnsafePointer<UInt8>, _ count: Int, _ last: inout LastTime) -> Int64?
{
  var seconds: Int
  var fraction = 0
  if count > 10 {
    guard count >= 16, let minute = last.minute(start) else { return nil }
    seconds = minute
    var at = 16
    if at < count, start[at] == colon {
      guard at + 3 <= count, let second = two(start + at + 1), second < 60 else { return nil }
      seconds += second
      at += 3
      if at < count, start[at] == point || start[at] == comma {
        at += 1
        let first = at
        var scale = 100_000
        while at < count, start[at] &- zero < 10 {
          fraction += Int(start[at] - zero) * scale
          scale /= 10
          at += 1
        }
        guard at > first else { return nil }
      }
    }
    if at < count {
      guard let offset = parseZone(start + at, count - at) else { return nil }
      seconds -= offset
    }
  } else {
    guard count == 10, let midnight = midnight(start) else { return nil }
    seconds = midnight
  }
  return inRange(seconds, fraction)
}

@inline(__always)
private func inRange(_ seconds: Int, _ microseconds: Int) -> Int64? {
  guard seconds >= firstSecond, seconds < endSecond else { return nil }
  return Int64(seconds) * 1_000_000 + Int64(microseconds)
}

/// Seconds east of UTC.
private func parseZone(_ at: UnsafePointer<UInt8>, _ count: Int) -> Int? {
  if count == 1 { return at[0] | 0x20 == letterZ ? 0 : nil }
  guard at[0] == plus || at[0] == minus, count >= 3, let hours = two(at + 1), hours < 24 else { return nil }
  var offset = hours * 3600
  switch count {
  case 3: break
  case 5:
    guard let minutes = two(at + 3), minutes < 60 else { return nil }
    offset += minutes * 60
  case 6:
    guard at[3] == colon, let minutes = two(at + 4), minutes < 60 else { return nil }
    offset += minutes * 60
  default: return nil
  }
  return at[0] == minus ? -offset : offset
}

@inline(__always)
private func two(_ at: UnsafePointer<UInt8>) -> Int? {
  let tens = at[0] &- zero
  let ones = at[1] &- zero
  guard tens < 10, ones < 10 else { return nil }
  return Int(tens) * 10 + Int(ones)
}

private let firstSecond = days(fromYear: 1, month: 1, day: 1) * 86_400
private let endSecond = days(fromYear: 10_000, month: 1, day: 1) * 86_400
private let zero = UInt8(ascii: "0")
private let minus = UInt8(ascii: "-")
private let plus = UInt8(ascii: "+")
private let colon = UInt8(ascii: ":")
private let space = UInt8(ascii: " ")
private let point = UInt8(ascii: ".")
private let comma = UInt8(ascii: ",")
private let letterT = UInt8(ascii: "t")
private let letterZ = UInt8(ascii: "z")

/// A time as text, by the same rules as a line's `@timestamp`; nil when it is unreadable.
public func timestamp(of text: String) -> Instant? {
  var text = text
  return text.withUTF8 { $0.isEmpty ? nil : parseTimestamp($0.baseAddress!, $0.count) }.map(
    Instant.init(microseconds:))
}
