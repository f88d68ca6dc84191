// The program in its image, in real containers: nothing but its own folders can be written to, there is no network, and root has the
// rights that Docker leaves to it. One after another, since each has a Docker of its own.

import Files
import Glibc
import Processes
import Support
import TestSupport
import Testing

@Suite("In a container", .tags(.large), .serialized)
struct ContainerTests {
  private static let somebody: uid_t = 1000
  private static let confined = ["--network", "none", "--read-only"]

  /// Folders of the node, and the store, where they are mounted.
  private func mounts(_ fleet: TestFleet) -> [String] {
    let root = fleet.nodes[0].root
    return [
      "\(root)/var/logs:/var/logs", "\(root)/var/lib/gadwall:/var/lib/gadwall",
      "\(root)/etc/gadwall:/etc/gadwall:ro", "\(fleet.store):\(fleet.store)",
    ].flatMap { ["-v", $0] }
  }

  /// A node that has never staged, and the image loaded.
  private func withNode(_ body: (TestFleet, TestDocker, String) async throws -> Void) async throws {
    let archive = try await TestImage.shared.archive()
    try await TestFleet.with(on: .folder) { fleet in
      let node = fleet.nodes[0]
      try fleet.configure(live: "var/logs/app/*.log")
      for folder in ["var/logs/app", "var/lib/gadwall", "etc/gadwall"] { try makeFolder(node.path(folder)) }
      try fleet.write(
        Array("region: \(node.region)\nzone: \(node.zone)\nname: \(node.name)\n".utf8),
        to: node.path("var/lib/gadwall/node.yaml"))
      try await TestDocker.with { docker in
        let load = try await docker("load", "--quiet", "--input", archive)
        try #require(load.status == 0, "\(load)")
        let name = String(try #require(load.output.split(whereSeparator: \.isWhitespace).last))
        try await body(fleet, docker, name)
      }
    }
  }

  /// The task documents of that name that the control machine has written. Runs of one second are in no order.
  private func documents(_ fleet: TestFleet, _ name: String) throws -> [String] {
    try fleet.objects("runs").filter { $0.hasSuffix("/task/\(name).json") }
  }

  private func arguments(_ fleet: TestFleet, _ kind: String, _ document: String) throws -> [String] {
    ["node", kind, "--root", "/"] + fleet.storeArguments + [
      "--task", document, "--task-sha256", sha256(try fleet.object(document)),
    ]
  }

  private func reports(_ fleet: TestFleet, _ folder: String) throws -> [JSONValue] {
    try fleet.objects("runs").filter { $0.contains("/\(folder)/") }.map {
      let head = try fleet.object($0).prefix { $0 != 0x0A }
      return try JSONValue(parsing: Array(head))
    }
  }

  @Test("Stage, prune and query of a node: the lease on another user's file is had, DuckDB's sandbox holds")
  func tasks() async throws {
    try await withNode { fleet, docker, image in
      let run = ["run", "--rm"] + Self.confined + mounts(fleet) + [image]
      let version = try await docker("run", "--rm", "--network", "none", "--read-only", image, "--version")
      #expect(version.status == 0 && version.output.hasPrefix("gadwall "), "\(version)")

      // The control machine's document for a node of which nothing is known. Its own process on this machine finds no file.
      let nothing = try await fleet.gadwall("harvest")
      #expect(nothing.status == 0, "\(nothing)")
      for name in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"] {
        let path = fleet.nodes[0].path("var/lib/gadwall/\(name)")
        if exists(path) { try removeFile(path) }
      }
      let staged = ids("staged", 300)
      let path = try fleet.put("a.log.1", lines(staged, category: "SECURITY"), stream: "a.log")
      try #require(chown(path, Self.somebody, Self.somebody) == 0 && chmod(path, 0o600) == 0)
      let document = try #require(try documents(fleet, "stage").first)
      let stage = try await docker(run + arguments(fleet, "stage", document))
      #expect(stage.status == 0, "\(stage)")
      let heads = try reports(fleet, "staged").compactMap { $0["head"] }
      let report = try #require(heads.first { $0["foundNothing"] == .bool(false) }, "\(heads)")
      #expect(report["withoutLease"]?.integer == 0)

      let earlier = try documents(fleet, "prune")
      // The control machine commits what it finds; this machine's own prune is ended before it begins.
      let harvest = try await fleet.gadwall("harvest", environment: ["GADWALL_STOP_AT": "prune.before-prove"])
      #expect(harvest.status == 2, "\(harvest)")
      #expect(try fleet.names() == ["a.log.1"])
      let task = try #require(try documents(fleet, "prune").first { !earlier.contains($0) })
      let prune = try await docker(run + arguments(fleet, "prune", task))
      #expect(prune.status == 0, "\(prune)")
      let kept = try reports(fleet, "pruned")
      #expect(try fleet.names() == [], "\(task): \(kept)")
      #expect(
        try await fleet.idCounts() == Dictionary(uniqueKeysWithValues: staged.map { ($0, 1) }))
      let left = try fleet.names(fleet.nodes[0].path("var/lib/gadwall"))
      #expect(left.contains("ledger.sqlite") && !left.contains("scratch"), "\(left)")

      // A query over it, with the control machine in a container too: `node query` is then a child of its first process.
      try fleet.write(lines(ids("live", 300)), to: fleet.nodes[0].path("var/logs/app/a.log"))
      try configureInside(fleet)
      let statement = "SELECT count(*) AS n, median(length(id)) AS half FROM logs"
      let query = try await docker(run + ["query", statement, "--format", "csv"])
      #expect(query.status == 0 && query.output == "n,half\n600,8.0\n", "\(query)")
      let rehearsal = try await docker(run + ["harvest", "--dry-run"])
      #expect(rehearsal.status == 0, "\(rehearsal)")
      // Where Landlock's calls are refused, the same query is, too.
      let profile = joined(fleet.folder, "profile.json")
      let refusal = #"{"names":["landlock_create_ruleset"],"action":"SCMP_ACT_ERRNO","errnoRet":38}"#
      try fleet.write(
        Array(#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[\#(refusal)]}"#.utf8), to: profile)
      let refused = try await docker(
        ["run", "--rm", "--security-opt", "seccomp=\(profile)"] + Self.confined + mounts(fleet)
          + [image, "query", statement])
      #expect(refused.status == 2 && refused.errors.contains("[sandbox.unavailable]"), "\(refused)")
    }
  }

  /// The fleet's configuration as it is from within: the node is the container itself.
  private func configureInside(_ fleet: TestFleet) throws {
    let node = fleet.nodes[0]
    let text = """
      engine: local
      local: { nodes: [{ region: \(node.region), zone: \(node.zone), name: \(node.name), root: / }] }
      logs: { live: ["var/logs/app/*.log"], rotated: ["\(TestFleet.rawLogs)/*"] }
      store: { url: "file://\(fleet.store)" }
      """
    try fleet.write(Array(text.utf8), to: node.path("etc/gadwall/gadwall.yaml"))
  }

  @Test("A task that is asked to end does, though it is the first process, and the next one goes on")
  func stopping() async throws {
    try await withNode { fleet, docker, image in
      #expect(try await fleet.gadwall("harvest").status == 0)
      let document = try #require(try documents(fleet, "stage").first)
      // 4 TiB of zeros without a byte on the disk.
      let path = fleet.nodes[0].rawPath("endless.log.1")
      try fleet.place(path, [])
      try #require(truncate(path, 4 << 40) == 0)
      let started = try await docker(
        ["run", "--detach", "--name", "stage"] + Self.confined + mounts(fleet) + [image]
          + arguments(fleet, "stage", document))
      try #require(started.status == 0, "\(started)")
      let scratch = fleet.nodes[0].path("var/lib/gadwall/scratch")
      try #require(try await eventually(seconds: 60 * patience) { exists(scratch) })
      let watch = Stopwatch()
      _ = try await docker("stop", "--time", "60", "stage")
      #expect(watch.seconds < 30 * patience)
      let ended = try await docker("inspect", "--format", "{{.State.ExitCode}}", "stage")
      #expect(ended.output == "143\n", "\(ended)")

      try removeFile(path)
      try fleet.put("a.log.1", lines(ids("a", 10)), stream: "a.log")
      let next = try await docker(
        ["run", "--rm"] + Self.confined + mounts(fleet) + [image] + arguments(fleet, "stage", document))
      #expect(next.status == 0, "\(next)")
      #expect(!exists(scratch))
    }
  }

  @Test("Pushed to a registry, the image has the digest that it was built with, and runs by it")
  func pushed() async throws {
    let archive = try await TestImage.shared.archive()
    try await TestDocker.withRegistry { port in
      let index = try await shell("tar -xOf '\(archive)' index.json")
      let built = try #require(
        try JSONValue(parsing: Array(index.utf8))["manifests"]?.array?.first?["digest"]?.string)
      let pushed = try await shell(
        "'\(repositoryRoot)/ci/image-push' 127.0.0.1:\(port)/fleet/gadwall:test '\(archive)'")
      let name = "127.0.0.1:\(port)/fleet/gadwall@\(built)"
      #expect(pushed == name + "\n")
      try await TestDocker.with { docker in
        let version = try await docker("run", "--rm", "--network", "none", "--read-only", name, "--version")
        #expect(version.status == 0 && version.output.hasPrefix("gadwall "), "\(version)")
        let digests = try await docker("image", "inspect", "--format", "{{index .RepoDigests 0}}", name)
        #expect(digests.output == name + "\n", "\(digests)")
      }
    }
  }

  @Test("The same files give the same image; it holds no shell, and nothing of the machine that built it")
  func deterministic() async throws {
    let first = try await TestImage.shared.archive()
    try await withScratch { folder in
      if environmentValue("GADWALL_TEST_IMAGE") == nil {
        let second = joined(folder, "image.tar")
        try await TestImage.build(second)
        #expect(try sha256(file: first) == sha256(file: second))
      }
      let names = try await shell(
        """
        cd '\(folder)' && tar -xf '\(first)'
        for layer in $(tar -xOf '\(first)' manifest.json | grep -o 'blobs/[^"]*' | tail -n 3); do tar -tvzf $layer; done
        """
      ).split(separator: "\n").map { $0.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true) }
      #expect(names.count > 100)
      #expect(names.allSatisfy { $0[1] == "0/0" && $0[3] == "1970-01-01" })
      let programs = names.map { $0[5] }.filter {
        $0.split(separator: "/").dropLast().last.map { $0 == "bin" || $0 == "sbin" } == true
      }
      #expect(programs == ["usr/bin/gadwall"])
    }
  }

  private func shell(_ text: String) async throws -> String {
    let result = try await Processes.run(
      ChildCommand(
        "/bin/sh", ["-ec", text], environment: plainEnvironment().merging(["TZ": "UTC"]) { $1 },
        deadline: .after(seconds: 180 * patience)))
    guard result.status == .exited(0) else {
      throw MissingPart(description: "\(text): \(result.status), \(result.errorText)")
    }
    return String(decoding: result.output, as: UTF8.self)
  }
}
