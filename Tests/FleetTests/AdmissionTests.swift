import Support
import TestSupport
import Testing

@testable import Fleet

/// What a node lets Bacalhau start.
@Suite("Admission") struct AdmissionTests {
  private static let rules = {
    var rules = AdmissionRules()
    rules.images = [recordedSettings.image]
    rules.mounts = recordedSettings.mounts
    rules.cpu = 1
    rules.memory = 1_073_741_824
    rules.stores = ["s3://bucket"]
    return rules
  }()

  private static func task(_ kind: NodeTask.Kind) -> NodeTask {
    var task = NodeTask(
      kind: kind, run: "run", document: "runs/run/task.json", digest: String(repeating: "a", count: 64),
      seconds: 60)
    guard kind == .query else { return task }
    task.statement = "SELECT category, count(*) FROM logs GROUP BY 1"
    task.columns = "category"
    return task
  }

  /// As the orchestrator hands it on: with what it adds, and with Host called Full.
  private static func payload(_ kind: NodeTask.Kind, _ change: (inout JSONValue) -> Void = { _ in }) throws
    -> JSONValue
  {
    let spec = try JobSpec(
      name: "n", task(kind), storeArguments: ["--store", "s3://bucket/archive", "--store-class", "raw=COLD"],
      on: ["a"], recordedSettings)
    var job = spec.value
    job["ID"] = "j-1"
    job["State"] = ["StateType": "Running"]
    job["Meta"] = ["bacalhau.org/orchestrator.id": "orch"]
    job.edit("Tasks", 0) { task in
      task["Network"] = ["Type": "Full"]
      task["Publisher"] = ["Type": ""]
      task["Env"] = [:]
    }
    change(&job)
    return ["Job": job]
  }

  @Test("Every job of ours is let in", arguments: [NodeTask.Kind.stage, .prune, .query])
  func ours(_ kind: NodeTask.Kind) throws {
    let offered = judged(try Self.payload(kind), Self.rules)
    #expect(offered.refusal == nil && offered.task == kind.rawValue && offered.id == "j-1")
    #expect(offered.statement == Self.task(kind).statement)
  }

  struct Change: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var words: String
    var kind = NodeTask.Kind.query
    var rules: @Sendable (inout AdmissionRules) -> Void = { _ in }
    var job: @Sendable (inout JSONValue) -> Void = { _ in }
  }

  private static func onTask(_ change: @escaping @Sendable (inout JSONValue) -> Void)
    -> @Sendable (inout JSONValue) -> Void
  {
    { job in job.edit("Tasks", 0, change) }
  }

  private static func onParameters(_ change: @escaping @Sendable (inout [JSONValue]) -> Void)
    -> @Sendable (inout JSONValue) -> Void
  {
    onTask { task in
      task.edit("Engine") { engine in
        engine.edit("Params") { parameters in
          var words = parameters["Parameters"]?.array ?? []
          change(&words)
          parameters["Parameters"] = .array(words)
        }
      }
    }
  }

  private static func onEngine(_ key: String, _ value: JSONValue) -> @Sendable (inout JSONValue) -> Void {
    onTask { task in task.edit("Engine") { engine in engine.edit("Params") { $0[key] = value } } }
  }

  private static func onMount(_ index: Int, _ change: @escaping @Sendable (inout JSONValue) -> Void)
    -> @Sendable (inout JSONValue) -> Void
  {
    onTask { task in task.edit("InputSources", index, change) }
  }

  static let changes: [Change] = [
    Change(
      testDescription: "another image", words: "does not name the image 'alpine'",
      job: onEngine("Image", "alpine")),
    Change(testDescription: "no image in the policy", words: "names no image", rules: { $0.images = [] }),
    Change(
      testDescription: "the image by another tag", words: "does not name the image",
      job: onEngine("Image", "localhost:5000/gadwall:0.2.0")),
    Change(
      testDescription: "a shell", words: "The entrypoint is not",
      job: onEngine("Entrypoint", ["/bin/sh", "-c"])),
    Change(testDescription: "no entrypoint", words: "The entrypoint is not", job: onEngine("Entrypoint", [])),
    Change(
      testDescription: "an environment", words: "'EnvironmentVariables'",
      job: onEngine("EnvironmentVariables", ["LD_PRELOAD=/var/logs/x.so"])),
    Change(
      testDescription: "a working directory", words: "'WorkingDirectory'",
      job: onEngine("WorkingDirectory", "/etc")),
    Change(testDescription: "privileged", words: "'Privileged'", job: onEngine("Privileged", true)),
    Change(
      testDescription: "the agent's environment", words: "'Env'",
      job: onTask { $0["Env"] = ["KEY": "env:AWS_SECRET_ACCESS_KEY"] }),
    Change(
      testDescription: "a publisher", words: "'Publisher'", job: onTask { $0["Publisher"] = ["Type": "s3"] }),
    Change(
      testDescription: "results that leave", words: "'ResultPaths'",
      job: onTask { $0["ResultPaths"] = [["Name": "x", "Path": "/var/logs"]] }),
    Change(
      testDescription: "two tasks", words: "one task",
      job: { job in job["Tasks"] = .array((job["Tasks"]?.array ?? []) + (job["Tasks"]?.array ?? [])) }),
    Change(testDescription: "a daemon", words: "of type ops", job: { $0["Type"] = "daemon" }),
    Change(
      testDescription: "wasm", words: "run in Docker",
      job: onTask { $0.edit("Engine") { $0["Type"] = "wasm" } }),
    Change(
      testDescription: "another folder", words: "'/etc' be mounted",
      job: onMount(0) { $0.edit("Source") { $0.edit("Params") { $0["SourcePath"] = "/etc" } } }),
    Change(
      testDescription: "a way out of the folder", words: "be mounted",
      job: onMount(0) { $0.edit("Source") { $0.edit("Params") { $0["SourcePath"] = "/var/logs/../../etc" } } }
    ),
    Change(
      testDescription: "a folder over the program", words: "be mounted",
      job: onMount(0) { $0["Target"] = "/opt/gadwall" }),
    Change(
      testDescription: "the settings, to write", words: "read and not written",
      job: onMount(2) { $0.edit("Source") { $0.edit("Params") { $0["ReadWrite"] = true } } }),
    Change(
      testDescription: "the settings, to write, as a text", words: "read and not written",
      job: onMount(2) { $0.edit("Source") { $0.edit("Params") { $0["ReadWrite"] = "true" } } }),
    Change(
      testDescription: "a query that writes to logs", words: "A query does not write",
      job: onMount(0) { $0.edit("Source") { $0.edit("Params") { $0["ReadWrite"] = true } } }),
    Change(
      testDescription: "a download", words: "mount folders of the node",
      job: onMount(0) { $0.edit("Source") { $0["Type"] = "urlDownload" } }),
    Change(
      testDescription: "a folder to be made", words: "'CreateAs'",
      job: onMount(0) { $0.edit("Source") { $0.edit("Params") { $0["CreateAs"] = "dir" } } }),
    Change(
      testDescription: "the bridge", words: "the network 'Bridge'",
      job: onTask { $0["Network"] = ["Type": "Bridge"] }),
    Change(
      testDescription: "no network named", words: "the network 'Default'", job: onTask { $0["Network"] = nil }
    ),
    Change(
      testDescription: "ports", words: "'Ports'",
      job: onTask { $0["Network"] = ["Type": "Full", "Ports": [["Name": "x", "Static": 22]]] }),
    Change(
      testDescription: "too many processors", words: "1.0 processors",
      job: onTask { $0["Resources"] = ["CPU": "1500m", "Memory": "1MiB"] }),
    Change(
      testDescription: "too much memory", words: "1.0 GiB of memory",
      job: onTask { $0["Resources"] = ["CPU": "1", "Memory": "2GiB"] }),
    Change(
      testDescription: "an amount that is none", words: "which is no amount",
      job: onTask { $0["Resources"] = ["CPU": "lots"] }),
    Change(testDescription: "a GPU", words: "'GPU'", job: onTask { $0["Resources"] = ["GPU": "1"] }),
    Change(
      testDescription: "another command", words: "none of Gadwall's",
      job: onParameters { $0 = ["harvest", "--config"] }),
    Change(
      testDescription: "admission itself", words: "the task 'admit'", job: onParameters { $0[1] = "admit" }),
    Change(
      testDescription: "another root", words: "'--root'", job: onParameters { $0 += ["--root", "/var/logs"] }),
    Change(
      testDescription: "a flag with its value in it", words: "'--root=/x'",
      job: onParameters { $0 += ["--root=/x", "--task"] }),
    Change(testDescription: "half a flag", words: "has no value", job: onParameters { $0.append("--store") }),
    Change(
      testDescription: "the document twice", words: "twice",
      job: onParameters { $0 += ["--task", "/etc/passwd"] }),
    Change(
      testDescription: "no digest", words: "by its digest",
      job: onParameters { words in
        let place = words.firstIndex(of: "--task-sha256") ?? 0
        words.removeSubrange(place...place + 1)
      }),
    Change(
      testDescription: "a folder as the store", words: "not on S3",
      job: onParameters { $0[3] = "file:///var/logs" }),
    Change(
      testDescription: "another store", words: "does not name the store",
      job: onParameters { $0[3] = "s3://bucket2/x" }),
    Change(
      testDescription: "a number among the parameters", words: "no text", job: onParameters { $0.append(7) }),
    Change(
      testDescription: "a stage where none is allowed", words: "the task 'stage'", kind: .stage,
      rules: { $0.tasks = ["query"] }),
    Change(testDescription: "no queries", words: "answers no queries", rules: { $0.answersQueries = false }),
    Change(
      testDescription: "another column", words: "does not let category out",
      rules: { $0.columns = ["ts", "node"] }),
    Change(
      testDescription: "columns that are not told", words: "does not say which columns",
      rules: { $0.columns = ["ts"] },
      job: onParameters { words in
        let place = words.firstIndex(of: "--columns") ?? 0
        words.removeSubrange(place...place + 1)
      }),
  ]

  @Test("What no job of ours has is refused, in one sentence", arguments: changes)
  func refused(_ change: Change) throws {
    var rules = Self.rules
    change.rules(&rules)
    let offered = judged(try Self.payload(change.kind, change.job), rules)
    let refusal = try #require(offered.refusal)
    #expect(refusal.contains(change.words) && !refusal.contains("\n"), "\(refusal)")
  }

  @Test(
    "What is no job is refused",
    arguments: [
      JSONValue.null, "text", 7, [], [:], ["Job": .null], ["Job": []],
      ["Job": ["Type": "ops", "Tasks": [7]]],
      ["Job": ["Type": "ops", "Tasks": [["Engine": ["Type": "docker", "Params": ["Parameters": [[]]]]]]]],
    ])
  func noJob(_ payload: JSONValue) { #expect(judged(payload, Self.rules).refusal != nil) }

  @Test("The recorded payload of another program's job is refused")
  func recorded() throws {
    let recording = try Recorded("admission-probe").others
    let payload = try #require(recording.compactMap { $0["stdin"] }.first)
    #expect(judged(payload, Self.rules).refusal?.contains("localhost:5000/duckdb:1.5.5") == true)
  }
}

extension JSONValue {
  /// Changes a member of an object, or an item of a list in one.
  fileprivate mutating func edit(_ key: String, _ index: Int? = nil, _ change: (inout JSONValue) -> Void) {
    var member = self[key] ?? .null
    if let index {
      var items = member.array ?? []
      change(&items[index])
      member = .array(items)
    } else {
      change(&member)
    }
    self[key] = member
  }
}
