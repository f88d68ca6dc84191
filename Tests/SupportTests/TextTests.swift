import Support
import TestSupport
import Testing

@Suite struct TextTests {
  @Test(arguments: [
    (0.0, 1, "0.0"), (1.25, 1, "1.3"), (-1.25, 2, "-1.25"), (0.049, 1, "0.0"), (-0.04, 1, "0.0"),
    (999.95, 1, "1000.0"), (12.0, 0, "12"), (0.5, 0, "1"), (1234.5678, 3, "1234.568"),
    (0.001, 3, "0.001"), (1e14, 0, "100000000000000"),
  ])
  func decimalsAreRounded(value: Double, places: Int, text: String) {
    #expect(decimal(value, places: places) == text)
  }

  @Test(arguments: [
    (Int64(0), "0"), (999, "999"), (1000, "1,000"), (-1000, "-1,000"), (1_234_567, "1,234,567"),
    (-999_999, "-999,999"), (.max, "9,223,372,036,854,775,807"),
    (.min, "-9,223,372,036,854,775,808"),
  ])
  func thousandsAreSetOff(value: Int64, text: String) { #expect(grouped(value) == text) }

  @Test(arguments: [(0, "0 files"), (1, "1 file"), (2, "2 files"), (1234, "1,234 files")])
  func thingsAreCounted(value: Int, text: String) { #expect(counted(value, "file") == text) }

  @Test func otherPluralsAreTaken() { #expect(counted(2, "entry", plural: "entries") == "2 entries") }

  @Test(arguments: [(5, 2, "05"), (123, 2, "123"), (-5, 3, "-005"), (0, 1, "0")])
  func numbersArePadded(value: Int, width: Int, text: String) { #expect(padded(value, width) == text) }

  @Test(arguments: [
    ("harvst", "harvest"), ("haverst", "harvest"), ("quer", "query"), ("queryy", "query"), ("nod", "node"),
    ("hravest", "harvest"), ("query", "query"), ("zzz", nil), ("", nil),
    ("completely", nil), ("x", nil),
  ])
  func theNearestIsFound(word: String, near: String?) {
    #expect(nearest(to: word, among: ["harvest", "query", "node", "verify"]) == near)
  }

  @Test(arguments: [
    ("a secret, a secret", "a ***, a ***"), ("secret", "***"), ("", ""), ("SECRET secre t", "SECRET secre t"),
    ("x, Signature=0aF9, y", "x, Signature=***, y"), ("Signature=", "Signature="),
    ("Signature=12 Signature=secret", "Signature=*** Signature=***"), ("signature=12", "signature=12"),
  ])
  func secretsAreHidden(text: String, shown: String) { #expect(hiding(["secret", ""], in: text) == shown) }

  @Test func nothingIsNearToNothing() { #expect(nearest(to: "a", among: [String]()) == nil) }

  @Test(arguments: [
    ("plain\ttext\n", "plain\ttext\n"), ("a\u{1B}[2Jb", "a\u{FFFD}[2Jb"),
    ("\u{0}\u{7}\u{8}\r", "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
    ("\u{7F}\u{85}\u{9B}", "\u{FFFD}\u{FFFD}\u{FFFD}"),
    ("\u{202E}evil\u{202C}", "\u{FFFD}evil\u{FFFD}"), ("\u{2066}a\u{2069}", "\u{FFFD}a\u{FFFD}"),
    ("é日志\u{1F986}\u{A0}", "é日志\u{1F986}\u{A0}"), ("\r\n", "\u{FFFD}\n"), ("", ""),
  ])
  func whatATerminalActsOnIsReplaced(text: String, shown: String) {
    #expect(Array(printable(text).unicodeScalars) == Array(shown.unicodeScalars))
  }

  @Test func hexHasTwoDigitsAByte() { #expect(hex([0, 1, 0x0F, 0xF0, 0xAB, 0xFF]) == "00010ff0abff") }

  @Test func randomNamesDiffer() {
    let names = Set((0..<1000).map { _ in randomName() })
    #expect(names.count == 1000)
    #expect(names.allSatisfy { $0.utf8.count == 16 && $0.allSatisfy { "0123456789abcdef".contains($0) } })
  }
}

@Suite struct FailureTests {
  @Test func hasSentenceRemedyWordsAndCode() {
    let failure = Failure(
      "store.full", "The store is full.", remedy: "Free some space.", words: "No space left\non device\n")
    #expect(
      failure.description
        == "The store is full.\n  Free some space.\n  | No space left\n  | on device\n  [store.full]")
    #expect(Failure("a.b", "Short.").description == "Short.\n  [a.b]")
  }

  @Test func othersWordsAreShortenedAndMadeHarmless() {
    let failure = Failure("a.b", "S.", words: "\u{1B}[31m" + String(repeating: "x", count: 10_000))
    #expect(failure.words.count == Failure.wordsLimit)
    #expect(!failure.description.unicodeScalars.contains("\u{1B}"))
  }

  @Test func anyErrorBecomesOne() {
    struct Odd: Error {}
    let failure = Failure("a.b", "S.")
    #expect(Failure.from(failure) == failure)
    #expect(Failure.from(CancellationError()).code == "cancelled")
    #expect(Failure.from(Odd()).code == "internal")
  }
}
