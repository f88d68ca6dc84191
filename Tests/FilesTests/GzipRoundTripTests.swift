import Files
import Processes
import Support
import TestSupport
import Testing

@Suite struct GzipRoundTripTests {
  static let sizes = [
    0, 1, 2, 255, (64 << 10) - 1, 64 << 10, (64 << 10) + 1, 1 << 18, (1 << 18) + 1, 3_500_003,
  ]

  @Test(arguments: sizes, Content.allCases)
  func givesBackWhatWasCompressed(size: Int, content: Content) throws {
    let bytes = content.bytes(size)
    #expect(try gunzip(gzip(bytes), limit: ByteCount(size)) == bytes)
  }

  @Test(arguments: [Int32(0), 1, 2, 3], Content.allCases)
  func everyLevelIsWhole(level: Int32, content: Content) throws {
    let bytes = content.bytes(700_001)
    #expect(try gunzip(compressed(bytes, level: level, piece: 65_537), limit: .mebibytes(1)) == bytes)
  }

  @Test(arguments: [1, 7, 4096])
  func takesItsInputInPieces(piece: Int) throws {
    let bytes = Content.text.bytes(20_000)
    #expect(try gunzip(compressed(bytes, level: 1, piece: piece), limit: .mebibytes(1)) == bytes)
  }

  @Test func textBecomesSmaller() { #expect(gzip(Content.text.bytes(1 << 20)).count < 1 << 18) }

  @Test func refusesMoreThanTheLimit() {
    let packed = gzip([UInt8](repeating: 0, count: 1000))
    #expect(throws: GzipError.self) { try gunzip(packed, limit: ByteCount(999)) }
    #expect(throws: Never.self) { try gunzip(packed, limit: ByteCount(1000)) }
  }

  @Test(.tags(.medium), arguments: Content.allCases)
  func pythonReadsOurs(content: Content) async throws {
    let bytes = content.bytes(300_007)
    let script = "import gzip, sys; sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))"
    #expect(try await python(script, input: gzip(bytes)) == bytes)
  }

  @Test(.tags(.medium), arguments: 0...9)
  func weReadPythons(level: Int) async throws {
    let bytes = Content.text.bytes(300_007)
    // With a name and a time in its header, as gzip writes them.
    let script = """
      import gzip, io, sys
      out = io.BytesIO()
      with gzip.GzipFile(filename='my_logs.log', mode='wb', compresslevel=int(sys.argv[1]), fileobj=out, mtime=1795442400) as f:
          f.write(sys.stdin.buffer.read())
      sys.stdout.buffer.write(out.getvalue())
      """
    let packed = try await python(script, ["\(level)"], input: bytes)
    #expect(try gunzip(packed, limit: .mebibytes(1)) == bytes)
  }

  @Test(.tags(.medium)) func weReadMembersThatGzipPutBehindEachOther() async throws {
    try await withScratch { folder in
      let parts = [Content.text.bytes(100_001), [], Content.random.bytes(70_000), Content.zeros.bytes(5)]
      for (index, part) in parts.enumerated() {
        try publish(part, at: joined(folder, "\(index)"), replacing: true)
      }
      let result = try await Processes.run(
        ChildCommand(
          "/bin/sh", ["-c", "for n in 0 1 2 3; do gzip -c $n; done"], environment: plainEnvironment(),
          directory: folder, deadline: .after(seconds: 30)))
      #expect(result.status == .exited(0))
      #expect(try gunzip(result.output, limit: .mebibytes(1)) == Array(parts.joined()))
    }
  }
}

/// What is compressed: text like a log's, noise, and one byte over and over.
enum Content: CaseIterable, Sendable {
  case text, random, zeros

  func bytes(_ size: Int) -> [UInt8] {
    var random = SeededRandom(seed: UInt64(size))
    var result: [UInt8] = []
    result.reserveCapacity(size + 64)
    switch self {
    case .zeros: return [UInt8](repeating: 0, count: size)
    case .random:
      while result.count < size {
        withUnsafeBytes(of: random.next()) { result.append(contentsOf: $0) }
      }
    case .text:
      while result.count < size {
        result.append(contentsOf: "{\"id\":\(random.next() % 1000),\"message\":\"Auth [INFO] river\"}\n".utf8)
      }
    }
    return Array(result.prefix(size))
  }
}

private func compressed(_ bytes: [UInt8], level: Int32, piece: Int) -> [UInt8] {
  var writer = GzipWriter(level: level)
  var result: [UInt8] = []
  for start in stride(from: 0, to: bytes.count, by: piece) {
    bytes[start..<min(start + piece, bytes.count)].withUnsafeBytes { input in
      writer.write(input) { result.append(contentsOf: $0) }
    }
  }
  writer.write(UnsafeRawBufferPointer(start: nil, count: 0), last: true) { result.append(contentsOf: $0) }
  return result
}
