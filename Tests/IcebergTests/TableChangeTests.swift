import Support
import Testing

@testable import Iceberg

@Suite struct TableChangeTests {
  static let base: JSONValue = [
    "format-version": 2, "table-uuid": "u", "location": "file:///w/t", "last-updated-ms": 1000,
    "last-sequence-number": 7, "current-snapshot-id": 5,
    "snapshots": [
      ["snapshot-id": 5, "sequence-number": 7, "timestamp-ms": 1000, "manifest-list": "file:///l.avro"]
    ],
    "snapshot-log": [["snapshot-id": 5, "timestamp-ms": 1000]],
    "refs": [
      "main": ["type": "branch", "snapshot-id": 5, "max-ref-age-ms": 77],
      "audit": ["type": "tag", "snapshot-id": 5],
    ],
    "properties": ["owner": "somebody", "gadwall.committed.old": "{}", "gadwall.committed.other": "{}"],
    "statistics": [["snapshot-id": 5, "statistics-path": "x.puffin"]], "of-the-future": ["a": [1, 2, 3]],
    "last-column-id": 16,
  ]

  static let change = TableChange(
    snapshot: [
      "snapshot-id": 9_007_199_254_740_993, "sequence-number": 8, "timestamp-ms": 2000,
      "manifest-list": "file:///m.avro", "parent-snapshot-id": 5, "summary": ["operation": "append"],
    ],
    setProperties: ["gadwall.committed.new": "{}"], removeProperties: ["gadwall.committed.old", "not-there"])

  private var made: JSONValue {
    applied(
      Self.change, to: Self.base, previous: "file:///w/t/metadata/v1.metadata.json", location: "file:///no",
      uuid: "no")
  }

  @Test func whatWeDontKnowSurvives() {
    for key in ["table-uuid", "location", "statistics", "of-the-future", "last-column-id", "format-version"] {
      #expect(made[key] == Self.base[key], "\(key)")
    }
  }

  @Test func theSnapshotIsAddedAndCurrent() {
    #expect(made["snapshots"]?.array?.count == 2)
    #expect(made["snapshots"]?.array?.last == Self.change.snapshot)
    #expect(made["current-snapshot-id"] == 9_007_199_254_740_993)
    #expect(made["last-sequence-number"] == 8)
    #expect(made["last-updated-ms"] == 2000)
    #expect(
      made["snapshot-log"] == [
        ["snapshot-id": 5, "timestamp-ms": 1000],
        ["snapshot-id": 9_007_199_254_740_993, "timestamp-ms": 2000],
      ])
  }

  @Test func refsKeepWhatTheyAre() {
    #expect(
      made["refs"] == [
        "main": ["type": "branch", "snapshot-id": 9_007_199_254_740_993, "max-ref-age-ms": 77],
        "audit": ["type": "tag", "snapshot-id": 5],
      ])
  }

  @Test func propertiesAreSetAndRemovedAndOthersStay() {
    #expect(
      made["properties"] == [
        "owner": "somebody", "gadwall.committed.other": "{}", "gadwall.committed.new": "{}",
      ])
  }

  @Test func theMetadataLogNamesWhatCameBefore() {
    #expect(
      made["metadata-log"] == [
        ["metadata-file": "file:///w/t/metadata/v1.metadata.json", "timestamp-ms": 1000]
      ])
  }

  @Test(arguments: [(nil, 100), ("3", 3), ("0", 1), ("many", 100)])
  func theMetadataLogIsAsLongAsThePropertySays(setting: String?, length: Int) {
    var metadata = Self.base
    metadata["properties"]?["write.metadata.previous-versions-max"] = setting.map { .string($0) }
    for version in 1...120 {
      metadata = applied(Self.change, to: metadata, previous: "v\(version)", location: "", uuid: "")
    }
    let log = metadata["metadata-log"]?.array ?? []
    #expect(log.count == length)
    #expect(log.last?["metadata-file"] == "v120")
  }

  @Test func aNewTableHasAllThatTheSpecificationWants() throws {
    let metadata = applied(Self.change, to: nil, previous: nil, location: "file:///w/t", uuid: "uuid")
    #expect(metadata["format-version"] == 2)
    #expect(metadata["table-uuid"] == "uuid")
    #expect(metadata["location"] == "file:///w/t")
    #expect(metadata["last-column-id"] == 16)
    #expect(metadata["last-partition-id"] == 1001)
    #expect(metadata["refs"]?["main"]?["snapshot-id"] == 9_007_199_254_740_993)
    #expect(metadata["refs"]?["main"]?["type"] == "branch")
    #expect(metadata["metadata-log"] == [])
    #expect(metadata["snapshots"]?.array?.count == 1)
    let spec = try checkOurs(metadata, table: "logs.events")
    #expect(spec == newSpec())
  }

  @Test func aMarkerSaysWhatItWasTold() throws {
    let marker = CommitMarker(snapshot: 9_007_199_254_740_993, sequence: 3, leftOut: ["a", "b"])
    #expect(CommitMarker(text: marker.text) == marker)
    #expect(CommitMarker(text: "{") == nil)
  }

  @Test func runsAreKnownByMarkerElseBySummary() {
    var metadata = Self.base
    metadata["snapshots"] = [
      ["snapshot-id": 5, "sequence-number": 7, "summary": ["gadwall.run": "A", "gadwall.left-out": "x,y"]],
      ["snapshot-id": 6, "sequence-number": 8, "summary": ["gadwall.run": "B"]],
      ["snapshot-id": 7, "sequence-number": 9, "summary": ["operation": "append"]],
    ]
    metadata["properties"] = [
      "gadwall.committed.B": .string(CommitMarker(snapshot: 6, sequence: 8, leftOut: ["z"]).text),
      "gadwall.committed.C": .string(CommitMarker(snapshot: 1, sequence: 1, leftOut: []).text), "other": "x",
    ]
    #expect(
      LoadedTable(metadata: metadata, version: 1).committedRuns == [
        "A": CommitMarker(snapshot: 5, sequence: 7, leftOut: ["x", "y"]),
        "B": CommitMarker(snapshot: 6, sequence: 8, leftOut: ["z"]),
        "C": CommitMarker(snapshot: 1, sequence: 1, leftOut: []),
      ])
  }

  @Test func pathsFollowTheTablesProperties() {
    var table = LoadedTable(metadata: Self.base, version: 1)
    #expect(table.dataPath == "file:///w/t/data")
    #expect(table.metadataPath == "file:///w/t/metadata")
    table.metadata["properties"]?["write.data.path"] = "s3://other/data/"
    table.metadata["properties"]?["write.metadata.path"] = "s3://other/meta"
    #expect(table.dataPath == "s3://other/data")
    #expect(table.metadataPath == "s3://other/meta")
  }
}
