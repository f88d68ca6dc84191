// Where lines end, which are blank, which are entries, and why the others are none.

import Rows
import Support
import TestSupport
import Testing

/// A file and what it has to give: for each row its line number and columns.
struct FileCase: Sendable, CustomTestStringConvertible {
  var name: String
  var text: String
  var end = FileEnd.rotated
  var lines: Int64
  var blank: Int64 = 0
  var rows: [Int64: Cells] = [:]
  var testDescription: String { name }
}

/// One line and the columns that it has to give.
struct LineCase: Sendable, CustomTestStringConvertible {
  var line: [UInt8]
  var cells: Cells
  var testDescription: String { String(decoding: line.prefix(60), as: UTF8.self).debugDescription }

  init(_ line: String, _ cells: Cells) { self.init(Array(line.utf8), cells) }
  init(_ line: [UInt8], _ cells: Cells) {
    self.line = line
    self.cells = cells
  }

  func check(_ location: SourceLocation = #_sourceLocation) async throws {
    let scanned = try await scan(BlockedFile(line + [0x0A]))
    #expect(scanned.cells == [cells], sourceLocation: location)
    #expect(scanned.rows.map(\.line) == [1], sourceLocation: location)
    #expect(scanned.counts.lines == 1 && scanned.counts.blank == 0, sourceLocation: location)
    #expect(scanned.counts.malformed == (cells.malformed == nil ? 0 : 1), sourceLocation: location)
    #expect(scanned.counts.entries == (cells.malformed == nil ? 1 : 0), sourceLocation: location)
  }
}

private let one = #"{"id":"1"}"#
private let two = #"{"id":"2"}"#

private let lineEnds: [FileCase] = [
  FileCase(name: "no bytes", text: "", lines: 0),
  FileCase(name: "LF alone", text: "\n", lines: 1, blank: 1),
  FileCase(
    name: "every line ended", text: "\(one)\n\(two)\n", lines: 2,
    rows: [1: Cells(id: "1"), 2: Cells(id: "2")]),
  FileCase(
    name: "last LF missing, rotated", text: "\(one)\n\(two)", lines: 2,
    rows: [1: Cells(id: "1"), 2: Cells(id: "2")]),
  FileCase(
    name: "last LF missing, live", text: "\(one)\n\(two)", end: .live, lines: 1, rows: [1: Cells(id: "1")]),
  FileCase(
    name: "live and ended", text: "\(one)\n\(two)\n", end: .live, lines: 2,
    rows: [1: Cells(id: "1"), 2: Cells(id: "2")]),
  FileCase(name: "only line without LF, live", text: one, end: .live, lines: 0),
  FileCase(
    name: "cut entry, rotated", text: "{\"id\":\"1", lines: 1,
    rows: [1: .malformed("not-json", "{\"id\":\"1")]),
  FileCase(
    name: "CR LF", text: "\(one)\r\nx\r\n", lines: 2,
    rows: [1: Cells(id: "1"), 2: .malformed("not-json", "x")]),
  FileCase(
    name: "one CR is dropped, not two", text: "x\r\r\n", lines: 1, rows: [1: .malformed("not-json", "x\r")]),
  FileCase(
    name: "CR at the end without LF is kept", text: "x\r", lines: 1, rows: [1: .malformed("not-json", "x\r")]),
  FileCase(name: "CR behind an entry without LF", text: one + "\r", lines: 1, rows: [1: Cells(id: "1")]),
  FileCase(
    name: "CR alone ends no line", text: "\(one)\r\(two)\n", lines: 1,
    rows: [1: .malformed("not-json", "\(one)\r\(two)")]),
  FileCase(name: "CR before the line", text: "\r\(one)\n", lines: 1, rows: [1: Cells(id: "1")]),
  FileCase(
    name: "other line ends of Unicode end no line", text: "{\"id\":\"a\u{2028}b\u{2029}c\u{85}d\"}\n",
    lines: 1,
    rows: [1: Cells(id: "a\u{2028}b\u{2029}c\u{85}d")]),
  FileCase(
    name: "VT ends no line", text: "x\u{B}y\n", lines: 1, rows: [1: .malformed("not-json", "x\u{B}y")]),
  FileCase(name: "blank: CR LF", text: "\r\n", lines: 1, blank: 1),
  FileCase(name: "blank: CR CR LF", text: "\r\r\n", lines: 1, blank: 1),
  FileCase(name: "blank: space", text: " \n", lines: 1, blank: 1),
  FileCase(name: "blank: tab", text: "\t\n", lines: 1, blank: 1),
  FileCase(name: "blank: VT", text: "\u{B}\n", lines: 1, blank: 1),
  FileCase(name: "blank: FF", text: "\u{C}\n", lines: 1, blank: 1),
  FileCase(name: "blank: all of them", text: " \t\r\u{B}\u{C} \r \n", lines: 1, blank: 1),
  FileCase(
    name: "blank without LF, rotated", text: "\(one)\n \t", lines: 2, blank: 1, rows: [1: Cells(id: "1")]),
  FileCase(
    name: "blank without LF, live", text: "\(one)\n \t", end: .live, lines: 1, rows: [1: Cells(id: "1")]),
  FileCase(name: "CR alone, rotated", text: "\r", lines: 1, blank: 1),
  FileCase(name: "CR alone, live", text: "\r", end: .live, lines: 0),
  FileCase(
    name: "blank lines have numbers", text: "\n\r\n\(one)\n \n\n\(two)", lines: 6, blank: 4,
    rows: [3: Cells(id: "1"), 6: Cells(id: "2")]),
  FileCase(
    name: "no-break space is not blank", text: "\u{A0}\n", lines: 1,
    rows: [1: .malformed("not-json", "\u{A0}")]),
  FileCase(name: "NEL is not blank", text: "\u{85}\n", lines: 1, rows: [1: .malformed("not-json", "\u{85}")]),
  FileCase(
    name: "U+3000 is not blank", text: "\u{3000}\n", lines: 1, rows: [1: .malformed("not-json", "\u{3000}")]),
  FileCase(
    name: "U+001C is not blank", text: "\u{1C}\n", lines: 1, rows: [1: .malformed("not-json", "\u{1C}")]),
  FileCase(name: "NUL is not blank", text: " \0 \n", lines: 1, rows: [1: .malformed("nul-byte", " \0 ")]),
  FileCase(
    name: "blanks of JSON around an entry", text: " \t\r { \"id\"\t: \"1\" \r} \t\n", lines: 1,
    rows: [1: Cells(id: "1")]),
]

/// A value nested so deep that the line's object and it make `depth` levels.
private func nested(_ depth: Int, _ open: String, _ close: String, _ inner: String = "") -> String {
  String(repeating: open, count: depth - 1) + inner + String(repeating: close, count: depth - 1)
}

private let depths: [LineCase] = {
  let arrays = nested(512, "[", "]")
  let objects = nested(511, "{\"k\":", "}", "{}")
  let tooDeepArrays = "{\"a\":\(nested(513, "[", "]"))}"
  let tooDeepObjects = "{\"a\":\(nested(512, "{\"k\":", "}", "{}"))}"
  let wide = "[" + nested(511, "[", "]") + "," + nested(511, "[", "]", "1") + "]"
  let tooWide = "{\"a\":[[]," + nested(512, "[", "]") + "]}"
  let mixed = String(repeating: "[{\"k\":", count: 255) + "[]" + String(repeating: "}]", count: 255)
  return [
    LineCase("{\"a\":\(arrays)}", Cells(extra: "{\"a\":\(arrays)}")),
    LineCase("{\"a\":\(objects)}", Cells(extra: "{\"a\":\(objects)}")),
    LineCase("{\"message\":\(arrays)}", Cells(message: arrays)),
    LineCase("{\"a\":\(wide)}", Cells(extra: "{\"a\":\(wide)}")),
    LineCase("{\"a\":\(mixed)}", Cells(extra: "{\"a\":\(mixed)}")),
    LineCase(tooDeepArrays, .malformed("not-json", tooDeepArrays)),
    LineCase(tooDeepObjects, .malformed("not-json", tooDeepObjects)),
    LineCase(tooWide, .malformed("not-json", tooWide)),
    LineCase(nested(513, "[", "]"), .malformed("not-an-object", nested(513, "[", "]"))),
    LineCase(nested(514, "[", "]"), .malformed("not-json", nested(514, "[", "]"))),
  ]
}()

private let notAnObject = [
  "[]", "[1]", " [1] ", "\t[1,{\"a\":2}]", "\"s\"", "\"\"", "\"\\u0000\"", "1", "-0", "1.5e-3", "1e400",
  "true", "false", "null",
  " null\t", "[\"\\ud83d\\ude00\"]", "\"\u{7F}\"",
]

private let notJSON = [
  "nonsense", "{", "}", "{]", "[}", "{\"a\"}", "{\"a\":}", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}",
  "{\"a\":1,,\"b\":2}",
  "{\"a\":1 \"b\":2}", "{'a':1}", "{\"a\":'1'}", "{a:1}", "{1:2}", "{null:1}", "{\"a\" 1}", "{\"a\"::1}",
  "{\"a\":1;}", "{\"a\"=1}",
  "{\"a\":[1,]}", "{\"a\":[,1]}", "{\"a\":[1 2]}", "{\"a\":[1}", "{\"a\":{\"b\":1]}", "{\"a\":{\"b\":1,}}",
  "{\"a\":{\"b\"}}", "{\"a\":{1:2}}",
  "{\"a\":1}}", "{\"a\":1]", "{} {}", "{}{}", "{}x", "{},", "{}]", "{} 1", "{}\u{B}", "\u{B}{}", "{\u{C}}",
  "{\"a\":\u{A0}1}", "{}\u{A0}",
  // Numbers.
  "{\"a\":01}", "{\"a\":-01}", "{\"a\":00}", "{\"a\":-}", "{\"a\":--1}", "{\"a\":+1}", "{\"a\":.5}",
  "{\"a\":1.}", "{\"a\":-.5}", "{\"a\":1.e5}",
  "{\"a\":1e}", "{\"a\":1e+}", "{\"a\":1E-}", "{\"a\":1e1.5}", "{\"a\":0x10}", "{\"a\":1_000}", "{\"a\":1a}",
  "{\"a\":١}", "{\"a\":[01]}",
  "{\"a\":NaN}", "{\"a\":nan}", "{\"a\":Infinity}", "{\"a\":-Infinity}", "{\"a\":inf}", "{\"a\":[NaN]}",
  "NaN", "Infinity", "-", "01", "+1",
  // Words.
  "{\"a\":tru}", "{\"a\":True}", "{\"a\":nul}", "{\"a\":NULL}", "{\"a\":nullx}", "{\"a\":truefalse}",
  "{\"a\":undefined}", "t", "n", "nulll",
  // Strings.
  "\"", "{\"", "{\"a", "{\"a\":\"", "{\"a\":\"b}", "{\"a\":\"b\\\"}", "{\"a\":\"\\", "{\"a\":\"\\x41\"}",
  "{\"a\":\"\\'\"}", "{\"a\":\"\\a\"}",
  "{\"a\":\"\\v\"}", "{\"a\":\"\\0\"}", "{\"a\":\"\\N\"}", "{\"a\":\"\\u\"}", "{\"a\":\"\\u12\"}",
  "{\"a\":\"\\u123\"}", "{\"a\":\"\\u12g4\"}",
  "{\"a\":\"\\u 123\"}", "{\"a\":\"\\u+123\"}", "{\"a\":\"\\U0041\"}", "{\"a\":\"\\u004", "{\"a\":\"\t\"}",
  "{\"a\":\"\u{1}\"}",
  "{\"a\":\"1234567\u{1F}\"}", "{\"a\":\"12345678901\r2\"}", "{\"a\tb\":1}", "{\"a\":[\"\t\"]}",
  "{\"a\":\"\\\t\"}", "[\"\t\"]",
  // Surrogate escapes without their other half.
  "{\"a\":\"\\ud800\"}", "{\"a\":\"\\udbff \"}", "{\"a\":\"\\udc00\"}", "{\"a\":\"\\uDFFF\"}",
  "{\"a\":\"\\ud83d\\ud83d\"}", "{\"a\":\"\\ude00\\ud83d\"}",
  "{\"a\":\"\\ud83d\\u0041\"}", "{\"a\":\"\\ud83d\\n\"}", "{\"a\":\"\\ud83dx\\ude00\"}",
  "{\"a\":\"\\ud83d\\ude0\"}", "{\"a\":\"\\ud83d\\", "{\"\\ud800\":1}",
  "{\"a\":[{\"b\":\"\\ud800\"}]}", "{\"id\":\"\\ud83d\\ude00\\ude00\"}", "\"\\ud800\"", "[\"\\udc00\"]",
  // A byte order mark, comments.
  "\u{FEFF}{}", "\u{FEFF}", "{}\u{FEFF}", "{\u{FEFF}}", "\u{FEFF}[]", "{}//", "{}/**/", "/**/{}", "//", "#",
  "{\"a\":/*c*/1}", "{\"a\":1//c\r}", "{#\r}",
]

@Suite struct LineRuleTests {
  @Test(arguments: lineEnds) func linesEndAtLF(_ file: FileCase) async throws {
    let scanned = try await scan(file.text, file.end)
    #expect(Dictionary(uniqueKeysWithValues: zip(scanned.rows.map(\.line), scanned.cells)) == file.rows)
    #expect(scanned.counts.lines == file.lines)
    #expect(scanned.counts.blank == file.blank)
    #expect(scanned.counts.rows == Int64(file.rows.count))
    #expect(scanned.counts.malformed == Int64(file.rows.values.filter { $0.malformed != nil }.count))
  }

  @Test(arguments: ["{}", " { } ", "{\t}", "{}\r", "\r{}", "{\r}"])
  func emptyObjectIsAnEntryOfNulls(_ line: String) async throws { try await LineCase(line, Cells()).check() }

  @Test(arguments: depths) func upTo512LevelsDeep(_ line: LineCase) async throws { try await line.check() }

  @Test(arguments: notAnObject) func valuesOfAnotherKind(_ line: String) async throws {
    try await LineCase(line, .malformed("not-an-object", line)).check()
  }

  @Test(arguments: notJSON) func notJSONIsKeptAsItIs(_ line: String) async throws {
    try await LineCase(line, .malformed("not-json", line)).check()
  }

  /// A malformed line must leave nothing of itself in its neighbours, however far into it the fault lies.
  @Test func malformedLinesDisturbNoOther() async throws {
    let good = "{\"id\":\"i\",\"k\":1,\"message\":\"S [C] w\",\"@timestamp\":\"1970-01-01\"}"
    let prefix =
      "{\"id\":\"x\",\"e\":[1 , 2],\"@version\":\"v\",\"message\":\"S [C] m\",\"@timestamp\":\"2000-01-01\","
    let bad = notJSON.filter { $0.hasPrefix("{\"") }.map { prefix + $0.dropFirst() }
    let scanned = try await scan(bad.map { "\(good)\n\($0)\n" }.joined() + good)
    let expected = Cells(
      ts: "1970-01-01T00:00:00Z", service: "S", category: "C", message: "S [C] w", id: "i", extra: "{\"k\":1}"
    )
    #expect(scanned.rows.count == 2 * bad.count + 1)
    for (number, cells) in scanned.cells.enumerated() {
      #expect(cells == (number % 2 == 0 ? expected : .malformed("not-json", bad[number / 2])))
    }
    #expect(scanned.counts.firstTs?.microseconds == 0 && scanned.counts.lastTs?.microseconds == 0)
  }
}
