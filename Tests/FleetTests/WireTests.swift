import Support
import TestSupport
import Testing

@testable import Fleet

@Suite("What an orchestrator says") struct WireTests {
  @Test("Every recorded answer about a job is read", arguments: try Recorded.names())
  func recorded(_ name: String) throws {
    for answer in try Recorded(name).lastAnswers() {
      #expect(answer.job.isTerminal, "\(answer)")
      for execution in answer.executions { #expect(execution.isTerminal && execution.ending() != nil) }
    }
  }

  @Test("States are numbers or names; unknown ones and unknown fields are kept")
  func lenient() throws {
    func execution(_ state: String) throws -> WireExecution {
      try decodeJSON(
        WireExecution.self,
        from: Array(
          #"{"NodeID":"n","New":{"a":[1]},"ComputeState":{"StateType":\#(state),"Message":"why"}}"#.utf8),
        code: "test", document: "It")
    }
    #expect(try execution("9").ending() == .answered)
    #expect(try execution(#""Completed""#).ending() == .answered)
    #expect(try execution(#""completed""#).ending() == .answered)
    #expect(try execution("4").ending() == .refused("why"))
    #expect(try execution("1").ending() == nil)
    #expect(try execution("77").ending() == nil)
    #expect(try execution("77").stateName == "77")
    #expect(try execution(#""Hibernating""#).stateName == "Hibernating")
  }

  @Test("Of a thousand executions the jobs in them are left out before anything is decoded")
  func jobsLeftOut() throws {
    let recorded = try #require(
      try Recorded("ops-ok").exchanges.last { $0.body["Executions"] != nil })
    let one = try #require(recorded.body["Executions"]?["Items"]?.array?.first)
    #expect(one["Job"] != nil)
    let answer: JSONValue = [
      "Job": recorded.body["Job"] ?? .null,
      "Executions": ["Items": .array(Array(repeating: one, count: 1000))],
    ]
    let bytes = answer.encoded
    let rest = withoutJobs(bytes)
    #expect(rest.count + 800_000 < bytes.count)
    let read = try decodeJSON(WireJobAnswer.self, from: rest, code: "test", document: "It")
    #expect(read.executions.count == 1000 && read.executions.allSatisfy { $0.ending() == .answered })
    #expect(read.job.stateName == "Completed")
  }

  @Test(
    "Nothing else is left out",
    arguments: [
      (#"{"a":{"b":{"Job":{"x":"}"}}}}"#, #"{"a":{"b":{"Job":null}}}"#),
      (#"{"Job":{"Job":{"x":1}}}"#, #"{"Job":{"Job":{"x":1}}}"#),
      (
        #"{"a":[{"b":"Job"},{"Job":"text"},{"Job": {"q\"}":"\"{"} }]}"#,
        #"{"a":[{"b":"Job"},{"Job":"text"},{"Job": null }]}"#
      ),
      (#"{"a":[{"Job":{"x":1"#, #"{"a":[{"Job":null"#), (#"{"a":"Job":{"#, #"{"a":"Job":{"#), ("", ""),
    ])
  func leftOut(_ text: String, _ rest: String) {
    #expect(String(decoding: withoutJobs(Array(text.utf8)), as: UTF8.self) == rest)
  }
}
