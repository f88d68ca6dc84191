// Faults of the S3 server and of the catalog while the built program harvests: whatever happens, no line is lost or comes twice.

import Files
import Processes
import Support
import TestSupport
import Testing

@Suite("Faults of S3 and of the catalog", .tags(.large))
struct S3FaultTests {
  enum Place: String, Sendable { case store, catalog }

  /// What the proxy before the one or the other does (Tests/Servers/faulty_proxy.py).
  struct Fault: Sendable, CustomTestStringConvertible {
    var place: Place
    var words: [String]
    var testDescription: String { "\(place.rawValue): \(words.joined(separator: " "))" }
    var kinds: [String] {
      words.map { String($0.prefix { $0 != "=" }) }.filter { !["only", "times", "seconds"].contains($0) }
    }

    init(_ place: Place, _ words: String...) {
      self.place = place
      self.words = words
    }
  }

  private static let passing = [
    Fault(.store, "busy=0.2", "lost=0.1"), Fault(.store, "truncated=0.2"), Fault(.store, "cut=0.2"),
    Fault(.store, "stall=0.05", "seconds=2"),
    Fault(.catalog, "busy=0.2", "lost=0.1"), Fault(.catalog, "cut=0.2"),
    // Every commit is done, and none is told so.
    Fault(.catalog, "cut=1", "only=^POST .*/tables/events$"),
  ]

  /// A store is waited for until 30 seconds have passed without a byte, and asked again; a catalog for 120, since a commit may wait there for
  /// others.
  private static let long = [
    Fault(.catalog, "truncated=0.2"),
    Fault(.catalog, "lost=1", "only=^POST .*/tables/events$"),
    // More than a client may repeat.
    Fault(.store, "busy=0.4", "lost=0.15", "cut=0.1", "truncated=0.1", "refused=0.1"),
    Fault(.catalog, "busy=0.4", "lost=0.15", "cut=0.1", "truncated=0.1", "refused=0.1"),
    Fault(.store, "stall=1", "seconds=35", "only=^PUT .*parquet", "times=1"),
    Fault(.store, "stall=1", "seconds=35", "only=^GET .*/staged/", "times=1"),
    Fault(.store, "stall=0.1", "seconds=30", "times=3"),
    Fault(.catalog, "stall=1", "seconds=30", "only=^POST .*/tables/events$", "times=1"),
    Fault(.catalog, "stall=1", "seconds=125", "only=^POST .*/tables/events$", "times=1"),
  ]

  /// Tried with so many seeds; `GADWALL_CHAOS_SEED` says the first.
  private static let seeds: [Int] = {
    let first = Int(environmentValue("GADWALL_CHAOS_SEED") ?? "") ?? 1
    return Array(first..<first + (isChaos ? max(1, chaosRounds(1) / 4) : 1))
  }()

  @Test(
    "Harvests with faults lose nothing, and one without them finishes",
    arguments: passing + (isChaos ? long : []), seeds)
  func spoiled(_ fault: Fault, seed: Int) async throws {
    try await TestFleet.with(nodes: 2, on: .s3) { fleet in
      var spoiled = try await SpoiledFleet(
        fleet, store: fault.place == .store ? fault.words : [],
        catalog: fault.place == .catalog ? fault.words : [], seed: seed)
      let proxy = fault.place == .store ? spoiled.store : spoiled.catalog
      var (round, missing) = (0, fault.kinds)
      while round < 2 || round < 8 && !missing.isEmpty {
        try spoiled.put(round: round)
        let ended = try await spoiled.fleet.gadwall("harvest", seconds: 400)
        try await spoiled.expectNothingLost(ended)
        tally("harvest under faults ended with \(ended.status)", fault.testDescription)
        let counts = try await proxy.counts()
        missing = fault.kinds.filter { counts[$0] == 0 }
        round += 1
      }
      #expect(missing.isEmpty, "never happened")
      try await spoiled.expectFinished()
    }
  }

  /// When a server is killed, and whether it comes back while the harvest still tries.
  struct Death: Sendable, CustomTestStringConvertible {
    var place: Place
    /// Half of such a request has come, or all of it and it is done.
    var kind: String
    var request: String
    var comesBack = true
    var testDescription: String {
      "\(place.rawValue): \(request) \(kind)\(comesBack ? "" : ", and stays away")"
    }
  }

  private static let commit = "^POST .*/tables/events$"
  private static let deaths =
    [
      Death(place: .store, kind: "held", request: "^PUT .*parquet"),
      Death(place: .store, kind: "held", request: "^PUT .*/snap-"),
      Death(place: .store, kind: "held", request: "^PUT .*parquet", comesBack: false),
      Death(place: .catalog, kind: "held", request: commit),
      Death(place: .catalog, kind: "kept", request: commit),
    ] + (isChaos ? moreDeaths : [])

  private static let moreDeaths: [Death] = {
    let writes = [
      "/raw/", "/alerts/", "/staged/", "/task/", "/open/", "/plan.json", "-m0.avro", "/proof.json",
      "/pruned/", "/summary",
    ].map { "^PUT .*\($0)" }
    let others = ["^GET .*/staged/", "^GET .*/proof.json", "^HEAD .*parquet", "^DELETE .*/open/"]
    let requests = writes.map { ("held", $0) } + (writes + others).map { ("kept", $0) }
    return [true, false].flatMap { comesBack in
      requests.map { Death(place: .store, kind: $0.0, request: $0.1, comesBack: comesBack) }
    } + [Death(place: .catalog, kind: "kept", request: commit, comesBack: false)]
  }()

  @Test("A server is killed in the middle of it", arguments: deaths)
  func killed(_ death: Death) async throws {
    try await TestFleet.with(nodes: 2, on: .s3) { fleet in
      try await MortalArchive.with(joined(fleet.folder, "servers")) { servers in
        var own = fleet
        own.archive = servers.archive
        let words = ["\(death.kind)=1", "only=\(death.request)", "times=1"]
        var spoiled = try await SpoiledFleet(
          own, store: death.place == .store ? words : [], catalog: death.place == .catalog ? words : [])
        let proxy = death.place == .store ? spoiled.store : spoiled.catalog
        let server = death.place == .store ? servers.store : servers.catalog
        try spoiled.put(round: 0)
        let fleet = spoiled.fleet
        async let harvest = fleet.gadwall("harvest", seconds: 120)
        try await proxy.untilOneWaits()
        await server.kill()
        try await proxy.go()
        if death.comesBack { try await server.restart() }
        let ended = try await harvest
        if !death.comesBack { try await server.restart() }
        #expect(death.comesBack || ended.status != 0, "\(ended)")
        try await spoiled.expectNothingLost(ended)
        tally("harvest whose server was killed ended with \(ended.status)", death.testDescription)
        try await spoiled.expectFinished()
      }
    }
  }
}
