// Which column each key of an entry fills, and what goes to `extra`.

import Rows
import TestSupport
import Testing

private let keys: [LineCase] = [
  LineCase(
    #"{"id":"1","@version":"2","message":"3","@timestamp":"2026-11-23"}"#,
    Cells(ts: "2026-11-23T00:00:00Z", message: "3", id: "1", version: "2")),
  LineCase(#"{"\u0069d":"1"}"#, Cells(id: "1")),
  LineCase(#"{"\u0069\u0064":"1"}"#, Cells(id: "1")),
  LineCase(#"{"\u0040version":"1"}"#, Cells(version: "1")),
  LineCase(#"{"\u006d\u0065\u0073\u0073\u0061\u0067\u0065":"m"}"#, Cells(message: "m")),
  LineCase(
    #"{"\u0040\u0074\u0069\u006D\u0065\u0073\u0074\u0061\u006d\u0070":"1970-01-01"}"#,
    Cells(ts: "1970-01-01T00:00:00Z")),
  // Only the very same bytes count.
  LineCase(
    #"{"ID":"1","Id":"2"," id":"3","id ":"4","":"5"}"#,
    Cells(extra: #"{"ID":"1","Id":"2"," id":"3","id ":"4","":"5"}"#)),
  LineCase(#"{"id\u0000":"1","\u0000id":"2"}"#, Cells(extra: #"{"id\u0000":"1","\u0000id":"2"}"#)),
  LineCase(
    #"{"Message":"1","messag":"2","messages":"3","version":"4","@Version":"5"}"#,
    Cells(extra: #"{"Message":"1","messag":"2","messages":"3","version":"4","@Version":"5"}"#)),
  LineCase(
    #"{"timestamp":"2026-11-23","@timestam":"a","@timestampx":"b","\\u0069d":"c"}"#,
    Cells(extra: #"{"timestamp":"2026-11-23","@timestam":"a","@timestampx":"b","\\u0069d":"c"}"#)),
  LineCase(
    "{\"\u{FF49}d\":\"1\",\"i\u{301}d\":\"2\"}", Cells(extra: "{\"\u{FF49}d\":\"1\",\"i\u{301}d\":\"2\"}")),
  // Of duplicates the first wins.
  LineCase(#"{"id":"1","id":"2"}"#, Cells(id: "1", extra: #"{"id":"2"}"#)),
  LineCase(#"{"id":"1","\u0069d":"2","id":3}"#, Cells(id: "1", extra: #"{"\u0069d":"2","id":3}"#)),
  LineCase(#"{"id":null,"id":"2"}"#, Cells(extra: #"{"id":"2"}"#)),
  LineCase(#"{"@version":[],"@version":"2"}"#, Cells(version: "[]", extra: #"{"@version":"2"}"#)),
  LineCase(
    #"{"message":"A [B] c","message":"D [E] f"}"#,
    Cells(service: "A", category: "B", message: "A [B] c", extra: #"{"message":"D [E] f"}"#)),
  LineCase(#"{"message":1,"message":"D [E] f"}"#, Cells(message: "1", extra: #"{"message":"D [E] f"}"#)),
  LineCase(
    #"{"@timestamp":"2026-11-23","@timestamp":"2025-11-23"}"#,
    Cells(ts: "2026-11-23T00:00:00Z", extra: #"{"@timestamp":"2025-11-23"}"#)),
  LineCase(
    #"{"@timestamp":"never","@timestamp":"2025-11-23"}"#,
    Cells(extra: #"{"@timestamp":"never","@timestamp":"2025-11-23"}"#)),
  LineCase(#"{"@timestamp":null,"@timestamp":"2025-11-23"}"#, Cells(extra: #"{"@timestamp":"2025-11-23"}"#)),
  LineCase(#"{"a":1,"a":2,"\u0061":3,"a":1}"#, Cells(extra: #"{"a":1,"a":2,"\u0061":3,"a":1}"#)),
  // Called like columns.
  LineCase(
    #"{"ts":"2026-11-23","service":"s","category":"SECURITY","region":"r","zone":"z","node":"n","stream":"s","rotated":"1970-01-01","batch":"b","line":7,"extra":{},"malformed":"not-json","text":"t","version":"v"}"#,
    Cells(
      extra:
        #"{"ts":"2026-11-23","service":"s","category":"SECURITY","region":"r","zone":"z","node":"n","stream":"s","rotated":"1970-01-01","batch":"b","line":7,"extra":{},"malformed":"not-json","text":"t","version":"v"}"#
    )),
  // Known keys inside other values are theirs.
  LineCase(
    #"{"a":{"id":"1","message":"A [B] c"},"b":[{"@timestamp":"2026-11-23"}]}"#,
    Cells(extra: #"{"a":{"id":"1","message":"A [B] c"},"b":[{"@timestamp":"2026-11-23"}]}"#)),
]

/// A value as the line has it, and as `id`, `version` and `message` have to have it.
private let values: [(String, String?)] = [
  ("null", nil), (#""""#, ""), (#""x""#, "x"), (#""null""#, "null"), (#"" a ""#, " a "),
  (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
  (#""\u0041\u00e9\u20AC\uD83D\ude00""#, "Aé€😀"), (#""\u0000a\u0000""#, "\0a\0"),
  (#""\u001f\u007F\uffff\ufeff""#, "\u{1F}\u{7F}\u{FFFF}\u{FEFF}"),
  (#""\\u0041""#, "\\u0041"), ("\"é€😀\u{2028}\u{7F}\"", "é€😀\u{2028}\u{7F}"),
  (#""\ud800\udc00\udbff\udfff""#, "\u{10000}\u{10FFFF}"),
  ("0", "0"), ("-0", "-0"), ("-0.0", "-0.0"), ("1.50", "1.50"), ("1e400", "1e400"), ("1E+2", "1E+2"),
  ("-1.5e-07", "-1.5e-07"),
  ("123456789012345678901234567890", "123456789012345678901234567890"),
  ("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
  ("true", "true"), ("false", "false"), ("[]", "[]"), ("{}", "{}"), ("[ ]", "[]"), ("{\t}", "{}"),
  ("[1, 2 ,\t[ 3 ] ]", "[1,2,[3]]"), (#"{ "a" : "b c" , "d" : { } }"#, #"{"a":"b c","d":{}}"#),
  (#"["\u0041 \" ", null]"#, #"["\u0041 \" ",null]"#),
  (#"{"a":1,"a":2}"#, #"{"a":1,"a":2}"#), ("[1e400,-0,1.50]", "[1e400,-0,1.50]"),
  (#"["\\" , " ,\\\" : "]"#, #"["\\"," ,\\\" : "]"#),
]

private let shapes: [(message: String, service: String?, category: String?)] = [
  ("Auth [SECURITY] dog cheese", "Auth", "SECURITY"), ("Auth [SECURITY]", "Auth", "SECURITY"),
  ("Auth [SECURITY] ", "Auth", "SECURITY"),
  ("a [b]  c", "a", "b"), ("Auth [Security] x", "Auth", "Security"),
  ("a-b.c/d_1 [E-1.F] x", "a-b.c/d_1", "E-1.F"), ("é😀 [Ü] x", "é😀", "Ü"),
  ("a [b] x\ny", "a", "b"), ("a [b] \n", "a", "b"), ("a [b] x\n", "a", "b"), ("a [b] \r\n\u{2028}", "a", "b"),
  ("a [b] [c]", "a", "b"), ("a [b] ]", "a", "b"),
  ("a\u{A0}b [c\u{A0}d]", "a\u{A0}b", "c\u{A0}d"), ("a\u{85} [b\u{2028}]", "a\u{85}", "b\u{2028}"),
  ("\0 [\0] \0", "\0", "\0"), ("\"\\ [{}] x", "\"\\", "{}"),
  ("a\u{1C} [b\u{1F}]", "a\u{1C}", "b\u{1F}"),
  ("", nil, nil), ("a", nil, nil), ("a [", nil, nil), ("a []", nil, nil), ("a [] x", nil, nil),
  ("a [b", nil, nil), ("a [b x", nil, nil), ("a [b x] y", nil, nil),
  ("a [b]\n", nil, nil), ("a [b]x", nil, nil), ("a [b]\tx", nil, nil), ("a [b]]", nil, nil),
  ("a [b]]x", nil, nil), ("a [[b]] x", nil, nil), ("a [b[c] x", nil, nil),
  ("a[b] x", nil, nil), ("a  [b] x", nil, nil), ("a\t[b] x", nil, nil), ("a\n[b] x", nil, nil),
  (" [b] x", nil, nil), ("[b] x", nil, nil), (" a [b] x", nil, nil),
  ("\na [b] x", nil, nil), ("a b [c] x", nil, nil), ("x] [b] y", nil, nil), ("a\u{B} [b] x", nil, nil),
  ("a\u{C} [b]", nil, nil), ("a [b\u{B}] x", nil, nil),
  ("a [b\u{C}] x", nil, nil), ("a [b\r] x", nil, nil), ("a [b\n] x", nil, nil), ("a\r [b] x", nil, nil),
  ("a [b]\r\n", nil, nil), ("a\u{A0}[b] x", nil, nil), ("a [b]\u{A0}x", nil, nil),
  ("a (b) x", nil, nil), ("a [b}", nil, nil),
]

/// What stands in the line, and in `extra`.
private let extras: [(String, String)] = [
  (#"{ "b" : 1 , "a" : 2 }"#, #"{"b":1,"a":2}"#), (#"{"b":"x y","a":" \t "}"#, #"{"b":"x y","a":" \t "}"#),
  ("{\"a\"\t:\r[ 1 ,\t2 , { } ]\t}", "{\"a\":[1,2,{}]}"),
  (
    #"{"n":[1e400,-0,1.50,1E+05,123456789012345678901234567890,0.10]}"#,
    #"{"n":[1e400,-0,1.50,1E+05,123456789012345678901234567890,0.10]}"#
  ),
  (#"{"n":1e400,"m":-0,"o":1.50}"#, #"{"n":1e400,"m":-0,"o":1.50}"#),
  (#"{"e":"\u0041\/\u00e9\ud83d\ude00\n"}"#, #"{"e":"\u0041\/\u00e9\ud83d\ude00\n"}"#),
  (#"{"\u0061\/":null,"b":true,"c":false}"#, #"{"\u0061\/":null,"b":true,"c":false}"#),
  (#"{"a": "x" ,"b":[ "\" [ 1 ] \\" ]}"#, #"{"a":"x","b":["\" [ 1 ] \\"]}"#),
  (#"{"a":{"b" : {"c" :[ ]}}}"#, #"{"a":{"b":{"c":[]}}}"#),
  ("{\"a\":\"é\u{2028}😀e\u{301}\"}", "{\"a\":\"é\u{2028}😀e\u{301}\"}"),
  (#"{"x":1,"id":"i","y":2,"message":"m","z":3}"#, #"{"x":1,"y":2,"z":3}"#),
  (#"{"id":"i","x": 1.0}"#, #"{"x":1.0}"#),
  (#"{"@timestamp": 1764000000 ,"x":1}"#, #"{"@timestamp":1764000000,"x":1}"#),
  (#"{"x":1,"@timestamp":"no\u0077"}"#, #"{"x":1,"@timestamp":"no\u0077"}"#),
  (#"{"@timestamp":[ "2026-11-23" ]}"#, #"{"@timestamp":["2026-11-23"]}"#),
  (#"{"\u0040timestamp":true}"#, #"{"\u0040timestamp":true}"#), (#"{"":""}"#, #"{"":""}"#),
]

/// Values with one blank between two tokens, in every place where one can be.
private let oneBlank = [
  "[ ]", "[ 1]", "[1 ]", "[1 ,2]", "[1, 2]", "[\"a b\" ]", "[[] ]", "{ }", "{ \"b\":1}", "{\"b\" :1}",
  "{\"b\": 1}", "{\"b\":1 }", "{\"b\":1 ,\"c\":2}", "{\"b\":1, \"c\":2}",
  "{\"b\":{} }", "{\"b\":[ ]}", "{\"b\":[{\"c\": null}]}",
]

@Suite struct EntryRuleTests {
  @Test(arguments: keys) func keysFillTheirColumns(_ line: LineCase) async throws { try await line.check() }

  @Test(arguments: values) func valuesOfEveryKind(_ value: String, _ text: String?) async throws {
    try await LineCase("{\"id\":\(value)}", Cells(id: text)).check()
    try await LineCase("{ \"@version\" : \(value) , \"a\":1}", Cells(version: text, extra: "{\"a\":1}"))
      .check()
    try await LineCase("{\"message\":\(value),\"id\":\(value)}", Cells(message: text, id: text)).check()
  }

  @Test(arguments: shapes) func messagesOfTheRightShapeHaveServiceAndCategory(
    _ shape: (message: String, service: String?, category: String?)
  ) async throws {
    var escaped = ""
    for unit in shape.message.utf16 {
      let digits = String(unit, radix: 16)
      escaped += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
    let cells = Cells(service: shape.service, category: shape.category, message: shape.message)
    try await LineCase("{\"message\":\"\(escaped)\"}", cells).check()
    if !shape.message.unicodeScalars.contains(where: { $0.value < 0x20 || $0 == "\"" || $0 == "\\" }) {
      try await LineCase("{\"message\":\"\(shape.message)\"}", cells).check()
    }
  }

  @Test(arguments: [#"["a [b] c"]"#, #"{"a":"a [b] c"}"#]) func onlyStringsHaveServiceAndCategory(
    _ value: String
  ) async throws {
    try await LineCase("{\"message\":\(value)}", Cells(message: value)).check()
  }

  @Test(arguments: extras) func extraHasTheOtherKeysAsTheyWereWritten(_ line: String, _ extra: String)
    async throws
  {
    #expect(try await scan(line).cells.map(\.extra) == [extra])
  }

  @Test(arguments: oneBlank) func blanksBetweenTokensAreLeftOut(_ value: String) async throws {
    let bare = value == "[\"a b\" ]" ? "[\"a b\"]" : value.filter { $0 != " " }
    try await LineCase("{\"k\":\(value)}", Cells(extra: "{\"k\":\(bare)}")).check()
    try await LineCase("{\"id\":\(value),\"k\":1}", Cells(id: bare, extra: "{\"k\":1}")).check()
    try await LineCase(
      "{\"id\":[ ],\"k\":2,\"message\":\(value)}", Cells(message: bare, id: "[]", extra: "{\"k\":2}")
    ).check()
  }

  @Test func logstashEncoderLine() async throws {
    let line = #"""
      {"@timestamp":"2026-11-23T15:00:00.123456789+01:00","@version":"1","message":"Auth [SECURITY] dog cheese","logger_name":"org.example.Auth","thread_name":"http-nio-8080-exec-1","level":"WARN","level_value":30000,"stack_trace":"java.lang.IllegalStateException: x\n\tat org.example.Auth.check(Auth.java:7)\n","tags":["A","B"],"caller":{"line": 7, "file":"Auth.java"},"amount":1.50,"mdc":{"user":{"id":"7"}}}
      """#
    let extra = #"""
      {"logger_name":"org.example.Auth","thread_name":"http-nio-8080-exec-1","level":"WARN","level_value":30000,"stack_trace":"java.lang.IllegalStateException: x\n\tat org.example.Auth.check(Auth.java:7)\n","tags":["A","B"],"caller":{"line":7,"file":"Auth.java"},"amount":1.50,"mdc":{"user":{"id":"7"}}}
      """#
    try await LineCase(
      line,
      Cells(
        ts: "2026-11-23T14:00:00.123456Z", service: "Auth", category: "SECURITY",
        message: "Auth [SECURITY] dog cheese",
        version: "1", extra: extra)
    ).check()
  }

  /// The scanner reads strings eight bytes at a time: what ends or escapes has to be seen at every place of such a word.
  @Test func stringsOfEveryLength() async throws {
    var lines: [[UInt8]] = []
    var expected: [Cells] = []
    for length in 0...40 {
      let plain = String(repeating: "a", count: length)
      for (written, read) in [("", ""), ("\\n", "\n"), ("\\\"", "\""), ("é", "é"), ("\\ud83d\\ude00", "😀")] {
        lines.append(Array("{\"id\":\"\(plain)\(written)\",\"k\":\"\(written)\(plain)\"}".utf8))
        expected.append(Cells(id: plain + read, extra: "{\"k\":\"\(written)\(plain)\"}"))
      }
    }
    let scanned = try await scan(BlockedFile(Array(lines.joined(separator: [0x0A]))))
    #expect(scanned.cells == expected)
  }
}
