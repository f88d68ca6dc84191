import Files
import Support
import TestSupport

/// Stands in front of a server, with or without TLS, and says some answers in its place (Tests/Servers/answering_proxy.py).
struct AnsweringProxy: Sendable {
  struct Answer: Encodable, Sendable {
    /// Searched in the method and target, as in `PUT /bucket/key`.
    var to = ""
    var status = 200
    var headers: [String: String] = [:]
    var body = ""
    /// Only once such a request has come before.
    var since: String?
    /// Only once the server has done what it was asked.
    var after = false
    /// The request stands where the body has `%REQUEST%`.
    var echo = false
  }
  struct Script: Encodable, Sendable {
    var answers: [Answer]?
    /// Only to clients that call themselves so, a regular expression.
    var agent: String?
    /// Seconds that the server's time is ahead of the world's.
    var clock: Int?
    /// It refuses every request for the clock's sake, whatever time it was signed at.
    var never: Bool?
    /// The secrets of the access keys, with which a request is signed anew for the real server.
    var keys: [String: String]?
    /// Files with a certificate and its key.
    var tls: [String]?
  }
  struct Seen: Decodable, Sendable {
    /// Methods and targets.
    var requests: [String]
    /// How many of them got an answer of the script's.
    var answered: Int
    var agents: [String]
    var authorizations: [String]
  }

  var endpoint: String

  static func start(before server: String, _ script: Script) async throws -> AnsweringProxy {
    let upstream = server.split(separator: ":").last.map(String.init) ?? ""
    let program = joined(repositoryRoot, "Tests/Servers/answering_proxy.py")
    let text = String(decoding: encodeJSON(script), as: UTF8.self)
    let endpoint = try await TestServers.start(
      "python/bin/python", { [program, String($0), upstream, text] })
    return AnsweringProxy(
      endpoint: script.tls == nil ? endpoint : endpoint.replacing("http://", with: "https://"))
  }

  static func start(before server: String, _ answers: [Answer]) async throws -> AnsweringProxy {
    try await start(before: server, Script(answers: answers))
  }

  func seen(_ fleet: TestFleet) async throws -> Seen {
    let ended = try await fleet.shell("curl -s -k '\(endpoint)/-/seen'")
    return try decodeJSON(Seen.self, from: Array(ended.output.utf8), code: "test", document: endpoint)
  }
}

extension TestFleet {
  /// The same fleet, whose configuration names other servers in place of its own.
  func through(store: String? = nil, catalog: String? = nil) throws -> TestFleet {
    var other = self
    if let store { other.archive?.store.endpoint = store }
    if let catalog { other.archive?.catalog.endpoint = catalog }
    try other.configure()
    return other
  }
}

/// A certificate authority that nobody trusts unless told to. By openssl's command.
struct Authority: Sendable {
  private let folder: String
  /// Its own certificate's file.
  var certificate: String { joined(folder, "authority.pem") }

  /// Makes one in a new folder within the fleet's.
  static func make(_ fleet: TestFleet, _ name: String = "authority") async throws -> Authority {
    let authority = Authority(folder: joined(fleet.folder, name))
    try fleet.write(Array(settings.utf8), to: joined(authority.folder, "settings"))
    try await authority.openssl(
      fleet, "req -x509 \(newKey("authority")) -subj '/CN=\(name)' -extensions authority -out authority.pem")
    return authority
  }

  private static let settings = """
    [req]
    distinguished_name = subject
    prompt = no
    [subject]
    CN = nobody
    [authority]
    basicConstraints = critical, CA:TRUE
    keyUsage = critical, keyCertSign, cRLSign
    subjectKeyIdentifier = hash

    """

  private static func newKey(_ name: String) -> String {
    "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config settings -days 2 -keyout \(name).key"
  }

  /// A certificate for a server that is called so, and its key: two files.
  func certify(_ fleet: TestFleet, _ name: String = "IP:127.0.0.1") async throws -> [String] {
    let file = name.replacing(":", with: "-")
    try fleet.write(Array("subjectAltName = \(name)\n".utf8), to: joined(folder, "\(file).names"))
    try await openssl(fleet, "req \(Self.newKey(file)) -subj '/CN=a server' -out \(file).request")
    try await openssl(
      fleet,
      "x509 -req -in \(file).request -CA authority.pem -CAkey authority.key -CAcreateserial -days 2 -extfile \(file).names -out \(file).pem"
    )
    return [joined(folder, "\(file).pem"), joined(folder, "\(file).key")]
  }

  private func openssl(_ fleet: TestFleet, _ words: String) async throws {
    let ended = try await fleet.shell("cd '\(folder)' && openssl \(words)")
    guard ended.status == 0 else { throw MissingPart(description: "openssl failed: \(ended)") }
  }
}
