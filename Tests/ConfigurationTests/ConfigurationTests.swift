import Configuration
import Files
import Support
import TestSupport
import Testing

@Suite struct ConfigurationTests {
  static let whole = """
    engine: local
    local:
      nodes:
        - { region: us-east1, zone: us-east1-b, name: us-east1-vm, root: nodes/us-east1-vm }
        - region: eu
          zone: eu-1
          name: vm
          root: /srv/vm
    logs:
      live: [var/log/a/*.log, var/log/b.log]
      rotated:
        - var/logs/raw/*
      settle: 90s
    urgent:
      where: >-
        category = 'SECURITY'
        OR line > 5
      show: 7
    store: { url: "file:archive" }
    catalog: { type: directory }
    table: ops.log_lines-2
    prune: { keep: 2d }
    duckdb: { path: bin/duckdb }

    """

  @Test func everyKeyIsRead() async throws {
    try await withConfiguration(Self.whole) { result, folder in
      let read = try result.get()
      #expect(read.path == joined(folder, "gadwall.yaml"))
      #expect(read.engine == .local)
      #expect(
        read.nodes.map { [$0.region, $0.zone, $0.name, $0.root] } == [
          ["us-east1", "us-east1-b", "us-east1-vm", joined(folder, "nodes/us-east1-vm")],
          ["eu", "eu-1", "vm", "/srv/vm"],
        ])
      #expect(read.nodes.map(\.mark.line) == [4, 5])
      #expect(read.live == ["var/log/a/*.log", "var/log/b.log"])
      #expect(read.rotated == ["var/logs/raw/*"])
      #expect(read.settleSeconds == 90)
      #expect(read.urgentWhere == "category = 'SECURITY' OR line > 5")
      #expect(read.urgentShow == 7)
      #expect(read.storeURL == "file://" + joined(folder, "archive"))
      #expect(read.catalog == .directory)
      #expect(read.table == ["ops", "log_lines-2"])
      #expect(read.keepSeconds == 172_800)
      #expect(read.duckdbPath == joined(folder, "bin/duckdb"))
    }
  }

  @Test func everyValueHasItsSource() async throws {
    try await withConfiguration(Self.whole) { result, _ in
      let sources = try result.get().sources
      let lines = Dictionary(uniqueKeysWithValues: sources.map { ($0.key, $0.source.description) })
      #expect(
        lines == [
          "engine": "line 1", "local.nodes": "line 4", "logs.live": "line 10", "logs.rotated": "line 12",
          "logs.settle": "line 13", "urgent.where": "line 15", "urgent.show": "line 18",
          "store.url": "line 19",
          "catalog.type": "line 20", "table": "line 21", "prune.keep": "line 22", "duckdb.path": "line 23",
        ])
    }
  }

  @Test func whatIsNotSaidHasItsDefault() async throws {
    try await withConfiguration("store: { url: 'file:store' }") { result, folder in
      let read = try result.get()
      #expect(read.nodes.isEmpty)
      #expect(read.live == ["var/log/app/*.log"])
      #expect(read.rotated == ["var/logs/raw_logs/*"])
      #expect(read.settleSeconds == 60)
      #expect(read.urgentWhere == "category = 'SECURITY' OR contains(text, 'SECURITY')")
      #expect(read.urgentShow == 100)
      #expect(read.table == ["logs", "events"])
      #expect(read.keepSeconds == 0)
      #expect(read.duckdbPath == nil)
      #expect(read.sources.filter { $0.source == .standard }.map(\.key).count == 11)
      #expect(read.sources.first { $0.key == "store.url" }?.source.description == "line 1")
    }
  }

  @Test(arguments: [
    "logs:", "logs: {}", "logs: ~", "logs: null", "logs:\n  live:\n", "prune: { keep: }", "# only a comment",
    "---",
  ])
  func aKeyWithNothingBehindItSetsNothing(text: String) async throws {
    let read = try await configuration(text)
    #expect(read.live == ["var/log/app/*.log"])
    #expect(read.keepSeconds == 0)
  }

  @Test(arguments: [
    ("file:store", "store"), ("file:./store/", "store"), ("file:a/../store", "store"),
    ("file:///srv/store", "/srv/store"),
    ("file:/srv/store", "/srv/store"), ("file:sub/store", "sub/store"),
  ])
  func theStoreIsAFolder(url: String, path: String) async throws {
    try await withConfiguration("store: { url: '\(url)' }") { result, folder in
      let read = try result.get()
      #expect(read.storeURL == "file://" + joined(folder, path))
    }
  }

  @Test(arguments: ["", "store:", "store: {}", "store: { url: }", "engine: local"])
  func aMissingStoreSaysWhatToWrite(text: String) async throws {
    let failure = try #require(try await failure(of: text))
    #expect(failure.code == "config.value")
    #expect(failure.remedy.contains("url"))
  }

  @Test(arguments: ["gs://bucket", "store", "/srv/store", "http://x", "file:", "file://", "FILE:x"])
  func anotherStoreIsRefused(url: String) async throws {
    let failure = try #require(try await failure(of: "store:\n  url: '\(url)'"))
    #expect(failure.code == "config.value")
    #expect(failure.sentence.contains("line 2, column 8"))
  }

  @Test func aStoreOnS3IsRead() async throws {
    let text = """
      store:
        url: s3://bucket/some/prefix/
        endpoint: https://s3.example:9000
        region: eu-central-1
        style: virtual
        storageClass: { raw: GLACIER_IR, warehouse: STANDARD }
      catalog: { type: rest, uri: https://catalog.example/api, warehouse: lake, scope: all, tokenUri: https://login.example/token }
      """
    try await withConfiguration(text) { result, _ in
      let read = try result.get()
      #expect(read.storeURL == "s3://bucket/some/prefix" && read.storeEndpoint == "https://s3.example:9000")
      #expect(read.storeRegion == "eu-central-1" && read.storeStyle == .virtual)
      #expect(read.storageClasses == ["raw": "GLACIER_IR", "warehouse": "STANDARD"])
      #expect(
        read.catalog == .rest && read.catalogURI == "https://catalog.example/api"
          && read.catalogWarehouse == "lake")
      #expect(
        read.catalogScope == "all" && read.catalogTokenURI == "https://login.example/token"
          && read.catalogSigning == nil)
      let lines = Dictionary(uniqueKeysWithValues: read.sources.map { ($0.key, $0.source.description) })
      #expect(
        lines["store.region"] == "line 4" && lines["store.storageClass.raw"] == "line 6"
          && lines["catalog.uri"] == "line 7")
    }
    try await withConfiguration(
      "store: { url: 's3://bucket' }\ncatalog: { type: rest, uri: 'http://c', signing: s3tables }"
    ) { result, _ in
      let read = try result.get()
      #expect(read.storeEndpoint == nil && read.storeStyle == nil && read.storageClasses.isEmpty)
      #expect(read.catalogSigning == .s3tables)
    }
  }

  @Test(arguments: [
    ("store: { url: 'file:x', endpoint: 'https://h' }", "store.endpoint is for a store on S3"),
    ("store: { url: 'file:x', storageClass: { raw: X } }", "store.storageClass is for a store on S3"),
    ("store: { url: 's3://b', endpoint: 'h:9000' }", "store.endpoint begins with https:// or http://"),
    ("store: { url: 's3://b', style: paths }", "Did you mean 'path'?"),
    ("store: { url: 's3://b', storageClass: { raws: X } }", "Did you mean 'raw'?"),
    ("store: { url: 's3://b', storageClass: { raw: 'glacier ir' } }", "is a storage class"),
    ("store: { url: 'file:x' }\ncatalog: { uri: 'https://c' }", "catalog.uri is for a catalog of type rest"),
    ("store: { url: 'file:x' }\ncatalog: { type: rest }", "Add 'uri: https://…' to it."),
    (
      "store: { url: 'file:x' }\ncatalog: { type: rest, uri: c }",
      "catalog.uri begins with https:// or http://"
    ),
    (
      "store: { url: 'file:x' }\ncatalog: { type: rest, uri: 'https://c d' }",
      "catalog.uri begins with https:// or http://"
    ),
    (
      "store: { url: 'file:x' }\ncatalog: { type: rest, uri: 'https://c', signing: s3 }",
      "catalog.signing is glue or s3tables"
    ),
  ]) func whatDoesNotFitTogetherIsSaid(_ text: String, _ words: String) async throws {
    let failure = try #require(try await failure(of: text))
    #expect(failure.description.contains(words), "\(failure)")
    #expect(failure.sentence.contains("line "))
  }

  @Test func aMissingFileIsNamed() async throws {
    let failure = #expect(throws: Failure.self) { _ = try Configuration.read("/nowhere/gadwall.yaml") }
    #expect(failure?.code == "config.missing")
    #expect(failure?.sentence.contains("/nowhere/gadwall.yaml") == true)
  }

  /// What YAML would take for something else stays what was written where text is wanted.
  @Test(arguments: ["no", "yes", "on", "1e3", "12:30", "0x10", "007", "1_000", "true", ".5", "2026-11-23"])
  func textStaysWhatWasWritten(text: String) async throws {
    let read = try await configuration("urgent: { where: \(text) }")
    #expect(read.urgentWhere == text)
    let node = try await configuration(
      "local: { nodes: [{ region: \(text), zone: \(text), name: \(text), root: \(text) }] }")
    #expect(node.nodes.first?.name == text)
    #expect(node.nodes.first.map { baseName($0.root) } == text)
  }

  @Test func aQuotedNullIsText() async throws {
    #expect(try await configuration("urgent: { where: 'null' }").urgentWhere == "null")
    #expect(try await configuration("urgent: { where: \"~\" }").urgentWhere == "~")
  }
}

@Suite struct NodeFileTests {
  @Test func saysWhoTheNodeIs() async throws {
    try await withScratch { folder in
      let path = joined(folder, "node.yaml")
      try publish(Array("region: no\nzone: 1e3\nname: '12:30'\n".utf8), at: path, replacing: true)
      let read = try NodeFile.read(path)
      #expect([read.region, read.zone, read.name] == ["no", "1e3", "12:30"])
    }
  }

  @Test(arguments: [
    ("region: a\nzone: b\n", "name is missing", "config.value"),
    ("region: a\nzone: b\nname:\n", "name is missing", "config.value"),
    ("region: a\nzone: b\nname: c\nnode: d\n", "'node'", "config.key"), ("- a", "mapping", "config.value"),
    ("region: [a]\nzone: b\nname: c\n", "region is a text", "config.value"),
    ("region: a\nregion: b\n", "second time", "config.syntax"),
  ])
  func isRefusedWhenItSaysSomethingElse(text: String, words: String, code: String) async throws {
    try await withScratch { folder in
      let path = joined(folder, "node.yaml")
      try publish(Array(text.utf8), at: path, replacing: true)
      let failure = #expect(throws: Failure.self) { _ = try NodeFile.read(path) }
      #expect(failure?.code == FailureCode(code))
      #expect(failure?.sentence.contains(words) == true, "\(failure?.sentence ?? "")")
    }
  }

  @Test func aMissingOneIsNamed() {
    let failure = #expect(throws: Failure.self) { _ = try NodeFile.read("/nowhere/node.yaml") }
    #expect(failure?.code == "config.unreadable")
  }
}
