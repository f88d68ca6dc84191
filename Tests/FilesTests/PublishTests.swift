import Files
import Glibc
import Support
import TestSupport
import Testing

@Suite struct PublishTests {
  @Test func replacesWhatIsThere() async throws {
    try await withScratch { folder in
      let path = joined(folder, "a")
      try publish(Array("one, and longer".utf8), at: path, replacing: true)
      try publish(Array("two".utf8), at: path, replacing: true)
      #expect(try readFile(path, limit: .kibibytes(1)) == Array("two".utf8))
      #expect(try names(folder) == ["a"])
    }
  }

  @Test func leavesWhatIsThereWhenItMayNotReplace() async throws {
    try await withScratch { folder in
      let path = joined(folder, "a")
      try publish(Array("one".utf8), at: path, replacing: false)
      let error = #expect(throws: SystemError.self) {
        try publish(Array("two".utf8), at: path, replacing: false)
      }
      #expect(error?.code == EEXIST)
      #expect(error?.exists == true)
      #expect(try readFile(path, limit: .kibibytes(1)) == Array("one".utf8))
      #expect(try names(folder) == ["a"])
    }
  }

  @Test(arguments: [true, false])
  func failsInAFolderThatIsMissingAndLeavesNothing(replacing: Bool) async throws {
    try await withScratch { folder in
      let error = #expect(throws: SystemError.self) {
        try publish([1], at: joined(folder, "none/a"), replacing: replacing)
      }
      #expect(error?.isMissing == true)
      let left = try names(folder)
      #expect(left == [])
    }
  }

  @Test func onARaceOneOfManyWins() async throws {
    try await withScratch { folder in
      let path = joined(folder, "a")
      let winners = await withTaskGroup(of: UInt8?.self) { group in
        for number in UInt8(0)..<8 {
          group.addTask { (try? publish([number], at: path, replacing: false)) == nil ? nil : number }
        }
        var winners: [UInt8] = []
        for await winner in group { if let winner { winners.append(winner) } }
        return winners
      }
      let content = try readFile(path, limit: .kibibytes(1))
      #expect(winners.count == 1)
      #expect(content == winners)
      #expect(try names(folder) == ["a"])
    }
  }

  @Test func keepsAnotherWritersLinkTargetApart() async throws {
    try await withScratch { folder in
      let kept = joined(folder, "kept")
      let link = joined(folder, "link")
      try publish(Array("kept".utf8), at: kept, replacing: true)
      try #require(symlink(kept, link) == 0)
      try publish(Array("new".utf8), at: link, replacing: true)
      #expect(try readFile(kept, limit: .kibibytes(1)) == Array("kept".utf8))
      #expect(try FileInfo(path: link).kind == .regular)
    }
  }

  @Test func readingStopsAtItsLimit() async throws {
    try await withScratch { folder in
      let path = joined(folder, "a")
      try publish([UInt8](repeating: 7, count: 1024), at: path, replacing: true)
      #expect(try readFile(path, limit: ByteCount(1024 as Int64)).count == 1024)
      let error = #expect(throws: SystemError.self) { try readFile(path, limit: ByteCount(1023 as Int64)) }
      #expect(error?.code == EFBIG)
    }
  }

  @Test(arguments: [0, 1, (1 << 18) - 1, 1 << 18, (1 << 18) + 1, 3_000_001])
  func copiesAllOfAFile(size: Int) async throws {
    try await withScratch { folder in
      var random = SeededRandom(seed: UInt64(size))
      let bytes = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      let from = joined(folder, "from")
      try publish(bytes, at: from, replacing: true)
      let input = try Descriptor.input(from)
      #expect(try copyFile(input, to: joined(folder, "to")) == Int64(size))
      #expect(try readFile(joined(folder, "to"), limit: .mebibytes(8)) == bytes)
    }
  }

  @Test func copiesIntoNoFileThatIsThere() async throws {
    try await withScratch { folder in
      let path = joined(folder, "a")
      try publish(Array("one".utf8), at: path, replacing: true)
      let input = try Descriptor.input(path)
      let error = #expect(throws: SystemError.self) { try copyFile(input, to: path) }
      #expect(error?.exists == true)
      #expect(try readFile(path, limit: .kibibytes(1)) == Array("one".utf8))
    }
  }

  @Test func renamesWithoutReplacing() async throws {
    try await withScratch { folder in
      let (a, b) = (joined(folder, "a"), joined(folder, "b"))
      try publish([1], at: a, replacing: true)
      try publish([2], at: b, replacing: true)
      let error = #expect(throws: SystemError.self) { try renameFile(a, b, replacing: false) }
      #expect(error?.exists == true)
      #expect(try readFile(b, limit: .kibibytes(1)) == [2])
      try renameFile(a, b, replacing: true)
      #expect(try readFile(b, limit: .kibibytes(1)) == [1])
      try renameFile(b, a, replacing: false)
      #expect(try names(folder) == ["a"])
    }
  }
}

@Suite struct RemoveTreeTests {
  @Test func removesFoldersFilesAndStrangeNames() async throws {
    try await withScratch { folder in
      let tree = joined(folder, "tree")
      try makeFolder(joined(tree, "a/b/c"))
      try publish([1], at: joined(tree, "a/b/file"), replacing: true)
      try publish([1], at: joined(tree, "a/.hidden"), replacing: true)
      try #require(mkfifo(joined(tree, "a/fifo"), 0o600) == 0)
      let odd = Array("\(tree)/a/x".utf8CString.dropLast()) + [CChar(bitPattern: 0xFF), 0]
      let made = open(odd, O_CREAT | O_WRONLY, 0o600)
      try #require(made >= 0)
      close(made)
      try removeTree(tree)
      #expect(try names(folder) == [])
    }
  }

  @Test func followsNoLink() async throws {
    try await withScratch { folder in
      let kept = joined(folder, "kept")
      try makeFolder(kept)
      try publish([1], at: joined(kept, "file"), replacing: true)
      let tree = joined(folder, "tree")
      try makeFolder(tree)
      try #require(symlink(kept, joined(tree, "folder")) == 0)
      try #require(symlink(joined(kept, "file"), joined(tree, "file")) == 0)
      try #require(symlink("nowhere", joined(tree, "broken")) == 0)
      try removeTree(tree)
      #expect(!exists(tree))
      #expect(try names(kept) == ["file"])
      try #require(symlink(kept, tree) == 0)
      try removeTree(tree)
      #expect(!exists(tree))
      #expect(try names(kept) == ["file"])
    }
  }

  @Test func whatIsMissingIsNoError() async throws {
    try await withScratch { folder in
      try removeTree(joined(folder, "none"))
      #expect(try names(folder) == [])
    }
  }
}

@Suite struct PathTests {
  @Test(arguments: [
    ("a", "b", "a/b"), ("a/", "b", "a/b"), ("a", "/b", "/b"), ("", "b", "b"), ("/", "b", "/b"),
  ])
  func joinsParts(folder: String, name: String, whole: String) { #expect(joined(folder, name) == whole) }

  @Test(arguments: [
    ("/a/b", "/a", "b"), ("/a", "/", "a"), ("a", ".", "a"), ("a/b/c", "a/b", "c"), ("/", "/", "/"),
    // A slash and an accent behind it are one Character to Swift.
    ("/a/\u{301}b", "/a", "\u{301}b"),
  ])
  func takesPathsApart(path: String, folder: String, name: String) {
    #expect(folderName(path) == folder)
    #expect(baseName(path) == name)
  }

  @Test func resolvesLinksAsFarAsThePathExists() async throws {
    try await withScratch { folder in
      try makeFolder(joined(folder, "real"))
      try #require(symlink("real", joined(folder, "link")) == 0)
      #expect(resolvedPath(joined(folder, "link/none/x")) == joined(folder, "real/none/x"))
      #expect(resolvedPath(joined(folder, "link")) == joined(folder, "real"))
    }
  }

  @Test(arguments: [
    ("none", "none"), ("none/", "none"), ("none//", "none"), ("none/.", "none"), ("./none", "none"),
    ("none/../other", "other"), ("real/../none", "none"),
    ("none/deeper/..", "none"), ("none/./x", "none/x"), ("none//x", "none/x"), ("real/", "real"),
    ("none/\u{301}x", "none/\u{301}x"),
  ])
  func whatDoesNotExistYetIsResolvedToo(path: String, resolved: String) async throws {
    try await withScratch { folder in
      try makeFolder(joined(folder, "real"))
      #expect(resolvedPath(joined(folder, path)) == joined(folder, resolved))
    }
  }

  @Test func opensNoLinkAndWaitsForNoFifo() async throws {
    try await withScratch { folder in
      try #require(mkfifo(joined(folder, "fifo"), 0o600) == 0)
      try #require(symlink("fifo", joined(folder, "link")) == 0)
      let fifo = try Descriptor.input(joined(folder, "fifo"))
      #expect(try fifo.info().kind == .fifo)
      let error = #expect(throws: SystemError.self) { _ = try Descriptor.input(joined(folder, "link")) }
      #expect(error?.isLoop == true)
    }
  }
}

/// The names in a folder, dot names too.
private func names(_ folder: String) throws -> [String] {
  try folderEntries(folder).map { String(decoding: $0.bytes, as: UTF8.self) }
}
