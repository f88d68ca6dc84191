// A power cut at every named place between two steps, one at a time: run it again, and every line is in the table once.

import Files
import Processes
import Support
import TestSupport
import Testing

@Suite("Killed anywhere, run again", .tags(.large))
struct KillPointTests {
  @Test("Every line once, every file gone, no scratch left", arguments: harvestPoints())
  func killed(at name: String) async throws {
    try await TestFleet.with(nodes: 2) { fleet in
      var written: [String] = []
      func put(_ file: String, _ node: Int, _ stream: String, _ count: Int, gzipped: Bool = false) throws {
        let ids = ids("\(node)-\(file)", count)
        written += ids
        let content = lines(ids, category: "SECURITY")
        try fleet.put(file, content, on: node, stored: gzipped ? gzip(content) : nil, stream: stream)
      }
      try put("my_logs.log.1", 0, "my_logs.log", 20)
      try put("my_logs.log-20261123-13.gz", 1, "my_logs.log", 20, gzipped: true)
      try put("other.log.1", 1, "other.log", 5)
      try fleet.put("empty.log.1", [], on: 0, stream: "empty.log")

      let stopped = try await fleet.gadwall(
        "harvest", "--format", "json", environment: ["GADWALL_STOP_AT": name])
      #expect(wasKilled(stopped), "nothing was killed: \(stopped)")
      if wasKilled(stopped) { tally("killed", name) }
      var last = stopped
      for _ in 0..<3 where last.status != 0 { last = try await fleet.gadwall("harvest") }
      #expect(last.status == 0, "\(last)")
      #expect(try await fleet.idCounts() == Dictionary(uniqueKeysWithValues: written.map { ($0, 1) }))
      for node in 0..<2 {
        #expect(try fleet.names(node).isEmpty)
        #expect(try fleet.names(node, in: "var/lib/gadwall/scratch").isEmpty)
      }
      // An entry without a plan may be that of a run that is about to write it: it goes after a day.
      for entry in try fleet.objects("runs/open") {
        #expect(name == "plan.before")
        #expect(!exists(joined(fleet.folder, "store/runs/\(baseName(entry))/plan.json")))
      }
      let verify = try await fleet.gadwall("verify")
      #expect(verify.status == 0, "\(verify)")
    }
  }

  @Test(
    "Killed twice in a row, at a place in the first run and at another in the second",
    arguments: [
      ("stage.fixed", "stage.uploaded"), ("stage.completed", "commit.after"),
      ("commit.after", "proof.before"), ("proof.after", "prune.set-aside"),
      ("prune.proven", "stage.before-report"),
    ] + randomPairs())
  func killedTwice(at first: String, then second: String) async throws {
    try await TestFleet.with { fleet in
      let ids = ids("a", 10)
      try fleet.put("my_logs.log.1", lines(ids), stream: "my_logs.log")
      for name in [first, second] {
        let stopped = try await fleet.gadwall("harvest", environment: ["GADWALL_STOP_AT": name])
        if wasKilled(stopped) { tally("killed, then killed again", name) }
      }
      var last = try await fleet.gadwall("harvest")
      for _ in 0..<2 where last.status != 0 { last = try await fleet.gadwall("harvest") }
      #expect(last.status == 0, "\(last)")
      #expect(try await fleet.idCounts() == Dictionary(uniqueKeysWithValues: ids.map { ($0, 1) }))
      #expect(try fleet.names().isEmpty)
      let verify = try await fleet.gadwall("verify")
      #expect(verify.status == 0, "\(verify)")
    }
  }

  @Test("On S3 with a REST catalog, at its own places and around the commit", arguments: s3Points())
  func killedOnS3(at name: String) async throws {
    try await TestFleet.with(on: .s3) { fleet in
      let ids = ids("a", 10)
      try fleet.put("my_logs.log.1", lines(ids), stream: "my_logs.log")
      let stopped = try await fleet.gadwall("harvest", environment: ["GADWALL_STOP_AT": name])
      #expect(wasKilled(stopped), "nothing was killed: \(stopped)")
      if wasKilled(stopped) { tally("killed on S3", name) }
      var last = stopped
      for _ in 0..<3 where last.status != 0 { last = try await fleet.gadwall("harvest") }
      #expect(last.status == 0, "\(last)")
      #expect(try await fleet.idCounts() == Dictionary(uniqueKeysWithValues: ids.map { ($0, 1) }))
      #expect(try fleet.names().isEmpty)
      let verify = try await fleet.gadwall("verify", "--deep")
      #expect(verify.status == 0, "\(verify)")
    }
  }

  @Test(
    "While the runs' index is written, which 24 runs after the last time is",
    arguments: ["index.before", "index.written"])
  func killedAtTheIndex(_ name: String) async throws {
    try await TestFleet.with(on: .folder) { fleet in
      var written: [String] = []
      func harvest(_ number: Int, stop: String? = nil) async throws -> Ended {
        let ids = ids("run-\(number)", 1)
        written += ids
        try fleet.put("my_logs.log.\(number)", lines(ids), stream: "my_logs.log")
        return try await fleet.gadwall(
          "harvest", "--quiet", environment: stop.map { ["GADWALL_STOP_AT": $0] } ?? [:])
      }
      for number in 1...23 { #expect(try await harvest(number).status == 0) }
      #expect(try fleet.objects("runs/index").isEmpty)
      let stopped = try await harvest(24, stop: name)
      #expect(wasKilled(stopped), "nothing was killed: \(stopped)")
      if wasKilled(stopped) { tally("killed", name) }
      #expect(try await harvest(25).status == 0)
      #expect(try !fleet.objects("runs/index").isEmpty)
      #expect(try await fleet.idCounts() == Dictionary(uniqueKeysWithValues: written.map { ($0, 1) }))
      let verify = try await fleet.gadwall("verify")
      #expect(verify.status == 0, "\(verify)")
      #expect(verify.output.contains("25 batches of 25 runs"), "\(verify)")
    }
  }

  @Test("There are kill points to test")
  func thereAreSome() { #expect(stepPointNames().count >= 33) }
}

/// In `make check-long` (GADWALL_TEST_STORE=s3) all are tested by the other tests.
private func s3Points() -> [String] {
  harvestPoints(on: .s3).filter { $0.hasPrefix("rest.") || $0.hasPrefix("commit.") || $0.hasPrefix("proof.") }
}

/// Pairs of places, the same for the same seed. `make chaos` asks for many.
private func randomPairs() -> [(String, String)] {
  var random = SeededRandom(seed: UInt64(environmentValue("GADWALL_CHAOS_SEED") ?? "") ?? 1)
  let names = harvestPoints()
  return (0..<(Int(environmentValue("GADWALL_CHAOS_PAIRS") ?? "") ?? 6)).map { _ in
    (names.randomElement(using: &random)!, names.randomElement(using: &random)!)
  }
}

/// A control machine's own point kills it; a node's point kills the node's task, and the harvest says so.
func wasKilled(_ ended: Ended) -> Bool {
  ended.status == 128 + 9 || ended.errors.contains("failed: signal 9")
}

/// Those that a harvest comes by. The index is written after many runs only, and each catalog has points of its own.
func harvestPoints(on backend: TestBackend = .current) -> [String] {
  let others = ["recover.", "index."] + (backend == .s3 ? ["commit.metadata-written"] : ["rest."])
  return stepPointNames().filter { name in !others.contains { name.hasPrefix($0) } }
}

/// The names in all `stepPoint("…")` calls of the sources, so that a new one is tested from its first day.
func stepPointNames() -> [String] {
  var names: Set<String> = []
  func walk(_ path: String) {
    for entry in (try? folderEntries(path)) ?? [] {
      guard let name = entry.name else { continue }
      let inner = joined(path, name)
      if (try? FileInfo(path: inner))?.kind == .directory {
        walk(inner)
      } else if name.hasSuffix(".swift"), let bytes = try? readFile(inner, limit: .mebibytes(4)) {
        for part in String(decoding: bytes, as: UTF8.self).split(separator: "stepPoint(\"").dropFirst() {
          names.insert(String(part.prefix { $0 != "\"" }))
        }
      }
    }
  }
  walk(joined(repositoryRoot, "Sources"))
  return names.sorted()
}
