import Files
import Glibc
import Logs
import Support
import TestSupport
import Testing

@Suite struct CompressionInventoryTests {
  @Test(.tags(.medium)) func otherCompressionsAreLeftInPlace() async throws {
    try await withScratch { scratch in
      let node = try NodeFolder(scratch)
      let script = """
        import bz2, io, lzma, os, sys, zipfile
        def put(name, data): open(os.path.join(sys.argv[1], name), 'wb').write(data)
        put('a.log.1.xz', lzma.compress(b'{}\\n'))
        put('b.log.1.bz2', bz2.compress(b'{}\\n'))
        put('empty.log.1.bz2', bz2.compress(b''))
        put('empty.log.1.xz', lzma.compress(b''))
        for name, content in (('c.log.1.zip', {'c.log': '{}\\n'}), ('empty.log.1.zip', {})):
            out = io.BytesIO()
            with zipfile.ZipFile(out, 'w') as archive:
                for file, text in content.items(): archive.writestr(file, text)
            put(name, out.getvalue())
        put('d.log.1', lzma.compress(b'{}\\n'))
        """
      _ = try await python(script, [node.path("raw")])
      try node.put("raw/e.log.1.zst", [0x28, 0xB5, 0x2F, 0xFD, 0x24, 0x03, 0x19, 0x00, 0x00])
      try node.put("raw/f.log.1.lz4", [0x04, 0x22, 0x4D, 0x18, 0x64, 0x40, 0xA7])
      let found = node.take()
      #expect(found.names == [])
      #expect(found.passedOver.count == 9)
      #expect(found.passedOver.allSatisfy { $0.reason == .compression && $0.isGap && $0.bytes > 0 })
      for (file, word) in [
        ("a.log.1.xz", "xz"), ("b.log.1.bz2", "bzip2"), ("c.log.1.zip", "zip"), ("d.log.1", "xz"),
      ] {
        let over = found.passedOver.first { $0.file == "raw/" + file }
        #expect(over?.note.contains(word) == true, "\(file)")
      }
    }
  }

  /// What a file is, its first bytes say, not its name.
  @Test(arguments: ["BZh is how my line begins", "PK", "{\"a\":1}", "BZh91AY", "\u{04}\u{22}M"])
  func textThatOnlyBeginsAlikeIsText(text: String) async throws {
    try await withScratch { scratch in
      let node = try NodeFolder(scratch)
      try node.put("raw/a.log.1.xz", text)
      let found = node.take()
      #expect(found.names == ["a.log.1.xz"])
      #expect(found.rotated.first?.isGzip == false)
    }
  }

  @Test func gzipIsKnownByItsBytes() async throws {
    try await withScratch { scratch in
      let node = try NodeFolder(scratch)
      let text = [UInt8](repeating: 0x20, count: 5000)
      try node.put("raw/a.log.1.gz", gzip(text))
      try node.put("raw/b.log.1", gzip(text))
      try node.put("raw/c.log.1.gz", "plain text\n")
      try node.put("raw/d.log.1.gz", gzip([]))
      let found = node.take()
      #expect(found.passedOver == [])
      let byName = Dictionary(uniqueKeysWithValues: found.rotated.map { ($0.name, $0) })
      #expect(byName["a.log.1.gz"]?.isGzip == true)
      #expect(byName["a.log.1.gz"]?.estimatedText == 5000)
      #expect(byName["a.log.1.gz"]?.stream == "a.log")
      #expect(byName["b.log.1"]?.isGzip == true)
      #expect(byName["c.log.1.gz"]?.isGzip == false)
      #expect(byName["d.log.1.gz"]?.isGzip == true)
    }
  }

  @Test func aGzipBesideItsPlainFileIsNotRead() async throws {
    try await withScratch { scratch in
      let node = try NodeFolder(scratch)
      let whole = gzip(Array("{\"id\":\"1\"}\n".utf8))
      try node.put("raw/a.log.1", "{\"id\":\"1\"}\n")
      try node.put("raw/a.log.1.gz", whole)
      try node.put("raw/b.log.1", "{\"id\":\"2\"}\n")
      try node.put("raw/b.log.1.gz", Array(whole.prefix(12)))
      try node.put("raw/c.log.1.gz", whole)
      try node.put("raw/d.log.1", "{\"id\":\"3\"}\n")
      try node.put("raw/d.log.1.gz", [])
      let found = node.take()
      #expect(found.names == ["a.log.1", "b.log.1", "c.log.1.gz", "d.log.1"])
      #expect(
        found.reasons == [
          "raw/a.log.1.gz": .beingCompressed, "raw/b.log.1.gz": .beingCompressed,
          "raw/d.log.1.gz": .beingCompressed,
        ])
      #expect(found.passedOver.allSatisfy { !$0.isGap })
      let twins = Dictionary(uniqueKeysWithValues: found.rotated.map { ($0.name, $0.twin) })
      #expect(twins["a.log.1"] == node.path("raw/a.log.1.gz"))
      #expect(twins["c.log.1.gz"] == .some(nil))
    }
  }

  @Test func theOrderOfGlobsMakesNoDifferenceToAPair() async throws {
    try await withScratch { scratch in
      var node = try NodeFolder(scratch)
      try node.put("raw/a.log.1", "{\"id\":\"1\"}\n")
      try node.put("raw/a.log.1.gz", gzip(Array("{\"id\":\"1\"}\n".utf8)))
      for globs in [["raw/*.gz", "raw/*.1"], ["raw/*.1", "raw/*.gz"]] {
        node.rotated = globs
        #expect(node.take().names == ["a.log.1"])
      }
    }
  }
}

@Suite struct CopytruncateInventoryTests {
  /// 100 KiB of lines, each different.
  static let lines = Array((0..<4000).map { "{\"id\":\"\($0)\",\"message\":\"m\"}\n" }.joined().utf8)

  @Test(arguments: [1, 100, 4096, 64 << 10, (64 << 10) + 1, lines.count])
  func aCopyOfTheBeginningOfALiveFileWaits(count: Int) async throws {
    try await withScratch { scratch in
      let node = try NodeFolder(scratch)
      try node.put("app/other.log", "something else\n")
      try node.put("app/my.log", Self.lines)
      try node.put("raw/my.log.1", Array(Self.lines.prefix(count)))
      let found = node.take()
      #expect(found.names == [])
      #expect(found.reasons == ["raw/my.log.1": .copytruncate])
      #expect(found.passedOver.first?.isGap == false)
      #expect(found.passedOver.first?.note.contains("app/my.log") == true)
      try #require(truncate(node.path("app/my.log"), 0) == 0)
      #expect(node.take().names == ["my.log.1"])
    }
  }

  @Test func aFileThatDiffersInItsHeadOrTailIsNone() async throws {
    try await withScratch { scratch in
      let node = try NodeFolder(scratch)
      try node.put("app/my.log", Self.lines)
      var head = Array(Self.lines.prefix(90_000))
      head[10] ^= 1
      var tail = Array(Self.lines.prefix(90_000))
      tail[89_999] ^= 1
      try node.put("raw/head.log.1", head)
      try node.put("raw/tail.log.1", tail)
      try node.put("raw/longer.log.1", Self.lines + [0x0A])
      try node.put("raw/empty.log.1", [])
      let found = node.take()
      #expect(found.names == ["empty.log.1", "head.log.1", "longer.log.1", "tail.log.1"])
      #expect(found.passedOver == [])
    }
  }
}

@Suite struct PassedOverTests {
  /// DESIGN.md section 6, exit status 1.
  @Test func gapsAreWhatMissesFromTheArchive() {
    let gaps: [PassedOver.Reason] = [.unreadable, .held, .name, .brokenGzip, .compression, .scratch]
    let none: [PassedOver.Reason] = [
      .link, .directory, .fifo, .socket, .device, .beingCompressed, .copytruncate, .waiting,
    ]
    #expect(gaps.allSatisfy { PassedOver(file: "f", reason: $0, note: "").isGap })
    #expect(none.allSatisfy { !PassedOver(file: "f", reason: $0, note: "").isGap })
  }
}
