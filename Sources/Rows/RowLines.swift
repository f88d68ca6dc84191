public import Support

/// The columns that are the same for all rows of a batch.
public struct BatchColumns: Sendable {
  public var region: String
  public var zone: String
  public var node: String
  public var stream: String
  public var rotated: Instant
  public var batch: String

  public init(region: String, zone: String, node: String, stream: String, rotated: Instant, batch: String) {
    self.region = region
    self.zone = zone
    self.node = node
    self.stream = stream
    self.rotated = rotated
    self.batch = batch
  }
}

/// Turns rows into lines of JSON, the table's columns in the table's order.
///
/// The lines gather in a buffer that is used again, and what is the same for all rows of a batch is written out once.
public struct RowLines: ~Copyable {
  private var bytes: UnsafeMutablePointer<UInt8>
  private var capacity = 1 << 16
  public private(set) var count = 0
  /// From `"region"` to the line's number.
  private var constant: [UInt8] = []

  public init() { bytes = .allocate(capacity: capacity) }
  deinit { bytes.deallocate() }

  /// The lines so far, each with its line end.
  public var text: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes, count: count) }

  public mutating func removeAll() { count = 0 }

  /// Says what the following rows' batch is.
  public mutating func begin(_ columns: BatchColumns) {
    let start = count
    member(",\"region\":", of: columns.region)
    member(",\"zone\":", of: columns.zone)
    member(",\"node\":", of: columns.node)
    member(",\"stream\":", of: columns.stream)
    member(",\"rotated\":", of: columns.rotated.description)
    member(",\"batch\":", of: columns.batch)
    put(",\"line\":")
    constant = Array(UnsafeBufferPointer(start: bytes + start, count: count - start))
    count = start
  }

  /// - Returns: where the line begins in ``text``.
  @discardableResult
  public mutating func append(_ row: FrameRow) -> Int {
    let start = count
    put("{\"ts\":")
    if let ts = row.ts { put(ts) } else { put("null") }
    member(",\"service\":", row.service)
    member(",\"category\":", row.category)
    member(",\"message\":", row.message)
    member(",\"id\":", row.id)
    member(",\"version\":", row.version)
    constant.withUnsafeBufferPointer { put($0) }
    put(row.line)
    member(",\"extra\":", row.extra)
    member(",\"malformed\":", row.malformed)
    member(",\"text\":", row.text)
    put("}\n")
    return start
  }

  // MARK: pieces

  @inline(__always)
  private mutating func reserve(_ more: Int) {
    if count + more > capacity { grow(more) }
  }

  private mutating func grow(_ more: Int) {
    let larger = max(capacity * 2, count + more)
    let fresh = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
    fresh.update(from: bytes, count: count)
    bytes.deallocate()
    bytes = fresh
    capacity = larger
  }

  @inline(__always)
  private mutating func put(_ text: StaticString) {
    put(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  @inline(__always)
  private mutating func put(_ text: UnsafeBufferPointer<UInt8>) {
    guard let start = text.baseAddress else { return }
    reserve(text.count)
    (bytes + count).update(from: start, count: text.count)
    count += text.count
  }

  private mutating func member(_ name: StaticString, of text: String) {
    var text = text
    text.withUTF8 { member(name, $0) }
  }

  @inline(__always)
  private mutating func member(_ name: StaticString, _ text: FrameRow.Text?) {
    put(name)
    if let text { string(text) } else { put("null") }
  }

  /// The text, which is UTF-8, as a JSON string.
  private mutating func string(_ text: FrameRow.Text) {
    // Six bytes a byte at most, `\u001f`, and two quotes.
    reserve(6 * text.count + 2)
    bytes[count] = quote
    var out = bytes + count + 1
    if var at = text.baseAddress {
      let end = at + text.count
      while at < end {
        // Eight bytes at once as long as none has to be escaped.
        while at + 8 <= end {
          let word = UnsafeRawPointer(at).loadUnaligned(as: UInt64.self)
          guard !needsEscape(word) else { break }
          UnsafeMutableRawPointer(out).storeBytes(of: word, as: UInt64.self)
          at += 8
          out += 8
        }
        let stop = min(at + 8, end)
        while at < stop {
          escape(at.pointee, &out)
          at += 1
        }
      }
    }
    out.pointee = quote
    count = out + 1 - bytes
  }

  @inline(__always)
  private func escape(_ byte: UInt8, _ out: inout UnsafeMutablePointer<UInt8>) {
    let short: UInt8
    switch byte {
    case quote, backslash: short = byte
    case 0x0A: short = UInt8(ascii: "n")
    case 0x0D: short = UInt8(ascii: "r")
    case 0x09: short = UInt8(ascii: "t")
    case 0..<0x20:
      for digit in [backslash, UInt8(ascii: "u"), 0x30, 0x30, 0x30 + (byte >> 4), hexDigit(byte & 15)] {
        out.pointee = digit
        out += 1
      }
      return
    default:
      out.pointee = byte
      out += 1
      return
    }
    out[0] = backslash
    out[1] = short
    out += 2
  }

  @inline(__always)
  private func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }

  private mutating func put(_ number: Int64) {
    reserve(20)
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
      var at = 20
      var rest = number.magnitude
      repeat {
        at -= 1
        digits[at] = 0x30 + UInt8(rest % 10)
        rest /= 10
      } while rest > 0
      if number < 0 {
        bytes[count] = UInt8(ascii: "-")
        count += 1
      }
      (bytes + count).update(from: digits.baseAddress! + at, count: 20 - at)
      count += 20 - at
    }
  }

  /// As ``Instant``'s description has it, in quotes.
  private mutating func put(_ time: Instant) {
    let p = time.parts
    guard (0...9999).contains(p.year) else {
      var text = "\"\(time)\""
      text.withUTF8 { put($0) }
      return
    }
    reserve(32)
    var out = bytes + count
    func digits(_ value: Int, _ width: Int) {
      var rest = value
      for place in (0..<width).reversed() {
        out[place] = 0x30 + UInt8(rest % 10)
        rest /= 10
      }
      out += width
    }
    func sign(_ character: UInt8) {
      out.pointee = character
      out += 1
    }
    sign(quote)
    digits(p.year, 4)
    sign(UInt8(ascii: "-"))
    digits(p.month, 2)
    sign(UInt8(ascii: "-"))
    digits(p.day, 2)
    sign(UInt8(ascii: "T"))
    digits(p.hour, 2)
    sign(UInt8(ascii: ":"))
    digits(p.minute, 2)
    sign(UInt8(ascii: ":"))
    digits(p.second, 2)
    if p.fraction % 1000 != 0 {
      sign(UInt8(ascii: "."))
      digits(p.fraction, 6)
    } else if p.fraction != 0 {
      sign(UInt8(ascii: "."))
      digits(p.fraction / 1000, 3)
    }
    sign(UInt8(ascii: "Z"))
    sign(quote)
    count = out - bytes
  }
}

/// Whether one of the eight bytes is a quote, a backslash or a control character.
///
/// Source: Bit Twiddling Hacks, "Determine if a word has a byte less than n" and "has a zero byte".
@inline(__always)
private func needsEscape(_ word: UInt64) -> Bool {
  let ones: UInt64 = 0x0101_0101_0101_0101
  let highs: UInt64 = 0x8080_8080_8080_8080
  func zeros(_ x: UInt64) -> UInt64 { (x &- ones) & ~x }
  let control = (word &- ones &* 0x20) & ~word
  return (zeros(word ^ ones &* UInt64(quote)) | zeros(word ^ ones &* UInt64(backslash)) | control) & highs
    != 0
}
