import Files
import TestSupport
import Testing

@Suite struct GzipReaderTests {
  static let plain = Array(
    (0..<40).map { "{\"id\":\"\($0 * 7919)\",\"message\":\"Auth [SECURITY] lamp \($0)\"}\n" }.joined().utf8)
  static let one = gzip(plain)
  static let several = gzip(Array("first\n".utf8)) + gzip([]) + gzip(plain)
  static let wanted = Array("first\n".utf8) + plain

  @Test func everySplitInTwoGivesTheSame() throws {
    for split in 0...Self.several.count {
      let got = try inflated([Array(Self.several[..<split]), Array(Self.several[split...])])
      #expect(got == Self.wanted, "split at \(split)")
    }
  }

  @Test(arguments: 1...9)
  func smallPiecesGiveTheSame(size: Int) throws {
    #expect(try inflated(pieces(Self.several, size)) == Self.wanted)
  }

  @Test(.tags(.medium), arguments: [1, 6, 9])
  func pythonsMembersAreReadAtEverySplit(level: Int) async throws {
    let script = """
      import gzip, sys
      data = sys.stdin.buffer.read()
      for part in (data[:100], b'', data[100:101], data[101:]):
          sys.stdout.buffer.write(gzip.compress(part, \(level)))
      """
    let packed = try await python(script, input: Self.plain)
    for split in 0...packed.count {
      #expect(
        try inflated([Array(packed[..<split]), Array(packed[split...])]) == Self.plain, "split at \(split)")
    }
    #expect(try inflated(pieces(packed, 1)) == Self.plain)
  }

  /// Flags: 1 text, 2 a checksum of the header, 4 an extra field, 8 a name, 16 a comment.
  @Test(.tags(.medium), arguments: [0, 1, 2, 4, 8, 16, 29, 31])
  func everyPartOfAHeaderIsRead(flags: Int) async throws {
    let script = """
      import struct, sys, zlib
      data = sys.stdin.buffer.read()
      flags = int(sys.argv[1])
      head = b'\\x1f\\x8b\\x08' + bytes([flags]) + struct.pack('<I', 1795442400) + b'\\x00\\x03'
      head += struct.pack('<H', 5) + b'extra' if flags & 4 else b''
      head += b'name.log\\x00' if flags & 8 else b''
      head += b'a comment\\x00' if flags & 16 else b''
      head += struct.pack('<H', zlib.crc32(head) & 0xffff) if flags & 2 else b''
      deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
      body = deflate.compress(data) + deflate.flush()
      sys.stdout.buffer.write(head + body + struct.pack('<II', zlib.crc32(data), len(data)))
      """
    let packed = try await python(script, ["\(flags)"], input: Self.plain)
    #expect(try inflated([packed]) == Self.plain)
    for size in 1...20 {
      #expect(try inflated(pieces(packed, size)) == Self.plain, "in pieces of \(size)")
    }
    for end in 0..<packed.count {
      #expect(throws: GzipError.self, "cut at \(end)") { try inflated([Array(packed[..<end])]) }
    }
  }

  @Test(arguments: [1, Int.max])
  func aCutAtAnyByteIsNoSuccess(piece: Int) {
    for end in 0..<Self.one.count {
      let error = #expect(throws: GzipError.self, "cut at \(end)") {
        try inflated(pieces(Array(Self.one[..<end]), piece))
      }
      #expect(error == .cut || error == .broken, "cut at \(end)")
    }
  }

  @Test func aCutInALaterMemberIsNoSuccess() {
    let first = gzip(Array("first\n".utf8))
    for end in first.count + 1..<first.count + Self.one.count {
      let error = #expect(throws: GzipError.self, "cut at \(end)") {
        try inflated([Array((first + Self.one)[..<end])])
      }
      #expect(error == .cut || error == .broken, "cut at \(end)")
    }
  }

  @Test(arguments: [1, Int.max])
  func aBadChecksumOrLengthIsBroken(piece: Int) {
    for offset in 1...8 {
      var bytes = Self.one
      bytes[bytes.count - offset] ^= 0x10
      #expect(throws: GzipError.broken, "\(offset) from the end") { try inflated(pieces(bytes, piece)) }
    }
  }

  @Test func aBadChecksumOfAnEarlierMemberIsBroken() {
    var first = gzip(Array("first\n".utf8))
    first[first.count - 6] ^= 1
    #expect(throws: GzipError.broken) { try inflated([first + Self.one]) }
  }

  /// A flipped bit may be one of the header's that mean nothing; it never makes other content of it.
  @Test func noFlippedBitGivesOtherContent() {
    for bit in 0..<Self.one.count * 8 {
      var bytes = Self.one
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      let got = Result { try inflated([bytes]) }
      switch got {
      case .success(let content): #expect(content == Self.plain, "bit \(bit)")
      case .failure(let error): #expect(error is GzipError, "bit \(bit)")
      }
    }
  }

  @Test(arguments: [1, 7, 512, 70_000])
  func zerosMayFollow(count: Int) throws {
    let padded = Self.several + [UInt8](repeating: 0, count: count)
    #expect(try inflated([padded]) == Self.wanted)
    #expect(try inflated([Self.several, Array(padded[Self.several.count...])]) == Self.wanted)
    #expect(try inflated(pieces(padded, 1 + count / 100)) == Self.wanted)
  }

  @Test(arguments: [
    Array("x".utf8), Array("{\"id\":1}\n".utf8), [0, 1], [0, 0, 0, 0x1F, 0x8B],
    [UInt8](repeating: 0, count: 600) + [9],
  ])
  func nothingElseMayFollow(rest: [UInt8]) {
    let bytes = Self.one + rest
    #expect(throws: GzipError.trailing) { try inflated([bytes]) }
    #expect(throws: GzipError.trailing) { try inflated(pieces(bytes, 1)) }
    #expect(throws: GzipError.trailing) { try inflated([Self.one, rest]) }
  }

  @Test func aMemberBehindZerosIsNotRead() {
    #expect(throws: GzipError.trailing) { try inflated([Self.one + [0, 0] + Self.one]) }
  }

  @Test(arguments: [
    [], [0x1F], [0x1F, 0x8B], Array("{\"id\":\"1\"}\n".utf8), [UInt8](repeating: 0, count: 100),
    [0x1F, 0x8B, 0x07, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  ])
  func whatIsNoGzipIsNoSuccess(bytes: [UInt8]) {
    #expect(throws: GzipError.self) { try inflated([bytes]) }
  }

  @Test func whatItsTakerThrowsComesThrough() {
    struct Full: Error {}
    var reader = GzipReader()
    #expect(throws: Full.self) {
      try Self.one.withUnsafeBytes { try reader.read($0) { _ in throw Full() } }
    }
  }

  @Test func aSmallFileMayHoldALot() throws {
    // 64 MiB of zeros in some 64 KiB: more than the reader's own buffer many times over.
    let piece = [UInt8](repeating: 0, count: 1 << 20)
    var writer = GzipWriter()
    var packed: [UInt8] = []
    for index in 0..<64 {
      piece.withUnsafeBytes { writer.write($0, last: index == 63) { packed.append(contentsOf: $0) } }
    }
    var reader = GzipReader()
    var count = 0
    try packed.withUnsafeBytes { try reader.read($0) { count += $0.count } }
    try reader.finish()
    #expect(count == 64 << 20)
  }
}

/// All that comes out when the input arrives in these pieces.
private func inflated(_ pieces: [[UInt8]]) throws -> [UInt8] {
  var reader = GzipReader()
  var result: [UInt8] = []
  for piece in pieces {
    try piece.withUnsafeBytes { try reader.read($0) { result.append(contentsOf: $0) } }
  }
  try reader.finish()
  return result
}

private func pieces(_ bytes: [UInt8], _ size: Int) -> [[UInt8]] {
  stride(from: 0, to: bytes.count, by: min(size, max(1, bytes.count))).map {
    Array(bytes[$0..<min($0 + min(size, bytes.count), bytes.count)])
  }
}
