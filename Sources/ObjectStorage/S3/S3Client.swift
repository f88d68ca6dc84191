import Files
import HTTP
import Support
import Synchronization

/// One request to the bucket, before it is signed.
struct S3Request: Sendable {
  var method: HTTPRequest.Method
  /// The key in the bucket; nil for the bucket itself.
  var key: String?
  /// Where it is asked for, when that is not the store itself.
  var place: S3Place?
  var query: [(name: String, value: String)] = []
  var headers: [(name: String, value: String)] = []
  var body = HTTPRequest.Body.none
  /// SHA-256 of the body in hex, or ``Signer/unsignedPayload``. Needed for a file alone.
  var digest: String?
  var sink = HTTPRequest.Sink.memory
  var limit = ByteCount.mebibytes(16)
  /// An answer with a status of 2xx may still be an error: S3 has sent the status before it knew.
  var mayHideError = false

  init(_ method: HTTPRequest.Method, _ key: String?) {
    self.method = method
    self.key = key
  }
}

/// Session tokens that requests were sent with: the newest, since old ones have expired.
final class SentTokens: Sendable {
  private let last = Mutex<[String]>([])

  var tokens: [String] { last.withLock { $0 } }
  func add(_ token: String) {
    last.withLock { if !$0.contains(token) { $0 = $0.suffix(7) + [token] } }
  }
}

/// Signs requests, sends them, and sends them again where that may help.
struct S3Client: Sendable {
  let location: S3Location
  let http: HTTPClient
  let keys: KeySource
  let clock: WallClock
  var policy = RetryPolicy()
  var timeouts = HTTPRequest.Timeouts()
  let budget = RetryBudget()
  /// What the server's clock is ahead of ours, in microseconds, once it has said so.
  let skew = Shared<Int64>(0)
  private let sent = SentTokens()
  /// Waits so many seconds.
  var wait: @Sendable (Double) async throws(Failure) -> Void = { seconds throws(Failure) in
    do { try await Task.sleep(for: .seconds(seconds)) } catch {
      throw Failure("cancelled", "The work was cancelled.")
    }
  }

  /// The answer, which is a success or one of the given statuses, and whether an earlier attempt may have done the same already.
  ///
  /// - Parameter operation: what is to be done, for errors, as in "read the object raw/x".
  func send(
    _ request: S3Request, _ operation: String, accepting statuses: Set<Int> = []
  ) async throws(Failure) -> (response: HTTPResponse, isRepeated: Bool) {
    let location = request.place?.location ?? location
    let keys = request.place?.keys ?? keys
    var attempt = 0
    var isRepeated = false
    var hasCorrectedClock = false
    var hasRefreshedKeys = false
    while true {
      attempt += 1
      let own = try await keys.keys()
      if let token = own.sessionToken ?? own.bearer { sent.add(token) }
      let response: HTTPResponse
      do throws(HTTPFailure) {
        response = try await http.send(signed(request, own, at: location))
      } catch {
        guard error.mayPass, attempt < policy.attempts, budget.takeOne() else {
          throw error.failure(operation, at: location)
        }
        isRepeated = true
        try await pause(after: attempt, asked: nil)
        continue
      }
      if statuses.contains(response.status) { return (response, isRepeated) }
      let hidesError = request.mayHideError && XMLTree(parsing: response.body)?.name == "Error"
      if response.isSuccess, !hidesError {
        budget.earn()
        return (response, isRepeated)
      }
      let error = error(response)
      if error.code == "RequestTimeTooSkewed", !hasCorrectedClock,
        let date = response.headers["date"].flatMap(httpDate)
      {
        hasCorrectedClock = true
        skew.set(date.microseconds - clock.now().microseconds)
        continue
      }
      let isOld = S3Client.wantsNewKeys.contains(error.code) || own.bearer != nil && response.status == 401
      if isOld, !hasRefreshedKeys, try await keys.renew(own) {
        hasRefreshedKeys = true
        continue
      }
      let mayPass = hidesError || RetryPolicy.mayPass(status: response.status, code: error.code)
      guard mayPass, attempt < policy.attempts, budget.takeOne() else {
        throw error.failure(operation, at: location)
      }
      // What failed with a server's error may have been done all the same.
      isRepeated = true
      try await pause(after: attempt, asked: response.headers["retry-after"].flatMap(Double.init))
    }
  }

  /// What the server said, without what it may quote of our keys.
  func error(_ response: HTTPResponse) -> S3Error { S3Error(response, hiding: sent.tokens) }

  private static let wantsNewKeys: Set = [
    "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken",
  ]

  private func pause(after attempt: Int, asked: Double?) async throws(Failure) {
    try await wait(policy.pause(after: attempt, asked: asked))
  }

  private func signed(
    _ request: S3Request, _ keys: AccessKeys, at location: S3Location
  ) -> HTTPRequest {
    let (host, path) = location.address(request.key)
    var parts = SignableRequest(
      method: request.method.rawValue, host: host, path: path, query: request.query, headers: request.headers)
    if location.vendor == .google { parts.headers = googleHeaders(parts.headers) }
    let headers: [(name: String, value: String)]
    if let token = keys.bearer {
      headers = parts.headers + [("Authorization", "Bearer \(token)")]
    } else {
      let signer = Signer(
        keys: keys, region: location.region, dialect: location.vendor == .google ? .google : .amazon)
      let now = Instant(microseconds: clock.now().microseconds + skew.value)
      headers = signer.signed(parts, payload: payload(request), at: now)
    }
    let query = parts.encodedQuery
    var sent = HTTPRequest(
      request.method, "\(location.scheme)://\(host)\(path)\(query.isEmpty ? "" : "?" + query)",
      headers: headers, body: request.body)
    sent.sink = request.sink
    sent.limit = request.limit
    sent.timeouts = timeouts
    return sent
  }

  /// What is signed for the body.
  private func payload(_ request: S3Request) -> String {
    if let digest = request.digest { return digest }
    return switch request.body {
    case .none: Signer.emptyPayload
    case .bytes(let bytes): sha256(bytes)
    // Whoever sends a file has its digest, or needs none.
    case .file: Signer.unsignedPayload
    }
  }
}

/// What Google's XML API calls by other names than AWS, and what it does not know. It takes no request with headers of both.
/// (cloud.google.com/storage/docs/xml-api/reference-headers.)
func googleHeaders(_ headers: [(name: String, value: String)]) -> [(name: String, value: String)] {
  headers.compactMap { name, value in
    switch name {
    case "If-None-Match": ("x-goog-if-generation-match", "0")
    case "x-amz-storage-class": ("x-goog-storage-class", value)
    case "x-amz-checksum-crc32c": ("x-goog-hash", "crc32c=\(value)")
    case _ where name.hasPrefix("x-amz-"): nil
    default: (name, value)
    }
  }
}

/// `Wed, 25 Nov 2026 23:14:37 GMT` (RFC 9110, 5.6.7); nil for its older forms.
func httpDate(_ text: String) -> Instant? {
  let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
  let words = text.split(separator: " ")
  guard words.count == 6, let day = Int(words[1]), let month = months.firstIndex(where: { $0 == words[2] }),
    let year = Int(words[3]), (1970...9999).contains(year), isRealDate(year: year, month: month + 1, day: day)
  else { return nil }
  let time = words[4].split(separator: ":").compactMap { Int($0) }
  guard time.count == 3, (0..<24).contains(time[0]), (0..<60).contains(time[1]), (0..<61).contains(time[2])
  else { return nil }
  return Instant(
    seconds: Int64(days(fromYear: year, month: month + 1, day: day)) * 86_400
      + Int64(time[0] * 3600 + time[1] * 60 + time[2]))
}

/// `2026-11-25T23:14:37.000Z`, as listings have it, or with another offset from UTC, as a program may print it.
func listingDate(_ text: String) -> Instant? {
  let digits = text.prefix(19).split { !$0.isNumber }.compactMap { Int($0) }
  guard digits.count == 6, (1970...9999).contains(digits[0]),
    isRealDate(year: digits[0], month: digits[1], day: digits[2]), digits[3] < 24, digits[4] < 60,
    digits[5] < 61, let offset = zoneOffset(text.dropFirst(19).drop { $0 == "." || $0.isNumber })
  else { return nil }
  return Instant(
    seconds: Int64(days(fromYear: digits[0], month: digits[1], day: digits[2])) * 86_400
      + Int64(digits[3] * 3600 + digits[4] * 60 + digits[5] - offset))
}

/// Seconds that `Z`, `+02:00` or nothing at all is east of UTC.
private func zoneOffset(_ text: Substring) -> Int? {
  if text.isEmpty || text == "Z" || text == "z" { return 0 }
  let parts = text.dropFirst().split(separator: ":", omittingEmptySubsequences: false).compactMap { Int($0) }
  guard text.hasPrefix("+") || text.hasPrefix("-"), parts.count == 2, (0..<24).contains(parts[0]),
    (0..<60).contains(parts[1])
  else { return nil }
  return (text.hasPrefix("-") ? -1 : 1) * (parts[0] * 3600 + parts[1] * 60)
}
