import Files
import HTTP
import Logs
import Support
import TestSupport
import Testing

@testable import Fleet

/// What both engines promise to whoever has them carry a task. The task itself is a script: it does what its document's name says.
@Suite("Engines keep one contract", .tags(.medium), .timeLimit(.minutes(5)))
struct EngineContractTests {
  enum Kind: String, Sendable, CaseIterable { case local, bacalhau }

  private static let script = """
    #!/bin/sh
    kind=$2 root= document=
    while [ $# -gt 0 ]; do
      case $1 in --root) root=$2 ;; --task) document=$2 ;; esac
      shift
    done
    echo $$ >> "$root/started"
    case $document in
    say) echo "$kind on $(basename "$root")" ;;
    fail) echo "half"; echo "it went wrong" >&2; exit 3 ;;
    hang) [ "$(basename "$root")" != b ] || exec sleep 600 ;;
    die) kill -9 $$ ;;
    chatter) head -c 5000 /dev/zero | tr '\\0' x ;;
    esac
    """

  private struct Fixture {
    var engine: any Engine
    var nodes: [Node]
    var folder: String

    func started(_ node: String) -> Bool { exists(joined(folder, "\(node)/started")) }

    func isAlive(_ node: String) throws -> Bool {
      let text = String(
        decoding: try readFile(joined(folder, "\(node)/started"), limit: .kibibytes(4)), as: UTF8.self)
      return text.split(separator: "\n").contains { exists("/proc/\($0)/stat") && !isZombie(String($0)) }
    }

    private func isZombie(_ pid: String) -> Bool {
      let stat = (try? readFile("/proc/\(pid)/stat", limit: .kibibytes(4))) ?? []
      return String(decoding: stat, as: UTF8.self).contains(") Z ")
    }
  }

  /// Three nodes; the last is away.
  private func with(_ kind: Kind, _ body: (Fixture) async throws -> Void) async throws {
    try await withScratch { folder in
      let program = joined(folder, "task.sh")
      try publish(Array(Self.script.utf8), at: program, replacing: true, mode: 0o755)
      let nodes = ["a", "b", "c"].map { Node(region: "r-\($0)", zone: "z", name: $0) }
      for name in ["a", "b"] {
        for place in ["var/logs", "var/lib/gadwall", "etc/gadwall"] {
          try makeFolder(joined(folder, "\(name)/\(place)"))
        }
      }
      let engine: any Engine
      switch kind {
      case .local:
        engine = LocalEngine(
          nodes: nodes.map { LocalNode(node: $0, root: joined(folder, $0.name)) }, executable: program,
          storeArguments: ["--store", "file:///nowhere"], environment: ["PATH": "/usr/bin:/bin"])
      case .bacalhau:
        let known = nodes.map { node in
          var known = BacalhauStub.Node(
            name: node.name, region: node.region, zone: node.zone, root: joined(folder, node.name))
          if node.name == "c" { known.more = ["connected": false] }
          return known
        }
        let stub = try await BacalhauStub(nodes: known, program: program)
        var settings = recordedSettings
        settings.image = BacalhauStub.image
        engine = BacalhauEngine(
          api: stub.api, login: .none, http: try HTTPClient(), settings: settings,
          storeArguments: ["--store", "s3://bucket/archive"])
      }
      try await body(Fixture(engine: engine, nodes: nodes, folder: folder))
    }
  }

  private func run(_ fixture: Fixture, _ document: String, seconds: Double = 60, on nodes: [Node]? = nil)
    async
    -> [String: NodeOutcome]
  {
    let task = NodeTask(kind: .query, run: randomName(), document: document, digest: "d", seconds: seconds)
    var outcomes: [String: NodeOutcome] = [:]
    let stream = fixture.engine.run(
      task, on: nodes ?? fixture.nodes, deadline: .after(seconds: seconds * patience), progress: { _, _ in })
    for await outcome in stream {
      #expect(outcomes[outcome.node.name] == nil, "\(outcome.node) has two outcomes")
      outcomes[outcome.node.name] = outcome
    }
    await fixture.engine.settled()
    #expect(Set(outcomes.keys) == Set((nodes ?? fixture.nodes).map(\.name)))
    return outcomes
  }

  private func isOffline(_ outcome: NodeOutcome?) -> Bool {
    if case .offline(let words) = outcome?.ending { !words.isEmpty } else { false }
  }

  private func words(_ outcome: NodeOutcome?) -> String {
    if case .failed(let words) = outcome?.ending { words } else { "" }
  }

  @Test("All nodes are listed, the one that is away too; a pattern chooses", arguments: Kind.allCases)
  func listed(_ kind: Kind) async throws {
    try await with(kind) { fixture in
      let all = try await fixture.engine.nodes(matching: NodeSelection())
      let some = try await fixture.engine.nodes(matching: NodeSelection(regions: ["*-b"]))
      #expect(Set(all) == Set(fixture.nodes) && some.map(\.name) == ["b"])
      #expect(!fixture.engine.whereNodesAre.isEmpty)
    }
  }

  @Test("Who ends well has answered, with what it printed; who is away is offline", arguments: Kind.allCases)
  func answered(_ kind: Kind) async throws {
    try await with(kind) { fixture in
      let outcomes = await run(fixture, "say")
      for name in ["a", "b"] {
        #expect(outcomes[name]?.ending == .answered && outcomes[name]?.output == "query on \(name)\n")
      }
      #expect(isOffline(outcomes["c"]))
    }
  }

  @Test("Only those that are named get the task", arguments: Kind.allCases)
  func named(_ kind: Kind) async throws {
    try await with(kind) { fixture in
      _ = await run(fixture, "say", on: [fixture.nodes[1]])
      #expect(fixture.started("b") && !fixture.started("a"))
    }
  }

  @Test("Who ends badly has failed, with its own words", arguments: Kind.allCases)
  func failed(_ kind: Kind) async throws {
    try await with(kind) { fixture in
      let outcomes = await run(fixture, "fail")
      #expect(
        words(outcomes["a"]).contains("it went wrong") && words(outcomes["b"]).contains("it went wrong"))
      #expect(!words(await run(fixture, "die")["a"]).isEmpty)
    }
  }

  @Test(
    "At the deadline who has not ended is timed out, and ends; who had answered has", arguments: Kind.allCases
  )
  func timedOut(_ kind: Kind) async throws {
    try await with(kind) { fixture in
      let outcomes = await run(fixture, "hang", seconds: 3)
      #expect(
        outcomes["a"]?.ending == .answered && outcomes["b"]?.ending == .timedOut && isOffline(outcomes["c"]))
      let isOver = try await eventually { try !fixture.isAlive("b") }
      #expect(isOver)
    }
  }

  @Test("Who listens no longer ends the task", arguments: Kind.allCases)
  func cancelled(_ kind: Kind) async throws {
    try await with(kind) { fixture in
      let task = NodeTask(kind: .query, run: randomName(), document: "hang", digest: "d", seconds: 600)
      let listening = Task {
        for await _ in fixture.engine.run(
          task, on: fixture.nodes, deadline: .after(seconds: 600), progress: { _, _ in })
        {}
      }
      let isStarted = try await eventually { fixture.started("b") }
      #expect(isStarted)
      listening.cancel()
      await listening.value
      await fixture.engine.settled()
      let isOver = try await eventually { try !fixture.isAlive("b") }
      #expect(isOver)
    }
  }

  @Test("What is printed without end costs nothing but itself", arguments: Kind.allCases)
  func chatter(_ kind: Kind) async throws {
    try await with(kind) { fixture in
      let outcomes = await run(fixture, "chatter")
      #expect(outcomes["a"]?.ending == .answered && (outcomes["a"]?.output.utf8.count ?? 0) >= 2048)
    }
  }
}
