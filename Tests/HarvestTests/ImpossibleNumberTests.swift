import Logs
import Support
import Testing

@testable import Harvest

/// Numbers in documents that no file has: refused, or harmless; never the end of the control machine.
@Suite struct ImpossibleNumberTests {
  static let bundle = CommitStepTests.bundle(["a"])

  private func read(_ wanted: String, as number: String) throws -> StagedBundle {
    let text = String(decoding: encodeJSON(Self.bundle), as: UTF8.self)
    try #require(text.contains(wanted))
    return try decodeJSON(
      StagedBundle.self, from: Array(text.replacing(wanted, with: number).utf8), code: "report.broken",
      document: "D")
  }

  @Test(arguments: ["9223372036854775807", "-9223372036854775808"])
  func aTimeThatNoMicrosecondsCountIsAContradiction(_ number: String) throws {
    let bundle = try read("\"rotated\":1795000000", as: "\"rotated\":\(number)")
    #expect(contradiction(in: bundle, dataPath: "file:///t/data") != nil)
  }

  @Test(arguments: ["9223372036854775807", "-1", "1125899906842625"])
  func aCountThatCanNotBeIsRefused(_ number: String) {
    let whole = Self.bundle.batches[0]
    for (key, said) in [("entries", whole.entries), ("lines", whole.lines), ("bytes", whole.bytes)] {
      let failure = #expect(throws: Failure.self) {
        _ = try read("\"\(key)\":\(said)", as: "\"\(key)\":\(number)")
      }
      #expect(failure?.words.contains("is no count") == true, "\(key)")
    }
  }

  /// A sparse file may be larger than any count: what is said of it can be read all the same.
  @Test func aLargerSizeIsWrittenAsTheLargest() throws {
    var bundle = Self.bundle
    bundle.batches[0].bytes = .max
    let read = try decodeJSON(
      StagedBundle.self, from: encodeJSON(bundle), code: "report.broken", document: "D")
    #expect(read.batches[0].bytes == 1 << 50)
  }
}
