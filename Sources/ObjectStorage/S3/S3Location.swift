import HTTP
public import Support

/// Where a store on S3 is, and how its server is asked.
public struct S3Location: Sendable, Equatable {
  /// How a bucket is named in a URL.
  public enum Style: String, Sendable, CaseIterable {
    /// `https://host/bucket/key`
    case path
    /// `https://bucket.host/key`
    case virtual
  }

  /// Whose names of things a server goes by.
  public enum Vendor: Sendable {
    case amazon
    /// Google Cloud Storage's XML API.
    case google
  }

  public var bucket: String
  /// Without slashes at its ends; empty for the whole bucket.
  public var prefix: String
  public var region: String
  /// `https` or `http`.
  public var scheme: String
  /// With the port, where it is not the scheme's own.
  public var host: String
  /// Before the bucket or key, without a slash at its end.
  public var basePath: String
  public var style: Style
  public var vendor: Vendor

  public var url: String { prefix.isEmpty ? "s3://\(bucket)" : "s3://\(bucket)/\(prefix)" }
  /// What a person knows the server by.
  public var endpoint: String { "\(scheme)://\(host)\(basePath)" }

  /// - Parameters:
  ///   - url: `s3://bucket/prefix`, or with `s3a`.
  ///   - endpoint: `https://host:port`; AWS's own when nil.
  ///   - style: when nil, `virtual` for AWS's own endpoints and `path` for others.
  /// - Throws: `store.url` for what names no bucket, or an endpoint that is none.
  public init(url: String, endpoint: String?, region: String?, style: Style?) throws(Failure) {
    let rest: Substring
    if url.hasPrefix("s3://") {
      rest = url.dropFirst(5)
    } else if url.hasPrefix("s3a://") {
      rest = url.dropFirst(6)
    } else {
      throw Failure(
        "store.url", "'\(printable(url))' is no URL of an S3 store.", remedy: "Write s3://BUCKET/PREFIX.")
    }
    let parts = rest.split(separator: "/", omittingEmptySubsequences: true)
    guard let bucket = parts.first, isBucketName(bucket) else {
      throw Failure("store.url", "'\(printable(url))' names no bucket.", remedy: "Write s3://BUCKET/PREFIX.")
    }
    self.bucket = String(bucket)
    prefix = parts.dropFirst().joined(separator: "/")
    guard prefix.isEmpty || isProperKey(prefix) else {
      throw Failure("store.url", "The prefix in '\(printable(url))' is no key of objects.")
    }
    self.region = region ?? "us-east-1"
    if let endpoint {
      guard let (scheme, host, path) = Self.parse(endpoint: endpoint) else {
        throw Failure(
          "store.url", "'\(printable(endpoint))' is no endpoint of an S3 server.",
          remedy: "Write https://HOST or https://HOST:PORT.")
      }
      (self.scheme, self.host, basePath) = (scheme, host, path)
    } else {
      scheme = "https"
      host = "s3.\(self.region).amazonaws.com" + (self.region.hasPrefix("cn-") ? ".cn" : "")
      basePath = ""
    }
    vendor = host == "storage.googleapis.com" || host.hasSuffix(".storage.googleapis.com") ? .google : .amazon
    // Google asks for no region, and for this word in its place.
    if vendor == .google, region == nil { self.region = "auto" }
    let isAWS = host.hasSuffix(".amazonaws.com") || host.hasSuffix(".amazonaws.com.cn")
    // A certificate for *.host covers no name with a dot in the bucket.
    let isDotted = scheme == "https" && bucket.contains(".")
    self.style = style ?? (isAWS && !isDotted ? .virtual : .path)
  }

  private static func parse(endpoint: String) -> (scheme: String, host: String, path: String)? {
    for scheme in ["https", "http"] where endpoint.hasPrefix(scheme + "://") {
      let rest = endpoint.dropFirst(scheme.count + 3)
      let host = rest.prefix { $0 != "/" }
      var path = String(rest.dropFirst(host.count))
      while path.hasSuffix("/") { path.removeLast() }
      let isPlain = { (byte: UInt8) in
        byte.isASCIILetterOrDigit || [0x2D, 0x2E, 0x3A, 0x5B, 0x5D, 0x5F].contains(byte)
      }
      guard !host.isEmpty, host.utf8.allSatisfy(isPlain), path.utf8.allSatisfy({ isPlain($0) || $0 == 0x2F })
      else {
        return nil
      }
      // Clients leave the scheme's own port out of the Host header, which is signed.
      let port = scheme == "https" ? ":443" : ":80"
      return (scheme, host.hasSuffix(port) ? String(host.dropLast(port.count)) : String(host), path)
    }
    return nil
  }

  /// The object's key in its bucket.
  public func bucketKey(_ key: String) -> String { keyPrefix + key }

  /// What the bucket's keys of this store begin with.
  var keyPrefix: String { prefix.isEmpty ? "" : prefix + "/" }

  /// The key of the object that the bucket has under this name; nil for what lies outside the store.
  func key(inBucket name: String) -> String? {
    guard name.utf8.starts(with: keyPrefix.utf8) else { return nil }
    let key = String(Substring(name.utf8.dropFirst(keyPrefix.utf8.count)))
    return isProperKey(key) ? key : nil
  }

  /// Host and encoded path of an object, or of the bucket itself.
  func address(_ bucketKey: String?) -> (host: String, path: String) {
    let key = bucketKey.map { "/" + percentEncoded($0, keepingSlashes: true) } ?? "/"
    return switch style {
    case .path: (host, "\(basePath)/\(bucket)\(key)")
    case .virtual: ("\(bucket).\(host)", "\(basePath)\(key)")
    }
  }
}

/// By S3's rules, and nothing that could end up as another host.
private func isBucketName(_ text: Substring) -> Bool {
  (3...63).contains(text.utf8.count)
    && text.utf8.allSatisfy { $0.isASCIILetterOrDigit || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F }
}

extension UInt8 {
  var isASCIILetterOrDigit: Bool {
    (0x30...0x39).contains(self) || (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self)
  }
}
