import HTTP
import Support
import TestSupport
import Testing

@testable import Iceberg

/// How a catalog is told who asks, and what happens when it does not believe it.
@Suite(.tags(.medium)) struct CatalogLoginTests {
  /// With characters that a form and a header treat unlike.
  static let secret = "s3cr3t/+=&%äöü"
  static let encodedSecret = "s3cr3t%2F%2B%3D%26%25%C3%A4%C3%B6%C3%BC"

  private func client(scope: String? = nil, tokenURI: String? = nil) -> CatalogLogin.Method {
    .client(id: "gadwall", secret: Self.secret, scope: scope, tokenURI: tokenURI)
  }

  private func token(_ token: String, expires: JSONValue = .null) -> Answer {
    Answer(
      status: 200, body: ["access_token": .string(token), "token_type": "bearer", "expires_in": expires])
  }

  /// A script in which the first commit is answered as it says, and the next as recorded.
  private func script(_ recording: Recording, tokens: [Answer], commit: [Answer]) throws -> [JSONValue] {
    try recording.script(
      tokens.map { $0.to("POST", recording.tokens) } + [try recording.exchange("load")]
        + commit.map { $0.to("POST", recording.table) })
  }

  // MARK: tokens

  @Test func aTokenIsFetchedOnceAndSentWithEveryRequest() async throws {
    let recording = Recording.reference
    let replay = try await Replay(
      try script(
        recording, tokens: [try recording.answer("token")], commit: [try recording.answer("commit")]))
    let catalog = replay.catalog(recording, login: client())
    let base = try #require(try await catalog.load())
    #expect(try await catalog.commit(.sample(), on: base).table != nil)
    let asked = try await replay.asked()
    #expect(
      asked.map(\.path) == [
        "/v1/oauth/tokens", "/v1/config?warehouse=warehouse", recording.table + "?snapshots=all",
        recording.table,
      ])
    #expect(
      asked[0].body
        == "grant_type=client_credentials&client_id=gadwall&client_secret=\(Self.encodedSecret)&scope=catalog"
    )
    #expect(asked[0].headers["content-type"] == "application/x-www-form-urlencoded")
    #expect(
      asked.map { $0.headers["authorization"] } == [
        nil, "Bearer client-credentials-token:sub=gadwall", "Bearer client-credentials-token:sub=gadwall",
        "Bearer client-credentials-token:sub=gadwall",
      ])
  }

  /// Nessie has no tokens of its own.
  @Test func tokensMayComeFromElsewhere() async throws {
    let recording = Recording.nessie
    let giver = try await Replay([token("elsewhere").to("POST", "/realms/x/token")])
    let replay = try await Replay(try recording.script([try recording.exchange("load")]))
    let login = client(scope: "openid catalog", tokenURI: giver.uri + "/realms/x/token")
    #expect(try await replay.catalog(recording, login: login).load() != nil)
    #expect(try await giver.asked().first?.body.hasSuffix("&scope=openid%20catalog") == true)
    #expect(
      try await replay.asked().map { $0.headers["authorization"] } == [
        "Bearer elsewhere", "Bearer elsewhere",
      ])
  }

  @Test func aTokenIsReplacedBeforeItsTermEnds() async throws {
    let recording = Recording.reference
    let replay = try await Replay(
      try script(recording, tokens: [token("one", expires: 1000), token("two", expires: 1000)], commit: []))
    let time = Shared(Instant(seconds: 1_795_500_000))
    let connection = replay.connection("", login: client(), clock: WallClock { time.value })
    let catalog = RESTCatalog(connection, namespace: "logs", name: recording.name)
    _ = try await catalog.load()
    time.set(Instant(seconds: 1_795_500_899))
    _ = try await catalog.load()
    time.set(Instant(seconds: 1_795_500_901))
    _ = try await catalog.load()
    #expect(try await replay.asked("POST", recording.tokens).count == 2)
    #expect(
      try await replay.asked("GET", recording.table + "?snapshots=all").map { $0.headers["authorization"] }
        == ["Bearer one", "Bearer one", "Bearer two"])
  }

  @Test(arguments: [0, -5, 1e300] as [Double]) func anOddTermIsNoHarm(_ term: Double) async throws {
    let recording = Recording.reference
    let replay = try await Replay(
      try script(recording, tokens: [token("one", expires: .double(term))], commit: []))
    #expect(try await replay.catalog(recording, login: client()).load() != nil)
  }

  /// A catalog that is busy says nothing about who asks.
  @Test func aServerThatIsBusyIsAskedForATokenAgain() async throws {
    let recording = Recording.reference
    let busy = [Answer(status: 503), Answer(status: 429), Answer(status: 500)]
    let replay = try await Replay(try script(recording, tokens: busy + [token("one")], commit: []))
    #expect(try await replay.catalog(recording, login: client()).load() != nil)
    #expect(try await replay.asked("POST", recording.tokens).count == 4)

    let lasting = try await Replay(
      try script(recording, tokens: Array(repeating: Answer(status: 503), count: 8), commit: []))
    let failure = await #expect(throws: Failure.self) {
      _ = try await lasting.catalog(recording, login: client()).load()
    }
    #expect(failure?.code == "catalog.unavailable")
    #expect(failure?.sentence.contains("\(lasting.uri)\(recording.tokens)") == true)
    #expect(try await lasting.asked("POST", recording.tokens).count == 5)
  }

  // MARK: a token that is refused

  /// Nessie says so with an empty body, the Java client's own 419 is older.
  @Test(arguments: [401, 419]) func aCommitThatWasRefusedIsSentAgainWithANewToken(_ status: Int) async throws
  {
    let recording = Recording.nessie
    var refused = try recording.answer("commit without token")
    #expect(refused.status == 401 && refused.body == .null)
    refused.status = status
    let replay = try await Replay(
      try script(
        recording, tokens: [token("one"), token("two")], commit: [refused, try recording.answer("commit")]))
    let catalog = replay.catalog(recording, login: client())
    let base = try #require(try await catalog.load())
    #expect(
      try await catalog.commit(.sample(), on: base).table?.currentSnapshotID == 3_730_832_845_181_909_794)
    let commits = try await replay.asked("POST", recording.table)
    #expect(commits.map { $0.headers["authorization"] } == ["Bearer one", "Bearer two"])
    // The very same: the first was not done.
    #expect(commits.count == 2 && commits[0].body == commits[1].body)
    #expect(try await replay.asked("POST", recording.tokens).count == 2)
  }

  @Test func aLoadThatWasRefusedIsSentAgainWithANewToken() async throws {
    let recording = Recording.nessie
    let replay = try await Replay(
      try recording.script([
        token("one").to("POST", recording.tokens), token("two").to("POST", recording.tokens),
        Answer(status: 401).to("GET", recording.table), try recording.exchange("load"),
      ]))
    #expect(try await replay.catalog(recording, login: client()).load() != nil)
    #expect(try await replay.asked("POST", recording.tokens).count == 2)
  }

  @Test func aTokenIsRenewedOnlyOnceForARequest() async throws {
    let recording = Recording.nessie
    let replay = try await Replay(
      try script(recording, tokens: [token("one")], commit: [try recording.answer("commit without token")]))
    let catalog = replay.catalog(recording, login: client())
    let base = try #require(try await catalog.load())
    let failure = await #expect(throws: Failure.self) {
      _ = try await catalog.commit(.sample(), on: base)
    }
    #expect(failure?.code == "catalog.login")
    #expect(try await replay.asked("POST", recording.table).count == 2)
    #expect(try await replay.asked("POST", recording.tokens).count == 2)
  }

  @Test(arguments: [401, 419]) func aTokenThatWasGivenToUsCantBeRenewed(_ status: Int) async throws {
    let recording = Recording.nessie
    let replay = try await Replay(try script(recording, tokens: [], commit: [Answer(status: status)]))
    let catalog = replay.catalog(recording, login: .token("given"))
    let base = try #require(try await catalog.load())
    let failure = await #expect(throws: Failure.self) {
      _ = try await catalog.commit(.sample(), on: base)
    }
    #expect(failure?.code == "catalog.login")
    #expect(failure?.words == "HTTP \(status)")
    #expect(failure?.remedy.contains("GADWALL_CATALOG_TOKEN") == true)
    #expect(
      try await replay.asked("POST").map { $0.headers["authorization"] } == ["Bearer given"])
  }

  @Test func aCatalogThatWantsALoginIsSaidToWantOne() async throws {
    let recording = Recording.nessie
    let replay = try await Replay([try recording.exchange("config without token")])
    let failure = await #expect(throws: Failure.self) { _ = try await replay.catalog(recording).load() }
    #expect(failure?.code == "catalog.login")
    #expect(try await replay.asked().count == 1)
    #expect(try await replay.asked().first?.headers["authorization"] == nil)
  }

  /// One such answer ended a whole harvest, with the advice to check the credential.
  @Test func aTokenIsAskedForAgainWhenTheServerIsBusyOrItsAnswerIsLost() async throws {
    let recording = Recording.reference
    let replay = try await Replay(
      try recording.script([
        Answer(status: 503).to("POST", recording.tokens),
        token("lost").to("POST", recording.tokens, cut: "before"),
        token("torn").to("POST", recording.tokens, cut: "within"), token("one").to("POST", recording.tokens),
        try recording.exchange("load"),
      ]))
    #expect(try await replay.catalog(recording, login: client()).load() != nil)
    #expect(try await replay.asked("POST", recording.tokens).count == 4)
    // libcurl itself asks again where a connection that was used before ends without an answer.
    #expect(replay.waits.value.count >= 2)
    let load = try await replay.asked("GET", recording.table + "?snapshots=all").first
    #expect(load?.headers["authorization"] == "Bearer one")
  }

  /// The token that was refused is no longer good for anything, but the commit was not done: that is no unknown state.
  @Test func aCommitForWhichThereIsNoNewTokenHasFailed() async throws {
    let recording = Recording.nessie
    let replay = try await Replay(
      try script(
        recording, tokens: [token("one"), Answer(status: 400, body: ["error": "invalid_client"])],
        commit: [Answer(status: 401)]))
    let catalog = replay.catalog(recording, login: client())
    let base = try #require(try await catalog.load())
    let failure = await #expect(throws: Failure.self) {
      _ = try await catalog.commit(.sample(), on: base)
    }
    #expect(failure?.code == "catalog.login")
    #expect(failure?.words == "HTTP 400 invalid_client")
    #expect(try await replay.asked("POST", recording.table).count == 1)
  }

  @Test func aServerWithoutTokensSaysWhatToDo() async throws {
    let recording = Recording.nessie
    let replay = try await Replay(try recording.script([try recording.exchange("no token")]))
    let failure = await #expect(throws: Failure.self) {
      _ = try await replay.catalog(recording, login: client()).load()
    }
    #expect(failure?.code == "catalog.login")
    #expect(failure?.sentence == "\(replay.uri)/iceberg/v1/oauth/tokens gave no token.")
    #expect(
      failure?.words
        == "HTTP 501 NotImplemented: Endpoint not implemented: please configure the catalog client with the oauth2-server-uri property."
    )
    #expect(failure?.remedy.contains("catalog.tokenUri") == true)
  }

  // MARK: secrets

  /// Where a server, or a gateway before it, shows what it was sent.
  enum Place: String, CaseIterable { case tokens, configuration, load, stage, commit }

  @Test(arguments: Place.allCases, [200, 302, 400, 401, 403, 404, 500, 501] as [Int])
  func noFailureTellsWhatAServerShowsOfASecret(_ place: Place, _ status: Int) async throws {
    let recording = Recording.reference
    let login = client()
    let held = "held-by-us-0123456789/+=="
    func echo(_ method: String, _ path: String) -> JSONValue {
      Answer(status: status).to(method, path, echo: true)
    }
    let given = token(held).to("POST", recording.tokens)
    var exchanges: [JSONValue]
    switch place {
    case .tokens: exchanges = try recording.script([echo("POST", recording.tokens)])
    case .configuration: exchanges = [given, echo("GET", "/v1/config")]
    case .load: exchanges = try recording.script([given, echo("GET", recording.table)])
    case .stage: exchanges = try recording.script([given, echo("POST", recording.tables)])
    case .commit:
      exchanges = try recording.script([
        given, try recording.exchange("load"), echo("POST", recording.table),
      ])
    }
    let replay = try await Replay(exchanges)
    let catalog = replay.catalog(recording, login: login)
    var said = ""
    do throws(Failure) {
      switch place {
      case .stage: said = try await catalog.newLocation()
      case .commit:
        let base = try await catalog.load()
        let answer = try await catalog.commit(.sample(), on: base)
        said = (answer.conflictWords ?? "") + (answer.unknownWords ?? "")
      case .tokens, .configuration, .load:
        if let table = try await catalog.load() { said = table.metadata.text }
      }
    } catch {
      said = error.description + "\(error.words) \(String(reflecting: error))"
    }
    for secret in [Self.secret, Self.encodedSecret, held, "s3cr3t", "held-by-us"] {
      #expect(!said.contains(secret), "\(said)")
    }
  }

  /// What a server says of a login that failed, in each of the shapes in which one may quote it.
  static let quotations: [Answer] = [
    Answer(
      status: 401,
      body: ["error": "invalid_client", "error_description": .string("no client with secret \(secret)")]),
    Answer(status: 400, body: .string("<html><body>client_secret=\(encodedSecret)</body></html>")),
    Answer(status: 500, body: ["error": ["type": .string(secret), "message": .string(secret)]]),
    Answer(status: 500, body: ["error": .string(secret), "message": .string(secret)]),
    Answer(status: 503, body: ["message": .string("\(secret)\(secret)")]),
  ]

  @Test(arguments: quotations) func aLoginThatFailsIsNotQuotedWithItsSecret(_ answer: Answer) async throws {
    let recording = Recording.reference
    let replay = try await Replay(try recording.script([answer.to("POST", recording.tokens)]))
    let failure = await #expect(throws: Failure.self) {
      _ = try await replay.catalog(recording, login: client()).load()
    }
    #expect(failure?.code == (answer.status >= 500 ? "catalog.unavailable" : "catalog.login"))
    #expect(failure?.words.hasPrefix("HTTP \(answer.status)") == true)
    let said = "\(failure.map { String(reflecting: $0) } ?? "")"
    #expect(!said.contains("s3cr3t"), "\(said)")
  }

  /// An answer with a token in a shape that we don't read.
  @Test(arguments: [
    "access_token=held-by-us&token_type=bearer", "{\"access_token\": [\"held-by-us\"]}", "\"held-by-us\"",
    "{\"token\": \"held-by-us\", \"message\": \"held-by-us\"}",
  ]) func aTokenThatCouldNotBeReadIsNotShown(_ text: String) async throws {
    let recording = Recording.reference
    let replay = try await Replay(
      try recording.script([Answer(status: 200, body: .string(text)).to("POST", recording.tokens)]))
    let failure = await #expect(throws: Failure.self) {
      _ = try await replay.catalog(recording, login: client()).load()
    }
    #expect(failure?.code == "catalog.login")
    #expect(failure.map { !String(reflecting: $0).contains("held-by-us") } == true)
  }

  @Test func aTokenThatWasGivenToUsIsNotShown() async throws {
    let recording = Recording.nessie
    for answer in [
      Answer(status: 401, body: ["message": "the token given-0123 has expired"]),
      Answer(status: 403, body: "Bearer given-0123 may not"),
    ] {
      let replay = try await Replay([answer.to("GET", "/iceberg/v1/config")])
      let failure = await #expect(throws: Failure.self) {
        _ = try await replay.catalog(recording, login: .token("given-0123")).load()
      }
      #expect(failure.map { !String(reflecting: $0).contains("given-0123") } == true)
      #expect(failure?.words.contains("HTTP \(answer.status)") == true)
    }
  }

  @Test func nobodyThereIsNoReasonToShowASecret() async throws {
    let uri = "http://127.0.0.1:\(try freePort())"
    for login in [client(), .token("given-0123")] {
      let connection = RESTConnection(
        uri: uri, warehouse: nil, http: try HTTPClient(), login: CatalogLogin(login), wait: { _ in })
      let failure = await #expect(throws: Failure.self) { _ = try await connection.configuration() }
      #expect(failure?.code == "catalog.unreachable")
      let said = failure.map { String(reflecting: $0) } ?? ""
      #expect(!said.contains("s3cr3t") && !said.contains("given-0123"))
    }
  }

  /// Behind a proxy that ends TLS a server may take itself for one without it.
  @Test func aTokenIsNotSentWithoutTLSBecauseTheServerSaysSo() throws {
    func base(_ uri: String, _ said: String?) throws -> String {
      RESTConnection(uri: uri, warehouse: nil, http: try HTTPClient(), login: CatalogLogin(.none)).base(said)
    }
    #expect(try base("https://c.example/i", "http://c.example/i/") == "https://c.example/i")
    #expect(try base("https://c.example/i", "https://c.example/other/") == "https://c.example/other")
    #expect(try base("http://c.example/i", "https://c.example/i") == "https://c.example/i")
    #expect(try base("https://c.example/i", "https://c.example@evil.example/") == "https://c.example/i")
    #expect(try base("https://c.example/i", "https://c.example.evil/i") == "https://c.example/i")
    #expect(try base("https://c.example/i", "c.example/i") == "https://c.example/i")
    #expect(try base("https://c.example/i", nil) == "https://c.example/i")
  }
}
