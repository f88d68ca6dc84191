// Which times are read, as which moment, and what becomes of the others.

import Rows
import Support
import TestSupport
import Testing

/// 2026-11-23T14:05:06Z, counted by hand: 20,780 days, 14 hours, 5 minutes, 6 seconds.
private let moment: Int64 = (20_780 * 86_400 + 14 * 3600 + 5 * 60 + 6) * 1_000_000
private let hour: Int64 = 3_600_000_000
private let minute: Int64 = 60_000_000
private let midnight: Int64 = 20_780 * 24 * hour
/// 0001-01-01T00:00:00Z and the last microsecond of 9999.
private let first: Int64 = -62_135_596_800_000_000
private let last: Int64 = 253_402_300_799_999_999

private let readable: [(String, Int64)] = [
  ("2026-11-23T14:05:06Z", moment), ("2026-11-23t14:05:06z", moment), ("2026-11-23 14:05:06Z", moment),
  ("2026-11-23T14:05:06", moment),
  ("2026-11-23 14:05:06", moment), ("2026-11-23T14:05Z", moment - 6_000_000),
  ("2026-11-23T14:05", moment - 6_000_000), ("2026-11-23 14:05+00", moment - 6_000_000),
  ("2026-11-23", midnight), ("2026-11-23T00:00Z", midnight), ("2026-11-23T00:00:00Z", midnight),
  ("2026-11-23T23:59:59Z", midnight + 24 * hour - 1_000_000),
  // Fractions are cut.
  ("2026-11-23T14:05:06.5Z", moment + 500_000), ("2026-11-23T14:05:06,5Z", moment + 500_000),
  ("2026-11-23T14:05:06.05Z", moment + 50_000),
  ("2026-11-23T14:05:06.123Z", moment + 123_000), ("2026-11-23T14:05:06.123456Z", moment + 123_456),
  ("2026-11-23T14:05:06.1234567Z", moment + 123_456),
  ("2026-11-23T14:05:06.123456999999Z", moment + 123_456),
  ("2026-11-23T14:05:06.999999999Z", moment + 999_999), ("2026-11-23T14:05:06.0000009Z", moment),
  ("2026-11-23T14:05:06.000000Z", moment), ("2026-11-23T14:05:06,123456789+00:00", moment + 123_456),
  ("2026-11-23T14:05:06.5", moment + 500_000),
  ("2026-11-23T14:05:06.99999999999999999999999999999999999999999999999999Z", moment + 999_999),
  // Zones.
  ("2026-11-23T14:05:06+00:00", moment), ("2026-11-23T14:05:06-00:00", moment),
  ("2026-11-23T14:05:06+0000", moment), ("2026-11-23T14:05:06-00", moment),
  ("2026-11-23T15:05:06+01:00", moment), ("2026-11-23T09:05:06-05:00", moment),
  ("2026-11-23T19:35:06+0530", moment), ("2026-11-23T14:05:06+05", moment - 5 * hour),
  ("2026-11-23T14:05:06-0330", moment + 3 * hour + 30 * minute),
  ("2026-11-23T14:05:06+23:59", moment - 23 * hour - 59 * minute),
  ("2026-11-23T14:05:06-23:59", moment + 23 * hour + 59 * minute),
  ("2026-11-23T14:05:06+2359", moment - 23 * hour - 59 * minute),
  ("2026-11-23T14:05:06-23", moment + 23 * hour), ("2026-11-23T14:05+01:00", moment - 6_000_000 - hour),
  ("2026-11-23 14:05:06.5-0130", moment + 500_000 + 90 * minute),
  // Before 1970 the fraction still counts forwards.
  ("1970-01-01", 0), ("1970-01-01T00:00:00.000001Z", 1), ("1969-12-31T23:59:59.999999Z", -1),
  ("1969-12-31T23:59:59.9999999Z", -1), ("1969-12-31T23:59:59Z", -1_000_000),
  ("1969-12-31T23:59:58.25Z", -1_750_000), ("1969-12-31", -24 * hour), ("1970-01-01T00:00:00+01:00", -hour),
  ("1969-12-31T23:00:00.5-01:00", 500_000),
  // Real dates only.
  ("2024-02-29", 19_782 * 24 * hour), ("2000-02-29", 11_016 * 24 * hour), ("1900-02-28", -25_509 * 24 * hour),
  ("2026-12-31", 20_818 * 24 * hour),
  // The years 0001 to 9999, in UTC.
  ("0001-01-01", first), ("0001-01-01T00:00:00Z", first), ("0001-01-01T00:00:00.000001Z", first + 1),
  ("0001-01-01T00:00-00:01", first + minute),
  ("0001-01-01T01:00+01:00", first), ("0000-12-31T23:59-00:01", first), ("0000-12-31T23:00:00-01:00", first),
  ("9999-12-31T23:59:59.999999Z", last),
  ("9999-12-31T23:59:59.9999999Z", last), ("9999-12-31T23:59:59.999999+00:01", last - minute),
  ("9999-12-31", last - 24 * hour + 1),
]

private let unreadable: [String] = [
  "", " ", "now", "epoch", "infinity", "-infinity", "today", "2026", "2026-11", "2026-11-2", "2026-1-23",
  "26-11-23", "20261123", "2026/11/23", "2026.11.23",
  "20261123T140506Z", "2026-W48-1", "2026-327", "-2026-11-23", "+2026-11-23", "12026-11-23",
  "02026-11-23T14:05:06Z", "2026-11-23-", "2026-11-23T", "2026-11-23 ",
  " 2026-11-23", "2026-11-23Z", "2026-11-23+01:00", "2026-11-23T14", "2026-11-23T14Z", "2026-11-23T14:",
  "2026-11-23T14:5", "2026-11-23T4:05:06Z", "2026-11-23T1405Z",
  "2026-11-23T14:05:", "2026-11-23T14:05:Z", "2026-11-23T14:05:6Z", "2026-11-23T14:05:06.Z",
  "2026-11-23T14:05:06.", "2026-11-23T14:05:06,", "2026-11-23T14:05.5Z",
  "2026-11-23T14:05,5", "2026-11-23T14:05:06.5.5Z", "2026-11-23T14:05:06.5,5Z", "2026-11-23T14:05:06;5Z",
  "2026-11-23T14:05:06:00Z", "2026-11-23  14:05:06Z",
  "2026-11-23_14:05:06Z", "2026-11-23\t14:05:06Z", "2026-11-23\u{A0}14:05:06Z", "2026-11-23T 14:05:06Z",
  "2026-11-23T14:05:06Z ", "2026-11-23T14:05:06 Z",
  "2026-11-23T14:05:06ZZ", "2026-11-23T14:05:06 +01:00", "2026-11-23T14:05:06Zx", "2026-11-23T14:05:06Z\0",
  "2026-11-23\0", "\0",
  // Fields beyond their range.
  "2026-11-23T14:05:60Z", "2026-11-23T23:59:60Z", "2016-12-31T23:59:60Z", "2026-11-23T24:00:00Z",
  "2026-11-23T24:00Z", "2026-11-23T25:00Z", "2026-11-23T14:60Z",
  "2026-11-23T14:05:99Z", "2026-00-23", "2026-13-23", "2026-11-00", "2026-11-31", "2026-02-29", "1900-02-29",
  "2100-02-29", "2026-02-30", "2026-04-31", "2026-01-32",
  // Zones.
  "2026-11-23T14:05:06+", "2026-11-23T14:05:06-", "2026-11-23T14:05:06+1", "2026-11-23T14:05:06+1:00",
  "2026-11-23T14:05:06+01:", "2026-11-23T14:05:06+01:0",
  "2026-11-23T14:05:06+010", "2026-11-23T14:05:06+01:000", "2026-11-23T14:05:06+01000",
  "2026-11-23T14:05:06+24:00", "2026-11-23T14:05:06-24:00", "2026-11-23T14:05:06+24",
  "2026-11-23T14:05:06+2400", "2026-11-23T14:05:06+23:60", "2026-11-23T14:05:06+01:60",
  "2026-11-23T14:05:06+0160", "2026-11-23T14:05:06+01:00:00",
  "2026-11-23T14:05:06+01.00", "2026-11-23T14:05:06+01 00", "2026-11-23T14:05:06\u{2212}01:00",
  "2026-11-23T14:05:06UTC", "2026-11-23T14:05:06 UTC", "2026-11-23T14:05:06GMT",
  "2026-11-23T14:05:06 Europe/Berlin", "2026-11-23T14:05:06[Europe/Berlin]",
  "2026-11-23T14:05:06+01:00[Europe/Berlin]", "2026-11-23T14:05:06A", "2026-11-23T14:05:06+01:00Z",
  // Out of the years 0001 to 9999 in UTC.
  "0000-01-01", "0000-12-31", "0000-12-31T23:59:59.999999Z", "0001-01-01T00:00+00:01",
  "0001-01-01T00:59:59.999999+01:00", "0001-01-01T00:00:00+23:59", "0000-12-31T23:58-00:01",
  "9999-12-31T23:59:00-00:01", "9999-12-31T23:59:59.999999-00:01", "9999-12-31T01:00-23:00", "10000-01-01",
  "10000-01-01T00:00:00Z",
  // Other writings.
  "Mon, 23 Nov 2026 14:05:06 GMT", "23/Nov/2026:14:05:06 +0000", "1764000000", "1764000000.123",
  "2026-11-23T14:05:06 AM", "２０２６-11-23", "2026‐11‐23", "2026-11-23T14.05.06Z",
  "2026-Nov-23", "2026-1a-23", "2026-11-23Ta4:05Z", "2026-11-23T14:0aZ", "2026-11-23T14:05:0aZ", "202a-11-23",
  "2026-11-23T14:05:06.aZ", "2026-11-23T14:05:06.1a", "P1D", "x",
]

private let otherKinds = [
  "0", "1764000000", "1764000000123", "-1", "1e9", "1.5", "true", "false", "[]", "{}", #"["2026-11-23"]"#,
  #"{"$date":"2026-11-23"}"#,
]

/// The text as a JSON string, every character escaped.
private func escaped(_ text: String) -> String {
  text.utf16.map {
    "\\u" + String(repeating: "0", count: 4 - String($0, radix: 16).count) + String($0, radix: 16)
  }.joined()
}

@Suite struct TimestampRuleTests {
  /// The form that most logs have is read by itself, and the minute of the line before is remembered: neither changes anything.
  @Test func theUsualFormIsReadAsTheOthersAre() async throws {
    var random = SeededRandom(seed: 7)
    let others = Array("0123456789:.-TZ+ ,/x\u{7F}")
    var texts: [String] = []
    for number in 0..<4000 {
      var text = Array("2026-11-23T14:\(10 + number / 700):0\(number % 10).\(100 + number % 800)Z")
      for _ in 0..<Int.random(in: 0..<3, using: &random) {
        text[Int.random(in: 0..<text.count, using: &random)] = others.randomElement(using: &random)!
      }
      texts.append(String(text))
    }
    let lines = texts.map { "{\"@timestamp\":\"\($0)\"}\n" }.joined()
    let scanned = try await scan(lines)
    var readable = 0
    for (text, row) in zip(texts, scanned.rows) {
      // The same by the way of all other forms.
      let other = text.hasSuffix("Z") ? text.dropLast() + "+00:00" : text + " "
      let moment = text.hasSuffix("Z") ? timestamp(of: String(other)) : timestamp(of: text)
      #expect(row.ts == moment && timestamp(of: text) == moment, "\(text)")
      if moment != nil { readable += 1 }
    }
    #expect(readable > 1500 && readable < 3500)
  }

  @Test(arguments: readable) func readableTimes(_ text: String, _ microseconds: Int64) async throws {
    for written in [text, escaped(text)] {
      let scanned = try await scan("{\"@timestamp\":\"\(written)\"}")
      #expect(scanned.rows.map(\.ts) == [Instant(microseconds: microseconds)])
      #expect(scanned.rows.map(\.extra) == [nil])
      #expect(scanned.counts.firstTs == Instant(microseconds: microseconds))
    }
  }

  @Test(arguments: unreadable) func unreadableTimesStayInExtra(_ text: String) async throws {
    let isPlain = text.unicodeScalars.allSatisfy { $0.value >= 0x20 }
    for written in (isPlain ? [text] : []) + [escaped(text)] {
      let scanned = try await scan("{\"id\":\"1\",\"@timestamp\" : \"\(written)\"}")
      #expect(scanned.cells == [Cells(id: "1", extra: "{\"@timestamp\":\"\(written)\"}")])
      #expect(scanned.counts.firstTs == nil && scanned.counts.lastTs == nil)
    }
  }

  @Test(arguments: otherKinds) func onlyStringsAreTimes(_ value: String) async throws {
    try await LineCase("{\"@timestamp\":\(value)}", Cells(extra: "{\"@timestamp\":\(value)}")).check()
  }

  @Test func nullIsNull() async throws { try await LineCase(#"{"@timestamp": null }"#, Cells()).check() }

  /// Every date of the calendar's cycle of 400 years, and none that it hasn't.
  @Test func everyDateOfFourCenturies() async throws {
    var text = ""
    var expected: [Int64?] = []
    var days: Int64 = -719_162
    for year in 1...400 {
      for month in 1...12 {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let length = month == 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
        for day in [1, length, length + 1] {
          text += "{\"@timestamp\":\"\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))\"}\n"
          expected.append(day > length ? nil : (days + Int64(day) - 1) * 24 * hour)
        }
        days += Int64(length)
      }
    }
    #expect(days == -719_162 + 146_097)
    #expect(try await scan(text).rows.map { $0.ts?.microseconds } == expected)
  }

  @Test func countsHaveTheEarliestAndTheLatest() async throws {
    let scanned = try await scan(
      #"""
      {"id":"none"}
      {"@timestamp":"2026-11-23T00:00:02Z"}
      {"@timestamp":"never"}
      {"@timestamp":"2026-11-23T00:00:03Z"}
      {"@timestamp":"2026-11-23T00:00:01Z","x":1}
      {"@timestamp":"2020-01-01T00:00:00Z","x":}
      """#)
    #expect(scanned.counts.firstTs == Instant(microseconds: midnight + 1_000_000))
    #expect(scanned.counts.lastTs == Instant(microseconds: midnight + 3_000_000))
  }

  @Test("A time is read the same whatever date stood in the line before it")
  func whateverCameBefore() async throws {
    let dates = [
      "1970-01-01", "2026-11-23", "2026-11-24", "2026-02-29", "2024-02-29", "0001-01-01", "9999-12-31",
      "2026-13-01", String(repeating: "\u{0}", count: 10),
    ]
    let some = dates.flatMap { date in
      ["", "T14:05:06Z", "T24:00:00Z", "T00:00:00-23:59"].map { date + $0 }
    }
    let texts = some.flatMap { first in some.flatMap { [first, $0] } }
    let lines = texts.map { text in
      let json: JSONValue = ["@timestamp": .string(text)]
      return json.text
    }
    let together = try await scan(lines.joined(separator: "\n"))
    #expect(together.rows.map(\.ts) == texts.map { timestamp(of: $0) })
  }
}
