import Support
import TestSupport
import Testing

@Suite struct InstantTests {
  @Test(arguments: [
    (Int64(0), "1970-01-01T00:00:00Z", "197001010000"), (-1, "1969-12-31T23:59:59.999999Z", "196912312359"),
    (1_795_442_400_000_000, "2026-11-23T14:00:00Z", "202611231400"),
    (1_795_442_400_120_000, "2026-11-23T14:00:00.120Z", "202611231400"),
    (1_795_442_400_000_001, "2026-11-23T14:00:00.000001Z", "202611231400"),
    (951_782_400_000_000, "2000-02-29T00:00:00Z", "200002290000"),
    (-62_135_596_800_000_000, "0001-01-01T00:00:00Z", "000101010000"),
    (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z", "999912312359"),
  ])
  func isShown(microseconds: Int64, text: String, stamp: String) {
    let instant = Instant(microseconds: microseconds)
    #expect(instant.description == text)
    #expect(instant.minuteStamp == stamp)
    #expect(instant.dateText == String(text.prefix(10)))
  }

  @Test func everyDayOfSixThousandYearsComesBack() {
    var before = civil(fromDays: -800_001)
    for day in -800_000...1_400_000 {
      let date = civil(fromDays: day)
      if days(fromYear: date.year, month: date.month, day: date.day) != day
        || !isRealDate(year: date.year, month: date.month, day: date.day)
      {
        Issue.record("day \(day) is \(date)")
      }
      // The next day of the same month, or the first of the next month, or of the next year.
      let follows =
        date == (before.year, before.month, before.day + 1) || date == (before.year, before.month + 1, 1)
        || date == (before.year + 1, 1, 1)
      if !follows { Issue.record("\(date) follows \(before)") }
      before = date
    }
  }

  @Test func partsMakeTheMomentAgain() {
    var random = SeededRandom(seed: 2)
    for _ in 0..<20_000 {
      let instant = Instant(
        microseconds: Int64.random(in: -62_135_596_800_000_000...253_402_300_799_999_999, using: &random))
      let p = instant.parts
      let day = days(fromYear: p.year, month: p.month, day: p.day)
      #expect(day == Int(instant.day))
      #expect((0..<24).contains(p.hour) && (0..<60).contains(p.minute) && (0..<60).contains(p.second))
      let seconds = Int64(day) * 86_400 + Int64(p.hour * 3600 + p.minute * 60 + p.second)
      #expect(seconds == instant.seconds)
      #expect(seconds * 1_000_000 + Int64(p.fraction) == instant.microseconds)
    }
  }

  @Test(.tags(.medium)) func agreesWithPython() async throws {
    var random = SeededRandom(seed: 4)
    let moments = (0..<2000).map { _ in
      Int64.random(in: -62_135_596_800_000_000...253_402_300_799_999_999, using: &random)
    }
    let script = """
      import datetime, json, sys
      for us in json.load(sys.stdin):
          t = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=us)
          print('%04d-%02d-%02d %02d:%02d:%02d.%06d' % (t.year, t.month, t.day, t.hour, t.minute, t.second, t.microsecond))
      """
    let said = String(decoding: try await python(script, input: encodeJSON(moments)), as: UTF8.self).split(
      separator: "\n")
    #expect(said.count == moments.count)
    for (moment, text) in zip(moments, said) {
      let p = Instant(microseconds: moment).parts
      let ours =
        "\(padded(p.year, 4))-\(padded(p.month, 2))-\(padded(p.day, 2)) \(padded(p.hour, 2)):\(padded(p.minute, 2)):\(padded(p.second, 2)).\(padded(p.fraction, 6))"
      #expect(ours == text)
    }
  }

  @Test(arguments: [
    (2024, 2, 29, true), (2026, 2, 29, false), (1900, 2, 29, false), (2000, 2, 29, true),
    (2026, 4, 31, false), (2026, 12, 31, true), (2026, 13, 1, false),
    (2026, 0, 1, false), (2026, 1, 0, false), (2026, 1, 32, false), (2026, -1, 5, false),
  ])
  func datesAreReal(year: Int, month: Int, day: Int, real: Bool) {
    #expect(isRealDate(year: year, month: month, day: day) == real)
  }

  @Test(arguments: [(Int64(7), Int64(2), Int64(3)), (-7, 2, -4), (-6, 2, -3), (0, 5, 0), (-1, 86_400, -1)])
  func divisionGoesDown(number: Int64, divisor: Int64, result: Int64) {
    #expect(number.flooredDividing(by: divisor) == result)
  }

  @Test func aDeadlinePasses() {
    #expect(Deadline.after(seconds: -1).hasPassed)
    #expect(!Deadline.after(seconds: 60).hasPassed)
    #expect(Deadline.after(seconds: 1) < Deadline.after(seconds: 60))
    #expect(Deadline.after(seconds: 60).remainingSeconds > 50)
  }
}

@Suite struct FarMomentTests {
  @Test func secondsThatDoNotFitAreTheLastMomentThereIs() {
    #expect(Instant(seconds: .max).microseconds == .max)
    #expect(Instant(seconds: .min).microseconds == .min)
    #expect(Instant(seconds: 9_223_372_036_854).microseconds == 9_223_372_036_854_000_000)
  }

  @Test func everyMomentHasADescription() {
    #expect(Instant(microseconds: .min).description == "-290308-12-21T19:59:05.224192Z")
    #expect(Instant(microseconds: .max).description == "294247-01-10T04:00:54.775807Z")
    #expect(Instant(microseconds: -1).description == "1969-12-31T23:59:59.999999Z")
  }

  @Test func aDeadlineMayBeFarAway() {
    #expect(!Deadline.after(seconds: 1e300).hasPassed)
    #expect(Deadline.after(seconds: -1e300).hasPassed)
  }

  @Test func aDurationIsAtMostAHundredYears() {
    // With arithmetic on the right side the macro compares as AnyHashable, and reads a byte too much (Swift 6.3.1, AddressSanitizer).
    let hundredYears = 3_155_760_000.0
    #expect(parseDuration("36525d") == hundredYears)
    #expect(parseDuration("36526d") == nil)
    #expect(parseDuration(String(repeating: "9", count: 400)) == nil)
  }
}
