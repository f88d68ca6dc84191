import DuckDB
import Files
import HTTP
import Support
import TestSupport
import Testing

@testable import Iceberg

/// What is said to a REST catalog when something is committed.
@Suite(.tags(.medium)) struct RESTCommitTests {
  static let both = [Recording.reference, .nessie]

  // MARK: the first commit

  private func firstScript(_ recording: Recording) throws -> [JSONValue] {
    try recording.script([
      try recording.exchange("stage"), try recording.answer("first commit").to("POST", recording.stagedTable),
    ])
  }

  @Test(arguments: both) func theFirstCommitMakesTheTableAsTheServerPromisedIt(
    _ recording: Recording
  ) async throws {
    let replay = try await Replay(try firstScript(recording))
    let catalog = replay.catalog(recording, name: recording.stagedName)
    let promised = try recording.metadata("stage")
    // The place is the server's to choose: Nessie's ends with a name of its own.
    #expect(try await catalog.newLocation() == promised["location"]?.string)
    let answer = try await catalog.commit(.sample(), on: nil)
    #expect(answer.table?.currentSnapshotID != nil)
    #expect(answer.table?.uuid == promised["table-uuid"]?.string)

    let stages = try await replay.asked("POST", recording.tables)
    #expect(stages.count == 1)
    let stage = try #require(stages.first)
    #expect(
      stage.json == [
        "name": .string(recording.stagedName), "schema": schemaJSON(), "partition-spec": partitionSpecJSON(),
        "write-order": ["order-id": 0, "fields": []], "stage-create": true,
        "properties": .object(newTableProperties.mapValues { .string($0) }),
      ])
    // Nessie answers 500 to a request without it; a 1 or a text would be none.
    #expect(stage.body.contains("\"stage-create\":true"))

    let commits = try await replay.asked("POST", recording.stagedTable)
    #expect(commits.count == 1)
    let commit = try #require(commits.first).json
    #expect(commit["requirements"] == [["type": "assert-create"]])
    let updates = try #require(commit["updates"]?.array)
    #expect(
      updates.map { $0["action"]?.string } == [
        "assign-uuid", "upgrade-format-version", "add-schema", "set-current-schema", "add-spec",
        "set-default-spec", "add-sort-order", "set-default-sort-order", "set-location", "set-properties",
        "add-snapshot", "set-snapshot-ref", "set-properties",
      ])
    // The server took these from the recording's client: the same, with the schema that it promised.
    let taken = try #require(
      try recording.exchange("first commit")["request"]?["body"]?["updates"]?.array)
    #expect(Array(updates[..<9]) == Array(taken[..<9]))
    #expect(updates[9]["updates"] == promised["properties"])
    #expect(updates[10]["snapshot"] == TableChange.sample().snapshot)
    #expect(updates[11] == ref(9_007_199_254_740_993))
    // In the same commit as the snapshot, or it proves nothing.
    #expect(
      updates[12]["updates"] == .object(TableChange.sample().setProperties.mapValues { .string($0) }))
    for asked in stages + commits {
      #expect(asked.headers["x-iceberg-access-delegation"] == "vended-credentials")
      #expect(asked.headers["content-type"] == "application/json")
    }
  }

  private func ref(_ id: Int64) -> JSONValue {
    ["action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": .integer(id)]
  }

  @Test(arguments: both) func aTableThatCameInBetweenIsAConflict(_ recording: Recording) async throws {
    let replay = try await Replay(
      try recording.script([
        try recording.exchange("stage"),
        try recording.answer("first commit on a table").to("POST", recording.stagedTable),
        // And from then on.
        try recording.answer("stage of a table").to("POST", recording.tables),
        try recording.answer("load").to("GET", recording.stagedTable),
      ]))
    let catalog = replay.catalog(recording, name: recording.stagedName)
    #expect(
      try await catalog.commit(.sample(), on: nil).conflictWords?.contains("table already exists") == true)
    // The promise is not kept beyond that: the place is now the table's that is there.
    #expect(try await catalog.newLocation() == recording.metadata("load")["location"]?.string)
    #expect(try await replay.asked("POST", recording.tables).count == 2)
  }

  @Test(arguments: both) func nothingIsCommittedOnATableThatTheServerDoesNotPromise(
    _ recording: Recording
  ) async throws {
    let replay = try await Replay(
      try recording.script([
        try recording.exchange("stage of a table"), try recording.exchange("load"),
        try recording.exchange("commit"),
      ]))
    let catalog = replay.catalog(recording)
    #expect(try await catalog.commit(.sample(), on: nil).isConflict)
    #expect(try await replay.asked("POST", recording.table).isEmpty)
  }

  @Test func aTableThatIsThereAndIsNotGivenIsNamed() async throws {
    let recording = Recording.reference
    let replay = try await Replay(
      try recording.script([
        try recording.exchange("stage of a table"),
        try recording.answer("load absent table").to("GET", recording.table),
      ]))
    let failure = await #expect(throws: Failure.self) {
      _ = try await replay.catalog(recording).newLocation()
    }
    #expect(failure?.code == "catalog.answer")
    #expect(failure?.sentence.contains("logs.events_74735") == true)
  }

  @Test func anAbsentNamespaceIsMadeAndOneThatIsThereWillDo() async throws {
    let recording = Recording.nessie
    for made in [
      Answer(status: 200, body: ["namespace": ["logs"], "properties": [:]]),
      try recording.answer("namespace that exists"),
    ] {
      let replay = try await Replay(
        try recording.script([
          try recording.answer("stage in absent namespace").to("POST", recording.tables),
          try recording.exchange("stage"), made.to("POST", recording.namespaces),
        ]))
      let catalog = replay.catalog(recording, name: recording.stagedName)
      #expect(try await catalog.newLocation() == recording.metadata("stage")["location"]?.string)
      let asked = try await replay.asked("POST")
      #expect(asked.map(\.path) == [recording.tables, recording.namespaces, recording.tables])
      #expect(asked[1].json == ["namespace": ["logs"], "properties": [:]])
      #expect(asked[0].body == asked[2].body)
    }
  }

  @Test func aNamespaceThatMayNotBeMadeIsNamed() async throws {
    let recording = Recording.nessie
    let replay = try await Replay(
      try recording.script([
        try recording.answer("stage in absent namespace").to("POST", recording.tables),
        Answer(status: 403).to("POST", recording.namespaces),
      ]))
    let failure = await #expect(throws: Failure.self) {
      _ = try await replay.catalog(recording).newLocation()
    }
    #expect(failure?.code == "catalog.denied")
    #expect(failure?.sentence.contains("make the namespace logs") == true)
  }

  /// To ask twice for a promise does no harm, unlike a commit.
  @Test func aPromiseWhoseAnswerWasLostIsAskedForAgain() async throws {
    let recording = Recording.reference
    let stage = try recording.answer("stage")
    let replay = try await Replay(
      try recording.script([
        stage.to("POST", recording.tables, cut: "within"),
        Answer(status: 503).to("POST", recording.tables), stage.to("POST", recording.tables),
      ]))
    let catalog = replay.catalog(recording, name: recording.stagedName)
    #expect(try await catalog.newLocation() == recording.metadata("stage")["location"]?.string)
    #expect(try await replay.asked("POST", recording.tables).count == 3)
  }

  // MARK: later commits

  @Test(arguments: both) func aCommitSaysWhatItStandsOn(_ recording: Recording) async throws {
    let replay = try await Replay(
      try recording.script([try recording.exchange("load"), try recording.exchange("commit")]))
    let catalog = replay.catalog(recording)
    let base = try #require(try await catalog.load())
    _ = try await catalog.commit(.sample(), on: base)
    let commits = try await replay.asked("POST")
    #expect(commits.map(\.path) == [recording.table])
    let commit = try #require(commits.first)
    #expect(
      commit.json == [
        "requirements": [
          ["type": "assert-table-uuid", "uuid": .string(base.uuid)],
          [
            "type": "assert-ref-snapshot-id", "ref": "main",
            "snapshot-id": .integer(try #require(base.currentSnapshotID)),
          ],
        ],
        "updates": [
          ["action": "add-snapshot", "snapshot": TableChange.sample().snapshot], ref(9_007_199_254_740_993),
          [
            "action": "set-properties",
            "updates": .object(TableChange.sample().setProperties.mapValues { .string($0) }),
          ],
        ],
      ])
    // All 64 bits of it, and a number.
    #expect(commit.body.contains("\"snapshot-id\":9007199254740993,"))
    #expect(commit.headers["x-iceberg-access-delegation"] == "vended-credentials")
  }

  @Test func onlyPropertiesThatAreThereAreRemoved() async throws {
    let recording = Recording.reference
    let replay = try await Replay(
      try recording.script([
        try recording.answer("load with marker").to("GET", recording.table), try recording.exchange("commit"),
      ]))
    let catalog = replay.catalog(recording)
    let base = try #require(try await catalog.load())
    let gone = "gadwall.committed.never"
    _ = try await catalog.commit(.sample(removing: [gone, "gadwall.committed.run6"]), on: base)
    _ = try await catalog.commit(.sample(removing: [gone]), on: base)
    let commits = try await replay.asked("POST")
    #expect(
      commits.map { $0.json["updates"]?.array?.filter { $0["action"] == "remove-properties" } } == [
        [["action": "remove-properties", "removals": ["gadwall.committed.run6"]]], [],
      ])
  }

  @Test func aCommitThatTheServerHadNoTimeForIsSentAgain() async throws {
    let recording = Recording.reference
    let busy = Answer(status: 429, headers: ["Retry-After": "3"]).to("POST", recording.table)
    let replay = try await Replay(
      try recording.script([try recording.exchange("load"), busy, busy, try recording.exchange("commit")]))
    let catalog = replay.catalog(recording)
    let base = try #require(try await catalog.load())
    let answer = try await catalog.commit(.sample(), on: base)
    #expect(answer.table != nil)
    let commits = try await replay.asked("POST")
    #expect(commits.count == 3 && Set(commits.map(\.body)).count == 1)
    #expect(replay.waits.value.count == 2 && replay.waits.value.allSatisfy { (3..<8).contains($0) })
  }

  @Test(arguments: ["100000", "-5", "nan", "Wed, 21 Oct 2026 07:28:00 GMT", ""])
  func aServerCantMakeUsWaitForLong(_ text: String) async throws {
    let recording = Recording.reference
    let busy = Answer(status: 429, headers: ["Retry-After": text]).to("POST", recording.table)
    let replay = try await Replay(try recording.script([try recording.exchange("load"), busy]))
    let catalog = replay.catalog(recording)
    let base = try #require(try await catalog.load())
    let answer = try await catalog.commit(.sample(), on: base)
    #expect(answer.unknownWords == "HTTP 429")
    #expect(try await replay.asked("POST").count == 5)
    #expect(replay.waits.value.count == 4 && replay.waits.value.allSatisfy { (0...24).contains($0) })
  }

  @Test func whatACommitThatSaysNothingMadeIsLoaded() async throws {
    let recording = Recording.reference
    for nothing in [Answer(status: 204), Answer(status: 200), Answer(status: 200, body: ["metadata": [:]])] {
      let replay = try await Replay(
        try recording.script([
          try recording.exchange("load"),
          try recording.answer("load with marker").to("GET", recording.table),
          nothing.to("POST", recording.table),
        ]))
      let catalog = replay.catalog(recording)
      let base = try #require(try await catalog.load())
      let made = try #require(try await catalog.commit(.sample(), on: base).table)
      #expect(made.metadata == (try recording.metadata("load with marker")))
    }
  }

  /// The commit was made: a failure would tell the caller that it was not.
  @Test func aCommitThatSaysNothingAndCantBeLoadedIsUnknown() async throws {
    let recording = Recording.reference
    for later in ["load without metadata", "load absent table"] {
      let replay = try await Replay(
        try recording.script([
          try recording.exchange("load"), try recording.answer(later).to("GET", recording.table),
          Answer(status: 200).to("POST", recording.table),
        ]))
      let catalog = replay.catalog(recording)
      let base = try #require(try await catalog.load())
      #expect(try await catalog.commit(.sample(), on: base).unknownWords != nil, "\(later)")
    }
  }
}

/// The writer of manifests over a REST catalog: what facts of real servers made necessary, on tables of ours that a server gives as we say.
@Suite(.tags(.medium)) struct RESTAppendTests {
  private static let path = "/v1/namespaces/logs/tables/events"

  /// Appends one file to a table of ours that another program has changed.
  ///
  /// - Returns: the commits that were asked for, and what was thrown.
  private func append(
    now: Instant = Instant(seconds: 1_795_500_000), _ change: (inout JSONValue) -> Void,
    _ check: (SampleTable, [Asked], Failure?) async throws -> Void
  ) async throws {
    try await withTable { table in
      let first = try await table.append(try await table.threeFiles(), run: "RUN-1")
      var metadata = first.metadata
      change(&metadata)
      let given = Answer(status: 200, body: ["metadata-location": "file:///m.json", "metadata": metadata])
      let replay = try await Replay([
        Answer(status: 200, body: ["defaults": [:], "overrides": [:]]).to("GET", "/v1/config"),
        given.to("GET", Self.path), given.to("POST", Self.path),
      ])
      let catalog = RESTCatalog(replay.connection(""), namespace: "logs", name: "events")
      let writer = TableWriter(
        duckdb: table.duckdb, store: table.store, catalog: catalog, scratch: table.scratch,
        clock: WallClock { now })
      let more = try await table.file("d", day: SampleTable.day, region: "us-east1", line: 9000, rows: 11)
      var failure: Failure?
      do throws(Failure) {
        let base = try await catalog.load()
        _ = try await writer.append([more], run: "RUN-2", leftOut: [], settled: ["RUN-1"], on: base)
      } catch {
        failure = error
      }
      try await check(table, try await replay.asked("POST"), failure)
    }
  }

  @Test func aSnapshotAndItsMarkerAreOneCommit() async throws {
    try await append({ _ in }) { _, commits, failure in
      #expect(failure == nil)
      #expect(commits.count == 1)
      let updates = try #require(commits.first?.json["updates"]?.array)
      #expect(
        updates.map { $0["action"]?.string } == [
          "add-snapshot", "set-snapshot-ref", "set-properties", "remove-properties",
        ])
      let snapshot = try #require(updates[0]["snapshot"])
      let marker = CommitMarker(
        snapshot: try #require(snapshot["snapshot-id"]?.integer), sequence: 2, leftOut: [])
      #expect(snapshot["summary"]?["gadwall.run"] == "RUN-2")
      #expect(updates[2]["updates"] == ["gadwall.committed.RUN-2": .string(marker.text)])
      #expect(updates[3]["removals"] == ["gadwall.committed.RUN-1"])
      #expect(snapshot["sequence-number"] == 2)
      #expect(snapshot["summary"]?["total-records"] == "186")
    }
  }

  /// Nessie does not look at `assert-ref-snapshot-id: null`: two first appends to an empty table would both be taken, and one lost.
  @Test(arguments: [-1, nil] as [Int64?]) func aTableWithoutSnapshotIsNotAppendedTo(_ id: Int64?) async throws
  {
    try await append({
      $0["current-snapshot-id"] = id.map { .integer($0) }
      $0["snapshots"] = []
    }) { _, commits, failure in
      #expect(failure?.code == "table.foreign")
      #expect(commits.isEmpty)
    }
  }

  @Test func aTableOfVersion3IsNotAppendedTo() async throws {
    try await append({ $0["format-version"] = 3 }) { _, commits, failure in
      #expect(failure?.code == "table.foreign")
      #expect(failure?.sentence.contains("format version is 3") == true)
      #expect(commits.isEmpty)
    }
  }

  /// Under the default spec, when that is another, `where region = …` would find nothing, and no error either.
  @Test func theManifestIsWrittenUnderOurSpecAndSaysItsCountsAndBounds() async throws {
    try await append({
      let ours = try? #require($0["partition-specs"]?.array?.first)
      $0["partition-specs"] = [
        [
          "spec-id": 0,
          "fields": [["source-id": 8, "field-id": 1002, "name": "zone", "transform": "identity"]],
        ],
        ["spec-id": 7, "fields": ours?["fields"] ?? []],
      ]
      $0["default-spec-id"] = 0
    }) { table, commits, failure in
      #expect(failure == nil)
      let list = try #require(
        commits.first?.json["updates"]?.array?.first?["snapshot"]?["manifest-list"]?.string)
      #expect(list.hasPrefix("file://\(table.location)/metadata/snap-"))
      let rows = try await table.duckdb.run(
        [
          """
          SELECT partition_spec_id AS spec, added_files_count AS files, added_rows_count AS rows,
            len(partitions) AS partitions, decode(partitions[2].lower_bound) AS region
          FROM read_avro(\(String(list.dropFirst(7)))) WHERE added_rows_count = 11
          """
        ], DuckDB.Settings(load: ["avro"]))
      #expect(
        rows.first == [["spec": 7, "files": 1, "rows": 11, "partitions": 2, "region": "us-east1"]])
    }
  }

  /// A server whose clock is ahead of ours refuses what is older: `[BUG] Expected sorted snapshot log entries.`
  @Test func aSnapshotIsNeverOlderThanTheTable() async throws {
    try await append(
      now: Instant(seconds: 1_795_500_000), { $0["last-updated-ms"] = 1_795_500_777_123 }
    ) { _, commits, failure in
      #expect(failure == nil)
      let snapshot = commits.first?.json["updates"]?.array?.first?["snapshot"]
      #expect(snapshot?["timestamp-ms"] == 1_795_500_777_123)
    }
  }
}
