import CommandLine
import Fleet
import Logs
import ObjectStorage
import Support

@testable import Commands
@testable import Configuration

extension Property {
  /// A configuration is read, or refused with a place and a code.
  static let configuration = Property(
    "configuration",
    words: [
      "engine: ", "local: ", "nodes:", "- {", "region: ", "logs:", "live: [", "rotated: ", "settle: ", "60s",
      "1e9d",
      "urgent: ", "where: ", "show: ", "store: ", "url: ", "file:", "catalog: ", "table: ", "prune: ",
      "keep: ",
      "duckdb: ", "path: ", "\n  ", "# ", "&a ", "*a", "!!str ", "---\n", "...\n", "? ", "\t", "'", "|", ">",
      "~", "\\x0",
    ],
    seeds: {
      utf8(
        """
        engine: local
        local:
          nodes:
            - { region: us-east1, zone: us-east1-b, name: vm, root: nodes/vm }
            - { region: us-east1, zone: us-east1-b, name: vm2, root: /n }
        logs:
          live: [var/log/app/*.log]
          rotated: ["var/logs/raw_logs/*"]
          settle: 60s
        urgent: { where: "category = 'SECURITY'", show: 100 }
        store: { url: "file:store" }
        catalog: { type: directory }
        table: logs.events
        prune: { keep: 1.5h }
        duckdb: { path: x }

        """, "store: {url: file:///s}", "", "store:\n  url: >\n    file:a\n", "a: &x 1\nb: *x\n")
    },
    check: { bytes in
      let result = try read { try Configuration.parse(bytes, path: "c.yaml", whole: "/nowhere/c.yaml") }
      guard let read = result else { return }
      try hold(
        ["file:///", "s3://", "s3a://"].contains(where: read.storeURL.hasPrefix),
        "the store \(read.storeURL) is not absolute")
      try hold(read.nodes.allSatisfy { $0.root.hasPrefix("/") }, "a root is not absolute")
      try hold(Set(read.nodes.map(\.root)).count == read.nodes.count, "two nodes have one root")
      // What the durations become.
      _ = (Deadline.after(seconds: read.settleSeconds), Deadline.after(seconds: read.keepSeconds))
    })

  static let nodeFile = Property(
    "node-file", words: ["region: ", "zone: ", "name: ", "\n", "'", "- ", "{", "}", "|"],
    seeds: { utf8("region: us-east1\nzone: us-east1-b\nname: vm\n", "{region: a, zone: b, name: 'c'}") },
    check: { bytes in
      guard let file = try read({ try NodeFile.parse(bytes, path: "node.yaml") }) else { return }
      let node = Node(region: file.region, zone: file.zone, name: file.name)
      let isValid = try read { try node.validate() } != nil
      // What becomes part of object names has to be a part of one.
      try hold(!isValid || isProperKey("raw/\(node.label)-RAW.json.gz"), "\(node) can't be part of a key")
    })

  /// A stream's name is what is left of the file's, and does not change when the file is compressed.
  static let streamName = Property(
    "stream-name", words: ["-20261123", ".2026-11-23", "_14", "T140500", ".gz", ".log", ".1", "-"],
    seeds: {
      utf8("my_logs.log-20261123-14.gz", "app.2026-11-23.3.log", "a.log.1", "20261123.5.log", "-2026-11-23")
    },
    check: { bytes in
      let name = String(decoding: bytes, as: UTF8.self)
      let stream = Logs.streamName(ofFile: name)
      try hold(stream.isEmpty == name.isEmpty, "nothing is left of a name")
      try hold(stream.utf8.count <= name.utf8.count, "the stream is longer than the name")
      if !name.isEmpty, !name.utf8.reversed().starts(with: ".gz".utf8.reversed()) {
        try hold(Logs.streamName(ofFile: name + ".gz") == stream, "another stream when it is compressed")
      }
    })

  /// Patterns match what their definition says.
  static let wildcard = Property(
    "wildcard", words: ["*", "?", "**", "us-", "\n"], seeds: { utf8("us-*\nus-east1", "*a?b*\nxaybz", "\n") },
    check: { bytes in
      let parts = String(decoding: bytes, as: UTF8.self).split(
        separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, parts[0].utf8.count <= 200, parts[1].utf8.count <= 500 else { return }
      let (pattern, text) = (Array(parts[0]), Array(parts[1]))
      // Which beginnings of the text the pattern so far matches.
      var matched = [true] + Array(repeating: false, count: text.count)
      for wanted in pattern {
        var next = Array(repeating: false, count: text.count + 1)
        for end in 0...text.count {
          if wanted == "*" {
            next[end] = matched[end] || end > 0 && next[end - 1]
          } else if end > 0 {
            next[end] = matched[end - 1] && (wanted == "?" || wanted == text[end - 1])
          }
        }
        matched = next
      }
      try hold(wildcardMatches(String(parts[0]), String(parts[1])) == matched[text.count], "another answer")
    })

  /// A duration is a number of seconds that a clock can count to.
  static let duration = Property(
    "duration", words: ["ms", "s", "m", "h", "d", ".", "1e9", "99999999999999999999"],
    seeds: { utf8("90", "90s", "1.5m", "2h", "1d", "500ms", "0") },
    check: { bytes in
      guard let seconds = parseDuration(String(decoding: bytes, as: UTF8.self)) else { return }
      try hold(seconds.isFinite && seconds >= 0, "\(seconds) is no duration")
      try hold(!Deadline.after(seconds: seconds + 60).hasPassed, "the deadline of \(seconds) s has passed")
      _ = decimal(seconds, places: 3)
    })

  /// Words are read as a command of ours or refused, and nothing is made up.
  static let words = Property(
    "words",
    words: Gadwall.commands.flatMap { $0.definition.path + $0.definition.flags.map { "--" + $0.name } } + [
      "--", "=", "--help", "-h", "\n", "--config=",
    ],
    seeds: {
      utf8(
        "harvest\n--config\nx\n--dry-run", "--config=x\nraw\nlist\n--stream\na", "node\nstage",
        "generate\n--count=3\nf",
        "verify\n--\n-x", "")
    },
    check: { bytes in
      let given = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
      do {
        let parsed = try parse(
          given, commands: Gadwall.commands.map { $0.definition }, shared: SharedFlags.all)
        try hold(parsed.positional.allSatisfy(given.contains), "an argument was made up")
        for flag in parsed.definition.flags + SharedFlags.all {
          for value in parsed.all(flag) {
            try hold(
              value.isEmpty || given.contains(value) || given.contains("--\(flag.name)=\(value)"),
              "a value was made up")
          }
          _ = try? parsed.integer(flag, in: 1...10)
          _ = try? parsed.duration(flag)
        }
      } catch let error as UsageError {
        try hold(!error.message.isEmpty, "an error that says nothing")
      }
    })

  /// A key is one that stays below the store's folder, and comes back from its URL.
  static let objectKey = Property(
    "object-key", words: ["file:", "file://", "s3a://", "s3://", "/store", "/", "../", "./", "\u{301}"],
    seeds: {
      utf8("file:///store/raw/a", "file:/store/runs/open/x", "/store/a/../b", "s3a://store/x", "raw/x.gz")
    },
    check: { bytes in
      let text = String(decoding: bytes, as: UTF8.self)
      let store = Nowhere()
      for key in [text, store.key(of: text)].compactMap({ $0 }) where isProperKey(key) {
        try hold(
          store.key(of: store.url(of: key)).map { Array($0.utf8) } == Array(key.utf8),
          "another key from its URL")
        let parts = Array(key.utf8).split(separator: 0x2F, omittingEmptySubsequences: false)
        try hold(parts.allSatisfy { !$0.isEmpty && $0.first != 0x2E }, "the key leads elsewhere")
        try hold(!key.utf8.contains(0), "the key holds a NUL")
      }
      if let key = store.key(of: text) { try hold(isProperKey(key), "a key that no store takes") }
    })
}

/// A store of which only the URL counts.
private struct Nowhere: ObjectStore {
  let url = "file:///store"
  private var nothing: Failure { Failure("store.unreadable", "There is nothing here.") }

  func put(_ bytes: [UInt8], at key: String) async throws(Failure) { throw nothing }
  func put(file path: String, at key: String) async throws(Failure) { throw nothing }
  func putIfAbsent(_ bytes: [UInt8], at key: String) async throws(Failure) -> Bool { throw nothing }
  func get(_ key: String, limit: ByteCount) async throws(Failure) -> [UInt8]? { throw nothing }
  func get(_ key: String, toFile path: String) async throws(Failure) -> Bool { throw nothing }
  func range(_ key: String, from offset: Int64, count: Int) async throws(Failure) -> [UInt8]? {
    throw nothing
  }
  func list(_ prefix: String, after key: String) async throws(Failure) -> [ObjectInfo] { throw nothing }
  func stat(_ key: String) async throws(Failure) -> ObjectInfo? { throw nothing }
  func delete(_ key: String) async throws(Failure) { throw nothing }
}
