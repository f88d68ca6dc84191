/// The length in bytes of the valid UTF-8 sequence at the pointer, or 0 when there is none (RFC 3629: no surrogates, nothing
/// overlong, nothing above U+10FFFF).
@inline(__always)
func sequenceLength(_ at: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Int {
  let lead = at[0]
  if lead < 0x80 { return 1 }
  let left = end - at
  if lead < 0xC2 { return 0 }
  if lead < 0xE0 { return left >= 2 && isTail(at[1]) ? 2 : 0 }
  if lead < 0xF0 {
    guard left >= 3, isTail(at[1]), isTail(at[2]) else { return 0 }
    if lead == 0xE0, at[1] < 0xA0 { return 0 }
    if lead == 0xED, at[1] > 0x9F { return 0 }
    return 3
  }
  guard lead < 0xF5, left >= 4, isTail(at[1]), isTail(at[2]), isTail(at[3]) else { return 0 }
  if lead == 0xF0, at[1] < 0x90 { return 0 }
  if lead == 0xF4, at[1] > 0x8F { return 0 }
  return 4
}

@inline(__always)
private func isTail(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }

/// Whether the bytes are UTF-8. Runs of ASCII go by eight at a time.
func isUTF8(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Bool {
  var at = start
  while at < end {
    if end - at >= 8, loadWord(at) & 0x8080_8080_8080_8080 == 0 {
      at += 8
      continue
    }
    let length = sequenceLength(at, end)
    if length == 0 { return false }
    at += length
  }
  return true
}

@inline(__always)
func loadWord(_ at: UnsafePointer<UInt8>) -> UInt64 {
  UInt64(littleEndian: UnsafeRawPointer(at).loadUnaligned(as: UInt64.self))
}
