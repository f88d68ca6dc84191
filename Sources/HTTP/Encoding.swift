/// The text with every byte but letters, digits, `-`, `.`, `_` and `~` as `%XX`.
public func percentEncoded(_ text: String, keepingSlashes: Bool = false) -> String {
  let digits = Array("0123456789ABCDEF".utf8)
  var result: [UInt8] = []
  for byte in text.utf8 {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: result.append(byte)
    case 0x2F where keepingSlashes: result.append(byte)
    default: result += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
  }
  return String(decoding: result, as: UTF8.self)
}

/// Fields as a form's body has them (`application/x-www-form-urlencoded`); the names need no encoding.
public func formEncoded(_ fields: [(name: String, value: String)]) -> String {
  fields.map { "\($0.name)=\(percentEncoded($0.value))" }.joined(separator: "&")
}
