import DuckDB
import Support
import TestSupport
import Testing

@Suite struct QuotingTests {
  @Test func valuesAndNamesAreQuoted() {
    let name = "na\"me"
    let value = "it's"
    let number: Int64 = -9_223_372_036_854_775_808
    let list = ["a'b", ""]
    let inner: SQL = "1 + 1"
    let statement: SQL = "SELECT \(name: name), \(value), \(number), \(list), \(inner)"
    #expect(statement.text == "SELECT \"na\"\"me\", 'it''s', -9223372036854775808, ['a''b', ''], 1 + 1")
  }

  @Test func statementsAreJoined() {
    let parts: [SQL] = ["a", "\("b")"]
    #expect(parts.joined(separator: ", ").text == "a, 'b'")
  }

  /// A quote and an accent behind it are one Character to Swift, and a quote all the same to DuckDB.
  @Test func aQuoteBehindWhichAnAccentStandsIsDoubled() {
    let value = "'\u{301} OR true --"
    let name = "\"\u{301}"
    #expect(scalars(of: "\(value)" as SQL).elementsEqual("'''\u{301} OR true --'".unicodeScalars))
    #expect(scalars(of: "\(name: name)" as SQL).elementsEqual("\"\"\"\u{301}\"".unicodeScalars))
  }

  @Test func nulStandsInNoStatement() {
    let odd = "a\0b\0\u{301}"
    let statement: SQL = "SELECT \(odd), \(name: odd)"
    #expect(!statement.text.utf8.contains(0))
  }

  private func scalars(of sql: SQL) -> String.UnicodeScalarView { sql.text.unicodeScalars }

  @Test(.tags(.medium)) func everyTextComesBackAsItWas() async throws {
    let duckdb = try await testDuckDB()
    var random = SeededRandom(seed: 11)
    let pieces = [
      "'", "\"", "\\", "''", "\n", "\r\n", "--", "/*", "*/", ";", "$$", "$1", "E'", "\u{301}", "\u{200D}",
      "\u{FE0F}", "é",
      "日志", "\u{1F986}", ".shell", "?", "%s", "{", "}", "[", "\t", "\u{7F}", "a", " ", "\u{10FFFF}",
      "\u{FEFF}",
    ]
    var texts = pieces + pieces.map { "'" + $0 } + pieces.map { "\"" + $0 }
    for _ in 0..<300 {
      texts.append(
        (0..<Int.random(in: 1...8, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
          .joined())
    }
    // In a name a CR can't be escaped, and DuckDB's shell drops one before a LF.
    let names = texts.filter { !$0.utf8.contains(0x0D) }.enumerated().map { "\($0.offset)" + $0.element }
    let literals = texts.map { "(\($0))" as SQL }.joined(separator: ", ")
    let rows = try await duckdb.run([
      "SELECT t FROM (VALUES \(literals)) v(t)",
      "SELECT t FROM (SELECT unnest(\(texts)) AS t)",
      "SELECT \(names.map { "1 AS \(name: $0)" as SQL }.joined(separator: ", "))",
    ])
    #expect(rows[0].map { $0["t"]?.string } == texts)
    #expect(rows[1].map { $0["t"]?.string } == texts)
    let named = rows[2].first?.object ?? [:]
    // Swift takes two spellings of one character for equal: compared by their bytes.
    #expect(Set(named.keys.map { [UInt8]($0.utf8) }) == Set(names.map { [UInt8]($0.utf8) }))
  }
}
