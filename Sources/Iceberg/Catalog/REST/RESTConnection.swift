import Files
public import HTTP
import ObjectStorage
public import Support
import Synchronization

/// A catalog's server: its address, what it wants to be called with, and who asks.
public final class RESTConnection: Sendable {
  /// Without a slash at its end.
  let uri: String
  let warehouse: String?
  let http: HTTPClient
  let clock: WallClock
  private let login: CatalogLogin
  private let settings = Mutex<[String: String]?>(nil)
  /// Waits so many seconds; tests don't.
  let wait: @Sendable (Double) async -> Void

  static let limit = ByteCount.mebibytes(512)

  public init(
    uri: String, warehouse: String?, http: HTTPClient, login: CatalogLogin, clock: WallClock = .system,
    wait: @escaping @Sendable (Double) async -> Void = { try? await Task.sleep(for: .seconds($0)) }
  ) {
    var uri = uri
    while uri.hasSuffix("/") { uri.removeLast() }
    // As some write it.
    if uri.hasSuffix("/v1") { uri = String(uri.dropLast(3)) }
    self.uri = uri
    self.warehouse = warehouse
    self.http = http
    self.login = login
    self.clock = clock
    self.wait = wait
  }

  /// What the server wants its clients to use: its overrides before our own, its defaults after them. Asked for once.
  func configuration() async throws(Failure) -> [String: String] {
    if let known = settings.withLock({ $0 }) { return known }
    let query = warehouse.map { [(name: "warehouse", value: $0)] } ?? []
    let operation = "read the catalog's configuration"
    let response = try await ask(.get, "\(uri)/v1/config", query: query, operation: operation)
    let json = try parsed(response, operation)
    func texts(_ key: String) -> [String: String] {
      (json[key]?.object ?? [:]).compactMapValues(\.string)
    }
    let own = warehouse.map { ["warehouse": $0] } ?? [:]
    let merged = texts("defaults").merging(own) { $1 }.merging(texts("overrides")) { $1 }
    settings.withLock { $0 = merged }
    return merged
  }

  /// The URL of what is under the catalog's prefix. The prefix is percent-encoded already.
  func url(_ parts: String...) async throws(Failure) -> String {
    let settings = try await configuration()
    let base = base(settings["uri"])
    let prefix = settings["prefix"].flatMap { $0.isEmpty ? nil : "/" + trimmedSlashes($0) } ?? ""
    return "\(base)/v1\(prefix)/" + parts.map { percentEncoded($0) }.joined(separator: "/")
  }

  /// Where the catalog is, when its server calls itself as it said. Not at another host, and not without TLS: it would get our token there.
  func base(_ said: String?) -> String {
    guard var base = said, host(of: base) == host(of: uri),
      base.hasPrefix("https:") || !uri.hasPrefix("https:")
    else { return uri }
    while base.hasSuffix("/") { base.removeLast() }
    return base
  }

  private func host(of url: String) -> Substring {
    (afterScheme(url) ?? url[...]).prefix { $0 != "/" }
  }

  private func trimmedSlashes(_ text: String) -> String {
    var text = text[...]
    while text.hasPrefix("/") { text.removeFirst() }
    while text.hasSuffix("/") { text.removeLast() }
    return String(text)
  }

  /// What the server said, without what it may quote of the login.
  func error(_ response: HTTPResponse) -> RESTError { RESTError(response, hiding: login.secrets) }

  func parsed(_ response: HTTPResponse, _ operation: String) throws(Failure) -> JSONValue {
    guard let json = try? JSONValue(parsing: response.body) else { throw isNone(response, operation) }
    return json
  }

  /// Whoever answered so is no catalog.
  func isNone(_ response: HTTPResponse, _ operation: String) -> Failure {
    Failure(
      "catalog.answer",
      "The catalog \(uri) does not answer as an Iceberg catalog does. (It was to \(operation).)",
      remedy: "Check 'catalog.uri'.", words: error(response).words)
  }

  /// A question that changes nothing: asked again when the server is busy or the answer is lost.
  func ask(
    _ method: HTTPRequest.Method, _ url: String, query: [(name: String, value: String)] = [],
    headers: [(name: String, value: String)] = [], accepting statuses: Set<Int> = [], operation: String
  ) async throws(Failure) -> HTTPResponse {
    let response = try await repeated(method, url, query: query, headers: headers, operation: operation)
    if response.isSuccess || statuses.contains(response.status) { return response }
    throw error(response).failure(operation, at: uri)
  }

  /// What may be said again when the server is busy or the answer is lost: done twice it is as if done once. The last answer, whatever its status.
  func repeated(
    _ method: HTTPRequest.Method, _ url: String, query: [(name: String, value: String)] = [],
    headers: [(name: String, value: String)] = [], body: JSONValue? = nil, operation: String
  ) async throws(Failure) -> HTTPResponse {
    try await patiently(operation) { await send(method, url, query: query, headers: headers, body: body) }
  }

  /// Does it again while the server is busy or the answer is lost. The last answer, whatever its status.
  func patiently(
    _ operation: String, _ send: () async -> Result<HTTPResponse, SendFailure>
  ) async throws(Failure) -> HTTPResponse {
    var attempt = 0
    while true {
      attempt += 1
      switch await send() {
      case .failure(.known(let failure)): throw failure
      case .failure(.lost(let failure)):
        guard failure.mayPass, attempt < 5 else { throw failure.failure(operation, at: uri) }
        await pause(attempt, nil)
      case .success(let response):
        guard RESTError.mayPass(response.status), attempt < 5 else { return response }
        await pause(attempt, response.headers["retry-after"].flatMap(Double.init))
      }
    }
  }

  func pause(_ attempt: Int, _ asked: Double?) async {
    await wait(RetryPolicy(first: 0.2, longest: 4).pause(after: attempt, asked: asked))
  }

  enum SendFailure: Error {
    /// It was not sent, or is sure not to have been done.
    case known(Failure)
    /// Whether it was done nobody knows.
    case lost(HTTPFailure)
  }

  /// Sends it once; with a new token once more when the server does not accept the one that it was sent with.
  func send(
    _ method: HTTPRequest.Method, _ url: String, query: [(name: String, value: String)] = [],
    headers: [(name: String, value: String)] = [], body: JSONValue?
  ) async -> Result<HTTPResponse, SendFailure> {
    var hasRenewed = false
    while true {
      do throws(Failure) {
        let content = body.map { HTTPRequest.Body.bytes($0.encoded) } ?? .none
        let request = try await signed(method, url, query, headers, content)
        let response: HTTPResponse
        do throws(HTTPFailure) { response = try await http.send(request) } catch {
          return .failure(.lost(error))
        }
        if [401, 419].contains(response.status), !hasRenewed, login.renew() {
          hasRenewed = true
          continue
        }
        return .success(response)
      } catch {
        return .failure(.known(error))
      }
    }
  }

  private func signed(
    _ method: HTTPRequest.Method, _ url: String, _ query: [(name: String, value: String)],
    _ headers: [(name: String, value: String)], _ body: HTTPRequest.Body
  ) async throws(Failure) -> HTTPRequest {
    guard let rest = afterScheme(url) else {
      throw Failure(
        "catalog.uri", "'\(printable(url))' is no address of a catalog.", remedy: "Check 'catalog.uri'.")
    }
    let host = rest.prefix { $0 != "/" }
    var parts = SignableRequest(
      method: method.rawValue, host: String(host), path: String(rest.dropFirst(host.count)), query: query,
      headers: headers + [("Accept", "application/json")])
    if case .bytes = body { parts.headers.append(("Content-Type", "application/json")) }
    let fields = try await login.headers(parts, body: body, self)
    let encoded = parts.encodedQuery
    var request = HTTPRequest(
      method, url + (encoded.isEmpty ? "" : "?" + encoded), headers: fields, body: body)
    request.limit = Self.limit
    // A commit may wait for others on the server.
    request.timeouts = HTTPRequest.Timeouts(connect: 10, idle: 120)
    return request
  }
}

/// What follows `https://` or `http://`.
private func afterScheme(_ url: String) -> Substring? {
  for scheme in ["https://", "http://"] where url.hasPrefix(scheme) { return url.dropFirst(scheme.count) }
  return nil
}
