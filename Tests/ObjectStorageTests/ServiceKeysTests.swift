import Files
import Glibc
import HTTP
import Support
import TestSupport
import Testing

@testable import ObjectStorage

/// What the Security Token Service answers.
let assumedRole = """
  <AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
    <AssumeRoleWithWebIdentityResult>
      <Credentials>
        <SessionToken>T/+=</SessionToken><SecretAccessKey>S</SecretAccessKey>
        <Expiration>2026-11-25T23:14:37Z</Expiration><AccessKeyId>ASIA</AccessKeyId>
      </Credentials>
    </AssumeRoleWithWebIdentityResult>
  </AssumeRoleWithWebIdentityResponse>
  """

/// The services that give access keys: for a token, to a container, to a machine.
@Suite(.tags(.medium)) struct ServiceKeysTests {
  private typealias Answer = ScriptedServer.Answer
  private let http: HTTPClient
  init() throws { http = try HTTPClient() }

  private func surroundings(_ environment: [String: String]) -> KeySurroundings {
    KeySurroundings(environment: { environment[$0] }, http: http, region: "eu-west-3")
  }

  private func failure(_ fetch: () async throws -> AccessKeys?) async throws -> Failure {
    let failure = try #require(await #expect(throws: Failure.self) { _ = try await fetch() })
    #expect(failure.code == "store.keys", "\(failure)")
    return failure
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

  @Test func aWebIdentityIsExchangedForKeys() async throws {
    let (result, requests) = try await identity([Answer(body: assumedRole)])
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
    let named = try await identity([Answer(body: assumedRole)], ["AWS_ROLE_SESSION_NAME": "node-7"])
    #expect(named.requests.first?.body.contains("&RoleSessionName=node-7&") == true)
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
