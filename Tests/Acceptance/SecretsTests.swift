// Whatever fails, nobody who may read what the program says, writes or starts gets to know a secret by it.

import Files
import Support
import TestSupport
import Testing

@Suite("Secrets", .tags(.large))
struct SecretsTests {
  private static let session = "tell+nobody/SESSION=="
  private static let nodeSecret = "tell+nobody/NODE=="

  /// How the program's runs have to end, and words that one of them has to have: without them nothing has failed that could tell a secret.
  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// In the store's place, to clients that call themselves so, and in the catalog's.
    var store: [AnsweringProxy.Answer] = []
    var agent: String?
    var catalog: [AnsweringProxy.Answer] = []
    var environment: [String: String] = [:]
    /// The node has a key of its own, with this secret.
    var nodeSecret: String?
    /// A node is asked at all.
    var asksNode = true
    var words: [String]
  }

  /// As servers answer that quote all they were asked.
  private static func quoting(_ code: String) -> String {
    "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>No: %REQUEST%</Message><RequestId>REQUEST-7</RequestId></Error>"
  }
  private static let quotingJSON =
    "{\"error\": {\"message\": \"No: %REQUEST%\", \"type\": \"Failed\", \"code\": 500}}"

  private static let cases: [Case] = [
    Case(testDescription: "nothing fails", words: []),
    Case(
      testDescription: "the catalog commits, and says that it has failed",
      catalog: [
        AnsweringProxy.Answer(
          to: "^POST .*/tables/events$", status: 500, body: quotingJSON, after: true, echo: true)
      ], words: []),
    Case(
      testDescription: "the catalog commits, and fails from then on",
      catalog: [
        AnsweringProxy.Answer(
          to: "/tables/events", status: 500, body: quotingJSON, since: "^POST .*/tables/events$", echo: true),
        AnsweringProxy.Answer(
          to: "^POST .*/tables/events$", status: 500, body: quotingJSON, after: true, echo: true),
      ], words: ["catalog.unavailable"]),
    Case(
      testDescription: "the catalog refuses and quotes",
      catalog: [AnsweringProxy.Answer(to: "/tables", status: 403, body: quotingJSON, echo: true)],
      asksNode: false, words: ["catalog.denied", "***"]),
    Case(
      testDescription: "the catalog gives no token and quotes",
      catalog: [AnsweringProxy.Answer(to: "oauth", status: 400, body: quotingJSON, echo: true)],
      asksNode: false, words: ["catalog.login", "***"]),
    Case(
      testDescription: "the store denies a node its data files",
      store: [
        AnsweringProxy.Answer(
          to: "^PUT .*/warehouse/", status: 403, body: quoting("AccessDenied"), echo: true)
      ], words: ["store.denied", "***"]),
    Case(
      testDescription: "the store denies the control machine its plan",
      store: [
        AnsweringProxy.Answer(to: "^PUT .*/plan", status: 403, body: quoting("AccessDenied"), echo: true)
      ], words: ["store.denied", "REQUEST-7"]),
    Case(
      testDescription: "the store denies DuckDB the data files",
      store: [
        AnsweringProxy.Answer(to: "parquet", status: 403, body: quoting("AccessDenied"), echo: true)
      ], agent: "duckdb", words: ["duckdb.store", "403"]),
    Case(
      testDescription: "the session token has expired",
      store: [AnsweringProxy.Answer(status: 400, body: quoting("ExpiredToken"), echo: true)],
      asksNode: false, words: ["store.keys", "ExpiredToken", "***"]),
    Case(
      testDescription: "a wrong secret", environment: ["AWS_SECRET_ACCESS_KEY": "tell+nobody/WRONG=="],
      asksNode: false, words: ["store.keys", "SignatureDoesNotMatch"]),
    Case(
      testDescription: "a node's wrong secret", nodeSecret: nodeSecret,
      words: ["store.keys", "SignatureDoesNotMatch"]),
    Case(
      testDescription: "a wrong secret of the catalog's",
      environment: ["GADWALL_CATALOG_CREDENTIAL": "nobody:tell+nobody/CATALOG=="],
      asksNode: false, words: ["catalog.login", "invalid_client"]),
    Case(
      testDescription: "a wrong token of the catalog's",
      environment: [
        "GADWALL_CATALOG_CREDENTIAL": "", "GADWALL_CATALOG_TOKEN": "tell+nobody/TOKEN==",
      ],
      asksNode: false, words: ["catalog.login"]),
  ]

  @Test("Nothing of what is said, kept or started has a secret in it", arguments: cases)
  func nowhere(_ one: Case) async throws {
    try await TestFleet.with(on: .s3) { fleet in
      let archive = try #require(fleet.archive)
      let store = try await AnsweringProxy.start(
        before: archive.store.endpoint, AnsweringProxy.Script(answers: one.store, agent: one.agent))
      let catalog = try await AnsweringProxy.start(before: archive.catalog.endpoint, one.catalog)
      var other = try fleet.through(store: store.endpoint, catalog: catalog.endpoint)
      try fleet.put("my_logs.log.1", lines(ids("a", 20), category: "SECURITY"), stream: "my_logs.log")
      var environment = one.environment
      environment["AWS_SESSION_TOKEN"] = Self.session
      // Written by the test, with the secrets in them.
      var own: [String] = []
      if let secret = one.nodeSecret {
        environment["AWS_SESSION_TOKEN"] = nil
        func credentials(_ id: String, _ secret: String) throws -> [UInt8] {
          Array(
            "[default]\naws_access_key_id=\(id)\naws_secret_access_key=\(secret)\naws_session_token=\(Self.session)\n"
              .utf8)
        }
        own = [fleet.nodes[0].path("etc/gadwall/credentials"), joined(fleet.folder, "credentials")]
        try fleet.write(try credentials(TestServer.nodeKeyID, secret), to: own[0])
        try fleet.write(try credentials(archive.store.keyID, archive.store.secret), to: own[1])
        other.usesCredentialsFile = own[1]
      }

      let watch = try Watch(fleet)
      var said: [(command: String, ended: Ended)] = []
      for command in Self.commands {
        let ended = try await other.gadwall(
          command.split(separator: " ").map(String.init), environment: environment)
        said.append((command, ended))
      }
      let seen = watch.end()

      // It has gone as the case says.
      let whole = said.map(\.ended.all).joined(separator: "\n")
      for word in one.words { #expect(whole.contains(word), "\(word): \(whole)") }
      if one.words.isEmpty { #expect(said[1].ended.status == 0, "\(said[1])") }
      let atStore = try await store.seen(fleet)
      let atCatalog = try await catalog.seen(fleet)
      #expect(one.store.isEmpty || atStore.answered > 0)
      #expect(one.catalog.isEmpty || atCatalog.answered > 0)

      // What the catalog has given, and what requests were signed with, as the servers were shown them.
      let tokens = atCatalog.authorizations.filter { !$0.isEmpty }.map { $0.replacing("Bearer ", with: "") }
      let signatures = atStore.authorizations.compactMap {
        $0.split(separator: "Signature=").last.map(String.init)
      }
      #expect(!signatures.isEmpty)
      #expect(!one.asksNode || !tokens.isEmpty)

      var search = Search(
        Self.secrets + [archive.store.secret, archive.catalog.secret] + tokens + signatures)
      for (command, ended) in said {
        search.look(at: Array(ended.all.utf8), in: "what '\(command)' says")
      }
      for line in seen.lines { search.look(at: line, in: "a command line") }
      for content in seen.files { search.look(at: content, in: "a file of \(fleet.temporary)") }
      try search.walk(fleet.folder, leavingOut: own)
      let within = search.files
      try search.walk(archive.folder, leavingOut: [])
      #expect(search.found.isEmpty, "\(search.found)")

      // The search has seen what there is to see: files, objects, the program, and the node's command and DuckDB while they ran.
      for text in [store.endpoint, catalog.endpoint] {
        var known = Search([text])
        try known.walk(fleet.folder, leavingOut: own)
        #expect(known.found.contains { $0.contains(fleet.config) }, "\(known.found)")
      }
      func sees(_ words: String...) -> Bool {
        seen.lines.contains { line in words.allSatisfy { contains(line, Array($0.utf8)) } }
      }
      // What ends at once may be gone before anybody has looked.
      if one.asksNode {
        #expect(sees(TestFleet.program, "\0harvest"))
        #expect(sees("/duckdb\0-json"))
        #expect(search.files > within)
        #expect(sees(TestFleet.program, "\0node\0stage\0", store.endpoint))
        #expect(sees("\0node\0stage\0", fleet.nodes[0].root))
      }
    }
  }

  private static let commands = [
    "harvest --format json", "harvest", "config check", "config show --format json", "verify --deep",
    "runs", "nodes --format json", "recover --apply",
  ]
  private static let secrets = [
    session, nodeSecret, "tell+nobody/WRONG==", "tell+nobody/CATALOG==", "tell+nobody/TOKEN==",
  ]

  @Test("The search itself finds a secret, however it is written")
  func finds() throws {
    let secret = "test/secret+KEY=12345"
    let bytes = Array(secret.utf8)
    let encoded = [
      secret, "test%2Fsecret%2BKEY%3D12345", "test%2fsecret%2bKEY%3d12345", "test\\/secret+KEY=12345",
      base64(bytes), base64(Array("x".utf8) + bytes), base64(Array("AKID:".utf8) + bytes + Array("\n".utf8)),
      hex(bytes),
    ]
    for text in encoded {
      for content in [Array("before \(text) after".utf8), gzip(Array("before \(text)".utf8))] {
        var search = Search([secret])
        search.look(at: content, in: text)
        #expect(search.found.count == 1, "\(text)")
      }
    }
    var search = Search([secret])
    search.look(at: Array("test/secret-KEY=12345 AKIDTEST12345".utf8), in: "another")
    #expect(search.found.isEmpty)
  }
}

/// Looks for secrets in bytes: as they are, percent-encoded, in JSON, in base64 at each of its three places, and in hex.
private struct Search {
  private let needles: [[UInt8]]
  private(set) var found: [String] = []
  private(set) var files = 0

  init(_ secrets: [String]) {
    var texts: Set<String> = []
    for secret in secrets where !secret.isEmpty {
      let bytes = Array(secret.utf8)
      let percent = Self.percentEncoded(bytes)
      texts.formUnion([secret, percent, percent.lowercasedEscapes, secret.replacing("/", with: "\\/")])
      texts.insert(hex(bytes))
      for shift in 0..<3 {
        // The characters at either end hold bits of what stands beside it.
        let whole = base64([UInt8](repeating: 0x78, count: shift) + bytes).prefix { $0 != "=" }
        let first = (shift * 8 + 5) / 6
        let last = (shift + bytes.count) * 8 / 6
        texts.insert(String(whole.prefix(last).dropFirst(first)))
      }
    }
    needles = texts.map { Array($0.utf8) }
  }

  private static func percentEncoded(_ bytes: [UInt8]) -> String {
    bytes.map { byte in
      let letter = Character(UnicodeScalar(byte))
      return letter.isLetter || letter.isNumber || "-._~".contains(letter)
        ? String(letter) : "%" + hex([byte]).uppercased()
    }.joined()
  }

  mutating func look(at bytes: [UInt8], in place: String) {
    var contents = [bytes]
    if bytes.starts(with: [0x1F, 0x8B]), let plain = try? gunzip(bytes, limit: .mebibytes(64)) {
      contents.append(plain)
    }
    for content in contents {
      for needle in needles where contains(content, needle) {
        found.append("\(place): \(String(decoding: needle, as: UTF8.self))")
        return
      }
    }
  }

  /// Looks at every file below, and at its name.
  mutating func walk(_ path: String, leavingOut some: [String]) throws {
    guard exists(path), !some.contains(path) else { return }
    look(at: Array(path.utf8), in: "a file's name")
    switch try FileInfo(path: path).kind {
    case .directory:
      for entry in try folderEntries(path) {
        try walk(joined(path, String(decoding: entry.bytes, as: UTF8.self)), leavingOut: some)
      }
    case .regular:
      files += 1
      look(at: try readFile(path, limit: .mebibytes(256)), in: path)
    default: break
    }
  }
}

private func contains(_ bytes: [UInt8], _ needle: [UInt8]) -> Bool {
  guard let first = needle.first, needle.count <= bytes.count else { return false }
  return bytes.withUnsafeBytes { all in
    var at = 0
    while at + needle.count <= all.count {
      if all[at] == first, all[at..<(at + needle.count)].elementsEqual(needle) { return true }
      at += 1
    }
    return false
  }
}

extension String {
  /// `%2F` as `%2f`.
  fileprivate var lowercasedEscapes: String {
    var result = ""
    var left = 0
    for letter in self {
      result += left > 0 ? letter.lowercased() : String(letter)
      left = letter == "%" ? 2 : max(0, left - 1)
    }
    return result
  }
}

/// Reads, for as long as it lasts, the command lines of the fleet's processes and what lies in its folder for temporary files.
private final class Watch: Sendable {
  struct Seen: Sendable {
    var lines: Set<[UInt8]> = []
    var files: Set<[UInt8]> = []
  }

  private let isOver: Shared<Bool>
  private let thread: Support.Thread<Seen>

  init(_ fleet: TestFleet) throws {
    let isOver = Shared(false)
    self.isOver = isOver
    let begin = try #require(Self.ticks())
    thread = try Support.Thread {
      var seen = Seen()
      while !isOver.value {
        seen.lines.formUnion(Self.commandLines(fleet.folder, since: begin))
        seen.files.formUnion(Self.files(fleet.temporary))
      }
      return seen
    }
  }

  func end() -> Seen {
    isOver.set(true)
    return thread.join()
  }

  deinit { isOver.set(true) }

  /// Since the machine's start, in hundredths of a second.
  private static func ticks() -> Int? {
    guard let text = try? readFile("/proc/uptime", limit: .kibibytes(1)) else { return nil }
    return Double(String(decoding: text.prefix { $0 != 0x20 }, as: UTF8.self)).map { Int($0 * 100) }
  }

  /// When the process began, in the same.
  private static func start(_ process: String) -> Int? {
    guard let text = try? readFile("/proc/\(process)/stat", limit: .kibibytes(4)),
      let end = text.lastIndex(of: UInt8(ascii: ")"))
    else { return nil }
    let fields = text[end...].split(separator: UInt8(ascii: " "))
    return fields.count > 20 ? Int(String(decoding: fields[20], as: UTF8.self)) : nil
  }

  /// Of all processes that have the fleet's folder in their environment: the program, what it starts, and what that starts. Others' are not read, as far as
  /// their age tells: that can wait for them.
  private static func commandLines(_ folder: String, since begin: Int) -> [[UInt8]] {
    let mark = Array(folder.utf8)
    return ((try? folderEntries("/proc")) ?? []).compactMap { entry in
      let name = String(decoding: entry.bytes, as: UTF8.self)
      guard Int(name) != nil, let start = start(name), start >= begin,
        let line = try? readFile("/proc/\(name)/cmdline", limit: .mebibytes(2)),
        let environment = try? readFile("/proc/\(name)/environ", limit: .mebibytes(2)),
        contains(environment, mark) || contains(line, mark)
      else { return nil }
      return line
    }
  }

  private static func files(_ folder: String) -> [[UInt8]] {
    ((try? folderEntries(folder)) ?? []).flatMap { entry -> [[UInt8]] in
      let path = joined(folder, String(decoding: entry.bytes, as: UTF8.self))
      guard let kind = try? FileInfo(path: path).kind else { return [] }
      if kind == .directory { return files(path) }
      guard kind == .regular, let content = try? readFile(path, limit: .mebibytes(1)) else { return [] }
      return [content]
    }
  }
}
