import CShims
import Files
import Glibc
import Logs
import Support
import TestSupport
import Testing

@Suite struct InventoryTests {
  @Test func findsRotatedAndLiveFiles() async throws {
    try await withScratch { scratch in
      let node = try NodeFolder(scratch)
      try node.put("app/my.log", "{}\n")
      try node.put("app/other.txt", "{}\n")
      try node.put("raw/my.log-20261123-14", "{\"id\":\"1\"}\n")
      try setModified(node.path("raw/my.log-20261123-14"), seconds: 1_795_442_400)
      let found = node.take()
      #expect(found.live == [node.path("app/my.log")])
      #expect(found.passedOver == [])
      #expect(found.missingFolders == [])
      #expect(found.folders == [node.path("app"), node.path("raw")])
      let file = try #require(found.rotated.first)
      #expect(found.rotated.count == 1)
      #expect(file.path == node.path("raw/my.log-20261123-14"))
      #expect(file.folder == "raw")
      #expect(file.name == "my.log-20261123-14")
      #expect(file.stream == "my.log")
      #expect(file.info.modifiedSeconds == 1_795_442_400)
      #expect(file.day == 20_780)
      #expect(!file.isGzip)
      #expect(file.estimatedText == 11)
      #expect(file.twin == nil)
    }
  }

  /// It could be archived, and never deleted: there is no room for a private name.
  @Test func aNameMayBeTooLong() async throws {
    try await withScratch { scratch in
      let node = try NodeFolder(scratch)
      let fits = String(repeating: "a", count: 212) + ".log"
      try node.put("raw/\(fits)", "{}\n")
      try node.put("raw/b\(fits)", "{}\n")
      let found = node.take()
      #expect(found.names == [fits])
      #expect(found.passedOver.map(\.reason) == [.name])
    }
  }

  @Test func anEmptyFileIsAFile() async throws {
    try await withScratch { scratch in
      let node = try NodeFolder(scratch)
      try node.put("app/my.log", "")
      try node.put("raw/my.log.1", "")
      let found = node.take()
      #expect(found.names == ["my.log.1"])
      #expect(found.passedOver == [])
    }
  }

  @Test func hardLinksAreOneFile() async throws {
    try await withScratch { scratch in
      let node = try NodeFolder(scratch)
      try node.put("raw/a.log.1", "{}\n")
      try node.put("app/my.log", "{\"a\":1}\n")
      try #require(link(node.path("raw/a.log.1"), node.path("raw/b.log.1")) == 0)
      try #require(link(node.path("app/my.log"), node.path("raw/my.log.1")) == 0)
      let found = node.take()
      #expect(found.names == ["a.log.1"])
      #expect(found.rotated.first?.info.links == 2)
    }
  }

  @Test func whatIsNoRegularFileIsNamedWithItsReason() async throws {
    try await withScratch { scratch in
      let node = try NodeFolder(scratch)
      try node.put("raw/kept", "{}\n")
      try #require(symlink("kept", node.path("raw/link")) == 0)
      try #require(symlink("nowhere", node.path("raw/broken-link")) == 0)
      try #require(symlink("../app", node.path("raw/folder-link")) == 0)
      try #require(mkfifo(node.path("raw/fifo"), 0o644) == 0)
      try #require(mknod(node.path("raw/socket"), S_IFSOCK | 0o644, 0) == 0)
      // Major 1, minor 3: /dev/null.
      try #require(mknod(node.path("raw/null"), S_IFCHR | 0o644, 0x103) == 0)
      try makeFolder(node.path("raw/folder"))
      let found = node.take()
      #expect(found.names == ["kept"])
      #expect(
        found.reasons == [
          "raw/link": .link, "raw/broken-link": .link, "raw/folder-link": .link, "raw/fifo": .fifo,
          "raw/socket": .socket, "raw/null": .device, "raw/folder": .directory,
        ])
      #expect(found.passedOver.allSatisfy { !$0.isGap && !$0.note.isEmpty })
    }
  }

  @Test func namesThatAreNoTextOrHoldControlCharactersAreGaps() async throws {
    try await withScratch { scratch in
      let node = try NodeFolder(scratch)
      let names: [[UInt8]] = [
        [0x61, 0xFF, 0x62], [0xC3], Array("bell\u{7}".utf8), Array("two\nlines".utf8),
        Array("esc\u{1B}[2J".utf8),
        Array("delete\u{7F}".utf8), Array("csi\u{9B}2J".utf8), [0xED, 0xA0, 0x80],
      ]
      for name in names { try node.put(rawName: name) }
      try node.put("raw/fine é 日志.log.1", "{}\n")
      let found = node.take()
      #expect(found.names == ["fine é 日志.log.1"])
      #expect(found.passedOver.count == names.count)
      #expect(found.passedOver.allSatisfy { $0.reason == .name && $0.isGap })
      // What is reported can be shown.
      #expect(found.passedOver.allSatisfy { printable($0.file) == $0.file })
    }
  }

  /// To Swift an accent and the slash before it are one Character.
  @Test func aNameMayBeginWithAnAccent() async throws {
    try await withScratch { scratch in
      let node = try NodeFolder(scratch)
      try node.put("raw/\u{301}a.log.1", "{}\n")
      try #require(symlink("x", node.path("raw/\u{301}link")) == 0)
      let found = node.take()
      let file = try #require(found.rotated.first)
      #expect(Array(file.name.utf8) == Array("\u{301}a.log.1".utf8))
      #expect(file.folder == "raw")
      #expect(Array(file.stream.utf8) == Array("\u{301}a.log".utf8))
      #expect(found.passedOver.map(\.file) == ["raw/\u{301}link"])
      #expect(takeInventory(root: node.root, live: [], rotated: ["raw/\u{301}*"]).names == found.names)
      #expect(relative("/root/\u{301}a", "/root") == "\u{301}a")
    }
  }

  /// An accented letter, and the letter with an accent behind it: to Swift the same String.
  @Test func namesThatDifferInTheirBytesAreTwoFiles() async throws {
    try await withScratch { scratch in
      var node = try NodeFolder(scratch)
      node.rotated = ["app/*", "raw/*"]
      let (one, two) = ("\u{E9}", "e\u{301}")
      try node.put("app/\(one).log", "{\"id\":\"live\"}\n")
      // Not matched by the glob for live logs.
      node.live = ["app/\(one).log"]
      try node.put("app/\(two).log", "{\"id\":\"left by its writer\"}\n")
      try node.put("raw/\(one).log.1", "{}\n")
      try node.put("raw/\(two).log.1.gz", gzip(Array("{}\n".utf8)))
      for name in [one, two] { try #require(symlink("x", node.path("raw/\(name).link")) == 0) }
      let found = node.take()
      #expect(found.live.map { Array($0.utf8) } == [Array(node.path("app/\(one).log").utf8)])
      let names = Set(found.rotated.map { Array($0.name.utf8) })
      #expect(names == Set(["\(two).log", "\(one).log.1", "\(two).log.1.gz"].map { Array($0.utf8) }))
      #expect(found.rotated.allSatisfy { $0.twin == nil })
      #expect(found.passedOver.map(\.reason) == [.link, .link])
    }
  }

  @Test func dotFilesAreNobodysBusiness() async throws {
    try await withScratch { scratch in
      let node = try NodeFolder(scratch)
      try node.put("raw/.gadwall-0011.part", "{}\n")
      try node.put("raw/.hidden.log", "{}\n")
      try node.put("raw/seen.log.1", "{}\n")
      let found = node.take()
      #expect(found.names == ["seen.log.1"])
      #expect(found.passedOver == [])
    }
  }

  @Test func overlappingGlobsGiveAFileOnce() async throws {
    try await withScratch { scratch in
      var node = try NodeFolder(scratch)
      node.rotated = ["raw/*", "raw/*.1", "*/a.log.1", "raw/a.log.1", "raw//*"]
      try node.put("raw/a.log.1", "{}\n")
      try #require(symlink("a.log.1", node.path("raw/link.1")) == 0)
      let found = node.take()
      #expect(found.names == ["a.log.1"])
      #expect(found.passedOver.map(\.file) == ["raw/link.1"])
      #expect(found.missingFolders == [])
    }
  }

  @Test func aFileOfBothGlobsIsLive() async throws {
    try await withScratch { scratch in
      var node = try NodeFolder(scratch)
      node.rotated = ["app/*", "raw/*"]
      try node.put("app/my.log", "{\"id\":\"1\"}\n")
      try node.put("app/my.log.1", "{\"id\":\"0\"}\n")
      let found = node.take()
      #expect(found.live == [node.path("app/my.log")])
      #expect(found.names == ["my.log.1"])
      #expect(found.passedOver == [])
    }
  }

  @Test func foldersThatAreMissingAreNamed() async throws {
    try await withScratch { scratch in
      var node = try NodeFolder(scratch)
      try node.put("file", "")
      node.rotated = ["raw/*", "none/*", "none/deeper/*", "file/*"]
      node.live = ["gone/*.log"]
      let found = node.take()
      #expect(Set(found.missingFolders).isSuperset(of: ["none", "gone", "file"]))
      #expect(found.missingFolders == found.missingFolders.sorted())
      #expect(found.rotated.isEmpty)
      #expect(found.passedOver == [])
    }
  }

  @Test func foldersMayBePatterns() async throws {
    try await withScratch { scratch in
      var node = try NodeFolder(scratch)
      node.rotated = ["srv/*/logs/[ab]?.log.*"]
      for name in ["srv/one/logs/a1.log.1", "srv/two/logs/b2.log.1", "srv/two/logs/c3.log.1"] {
        try makeFolder(folderName(node.path(name)))
        try node.put(name, "{\"a\":\"\(name)\"}\n")
      }
      try node.put("srv/file", "")
      try #require(symlink("one", node.path("srv/again")) == 0)
      let found = node.take()
      #expect(found.names == ["a1.log.1", "b2.log.1"])
      #expect(found.rotated.map(\.folder).sorted() == ["srv/one/logs", "srv/two/logs"])
    }
  }

  @Test func aFolderOutsideTheRootCountsByItsAbsolutePath() async throws {
    try await withScratch { scratch in
      let node = try NodeFolder(scratch)
      let elsewhere = joined(scratch, "elsewhere")
      try makeFolder(elsewhere)
      try publish(Array("{}\n".utf8), at: joined(elsewhere, "a.log.1"), replacing: true)
      try removeTree(node.path("raw"))
      try #require(symlink(elsewhere, node.path("raw")) == 0)
      #expect(node.take().rotated.map(\.folder) == [elsewhere])
    }
  }

  @Test func theRootMayBeALink() async throws {
    try await withScratch { scratch in
      let node = try NodeFolder(scratch)
      try node.put("raw/a.log.1", "{}\n")
      try makeFolder(node.path("raw/folder"))
      let other = joined(scratch, "link")
      try #require(symlink(node.root, other) == 0)
      let found = takeInventory(root: other, live: node.live, rotated: node.rotated + ["none/*"])
      #expect(found.rotated.map(\.folder) == ["raw"])
      #expect(found.passedOver.map(\.file) == ["raw/folder"])
      #expect(found.missingFolders == ["none"])
    }
  }

  @Test func unreadableFilesAndFoldersAreGaps() async throws {
    try await withScratch { scratch in
      var node = try NodeFolder(scratch)
      node.rotated = ["raw/*", "closed/*"]
      try node.put("raw/a.log.1", "{}\n")
      try node.put("raw/secret.log.1", "{}\n")
      try makeFolder(node.path("closed"), mode: 0o700)
      try #require(chmod(node.path("raw/secret.log.1"), 0) == 0)
      let found = asNobody { node.take() }
      #expect(found.names == ["a.log.1"])
      #expect(found.reasons == ["raw/secret.log.1": .unreadable, "closed": .unreadable])
      #expect(found.passedOver.allSatisfy { $0.isGap && $0.note == "Permission denied" })
    }
  }

  /// Root reads everything; another user, for this thread's file system calls, does not.
  private func asNobody<Result>(_ body: () -> Result) -> Result {
    let before = gw_set_fs_user(65_534)
    defer { gw_set_fs_user(UInt32(bitPattern: before)) }
    return body()
  }
}
