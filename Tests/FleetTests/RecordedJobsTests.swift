import HTTP
import Logs
import Support
import TestSupport
import Testing

@testable import Fleet

/// Conversations that were recorded of a real cluster, had again by the engine.
@Suite("Recorded jobs") struct RecordedJobsTests {
  private static let nodes = [
    Node(region: "europe-west4", zone: "europe-west4-a", name: "europe-west4-vm"),
    Node(region: "us-east1", zone: "us-east1-b", name: "us-east1-vm"),
    Node(region: "us-west1", zone: "us-west1-b", name: "us-west1-vm"),
  ]

  struct Case: Sendable, CustomTestStringConvertible {
    var recording: String
    /// Which of the recording's jobs.
    var job = 0
    var state: String
    var words = ""
    /// Of one node alone.
    var other: (node: String, state: String, words: String)?
    var testDescription: String { "\(recording) \(job)" }
  }

  static let cases = [
    Case(recording: "ops-ok", state: "answered"), Case(recording: "ops-ok-timed", state: "answered"),
    Case(recording: "ops-mounts", state: "answered"), Case(recording: "ops-truncated", state: "answered"),
    Case(recording: "ops-env-ok", state: "answered"),
    Case(recording: "ops-publisher-local", state: "answered"),
    Case(recording: "duplicate-name", state: "answered"),
    Case(recording: "admission-probe", state: "answered"),
    Case(
      recording: "admission-probe", job: 1, state: "refused",
      words: "this node does not accept this job: policy: column message may not leave this node"),
    Case(
      recording: "ops-env-denied", state: "refused", words: "'AWS_ACCESS_KEY_ID' is not in allowed patterns"),
    Case(recording: "ops-env-unset", state: "failed", words: "required env"),
    Case(recording: "ops-exit-3", state: "failed", words: "why"),
    Case(
      recording: "ops-network-host", state: "failed", words: "it ended with the status 2 and said nothing"),
    Case(recording: "ops-bad-command", state: "failed", words: "no such file or directory"),
    Case(recording: "ops-bad-image", state: "failed", words: "Push the image to a registry"),
    Case(recording: "ops-mount-denied", state: "failed", words: "exactly as 'bacalhau.mounts' names it"),
    Case(recording: "ops-mount-dotdot", state: "failed", words: "is not allowlisted"),
    Case(recording: "ops-mounts-subdir", state: "failed", words: "/var/logs/raw_logs is not allowlisted"),
    Case(recording: "ops-timeout", state: "timed out"), Case(recording: "ops-timeout2", state: "timed out"),
    Case(recording: "ops-no-node", state: "failed", words: "could not place the job: not matching nodes"),
    Case(
      recording: "node-lost", state: "answered",
      other: ("us-west1-vm", "failed", "Bacalhau lost the node while it worked")),
    Case(
      recording: "node-lost", job: 1, state: "answered",
      other: ("us-west1-vm", "failed", "Bacalhau gave it no part of the job")),
    Case(recording: "ops-one-region", state: "failed", other: ("us-east1-vm", "answered", "")),
    Case(recording: "stop", state: "failed", words: "tried as an operator would"),
    Case(recording: "bad-constraint-hangs", state: "failed", words: "was stopped: never scheduled"),
  ]

  @Test("Each node has its outcome, with Bacalhau's own words", arguments: cases)
  func outcomes(_ item: Case) async throws {
    let recording = try Recorded(item.recording)
    let (script, _) = try script(recording, job: item.job)
    let orchestrator = try await RecordedOrchestrator(script)
    let outcomes = await run(orchestrator.engine, on: Self.nodes)
    #expect(Set(outcomes.map(\.node)) == Set(Self.nodes) && outcomes.count == Self.nodes.count)
    for outcome in outcomes {
      let special = item.other?.node == outcome.node.name ? item.other : nil
      let (state, words) = special.map { ($0.state, $0.words) } ?? (item.state, item.words)
      let (isState, said) = described(outcome)
      #expect(
        isState == state && (words.isEmpty || said.contains(words)), "\(outcome.node): \(outcome.ending)")
    }
  }

  /// The recording's conversation about one job, under the name that the engine gives it.
  private func script(_ recording: Recorded, job: Int) throws -> ([JSONValue], id: String) {
    let submits = recording.exchanges.filter { $0.method == "PUT" && $0.status == 200 }
    let submit = submits[job]
    let id = try #require(submit.body["JobID"]?.string)
    let own = recording.exchanges.filter {
      $0.method != "PUT" && $0.path == "/api/v1/orchestrator/jobs/\(id)"
    }
    let name = "gadwall-query-test-\("d".prefix(8))"
    // A stop may name the job by the one or the other.
    let stops = own.filter { $0.method == "DELETE" }.map { $0.script("/api/v1/orchestrator/jobs/\(name)") }
    return (([submit] + own).map(\.script) + stops, id)
  }

  private func run(
    _ engine: BacalhauEngine, on nodes: [Node], kind: NodeTask.Kind = .query,
    deadline: Deadline = .after(seconds: 60 * patience)
  ) async -> [NodeOutcome] {
    let task = NodeTask(kind: kind, run: "test", document: "queries/test-task.json", digest: "d", seconds: 60)
    var outcomes: [NodeOutcome] = []
    for await outcome in engine.run(task, on: nodes, deadline: deadline, progress: { _, _ in }) {
      outcomes.append(outcome)
    }
    await engine.settled()
    return outcomes
  }

  private func described(_ outcome: NodeOutcome) -> (state: String, words: String) {
    switch outcome.ending {
    case .answered: ("answered", outcome.output)
    case .refused(let words): ("refused", words)
    case .failed(let words): ("failed", words)
    case .timedOut: ("timed out", "")
    case .offline(let words): ("offline", words)
    }
  }

  @Test("What is submitted has nothing that a real orchestrator was not seen to take")
  func shape() throws {
    var known: Set<String> = []
    for name in try Recorded.names() {
      for exchange in try Recorded(name).exchanges where exchange.method == "PUT" && exchange.status == 200 {
        known.formUnion(paths(exchange.sent))
      }
    }
    let task = NodeTask(
      kind: .stage, run: "run", document: "runs/run/task/stage.json", digest: "d", seconds: 1800)
    let spec = try JobSpec(
      name: "gadwall-stage", task, storeArguments: ["--store", "s3://bucket/archive"], on: ["a", "b"],
      recordedSettings)
    let ours = paths(try JSONValue(parsing: spec.request))
    #expect(ours.subtracting(known) == [], "known: \(known.sorted())")
    // Which were rejected, and why: no lower-case environment, no path without a publisher, no execution longer than all.
    #expect(!ours.contains { $0.contains(".Env") || $0.contains("ResultPaths") })
  }

  /// Where there are values in a document, with their kinds. Names of labels are anybody's.
  private func paths(_ value: JSONValue, _ path: String = "") -> Set<String> {
    switch value {
    case .object(let members):
      members.reduce(into: []) { all, member in
        all.formUnion(paths(member.value, path + (path.hasSuffix(".Labels") ? ".*" : ".\(member.key)")))
      }
    case .array(let items): items.reduce(into: [path + "[]"]) { $0.formUnion(paths($1, path + "[]")) }
    case .string: [path + " text"]
    case .integer, .double: [path + " number"]
    case .bool: [path + " flag"]
    case .null: []
    }
  }

  @Test("A job is the same bytes each time, and has a size")
  func size() throws {
    func spec(_ nodes: Int) throws -> JobSpec {
      let task = NodeTask(
        kind: .prune, run: "run", document: "runs/run/task/prune.json", digest: "d", seconds: 300)
      return try JobSpec(
        name: "n", task, storeArguments: [], on: (0..<nodes).map { "node-\($0)" }.shuffled(), recordedSettings
      )
    }
    #expect(try spec(100).request == spec(100).request)
    #expect(throws: Failure.self) { try spec(10_000) }
    #expect(try spec(1_000).request.count < JobSpec.limit.bytes)
  }

  // MARK: bad input

  static let version: JSONValue = [
    "request": ["method": "GET", "path": "/api/v1/agent/version"],
    "response": ["status": 200, "headers": [:], "body": ["GitVersion": "v1.8.0"]],
  ]

  private static func answer(_ path: String, _ status: Int64, _ body: JSONValue) -> JSONValue {
    [
      "request": ["method": "GET", "path": .string(path)],
      "response": ["status": .integer(status), "headers": [:], "body": body],
    ]
  }

  static let refusals: [(name: String, exchanges: [JSONValue], code: FailureCode)] = [
    ("old", [version], "bacalhau.old"),
    ("another program", [answer("/api/v1/agent/version", 200, "<html>hello</html>")], "bacalhau.answer"),
    ("another API", [answer("/api/v1/agent/version", 404, ["error": "nothing here"])], "bacalhau.answer"),
    (
      "a compute node",
      [
        answer(
          "/api/v1/orchestrator/nodes", 404,
          [
            "Message": "The requested resource/URL was not found.", "Code": "NotFound",
            "Component": "APIServer",
          ])
      ], "bacalhau.answer"
    ),
    ("busy", [answer("/api/v1/orchestrator/nodes", 429, ["Message": "too many"])], "bacalhau.busy"),
    ("broken", [answer("/api/v1/orchestrator/nodes", 500, "Internal server error")], "bacalhau.busy"),
    ("slow", [answer("/api/v1/orchestrator/nodes", 503, "Server Timeout!")], "bacalhau.busy"),
    (
      "not let in", [answer("/api/v1/orchestrator/nodes", 401, ["Message": "Request Unauthorized"])],
      "bacalhau.login"
    ),
    (
      "no rights", [answer("/api/v1/orchestrator/nodes", 403, ["Message": "Request Forbidden"])],
      "bacalhau.rights"
    ),
    (
      "half an answer", [answer("/api/v1/orchestrator/nodes", 200, "{\"Nodes\":[{\"Info\"")],
      "bacalhau.answer"
    ),
    ("other types", [answer("/api/v1/orchestrator/nodes", 200, ["Nodes": 7])], "bacalhau.answer"),
  ]

  @Test("Who is no orchestrator, or can't answer, is told apart", arguments: refusals.indices)
  func refused(_ index: Int) async throws {
    let item = Self.refusals[index]
    let orchestrator = try await RecordedOrchestrator(
      item.exchanges, login: .key("a-key-that-nobody-may-see"))
    let failure = await #expect(throws: Failure.self, "\(item.name)") {
      try await orchestrator.engine.nodes(matching: NodeSelection())
    }
    #expect(failure?.code == item.code && failure?.remedy.isEmpty == false, "\(item.name): \(failure as Any)")
    #expect(failure?.description.contains("a-key-that") == false)
  }

  @Test("Nobody at all")
  func nobody() async throws {
    let engine = BacalhauEngine(
      api: "http://127.0.0.1:\(try freePort())", login: .none, http: try HTTPClient(),
      settings: recordedSettings,
      storeArguments: [], wait: { _ in })
    let failure = await #expect(throws: Failure.self) { try await engine.nodes(matching: NodeSelection()) }
    #expect(failure?.code == "bacalhau.unreachable")
  }

  @Test("An orchestrator that loses the job: every node has failed, with that reason")
  func lostJob() async throws {
    let recording = try Recorded("ops-ok")
    let submit = try #require(recording.exchanges.first { $0.method == "PUT" })
    let id = try #require(submit.body["JobID"]?.string)
    let missing = try #require(try Recorded("validation-errors").exchanges.first { $0.status == 404 })
    let orchestrator = try await RecordedOrchestrator([
      submit.script, missing.script("/api/v1/orchestrator/jobs/\(id)"),
    ])
    let outcomes = await run(orchestrator.engine, on: Self.nodes)
    #expect(outcomes.count == 3)
    for outcome in outcomes {
      #expect(described(outcome).words.contains("does not know the job"), "\(outcome)")
    }
  }

  @Test("What the API says to bad specs is shown, and each node has failed with it")
  func invalid() async throws {
    for exchange in try Recorded("validation-errors").exchanges where exchange.method == "PUT" {
      let orchestrator = try await RecordedOrchestrator([exchange.script])
      let outcomes = await run(orchestrator.engine, on: Self.nodes)
      let words = try #require(exchange.body["Message"]?.string)
      for outcome in outcomes { #expect(described(outcome).words.contains(words.prefix(60)), "\(outcome)") }
      #expect(outcomes.count == 3)
    }
  }

  @Test("The same job a second time is found by its name")
  func duplicate() async throws {
    let recording = try Recorded("duplicate-name")
    let again = try #require(recording.exchanges.first { $0.status == 500 })
    let named = try #require(recording.exchanges.first { $0.path.hasSuffix("/rec2-dup") })
    let id = try #require(named.body["Job"]?["ID"]?.string)
    let job = recording.exchanges.filter { $0.path == "/api/v1/orchestrator/jobs/\(id)" }
    let orchestrator = try await RecordedOrchestrator(
      [again.script, named.script("/api/v1/orchestrator/jobs/gadwall-query-test-d")] + job.map(\.script))
    #expect(await run(orchestrator.engine, on: Self.nodes).allSatisfy { $0.ending == .answered })
    #expect(try await orchestrator.requests().count { $0["method"]?.string == "PUT" } == 1)
  }

  @Test("All of a recorded job: its executions, its history and what it published")
  func examined() async throws {
    var count = 0
    for name in try Recorded.names() {
      let recording = try Recorded(name)
      guard let history = recording.exchanges.first(where: { $0.path.hasSuffix("/history") }) else {
        continue
      }
      count += 1
      let id = String(history.path.dropLast("/history".count).split(separator: "/").last ?? "")
      let own = recording.exchanges.filter { $0.path.contains(id) && $0.method == "GET" }
      // Those that polled first saw it unfinished.
      let orchestrator = try await RecordedOrchestrator(own.reversed().map(\.script))
      let job = try #require(try await orchestrator.engine.examine(job: id))
      #expect(job.id == id && job.events.count == history.body["Items"]?.array?.count, "\(name)")
      #expect(job.events.first?.words == "Job submitted" && job.events.allSatisfy { !$0.time.isEmpty })
      #expect(Set(job.executions.map(\.node)).isSuperset(of: job.events.compactMap(\.node)), "\(name)")
      let hints = job.events.compactMap(\.hint)
      if name == "ops-bad-image" { #expect(hints.count == 3 && hints[0].contains("DOCKER_USERNAME")) }
      if name == "ops-publisher-local" {
        let url = job.results?.first?["parameters"]?["URL"]?.string ?? ""
        #expect(job.results?.count == 3 && url.hasSuffix(".tar.gz"))
      } else {
        // Which was not recorded for the others.
        #expect(job.results == [] || job.results == nil)
      }
    }
    #expect(count > 15)
  }

  @Test("What was recorded of logins: nobody, a wrong key, a reader who submits, and the right one")
  func logins() async throws {
    let recording = try Recorded("auth")
    for exchange in recording.exchanges where exchange.method == "GET" && exchange.path.hasSuffix("/nodes") {
      let orchestrator = try await RecordedOrchestrator([exchange.script], login: .key("0123456789abcdef"))
      do throws(Failure) {
        let nodes = try await orchestrator.engine.nodes(matching: NodeSelection())
        #expect(exchange.status == 200 && nodes == [Self.nodes[1]])
      } catch {
        #expect(exchange.status == 401 && error.code == "bacalhau.login" && error.words.contains("401"))
      }
    }
    let forbidden = try #require(recording.exchanges.first { $0.status == 403 })
    let orchestrator = try await RecordedOrchestrator([forbidden.script])
    for outcome in await run(orchestrator.engine, on: Self.nodes) {
      #expect(described(outcome).words.contains("write:job"), "\(outcome)")
    }
  }

  @Test("Jobs that were listed, and the one whose logs were followed, are read")
  func listed() throws {
    let list = try #require(try Recorded("list-jobs").exchanges.first)
    let jobs = try decodeJSON(
      [WireJob].self, from: (list.body["Items"] ?? .null).encoded, code: "test", document: "The list")
    #expect(jobs.count == 2 && jobs.allSatisfy { $0.id.hasPrefix("j-") && $0.isTerminal })
    let followed = try #require(try Recorded("logs-websocket").exchanges.first { $0.method == "PUT" })
    let submitted = try decodeJSON(
      WireSubmitted.self, from: followed.body.encoded, code: "test", document: "The answer")
    #expect(submitted.job.hasPrefix("j-"))
  }

  @Test("Where we know no remedy for a failure, Bacalhau's own hint is shown")
  func hint() async throws {
    let recording = try Recorded("ops-bad-image")
    let history = try #require(recording.exchanges.first { $0.path.hasSuffix("/history") })
    let changed = try script(recording, job: 0).0.map { exchange in
      try JSONValue(
        parsing: Array(exchange.text.replacing("image not available", with: "no such picture").utf8))
    }
    let orchestrator = try await RecordedOrchestrator(changed + [history.script])
    for outcome in await run(orchestrator.engine, on: Self.nodes) {
      let said = described(outcome).words
      #expect(said.contains("no such picture") && said.contains("supply the node with valid Docker login"))
    }
    let asked = try await orchestrator.requests().filter { $0["path"]?.string?.contains("/history") == true }
    #expect(asked.count == 1)
    // A history that can't be read takes nothing away.
    let mute = try await RecordedOrchestrator(changed)
    #expect(
      await run(mute.engine, on: Self.nodes).allSatisfy { described($0).words.contains("no such picture") })
  }

  @Test("A long history is read page by page, and an empty page ends it")
  func pages() async throws {
    let path = "/api/v1/orchestrator/jobs/j/history?namespace=default&limit=1000"
    func page(_ path: String, _ next: String, _ count: Int) -> JSONValue {
      Self.answer(
        path, 200, ["NextToken": .string(next), "Items": .array(Array(repeating: [:], count: count))])
    }
    let orchestrator = try await RecordedOrchestrator([
      page(path, "a b", 3), page("\(path)&next_token=a%20b", "c", 2), page("\(path)&next_token=c", "d", 0),
    ])
    #expect(try await orchestrator.engine.client.history("j").count == 5)
    #expect(try await orchestrator.engine.client.history("j", limit: 3).count == 3)
  }

  @Test("Nodes are those of the labels; the orchestrator itself is none")
  func nodes() async throws {
    let orchestrator = try await RecordedOrchestrator([])
    #expect(
      try await orchestrator.engine.nodes(matching: NodeSelection()) == Self.nodes.sorted { $0.key < $1.key })
    #expect(try await orchestrator.engine.nodes(matching: NodeSelection(regions: ["us-*"])).count == 2)
  }
}
