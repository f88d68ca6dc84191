import Support
import Testing

@testable import Iceberg

/// Tables that are not ours to append to (DESIGN.md 4.2, step 1).
@Suite struct ForeignTableTests {
  static let ours = applied(
    TableChangeTests.change, to: nil, previous: nil, location: "file:///w/t", uuid: "u")

  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var word: String
    var change: @Sendable (inout JSONValue) -> Void
  }

  static let refused: [Case] = [
    Case(testDescription: "format version 1", word: "version is 1") { $0["format-version"] = 1 },
    Case(testDescription: "format version 3", word: "version is 3") { $0["format-version"] = 3 },
    Case(testDescription: "no format version", word: "version") { $0["format-version"] = nil },
    Case(testDescription: "column missing", word: "'extra'") {
      changeFields(&$0) { $0.removeAll { $0["name"] == "extra" } }
    },
    Case(testDescription: "column renamed", word: "'body'") { changeField(&$0, 4, "name", "body") },
    Case(testDescription: "column added", word: "'more'") {
      changeFields(&$0) { $0.append(["id": 17, "name": "more", "required": false, "type": "string"]) }
    },
    Case(testDescription: "another type", word: "'line' is int") { changeField(&$0, 13, "type", "int") },
    Case(testDescription: "another time type", word: "'ts' is timestamp,") {
      changeField(&$0, 1, "type", "timestamp")
    },
    Case(testDescription: "nested type", word: "'extra' is nested") {
      changeField(
        &$0, 14, "type", ["type": "list", "element-id": 30, "element": "string", "element-required": true])
    },
    Case(testDescription: "required made optional", word: "'batch' is optional") {
      changeField(&$0, 12, "required", false)
    },
    Case(testDescription: "optional made required", word: "'ts' is required") {
      changeField(&$0, 1, "required", true)
    },
    Case(testDescription: "another current schema", word: "no current schema") {
      $0["current-schema-id"] = 4
    },
    Case(testDescription: "no spec of ours", word: "partition spec") {
      $0["partition-specs"] = [["spec-id": 0, "fields": []]]
    },
    Case(testDescription: "spec in another order", word: "partition spec") {
      let fields = $0["partition-specs"]?.array?[0]["fields"]?.array ?? []
      $0["partition-specs"] = [["spec-id": 0, "fields": .array(fields.reversed())]]
    },
    Case(testDescription: "spec by day of ts", word: "partition spec") { changeSpec(&$0, 0, "source-id", 1) },
    Case(testDescription: "spec by hour", word: "partition spec") { changeSpec(&$0, 0, "transform", "hour") },
    Case(testDescription: "spec with a dropped field", word: "partition spec") {
      changeSpec(&$0, 1, "transform", "void")
    },
    Case(testDescription: "no snapshot, as -1", word: "no snapshot") { $0["current-snapshot-id"] = -1 },
    Case(testDescription: "no snapshot, as nothing", word: "no snapshot") { $0["current-snapshot-id"] = nil },
    Case(testDescription: "no snapshot, as null", word: "no snapshot") { $0["current-snapshot-id"] = .null },
    Case(testDescription: "no sequence number left", word: "sequence") {
      $0["last-sequence-number"] = .integer(.max)
    },
    Case(testDescription: "current snapshot not listed", word: "snapshot") {
      $0["current-snapshot-id"] = 12345
    },
  ]

  @Test(arguments: refused)
  func isRefusedAndSaysWhy(_ foreign: Case) throws {
    var metadata = Self.ours
    foreign.change(&metadata)
    let failure = #expect(throws: Failure.self) { _ = try checkOurs(metadata, table: "logs.events") }
    #expect(failure?.code == "table.foreign")
    #expect(failure?.sentence.contains("logs.events") == true)
    #expect(failure?.sentence.contains(foreign.word) == true, "\(failure?.sentence ?? "")")
  }

  @Test func oursIsTaken() throws { #expect(try checkOurs(Self.ours, table: "t") == newSpec()) }

  @Test func theSpecIsFoundByItsSources() throws {
    var metadata = Self.ours
    metadata["partition-specs"] = [
      [
        "spec-id": 0,
        "fields": [["source-id": 7, "field-id": 1001, "name": "region", "transform": "identity"]],
      ],
      [
        "spec-id": 4,
        "fields": [
          ["source-id": 11, "field-id": 1007, "name": "d", "transform": "day"],
          ["source-id": 7, "field-id": 1008, "name": "r", "transform": "identity"],
        ],
      ],
    ]
    metadata["default-spec-id"] = 0
    let spec = try checkOurs(metadata, table: "t")
    #expect(spec.id == 4)
    #expect((spec.dayFieldID, spec.dayName, spec.regionFieldID, spec.regionName) == (1007, "d", 1008, "r"))
  }

  @Test func docsAndDefaultsOfColumnsMakeNoDifference() throws {
    var metadata = Self.ours
    changeField(&metadata, 4, "doc", "what was said")
    #expect(throws: Never.self) { try checkOurs(metadata, table: "t") }
  }
}

private func changeFields(_ metadata: inout JSONValue, _ change: (inout [JSONValue]) -> Void) {
  var schema = metadata["schemas"]?.array?[0] ?? .null
  var fields = schema["fields"]?.array ?? []
  change(&fields)
  schema["fields"] = .array(fields)
  metadata["schemas"] = [schema]
}

private func changeField(_ metadata: inout JSONValue, _ id: Int64, _ key: String, _ value: JSONValue) {
  changeFields(&metadata) { fields in
    for index in fields.indices where fields[index]["id"]?.integer == id { fields[index][key] = value }
  }
}

private func changeSpec(_ metadata: inout JSONValue, _ index: Int, _ key: String, _ value: JSONValue) {
  var fields = metadata["partition-specs"]?.array?[0]["fields"]?.array ?? []
  fields[index][key] = value
  metadata["partition-specs"] = [["spec-id": 0, "fields": .array(fields)]]
}
