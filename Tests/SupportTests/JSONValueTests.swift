import Support
import TestSupport
import Testing

@Suite struct JSONValueTests {
  @Test(arguments: [
    "null", "true", "false", "0", "-1", "9223372036854775807", "-9223372036854775808", "9007199254740993",
    "1.5", "\"\"", "\"a/b\"", "[]", "{}", "[[],{}]",
    #"{"a":1,"b":[true,null,"x"],"c":{"d":-0.25}}"#, #""é日志🦆""#, #""\"\\\n\t\u0000""#,
    #"[1,"1",1.5,true,null]"#,
  ])
  func comesBackAsItWas(text: String) throws {
    let value = try JSONValue(parsing: Array(text.utf8))
    #expect(value.text == text)
    #expect(try JSONValue(parsing: value.encoded) == value)
  }

  @Test func numbersOfSixtyFourBitsAreKept() throws {
    let value = try JSONValue(parsing: Array("{\"id\":9007199254740993,\"min\":-9223372036854775808}".utf8))
    #expect(value["id"]?.integer == 9_007_199_254_740_993)
    #expect(value["min"]?.integer == .min)
    #expect(try JSONValue(parsing: Array("18446744073709551615".utf8)).integer == nil)
    #expect(JSONValue.string("42").integer == 42)
    #expect(JSONValue.double(42).integer == nil)
  }

  @Test func truthIsNoNumber() throws {
    #expect(try JSONValue(parsing: Array("[true,1]".utf8)) == [.bool(true), .integer(1)])
    #expect(JSONValue.bool(true).integer == nil)
    #expect(JSONValue.integer(1).bool == nil)
  }

  @Test func keysAreSortedSoThatEqualValuesHaveEqualBytes() throws {
    let one = try JSONValue(parsing: Array(#"{"b":1,"a":{"d":1,"c":2}}"#.utf8))
    #expect(one.text == #"{"a":{"c":2,"d":1},"b":1}"#)
  }

  @Test func membersAreReadAndSet() {
    var value: JSONValue = ["a": ["b": 1], "n": .null]
    #expect(value["a"]?["b"]?.integer == 1)
    #expect(value["n"] == nil)
    #expect(value["a"]?["x"]?["y"] == nil)
    #expect(JSONValue.string("x")["a"] == nil)
    value["a"]?["b"] = 2
    value["c"] = "new"
    value["n"] = nil
    #expect(value == ["a": ["b": 2], "c": "new"])
  }

  @Test(arguments: ["", "{", "[1", "{\"a\":}", "nul", "01", "\"", "\u{1}", "{}x"])
  func whatIsNoJSONIsRefused(text: String) {
    #expect(throws: (any Error).self) { try JSONValue(parsing: Array(text.utf8)) }
  }

  @Test func randomValuesComeBack() throws {
    var random = SeededRandom(seed: 9)
    for _ in 0..<300 {
      let value = any(&random, depth: 0)
      #expect(try JSONValue(parsing: value.encoded) == value)
    }
  }

  @Test func aDocumentThatIsSomethingElseSaysWhere() {
    struct Wanted: Decodable { var a: [Int] }
    for (text, words) in [
      ("{\"a\":[1,\"x\"]}", "a.[1]"), ("{}", "'a' is missing"), ("{\"a\":null}", "null where"), ("{", ""),
    ] {
      let failure = #expect(throws: Failure.self) {
        _ = try decodeJSON(Wanted.self, from: Array(text.utf8), code: "test.code", document: "The document X")
      }
      #expect(failure?.code == "test.code")
      #expect(failure?.sentence.contains("The document X") == true)
      #expect(failure?.words.contains(words) == true || words.isEmpty, "\(failure?.words ?? "")")
    }
  }

  private func any(_ random: inout SeededRandom, depth: Int) -> JSONValue {
    switch Int.random(in: 0...(depth > 3 ? 4 : 6), using: &random) {
    case 0: return .null
    case 1: return .bool(Bool.random(using: &random))
    case 2: return .integer(Int64(bitPattern: random.next()))
    case 3: return .double(Double(Int64.random(in: -1_000_000...1_000_000, using: &random)) + 0.5)
    case 4:
      let scalars = (0..<5).compactMap { _ in Unicode.Scalar(UInt32.random(in: 0...0x10FFFF, using: &random))
      }
      return .string(String(String.UnicodeScalarView(scalars)))
    case 5: return .array((0..<3).map { _ in any(&random, depth: depth + 1) })
    default:
      var members: [String: JSONValue] = [:]
      for index in 0..<3 { members["k\(index)"] = any(&random, depth: depth + 1) }
      return .object(members)
    }
  }
}
