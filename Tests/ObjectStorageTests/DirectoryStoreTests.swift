import Files
import Glibc
import ObjectStorage
import Support
import TestSupport
import Testing

@Suite struct DirectoryStoreTests {
  @Test func whatIsPutIsThere() async throws {
    try await withStore { store in
      try await store.put(Array("one".utf8), at: "a/b/c")
      #expect(try await store.get("a/b/c", limit: .kibibytes(1)) == Array("one".utf8))
      try await store.put(Array("two, longer".utf8), at: "a/b/c")
      #expect(try await store.get("a/b/c", limit: .kibibytes(1)) == Array("two, longer".utf8))
      try await store.put([], at: "a/b/c")
      #expect(try await store.get("a/b/c", limit: .kibibytes(1)) == [])
      #expect(try await store.stat("a/b/c")?.size == 0)
    }
  }

  @Test func aFileBecomesAnObjectAndBack() async throws {
    try await withStore { store in
      var random = SeededRandom(seed: 5)
      let bytes = (0..<700_001).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      let file = joined(folderName(store.root), "file")
      try publish(bytes, at: file, replacing: true)
      try await store.put(file: file, at: "big")
      #expect(try await store.stat("big")?.size == 700_001)
      let back = joined(folderName(store.root), "back")
      #expect(try await store.get("big", toFile: back))
      #expect(try readFile(back, limit: .mebibytes(1)) == bytes)
      let there = await #expect(throws: Failure.self) { _ = try await store.get("big", toFile: back) }
      #expect(there?.code == "store.unreadable")
      let missing = await #expect(throws: Failure.self) { try await store.put(file: "/nowhere", at: "x") }
      #expect(missing?.code == "store.unwritable")
      #expect(try await store.list("").map(\.key) == ["big"])
    }
  }

  @Test func whatIsMissingIsNothing() async throws {
    try await withStore { store in
      let target = joined(folderName(store.root), "target")
      try await store.put([1], at: "folder/object")
      for key in ["none", "none/deeper", "folder/object/below"] {
        #expect(try await store.get(key, limit: .kibibytes(1)) == nil)
        #expect(try await store.range(key, from: 0, count: 1) == nil)
        #expect(try await store.stat(key)?.key == nil)
        #expect(try await !store.get(key, toFile: target))
        try await store.delete(key)
      }
      #expect(!exists(target))
      #expect(try await store.stat("folder")?.key == nil)
      #expect(try await store.list("none/") == [])
    }
  }

  @Test func aRangeIsPartOfIt() async throws {
    try await withStore { store in
      try await store.put(Array("0123456789".utf8), at: "a")
      #expect(try await store.range("a", from: 2, count: 3) == Array("234".utf8))
      #expect(try await store.range("a", from: 8, count: 5) == Array("89".utf8))
      #expect(try await store.range("a", from: 10, count: 5) == [])
      #expect(try await store.range("a", from: 0, count: 10) == Array("0123456789".utf8))
      #expect(try await store.range("a", from: 3, count: 0) == [])
    }
  }

  @Test func aLimitIsKept() async throws {
    try await withStore { store in
      try await store.put([UInt8](repeating: 1, count: 100), at: "a")
      #expect(try await store.get("a", limit: ByteCount(100 as Int64))?.count == 100)
      let failure = await #expect(throws: Failure.self) {
        _ = try await store.get("a", limit: ByteCount(99 as Int64))
      }
      #expect(failure?.code == "store.unreadable")
    }
  }

  @Test func ofManyPutsIfAbsentOneWins() async throws {
    try await withStore { store in
      for round in 0..<20 {
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
        #expect(winners.count == 1)
        #expect(
          try await store.get(key, limit: .kibibytes(2))
            == winners.first.map { [UInt8](repeating: $0, count: 1000) })
      }
      #expect(try await store.list("race/").count == 20)
    }
  }

  @Test func putIfAbsentLeavesWhatIsThere() async throws {
    try await withStore { store in
      #expect(try await store.putIfAbsent([1], at: "a"))
      #expect(try await !store.putIfAbsent([1], at: "a"))
      #expect(try await !store.putIfAbsent([2], at: "a"))
      #expect(try await store.get("a", limit: .kibibytes(1)) == [1])
      try await store.delete("a")
      #expect(try await store.putIfAbsent([3], at: "a"))
    }
  }

  @Test func listsAreSortedByBytesAndTakeAnyPrefix() async throws {
    try await withStore { store in
      let keys = [
        "a", "a-b", "a.b", "a/b", "a/b/c", "a/bc", "ab", "B", "runs/open/1", "runs/open/10", "runs/open/2",
        "é", "e\u{301}x", "z",
      ]
      for key in keys where key != "a" && key != "a/b" { try await store.put([1], at: key) }
      let there = try await store.list("").map(\.key)
      func listed(_ prefix: String) async throws -> [String] { try await store.list(prefix).map(\.key) }
      #expect(there == sorted(keys.filter { $0 != "a" && $0 != "a/b" }))
      #expect(try await listed("a") == ["a-b", "a.b", "a/b/c", "a/bc", "ab"])
      #expect(try await listed("a/") == ["a/b/c", "a/bc"])
      #expect(try await listed("a/b") == ["a/b/c", "a/bc"])
      #expect(try await listed("a/b/") == ["a/b/c"])
      #expect(try await listed("runs/open/1") == ["runs/open/1", "runs/open/10"])
      #expect(try await listed("runs/op") == ["runs/open/1", "runs/open/10", "runs/open/2"])
      #expect(try await listed("runs/open/10/x") == [])
      #expect(try await listed("b") == [])
      #expect(try await listed("e").map { Array($0.utf8) } == [Array("e\u{301}x".utf8)])
      #expect(try await listed("é").map { Array($0.utf8) } == [Array("é".utf8)])
      #expect(try await store.list("z") == [try #require(try await store.stat("z"))])
    }
  }

  @Test(arguments: ["../", "../store", "/", "/etc/", "a/../../", "..", "./", "a//", "\n"])
  func listsStayInTheStore(prefix: String) async throws {
    try await withStore { store in
      try publish([1], at: joined(folderName(store.root), "outside"), replacing: true)
      try await store.put([1], at: "a/inside")
      // Nothing, or a failure: no name from elsewhere.
      let found = (try? await store.list(prefix)) ?? []
      #expect(found == [])
    }
  }

  @Test func uploadsThatWereCutOffAreNotListed() async throws {
    try await withStore { store in
      try await store.put([1], at: "a/whole")
      try publish([1], at: joined(store.root, "a/.gadwall-0123456789abcdef.part"), replacing: true)
      try publish([1], at: joined(store.root, ".hidden"), replacing: true)
      try #require(symlink("whole", joined(store.root, "a/link")) == 0)
      try #require(mkfifo(joined(store.root, "a/fifo"), 0o600) == 0)
      #expect(try await store.list("").map(\.key) == ["a/whole"])
      #expect(try await store.stat("a/link")?.key == nil)
    }
  }

  @Test(arguments: [
    "", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/../b", "./a", "a/.", "a\nb", "a\0b", "a\u{7F}",
    "\u{1F}", String(repeating: "a", count: 1025),
    "...", "..a", ".gadwall-x.part", "a/.hidden/b", "../\u{301}a", "a/../\u{301}b", "\u{1}/\u{301}",
  ])
  func otherKeysAreRefused(key: String) async throws {
    try await withStore { store in
      #expect(!isProperKey(key))
      let put = await #expect(throws: Failure.self) { try await store.put([1], at: key) }
      #expect(put?.code == "store.key")
      await #expect(throws: Failure.self) { _ = try await store.putIfAbsent([1], at: key) }
      await #expect(throws: Failure.self) { _ = try await store.get(key, limit: .kibibytes(1)) }
      await #expect(throws: Failure.self) { _ = try await store.range(key, from: 0, count: 1) }
      await #expect(throws: Failure.self) { _ = try await store.stat(key) }
      await #expect(throws: Failure.self) { try await store.delete(key) }
      let beside = try folderEntries(folderName(store.root)).map(\.name)
      #expect(beside == ["store"])
    }
  }

  @Test(arguments: [
    "a", "a/b", "a../b.", "a b", "dt=2026-11-23/x.json.gz", "日志/é", "a/\u{301}b",
    String(repeating: "a/", count: 100) + "b", "\"'\\*?",
  ])
  func properKeysAreTaken(key: String) async throws {
    try await withStore { store in
      try await store.put([7], at: key)
      #expect(try await store.get(key, limit: .kibibytes(1)) == [7])
      #expect(try await store.list("").map { Array($0.key.utf8) } == [Array(key.utf8)])
      try await store.delete(key)
      #expect(try await store.list("") == [])
    }
  }

  @Test func urlsAndKeysAreEachOthers() async throws {
    try await withStore { store in
      #expect(store.url == "file://" + store.root)
      #expect(store.url(of: "a/b") == "file://\(store.root)/a/b")
      for url in [store.url(of: "a/b"), "file:\(store.root)/a/b", "\(store.root)/a/b"] {
        #expect(store.key(of: url) == "a/b", "\(url)")
      }
      for url in [
        store.root, store.root + "/", store.url, store.root + "x/a", "file:///elsewhere/a", "/elsewhere",
        "s3://bucket/a", "", "a/b", store.root + "/../a",
        store.root + "/a/../../b", store.root + "//a", "file://host\(store.root)/a",
        store.root + "/../\u{301}a",
      ] {
        #expect(store.key(of: url) == nil, "\(url)")
      }
    }
  }

  @Test func aRootThatCantBeWrittenIsNamed() async throws {
    try await withScratch { scratch in
      try publish([], at: joined(scratch, "file"), replacing: true)
      for root in ["file", "file/below", "file/below/deeper"] {
        let path = joined(scratch, root)
        let failure = #expect(throws: Failure.self) { _ = try DirectoryStore(root: path) }
        #expect(failure?.code == "store.unwritable")
        #expect(failure?.sentence.contains(path) == true)
        #expect(failure?.words.isEmpty == false)
      }
    }
  }

  @Test func anObjectBelowAnObjectCantBeWritten() async throws {
    try await withStore { store in
      try await store.put([1], at: "a")
      let failure = await #expect(throws: Failure.self) { try await store.put([1], at: "a/b") }
      #expect(failure?.code == "store.unwritable")
      #expect(failure?.sentence.contains("a/b") == true)
    }
  }

  @Test func theRootMayBeALinkAndIsMade() async throws {
    try await withScratch { scratch in
      try makeFolder(joined(scratch, "real"))
      try #require(symlink("real", joined(scratch, "link")) == 0)
      let store = try DirectoryStore(root: joined(scratch, "link/sub/store"))
      #expect(store.root == joined(scratch, "real/sub/store"))
      #expect(try folderEntries(store.root).isEmpty)
    }
  }
}

private func sorted(_ keys: [String]) -> [String] {
  keys.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
}

private func withStore(_ body: (DirectoryStore) async throws -> Void) async throws {
  try await withScratch { scratch in try await body(try DirectoryStore(root: joined(scratch, "store"))) }
}
