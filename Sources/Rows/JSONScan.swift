// Walks over JSON text without building anything: where a value ends, whether it is strictly RFC 8259. All functions take the
// end of the readable bytes and never look beyond it.

import CShims

typealias Bytes = UnsafePointer<UInt8>

let quote = UInt8(ascii: "\"")
let backslash = UInt8(ascii: "\\")
let openBrace = UInt8(ascii: "{")
let closeBrace = UInt8(ascii: "}")
let openBracket = UInt8(ascii: "[")
let closeBracket = UInt8(ascii: "]")

/// How deep objects and arrays may be nested, the outermost one counted.
let depthLimit = 512

/// What was noticed on the way over a piece of text.
struct Noticed {
  /// Not 0 if a byte above 0x7F is in a string, or a few bytes behind it.
  var high: UInt64 = 0
  /// The last string held a backslash.
  var escaped = false
  /// Blanks stood between tokens.
  var blanks = false
}

@inline(__always)
func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }

@inline(__always)
func skipBlanks(_ at: Bytes, _ end: Bytes) -> Bytes {
  var at = at
  while at < end, isBlank(at[0]) { at += 1 }
  return at
}

/// From behind a string's opening quote to its closing quote; nil when the string isn't valid or doesn't end before `end`. Bytes can be read up
/// to `limit`, which may lie further on: that saves looking at the last ones of a line one by one.
@inline(__always)
func stringEnd(_ start: Bytes, _ end: Bytes, readable limit: Bytes, _ noticed: inout Noticed) -> Bytes? {
  noticed.escaped = false
  var at = gw_string_stop(start, limit, &noticed.high)!
  while true {
    guard at < end else { return nil }
    if at[0] == quote { return at }
    guard at[0] == backslash, let next = escapeEnd(at, end) else { return nil }
    noticed.escaped = true
    at = gw_string_stop(next, limit, &noticed.high)
  }
}

/// From a backslash to behind its escape (both halves of a surrogate pair); nil when it is none.
func escapeEnd(_ at: Bytes, _ end: Bytes) -> Bytes? {
  guard end - at >= 2 else { return nil }
  switch at[1] {
  case quote, backslash, UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
    UInt8(ascii: "r"),
    UInt8(ascii: "t"):
    return at + 2
  case UInt8(ascii: "u"):
    guard let unit = hexUnit(at + 2, end) else { return nil }
    if unit & 0xFC00 == 0xDC00 { return nil }
    if unit & 0xFC00 == 0xD800 {
      guard end - at >= 12, at[6] == backslash, at[7] == UInt8(ascii: "u"), let low = hexUnit(at + 8, end),
        low & 0xFC00 == 0xDC00
      else { return nil }
      return at + 12
    }
    return at + 6
  default: return nil
  }
}

func hexUnit(_ at: Bytes, _ end: Bytes) -> UInt32? {
  guard end - at >= 4 else { return nil }
  var value: UInt32 = 0
  for i in 0..<4 {
    let byte = at[i]
    switch byte {
    case 0x30...0x39: value = value << 4 | UInt32(byte - 0x30)
    case 0x41...0x46: value = value << 4 | UInt32(byte - 0x37)
    case 0x61...0x66: value = value << 4 | UInt32(byte - 0x57)
    default: return nil
    }
  }
  return value
}

/// Behind a number; nil when it is none.
func numberEnd(_ start: Bytes, _ end: Bytes) -> Bytes? {
  var at = start
  if at < end, at[0] == UInt8(ascii: "-") { at += 1 }
  guard at < end, isDigit(at[0]) else { return nil }
  if at[0] == UInt8(ascii: "0") { at += 1 } else { at = digitsEnd(at, end) }
  if at < end, at[0] == UInt8(ascii: ".") {
    let digits = digitsEnd(at + 1, end)
    guard digits > at + 1 else { return nil }
    at = digits
  }
  if at < end, at[0] | 0x20 == UInt8(ascii: "e") {
    at += 1
    if at < end, at[0] == UInt8(ascii: "+") || at[0] == UInt8(ascii: "-") { at += 1 }
    let digits = digitsEnd(at, end)
    guard digits > at else { return nil }
    at = digits
  }
  return at
}

@inline(__always)
private func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

private func digitsEnd(_ at: Bytes, _ end: Bytes) -> Bytes {
  var at = at
  while at < end, isDigit(at[0]) { at += 1 }
  return at
}

/// Behind `true`, `false` or `null`; nil for anything else.
func literalEnd(_ at: Bytes, _ end: Bytes) -> Bytes? {
  func matches(_ word: StaticString) -> Bytes? {
    let count = word.utf8CodeUnitCount
    guard end - at >= count else { return nil }
    for i in 0..<count where at[i] != word.utf8Start[i] { return nil }
    return at + count
  }
  switch at[0] {
  case UInt8(ascii: "t"): return matches("true")
  case UInt8(ascii: "f"): return matches("false")
  case UInt8(ascii: "n"): return matches("null")
  default: return nil
  }
}

/// Behind any one value that begins at `start`; nil when it isn't valid. `depth` is how many containers it lies in already.
///
/// Not recursive: which containers are open is a bit each in `open`, which holds ``depthLimit`` bits.
func valueEnd(
  _ start: Bytes, _ end: Bytes, depth outer: Int, open: UnsafeMutablePointer<UInt64>, _ noticed: inout Noticed
)
  -> Bytes?
{
  var at = start
  var depth = outer
  var wantsKey = false
  while true {
    // A value, or the key of a member, begins here.
    guard at < end else { return nil }
    if wantsKey {
      guard at[0] == quote, let close = stringEnd(at + 1, end, readable: end, &noticed) else { return nil }
      let colon = skipBlanks(close + 1, end)
      guard colon < end, colon[0] == UInt8(ascii: ":") else { return nil }
      at = skipBlanks(colon + 1, end)
      if colon != close + 1 || at != colon + 1 { noticed.blanks = true }
      wantsKey = false
      continue
    }
    switch at[0] {
    case quote:
      guard let close = stringEnd(at + 1, end, readable: end, &noticed) else { return nil }
      at = close + 1
    case openBrace, openBracket:
      guard depth < depthLimit else { return nil }
      let isObject = at[0] == openBrace
      let inside = skipBlanks(at + 1, end)
      if inside != at + 1 { noticed.blanks = true }
      guard inside < end else { return nil }
      if inside[0] == (isObject ? closeBrace : closeBracket) {
        at = inside + 1
      } else {
        setBit(open, depth, isObject)
        depth += 1
        wantsKey = isObject
        at = inside
        continue
      }
    case UInt8(ascii: "-"), 0x30...0x39:
      guard let next = numberEnd(at, end) else { return nil }
      at = next
    default:
      guard let next = literalEnd(at, end) else { return nil }
      at = next
    }
    // A value has ended: what comes is decided by the container around it.
    while true {
      if depth == outer { return at }
      let isObject = bit(open, depth - 1)
      let next = skipBlanks(at, end)
      if next != at { noticed.blanks = true }
      guard next < end else { return nil }
      if next[0] == UInt8(ascii: ",") {
        at = skipBlanks(next + 1, end)
        if at != next + 1 { noticed.blanks = true }
        wantsKey = isObject
        break
      }
      guard next[0] == (isObject ? closeBrace : closeBracket) else { return nil }
      depth -= 1
      at = next + 1
    }
  }
}

@inline(__always)
private func bit(_ bits: UnsafeMutablePointer<UInt64>, _ index: Int) -> Bool {
  bits[index >> 6] >> UInt64(index & 63) & 1 == 1
}

@inline(__always)
private func setBit(_ bits: UnsafeMutablePointer<UInt64>, _ index: Int, _ value: Bool) {
  let mask = UInt64(1) << UInt64(index & 63)
  if value { bits[index >> 6] |= mask } else { bits[index >> 6] &= ~mask }
}

/// Copies valid JSON text without the blanks between its tokens; the number of bytes written, at most `count`.
func copyWithoutBlanks(_ start: Bytes, _ count: Int, to out: UnsafeMutablePointer<UInt8>) -> Int {
  var written = 0
  var inString = false
  var at = 0
  while at < count {
    let byte = start[at]
    if inString {
      out[written] = byte
      written += 1
      if byte == backslash {
        at += 1
        out[written] = start[at]
        written += 1
      } else if byte == quote {
        inString = false
      }
    } else if !isBlank(byte) {
      out[written] = byte
      written += 1
      if byte == quote { inString = true }
    }
    at += 1
  }
  return written
}

/// Copies what a valid JSON string's text stands for; the number of bytes written, at most `count`.
func copyUnescaped(_ start: Bytes, _ count: Int, to out: UnsafeMutablePointer<UInt8>) -> Int {
  var written = 0
  var at = start
  let end = start + count
  while at < end {
    let byte = at[0]
    if byte != backslash {
      out[written] = byte
      written += 1
      at += 1
      continue
    }
    switch at[1] {
    case UInt8(ascii: "b"): out[written] = 0x08
    case UInt8(ascii: "f"): out[written] = 0x0C
    case UInt8(ascii: "n"): out[written] = 0x0A
    case UInt8(ascii: "r"): out[written] = 0x0D
    case UInt8(ascii: "t"): out[written] = 0x09
    case UInt8(ascii: "u"):
      var scalar = hexUnit(at + 2, end) ?? 0xFFFD
      at += 6
      if scalar & 0xFC00 == 0xD800 {
        scalar = 0x10000 + (scalar & 0x3FF) << 10 + ((hexUnit(at + 2, end) ?? 0xDC00) & 0x3FF)
        at += 6
      }
      written += putScalar(scalar, out + written)
      continue
    default: out[written] = at[1]
    }
    written += 1
    at += 2
  }
  return written
}

private func putScalar(_ scalar: UInt32, _ out: UnsafeMutablePointer<UInt8>) -> Int {
  func tail(_ shift: UInt32) -> UInt8 { UInt8(0x80 | (scalar >> shift & 0x3F)) }
  switch scalar {
  case 0..<0x80:
    out[0] = UInt8(scalar)
    return 1
  case 0x80..<0x800:
    out[0] = UInt8(0xC0 | scalar >> 6)
    out[1] = tail(0)
    return 2
  case 0x800..<0x10000:
    out[0] = UInt8(0xE0 | scalar >> 12)
    out[1] = tail(6)
    out[2] = tail(0)
    return 3
  default:
    out[0] = UInt8(0xF0 | scalar >> 18)
    out[1] = tail(12)
    out[2] = tail(6)
    out[3] = tail(0)
    return 4
  }
}
