/// Why a line is no entry. Of several reasons the first in this order is given.
public enum MalformedReason: String, CaseIterable, Sendable {
  case tooLong = "too-long"
  case invalidUTF8 = "invalid-utf8"
  case nulByte = "nul-byte"
  case notAnObject = "not-an-object"
  case notJSON = "not-json"
}

/// The reason for a line that is neither blank nor too long nor an entry.
func malformedReason(_ start: Bytes, _ end: Bytes, open: UnsafeMutablePointer<UInt64>) -> MalformedReason {
  if !isUTF8(start, end) { return .invalidUTF8 }
  if UnsafeBufferPointer(start: start, count: end - start).contains(0) { return .nulByte }
  var noticed = Noticed()
  let value = skipBlanks(start, end)
  if value < end, value[0] != openBrace, let behind = valueEnd(value, end, depth: 0, open: open, &noticed),
    skipBlanks(behind, end) == end
  {
    return .notAnObject
  }
  return .notJSON
}

/// Copies a text with each byte that is no UTF-8 as `\xhh` and each backslash doubled, so that the bytes can be restored.
/// At most four times as long as what came in.
func copyEscapingBadBytes(_ start: Bytes, _ end: Bytes, to out: UnsafeMutablePointer<UInt8>) -> Int {
  var at = start
  var written = 0
  while at < end {
    let length = sequenceLength(at, end)
    if length == 0 {
      out[written] = backslash
      out[written + 1] = UInt8(ascii: "x")
      out[written + 2] = hexDigit(at[0] >> 4)
      out[written + 3] = hexDigit(at[0] & 15)
      written += 4
      at += 1
    } else if at[0] == backslash {
      out[written] = backslash
      out[written + 1] = backslash
      written += 2
      at += 1
    } else {
      for i in 0..<length { out[written + i] = at[i] }
      written += length
      at += length
    }
  }
  return written
}

/// Copies the beginning of a line that is too long: a character that its end cuts is left out, each other bad byte becomes U+FFFD.
/// At most three times as long as what came in.
func copyReplacingBadBytes(_ start: Bytes, _ end: Bytes, to out: UnsafeMutablePointer<UInt8>) -> Int {
  var at = start
  var written = 0
  while at < end {
    let length = sequenceLength(at, end)
    if length > 0 {
      for i in 0..<length { out[written + i] = at[i] }
      written += length
      at += length
    } else if isCutSequence(at, end) {
      break
    } else {
      out[written] = 0xEF
      out[written + 1] = 0xBF
      out[written + 2] = 0xBD
      written += 3
      at += 1
    }
  }
  return written
}

/// Whether what is left could be the beginning of a character.
private func isCutSequence(_ at: Bytes, _ end: Bytes) -> Bool {
  let left = end - at
  guard left < 4 else { return false }
  return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4) { whole in
    // Some continuation completes it, or none does: trying the smallest and the largest of each is enough.
    for filler in [UInt8(0x80), 0xBF] {
      for i in 0..<4 { whole[i] = i < left ? at[i] : filler }
      let length = sequenceLength(whole.baseAddress!, whole.baseAddress! + 4)
      if length > left { return true }
    }
    return false
  }
}

private func hexDigit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x57 + nibble }
