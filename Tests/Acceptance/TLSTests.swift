// The store and the catalog over TLS, with certificates of an authority that the machine does not know.

import DuckDB
import Files
import Support
import TestSupport
import Testing

@Suite("TLS", .tags(.large))
struct TLSTests {
  /// A fleet with TLS in front of its store and its catalog, a rotated file, and the authority of both.
  private func withTLS(
    name: String = "IP:127.0.0.1",
    _ body: (_ plain: TestFleet, _ secure: TestFleet, AnsweringProxy, Authority) async throws -> Void
  ) async throws {
    try await TestFleet.with(on: .s3) { fleet in
      let authority = try await Authority.make(fleet)
      let script = AnsweringProxy.Script(tls: try await authority.certify(fleet, name))
      let archive = try #require(fleet.archive)
      let store = try await AnsweringProxy.start(before: archive.store.endpoint, script)
      let catalog = try await AnsweringProxy.start(before: archive.catalog.endpoint, script)
      let secure = try fleet.through(store: store.endpoint, catalog: catalog.endpoint)
      try fleet.put("my_logs.log.1", lines(ids("a", 50), category: "SECURITY"), stream: "my_logs.log")
      try await body(fleet, secure, store, authority)
    }
  }

  @Test("Everything, with the authority's certificate named by AWS_CA_BUNDLE")
  func everything() async throws {
    try await withTLS { plain, secure, store, authority in
      let environment = ["AWS_CA_BUNDLE": authority.certificate]
      for command in [
        "config check", "harvest --dry-run", "harvest", "harvest", "verify --deep", "runs", "nodes",
        "raw list", "recover",
      ] {
        let ended = try await secure.gadwall(
          command.split(separator: " ").map(String.init), environment: environment)
        #expect(ended.status == 0, "\(command): \(ended)")
      }
      let raw = try await secure.gadwall(["raw", "get", "--stream", "my_logs.log"], environment: environment)
      #expect(
        raw.status == 0 && Array(raw.output.utf8) == lines(ids("a", 50), category: "SECURITY"), "\(raw)")
      #expect(try await plain.idCounts() == counts(ids("a", 50)))
      #expect(try plain.names().isEmpty)
      // DuckDB has been at it, too.
      let agents = try await store.seen(plain).agents
      #expect(
        agents.contains { $0.contains("gadwall") } && agents.contains { $0.contains("duckdb") }, "\(agents)")
    }
  }

  @Test("The other names of the file", arguments: ["CURL_CA_BUNDLE", "SSL_CERT_FILE"])
  func otherNames(_ name: String) async throws {
    try await withTLS { plain, secure, _, authority in
      for arguments in [["harvest"], ["verify", "--deep"]] {
        let ended = try await secure.gadwall(arguments, environment: [name: authority.certificate])
        #expect(ended.status == 0, "\(ended)")
      }
      #expect(try await plain.idCounts() == counts(ids("a", 50)))
    }
  }

  @Test("What the system trusts needs no name")
  func systemsOwn() async throws {
    try await withTLS { plain, secure, store, authority in
      // In a view of the file system of its own, the machine's authorities are this one.
      let places = ["/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem"].filter(exists)
      try #require(!places.isEmpty, "this machine has no ca-certificates")
      let mounts = places.map { "mount --bind '\(authority.certificate)' \($0)" }.joined(separator: " && ")
      for command in ["harvest", "verify --deep"] {
        let ended = try await secure.shell(
          "exec unshare --mount sh -c \"\(mounts) && exec '\(TestFleet.program)' \(command)\"")
        #expect(ended.status == 0, "\(command): \(ended)")
      }
      #expect(try await plain.idCounts() == counts(ids("a", 50)))
      let agents = try await store.seen(plain).agents
      #expect(agents.contains { $0.contains("duckdb") }, "\(agents)")
    }
  }

  @Test("Without it: a sentence that says how to name the authority, and then it works")
  func untrusted() async throws {
    try await withTLS { plain, secure, store, authority in
      let commands = [
        "harvest", "harvest --dry-run", "config check", "verify", "recover", "runs", "raw list", "nodes",
      ]
      try await expectRefused(
        secure, by: store.endpoint, commands, code: "store.certificate",
        ["has no certificate that is trusted", "AWS_CA_BUNDLE", "certificate"])
      let other = try await Authority.make(plain, "another")
      try await expectRefused(
        secure, by: store.endpoint, commands, code: "store.certificate",
        ["has no certificate that is trusted", "AWS_CA_BUNDLE"],
        environment: ["AWS_CA_BUNDLE": other.certificate])
      #expect(try plain.names() == ["my_logs.log.1"])
      #expect(try plain.objects("raw") == [])
      // Both in one file.
      let both = joined(plain.folder, "both.pem")
      let bytes = try [other, authority].flatMap { try readFile($0.certificate, limit: .mebibytes(1)) }
      try plain.write(bytes, to: both)
      let harvest = try await secure.gadwall(["harvest"], environment: ["AWS_CA_BUNDLE": both])
      #expect(harvest.status == 0, "\(harvest)")
      #expect(try await plain.idCounts() == counts(ids("a", 50)))
      #expect(try plain.names().isEmpty)
    }
  }

  @Test(
    "A catalog whose authority is not in the file that has the store's: the sentence names the catalog and the file"
  )
  func untrustedCatalog() async throws {
    try await withTLS { plain, secure, _, authority in
      let other = try await Authority.make(plain, "another")
      let catalog = try await AnsweringProxy.start(
        before: plain.archive?.catalog.endpoint ?? "?",
        AnsweringProxy.Script(tls: try await other.certify(plain)))
      let mixed = try secure.through(catalog: catalog.endpoint)
      try await expectRefused(
        mixed, by: catalog.endpoint, ["harvest", "config check", "verify", "recover"],
        code: "catalog.certificate",
        ["has no certificate that is trusted", "AWS_CA_BUNDLE"],
        environment: ["AWS_CA_BUNDLE": authority.certificate])
      #expect(try plain.names() == ["my_logs.log.1"])
      let both = joined(plain.folder, "both.pem")
      let bytes = try [other, authority].flatMap { try readFile($0.certificate, limit: .mebibytes(1)) }
      try plain.write(bytes, to: both)
      let harvest = try await mixed.gadwall(["harvest"], environment: ["AWS_CA_BUNDLE": both])
      #expect(harvest.status == 0, "\(harvest)")
      #expect(try await plain.idCounts() == counts(ids("a", 50)))
    }
  }

  @Test(
    "A certificate for another host, a file that is not there, TLS where there is none, and none where there is"
  )
  func otherMistakes() async throws {
    try await withTLS(name: "DNS:elsewhere.example") { plain, secure, store, authority in
      let commands = ["harvest", "verify", "runs"]
      try await expectRefused(
        secure, by: store.endpoint, commands, code: "store.certificate", ["127.0.0.1"],
        environment: ["AWS_CA_BUNDLE": authority.certificate])
      try await expectRefused(
        secure, by: store.endpoint, commands, code: "store.certificate", ["/nowhere.pem"],
        environment: ["AWS_CA_BUNDLE": "/nowhere.pem"])
      let own = try #require(plain.archive?.store.endpoint).replacing("http://", with: "https://")
      try await expectRefused(
        try secure.through(store: own), by: own, commands, code: "store.tls", ["begins with http://"],
        environment: ["AWS_CA_BUNDLE": authority.certificate])
      let bare = store.endpoint.replacing("https://", with: "http://")
      let ended = try await secure.through(store: bare).gadwall("runs")
      #expect(ended.status == 2 && ended.errors.contains(bare), "\(ended)")
      #expect(try plain.names() == ["my_logs.log.1"])
    }
  }

  @Test("DuckDB itself refuses a server that it does not trust")
  func duckdb() async throws {
    try await withTLS { plain, secure, store, authority in
      let archive = try #require(plain.archive)
      let harvest = try await secure.gadwall(
        ["harvest"], environment: ["AWS_CA_BUNDLE": authority.certificate])
      #expect(harvest.status == 0, "\(harvest)")
      let metadata = try plain.tableMetadata()
      let statements: [SQL] = [
        "LOAD httpfs",
        "CREATE SECRET (TYPE s3, KEY_ID \(archive.store.keyID), SECRET \(archive.store.secret), ENDPOINT \(String(store.endpoint.dropFirst(8))), URL_STYLE 'path', USE_SSL true)",
        "SET enable_server_cert_verification = true",
      ]
      let question: SQL = "SELECT count(*) AS n FROM iceberg_scan(\(metadata))"
      let settings = DuckDB.Settings(load: ["avro", "iceberg"], deadline: .after(seconds: 60 * patience))
      let duckdb = try await testDuckDB()
      await #expect(throws: Failure.self) { try await duckdb.run(statements + [question], settings) }
      let file: SQL = "SET ca_cert_file = \(authority.certificate)"
      let rows = try await duckdb.run(statements + [file, question], settings).last
      #expect(rows?.first?["n"]?.integer == 50)
    }
  }
}
