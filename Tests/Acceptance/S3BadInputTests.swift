// What a user gets wrong about an S3 server or a catalog: one sentence that names the server, what was to be done and what to do, and nothing is lost.

import Files
import Support
import TestSupport
import Testing

/// Runs the commands side by side on a fleet that can't work: each has to fail with one error that has these words.
func expectRefused(
  _ fleet: TestFleet, by endpoint: String, _ commands: [String], code: String, _ words: [String],
  environment: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation
) async throws {
  try await withThrowingTaskGroup(of: Void.self) { group in
    for command in commands {
      group.addTask {
        let ended = try await fleet.gadwall(
          command.split(separator: " ").map(String.init), environment: environment)
        let said: Comment = "\(command): \(ended)"
        #expect(ended.status == 2, said, sourceLocation: sourceLocation)
        // What is checked is said on standard output, good and bad.
        let isCheck = command == "config check"
        let text = isCheck ? ended.output : ended.errors
        if isCheck {
          #expect(ended.errors == "", said, sourceLocation: sourceLocation)
        } else {
          #expect(ended.output == "", said, sourceLocation: sourceLocation)
        }
        let lines = text.split(separator: "\n")
        let errors = lines.filter { $0.hasPrefix(isCheck ? "✘ " : "gadwall: ") }
        #expect(errors.count == 1, said, sourceLocation: sourceLocation)
        #expect(lines.filter { $0.hasPrefix("  [") } == ["  [\(code)]"], said, sourceLocation: sourceLocation)
        // The sentence itself names the server, and says what was to be done.
        #expect(errors.first?.contains(endpoint) == true, said, sourceLocation: sourceLocation)
        #expect(
          errors.first?.contains("(It was to ") == true || errors.first?.contains("gave no token") == true,
          said,
          sourceLocation: sourceLocation)
        for word in words { #expect(text.contains(word), said, sourceLocation: sourceLocation) }
        for secret in [fleet.archive?.store.secret, fleet.archive?.catalog.secret] {
          #expect(!ended.all.contains(secret ?? "?"), said, sourceLocation: sourceLocation)
        }
      }
    }
    try await group.waitForAll()
  }
}

@Suite("S3 and the catalog, and what can be wrong with them", .tags(.large))
struct S3BadInputTests {
  /// All that ask the store.
  private static let all = [
    "harvest", "harvest --dry-run", "config check", "verify", "verify --deep", "recover", "recover --apply",
    "runs", "nodes", "raw list", "raw get --stream first.log",
  ]
  /// One of each kind.
  private static let some = ["harvest", "config check", "verify", "recover --apply", "runs", "raw list"]
  /// All that ask the catalog.
  private static let catalogs = [
    "harvest", "harvest --dry-run", "config check", "verify", "recover --apply", "nodes",
  ]

  /// A fleet that has archived one file and has another to archive. When the body has been at it, the servers are as they were; then nothing may be
  /// lost, and the next harvest has to bring the rest.
  private func withMistake(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: (TestFleet) async throws -> Void
  ) async throws {
    try await TestFleet.with(on: .s3) { fleet in
      try fleet.put(
        "first.log.1", lines(ids("a", 20)), rotated: TestFleet.hour - 86_400, stream: "first.log")
      let first = try await fleet.gadwall("harvest")
      #expect(first.status == 0, "\(first)", sourceLocation: sourceLocation)
      try fleet.put("my_logs.log.1", lines(ids("b", 20), category: "SECURITY"), stream: "my_logs.log")
      let before = try fleet.objects("raw") + fleet.objects("runs") + fleet.objects("warehouse")

      try await body(fleet)

      #expect(try fleet.names() == ["my_logs.log.1"], sourceLocation: sourceLocation)
      let after = try fleet.objects("raw") + fleet.objects("runs") + fleet.objects("warehouse")
      #expect(Set(before).subtracting(after).isEmpty, sourceLocation: sourceLocation)
      #expect(try fleet.names(fleet.temporary) == [], sourceLocation: sourceLocation)
      try fleet.configure()
      let mended = try await fleet.gadwall("harvest")
      #expect(mended.status == 0, "\(mended)", sourceLocation: sourceLocation)
      #expect(
        try await fleet.idCounts() == counts(ids("a", 20) + ids("b", 20)), sourceLocation: sourceLocation)
      #expect(try fleet.names().isEmpty, sourceLocation: sourceLocation)
      let verify = try await fleet.gadwall("verify", "--deep")
      #expect(verify.status == 0, "\(verify)", sourceLocation: sourceLocation)
    }
  }

  /// A port that nobody listens at.
  private func nobody() throws -> String { "http://127.0.0.1:\(try freePort())" }

  // MARK: keys

  @Test(
    "A wrong secret, a wrong key id",
    arguments: [
      (["AWS_SECRET_ACCESS_KEY": "not/this+one"], "SignatureDoesNotMatch"),
      (["AWS_ACCESS_KEY_ID": "AKIDNOBODY"], "InvalidAccessKeyId"),
    ])
  func wrongKeys(_ environment: [String: String], _ name: String) async throws {
    try await withMistake { fleet in
      let endpoint = try #require(fleet.archive?.store.endpoint)
      try await expectRefused(
        fleet, by: endpoint, Self.all, code: "store.keys",
        ["does not accept the access key", "Check AWS_ACCESS_KEY_ID", "HTTP 403 \(name)"],
        environment: environment)
    }
  }

  @Test("A node's own keys are wrong: its failure says so, and the rest of the harvest is done")
  func wrongNodeKeys() async throws {
    try await withMistake { fleet in
      func credentials(_ id: String?, _ secret: String?) -> [UInt8] {
        Array("[default]\naws_access_key_id = \(id ?? "")\naws_secret_access_key = \(secret ?? "")\n".utf8)
      }
      // The node's own file comes before what the environment points to.
      let own = fleet.nodes[0].path("etc/gadwall/credentials")
      try fleet.write(credentials(TestServer.nodeKeyID, "not/this+one"), to: own)
      var other = fleet
      other.usesCredentialsFile = joined(fleet.folder, "credentials")
      try fleet.write(
        credentials(fleet.archive?.store.keyID, fleet.archive?.store.secret),
        to: joined(fleet.folder, "credentials"))
      let harvest = try await other.gadwall("harvest")
      #expect(harvest.status == 2, "\(harvest)")
      for word in [
        "us-east1-b/vm1", "SignatureDoesNotMatch", "store.keys", fleet.archive?.store.endpoint ?? "?",
      ] {
        #expect(harvest.output.contains(word), "\(harvest)")
      }
      #expect(!harvest.all.contains("not/this+one"), "\(harvest)")
      try removeFile(own)
    }
  }

  @Test("No keys at all")
  func noKeys() async throws {
    try await withMistake { fleet in
      let environment = [
        "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "HOME": fleet.folder,
        "AWS_EC2_METADATA_DISABLED": "true",
      ]
      for command in ["harvest", "verify", "runs"] {
        let ended = try await fleet.gadwall([command], environment: environment)
        #expect(ended.status == 2 && ended.errors.contains("[store.keys]"), "\(ended)")
        #expect(ended.errors.filter { $0 == "[" }.count == 1, "\(ended)")
      }
    }
  }

  // MARK: where it is

  @Test("A bucket that is not there")
  func missingBucket() async throws {
    try await withMistake { fleet in
      var other = fleet
      other.archive?.url = "s3://bucket-that-is-not-there/archive"
      try other.configure()
      try await expectRefused(
        other, by: other.archive?.store.endpoint ?? "?", Self.all, code: "store.bucket",
        ["has no bucket 'bucket-that-is-not-there'", "'store.url'", "HTTP 404 NoSuchBucket", "(request "])
    }
  }

  @Test("Nobody listens there")
  func nobodyListens() async throws {
    try await withMistake { fleet in
      let nobody = try nobody()
      try await expectRefused(
        try fleet.through(store: nobody), by: nobody, Self.all, code: "store.unreachable",
        ["can't be reached", "Check 'store.endpoint', the network and the proxy."])
    }
  }

  private static func error(_ code: String, _ more: String = "") -> String {
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>\(code)</Code><Message>Its words.</Message>\(more)<RequestId>REQUEST-7</RequestId></Error>"
  }
  private static let page =
    "<!DOCTYPE html>\n<html><head><title>Welcome</title><meta charset=utf-8></head><body><h1>It works!<br></h1></body></html>\n"
  private static let wellFormedPage = "<html><head><title>Welcome</title></head><body/></html>\n"

  @Test(
    "What its answers say",
    arguments: [
      (
        AnsweringProxy.Answer(
          status: 301, headers: ["x-amz-bucket-region": "eu-west-3"], body: error("PermanentRedirect")),
        "store.region",
        [
          "in the region that was named", "Set 'store.region' to eu-west-3.", "PermanentRedirect",
          "REQUEST-7",
        ]
      ),
      (
        AnsweringProxy.Answer(
          status: 400, body: error("AuthorizationHeaderMalformed", "<Region>eu-west-3</Region>")),
        "store.region",
        [
          "in the region that was named", "Set 'store.region' to eu-west-3.",
          "HTTP 400 AuthorizationHeaderMalformed: Its words.", "REQUEST-7",
        ]
      ),
      (
        AnsweringProxy.Answer(status: 400, body: error("ExpiredToken")), "store.keys",
        ["the session token has expired", "Get new credentials", "HTTP 400 ExpiredToken", "REQUEST-7"]
      ),
      (AnsweringProxy.Answer(body: page), "store.answer", ["as S3 does", "Check 'store.endpoint'."]),
      (
        AnsweringProxy.Answer(body: wellFormedPage), "store.answer",
        ["as S3 does", "Check 'store.endpoint'."]
      ),
      (
        AnsweringProxy.Answer(status: 404, body: page), "store.answer",
        ["as S3 does", "Check 'store.endpoint'.", "HTTP 404"]
      ),
      (
        AnsweringProxy.Answer(status: 403, body: page), "store.answer",
        ["as S3 does", "Check 'store.endpoint'.", "HTTP 403"]
      ),
      (
        AnsweringProxy.Answer(status: 301, headers: ["Location": "https://127.0.0.1/"], body: page),
        "store.answer", ["as S3 does", "Check 'store.endpoint'.", "HTTP 301"]
      ),
    ])
  func answers(_ answer: AnsweringProxy.Answer, _ code: String, _ words: [String]) async throws {
    try await withMistake { fleet in
      let proxy = try await AnsweringProxy.start(before: fleet.archive?.store.endpoint ?? "?", [answer])
      try await expectRefused(
        try fleet.through(store: proxy.endpoint), by: proxy.endpoint, Self.some, code: code, words,
        environment: ["AWS_SESSION_TOKEN": "a/token+of=sessions"])
    }
  }

  // MARK: clocks

  @Test("A server whose clock can't be followed: refused once, corrected once, and then said")
  func neverInTime() async throws {
    try await withMistake { fleet in
      let proxy = try await AnsweringProxy.start(
        before: fleet.archive?.store.endpoint ?? "?", AnsweringProxy.Script(clock: 3600, never: true))
      try await expectRefused(
        try fleet.through(store: proxy.endpoint), by: proxy.endpoint, Self.all, code: "store.clock",
        [
          "has another time than this machine", "Set this machine's clock.", "HTTP 403 RequestTimeTooSkewed",
          "REQUEST-7",
        ])
      // Each command has asked twice, and some for two things at once.
      let seen = try await proxy.seen(fleet)
      #expect(
        seen.answered >= 2 * Self.all.count && seen.answered <= 4 * Self.all.count, "\(seen.requests)")
    }
  }

  @Test("A clock that is off by an hour, either way, keeps nobody from harvesting", arguments: [3600, -3600])
  func anHourOff(_ seconds: Int) async throws {
    try await TestFleet.with(on: .s3) { fleet in
      let server = try #require(fleet.archive?.store)
      let proxy = try await AnsweringProxy.start(
        before: server.endpoint,
        AnsweringProxy.Script(clock: seconds, keys: [server.keyID: server.secret]))
      let other = try fleet.through(store: proxy.endpoint)
      try fleet.put("my_logs.log.1", lines(ids("a", 20), category: "SECURITY"), stream: "my_logs.log")
      for command in ["harvest", "config check", "runs", "raw list", "raw get --stream my_logs.log"] {
        let ended = try await other.gadwall(command.split(separator: " ").map(String.init))
        #expect(ended.status == 0, "\(command): \(ended)")
      }
      #expect(try await proxy.seen(fleet).answered > 0)
      // DuckDB can't be told another time.
      try await expectRefused(
        other, by: proxy.endpoint, ["verify", "verify --deep", "recover"], code: "store.clock",
        ["has another time than this machine", "DuckDB", "Set this machine's clock."])
      #expect(try await fleet.idCounts() == counts(ids("a", 20)))
      #expect(try fleet.names().isEmpty)
    }
  }

  // MARK: the catalog

  @Test("Nobody listens where the catalog should be")
  func noCatalog() async throws {
    try await withMistake { fleet in
      let nobody = try nobody()
      try await expectRefused(
        try fleet.through(catalog: nobody), by: nobody, Self.catalogs, code: "catalog.unreachable",
        ["can't be reached", "Check 'catalog.uri', the network and the proxy."])
    }
  }

  @Test("The catalog does not know who asks")
  func wrongCatalogKeys() async throws {
    try await withMistake { fleet in
      let catalog = try #require(fleet.archive?.catalog)
      try await expectRefused(
        fleet, by: catalog.endpoint, Self.catalogs, code: "catalog.login",
        ["Check GADWALL_CATALOG_CREDENTIAL", "HTTP 401 invalid_client: Credentials given were invalid"],
        environment: ["GADWALL_CATALOG_CREDENTIAL": "\(catalog.keyID):not/this+one"])
      try await expectRefused(
        fleet, by: catalog.endpoint, Self.catalogs, code: "catalog.login",
        ["does not accept the token", "GADWALL_CATALOG_TOKEN", "HTTP 401"],
        environment: ["GADWALL_CATALOG_CREDENTIAL": "", "GADWALL_CATALOG_TOKEN": "not/this+one"])
    }
  }

  @Test(
    "A catalog that is none",
    arguments: [
      (200, "", "catalog.answer", ["as an Iceberg catalog does", "Check 'catalog.uri'."]),
      (404, "", "catalog.refused", ["refused it", "Check 'catalog.uri'"]),
      (500, "", "catalog.unavailable", ["fails", "Nothing was lost; run it again.", "HTTP 500"]),
      // Only where the table should be.
      (200, "/tables", "catalog.answer", ["as an Iceberg catalog does", "Check 'catalog.uri'."]),
      (404, "/tables", "catalog.answer", ["as an Iceberg catalog does", "Check 'catalog.uri'."]),
      (500, "/tables", "catalog.unavailable", ["fails", "Nothing was lost; run it again.", "HTTP 500"]),
    ])
  func noCatalogAtAll(_ status: Int, _ place: String, _ code: String, _ words: [String]) async throws {
    try await withMistake { fleet in
      let catalog = try #require(fleet.archive?.catalog)
      // Without a token it would be about the login.
      let answers = ["/v1/config", "/tables"].filter { place.isEmpty || $0 == place }.map {
        AnsweringProxy.Answer(
          to: $0, status: status, headers: ["Content-Type": "text/html"], body: Self.page)
      }
      let proxy = try await AnsweringProxy.start(before: catalog.endpoint, answers)
      try await expectRefused(
        try fleet.through(catalog: proxy.endpoint), by: proxy.endpoint, Self.catalogs, code: code, words)
    }
  }

  @Test("A page of HTML where a token should be")
  func noTokens() async throws {
    for (status, code, words) in [
      (200, "catalog.login", ["gave no token", "Check GADWALL_CATALOG_CREDENTIAL, 'catalog.tokenUri'"]),
      (404, "catalog.login", ["gave no token", "Check GADWALL_CATALOG_CREDENTIAL, 'catalog.tokenUri'"]),
      (500, "catalog.unavailable", ["fails", "/v1/oauth/tokens", "Nothing was lost; run it again."]),
    ] {
      try await withMistake { fleet in
        let catalog = try #require(fleet.archive?.catalog)
        let proxy = try await AnsweringProxy.start(
          before: catalog.endpoint,
          [AnsweringProxy.Answer(to: "/oauth/tokens", status: status, body: Self.page)])
        try await expectRefused(
          try fleet.through(catalog: proxy.endpoint), by: proxy.endpoint, Self.catalogs,
          code: code, words + ["HTTP \(status)"])
      }
    }
  }
}
