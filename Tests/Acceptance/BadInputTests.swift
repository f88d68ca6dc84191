// What a user gets wrong, or finds wrong: the exit status, a message that names the thing and what to do, and nothing deleted.

import Files
import Support
import TestSupport
import Testing

@Suite("Bad input", .tags(.large))
struct BadInputTests {
  /// Runs the command on a fleet with one rotated file; it has to fail with these words, and the file to be there still.
  private func expectRefused(
    _ words: [String], status: Int32 = 2, _ arguments: [String] = ["harvest"],
    environment: [String: String] = [:], on backend: TestBackend = .current,
    sourceLocation: SourceLocation = #_sourceLocation, prepare: (TestFleet) async throws -> Void = { _ in }
  ) async throws {
    try await TestFleet.with(on: backend) { fleet in
      try fleet.put("my_logs.log.1", lines(ids("a", 3)), stream: "my_logs.log")
      try await prepare(fleet)
      let ended = try await fleet.gadwall(arguments, environment: environment)
      #expect(ended.status == status, "\(ended)", sourceLocation: sourceLocation)
      #expect(ended.output == "", sourceLocation: sourceLocation)
      for word in words { #expect(ended.errors.contains(word), "\(ended)", sourceLocation: sourceLocation) }
      #expect(try fleet.names() == ["my_logs.log.1"], sourceLocation: sourceLocation)
    }
  }

  private func expectConfigurationRefused(
    _ words: [String], replacing old: String, with new: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    try await expectRefused(words, sourceLocation: sourceLocation) { fleet in
      let text = String(decoding: try readFile(fleet.config, limit: .mebibytes(1)), as: UTF8.self)
      try #require(text.contains(old))
      try fleet.write(Array(text.replacing(old, with: new).utf8), to: fleet.config)
    }
  }

  // MARK: configuration

  @Test("No configuration at all")
  func noConfiguration() async throws {
    try await expectRefused(
      ["gadwall.yaml", "--config", "demo", "config.missing"], environment: ["GADWALL_CONFIG": ""]
    ) {
      try removeFile($0.config)
    }
    try await expectRefused(["/nowhere.yaml", "config.missing"], ["harvest", "--config", "/nowhere.yaml"])
    try await expectRefused(["/nowhere.yaml", "config.missing"], ["--config", "/nowhere.yaml", "harvest"])
  }

  @Test("YAML that is none, with the place")
  func brokenYAML() async throws {
    try await expectConfigurationRefused(
      ["gadwall.yaml, line ", "column", "config.syntax"], replacing: "engine: local", with: "engine: [local")
  }

  @Test("An unknown key: line, column and the nearest one")
  func unknownKey() async throws {
    try await expectConfigurationRefused(
      ["line 5, column 1", "'lags'", "Did you mean 'logs'?"], replacing: "logs:", with: "lags:")
    try await expectConfigurationRefused(
      ["column", "'rotted'", "Did you mean 'rotated'?"], replacing: "rotated:", with: "rotted:")
  }

  @Test("A key twice, an anchor, a value of the wrong kind")
  func otherYAML() async throws {
    try await expectConfigurationRefused(
      ["'engine'", "line 2"], replacing: "engine: local", with: "engine: local\nengine: local")
    try await expectConfigurationRefused(["anchor"], replacing: "engine: local", with: "engine: &a local")
    try await expectConfigurationRefused(
      ["prune.keep", "'soon'", "60s"], replacing: "engine: local",
      with: "engine: local\nprune: { keep: soon }")
  }

  @Test("Two nodes with one name, with one root, and a name that is none")
  func nodesTwice() async throws {
    let node = "    - { region: us-east1, zone: us-east1-b, name: vm1, root: nodes/vm1 }\n"
    try await expectConfigurationRefused(
      ["us-east1/us-east1-b/vm1", "second time", "config.node-twice"], replacing: node,
      with: node + node.replacing("root: nodes/vm1", with: "root: nodes/other"))
    try await expectConfigurationRefused(
      ["nodes/vm1", "config.node-twice"], replacing: node,
      with: node + node.replacing("name: vm1", with: "name: vm2"))
    try await expectConfigurationRefused(["-vm1"], replacing: "name: vm1", with: "name: -vm1")
  }

  @Test("Rotated logs that would lie outside the node's root")
  func outside() async throws {
    try await expectConfigurationRefused(["'..'"], replacing: "var/logs/raw_logs/*", with: "../*")
  }

  // MARK: what is around it

  @Test("No DuckDB, and another version of it")
  func duckdb() async throws {
    try await expectRefused(
      ["1.5.5", "/nowhere/duckdb", "GADWALL_DUCKDB", "duckdb.missing"],
      environment: ["GADWALL_DUCKDB": "/nowhere/duckdb"])
    try await expectRefused(["1.5.5", "1.4.0", "duckdb.version"]) { fleet in
      let fake = joined(fleet.folder, "duckdb")
      try publish(Array("#!/bin/sh\necho v1.4.0 fake\n".utf8), at: fake, replacing: true, mode: 0o755)
      try fleet.configure(extra: "duckdb: { path: duckdb }\n")
    }
  }

  @Test("A store below a regular file, and one that is not built yet")
  func store() async throws {
    try await expectRefused(["gadwall.yaml/store", "store.url", "store.unwritable"], on: .folder) {
      try $0.configure(store: "file:gadwall.yaml/store")
    }
    try await expectRefused(["store.url"], on: .folder) { try $0.configure(store: "ftp://example.com/x") }
  }

  @Test(
    "An urgent.where that is more than a condition, or none",
    arguments: [
      ("id IN (SELECT 1)", "subquery"), ("id ===", "urgent.where"), ("colour = 'red'", "colour"),
      ("true) OR (1 = 1", "urgent.where"), ("true; DROP TABLE x", "urgent.where"),
      ("getenv('HOME') = '/'", "getenv"),
      ("row_number() OVER () = 1", "window"), ("count(*) > 1", "urgent.where"), ("(", "urgent.where"),
    ])
  func urgentWhere(condition: String, word: String) async throws {
    try await expectRefused([word, "urgent.where"]) {
      try $0.configure(extra: "urgent: { where: \"\(condition)\" }\n")
    }
  }

  // MARK: the command line

  @Test("A pattern that matches nothing lists the nodes that there are")
  func noMatch() async throws {
    for flag in ["--region", "--zone", "--node"] {
      try await expectRefused(["\(flag) mars*", "us-east1/us-east1-b/vm1"], ["harvest", flag, "mars*"])
    }
  }

  @Test(
    "Wrong usage: 64, and what was meant",
    arguments: [
      (["harvest", "--regoin", "x"], "--region"), (["hervest"], "harvest"),
      (["config", "shwo"], "config show"),
      (["harvest", "--format", "xml"], "json"), (["harvest", "--format"], "--format"),
      (["harvest", "extra"], "extra"),
      (["generate"], "FILE"), (["generate", "--count", "x", "-"], "--count"),
      (["demo", "--nodes", "0"], "--nodes"),
      (["harvest", "--quiet=yes"], "--quiet"), (["node", "stage"], "--store"), (["node"], "stage, prune"),
    ])
  func wrongUsage(arguments: [String], word: String) async throws {
    try await expectRefused([word], status: 64, arguments)
  }

  // MARK: the table

  @Test(
    "A table that is not ours is refused before anything is staged",
    arguments: ["column renamed", "column added", "other spec", "format 3", "no snapshot"])
  func foreignTable(kind: String) async throws {
    // The REST server of the tests reads no table of format 3 itself.
    try await TestFleet.with(on: kind == "format 3" ? .folder : .current) { fleet in
      try fleet.put("my_logs.log.1", lines(["first"]), stream: "my_logs.log")
      let first = try await fleet.gadwall("harvest")
      #expect(first.status == 0, "\(first)")
      let text = String(decoding: try fleet.metadataBytes(), as: UTF8.self)
      var metadata = try JSONValue(parsing: Array(text.utf8))
      switch kind {
      case "column renamed":
        metadata = try JSONValue(parsing: Array(text.replacing("\"service\"", with: "\"servant\"").utf8))
      case "column added":
        metadata = try JSONValue(
          parsing: Array(
            text.replacing(
              "\"fields\":[{\"id\":1,",
              with:
                "\"fields\":[{\"id\":99,\"name\":\"mine\",\"required\":false,\"type\":\"string\"},{\"id\":1,"
            ).utf8))
      case "other spec":
        metadata = try JSONValue(parsing: Array(text.replacing("\"day\"", with: "\"month\"").utf8))
      case "format 3": metadata["format-version"] = 3
      default: metadata["current-snapshot-id"] = -1
      }
      #expect(metadata.text != (try JSONValue(parsing: Array(text.utf8))).text)
      try await fleet.setTable(to: metadata.encoded)

      try fleet.put("my_logs.log.1", lines(["second"]), rotated: TestFleet.hour + 3600, stream: "my_logs.log")
      let raw = try fleet.objects("raw")
      let refused = try await fleet.gadwall("harvest")
      #expect(refused.status == 2, "\(refused)")
      #expect(
        refused.errors.contains("logs.events") && refused.errors.contains("table.foreign"), "\(refused)")
      #expect(try fleet.names() == ["my_logs.log.1"])
      #expect(try fleet.objects("raw") == raw)
    }
  }
}
