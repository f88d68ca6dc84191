import Files
import HTTP
import Support
import Synchronization
import TestSupport
import Testing

@testable import ObjectStorage

/// Whatever goes wrong, no text that somebody may read has a secret in it, or a signature, with which a request could be sent again.
@Suite(.tags(.medium)) struct SecrecyTests {
  private typealias Answer = ScriptedServer.Answer
  private let secret = "tell+nobody/SECRET"
  private let token = "tell+nobody/TOKEN"

  /// Runs what has to fail, and looks at every text of the failure.
  private func fails(_ name: String, _ operation: () async throws -> Void) async {
    let failure = await #expect(throws: Failure.self, "\(name)") { try await operation() }
    guard let failure else { return }
    var dumped = ""
    dump(failure, to: &dumped)
    expectNoSecret(
      in: [
        failure.description, failure.sentence, failure.remedy, failure.words, "\(failure)",
        String(reflecting: failure), dumped,
      ], name)
  }

  private func expectNoSecret(in texts: [String], _ name: String) {
    for text in texts {
      for part in ["tell+nobody", "tell%2Bnobody", "Signature=", "AWS4-HMAC", "Bearer", "aws4_request"] {
        #expect(!text.contains(part), "\(name): \(text)")
      }
      // A signature, or the digest of one.
      let runs = text.lowercased().split { !("0"..."9").contains($0) && !("a"..."f").contains($0) }
      #expect(!runs.contains { $0.count >= 64 }, "\(name): \(text)")
    }
  }

  private func operations(_ store: S3Store, _ folder: String) throws -> [(String, () async throws -> Void)] {
    var parted = store
    parted.settings.partsFrom = ByteCount(1)
    var conditional = store
    conditional.settings.isConditional = true
    let inParts = parted
    let ifAbsent = conditional
    let file = joined(folder, "file")
    try publish([1, 2, 3], at: file, replacing: true)
    return [
      ("put", { try await store.put([1], at: "a") }),
      ("put a file", { try await store.put(file: file, at: "a") }),
      ("put in parts", { try await inParts.put(file: file, at: "a") }),
      ("put if absent", { _ = try await ifAbsent.putIfAbsent([1], at: "a") }),
      ("put if absent without conditions", { _ = try await store.putIfAbsent([1], at: "a") }),
      ("get", { _ = try await store.get("a", limit: .kibibytes(1)) }),
      ("get to a file", { _ = try await store.get("a", toFile: joined(folder, "target")) }),
      ("range", { _ = try await store.range("a", from: 0, count: 1) }),
      ("stat", { _ = try await store.stat("a") }), ("list", { _ = try await store.list("raw/") }),
      ("delete", { try await store.delete("a") }),
      ("abort", { _ = try await store.abortUploads(before: Instant(seconds: 0)) }),
      ("probe", { _ = try await store.honoursConditions() }),
    ]
  }

  @Test func aWrongKeyStaysSecret() async throws {
    try await withScratch { folder in
      for token in [nil, token] {
        let keys = AccessKeys(id: "AKIDTEST12345", secret: secret, sessionToken: token)
        let store = try await s3Store(.rclone, keys: keys)
        for (name, operation) in try operations(store, folder) { await fails(name, operation) }
      }
    }
  }

  /// As AWS and versitygw answer: with all that they have compared.
  @Test(
    arguments: [
      (403, "SignatureDoesNotMatch", "<StringToSign>AWS4-HMAC-SHA256 tell+nobody</StringToSign>"),
      (400, "InvalidToken", "<Token-0>tell+nobody/TOKEN</Token-0>"),
      (400, "ExpiredToken", "<Token-0>tell+nobody/TOKEN</Token-0>"),
      (403, "AccessDenied", "<CanonicalRequest>x-amz-security-token:tell+nobody/TOKEN</CanonicalRequest>"),
      (400, "InvalidArgument", "<ArgumentValue>Signature=1</ArgumentValue>"),
      (503, "SlowDown", "<HostId>tell+nobody</HostId>"),
    ]) func whatAServerGivesBackIsLeftOut(_ status: Int, _ code: String, _ more: String) async throws
  {
    try await withScratch { folder in
      let server = try await ScriptedServer.start([
        Answer(status: status, body: errorDocument(code, "Its words.", more))
      ])
      for keys in [AccessKeys(id: "AKID", secret: secret, sessionToken: token)] {
        for (name, operation) in try operations(try server.store(KeySource(keys)), folder) {
          await fails("\(code), \(name)", operation)
        }
      }
    }
  }

  /// No server of S3's does so; what stands between may.
  @Test(arguments: [(403, "AccessDenied"), (400, "ExpiredToken"), (503, "SlowDown")])
  func whatAServersWordsQuoteIsLeftOut(_ status: Int, _ code: String) async throws {
    try await withScratch { folder in
      let words =
        "x-amz-security-token: \(token), AWS4-HMAC Credential=AKID/20261126/x, Signature=\(String(repeating: "0f", count: 32))"
      let server = try await ScriptedServer.start([Answer(status: status, body: errorDocument(code, words))])
      let keys = AccessKeys(id: "AKID", secret: secret, sessionToken: token)
      for (name, operation) in try operations(try server.store(KeySource(keys)), folder) {
        let failure = await #expect(throws: Failure.self, "\(name)") { try await operation() }
        let said = "\(failure.map { String(reflecting: $0) } ?? "")"
        for part in ["tell+nobody", "0f0f"] { #expect(!said.contains(part), "\(name): \(said)") }
        // An answer to HEAD has no words.
        if said.contains(code) { #expect(said.contains("x-amz-security-token: ***"), "\(name): \(said)") }
      }
    }
  }

  @Test func aConnectionThatFailsShowsNothing() async throws {
    try await withScratch { folder in
      var server = try await ScriptedServer.start([])
      server.endpoint = "http://127.0.0.1:\(try freePort())"
      let store = try server.store(KeySource(AccessKeys(id: "AKID", secret: secret, sessionToken: token)))
      for (name, operation) in try operations(store, folder) { await fails(name, operation) }
    }
  }

  @Test func placesOfKeysThatFailShowNothing() async throws {
    let http = try HTTPClient()
    try await withScratch { folder in
      let file = joined(folder, "token")
      try publish(Array(token.utf8), at: file, replacing: true)
      // A server that repeats what it was sent, and gives half of what it should.
      let repeating = try await ScriptedServer.start([
        Answer(
          status: 400,
          body:
            "<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>No: \(token)</Message></Error></ErrorResponse>"
        )
      ])
      let half = try await ScriptedServer.start([
        Answer(body: "{\"SecretAccessKey\": \"\(secret)\", \"Token\": 1}")
      ])
      let xml = try await ScriptedServer.start([
        Answer(
          body:
            "<R><AssumeRoleWithWebIdentityResult><Credentials><SecretAccessKey>\(secret)</SecretAccessKey></Credentials></AssumeRoleWithWebIdentityResult></R>"
        )
      ])
      func source(_ environment: [String: String]) -> KeySource {
        let home = ["HOME": folder, "AWS_EC2_METADATA_DISABLED": "true"]
        let all = home.merging(environment) { $1 }
        return KeySource(KeySurroundings(environment: { all[$0] }, http: http, region: "x").providers)
      }
      func identity(_ endpoint: String) -> [String: String] {
        ["AWS_WEB_IDENTITY_TOKEN_FILE": file, "AWS_ROLE_ARN": "arn", "AWS_ENDPOINT_URL_STS": endpoint]
      }
      let nobody = "http://127.0.0.1:\(try freePort())"
      for environment in [
        identity(repeating.endpoint), identity(half.endpoint), identity(xml.endpoint), identity(nobody),
        identity("http://\u{7}/"),
        ["AWS_CONTAINER_CREDENTIALS_FULL_URI": half.endpoint],
        [
          "AWS_CONTAINER_CREDENTIALS_FULL_URI": half.endpoint,
          "AWS_CONTAINER_AUTHORIZATION_TOKEN": "\(token)\u{7}",
        ],
        ["AWS_CONTAINER_CREDENTIALS_FULL_URI": nobody, "AWS_CONTAINER_AUTHORIZATION_TOKEN": token],
        ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://user:\(token)@host/"],
        ["AWS_SECRET_ACCESS_KEY": secret],
      ] {
        await fails("\(environment.keys.sorted())") { _ = try await source(environment).keys() }
      }
      try makeFolder(joined(folder, ".aws"))
      for text in [
        "[default]\naws_secret_access_key = \(secret)\n",
        "[default]\ncredential_process = echo '{\"SecretAccessKey\": \"\(secret)\"}'\n",
        "[default]\ncredential_process = echo \(secret); echo \(secret) >&2; exit 1\n",
      ] {
        try publish(Array(text.utf8), at: joined(folder, ".aws/credentials"), replacing: true)
        await fails(text) { _ = try await source([:]).keys() }
      }
    }
  }

  @Test func aStoreShowsNothingOfItsKeys() async throws {
    let keys = AccessKeys(id: "AKID", secret: secret, sessionToken: token)
    let environment = [
      "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token,
    ]
    let http = try HTTPClient()
    let surroundings = KeySurroundings(environment: { environment[$0] }, http: http, region: "x")
    let places = KeySource(surroundings.providers)
    _ = try await places.keys()
    for source in [KeySource(keys), places] {
      let location = try S3Location(url: "s3://bucket", endpoint: nil, region: nil, style: nil)
      let store = S3Store(location, http: http, keys: source)
      var dumped = ""
      dump(store, to: &dumped)
      expectNoSecret(in: ["\(store)", String(reflecting: store), dumped], "a store")
      expectNoSecret(in: ["\(source)", String(reflecting: source)], "a source of keys")
    }
  }
}
