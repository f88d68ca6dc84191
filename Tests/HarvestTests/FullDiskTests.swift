import Files
import Fleet
import Ledger
import Logs
import ObjectStorage
import Support
import Synchronization
import TestSupport
import Testing

@testable import Harvest

/// A node's disk that is full at one step: the node says so, no line is lost or doubled, and with some room the next run does the rest.
@Suite(.tags(.medium)) struct FullDiskTests {
  private func withFullDisk(
    _ body: (inout InProcessFleet, SmallDisk) async throws -> Void
  ) async throws {
    try await withScratch { folder in
      var fleet = try await InProcessFleet(folder)
      let state = joined(fleet.engine.root(fleet.engine.nodes[0]), "var/lib/gadwall")
      try await SmallDisk.with(over: state, .mebibytes(96)) { disk in try await body(&fleet, disk) }
    }
  }

  /// A run that fails with one of these codes, and one that does all of it once there is room.
  private func expectFailure(
    _ codes: [String], _ fleet: inout InProcessFleet, _ disk: SmallDisk, lines: Int64,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let first = try await fleet.run()
    let said = first.nodes[0].problems + [first.nodes[0].failure ?? ""]
    #expect(
      said.contains { words in codes.contains { words.contains("[\($0)]") } }, "\(said)",
      sourceLocation: sourceLocation)
    #expect(first.proven.isEmpty && !first.isComplete, sourceLocation: sourceLocation)
    #expect(exists(fleet.path(0, "a.log.1")), sourceLocation: sourceLocation)
    #expect(!exists(joined(disk.path, "scratch")), "scratch files are left", sourceLocation: sourceLocation)

    fleet.engine.progress = { _ in }
    fleet.engine.store = fleet.store
    try disk.empty()
    #expect(try await fleet.run().isComplete, sourceLocation: sourceLocation)
    #expect(!exists(fleet.path(0, "a.log.1")), sourceLocation: sourceLocation)
    #expect(try await fleet.count() == lines, sourceLocation: sourceLocation)
    #expect(try await fleet.verify().findings == [], sourceLocation: sourceLocation)
  }

  @Test func whileAFileIsRead() async throws {
    try await withFullDisk { fleet, disk in
      try await fleet.write(0, "a.log.1", lines: 20_000, seed: 1)
      fleet.engine.progress = { step in
        if step.phase == "reading" { try? disk.fill() }
      }
      try await expectFailure(["scratch.full"], &fleet, disk, lines: 20_000)
    }
  }

  @Test func whileDuckDBWrites() async throws {
    try await withFullDisk { fleet, disk in
      try await fleet.write(0, "a.log.1", lines: 5, seed: 1)
      fleet.engine.progress = { step in
        // A page for the list of its batches, and none for the data file.
        if step.phase == "writing" { try? disk.fill(leaving: .kibibytes(4)) }
      }
      // The raw file goes up meanwhile, and its room may do for DuckDB: then the ledger is the first to find none.
      try await expectFailure(["scratch.full", "ledger.failed"], &fleet, disk, lines: 5)
    }
  }

  @Test func whenTheLedgerIsToRecordWhatIsUploaded() async throws {
    try await withFullDisk { fleet, disk in
      try await fleet.write(0, "a.log.1", lines: 5, seed: 1)
      // Raw file, data file and alert go up side by side, and what has gone up leaves room behind: full once all of it has.
      let seen = Mutex<Set<String>>([])
      fleet.engine.store = WatchedStore(fleet.store) { key in
        let kinds = seen.withLock { seen in
          for kind in ["raw/", "/data/", "alerts/"] where key.contains(kind) { seen.insert(kind) }
          return seen
        }
        if kinds.isSuperset(of: ["raw/", "/data/"]) { try? disk.fill() }
      }
      try await expectFailure(["ledger.failed"], &fleet, disk, lines: 5)
    }
  }

  /// With a little more room each time, so that each of the ledger's changes is once the one that fails.
  @Test func whileFilesAreDeleted() async throws {
    try await withFullDisk { fleet, disk in
      let names = (1...4).map { "a.log.\($0)" }
      for (index, name) in names.enumerated() {
        try await fleet.write(0, name, lines: 5, seed: UInt64(index), at: 1_795_000_000 + Int64(index))
      }
      var failures = 0
      for pages in 0..<40 {
        fleet.engine.store = WatchedStore(fleet.store) { key in
          if key.hasSuffix("/proof.json") { try? disk.fill(leaving: ByteCount(Int64(pages) * 4096)) }
        }
        let summary = try await fleet.run()
        try disk.empty()
        #expect(try await fleet.count() == 20)
        if summary.isComplete { break }
        failures += 1
      }
      #expect(failures > 2)
      #expect(names.allSatisfy { !exists(fleet.path(0, $0)) })
      #expect(try folderEntries(folderName(fleet.path(0, "a"))).isEmpty)
      #expect(try await fleet.run().isComplete)
      #expect(try await fleet.verify().findings == [])
    }
  }
}

/// A store that says which objects have been written from a file, and which are about to be read.
private struct WatchedStore: ObjectStore {
  let inner: any ObjectStore
  let watch: @Sendable (String) -> Void

  init(_ inner: any ObjectStore, watch: @escaping @Sendable (String) -> Void) {
    self.inner = inner
    self.watch = watch
  }

  var url: String { inner.url }
  func put(_ bytes: [UInt8], at key: String) async throws(Failure) { try await inner.put(bytes, at: key) }
  func put(file path: String, at key: String) async throws(Failure) {
    try await inner.put(file: path, at: key)
    watch(key)
  }
  func put(moving path: String, at key: String) async throws(Failure) {
    try await inner.put(moving: path, at: key)
    watch(key)
  }
  func putIfAbsent(_ bytes: [UInt8], at key: String) async throws(Failure) -> Bool {
    try await inner.putIfAbsent(bytes, at: key)
  }
  func get(_ key: String, limit: ByteCount) async throws(Failure) -> [UInt8]? {
    watch(key)
    return try await inner.get(key, limit: limit)
  }
  func get(_ key: String, toFile path: String) async throws(Failure) -> Bool {
    try await inner.get(key, toFile: path)
  }
  func range(_ key: String, from offset: Int64, count: Int) async throws(Failure) -> [UInt8]? {
    try await inner.range(key, from: offset, count: count)
  }
  func list(_ prefix: String, after key: String) async throws(Failure) -> [ObjectInfo] {
    try await inner.list(prefix, after: key)
  }
  func stat(_ key: String) async throws(Failure) -> ObjectInfo? { try await inner.stat(key) }
  func delete(_ key: String) async throws(Failure) { try await inner.delete(key) }
}
