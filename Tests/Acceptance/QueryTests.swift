// One statement over the fleet, asked as an operator asks it.

import DuckDB
import Files
import Processes
import Support
import TestSupport
import Testing

@Suite("Query", .tags(.large))
struct QueryTests {
  /// Three nodes, with a third of the lines archived, a third rotated, and a third in files that are being written. A fourth node has nothing.
  private func withThirds(_ body: (TestFleet, [String]) async throws -> Void) async throws {
    try await TestFleet.with(nodes: 4) { fleet in
      var written: [String] = []
      for node in 0..<3 {
        let archived = ids("archived-\(node)", 20 + node)
        try fleet.put("my_logs.log.1", lines(archived, category: "SECURITY"), on: node, stream: "my_logs.log")
        written += archived
      }
      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 0, "\(harvest)")
      for node in 0..<3 {
        let rotated = ids("rotated-\(node)", 10 + node)
        let content = lines(rotated)
        try fleet.put(
          "my_logs.log.1\(node == 1 ? ".gz" : "")", content, on: node,
          stored: node == 1 ? gzip(content) : nil,
          rotated: TestFleet.hour + 3600, stream: "my_logs.log")
        let live = ids("live-\(node)", 30 + node)
        // A line that is being written is none yet.
        try fleet.write(
          lines(live, category: "WARN") + Array(#"{"id":"half"#.utf8),
          to: fleet.nodes[node].path("var/log/app/my_logs.log"))
        written += rotated + live
      }
      try await body(fleet, written)
    }
  }

  private func rows(_ ended: Ended) throws -> [[String: JSONValue]] {
    try ended.document()["rows"]?.array?.compactMap(\.object) ?? []
  }

  @Test("Every line once, wherever it lies")
  func thirds() async throws {
    try await withThirds { fleet, written in
      let all = try await fleet.gadwall(
        "query", "SELECT id, count(*) AS n FROM logs GROUP BY id", "--format", "json")
      #expect(all.status == 0, "\(all)")
      let counts = try rows(all).map { ($0["id"]?.string ?? "?", $0["n"]?.integer ?? 0) }
      #expect(
        Dictionary(uniqueKeysWithValues: counts) == Dictionary(uniqueKeysWithValues: written.map { ($0, 1) }))
      // The same by shipping: a window needs the rows.
      let shipped = try await fleet.gadwall(
        "query", "SELECT id FROM logs QUALIFY row_number() OVER (ORDER BY id) > 0", "--format", "json")
      #expect(try rows(shipped).compactMap { $0["id"]?.string }.sorted() == written.sorted())
      for (relation, prefix) in [("archive", ["archived"]), ("live", ["rotated", "live"])] {
        let part = try await fleet.gadwall("query", "SELECT id FROM \(relation)", "--format", "ndjson")
        let found = try part.output.split(separator: "\n").compactMap {
          try JSONValue(parsing: Array($0.utf8))["id"]?.string
        }
        #expect(
          found.sorted() == written.filter { id in prefix.contains { id.hasPrefix($0) } }.sorted(),
          "\(relation)")
      }
    }
  }

  @Test("What a row says of where it was")
  func places() async throws {
    try await withThirds { fleet, _ in
      let ended = try await fleet.gadwall(
        "query",
        "SELECT DISTINCT region, zone, node, stream, rotated, batch IS NULL AS no_batch, split_part(id, '-', 1) AS kind FROM logs WHERE node = 'vm2' ORDER BY ALL",
        "--format", "csv")
      #expect(
        ended.output == """
          region,zone,node,stream,rotated,no_batch,kind
          europe-west4,europe-west4-a,vm2,my_logs.log,2026-11-23 14:00:00+00,false,archived
          europe-west4,europe-west4-a,vm2,my_logs.log,2026-11-23 15:00:00+00,false,rotated
          europe-west4,europe-west4-a,vm2,my_logs.log,,true,live

          """, "\(ended)")
    }
  }

  @Test(
    "The answer does not change while a harvest goes on, wherever that is killed", arguments: queryPoints())
  func duringHarvest(_ point: String) async throws {
    try await withThirds { fleet, written in
      // Not every place is come by here, and one behind the last report changes nothing.
      _ = try await fleet.gadwall("harvest", environment: ["GADWALL_STOP_AT": point])
      let asked = try await fleet.gadwall(
        "query", "SELECT count(*) AS n, count(DISTINCT id) AS ids FROM logs", "--format", "json")
      #expect(asked.status == 0, "\(asked)")
      let row = try #require(try rows(asked).first)
      #expect(
        row == ["n": .integer(Int64(written.count)), "ids": .integer(Int64(written.count))], "\(asked)")
    }
  }

  @Test("Harvests and queries side by side: the count neither falls nor jumps")
  func sideBySide() async throws {
    try await withThirds { fleet, written in
      let wanted = Int64(written.count)
      let isDone = Shared(false)
      async let harvests: Void = {
        for round in 0..<3 {
          let ended = try await fleet.gadwall("harvest")
          #expect(ended.status == 0, "\(round): \(ended)")
        }
        isDone.set(true)
      }()
      var asked = 0
      repeat {
        let ended = try await fleet.gadwall("query", "SELECT count(*) AS n FROM logs", "--format", "json")
        #expect(ended.status == 0, "\(ended)")
        #expect(try rows(ended).first?["n"]?.integer == wanted, "\(ended)")
        asked += 1
      } while !isDone.value
      try await harvests
      #expect(asked > 1)
    }
  }

  @Test("What it covers: a node that is away is a gap, and the wish to leave some out is none")
  func coverage() async throws {
    try await withThirds { fleet, written in
      let part = try await fleet.gadwall(
        "query", "SELECT count(*) AS n FROM logs", "--region", "us-*", "--format", "ndjson")
      #expect(part.status == 0, "\(part)")
      // The first and the fourth node are in that region; the fourth has nothing.
      #expect(part.output == "{\"n\":60}\n" && part.errors.contains("2 of 2 nodes"), "\(part)")
      let none = try await fleet.gadwall("query", "SELECT count(*) FROM logs", "--region", "mars*")
      #expect(none.status == 2 && none.errors.contains("us-east1"), "\(none)")

      try renameFile(fleet.nodes[1].root, fleet.nodes[1].root + "-away", replacing: false)
      let gap = try await fleet.gadwall("query", "SELECT count(*) AS n FROM live", "--format", "json")
      #expect(gap.status == 1 && gap.errors.contains("1 offline"), "\(gap)")
      #expect(
        try rows(gap).first?["n"]?.integer
          == Int64(written.filter { !$0.hasPrefix("archived") && !$0.contains("-1-") }.count))
      let states = try gap.document()["coverage"]?["nodes"]?.array?.compactMap { $0["state"]?.string }
        .sorted()
      #expect(states == ["answered", "answered", "answered", "offline"])
      let allowed = try await fleet.gadwall("query", "SELECT count(*) FROM live", "--allow-partial")
      #expect(allowed.status == 0, "\(allowed)")
      // Nor does a statement that speaks of others alone.
      let others = try await fleet.gadwall(
        "query", "SELECT count(*) AS n FROM live WHERE upper(region) LIKE 'US%' AND line > 0", "--format",
        "ndjson")
      #expect(others.status == 0 && others.output == "{\"n\":40}\n", "\(others)")
      #expect(others.errors.contains("2 of 2 nodes, 2 left out"), "\(others)")
      let nobody = try await fleet.gadwall(
        "query", "SELECT count(*) AS n, max(ts) AS m FROM live WHERE region = 'mars'", "--format", "ndjson")
      #expect(nobody.status == 0 && nobody.output == "{\"n\":0,\"m\":null}\n", "\(nobody)")
      // The archive needs no node.
      let archive = try await fleet.gadwall(
        "query", "SELECT count(*) AS n FROM archive", "--format", "ndjson")
      #expect(archive.status == 0 && archive.output == "{\"n\":63}\n", "\(archive)")
    }
  }

  @Test("Rows of the last hours alone, by splitting and by shipping")
  func since() async throws {
    try await TestFleet.with(nodes: 2) { fleet in
      // One line each two hours before now; the newest three are asked for.
      for (node, kind) in [(0, "archived"), (1, "live")] {
        let content =
          (1...6).map { age in
            let time = Instant(seconds: WallClock.system.now().seconds - Int64(age * 7200 - 3600))
            return #"{"id":"\#(kind)-\#(age)","@timestamp":"\#(time)","message":"Auth [INFO] dog"}"# + "\n"
          }.joined() + "no JSON\n"
        try fleet.put("a.log.1", Array(content.utf8), on: node, stream: "a.log")
        if node == 0 { #expect(try await fleet.gadwall("harvest").status == 0) }
      }
      let counted = try await fleet.gadwall(
        "query", "SELECT count(*) AS n, min(id) AS i FROM logs", "--since", "6h", "--format", "ndjson",
        "--quiet")
      #expect(counted.output == "{\"n\":6,\"i\":\"archived-1\"}\n", "\(counted)")
      let shipped = try await fleet.gadwall(
        "query", "SELECT id FROM logs QUALIFY row_number() OVER (ORDER BY id) > 0 ORDER BY id", "--since",
        "6h", "--format",
        "csv", "--quiet")
      #expect(
        shipped.output == "id\narchived-1\narchived-2\narchived-3\nlive-1\nlive-2\nlive-3\n", "\(shipped)")
    }
  }

  @Test("Saved queries: those that came with the program, and one's own before them")
  func saved() async throws {
    try await withThirds { fleet, _ in
      let list = try await fleet.gadwall("queries", "--format", "json")
      let names = try list.document().array?.compactMap { $0["name"]?.string } ?? []
      #expect(
        names == ["busiest-services", "error-rate", "new-words", "silent-nodes", "urgent-by-region"],
        "\(list)")
      for name in names {
        let ended = try await fleet.gadwall("query", "--saved", name, "--format", "ndjson")
        #expect(ended.status == 0, "\(name): \(ended)")
        if name == "urgent-by-region" {
          #expect(ended.output.split(separator: "\n").count == 3, "\(ended)")
        }
      }
      let rate = try await fleet.gadwall(
        "query", "--saved", "error-rate", "--param", "categories=WARN", "--format", "csv", "--quiet")
      #expect(rate.output == "service,lines,error_percent\nAuth,\(63 + 33 + 93),\(49.21)\n", "\(rate)")
      let silent = try await fleet.gadwall("query", "--saved", "silent-nodes", "--explain")
      #expect(silent.output.contains("split: "), "\(silent)")
      try fleet.write(
        Array("-- title: Mine\n-- param n: how many = 2\nSELECT $n AS n".utf8),
        to: joined(fleet.folder, "queries/error-rate.sql"))
      let own = try await fleet.gadwall("query", "--saved", "error-rate", "--format", "ndjson", "--quiet")
      #expect(own.output == "{\"n\":\"2\"}\n", "\(own)")
      let unknown = try await fleet.gadwall("query", "--saved", "nope")
      #expect(unknown.status == 2 && unknown.errors.contains("busiest-services"), "\(unknown)")
      let bars = try await fleet.gadwall(
        "query", "SELECT id, line FROM (VALUES ('a', 4), ('b', 1), ('c', 0)) t(id, line)", "--format",
        "table", "--bars",
        "--quiet")
      #expect(bars.output.contains("a      4  \(String(repeating: "█", count: 24))\n"), "\(bars)")
      #expect(bars.output.contains("b      1  ██████\n"), "\(bars)")
    }
  }

  @Test("Formats, files, parameters")
  func formats() async throws {
    try await TestFleet.with(nodes: 1) { fleet in
      try fleet.put("a.log.1", lines(["one", "two,x|"]), stream: "a.log")
      let statement = "SELECT id, line, 1.50 AS price, NULL AS nothing FROM live ORDER BY line"
      func ask(_ words: String...) async throws -> String {
        let ended = try await fleet.gadwall(["query", statement, "--quiet"] + words)
        #expect(ended.status == 0 && ended.errors.isEmpty, "\(ended)")
        return ended.output
      }
      #expect(
        try await ask("--format", "ndjson")
          == #"{"id":"one","line":1,"price":"1.50","nothing":null}"# + "\n"
          + #"{"id":"two,x|","line":2,"price":"1.50","nothing":null}"# + "\n")
      #expect(
        try await ask("--format", "csv") == "id,line,price,nothing\none,1,1.50,\n\"two,x|\",2,1.50,\n")
      #expect(
        try await ask("--format", "markdown")
          == "| id | line | price | nothing |\n| --- | ---: | ---: | ---: |\n| one | 1 | 1.50 | NULL |\n| two,x\\| | 2 | 1.50 | NULL |\n"
      )
      let table = try await ask("--format", "table")
      #expect(table.hasPrefix("id      line  price  nothing\n"), "\(table)")
      let path = joined(fleet.folder, "result.parquet")
      _ = try await ask("--output", path)
      let read = try await testDuckDB().run([
        "SELECT count(*) AS n, max(price)::VARCHAR AS p FROM read_parquet(\(path))"
      ])
      #expect(read.first?.first?["n"]?.integer == 2 && read.first?.first?["p"]?.string == "1.50")
      let again = try await fleet.gadwall("query", statement, "--output", path)
      #expect(again.status == 2 && again.errors.contains("exists already"), "\(again)")
      let file = joined(fleet.folder, "statement.sql")
      try fleet.write(Array("SELECT line FROM live WHERE id = $id".utf8), to: file)
      let asked = try await fleet.gadwall(
        "query", "-f", file, "--param", "id=one", "--format", "ndjson", "--quiet")
      #expect(asked.output == "{\"line\":1}\n", "\(asked)")
      let missing = try await fleet.gadwall("query", "-f", file)
      #expect(missing.status == 2 && missing.errors.contains("--param id=VALUE"), "\(missing)")
    }
  }

  @Test(
    "What can't be asked is said, and nobody is asked",
    arguments: [
      ("SELEC 1", "sql.syntax"), ("SELECT nope FROM logs", "The columns are ts, service"),
      ("SELECT 1; SELECT 2", "2 statements"), ("", "no statement"), ("DELETE FROM logs", "Only a SELECT"),
      ("SELECT * FROM 'x.csv'", "relation"), ("SELECT * FROM other", "live"),
      ("SELECT getenv('HOME')", "getenv"),
      ("SELECT * FROM read_text('/etc/passwd')", "read_text"), ("FROM query('SELECT 1')", "query"),
      ("PIVOT logs ON category USING count(*)", "IN ('a', 'b')"), ("SELECT current_user", "current_user"),
      ("SELECT * FROM logs AT (VERSION => 3)", "AT"), ("SELECT 1 AS gadwall_x", "gadwall_"),
    ])
  func refused(_ statement: String, _ word: String) async throws {
    try await TestFleet.with(nodes: 1) { fleet in
      let ended = try await fleet.gadwall("query", statement)
      #expect(ended.status == 2 && ended.output.isEmpty && ended.errors.contains(word), "\(ended)")
      #expect(try fleet.objects("queries").isEmpty)
    }
  }

  @Test("A statement on standard input, from a pipe and from a file")
  func standardInput() async throws {
    try await TestFleet.with(nodes: 1) { fleet in
      try fleet.write(Array("SELECT 7 AS n".utf8), to: joined(fleet.folder, "statement.sql"))
      for words in [
        "cat statement.sql | %", "% -f - < statement.sql", "(sleep 0.2; cat statement.sql) | % -f -",
      ] {
        let ended = try await fleet.shell(
          words.replacing("%", with: "\(TestFleet.program) query --format ndjson"))
        #expect(ended.status == 0 && ended.output == "{\"n\":7}\n", "\(ended)")
      }
    }
  }

  @Test("A statement that fails over one node's rows fails as a whole")
  func failing() async throws {
    try await withThirds { fleet, _ in
      for statement in [
        "SELECT sum(CAST(id AS INTEGER)) FROM live", "SELECT sum(CAST(id AS INTEGER)) FROM live",
        "SELECT CAST(id AS INTEGER) FROM logs ORDER BY line LIMIT 3",
      ] {
        let ended = try await fleet.gadwall("query", statement)
        #expect(
          ended.status == 2 && ended.output.isEmpty && ended.errors.contains("Could not convert"), "\(ended)")
        // The second time the first node has so many rows that it groups them itself.
        try fleet.write(lines(ids("many", 200)), to: fleet.nodes[0].path("var/log/app/many.log"))
      }
    }
  }
}

/// Places between which what is where changes; `make chaos` asks at all of them.
private func queryPoints() -> [String] {
  let all = harvestPoints()
  if environmentValue("GADWALL_CHAOS_PAIRS") != nil { return all }
  return all.filter { name in
    ["stage.completed", "plan.after", "commit.", "rest.", "readback.", "proof.", "prune."].contains {
      name.hasPrefix($0)
    }
  }
}

extension QueryTests {
  @Test(
    "A node with nearly as many groups as rows sends the rows, and the answer is the same; to an object store they go packed",
    arguments: [TestBackend.folder, .s3])
  func manyGroups(_ backend: TestBackend) async throws {
    try await TestFleet.with(nodes: 2, on: backend) { fleet in
      let many = 51_000
      try fleet.put("many.log.1", lines(ids("many", many)), stream: "many.log")
      try fleet.put("few.log.1", lines(ids("few", 5)), on: 1, stream: "few.log")
      for (statement, wanted) in [
        ("SELECT count(DISTINCT id) AS n FROM live", many + 5),
        ("SELECT count(DISTINCT id) AS n FROM live WHERE id >= ''", many + 5),
        (
          "SELECT sum(n)::BIGINT AS n FROM (SELECT stream, count(DISTINCT id) AS n FROM live GROUP BY stream)",
          many + 5
        ),
        ("SELECT len(list(DISTINCT id ORDER BY id)) AS n FROM live", many + 5),
        ("SELECT count(DISTINCT node) AS n FROM live", 2),
      ] {
        let ended = try await fleet.gadwall("query", statement, "--format", "json")
        let document = try ended.document()
        #expect(document["rows"]?.array?.first?["n"]?.integer == Int64(wanted), "\(statement): \(ended)")
        // The ids themselves, and not each in a group of its own. They count up, which packs well.
        let expected = backend == .folder ? 400_000..<2_000_000 : 20_000..<300_000
        let moved = document["coverage"]?["nodes"]?.array?.compactMap { $0["moved"]?.integer }.max() ?? 0
        #expect(
          wanted > 2 ? expected.contains(Int(moved)) : moved < 10_000, "\(statement): \(moved)")
      }
    }
  }
}
