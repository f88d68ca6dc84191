import Files
import HTTP
public import Support

/// A request as it is signed: what goes over the wire, without the signature.
public struct SignableRequest: Sendable {
  public var method: String
  /// With the port, where it is not the scheme's own.
  public var host: String
  /// As it is sent: each part percent-encoded, beginning with a slash.
  public var path: String
  /// Not encoded, in any order; a name alone has an empty value.
  public var query: [(name: String, value: String)]
  public var headers: [(name: String, value: String)]

  public init(
    method: String, host: String, path: String, query: [(name: String, value: String)] = [],
    headers: [(name: String, value: String)] = []
  ) {
    self.method = method
    self.host = host
    self.path = path
    self.query = query
    self.headers = headers
  }

  /// The query as it is sent, and as it is signed: encoded, sorted by the encoded names, then values.
  public var encodedQuery: String {
    let pairs = query.map { (percentEncoded($0.name), percentEncoded($0.value)) }
    return pairs.sorted { $0 < $1 }.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
  }
}

/// AWS's Signature Version 4, a pure function. (docs.aws.amazon.com, "Signature Version 4 signing process".)
///
/// libcurl has one, and it signs paths with `=` in them, unsorted queries and names without a value otherwise than servers do.
public struct Signer: Sendable {
  /// Google has the same signature under names of its own (cloud.google.com/storage/docs/authentication/signatures).
  public enum Dialect: Sendable { case amazon, google }

  public var keys: AccessKeys
  public var region: String
  public var service: String
  public let dialect: Dialect

  public init(keys: AccessKeys, region: String, service: String? = nil, dialect: Dialect = .amazon) {
    self.keys = keys
    self.region = region
    self.service = service ?? (dialect == .google ? "storage" : "s3")
    self.dialect = dialect
  }

  /// AWS4, GOOG4.
  private var name: String { dialect == .google ? "GOOG4" : "AWS4" }
  /// What the names of its parameters begin with, and in small letters those of its headers.
  private var vendor: String { dialect == .google ? "X-Goog" : "X-Amz" }
  /// Whether this is storage, which has the payload's digest in a header, and takes the path as it was sent.
  private var isStorage: Bool { service == "s3" || dialect == .google }

  /// In place of the payload's digest where it is not known beforehand. Only over TLS.
  public static let unsignedPayload = "UNSIGNED-PAYLOAD"
  public static let emptyPayload = sha256([])

  /// The request's headers with the signature among them. `Host` is not, since the transport writes it.
  ///
  /// - Parameter payload: SHA-256 of the body in hex, or ``unsignedPayload``.
  public func signed(
    _ request: SignableRequest, payload: String, at time: Instant
  ) -> [(name: String, value: String)] {
    var request = request
    request.headers.append(("\(vendor.lowercased())-date", time.basicStamp))
    if isStorage { request.headers.append(("\(vendor.lowercased())-content-sha256", payload)) }
    if let token = keys.sessionToken {
      request.headers.append(("\(vendor.lowercased())-security-token", token))
    }
    let canonical = canonicalRequest(request, payload: payload)
    let signature = signature(of: canonical.text, at: time)
    return request.headers + [
      (
        "Authorization",
        "\(name)-HMAC-SHA256 Credential=\(keys.id)/\(scope(time)),SignedHeaders=\(canonical.signedHeaders),Signature=\(signature)"
      )
    ]
  }

  /// The query of a URL that whoever has it may use for so many seconds, without keys.
  public func presigned(_ request: SignableRequest, at time: Instant, seconds: Int) -> SignableRequest {
    var request = request
    request.query += [
      ("\(vendor)-Algorithm", "\(name)-HMAC-SHA256"), ("\(vendor)-Credential", "\(keys.id)/\(scope(time))"),
      ("\(vendor)-Date", time.basicStamp), ("\(vendor)-Expires", String(seconds)),
    ]
    if let token = keys.sessionToken { request.query.append(("\(vendor)-Security-Token", token)) }
    let names = Self.canonicalHeaders(request).map(\.name)
    request.query.append(("\(vendor)-SignedHeaders", names.joined(separator: ";")))
    let canonical = canonicalRequest(request, payload: Self.unsignedPayload)
    request.query.append(("\(vendor)-Signature", signature(of: canonical.text, at: time)))
    return request
  }

  /// What is hashed and signed, for tests and for comparing with what a server says that it has signed.
  func canonicalRequest(_ request: SignableRequest, payload: String) -> (text: String, signedHeaders: String)
  {
    let headers = Self.canonicalHeaders(request)
    let names = headers.map(\.name).joined(separator: ";")
    // Storage takes the path as it was sent; all others encode it once more.
    let path = isStorage ? request.path : percentEncoded(request.path, keepingSlashes: true)
    let text = [
      request.method, path, request.encodedQuery, headers.map { "\($0.name):\($0.value)\n" }.joined(), names,
      payload,
    ].joined(separator: "\n")
    return (text, names)
  }

  /// By name, with the values of one name joined and runs of blanks made one.
  private static func canonicalHeaders(_ request: SignableRequest) -> [(name: String, value: String)] {
    var values: [String: [String]] = ["host": [request.host]]
    for (name, value) in request.headers {
      let words = value.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
      values[name.lowercased(), default: []].append(words)
    }
    return values.map { ($0.key, $0.value.joined(separator: ",")) }.sorted { $0.0 < $1.0 }
  }

  private func signature(of canonical: String, at time: Instant) -> String {
    let day = String(time.basicStamp.prefix(8))
    let text = "\(name)-HMAC-SHA256\n\(time.basicStamp)\n\(scope(time))\n\(sha256(canonical.utf8))"
    var key = Array("\(name)\(keys.secret)".utf8)
    for part in [day, region, service, "\(name.lowercased())_request", text] {
      key = hmacSHA256(key: key, Array(part.utf8))
    }
    return hex(key)
  }

  private func scope(_ time: Instant) -> String {
    "\(time.basicStamp.prefix(8))/\(region)/\(service)/\(name.lowercased())_request"
  }
}
