// Two control machines harvest the same fleet at once on S3, and nobody is killed: what they may do twice, and what not.

import DuckDB
import Files
import Processes
import Support
import TestSupport
import Testing

@Suite("Two control machines on S3", .tags(.large))
struct TwoMachinesOnS3Tests {
  /// The law, over all that two machines have sent to the S3 server and to the catalog:
  ///
  /// - Every line is in the table once.
  /// - A bundle's data file is written once, by one try: a node stages under its lock, and the machine that comes second is told of the try that
  ///   is there. So are raw files, alerts, plans, and all else under the archive; but for proofs, which on a server without conditions the machine
  ///   that made the run and the one that found it open may both write, each its own bytes; and what is asked of or cached in the store alone.
  /// - Every snapshot of the table is one commit that was answered 200, and no run has two.
  /// - Any other commit was answered 409, since the other machine has committed between this one's look at the table and its own commit. One commit
  ///   spoils one look of the other machine at most: there are no more lost races than commits.
  /// - A commit is tried with one manifest and one manifest list, written for it; the very first may find that the table was made meanwhile, and
  ///   is not even sent.
  ///
  /// In every other round the first commit of all is held up until the other machine's has gone through: that race is lost for certain.
  @Test("Data files are written once, and a lost race costs one more commit")
  func rounds() async throws {
    try await TestFleet.with(nodes: 2, on: .s3) { fleet in
      var both = try await SpoiledFleet(
        fleet, catalog: ["raced=1", "only=^POST .*/tables/events$", "times=0"])
      for round in 0..<chaosRounds(3) {
        let before = try await both.commits().count
        try both.put(round: round)
        let isHeld = round % 2 == 0
        try await both.catalog.spoil(isHeld ? 1 : 0)
        for ended in try await harvestTwice(both) { #expect([0, 1].contains(ended.status), "\(ended)") }
        let commits = try await both.commits().dropFirst(before)
        if isHeld { #expect(commits.contains { $0.status == 409 }, "round \(round): \(commits)") }
        for commit in commits { tally("two machines on S3", "\(commit.status)") }
      }
      #expect(try await both.catalog.counts()["raced"] == (chaosRounds(3) + 1) / 2)
      try await expectCommitsLawful(both)
      try await expectWritesLawful(both)
      try await both.expectFinished()
    }
  }

  /// On a server without conditions nothing keeps the second one from writing over what the first has written meanwhile.
  @Test("Both write the proof of one run, and either's is as good")
  func proofs() async throws {
    try await TestFleet.with(nodes: 2, on: .s3) { fleet in
      var both = try await SpoiledFleet(fleet, store: ["raced=1", "only=^PUT .*/proof.json", "times=1"])
      try both.put(round: 0)
      let spoiled = both.fleet
      async let first = spoiled.gadwall("harvest")
      try await both.store.untilOneWaits()
      let second = try await spoiled.gadwall("harvest")
      for ended in [try await first, second] {
        #expect([0, 1].contains(ended.status), "\(ended)")
      }
      let proofs = try await both.writes().filter { $0.key.hasSuffix("/proof.json") }
      #expect(proofs.values.contains { $0.count == 2 }, "\(proofs)")
      try await both.expectFinished()
    }
  }

  /// When one has ended, nobody is left for whom the other could be held up.
  private func harvestTwice(_ both: SpoiledFleet) async throws -> [Ended] {
    let fleet = both.fleet
    return try await withThrowingTaskGroup(of: Ended.self) { group in
      for _ in 0..<2 { group.addTask { try await fleet.gadwall("harvest") } }
      var ends: [Ended] = []
      for try await ended in group {
        ends.append(ended)
        try await both.catalog.go()
      }
      return ends
    }
  }

  private func expectCommitsLawful(_ both: SpoiledFleet) async throws {
    let commits = try await both.commits()
    #expect(commits.allSatisfy { [200, 409].contains($0.status) }, "\(commits)")
    let done = commits.filter { $0.status == 200 }.map(\.run)
    #expect(Set(done).count == done.count, "\(commits)")
    #expect(commits.count - done.count <= done.count, "\(commits)")
    let table = try #require(try await both.direct.archive?.metadataLocation())
    let path = joined(both.direct.store, String(table.dropFirst(both.direct.archive!.url.count + 1)))
    let metadata = try JSONValue(parsing: readFile(path, limit: .mebibytes(64)))
    let runs = (metadata["snapshots"]?.array ?? []).compactMap { $0["summary"]?["gadwall.run"]?.string }
    #expect(runs.sorted() == done.sorted())
  }

  private func expectWritesLawful(_ both: SpoiledFleet) async throws {
    let writes = try await both.writes()
    for (key, contents) in writes {
      if key == "runs/index.json.gz" || key.hasPrefix("runs/probe-") { continue }
      let most = key == "runs/store.json" || key.hasSuffix("/proof.json") ? 2 : 1
      #expect(contents.count <= most, "\(key) was written \(contents.count) times")
      if key.hasSuffix("/proof.json") {
        #expect(Set(contents).count == contents.count, "\(key) was written twice by one machine")
      }
    }
    // BUNDLE-TRY-NUMBER.parquet, one of each.
    let dataFiles = writes.keys.filter { $0.hasSuffix(".parquet") }
    let bundles = Set(dataFiles.map { baseName($0).prefix { $0 != "-" } })
    #expect(bundles.count == dataFiles.count, "\(dataFiles)")
    let live = try await both.direct.table("SELECT count(DISTINCT batch) AS n FROM events")
    let raws = writes.keys.filter { $0.hasPrefix("raw/") }
    #expect(live.first?["n"]?.integer == Int64(raws.count))

    let lists = writes.keys.filter { baseName($0).hasPrefix("snap-") }.count
    let manifests = writes.keys.filter { $0.hasSuffix("-m0.avro") }.count
    let tries = try await both.commits().count
    #expect(lists == manifests && tries <= lists && lists <= tries + 1, "\(tries) \(lists) \(manifests)")
  }
}
