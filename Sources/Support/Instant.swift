import CShims

/// A moment in microseconds since 1970-01-01T00:00:00Z, in the proleptic Gregorian calendar.
public struct Instant: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
  public var microseconds: Int64

  public init(microseconds: Int64) { self.microseconds = microseconds }
  /// Beyond the 292,000 years that microseconds can count, the first or the last moment that there is.
  public init(seconds: Int64) {
    let (product, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000)
    microseconds = overflows ? (seconds < 0 ? .min : .max) : product
  }

  public static func < (a: Instant, b: Instant) -> Bool { a.microseconds < b.microseconds }

  public init(from decoder: any Decoder) throws {
    microseconds = try decoder.singleValueContainer().decode(Int64.self)
  }
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(microseconds)
  }

  public var seconds: Int64 { microseconds.flooredDividing(by: 1_000_000) }
  /// Days since 1970-01-01, as Iceberg's day transform counts them.
  public var day: Int32 { Int32(microseconds.flooredDividing(by: 86_400_000_000)) }

  /// Year, month, day, hour, minute, second and microsecond in UTC.
  public var parts: (year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int, fraction: Int) {
    let (year, month, day) = civil(fromDays: Int(self.day))
    let rest = (Int(microseconds % 86_400_000_000) + 86_400_000_000) % 86_400_000_000
    let second = rest / 1_000_000
    return (year, month, day, second / 3600, second / 60 % 60, second % 60, rest % 1_000_000)
  }

  /// `2026-11-23T14:00:00Z`, with as many digits of a fraction as it has (3 or 6).
  public var description: String {
    let p = parts
    var text =
      "\(padded(p.year, 4))-\(padded(p.month, 2))-\(padded(p.day, 2))T\(padded(p.hour, 2)):\(padded(p.minute, 2)):\(padded(p.second, 2))"
    if p.fraction % 1000 != 0 {
      text += "." + padded(p.fraction, 6)
    } else if p.fraction != 0 {
      text += "." + padded(p.fraction / 1000, 3)
    }
    return text + "Z"
  }

  /// `yyyymmddhhmm`, as object names carry it.
  public var minuteStamp: String {
    let p = parts
    return
      "\(padded(p.year, 4))\(padded(p.month, 2))\(padded(p.day, 2))\(padded(p.hour, 2))\(padded(p.minute, 2))"
  }

  /// `20261123T140000Z`, ISO 8601's basic form.
  public var basicStamp: String {
    let p = parts
    return
      "\(padded(p.year, 4))\(padded(p.month, 2))\(padded(p.day, 2))T\(padded(p.hour, 2))\(padded(p.minute, 2))\(padded(p.second, 2))Z"
  }

  /// `2026-11-23`.
  public var dateText: String { dayText(day) }
}

/// `2026-11-23` for a number of days since 1970-01-01.
public func dayText(_ day: Int32) -> String {
  let (year, month, day) = civil(fromDays: Int(day))
  return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
}

/// The number with leading zeros, at least `width` digits.
public func padded(_ value: Int, _ width: Int) -> String {
  let digits = String(value.magnitude)
  let zeros = String(repeating: "0", count: max(0, width - digits.count))
  return (value < 0 ? "-" : "") + zeros + digits
}

/// Days since 1970-01-01 of a Gregorian date; the date must exist.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
@inlinable
public func days(fromYear year: Int, month: Int, day: Int) -> Int {
  let y = month <= 2 ? year - 1 : year
  let era = (y >= 0 ? y : y - 399) / 400
  let yearOfEra = y - era * 400
  let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
  let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

/// The date of a number of days since 1970-01-01 (civil_from_days of the same source).
public func civil(fromDays days: Int) -> (year: Int, month: Int, day: Int) {
  let z = days + 719_468
  let era = (z >= 0 ? z : z - 146_096) / 146_097
  let dayOfEra = z - era * 146_097
  let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let mp = (5 * dayOfYear + 2) / 153
  let day = dayOfYear - (153 * mp + 2) / 5 + 1
  let month = mp < 10 ? mp + 3 : mp - 9
  return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
}

/// Whether the Gregorian calendar has this date.
@inlinable
public func isRealDate(year: Int, month: Int, day: Int) -> Bool {
  guard (1...12).contains(month), day >= 1 else { return false }
  switch month {
  case 2:
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return day <= (leap ? 29 : 28)
  case 4, 6, 9, 11: return day <= 30
  default: return day <= 31
  }
}

extension Int64 {
  /// Division that rounds towards minus infinity.
  public func flooredDividing(by divisor: Int64) -> Int64 {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }
}

/// Where the present moment comes from; tests give their own.
public struct WallClock: Sendable {
  public var now: @Sendable () -> Instant

  public init(now: @escaping @Sendable () -> Instant) { self.now = now }
  public static let system = WallClock { Instant(microseconds: gw_wall_microseconds()) }
}

/// A moment on the clock that only goes forward, by which something has to be done.
public struct Deadline: Sendable, Comparable {
  /// Nanoseconds of the monotonic clock.
  public var nanoseconds: Int64

  /// - Parameter seconds: more than thirty years are taken for thirty years.
  public static func after(seconds: Double) -> Deadline {
    Deadline(nanoseconds: gw_monotonic_nanoseconds() + Int64(max(-1e18, min(1e18, seconds * 1e9))))
  }
  public static func < (a: Deadline, b: Deadline) -> Bool { a.nanoseconds < b.nanoseconds }

  /// What is left, below zero once it has passed.
  public var remainingSeconds: Double { Double(nanoseconds - gw_monotonic_nanoseconds()) / 1e9 }
  public var hasPassed: Bool { remainingSeconds <= 0 }
}

/// How long something has taken.
public struct Stopwatch: Sendable {
  let start = gw_monotonic_nanoseconds()

  public init() {}
  public var seconds: Double { Double(gw_monotonic_nanoseconds() - start) / 1e9 }
}
