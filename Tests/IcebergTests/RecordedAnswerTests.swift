import HTTP
import Support
import TestSupport
import Testing

@testable import Iceberg

/// What a real catalog server answered, and what we take it for.
@Suite(.tags(.medium)) struct RecordedAnswerTests {
  static let both = [Recording.reference, .nessie]

  // MARK: configuration

  @Test func thePrefixIsUsedAsItWasGiven() async throws {
    let replay = try await Replay(try Recording.nessie.script())
    let connection = replay.connection("/iceberg/")
    #expect(
      try await connection.url("namespaces", "a b", "tables", "é|x")
        == replay.uri + "/iceberg/v1/main%7Cwarehouse/namespaces/a%20b/tables/%C3%A9%7Cx")
    _ = try await connection.url("namespaces")
    #expect(try await replay.asked().map(\.path) == ["/iceberg/v1/config?warehouse=warehouse"])
  }

  @Test func aServerWithoutPrefixHasNone() async throws {
    let replay = try await Replay(try Recording.reference.script())
    // As some write it.
    for path in ["", "/", "/v1", "/v1/"] {
      #expect(try await replay.connection(path).url("namespaces") == replay.uri + "/v1/namespaces")
    }
  }

  @Test func overridesComeBeforeOursAndOursBeforeDefaults() async throws {
    let config = Answer(
      status: 200,
      body: [
        "defaults": ["warehouse": "default", "prefix": "default", "io": "default", "odd": 7],
        "overrides": ["prefix": "/over%2Fride/"],
      ])
    let replay = try await Replay([config.to("GET", "/v1/config")])
    let connection = replay.connection("", warehouse: "s3://lake/it's")
    #expect(
      try await connection.configuration() == [
        "warehouse": "s3://lake/it's", "prefix": "/over%2Fride/", "io": "default",
      ])
    #expect(try await connection.url("x") == replay.uri + "/v1/over%2Fride/x")
    #expect(try await replay.asked().map(\.path) == ["/v1/config?warehouse=s3%3A%2F%2Flake%2Fit%27s"])
    #expect(try await replay.connection("", warehouse: nil).configuration()["warehouse"] == "default")
  }

  /// Nessie names itself by the host that it was called by; behind a proxy that may be one that we don't know.
  @Test func aServerThatCallsItselfByAnotherHostIsCalledByOurs() async throws {
    let replay = try await Replay(try Recording.nessie.script(), address: nil)
    let connection = replay.connection("/iceberg")
    #expect(try await connection.configuration()["uri"] == "http://127.0.0.1:19120/iceberg/")
    #expect(try await connection.url("x") == replay.uri + "/iceberg/v1/main%7Cwarehouse/x")
  }

  @Test func anUnknownWarehouseIsNamed() async throws {
    let replay = try await Replay([try Recording.nessie.exchange("config of absent warehouse")])
    let failure = await #expect(throws: Failure.self) {
      _ = try await replay.connection("/iceberg", warehouse: "nope").configuration()
    }
    #expect(failure?.code == "catalog.unavailable")
    #expect(failure?.words == "HTTP 500 IllegalStateException: Warehouse 'nope' is not known")
    #expect(failure?.sentence.contains("read the catalog's configuration") == true)
    // It may have been one that passes.
    #expect(try await replay.asked().count == 5)
    #expect(replay.waits.value.count == 4)
  }

  @Test(arguments: ["<html>Welcome</html>", "", "[]", "{\"defaults\""])
  func whatIsNoCatalogIsSaidToBeNone(_ text: String) async throws {
    let replay = try await Replay([
      Answer(status: 200, body: .string(text)).to("GET", "/v1/config"),
      Answer(status: 200, body: .string(text)).to("GET", "/v1/namespaces/logs/tables/events"),
    ])
    let failure = await #expect(throws: Failure.self) {
      _ = try await RESTCatalog(replay.connection(""), namespace: "logs", name: "events").load()
    }
    #expect(failure?.code == "catalog.answer")
    #expect(failure?.remedy == "Check 'catalog.uri'.")
  }

  // MARK: load

  @Test(arguments: both) func whatIsThereIsLoaded(_ recording: Recording) async throws {
    let replay = try await Replay(try recording.script([try recording.exchange("load")]))
    let table = try #require(try await replay.catalog(recording).load())
    let metadata = try recording.metadata("load")
    #expect(table.metadata == metadata)
    #expect(table.uuid == metadata["table-uuid"]?.string)
    #expect(table.currentSnapshotID == metadata["current-snapshot-id"]?.integer)
    #expect(table.location == metadata["location"]?.string)
    #expect(table.currentSnapshot?.summary("gadwall.run")?.hasPrefix("run") == true)
    #expect(
      replay.catalog(recording).metadataURL(of: table)
        == (try recording.answer("load").body["metadata-location"]?.string))
    let asked = try await replay.asked("GET", recording.table + "?snapshots=all")
    #expect(asked.count == 1)
    #expect(asked.first?.headers["x-iceberg-access-delegation"] == "vended-credentials")
    #expect(asked.first?.headers["accept"] == "application/json")
  }

  @Test(arguments: both) func whatIsAbsentIsNoTable(_ recording: Recording) async throws {
    let replay = try await Replay(
      try recording.script([
        try recording.exchange("load absent namespace"), try recording.exchange("load absent table"),
      ]))
    #expect(try await replay.catalog(recording, name: "absent").load() == nil)
    #expect(try await replay.catalog(recording, name: "x", namespace: "absent").load() == nil)
    #expect(try await replay.asked().count == 4)
  }

  /// Nessie shows one snapshot only, and none of its ancestors: only the marker proves what is older.
  @Test(arguments: both) func aMarkerComesBackWhateverSnapshotsAreShown(_ recording: Recording) async throws {
    var load = try recording.answer("load with marker")
    #expect(load.body["metadata"]?["properties"]?["gadwall.committed.run6"] == "x")
    let marker = CommitMarker(snapshot: 12, sequence: 3, leftOut: ["b"])
    load.body["metadata"]?["properties"]?["gadwall.committed.RUN-1"] = .string(marker.text)
    let replay = try await Replay(try recording.script([load.to("GET", recording.table)]))
    let table = try #require(try await replay.catalog(recording).load())
    #expect(table.committedRuns["RUN-1"] == marker)
    #expect(table.snapshot(12) == nil)
    #expect(table.summarizedRuns["RUN-1"] == nil)
    if recording.base == "/iceberg" {
      #expect(table.snapshots.count == 1)
      #expect(table.currentSnapshot?.json["parent-snapshot-id"] == nil)
    }
  }

  @Test func aLoadThatFailsForAWhileIsAskedAgain() async throws {
    let recording = Recording.reference
    let busy = Answer(status: 503, headers: ["Retry-After": "7"])
    let replay = try await Replay(
      try recording.script([
        try recording.exchange("load without metadata"), busy.to("GET", recording.table),
        try recording.answer("load").to("GET", recording.table, cut: "within"),
        try recording.exchange("load"),
      ]))
    #expect(try await replay.catalog(recording).load() != nil)
    #expect(try await replay.asked("GET", recording.table + "?snapshots=all").count == 4)
    #expect(replay.waits.value.count == 3)
    #expect(replay.waits.value.map { $0 >= 7 } == [false, true, false])
  }

  @Test func aLoadThatKeepsFailingSaysWhatTheServerSaid() async throws {
    let recording = Recording.reference
    let replay = try await Replay(try recording.script([try recording.exchange("load without metadata")]))
    let failure = await #expect(throws: Failure.self) { _ = try await replay.catalog(recording).load() }
    #expect(failure?.code == "catalog.unavailable")
    #expect(failure?.sentence.contains("load the table logs.events_74735") == true)
    #expect(failure?.words.hasPrefix("HTTP 500 NotFoundException: Failed to open input stream") == true)
    #expect(try await replay.asked("GET", recording.table + "?snapshots=all").count == 5)
  }

  // MARK: commit

  enum Outcome: Sendable {
    case committed(Int64)
    case conflict
    case unknown
    case failure(FailureCode)
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var recording: Recording
    var name: String
    var outcome: Outcome
    /// Of the server's own.
    var word = ""
    var testDescription: String { "\(recording.testDescription): \(name)" }
  }

  static let recorded: [Case] = [
    Case(recording: .reference, name: "commit", outcome: .committed(2_759_545_585_073_291_322)),
    Case(
      recording: .reference, name: "commit on stale parent", outcome: .conflict,
      word: "409 CommitFailedException: Requirement failed: branch main has changed"),
    Case(
      recording: .reference, name: "commit on another uuid", outcome: .conflict, word: "UUID does not match"),
    Case(recording: .reference, name: "commit sent twice", outcome: .conflict, word: "has changed"),
    Case(
      recording: .reference, name: "old sequence number", outcome: .failure("catalog.refused"),
      word: "400 ValidationException: Cannot add snapshot with sequence number 4"),
    Case(
      recording: .reference, name: "far older time", outcome: .failure("catalog.refused"),
      word: "[BUG] Expected sorted snapshot log entries."),
    Case(
      recording: .reference, name: "commit to version 3", outcome: .failure("catalog.refused"),
      word: "first-row-id is null"),
    Case(
      recording: .reference, name: "commit to absent table", outcome: .failure("table.unreadable"),
      word: "Table does not exist"),
    // Jetty's own JSON, without 'error'.
    Case(
      recording: .reference, name: "unknown requirement", outcome: .unknown,
      word: "500: java.lang.UnsupportedOperationException: Unrecognized update requirement"),
    // A page of HTML.
    Case(recording: .reference, name: "broken JSON", outcome: .unknown, word: "JsonEOFException"),
    Case(
      recording: .reference, name: "database locked", outcome: .unknown,
      word: "500 UncheckedSQLException: Failed to get table"),
    // A 500 that calls itself NotFoundException.
    Case(
      recording: .reference, name: "metadata unusable", outcome: .unknown, word: "500 NotFoundException"),
    Case(recording: .nessie, name: "commit", outcome: .committed(3_730_832_845_181_909_794)),
    // These have an empty type.
    Case(
      recording: .nessie, name: "commit on stale parent", outcome: .conflict,
      word: "HTTP 409: Requirement failed: snapshot id changed"),
    Case(
      recording: .nessie, name: "commit on another uuid", outcome: .conflict, word: "UUID does not match"),
    Case(recording: .nessie, name: "commit sent twice", outcome: .conflict, word: "HTTP 409: "),
    Case(
      recording: .nessie, name: "commit to absent table", outcome: .failure("table.unreadable"),
      word: "Table does not exist"),
    Case(
      recording: .nessie, name: "unknown requirement", outcome: .unknown, word: "Could not resolve type id"),
    Case(
      recording: .nessie, name: "broken JSON", outcome: .unknown,
      word: "500 WebApplicationException: HTTP 400"),
    Case(
      recording: .nessie, name: "store unusable", outcome: .unknown,
      word: "500 RuntimeException: Failed to write snapshot"),
    // An empty body.
    Case(
      recording: .nessie, name: "commit without token", outcome: .failure("catalog.login"), word: "HTTP 401"),
  ]

  @Test(arguments: recorded) func aCommitEndsAsTheServerMeantIt(_ test: Case) async throws {
    try await expect(
      try test.recording.answer(test.name).to("POST", test.recording.table), test.outcome, test.word,
      test.recording)
  }

  static let unrecorded: [(answer: Answer, outcome: Outcome, word: String)] = [
    (Answer(status: 500), .unknown, "HTTP 500"),
    (
      Answer(status: 502, body: "<html>\n<head><title>502 Bad Gateway</title></head></html>"), .unknown,
      "502 Bad Gateway"
    ),
    (Answer(status: 503, headers: ["Retry-After": "1"]), .unknown, "HTTP 503"),
    (
      Answer(status: 503, body: ["status": 503, "error": "Service Unavailable", "message": "draining"]),
      .unknown, "503 Service Unavailable: draining"
    ),
    (Answer(status: 504, body: "upstream request timeout"), .unknown, "HTTP 504: upstream request timeout"),
    (Answer(status: 599, body: ["error": ["message": .null, "type": 7]]), .unknown, "HTTP 599"),
    (
      Answer(
        status: 500, body: ["error": ["type": "CommitStateUnknownException", "message": "m", "code": 500]]),
      .unknown, "CommitStateUnknownException: m"
    ),
    (
      Answer(
        status: 409, body: ["error": ["message": "Key logs.x already exists.", "type": "", "code": 409]]),
      .conflict, "HTTP 409: Key logs.x already exists."
    ),
    (Answer(status: 409), .conflict, "HTTP 409"),
    (
      Answer(status: 403, body: ["error": ["message": "no", "type": "ForbiddenException", "code": 403]]),
      .failure("catalog.denied"), "403 ForbiddenException: no"
    ),
    (Answer(status: 419), .failure("catalog.login"), "HTTP 419"),
    (
      Answer(status: 400, body: ["error": "invalid_request", "error_description": "no scope"]),
      .failure("catalog.refused"), "400 invalid_request: no scope"
    ),
    (Answer(status: 307, headers: ["Location": "http://127.0.0.1:1/"]), .failure("catalog.refused"), "307"),
  ]

  @Test(arguments: unrecorded) func whatWasNotRecordedIsDecidedByItsStatus(
    answer: Answer, outcome: Outcome, word: String
  ) async throws {
    try await expect(answer.to("POST", Recording.reference.table), outcome, word, .reference)
  }

  @Test(arguments: ["before", "within"]) func aCommitWhoseAnswerIsLostIsUnknown(_ place: String) async throws
  {
    let recording = Recording.reference
    try await expect(
      try recording.answer("commit").to("POST", recording.table, cut: place), .unknown, "", recording)
  }

  private func expect(
    _ exchange: JSONValue, _ outcome: Outcome, _ word: String, _ recording: Recording
  ) async throws {
    let replay = try await Replay(try recording.script([try recording.exchange("load"), exchange]))
    let catalog = replay.catalog(recording)
    let base = try #require(try await catalog.load())
    let words: String
    let result: Result<CommitAnswer, Failure>
    do throws(Failure) { result = .success(try await catalog.commit(.sample(), on: base)) } catch {
      result = .failure(error)
    }
    switch (result, outcome) {
    case (.success(.committed(let table)), .committed(let id)):
      #expect(table.currentSnapshotID == id)
      words = ""
    case (.success(.conflict(let said)), .conflict), (.success(.unknown(let said)), .unknown): words = said
    case (.failure(let failure), .failure(let code)):
      #expect(failure.code == code)
      words = failure.words
    default:
      Issue.record("\(result) instead of \(outcome)")
      return
    }
    #expect(words.contains(word), "\(words)")
    // What nobody knows is looked up, never just said again.
    #expect(try await replay.asked("POST").count == 1)
    #expect(replay.waits.value == [])
  }
}
