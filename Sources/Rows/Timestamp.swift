public import Support

/// Microseconds since 1970 of an ISO 8601 time as DESIGN 5.1 (docs/table.md) reads it, or nil when it is unreadable.
///
/// `T`, `t` or a space; seconds and fraction (after `.` or `,`) optional; zone `Z`, `z`, ±hh:mm, ±hhmm or ±hh up to 23:59, none means UTC;
/// a date alone is its midnight. The fraction is cut to microseconds. In UTC the year must lie within 0001 to 9999.
func parseTimestamp(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int64? {
  var date = LastDate()
  return parseTimestamp(start, count, &date)
}

/// The date that was read last: in a log nearly every line has the one of the line before.
struct LastDate {
  // 1970-01-01, as a little-endian machine loads it.
  private var year: UInt64 = 0x2D31_302D_3037_3931
  private var day: UInt16 = 0x3130
  private var seconds = 0

  /// Seconds from 1970 to the midnight of the ten bytes' date, or nil when it is none.
  @inline(__always)
  fileprivate mutating func seconds(_ start: UnsafePointer<UInt8>) -> Int? {
    let raw = UnsafeRawPointer(start)
    let (first, last) = (
      raw.loadUnaligned(as: UInt64.self), raw.loadUnaligned(fromByteOffset: 8, as: UInt16.self)
    )
    if first.littleEndian == year, last.littleEndian == day { return seconds }
    guard let found = midnight(start) else { return nil }
    (year, day, seconds) = (first.littleEndian, last.littleEndian, found)
    return found
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

func parseTimestamp(_ start: UnsafePointer<UInt8>, _ count: Int, _ date: inout LastDate) -> Int64? {
  guard count >= 10, var seconds = date.seconds(start) else { return nil }
  var fraction = 0
  if count > 10 {
    guard count >= 16, start[10] | 0x20 == letterT || start[10] == space, start[13] == colon,
      let hour = two(start + 11), hour < 24, let minute = two(start + 14), minute < 60
    else { return nil }
    seconds += hour * 3600 + minute * 60
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
  }
  guard seconds >= firstSecond, seconds < endSecond else { return nil }
  return Int64(seconds) * 1_000_000 + Int64(fraction)
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
