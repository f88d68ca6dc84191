import CCrypto
import CShims
import Support

/// SHA-256, by OpenSSL.
public struct SHA256: ~Copyable {
  private var digest = MessageDigest(EVP_sha256())

  public init() {}

  public mutating func update(_ bytes: UnsafeRawBufferPointer) { digest.update(bytes) }
  public consuming func finalize() -> [UInt8] { digest.finalize() }

  /// The digest in 64 lower-case hex digits.
  public consuming func hexDigest() -> String { hex(finalize()) }
}

/// A digest of OpenSSL's.
///
/// Public, though nobody else makes one: the 6.3.1 linker does not find a private noncopyable type within a public one.
public struct MessageDigest: ~Copyable {
  private let context: OpaquePointer

  init(_ kind: OpaquePointer?) {
    guard let made = EVP_MD_CTX_new(), EVP_DigestInit_ex(made, kind, nil) == 1 else {
      preconditionFailure("OpenSSL lacks a digest")
    }
    context = made
  }
  deinit { EVP_MD_CTX_free(context) }

  mutating func update(_ bytes: UnsafeRawBufferPointer) {
    EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
  }

  consuming func finalize() -> [UInt8] {
    var result = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    EVP_DigestFinal_ex(context, &result, &count)
    return Array(result.prefix(Int(count)))
  }
}

/// SHA-256 of bytes in hex.
public func sha256(_ bytes: some Sequence<UInt8>) -> String {
  var digest = SHA256()
  Array(bytes).withUnsafeBytes { digest.update($0) }
  return digest.hexDigest()
}

/// SHA-256 of bytes, 32 of them.
public func sha256Digest(_ bytes: [UInt8]) -> [UInt8] {
  var digest = SHA256()
  bytes.withUnsafeBytes { digest.update($0) }
  return digest.finalize()
}

/// HMAC with SHA-256 (RFC 2104), 32 bytes.
public func hmacSHA256(key: [UInt8], _ bytes: [UInt8]) -> [UInt8] {
  var result = [UInt8](repeating: 0, count: 32)
  let made = HMAC(EVP_sha256(), key, Int32(key.count), bytes, bytes.count, &result, nil)
  precondition(made != nil, "OpenSSL has no HMAC")
  return result
}

/// MD5 of bytes, 16 of them: for servers that check nothing better. It protects against accidents, not against people.
public func md5Digest(_ bytes: [UInt8]) -> [UInt8] {
  var result = [UInt8](repeating: 0, count: 16)
  precondition(EVP_Digest(bytes, bytes.count, &result, nil, EVP_md5(), nil) == 1, "OpenSSL has no MD5")
  return result
}

/// SHA-256 of a whole file, in hex.
public func sha256(file path: String) throws(SystemError) -> String {
  var digest = SHA256()
  try readPart(path, from: 0, count: .max) { digest.update($0) }
  return digest.hexDigest()
}

/// What servers compare a body with.
public struct BodyDigests: Sendable {
  public var crc32c: UInt32 = 0
  /// 16 bytes.
  public var md5: [UInt8] = []
  /// In hex; nil where it was not asked for.
  public var sha256: String?
}

/// The digests of part of a file, in one pass; CRC-32C by ISA-L.
public func digests(
  file path: String, from offset: Int64, count: Int64, withSHA256: Bool
) throws(SystemError) -> BodyDigests {
  var crc: UInt32 = 0
  var md5 = MessageDigest(EVP_md5())
  var sha = SHA256()
  try readPart(path, from: offset, count: count) { block in
    crc = gw_crc32c(block.baseAddress, block.count, crc)
    md5.update(block)
    if withSHA256 { sha.update(block) }
  }
  return BodyDigests(
    crc32c: crc, md5: md5.finalize(), sha256: withSHA256 ? hex(sha.finalize()) : nil)
}

/// CRC-32C (Castagnoli), by ISA-L.
public func crc32c(_ bytes: [UInt8]) -> UInt32 { gw_crc32c(bytes, bytes.count, 0) }

/// CRC-32C of a whole file: it tells of accidents, at the speed at which the file is read.
public func crc32c(file path: String) throws(SystemError) -> UInt32 {
  var crc: UInt32 = 0
  try readPart(path, from: 0, count: .max) { crc = gw_crc32c($0.baseAddress, $0.count, crc) }
  return crc
}

private func readPart(
  _ path: String, from offset: Int64, count: Int64, _ body: (UnsafeRawBufferPointer) -> Void
) throws(SystemError) {
  let file = try Descriptor.input(path)
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
  defer { buffer.deallocate() }
  var done: Int64 = 0
  while done < count {
    let wanted = Int(min(Int64(buffer.count), count - done))
    let got = try file.read(
      into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: offset + done)
    // Shorter than it was: who sends it will see.
    if got == 0 { return }
    body(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<got]))
    done += Int64(got)
  }
}

/// Base64 with padding (RFC 4648, 4).
public func base64(_ bytes: [UInt8]) -> String {
  var result = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
  let length = EVP_EncodeBlock(&result, bytes, Int32(bytes.count))
  return String(decoding: result.prefix(Int(length)), as: UTF8.self)
}
