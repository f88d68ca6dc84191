import Support
import TestSupport

/// What messages are made of.
let lineWords = [
  "Auth", "AppStack", "[SECURITY]", "[INFO]", "[X]", "é€", "😀", "a\"b", "back\\slash", "tab\there", "", "a b",
  "%", "_",
  "needle", "{\"k\": 1}", "\u{7F}", "ß",
]

/// What a value of a JSON string may look like in a line: as it is, or with escapes.
private func written(_ text: String, _ random: inout SeededRandom) -> String {
  let digits = Array("0123456789abcdef")
  var out = "\""
  for unit in text.utf16 {
    if unit < 0x20 || unit == 0x22 || unit == 0x5C || random.below(40) == 0 {
      out += "\\u" + [12, 8, 4, 0].map { String(digits[Int(unit >> UInt16($0) & 15)]) }.joined()
    } else if unit & 0xF800 == 0xD800 {
      out += "\u{1}"
    } else {
      out.unicodeScalars.append(Unicode.Scalar(unit) ?? " ")
    }
  }
  // A pair of surrogates is one character.
  guard out.contains("\u{1}") else { return out + "\"" }
  return "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\t", with: "\\t")
    + "\""
}

private func message(_ random: inout SeededRandom) -> String {
  (0..<1 + random.below(4)).map { _ in lineWords[random.below(lineWords.count)] }.joined(separator: " ")
}

/// Lines of a log, some of them broken, with values of all kinds.
func randomLines(_ count: Int, _ random: inout SeededRandom) -> [UInt8] {
  var bytes: [UInt8] = []
  for number in 0..<count {
    switch random.below(12) {
    case 0: bytes += "no json at all needle".utf8
    case 1: bytes += [0x22, 0xFF, 0xC3] + Array("needle [X]".utf8)
    case 2: bytes += "   ".utf8
    default:
      var members: [String] = []
      if random.below(8) > 0 {
        let texts = ["\(number % 50)", "needle-\(number % 7)"]
        members.append(
          "\"id\":" + (random.below(4) == 0 ? "\(number % 50)" : written(texts[random.below(2)], &random)))
      }
      switch random.below(8) {
      case 0: members.append(#""message" : { "k": [ 1,  "needle" ], "l" : true }"#)
      case 1: members.append("\"message\":null")
      default: members.append("\"message\":" + written(message(&random), &random))
      }
      if random.below(6) > 0 {
        members.append(
          "\"@timestamp\":\"2026-11-23T14:\(10 + random.below(50)):00\(random.below(9) == 0 ? "x" : "Z")\"")
      }
      if random.below(3) > 0 { members.append("\"@version\":" + ["\"1\"", "1.1", "null"][random.below(3)]) }
      if random.below(4) == 0 { members.append("\"k\":" + written(message(&random), &random)) }
      bytes += ("{" + members.joined(separator: random.below(5) == 0 ? " , " : ",") + "}").utf8
    }
    if random.below(10) == 0 { bytes.append(0x0D) }
    if number < count - 1 || random.below(2) == 0 { bytes.append(0x0A) }
  }
  return bytes
}

extension SeededRandom {
  mutating func below(_ count: Int) -> Int { Int.random(in: 0..<count, using: &self) }
}
