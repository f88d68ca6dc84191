import CCrypto
import Support

/// SHA-256, by OpenSSL.
public struct SHA256: ~Copyable {
  private let context: OpaquePointer

  public init() {
    guard let made = EVP_MD_CTX_new(), EVP_DigestInit_ex(made, EVP_sha256(), nil) == 1 else {
      preconditionFailure("OpenSSL has no SHA-256")
    }
    context = made
  }
  deinit { EVP_MD_CTX_free(context) }

  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
  }

  public consuming func finalize() -> [UInt8] {
    var result = [UInt8](repeating: 0, count: 32)
    EVP_DigestFinal_ex(context, &result, nil)
    return result
  }

  /// The digest in 64 lower-case hex digits.
  public consuming func hexDigest() -> String { hex(finalize()) }
}

/// SHA-256 of bytes in hex.
public func sha256(_ bytes: some Sequence<UInt8>) -> String {
  var digest = SHA256()
  Array(bytes).withUnsafeBytes { digest.update($0) }
  return digest.hexDigest()
}
