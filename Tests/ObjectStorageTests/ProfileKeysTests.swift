import Files
import HTTP
import Support
import TestSupport
import Testing

@testable import ObjectStorage

/// The places of access keys on the machine itself: the environment, files, programs.
@Suite(.tags(.medium)) struct ProfileKeysTests {
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
    seconds: Double = 60, _ environment: [String: String] = [:]
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
      found.processSeconds = seconds * patience
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
      try await profile(
        config: "[default]\ncredential_process = \(command)\n", seconds: words == "in time" ? 1 : 60)
    }
    #expect(said.description.contains("credential_process"))
    #expect(said.description.contains(words), "\(said)")
    #expect(!"\(said) \(String(reflecting: said))".contains("TELL-NOBODY"), "\(said)")
  }

  @Test func aProfileMayNameAWebIdentity() async throws {
    try await withScratch { folder in
      let server = try await ScriptedServer.start([Answer(body: assumedRole)])
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
}
