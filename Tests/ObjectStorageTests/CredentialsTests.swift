import Files
import Glibc
import HTTP
import Support
import TestSupport
import Testing

@testable import ObjectStorage

/// Where access keys come from: each place by itself, as AWS's own programs read it.
@Suite(.tags(.medium)) struct CredentialsTests {
  private typealias Answer = ScriptedServer.Answer
  private let http: HTTPClient
  init() throws { http = try HTTPClient() }

  private func surroundings(_ environment: [String: String], file: String? = nil) -> KeySurroundings {
    KeySurroundings(environment: { environment[$0] }, http: http, region: "eu-west-3", file: file)
  }

  private func failure(_ fetch: () async throws -> AccessKeys?) async throws -> Failure {
    let failure = try #require(await #expect(throws: Failure.self) { _ = try await fetch() })
    #expect(failure.code == "store.keys", "\(failure)")
    return failure
  }

  // MARK: the environment

  @Test func theEnvironmentHasAllOrNothing() async throws {
    func keys(_ environment: [String: String]) async throws -> AccessKeys? {
      try await EnvironmentKeys(surroundings: surroundings(environment)).fetch()
    }
    let both = ["AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "S"]
    #expect(try await keys(both) == AccessKeys(id: "A", secret: "S"))
    #expect(
      try await keys(both.merging(["AWS_SESSION_TOKEN": "T"]) { $1 })
        == AccessKeys(id: "A", secret: "S", sessionToken: "T"))
    #expect(try await keys(both.merging(["AWS_SESSION_TOKEN": ""]) { $1 })?.sessionToken == nil)
    #expect(try await keys([:]) == nil)
    #expect(try await keys(["AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": ""]) == nil)
    #expect(try await keys(["AWS_SECRET_ACCESS_KEY": "S"]) == nil)
  }

  // MARK: files

  /// Writes the files into a home, and asks what they hold.
  private func profile(
    credentials: String? = nil, config: String? = nil, own: String? = nil,
    _ environment: [String: String] = [:]
  ) async throws -> AccessKeys? {
    try await withScratch { home in
      try makeFolder(joined(home, ".aws"))
      func write(_ text: String?, _ name: String) throws {
        if let text { try publish(Array(text.utf8), at: joined(home, name), replacing: true) }
      }
      try write(credentials, ".aws/credentials")
      try write(config, ".aws/config")
      try write(own, "own")
      var found = surroundings(["HOME": home].merging(environment) { $1 }, file: joined(home, "own"))
      found.processSeconds = 2
      return try await ProfileKeys(surroundings: found).fetch()
    }
  }

  private func section(_ name: String, _ id: String, token: String? = nil) -> String {
    "[\(name)]\naws_access_key_id = \(id)\naws_secret_access_key=secret/of+\(id)==\n"
      + (token.map { "aws_session_token = \($0)\n" } ?? "")
  }

  @Test func theDefaultProfileIsReadFromEitherFile() async throws {
    #expect(try await profile() == nil)
    #expect(try await profile(credentials: section("other", "A")) == nil)
    let keys = try await profile(credentials: section("other", "B") + section("default", "A", token: "T"))
    #expect(keys == AccessKeys(id: "A", secret: "secret/of+A==", sessionToken: "T"))
    #expect(try await profile(config: section("default", "C"))?.id == "C")
  }

  @Test func credentialsComeBeforeConfigAndTheNodesOwnBeforeBoth() async throws {
    let (credentials, config) = (section("default", "A"), section("default", "C", token: "of C"))
    let first = try await profile(credentials: credentials, config: config)
    // A token belongs to the keys beside it.
    #expect(first == AccessKeys(id: "A", secret: "secret/of+A=="))
    let own = try await profile(credentials: credentials, config: config, own: section("default", "O"))
    #expect(own == AccessKeys(id: "O", secret: "secret/of+O=="))
    let process = "[default]\ncredential_process = \(printing(id: "P"))\n"
    #expect(try await profile(credentials: credentials, own: process)?.id == "P")
    #expect(try await profile(credentials: "[default]\nregion = x\n", config: config)?.id == "C")
  }

  @Test func aProfileIsNamedOtherwiseInConfig() async throws {
    let named = ["AWS_PROFILE": "work"]
    #expect(try await profile(credentials: section("work", "A"), named)?.id == "A")
    #expect(try await profile(config: section("profile work", "C"), named)?.id == "C")
    let none = try await failure { try await profile(config: section("work", "C"), named) }
    #expect(none.sentence.contains("'work'") && !none.remedy.isEmpty)
    _ = try await failure { try await profile(credentials: section("profile work", "C"), named) }
    _ = try await failure { try await profile(credentials: section("default", "A"), named) }
    // The default one may be named as well.
    _ = try await failure { try await profile(["AWS_PROFILE": "default"]) }
  }

  @Test func nestedAndCommentedLinesAreNoKeys() async throws {
    let text = """
      # aws_access_key_id = no
      [other]
      aws_access_key_id = no
      [default]  # with words behind it
      ; aws_access_key_id = no
      s3 =
        aws_access_key_id = no
      \taws_secret_access_key = no
      AWS_Access_Key_ID=  yes\t
      aws_secret_access_key = a=b#c
      region
      = x

      [default-2]
      aws_session_token = no
      """
    let wanted = AccessKeys(id: "yes", secret: "a=b#c")
    #expect(try await profile(credentials: text) == wanted)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(try await profile(credentials: lines.joined(separator: "\r\n")) == wanted)
  }

  @Test func otherFilesMayBeNamed() async throws {
    try await withScratch { folder in
      let (credentials, config) = (joined(folder, "credentials"), joined(folder, "config"))
      try publish(Array(section("default", "A").utf8), at: credentials, replacing: true)
      try publish(Array(section("default", "C").utf8), at: config, replacing: true)
      let home = section("default", "H")
      let named = ["AWS_SHARED_CREDENTIALS_FILE": credentials, "AWS_CONFIG_FILE": config]
      #expect(try await profile(credentials: home, named)?.id == "A")
      #expect(try await profile(config: home, ["AWS_CONFIG_FILE": config])?.id == "C")
      // One that is named and missing is as one that is missing.
      let missing = ["AWS_SHARED_CREDENTIALS_FILE": joined(folder, "none"), "AWS_CONFIG_FILE": config]
      #expect(try await profile(credentials: home, missing)?.id == "C")
    }
  }

  @Test func aFileThatCantBeReadIsSaid() async throws {
    try await withScratch { folder in
      let said = try await failure { try await profile(["AWS_SHARED_CREDENTIALS_FILE": folder]) }
      #expect(said.sentence.contains(folder))
    }
  }

  // MARK: programs

  private func printing(id: String, expires: String? = nil) -> String {
    let more = expires.map { ", \"Expiration\": \"\($0)\"" } ?? ""
    return
      "echo '{\"Version\": 1, \"AccessKeyId\": \"\(id)\", \"SecretAccessKey\": \"S\", \"SessionToken\": \"T\"\(more)}'"
  }

  @Test func aProgramPrintsKeys() async throws {
    let command = printing(id: "P", expires: "2026-11-25T23:14:37Z")
    let keys = try await profile(
      config: "[profile p]\ncredential_process = \(command)\n", ["AWS_PROFILE": "p"])
    #expect(keys?.id == "P" && keys?.secret == "S" && keys?.sessionToken == "T")
    #expect(keys?.expires?.description == "2026-11-25T23:14:37Z")
    // It sees what it may need.
    let seen = try await profile(
      config: "[default]\ncredential_process = x=$HOME; \(printing(id: "'$(basename $x)'"))\n")
    #expect(seen?.id.hasPrefix("gadwall-test-") == true)
  }

  @Test(
    arguments: [
      ("echo TELL-NOBODY; echo TELL-NOBODY >&2; exit 3", "exit status 3"),
      ("echo TELL-NOBODY", "exit status 0"),
      ("echo '{\"SecretAccessKey\": \"TELL-NOBODY\"}'", "exit status 0"),
      ("echo TELL-NOBODY; kill -9 $$", "signal 9"), ("/none/TELL-NOBODY", "exit status 127"),
      ("yes TELL-NOBODY", "printed more"), ("echo TELL-NOBODY; exec sleep 60", "in time"),
    ]) func aProgramThatFailsIsSaidToWithoutItsOutput(_ command: String, _ words: String) async throws
  {
    let said = try await failure {
      try await profile(config: "[default]\ncredential_process = \(command)\n")
    }
    #expect(said.description.contains("credential_process"))
    #expect(said.description.contains(words), "\(said)")
    #expect(!"\(said) \(String(reflecting: said))".contains("TELL-NOBODY"), "\(said)")
  }

  // MARK: the Security Token Service

  private func identity(
    _ answers: [Answer], token: String = "the.token/+=\n", _ more: [String: String] = [:]
  ) async throws -> (result: Result<AccessKeys?, any Error>, requests: [ScriptedServer.Request]) {
    try await withScratch { folder in
      let server = try await ScriptedServer.start(answers)
      let file = joined(folder, "token")
      try publish(Array(token.utf8), at: file, replacing: true)
      let found = surroundings(
        [
          "AWS_WEB_IDENTITY_TOKEN_FILE": file, "AWS_ROLE_ARN": "arn:aws:iam::1:role/a b",
          "AWS_ENDPOINT_URL_STS": server.endpoint,
        ].merging(more) { $1 })
      let result: Result<AccessKeys?, any Error>
      do { result = .success(try await WebIdentityKeys(surroundings: found).fetch()) } catch {
        result = .failure(error)
      }
      return (result, try await server.requests())
    }
  }

  private let assumed = """
    <AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
      <AssumeRoleWithWebIdentityResult>
        <Credentials>
          <SessionToken>T/+=</SessionToken><SecretAccessKey>S</SecretAccessKey>
          <Expiration>2026-11-25T23:14:37Z</Expiration><AccessKeyId>ASIA</AccessKeyId>
        </Credentials>
      </AssumeRoleWithWebIdentityResult>
    </AssumeRoleWithWebIdentityResponse>
    """

  @Test func aWebIdentityIsExchangedForKeys() async throws {
    let (result, requests) = try await identity([Answer(body: assumed)])
    let keys = try result.get()
    #expect(keys?.id == "ASIA" && keys?.secret == "S" && keys?.sessionToken == "T/+=")
    #expect(keys?.expires?.description == "2026-11-25T23:14:37Z")
    let request = try #require(requests.first)
    #expect(requests.count == 1 && request.line == "POST /")
    #expect(request.headers["content-type"] == "application/x-www-form-urlencoded")
    // Nobody has keys yet to sign it with.
    #expect(request.headers["authorization"] == nil)
    #expect(
      request.body
        == "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fa%20b&RoleSessionName=gadwall&WebIdentityToken=the.token%2F%2B%3D"
    )
    let named = try await identity([Answer(body: assumed)], ["AWS_ROLE_SESSION_NAME": "node-7"])
    #expect(named.requests.first?.body.contains("&RoleSessionName=node-7&") == true)
  }

  @Test func aProfileMayNameAWebIdentity() async throws {
    try await withScratch { folder in
      let server = try await ScriptedServer.start([Answer(body: assumed)])
      let file = joined(folder, "token")
      try publish(Array("t".utf8), at: file, replacing: true)
      let keys = try await profile(
        config:
          "[default]\nrole_arn = arn:r\nweb_identity_token_file = \(file)\nrole_session_name = mine\n",
        ["AWS_ENDPOINT_URL_STS": server.endpoint])
      #expect(keys?.id == "ASIA")
      let body = try await server.requests().first?.body
      #expect(body?.contains("RoleArn=arn%3Ar&RoleSessionName=mine&WebIdentityToken=t") == true)
    }
  }

  @Test func aWebIdentityThatIsRefusedIsSaidToBe() async throws {
    let denied =
      "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>Not authorized</Message></Error><RequestId>R</RequestId></ErrorResponse>"
    for (answer, words) in [
      (Answer(status: 403, body: denied), "HTTP 403 AccessDenied: Not authorized"),
      (Answer(status: 500, body: "<html>"), "HTTP 500"),
      (Answer(body: "<AssumeRoleWithWebIdentityResponse/>"), "HTTP 200"),
    ] {
      let (result, requests) = try await identity([answer])
      let said = try await failure { try result.get() }
      #expect(said.words == words && said.remedy.contains("AWS_ROLE_ARN"))
      #expect(requests.count == 1)
    }
  }

  @Test func aWebIdentityIsNotSetUpByHalf() async throws {
    #expect(try await identity([], ["AWS_ROLE_ARN": ""]).result.get() == nil)
    let missing = try await identity([], ["AWS_WEB_IDENTITY_TOKEN_FILE": "/none/token"]).result
    #expect(try await failure { try missing.get() }.sentence.contains("/none/token"))
  }

  // MARK: a container

  private let document =
    "{\"AccessKeyId\": \"C\", \"SecretAccessKey\": \"S\", \"Token\": \"T\", \"Expiration\": \"2026-11-25T23:14:37Z\"}"

  @Test func aContainersEndpointIsAskedWithItsToken() async throws {
    try await withScratch { folder in
      let server = try await ScriptedServer.start([Answer(to: "^GET /v2/keys[?]id=1$", body: document)])
      let file = joined(folder, "token")
      try publish(Array("from a file\n".utf8), at: file, replacing: true)
      let url = ["AWS_CONTAINER_CREDENTIALS_FULL_URI": server.endpoint + "/v2/keys?id=1"]
      for more in [
        [:], ["AWS_CONTAINER_AUTHORIZATION_TOKEN": "plain"],
        [
          "AWS_CONTAINER_AUTHORIZATION_TOKEN": "plain", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": file,
        ],
      ] {
        let keys = try await ContainerKeys(surroundings: surroundings(url.merging(more) { $1 })).fetch()
        #expect(keys?.id == "C" && keys?.sessionToken == "T" && keys?.expires != nil)
      }
      let tokens = try await server.requests().map { $0.headers["authorization"] }
      #expect(tokens == [nil, "plain", "from a file"])
    }
  }

  @Test func aContainersEndpointThatFailsIsSaidTo() async throws {
    #expect(try await ContainerKeys(surroundings: surroundings([:])).fetch() == nil)
    for answer in [
      Answer(status: 403, body: document), Answer(body: "{\"SecretAccessKey\": \"S\"}"),
      Answer(body: "<html>"),
    ] {
      let server = try await ScriptedServer.start([answer])
      let url = ["AWS_CONTAINER_CREDENTIALS_FULL_URI": server.endpoint]
      let said = try await failure { try await ContainerKeys(surroundings: surroundings(url)).fetch() }
      #expect(said.sentence.contains("HTTP \(answer.status)"))
    }
    let nobody = ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:\(try freePort())/"]
    _ = try await failure { try await ContainerKeys(surroundings: surroundings(nobody)).fetch() }
    let url = [
      "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1/",
      "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/none/token",
    ]
    let said = try await failure { try await ContainerKeys(surroundings: surroundings(url)).fetch() }
    #expect(said.sentence.contains("/none/token"))
  }

  /// The token would go there, and the keys come from there.
  @Test func aForeignHostIsNotAskedWithoutTLS() async throws {
    for url in [
      "http://gadwall.test/", "http://127.0.0.1@gadwall.test/", "http://localhost:80@gadwall.test/",
      "http://user@gadwall.test/", "http://localhost.gadwall.test/", "http://127.0.0.1.gadwall.test/",
      "http://[::1].gadwall.test/", "http://[::1]gadwall.test/", "http://[::1]:80@gadwall.test/",
      "http://gadwall.test/127.0.0.1", "http://gadwall.test?localhost", "http://gadwall.test#@localhost/",
      "http://localhost\\@gadwall.test/", "http://localhost\\.gadwall.test/", "http://169.254.170.2.test/",
      "HTTP://gadwall.test/", "ftp://localhost/", "//localhost/", "localhost", "http://", "http:///x",
    ] {
      let named = ["AWS_CONTAINER_CREDENTIALS_FULL_URI": url]
      let said = try await failure { try await ContainerKeys(surroundings: surroundings(named)).fetch() }
      #expect(said.sentence.contains("AWS_CONTAINER_CREDENTIALS_FULL_URI"), "\(url): \(said)")
    }
  }

  @Test func aRelativePathCantNameAHost() async throws {
    let server = try await ScriptedServer.start([Answer(body: document)])
    let host = server.endpoint.dropFirst(7)
    for path in ["@\(host)/", ":80@\(host)/", ".\(host)/", "keys"] {
      let named = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": path]
      let said = try await failure { try await ContainerKeys(surroundings: surroundings(named)).fetch() }
      #expect(said.sentence.contains("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"), "\(path): \(said)")
    }
    #expect(try await server.requests().isEmpty)
  }

  // MARK: a machine

  private func machine(_ endpoint: String, _ more: [String: String] = [:]) async throws -> AccessKeys? {
    let named = ["AWS_EC2_METADATA_SERVICE_ENDPOINT": endpoint]
    return try await InstanceKeys(surroundings: surroundings(named.merging(more) { $1 })).fetch()
  }

  private let roles = "/latest/meta-data/iam/security-credentials/"

  @Test func aMachinesMetadataGivesATokenFirst() async throws {
    let server = try await ScriptedServer.start([
      Answer(to: "^PUT /latest/api/token$", body: "the token"),
      Answer(to: "^GET \(roles)$", body: "a role\nanother"),
      Answer(to: "^GET \(roles)a%20role$", body: document),
    ])
    let keys = try await machine(server.endpoint)
    #expect(
      keys?.id == "C" && keys?.sessionToken == "T" && keys?.expires?.description == "2026-11-25T23:14:37Z")
    let requests = try await server.requests()
    #expect(requests.map(\.line) == ["PUT /latest/api/token", "GET \(roles)", "GET \(roles)a%20role"])
    #expect(requests.first?.headers["x-aws-ec2-metadata-token-ttl-seconds"] == "21600")
    #expect(requests.map { $0.headers["x-aws-ec2-metadata-token"] } == [nil, "the token", "the token"])
    // As some write it.
    #expect(try await machine(server.endpoint + "/")?.id == "C")
  }

  @Test func aMachineWithoutKeysHasNone() async throws {
    // Nobody there, no S3's either, no token, and no role.
    #expect(try await machine("http://127.0.0.1:\(try freePort())") == nil)
    let refusing = try await ScriptedServer.start([Answer(status: 403)])
    #expect(try await machine(refusing.endpoint) == nil)
    let bare = try await ScriptedServer.start([Answer(to: "^PUT", body: "the token")])
    #expect(try await machine(bare.endpoint) == nil)
    // Off.
    #expect(try await machine(bare.endpoint, ["AWS_EC2_METADATA_DISABLED": "True"]) == nil)
    #expect(try await bare.requests().count == 2)
  }

  @Test func aMachineWhoseRoleGivesNothingIsSaidTo() async throws {
    let server = try await ScriptedServer.start([
      Answer(to: "^PUT", body: "the token"), Answer(to: "\(roles)$", body: "role"),
      Answer(to: "role$", body: "{\"Code\": \"AssumeRoleUnauthorizedAccess\"}"),
    ])
    _ = try await failure { try await machine(server.endpoint) }
  }

  /// In a process of its own, since libcurl reads the proxy's name from the environment of the whole.
  @Test func metadataNeverGoesThroughAProxy() async throws {
    let proxy = try await ScriptedServer.start([Answer(body: "the proxy")])
    let metadata = try await ScriptedServer.start([
      Answer(to: "^PUT", body: "the token"), Answer(to: "\(roles)$", body: "role"), Answer(body: document),
    ])
    let (name, endpoint) = (proxy.endpoint, metadata.endpoint)
    await #expect(processExitsWith: .success) { [name = name as String, endpoint = endpoint as String] in
      unsetenv("no_proxy")
      unsetenv("NO_PROXY")
      setenv("http_proxy", name, 1)
      let http = try HTTPClient()
      let environment = [
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": endpoint, "AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint + "/c",
      ]
      let surroundings = KeySurroundings(environment: { environment[$0] }, http: http, region: "x")
      #expect(try await InstanceKeys(surroundings: surroundings).fetch()?.id == "C")
      #expect(try await ContainerKeys(surroundings: surroundings).fetch()?.id == "C")
      // Others do.
      let other = try await http.send(HTTPRequest(.get, endpoint + "/other"))
      #expect(other.body == Array("the proxy".utf8))
    }
    #expect(try await proxy.requests().map(\.line) == ["GET \(endpoint)/other"])
    #expect(try await metadata.requests().count == 4)
  }
}
