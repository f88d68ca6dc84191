import Fleet
import Logs
import Support
import Testing

@testable import Harvest

@Suite("What a probe found") struct ExaminationTests {
  private let node = Node(region: "eu", zone: "eu-a", name: "n")

  private func examined(at seconds: Double) -> ExaminedNode {
    let report = ProbeReport(at: seconds, version: "1")
    let output = String(decoding: report.line, as: UTF8.self)
    return ExaminedNode(
      NodeOutcome(node: node, ending: .answered, output: output),
      began: Instant(microseconds: 1000 * 1_000_000),
      now: Instant(microseconds: 1010 * 1_000_000))
  }

  @Test(
    "A clock that is off is a fault, and which way it is off is said",
    arguments: [(975.0, ""), (1035.0, ""), (969.0, "slow"), (1041.0, "fast")])
  func clocks(_ seconds: Double, _ words: String) {
    let faults = examined(at: seconds).faults
    #expect(words.isEmpty ? faults.isEmpty : faults.count == 1 && faults[0].what.contains(words), "\(faults)")
  }

  @Test("What a node prints has an end, and what does not fit is left out from the last")
  func limit() throws {
    var report = ProbeReport(at: 1, version: "1")
    report.missingFolders = (0..<100).map { "var/logs/folder-\($0)" }
    report.faults = (0..<3).map {
      ProbeReport.Fault(what: "\($0)", remedy: String(repeating: "r", count: 160))
    }
    let line = report.line
    #expect(line.count < ProbeReport.limit)
    let read = try decodeJSON(ProbeReport.self, from: line, code: "test", document: "It")
    #expect(read.faults == report.faults && read.missingFolders.count > 10 && read.missingFolders.count < 100)
  }

  @Test("Who could not be asked has the engine's reason; what is no report is one")
  func reasons() {
    func faults(_ ending: NodeOutcome.Ending, _ output: String = "") -> String {
      let now = Instant(microseconds: 0)
      let examined = ExaminedNode(
        NodeOutcome(node: node, ending: ending, output: output), began: now, now: now)
      return examined.report == nil ? examined.faults.map(\.what).joined() : "a report"
    }
    #expect(faults(.offline("lost")).contains("lost"))
    #expect(faults(.refused("no")).contains("no"))
    #expect(faults(.failed("why")) == "why")
    #expect(faults(.answered, "Segmentation fault").contains("can't be read"))
  }
}
