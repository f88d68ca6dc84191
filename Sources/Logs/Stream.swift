import Support

/// The stream that a file belongs to: one log as its writer sees it (docs/guide.md, Words).
///
/// The file name less `.gz`, then less one date (with an optional time and an optional `.N`) at the end or before the last extension, or
/// else less one `.N` at the end. A name of which nothing would be left is its own stream.
public func streamName(ofFile name: String) -> String {
  var bytes = Array(name.utf8)
  if bytes.count > 3, bytes.suffix(3).elementsEqual(".gz".utf8) { bytes.removeLast(3) }
  // The last date that fits wins: what stands before it may look like one too.
  for at in stride(from: bytes.count - 1, through: 1, by: -1) where isSeparator(bytes[at]) {
    if let end = dateEnd(bytes, at + 1) {
      return String(decoding: bytes[..<at] + bytes[end...], as: UTF8.self)
    }
  }
  if let dot = bytes.lastIndex(of: UInt8(ascii: ".")), dot > 0, dot + 1 < bytes.count,
    bytes[(dot + 1)...].allSatisfy(isDigit)
  {
    bytes.removeSubrange(dot...)
  }
  return String(decoding: bytes, as: UTF8.self)
}

/// Where the date that begins here ends, its time and number included; nil unless only the end or the last extension follows.
private func dateEnd(_ bytes: [UInt8], _ start: Int) -> Int? {
  func number(_ at: Int, _ digits: Int) -> Int? {
    guard at + digits <= bytes.count, bytes[at..<at + digits].allSatisfy(isDigit) else { return nil }
    return bytes[at..<at + digits].reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }
  guard let year = number(start, 4) else { return nil }
  var at = start + 4
  let dashed = at < bytes.count && bytes[at] == UInt8(ascii: "-")
  if dashed { at += 1 }
  guard let month = number(at, 2) else { return nil }
  at += 2
  if dashed {
    guard at < bytes.count, bytes[at] == UInt8(ascii: "-") else { return nil }
    at += 1
  }
  guard let day = number(at, 2), isRealDate(year: year, month: month, day: day) else { return nil }
  at += 2
  // As many of hour, minute and second as are there; then the shorter readings, so that `20261123.5.log` is a number and no hour.
  var ends = [at]
  for limit in [24, 60, 60] {
    var next = at
    if next < bytes.count, isSeparator(bytes[next]) || [0x54, 0x74, 0x3A].contains(bytes[next]) { next += 1 }
    guard let value = number(next, 2), value < limit else { break }
    at = next + 2
    ends.append(at)
  }
  for end in ends.reversed() {
    if let whole = numberAndTail(bytes, end) { return whole }
  }
  return nil
}

/// Behind an optional `.N`, if only the end or the last extension follows.
private func numberAndTail(_ bytes: [UInt8], _ end: Int) -> Int? {
  func isTail(_ at: Int) -> Bool {
    if at == bytes.count { return true }
    guard bytes[at] == UInt8(ascii: "."), at + 1 < bytes.count else { return false }
    let rest = bytes[(at + 1)...]
    return !rest.contains(UInt8(ascii: ".")) && !rest.allSatisfy(isDigit)
  }
  if end < bytes.count, bytes[end] == UInt8(ascii: ".") {
    var at = end + 1
    while at < bytes.count, isDigit(bytes[at]) { at += 1 }
    if at > end + 1, isTail(at) { return at }
  }
  return isTail(end) ? end : nil
}

private func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
private func isSeparator(_ byte: UInt8) -> Bool { byte == 0x2E || byte == 0x2D || byte == 0x5F }
