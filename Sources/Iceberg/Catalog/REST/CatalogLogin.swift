import Files
import HTTP
public import ObjectStorage
import Support
import Synchronization

/// How a catalog is told who asks. Nothing of it is ever printed.
public struct CatalogLogin: Sendable {
  public enum Method: Sendable {
    case none
    case token(String)
    /// OAuth 2's client credentials.
    case client(id: String, secret: String, scope: String?, tokenURI: String?)
    /// AWS's signature, for the catalogs of Glue and S3 Tables.
    case signature(KeySource, service: String, region: String)
  }

  let method: Method
  private let cache = TokenCache()

  public init(_ method: Method) { self.method = method }

  /// What a server that quotes our requests may show of it.
  var secrets: [String] {
    switch method {
    case .none: []
    case .signature: cache.kept
    case .token(let token): [token]
    case .client(_, let secret, _, _): cache.kept + [percentEncoded(secret), secret]
    }
  }

  /// The headers of a request that say who asks.
  func headers(
    _ request: SignableRequest, body: HTTPRequest.Body, _ connection: RESTConnection
  ) async throws(Failure) -> [(name: String, value: String)] {
    switch method {
    case .none: return request.headers
    case .token(let token): return request.headers + [("Authorization", "Bearer \(token)")]
    case .client(let id, let secret, let scope, let tokenURI):
      let token: String
      if let known = cache.token(at: connection.clock.now()) {
        token = known
      } else {
        token = try await fetch(
          id, secret, scope, tokenURI ?? "\(connection.uri)/v1/oauth/tokens", connection)
      }
      return request.headers + [("Authorization", "Bearer \(token)")]
    case .signature(let keys, let service, let region):
      let digest = if case .bytes(let bytes) = body { sha256(bytes) } else { Signer.emptyPayload }
      let own = try await keys.keys()
      if let token = own.sessionToken { cache.remember(token) }
      let signer = Signer(keys: own, region: region, service: service)
      return signer.signed(request, payload: digest, at: connection.clock.now())
    }
  }

  /// Forgets a token that was not accepted.
  ///
  /// - Returns: whether another is to be had.
  func renew() -> Bool {
    guard case .client = method else { return false }
    cache.forget()
    return true
  }

  private func fetch(
    _ id: String, _ secret: String, _ scope: String?, _ uri: String, _ connection: RESTConnection
  ) async throws(Failure) -> String {
    struct Answer: Decodable {
      var token: String
      var term: Double?

      enum CodingKeys: String, CodingKey { case token = "access_token", term = "expires_in" }
    }
    let form = formEncoded([
      ("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret),
      ("scope", scope ?? "catalog"),
    ])
    var request = HTTPRequest(
      .post, uri,
      headers: [("Accept", "application/json"), ("Content-Type", "application/x-www-form-urlencoded")],
      body: .bytes(Array(form.utf8)))
    request.limit = .kibibytes(256)
    request.isHarmless = true
    let operation = "get a token from \(uri)"
    let asked = request
    let response = try await connection.patiently(operation) {
      do throws(HTTPFailure) { return .success(try await connection.http.send(asked)) } catch {
        return .failure(.lost(error))
      }
    }
    if RESTError.mayPass(response.status) {
      throw connection.error(response).failure(operation, at: connection.uri)
    }
    guard response.isSuccess,
      let answer = try? decodeJSON(
        Answer.self, from: response.body, code: "catalog.login", document: "The answer")
    else {
      throw Failure(
        "catalog.login", "\(uri) gave no token.",
        remedy: "Check GADWALL_CATALOG_CREDENTIAL, 'catalog.tokenUri' and 'catalog.scope'.",
        // What came with a success may be a token that we can't read.
        words: response.isSuccess ? "HTTP \(response.status)" : connection.error(response).words)
    }
    // Without a term it is kept until the catalog refuses it. A little less than the term: it must last for a request.
    let term = answer.term.map { max(1, min($0, 1e8) * 0.9) }
    cache.keep(
      answer.token,
      until: term.map { Instant(microseconds: connection.clock.now().microseconds + Int64($0 * 1e6)) })
    return answer.token
  }
}

private final class TokenCache: Sendable {
  private let state = Mutex<(token: String, until: Instant?)?>(nil)
  private let last = Mutex<[String]>([])

  /// The newest, whether they are still good or not.
  var kept: [String] { last.withLock { $0 } }

  func token(at now: Instant) -> String? {
    state.withLock { state in state.flatMap { $0.until.map { now < $0 } ?? true ? $0.token : nil } }
  }
  func keep(_ token: String, until: Instant?) {
    state.withLock { $0 = (token, until) }
    remember(token)
  }
  func remember(_ token: String) {
    last.withLock { if !$0.contains(token) { $0 = $0.suffix(7) + [token] } }
  }
  func forget() { state.withLock { $0 = nil } }
}
