import Files
public import HTTP
import Processes
import Support

/// What the usual places read: the environment, files and time are parameters.
public struct KeySurroundings: Sendable {
  public var environment: @Sendable (String) -> String?
  public var http: HTTPClient
  public var region: String
  /// A file of credentials that comes before the user's own: on a node `/etc/gadwall/credentials`.
  public var file: String?
  /// How long a credential_process may take.
  var processSeconds = 60.0
  var clock = WallClock.system

  public init(
    environment: @escaping @Sendable (String) -> String?, http: HTTPClient, region: String,
    file: String? = nil
  ) {
    self.environment = environment
    self.http = http
    self.region = region
    self.file = file
  }

  func value(_ name: String) -> String? { environment(name).flatMap { $0.isEmpty ? nil : $0 } }

  /// The places for Google Cloud Storage: HMAC keys where AWS's programs have theirs, or the machine's own account.
  public var googleProviders: [any KeyProvider] {
    [EnvironmentKeys(surroundings: self), ProfileKeys(surroundings: self), GoogleKeys(surroundings: self)]
  }

  /// All places, in the order that AWS's own programs look at them.
  public var providers: [any KeyProvider] {
    [
      EnvironmentKeys(surroundings: self), WebIdentityKeys(surroundings: self),
      ProfileKeys(surroundings: self),
      ContainerKeys(surroundings: self), InstanceKeys(surroundings: self),
    ]
  }
}

/// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`.
struct EnvironmentKeys: KeyProvider {
  let name = "the environment"
  let surroundings: KeySurroundings

  func fetch() async throws(Failure) -> AccessKeys? {
    guard let id = surroundings.value("AWS_ACCESS_KEY_ID"),
      let secret = surroundings.value("AWS_SECRET_ACCESS_KEY")
    else { return nil }
    return AccessKeys(id: id, secret: secret, sessionToken: surroundings.value("AWS_SESSION_TOKEN"))
  }
}

/// The profile in the credentials and config files: its keys, or the program that prints some.
struct ProfileKeys: KeyProvider {
  let name = "the credentials files"
  let surroundings: KeySurroundings

  func fetch() async throws(Failure) -> AccessKeys? {
    let profile = surroundings.value("AWS_PROFILE") ?? "default"
    let home = surroundings.value("HOME")
    let credentials =
      surroundings.value("AWS_SHARED_CREDENTIALS_FILE") ?? home.map { joined($0, ".aws/credentials") }
    let config = surroundings.value("AWS_CONFIG_FILE") ?? home.map { joined($0, ".aws/config") }
    var values: [String: String] = [:]
    // What comes first holds, and what makes keys together stands in one file.
    var places = [(surroundings.file, profile), (credentials, profile), (config, "profile \(profile)")]
    // In the config file it may be called either way.
    if profile == "default" { places.append((config, profile)) }
    for (path, section) in places {
      guard let path, let text = try read(path) else { continue }
      let found = iniSection(section, of: text)
      if let id = found["aws_access_key_id"], let secret = found["aws_secret_access_key"] {
        return AccessKeys(id: id, secret: secret, sessionToken: found["aws_session_token"])
      }
      if let command = found["credential_process"] { return try await run(command) }
      values.merge(found) { first, _ in first }
    }
    if let role = values["role_arn"], let file = values["web_identity_token_file"] {
      return try await WebIdentityKeys.assume(
        role, tokenFile: file, session: values["role_session_name"], surroundings)
    }
    if surroundings.value("AWS_PROFILE") != nil {
      throw Failure(
        "store.keys",
        "The profile '\(printable(profile))' has no access keys, no credential_process and no web identity.",
        remedy: "Check AWS_PROFILE, and the credentials and config files.")
    }
    return nil
  }

  private func read(_ path: String) throws(Failure) -> String? {
    do throws(SystemError) {
      return String(decoding: try readFile(path, limit: .mebibytes(1)), as: UTF8.self)
    } catch {
      if error.isMissing { return nil }
      throw error.failure("store.keys", "The credentials file \(path) can't be read.")
    }
  }

  /// The program's output is JSON (docs.aws.amazon.com, "Sourcing credentials with an external process").
  private func run(_ command: String) async throws(Failure) -> AccessKeys {
    struct Output: Decodable {
      var id: String
      var secret: String
      var token: String?
      var expires: String?

      enum CodingKeys: String, CodingKey {
        case id = "AccessKeyId", secret = "SecretAccessKey", token = "SessionToken", expires = "Expiration"
      }
    }
    let result: ChildResult
    do {
      var environment = plainEnvironment()
      for name in ["HOME", "AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
        if let value = surroundings.value(name) { environment[name] = value }
      }
      result = try await Processes.run(
        ChildCommand(
          "/bin/sh", ["-c", command], environment: environment, outputLimit: .kibibytes(64),
          deadline: .after(seconds: surroundings.processSeconds)))
    } catch ChildFailure.deadline {
      // Its last words may hold a secret.
      throw Failure(
        "store.keys", "The credential_process did not end in time.", remedy: "Run it by hand.")
    } catch {
      throw Failure("store.keys", "The credential_process could not be run.", words: "\(error)")
    }
    guard result.status == .exited(0),
      let output = try? decodeJSON(
        Output.self, from: result.output, code: "store.keys", document: "The output")
    else {
      // Its output may hold a secret, its errors hardly: but who knows.
      throw Failure(
        "store.keys", "The credential_process gave no access keys (\(result.status)).",
        remedy: "Run it by hand.")
    }
    return AccessKeys(
      id: output.id, secret: output.secret, sessionToken: output.token,
      expires: output.expires.flatMap(listingDate))
  }
}

/// The values of a section of an ini file, by their names in lower case. Nested values (indented) are passed over.
func iniSection(_ wanted: String, of text: String) -> [String: String] {
  var values: [String: String] = [:]
  var isInside = false
  for line in text.split(whereSeparator: \.isNewline) {
    let isNested = line.first == " " || line.first == "\t"
    let words = trimmedBlanks(line)
    if words.isEmpty || words.hasPrefix("#") || words.hasPrefix(";") { continue }
    if words.hasPrefix("[") {
      let name = trimmedBlanks(words.dropFirst().prefix { $0 != "]" })
      isInside = name == wanted
    } else if isInside, !isNested, let equals = words.firstIndex(of: "=") {
      let name = trimmedBlanks(words[..<equals]).lowercased()
      let value = String(trimmedBlanks(words[words.index(after: equals)...]))
      if values[name] == nil, !value.isEmpty { values[name] = value }
    }
  }
  return values
}

private func trimmedBlanks(_ text: some StringProtocol) -> Substring {
  var text = Substring(text)
  while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
  while let last = text.last, last == " " || last == "\t" { text.removeLast() }
  return text
}

/// A token in a file, as Kubernetes gives a pod, exchanged for keys at the Security Token Service.
struct WebIdentityKeys: KeyProvider {
  let name = "the web identity"
  let surroundings: KeySurroundings

  func fetch() async throws(Failure) -> AccessKeys? {
    guard let file = surroundings.value("AWS_WEB_IDENTITY_TOKEN_FILE"),
      let role = surroundings.value("AWS_ROLE_ARN")
    else { return nil }
    return try await Self.assume(
      role, tokenFile: file, session: surroundings.value("AWS_ROLE_SESSION_NAME"), surroundings)
  }

  static func assume(
    _ role: String, tokenFile: String, session: String?, _ surroundings: KeySurroundings
  ) async throws(Failure) -> AccessKeys {
    let token: String
    do throws(SystemError) {
      token = String(decoding: try readFile(tokenFile, limit: .kibibytes(64)), as: UTF8.self).filter {
        !$0.isWhitespace
      }
    } catch {
      throw error.failure("store.keys", "The web identity's token file \(tokenFile) can't be read.")
    }
    let endpoint =
      surroundings.value("AWS_ENDPOINT_URL_STS") ?? "https://sts.\(surroundings.region).amazonaws.com"
    let fields: [(name: String, value: String)] = [
      ("Action", "AssumeRoleWithWebIdentity"), ("Version", "2011-06-15"), ("RoleArn", role),
      ("RoleSessionName", session ?? "gadwall"), ("WebIdentityToken", token),
    ]
    var request = HTTPRequest(
      .post, endpoint + "/", headers: [("Content-Type", "application/x-www-form-urlencoded")],
      body: .bytes(Array(formEncoded(fields).utf8)))
    request.limit = .kibibytes(256)
    request.isHarmless = true
    let response = try await answer(request, "The Security Token Service \(endpoint)", surroundings.http)
    guard response.isSuccess, let tree = XMLTree(parsing: response.body),
      let found = tree["AssumeRoleWithWebIdentityResult"]?["Credentials"],
      let id = found["AccessKeyId"]?.text,
      let secret = found["SecretAccessKey"]?.text
    else {
      throw Failure(
        "store.keys", "The Security Token Service \(endpoint) gave no access keys for the web identity.",
        remedy: "Check AWS_ROLE_ARN and who may assume that role.",
        words: token.isEmpty ? "" : S3Error(response).words.replacing(token, with: "(the token)"))
    }
    return AccessKeys(
      id: id, secret: secret, sessionToken: found["SessionToken"]?.text,
      expires: found["Expiration"].flatMap { listingDate($0.text) })
  }
}

/// The endpoint that ECS and EKS give a container.
struct ContainerKeys: KeyProvider {
  let name = "the container's endpoint"
  let surroundings: KeySurroundings

  func fetch() async throws(Failure) -> AccessKeys? {
    let url: String
    if let path = surroundings.value("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
      // What begins otherwise would go on with the host's name.
      guard path.hasPrefix("/") else {
        throw Failure(
          "store.keys", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is no path.",
          remedy: "Let it begin with a slash.")
      }
      url = "http://169.254.170.2\(path)"
    } else if let whole = surroundings.value("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
      guard isOfThisHost(whole) else {
        throw Failure(
          "store.keys",
          "AWS_CONTAINER_CREDENTIALS_FULL_URI names a host that is not this one, without TLS: its answer could be anybody's.",
          remedy: "Name an https URL, or one of this host.")
      }
      url = whole
    } else {
      return nil
    }
    var token = surroundings.value("AWS_CONTAINER_AUTHORIZATION_TOKEN")
    if let file = surroundings.value("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
      do throws(SystemError) {
        token = String(decoding: try readFile(file, limit: .kibibytes(64)), as: UTF8.self).filter {
          !$0.isNewline
        }
      } catch {
        throw error.failure("store.keys", "The token file \(file) of the container's endpoint can't be read.")
      }
    }
    var request = HTTPRequest(.get, url, headers: token.map { [("Authorization", $0)] } ?? [])
    request.isDirect = true
    request.limit = .kibibytes(64)
    request.timeouts = HTTPRequest.Timeouts(connect: 2, idle: 10, total: 20)
    let response = try await answer(request, "The container's endpoint for credentials", surroundings.http)
    return try metadataKeys(response, "The container's endpoint for credentials")
  }

  private func isOfThisHost(_ url: String) -> Bool {
    if url.hasPrefix("https://") { return true }
    guard url.hasPrefix("http://") else { return false }
    let host = url.dropFirst(7).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    if host.contains("@") { return false }
    // An address in brackets has colons of its own.
    let colon = host.lastIndex(of: ":").flatMap { host[$0...].contains("]") ? nil : $0 }
    let name = host[..<(colon ?? host.endIndex)]
    return ["localhost", "127.0.0.1", "[::1]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"].contains(
      String(name))
  }
}

/// The metadata service of an EC2 machine, version 2: a token first.
struct InstanceKeys: KeyProvider {
  let name = "the machine's metadata"
  let surroundings: KeySurroundings

  func fetch() async throws(Failure) -> AccessKeys? {
    if surroundings.value("AWS_EC2_METADATA_DISABLED")?.lowercased() == "true" { return nil }
    var base = surroundings.value("AWS_EC2_METADATA_SERVICE_ENDPOINT") ?? "http://169.254.169.254"
    while base.hasSuffix("/") { base.removeLast() }
    func request(_ method: HTTPRequest.Method, _ path: String, _ headers: [(name: String, value: String)])
      -> HTTPRequest
    {
      var request = HTTPRequest(method, base + path, headers: headers)
      request.isDirect = true
      request.limit = .kibibytes(64)
      request.timeouts = HTTPRequest.Timeouts(connect: 1, idle: 2, total: 5)
      return request
    }
    // Elsewhere nothing answers there.
    guard
      let token = try? await surroundings.http.send(
        request(.put, "/latest/api/token", [("X-aws-ec2-metadata-token-ttl-seconds", "21600")])),
      token.isSuccess
    else { return nil }
    let headers = [("X-aws-ec2-metadata-token", String(decoding: token.body, as: UTF8.self))]
    let path = "/latest/meta-data/iam/security-credentials/"
    let what = "The machine's metadata service"
    let roles = try await answer(request(.get, path, headers), what, surroundings.http)
    guard roles.isSuccess,
      let role = String(decoding: roles.body, as: UTF8.self).split(whereSeparator: \.isNewline).first
    else { return nil }
    return try metadataKeys(
      try await answer(request(.get, path + percentEncoded(String(role)), headers), what, surroundings.http),
      what)
  }
}

/// The metadata server of a machine of Google's: an access token of its service account.
struct GoogleKeys: KeyProvider {
  let name = "Google's metadata server"
  let surroundings: KeySurroundings

  func fetch() async throws(Failure) -> AccessKeys? {
    struct Token: Decodable {
      var token: String
      var term: Double?

      enum CodingKeys: String, CodingKey { case token = "access_token", term = "expires_in" }
    }
    let host = surroundings.value("GCE_METADATA_HOST") ?? "metadata.google.internal"
    var request = HTTPRequest(
      .get, "http://\(host)/computeMetadata/v1/instance/service-accounts/default/token",
      headers: [("Metadata-Flavor", "Google")])
    request.isDirect = true
    request.limit = .kibibytes(64)
    request.timeouts = HTTPRequest.Timeouts(connect: 1, idle: 5, total: 10)
    let response: HTTPResponse
    do throws(HTTPFailure) { response = try await surroundings.http.send(request) } catch {
      // Elsewhere nothing answers there.
      if error.kind == .unreachable { return nil }
      throw Failure("store.keys", "Google's metadata server does not answer.", words: error.words)
    }
    // Anybody else who answers under that name.
    guard response.headers["metadata-flavor"] == "Google" else { return nil }
    guard response.isSuccess,
      let found = try? decodeJSON(
        Token.self, from: response.body, code: "store.keys", document: "The answer"), !found.token.isEmpty
    else {
      throw Failure(
        "store.keys", "Google's metadata server gave no access token (HTTP \(response.status)).",
        remedy: "Give this machine a service account with the scope devstorage.read_write.")
    }
    let seconds = found.term.map { Int64(max(0, min($0, 1e8))) }
    return AccessKeys(
      bearer: found.token,
      expires: seconds.map { Instant(seconds: surroundings.clock.now().seconds + $0) })
  }
}

private func answer(_ request: HTTPRequest, _ what: String, _ http: HTTPClient) async throws(Failure)
  -> HTTPResponse
{
  do throws(HTTPFailure) {
    return try await http.send(request)
  } catch {
    throw Failure("store.keys", "\(what) does not answer.", words: error.words)
  }
}

private func metadataKeys(_ response: HTTPResponse, _ what: String) throws(Failure) -> AccessKeys {
  struct Document: Decodable {
    var id: String
    var secret: String
    var token: String?
    var expires: String?

    enum CodingKeys: String, CodingKey {
      case id = "AccessKeyId", secret = "SecretAccessKey", token = "Token", expires = "Expiration"
    }
  }
  guard response.isSuccess,
    let found = try? decodeJSON(
      Document.self, from: response.body, code: "store.keys", document: "The answer")
  else { throw Failure("store.keys", "\(what) gave no access keys (HTTP \(response.status)).") }
  return AccessKeys(
    id: found.id, secret: found.secret, sessionToken: found.token,
    expires: found.expires.flatMap(listingDate))
}
