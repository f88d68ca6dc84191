import Files
import Support
import TestSupport
import Testing

@testable import ObjectStorage

/// What every store promises, asked of a folder and of real S3 servers.
@Suite(.tags(.medium)) struct StoreContractTests {
  @Test(arguments: StoreKind.allCases) func whatIsPutIsThere(_ kind: StoreKind) async throws {
    try await withStore(kind) { store, _ in
      try await store.put(Array("one".utf8), at: "a/b/c")
      #expect(try await store.get("a/b/c", limit: .kibibytes(1)) == Array("one".utf8))
      try await store.put(Array("two, longer".utf8), at: "a/b/c")
      #expect(try await store.get("a/b/c", limit: .kibibytes(1)) == Array("two, longer".utf8))
      #expect(try await store.stat("a/b/c")?.size == 11)
      try await store.put([], at: "a/b/c")
      #expect(try await store.get("a/b/c", limit: .kibibytes(1)) == [])
      #expect(try await store.stat("a/b/c")?.size == 0)
      let age = WallClock.system.now().seconds - (try await store.stat("a/b/c")?.modified.seconds ?? 0)
      #expect(abs(age) < 600)
    }
  }

  @Test(arguments: StoreKind.allCases) func whatIsMissingIsNothing(_ kind: StoreKind) async throws {
    try await withStore(kind) { store, folder in
      let target = joined(folder, "target")
      for key in ["none", "none/deeper"] {
        #expect(try await store.get(key, limit: .kibibytes(1)) == nil)
        #expect(try await store.range(key, from: 0, count: 1) == nil)
        #expect(try await store.stat(key) == nil)
        #expect(try await !store.get(key, toFile: target))
        try await store.delete(key)
      }
      #expect(!exists(target))
      #expect(try await store.list("none/") == [])
    }
  }

  @Test(arguments: StoreKind.allCases) func aRangeIsPartOfIt(_ kind: StoreKind) async throws {
    try await withStore(kind) { store, _ in
      try await store.put(Array("0123456789".utf8), at: "a")
      #expect(try await store.range("a", from: 2, count: 3) == Array("234".utf8))
      #expect(try await store.range("a", from: 8, count: 5) == Array("89".utf8))
      #expect(try await store.range("a", from: 10, count: 5) == [])
      #expect(try await store.range("a", from: 0, count: 10) == Array("0123456789".utf8))
      #expect(try await store.range("a", from: 3, count: 0) == [])
    }
  }

  @Test(arguments: StoreKind.allCases) func aLimitIsKept(_ kind: StoreKind) async throws {
    try await withStore(kind) { store, _ in
      try await store.put([UInt8](repeating: 1, count: 100), at: "a")
      #expect(try await store.get("a", limit: ByteCount(100 as Int64))?.count == 100)
      let failure = await #expect(throws: Failure.self) {
        _ = try await store.get("a", limit: ByteCount(99 as Int64))
      }
      #expect(failure?.code == "store.unreadable")
    }
  }

  /// From nothing over one part to several, and a last part of every odd size.
  @Test(arguments: StoreKind.allCases, [0, 1, 700_001, (5 << 20) - 1, 5 << 20, (11 << 20) + 7])
  func aFileBecomesAnObjectAndBack(_ kind: StoreKind, _ size: Int) async throws {
    try await withStore(kind) { store, folder in
      var store = store
      if var s3 = store as? S3Store {
        s3.settings.partsFrom = .mebibytes(5)
        s3.settings.partSize = .mebibytes(5)
        store = s3
      }
      let bytes = randomContent(size, seed: UInt64(size))
      let file = joined(folder, "file")
      try publish(bytes, at: file, replacing: true)
      for turn in 0..<2 {
        try await store.put(file: file, at: "raw/dt=2026-11-23/big \(turn)")
        #expect(try await store.stat("raw/dt=2026-11-23/big \(turn)")?.size == Int64(size))
      }
      let back = joined(folder, "back")
      #expect(try await store.get("raw/dt=2026-11-23/big 1", toFile: back))
      #expect(try readFile(back, limit: .mebibytes(32)) == bytes)
      // What is there is not written over.
      await #expect(throws: Failure.self) { _ = try await store.get("raw/dt=2026-11-23/big 1", toFile: back) }
      try await store.put(moving: file, at: "moved")
      #expect(!exists(file))
      #expect(try await store.stat("moved")?.size == Int64(size))
      let taken = joined(folder, "taken")
      #expect(try await store.take("moved", toFile: taken))
      #expect(try readFile(taken, limit: .mebibytes(32)) == bytes)
      // A folder has not copied it.
      if kind == .folder { #expect(try await store.stat("moved") == nil) }
      #expect(try await !store.take("no such key", toFile: joined(folder, "none")))
      await #expect(throws: Failure.self) {
        _ = try await store.take("raw/dt=2026-11-23/big 1", toFile: back)
      }
    }
  }

  @Test(arguments: StoreKind.allCases) func keysOfAllKindsGoRoundAndAreListed(_ kind: StoreKind) async throws
  {
    try await withStore(kind) { store, _ in
      let keys = [
        "a-b", "a/b c", "a/b+c", "a/dt=2026-11-23/x", "a/100%", "a/q?x=1&y=2", "a/#1", "a/ü", "a/日本", "a/~x",
        "a/'(x)!*", "a/%41",
        "a/\"<&>\"",
      ]
      for key in keys { try await store.put(Array(key.utf8), at: key) }
      for key in keys { #expect(try await store.get(key, limit: .kibibytes(1)) == Array(key.utf8), "\(key)") }
      let sorted = keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      #expect(try await store.list("").map(\.key) == sorted)
      #expect(try await store.list("a/").map(\.key) == sorted.filter { $0.hasPrefix("a/") })
      #expect(try await store.list("a/dt").map(\.key) == ["a/dt=2026-11-23/x"])
      // From each key on, as one expects of sorted keys.
      for start in sorted + ["", "a", "zz"] {
        let wanted = sorted.filter { start.utf8.lexicographicallyPrecedes($0.utf8) }
        #expect(try await store.list("", after: start).map(\.key) == wanted, "after \(start)")
      }
      for key in keys { try await store.delete(key) }
      #expect(try await store.list("") == [])
    }
  }

  @Test(arguments: StoreKind.allCases) func manyAreDeletedAtOnce(_ kind: StoreKind) async throws {
    try await withStore(kind) { store, _ in
      let keys = ["a", "b/c", "b/<&>", "d e"]
      for key in keys { try await store.put([1], at: key) }
      try await store.delete(["a", "b/<&>", "never/there"])
      #expect(try await store.list("").map(\.key) == ["b/c", "d e"])
      try await store.delete([])
      await #expect(throws: Failure.self) { try await store.delete(["d e", "../x"]) }
      #expect(try await store.list("").map(\.key).contains("b/c"))
    }
  }

  @Test(arguments: StoreKind.allCases) func putIfAbsentLeavesWhatIsThere(_ kind: StoreKind) async throws {
    try await withStore(kind) { store, _ in
      #expect(try await store.putIfAbsent([1], at: "a"))
      #expect(try await !store.putIfAbsent([2], at: "a"))
      #expect(try await store.get("a", limit: .kibibytes(1)) == [1])
      try await store.delete("a")
      #expect(try await store.putIfAbsent([3], at: "a"))
    }
  }

  @Test(arguments: [StoreKind.folder, .moto]) func ofManyPutsIfAbsentOneWins(_ kind: StoreKind) async throws {
    try await withStore(kind) { store, _ in
      for round in 0..<8 {
        let key = "race/\(round)"
        let winners = try await withThrowingTaskGroup(of: UInt8?.self) { group in
          for number in UInt8(0)..<8 {
            group.addTask {
              try await store.putIfAbsent([UInt8](repeating: number, count: 1000), at: key) ? number : nil
            }
          }
          var winners: [UInt8] = []
          for try await winner in group { if let winner { winners.append(winner) } }
          return winners
        }
        // moto looks whether the object is there, and writes it, in two steps: of several that look at once more than one may win.
        #expect(winners.count == 1 || kind == .moto && !winners.isEmpty)
        let found = try await store.get(key, limit: .kibibytes(2))
        #expect(winners.contains { found == [UInt8](repeating: $0, count: 1000) })
      }
    }
  }

  @Test(arguments: StoreKind.servers) func listingsComeInPages(_ kind: StoreKind) async throws {
    try await withS3(kind) { store, _ in
      let keys = (0..<1203).map { "many/\(padded($0, 5))" }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for start in stride(from: 0, to: keys.count, by: 100) {
          group.addTask {
            for key in keys[start..<min(start + 100, keys.count)] { try await store.put([1], at: key) }
          }
        }
        try await group.waitForAll()
      }
      #expect(try await store.list("many/").map(\.key) == keys)
      #expect(try await store.list("many/", after: "many/00100").map(\.key) == Array(keys.dropFirst(101)))
    }
  }

  @Test(arguments: StoreKind.allCases) func improperKeysAreRefused(_ kind: StoreKind) async throws {
    try await withStore(kind) { store, _ in
      for key in [
        "", "/a", "a/", "a//b", "../a", "a/../b", ".a", "a\u{0}b", "a\nb",
        String(repeating: "x", count: 1025),
      ] {
        await #expect(throws: Failure.self, "\(key)") { try await store.put([1], at: key) }
        await #expect(throws: Failure.self, "\(key)") { _ = try await store.get(key, limit: .kibibytes(1)) }
      }
    }
  }
}
