import CShims

/// A number of bytes, shown with binary units.
public struct ByteCount: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
  public var bytes: Int64

  public init(_ bytes: Int64) { self.bytes = bytes }
  public init(_ bytes: Int) { self.bytes = Int64(bytes) }
  public static func kibibytes(_ n: Int64) -> ByteCount { ByteCount(n << 10) }
  public static func mebibytes(_ n: Int64) -> ByteCount { ByteCount(n << 20) }
  public static func gibibytes(_ n: Int64) -> ByteCount { ByteCount(n << 30) }

  public static func < (a: ByteCount, b: ByteCount) -> Bool { a.bytes < b.bytes }

  public init(from decoder: any Decoder) throws {
    bytes = try decoder.singleValueContainer().decode(Int64.self)
  }
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(bytes)
  }

  /// `500`, `500B`, `64KiB`, `10 MiB`, `1.5GiB`, `2TiB`.
  public init?(parsing text: String) {
    let digits = text.prefix { $0.isNumber || $0 == "." }
    let unit = text.dropFirst(digits.count).drop { $0 == " " }
    let shifts = ["": 0, "B": 0, "KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40]
    guard let number = Double(digits), let shift = shifts[String(unit)], number < 1e6 || shift == 0,
      number.isFinite, number < 1e18
    else { return nil }
    self.init(Int64(number * Double(Int64(1) << Int64(shift))))
  }

  /// `0 B`, `1023 B`, `1.5 KiB`, `3.0 MiB`: one decimal above a byte.
  public var description: String {
    guard bytes >= 1024 || bytes <= -1024 else { return "\(bytes) B" }
    var value = Double(bytes)
    var unit = "B"
    for next in ["KiB", "MiB", "GiB", "TiB", "PiB"] {
      guard value >= 1023.95 || value <= -1023.95 else { break }
      value /= 1024
      unit = next
    }
    return "\(decimal(value, places: 1)) \(unit)"
  }
}

/// A count or a size that a document carries: from 0 to 2^50, a pebibyte. What says otherwise is refused when it is read, so that no sum
/// of what nodes report can overflow. The size of a sparse file, which may be larger, is written as the largest.
@propertyWrapper
public struct Count: Sendable, Equatable, Codable {
  public var wrappedValue: Int64
  private static let range: ClosedRange<Int64> = 0...1 << 50

  public init(wrappedValue: Int64) { self.wrappedValue = wrappedValue }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    wrappedValue = try container.decode(Int64.self)
    guard Self.range.contains(wrappedValue) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(wrappedValue) is no count")
    }
  }
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(min(max(wrappedValue, Self.range.lowerBound), Self.range.upperBound))
  }
}

/// The number rounded to so many places, with a point, never in scientific form.
public func decimal(_ value: Double, places: Int) -> String {
  guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
  var scale = 1.0
  for _ in 0..<places { scale *= 10 }
  let scaled = Int64((abs(value) * scale).rounded())
  let whole = scaled / Int64(scale)
  let sign = value < 0 && scaled != 0 ? "-" : ""
  guard places > 0 else { return "\(sign)\(whole)" }
  let rest = String(scaled % Int64(scale))
  return "\(sign)\(whole).\(String(repeating: "0", count: places - rest.count))\(rest)"
}

/// The number with its thousands set off, `1,234,567`.
public func grouped(_ value: Int64) -> String {
  let digits = String(value.magnitude)
  var result = ""
  for (offset, digit) in digits.enumerated() {
    if offset > 0, (digits.count - offset) % 3 == 0 { result.append(",") }
    result.append(digit)
  }
  return value < 0 ? "-" + result : result
}

/// Seconds of `90`, `90s`, `1.5m`, `2h`, `1d`, `500ms`; nil for anything else, and for more than a hundred years: what is made of the
/// number, a moment or a count of nanoseconds, has to hold it.
public func parseDuration(_ text: String) -> Double? {
  let units: [(String, Double)] = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)]
  let unit = units.first { text.hasSuffix($0.0) }
  let digits = unit.map { text.dropLast($0.0.count) } ?? text[...]
  guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }),
    let number = Double(digits),
    number.isFinite
  else { return nil }
  let seconds = number * (unit?.1 ?? 1)
  return seconds <= 36_525 * 86_400 ? seconds : nil
}

/// `1 file`, `2 files`.
public func counted(_ value: Int, _ noun: String, plural: String? = nil) -> String {
  "\(grouped(Int64(value))) \(value == 1 ? noun : plural ?? noun + "s")"
}

/// Cryptographically random bytes of the kernel's.
public func randomBytes(_ count: Int) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: count)
  let result = bytes.withUnsafeMutableBytes { gw_random($0.baseAddress, $0.count) }
  precondition(result == 0, "the kernel gives no random bytes")
  return bytes
}

/// 64 random bits as 16 hex digits: a try's name, the tail of a run id.
public func randomName() -> String { hex(randomBytes(8)) }

/// Lower-case hex digits of the bytes.
public func hex(_ bytes: some Sequence<UInt8>) -> String {
  var text: [UInt8] = []
  for byte in bytes {
    text.append(hexDigit(byte >> 4))
    text.append(hexDigit(byte & 15))
  }
  return String(decoding: text, as: UTF8.self)
}

private func hexDigit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x57 + nibble }

/// Processors as Bacalhau and Kubernetes write them: `500m` or `0.5`.
public func cpuCount(_ text: String) -> Double? {
  text.hasSuffix("m") ? Double(text.dropLast()).map { $0 / 1000 } : Double(text)
}

/// Bytes as Bacalhau writes them: `768MiB`, and `512Mb` or `512MB` in units of a thousand.
public func memoryBytes(_ text: String) -> Double? {
  let digits = text.prefix { $0.isNumber || $0 == "." }
  let units: [String: Double] = [
    "": 1, "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "kib": 1024, "mib": 1_048_576, "gib": 1_073_741_824,
  ]
  guard let number = Double(digits), let unit = units[text.dropFirst(digits.count).lowercased()] else {
    return nil
  }
  return number * unit
}
