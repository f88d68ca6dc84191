import Support
import Testing

@testable import DuckDB

@Suite struct ResultSetTests {
  @Test func setsFollowEachOther() throws {
    let output = "[{\"a\":1},\n{\"a\":2}]\n[]\n[{\"b\":null}]\n"
    #expect(
      try resultSets(Array(output.utf8)) == [[["a": 1], ["a": 2]], [], [.object(["b": .null])]])
  }

  @Test func nothingIsNoSet() throws { #expect(try resultSets([]) == []) }

  @Test func warningsBetweenThemArePassedOver() throws {
    let output = "WARNING: something [1] {\n\nmore ]\n[{\"a\":1}]\nlate words\n[{\"a\":2}]\nthe end"
    #expect(try resultSets(Array(output.utf8)) == [[["a": 1]], [["a": 2]]])
  }

  /// As DuckDB 1.5.5 prints a warning, also where nobody looks at colours.
  @Test func aSetBehindAColouredWarningIsNotLost() throws {
    let output =
      "\u{1B}[90mWARNING:\n\u{1B}[00m\u{1B}[90mDeprecated lambda arrow.\n\n\u{1B}[00m[{\"a\":1}]\n[{\"a\":2}]\n\u{1B}[1;31mx"
    #expect(try resultSets(Array(output.utf8)) == [[["a": 1]], [["a": 2]]])
  }

  @Test func bracketsAndQuotesInTextsAreText() throws {
    let output =
      #"[{"a":"]}[{\"\\"},"# + "\n" + #"{"a":"x\\\"]"},"# + "\n" + #"{"a":[1,[2,{"b":"]"}]]}]"#
      + "\n[{\"c\":3}]\n"
    #expect(
      try resultSets(Array(output.utf8)) == [
        [["a": #"]}[{"\"#], ["a": #"x\"]"#], ["a": [1, [2, ["b": "]"]]]]], [["c": 3]],
      ])
  }

  @Test(arguments: ["[", "[{\"a\":1}", "[{\"a\":1},\n", "[{\"a\":\"]", "[]\n[{\"a\"", "[{\"a\":\"\\"])
  func whatIsCutIsNoResult(output: String) {
    let failure = #expect(throws: Failure.self) { try resultSets(Array(output.utf8)) }
    #expect(failure?.code == "duckdb.output")
  }

  @Test func whatIsNoJSONIsNoResult() {
    let failure = #expect(throws: Failure.self) { try resultSets(Array("[INFO] starting\n".utf8)) }
    #expect(failure?.code == "duckdb.output")
  }
}
