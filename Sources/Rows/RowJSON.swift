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

extension Row {
  /// The row as one line of JSON, the table's columns in the table's order, with its line end.
  public func json(_ constant: BatchColumns) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(512)
    func member(_ name: StaticString, _ value: [UInt8]?) {
      out.append(out.isEmpty ? openBrace : UInt8(ascii: ","))
      out.append(quote)
      out.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
      out.append(quote)
      out.append(UInt8(ascii: ":"))
      if let value {
        appendJSONString(value, to: &out)
      } else {
        out.append(contentsOf: "null".utf8)
      }
    }
    member("ts", ts.map { Array($0.description.utf8) })
    member("service", service)
    member("category", category)
    member("message", message)
    member("id", id)
    member("version", version)
    member("region", Array(constant.region.utf8))
    member("zone", Array(constant.zone.utf8))
    member("node", Array(constant.node.utf8))
    member("stream", Array(constant.stream.utf8))
    member("rotated", Array(constant.rotated.description.utf8))
    member("batch", Array(constant.batch.utf8))
    out.append(contentsOf: ",\"line\":\(line)".utf8)
    member("extra", extra)
    member("malformed", malformed)
    member("text", text)
    out.append(closeBrace)
    out.append(0x0A)
    return out
  }
}

/// Appends the text, which is UTF-8, as a JSON string.
private func appendJSONString(_ text: [UInt8], to out: inout [UInt8]) {
  out.append(quote)
  for byte in text {
    switch byte {
    case quote, backslash:
      out.append(backslash)
      out.append(byte)
    case 0x0A: out.append(contentsOf: [backslash, UInt8(ascii: "n")])
    case 0x0D: out.append(contentsOf: [backslash, UInt8(ascii: "r")])
    case 0x09: out.append(contentsOf: [backslash, UInt8(ascii: "t")])
    case 0..<0x20:
      let digits = Array("0123456789abcdef".utf8)
      out.append(contentsOf: Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]])
    default: out.append(byte)
    }
  }
  out.append(quote)
}
