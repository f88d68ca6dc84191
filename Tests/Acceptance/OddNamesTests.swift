// Names that shells, SQL, URLs, globs, terminals or Swift's own strings read something into.

import Files
import Glibc
import Support
import TestSupport
import Testing

@Suite("Odd names", .tags(.large))
struct OddNamesTests {
  private static let odd = #"it's a "folder" $(id) #1?x=%41 [ab]*"#

  @Test("Files and folders by any name are archived and gone, whatever a shell or SQL would make of it")
  func files() async throws {
    let names = [
      "two words", "it's", #"say "so""#, #"back\slash"#, "$(id)", "`id`", "a;b", "100%", "%41", "-rf",
      "--help", "a*b", "a?b",
      "[ab]", "#x", "~x", " lead", "trail ", "{}", "&|<>", "\u{301}accent first", "🚗", "bidi\u{202E}gol",
    ]
    try await TestFleet.with { fleet in
      try fleet.configure(rotated: ["var/logs/*/*"])
      for (index, name) in names.enumerated() {
        let folder = index % 2 == 0 ? TestFleet.rawLogs : "var/logs/\(Self.odd)"
        let content = lines(["odd-\(index)"])
        let isGzip = index % 5 == 0
        try fleet.put(
          "\(name).log.1\(isGzip ? ".gz" : "")", content, in: folder, stored: isGzip ? gzip(content) : nil,
          stream: "\(name).log")
      }
      // To Swift the same String; to everybody else two streams, and here with the same content of the same second.
      for name in ["\u{E9}", "e\u{301}"] {
        try fleet.put("\(name).log.1", lines(["accent"]), stream: "\(name).log")
      }

      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 0, "\(harvest)")
      #expect(try fleet.names().isEmpty)
      #expect(try fleet.names(in: "var/logs/\(Self.odd)").isEmpty)
      #expect(try await fleet.comparison().differences == [])
      let verify = try await fleet.gadwall("verify", "--deep")
      #expect(verify.status == 0, "\(verify)")
    }
  }

  @Test(
    "Names with control characters, or no UTF-8, stay with a reason; given another name, each line is archived once"
  )
  func controlCharacters() async throws {
    let names = [
      "two\\nlines", "tab\\there", "return\\r", "escape\\033[2J", "delete\\177", "c1\\302\\205", "latin\\351",
      "cut\\303",
    ]
    try await TestFleet.with { fleet in
      try fleet.put("good.log.1", lines(["good"]), stream: "good.log")
      let raw = fleet.nodes[0].path(TestFleet.rawLogs)
      for (index, name) in names.enumerated() {
        let plain = joined(fleet.folder, "plain-\(index)")
        try fleet.place(plain, lines(["odd-\(index)"]))
        let moved = try await fleet.shell("mv '\(plain)' \"$(printf '\(raw)/\(name).log.1')\"")
        #expect(moved.status == 0, "\(moved)")
      }
      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 1, "\(harvest)")
      #expect(
        harvest.output.split(separator: "\n").count { $0.contains("holds control characters") } == names.count
      )
      #expect(
        !harvest.output.unicodeScalars.contains {
          $0.properties.generalCategory == .control && $0 != "\n" && $0 != "\t"
        })
      #expect(try folderEntries(raw).count == names.count)
      #expect(try await fleet.idCounts() == ["good": 1])

      let renamed = try await fleet.shell(
        "i=0; for file in '\(raw)'/*; do i=$((i+1)); mv \"$file\" '\(raw)'/renamed-$i.log.1; done")
      #expect(renamed.status == 0, "\(renamed)")
      let again = try await fleet.gadwall("harvest")
      #expect(again.status == 0, "\(again)")
      #expect(try fleet.names().isEmpty)
      #expect(try await fleet.idCounts() == counts(["good"] + names.indices.map { "odd-\($0)" }))
    }
  }

  @Test("A node's root, the store and TMPDIR by an odd name")
  func folders() async throws {
    try await TestFleet.with(on: .folder) { fleet in
      // Behind links, which are resolved before anything is named.
      for link in [fleet.nodes[0].root, fleet.store] {
        let folder = "\(link) \(Self.odd)"
        if exists(link) { try renameFile(link, folder, replacing: false) } else { try makeFolder(folder) }
        try #require(symlink(folder, link) == 0)
      }
      let temporary = joined(fleet.folder, "tmp \(Self.odd)")
      try makeFolder(temporary)
      for round in 0..<2 {
        try fleet.put(
          "my_logs.log.1", lines(ids("r\(round)", 3), category: "SECURITY"),
          rotated: TestFleet.hour + Int64(round), stream: "my_logs.log")
        let content = lines(["z\(round)"])
        try fleet.put(
          "z.log.1.gz", content, stored: gzip(content), rotated: TestFleet.hour + Int64(round),
          stream: "z.log")
        let harvest = try await fleet.gadwall("harvest", environment: ["TMPDIR": temporary])
        #expect(harvest.status == 0, "\(harvest)")
        #expect(try fleet.names().isEmpty)
      }
      #expect(try await fleet.idCounts() == counts(ids("r0", 3) + ids("r1", 3) + ["z0", "z1"]))
      let verify = try await fleet.gadwall("verify", "--deep", environment: ["TMPDIR": temporary])
      #expect(verify.status == 0, "\(verify)")
      #expect(try fleet.names(temporary) == [])
      #expect(try fleet.tableMetadataLocation().contains(Self.odd))
    }
  }
}

extension TestFleet {
  /// What the table's metadata names as its place.
  fileprivate func tableMetadataLocation() throws -> String {
    try JSONValue(parsing: readFile(tableMetadata(), limit: .mebibytes(1)))["location"]?.string ?? ""
  }
}
