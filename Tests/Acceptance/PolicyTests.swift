import Files
import Support
import TestSupport
import Testing

/// What a node's policy.yaml lets out of its logs.
@Suite("A node's policy", .tags(.medium)) struct PolicyTests {
  /// Two nodes with the same lines, the first with a policy.
  private func withPolicy(_ policy: String, _ body: @escaping (TestFleet) async throws -> Void) async throws {
    try await TestFleet.with(nodes: 2) { fleet in
      for node in 0..<2 {
        let lines = (0..<40).map { number in
          #"{"id":"\#(number % 4)","@timestamp":"2026-11-23T14:00:00Z","message":"Auth [\#(number < 3 ? "RARE" : "INFO")] secret \#(number)","k":1}"#
        }
        let text = (lines + ["no json, and secret"]).map { $0 + "\n" }.joined()
        try fleet.put("a.log.1", Array(text.utf8), on: node, stream: "a.log")
      }
      let folder = fleet.nodes[0].path("etc/gadwall")
      try makeFolder(folder)
      try publish(Array(policy.utf8), at: joined(folder, "policy.yaml"), replacing: true)
      try publish(Array("0123456789abcdef".utf8), at: joined(folder, "redact.key"), replacing: true)
      try await body(fleet)
    }
  }

  private func asked(_ fleet: TestFleet, _ statement: String) async throws -> (rows: [JSONValue], Ended) {
    let ended = try await fleet.gadwall("query", statement, "--format", "json")
    return (ended.status == 2 ? [] : try ended.document()["rows"]?.array ?? [], ended)
  }

  @Test("Columns that may not leave: whoever uses them is refused, with the node's reason")
  func columns() async throws {
    try await withPolicy("columns: [category, node, ts]\n") { fleet in
      let (rows, well) = try await asked(
        fleet, "SELECT node, count(*) AS n FROM live WHERE category = 'RARE' GROUP BY node")
      #expect(well.status == 0 && rows.allSatisfy { $0["n"]?.integer == 3 } && rows.count == 2, "\(well)")
      for statement in [
        "SELECT node, max(message) FROM live GROUP BY node",
        "SELECT count(*) AS n FROM live WHERE message LIKE '%secret 1%'",
        "SELECT * FROM live", "SELECT count(*) AS n FROM live WHERE length(message) > 3",
        "SELECT count(*) AS n FROM live WHERE id = '1'",
        "SELECT count(*) AS n FROM live l WHERE l.text IS NOT NULL",
        // Nodes make these of columns that are not in what they send.
        "SELECT sum(length(message)) AS n FROM live", "SELECT median(strlen(id)) AS n FROM live",
      ] {
        let (_, refused) = try await asked(fleet, statement)
        #expect(
          refused.status == 1 && refused.errors.contains("refused: The node's policy does not let"),
          "\(statement): \(refused)")
      }
      let only = try await fleet.gadwall("query", "SELECT message FROM live", "--node", fleet.nodes[0].name)
      #expect(only.status == 2 && only.output.isEmpty, "\(only)")
    }
  }

  @Test("Values that are redacted are in no frame, and no condition can tell what they were")
  func redaction() async throws {
    try await withPolicy(
      "redact: { message: remove, id: hash, text: remove, extra: hash }\nhashKey: redact.key\n"
    ) { fleet in
      let node = fleet.nodes[0].name
      let (rows, ended) = try await asked(
        fleet, "SELECT id, message, text, extra, category FROM live WHERE node = '\(node)'")
      #expect(ended.status == 0 && rows.count == 41, "\(ended)")
      #expect(rows.allSatisfy { $0["message"]?.string == nil && $0["text"]?.string == nil })
      let ids = Set(rows.compactMap { $0["id"]?.string })
      #expect(ids.count == 4 && ids.allSatisfy { $0.count == 64 }, "\(ids)")
      #expect(ids.contains(hex(hmacSHA256(key: Array("0123456789abcdef".utf8), Array("3".utf8)))))
      #expect(
        Set(rows.compactMap { $0["extra"]?.string }).count == 1
          && rows.count { $0["category"]?.string == "RARE" } == 3)
      for condition in [
        "message LIKE '%secret%'", "message = 'Auth [RARE] secret 1'", "id = '1'", "length(message) > 0",
        "text IS NOT NULL",
      ] {
        for statement in [
          "SELECT count(*) AS n FROM live WHERE node = '\(node)' AND \(condition)",
          "SELECT line FROM live WHERE node = '\(node)' AND \(condition)",
        ] {
          let (rows, ended) = try await asked(fleet, statement)
          #expect(
            ended.status == 0 && (rows.isEmpty || rows.first?["n"]?.integer == 0), "\(statement): \(ended)")
        }
      }
      let (lengths, _) = try await asked(
        fleet,
        "SELECT count(length(message)) AS messages, min(length(id)) AS least, max(strlen(id)) AS greatest, count(length(id)) AS ids FROM live WHERE node = '\(node)'"
      )
      #expect(
        lengths.first?["messages"]?.integer == 0 && lengths.first?["least"]?.integer == 64
          && lengths.first?["greatest"]?.integer == 64 && lengths.first?["ids"]?.integer == 40, "\(lengths)")
      let line = try await fleet.gadwall("query", "SELECT count(*) FROM live")
      #expect(line.errors.contains("limited by policy"), "\(line)")
    }
  }

  @Test("What is hidden in a column of its own is hidden in malformed lines and in keys that come twice, too")
  func besides() async throws {
    try await withPolicy("redact: { message: remove }\n") { fleet in
      let (rows, ended) = try await asked(
        fleet, "SELECT text, extra FROM live WHERE node = '\(fleet.nodes[0].name)'")
      #expect(ended.status == 0 && rows.count == 41 && !ended.output.contains("secret"), "\(ended)")
      #expect(rows.allSatisfy { $0["text"]?.string == nil && $0["extra"]?.string == nil })
    }
    try await withPolicy("redact: { message: remove, text: keep, extra: keep }\n") { fleet in
      let (rows, _) = try await asked(
        fleet, "SELECT text, extra FROM live WHERE node = '\(fleet.nodes[0].name)'")
      #expect(
        rows.count { $0["text"]?.string != nil } == 1 && rows.count { $0["extra"]?.string != nil } == 40)
    }
  }

  @Test("Neither the policy and its key nor what is outside of the root can be asked for as if it were a log")
  func ownFiles() async throws {
    try await withPolicy("redact: { id: hash }\nhashKey: redact.key\n") { fleet in
      let file = joined(fleet.folder, "gadwall.yaml")
      let text = String(decoding: try readFile(file, limit: .mebibytes(1)), as: UTF8.self)
      try publish(
        Array(
          (text.split(separator: "\n").filter { !$0.hasPrefix("logs:") }.joined(separator: "\n")
            + "\nlogs: { live: [\"etc/gadwall/*\", \"var/lib/gadwall/*\"], rotated: [\"nope/*\"] }\n").utf8),
        at: file, replacing: true)
      let ended = try await fleet.gadwall("query", "SELECT text FROM live", "--format", "ndjson")
      #expect(ended.output.isEmpty, "\(ended)")
    }
  }

  @Test("Rows that may not leave are as if they were not there")
  func rows() async throws {
    try await withPolicy("rows: \"category <> 'RARE' AND message NOT LIKE '%secret 9%'\"\n") { fleet in
      let (rows, ended) = try await asked(
        fleet, "SELECT node, count(*) AS n FROM live GROUP BY node ORDER BY node")
      // Neither the three rare ones, nor secret 9, nor the malformed line, of which the condition is not true.
      #expect(ended.status == 0 && rows.map { $0["n"]?.integer } == [36, 41], "\(ended)")
      let (all, _) = try await asked(
        fleet, "SELECT message FROM live WHERE message LIKE '%secret 9%' OR category = 'RARE'")
      #expect(all.count == 4)
    }
    try await withPolicy("rows: \"upper(category) <> 'RARE'\"\n") { fleet in
      let ended = try await fleet.gadwall("query", "SELECT count(*) AS n FROM live")
      #expect(ended.status == 1 && ended.errors.contains("policy.rows"), "\(ended)")
    }
  }

  @Test("Groups that are too small are kept back and counted; rows are refused")
  func groups() async throws {
    try await withPolicy("smallestGroup: 5\n") { fleet in
      let statement = "SELECT category, count(*) AS n FROM live GROUP BY category ORDER BY category"
      let (rows, ended) = try await asked(fleet, statement)
      #expect(rows.map { $0["n"]?.integer } == [74, 3, 1] && ended.status == 1, "\(ended)")
      #expect(ended.errors.contains("small groups withheld"), "\(ended)")
      for statement in [
        "SELECT line FROM live", "SELECT node, row_number() OVER (ORDER BY line) FROM live",
        "SELECT id FROM live ORDER BY id LIMIT 1",
      ] {
        let (_, refused) = try await asked(fleet, statement)
        #expect(
          refused.status == 1 && refused.errors.contains("groups of 5 rows or more"),
          "\(statement): \(refused)")
      }
      // Neither its words, nor whether there was a group, tell of a single row.
      for (statement, reason) in [
        ("SELECT max(message) FROM live", "can show a single row's value"),
        ("SELECT count(*) FILTER (WHERE id = '1') FROM live", "a part of a group"),
        ("SELECT sum(CASE WHEN id = '1' THEN line END) FROM live", "a part of a group"),
        ("SELECT any_value(id), arg_max(id, line) FROM live", "can show a single row's value"),
        ("SELECT sum(length(message)) FROM live", "a part of a group"),
      ] {
        let (_, refused) = try await asked(fleet, statement)
        #expect(refused.status == 1 && refused.errors.contains(reason), "\(statement): \(refused)")
      }
      let failing = try await fleet.gadwall(
        "query", "SELECT sum(id::TINYINT * 100), sum(message::INTEGER) FROM live")
      #expect(failing.status == 2 || failing.errors.contains("refused"), "\(failing)")
      let only = ["--node", fleet.nodes[0].name]
      let words = try await fleet.gadwall(["query", "SELECT sum(message::INTEGER) FROM live"] + only)
      #expect(words.status == 2 && !"\(words)".contains("secret"), "\(words)")
      for group in ["RARE", "NONE"] {
        let one = try await fleet.gadwall(
          ["query", "SELECT 1 AS x FROM live WHERE category = '\(group)' GROUP BY 1", "--format", "csv"]
            + only)
        #expect(
          one.status == 1 && one.output == "x\n" && one.errors.contains("small groups withheld"), "\(one)")
      }
      // A large group of which one row has a value is that row: here the malformed one, the only one with a text.
      let (texts, some) = try await asked(fleet, "SELECT count(text) AS t, count(*) AS n FROM live")
      #expect(
        texts.first?["t"]?.integer == 1 && texts.first?["n"]?.integer == 41
          && some.errors.contains("small groups withheld"), "\(some)")
      let (ids, _) = try await asked(
        fleet, "SELECT count(id) AS i, count(service) AS s, count(*) AS n FROM live")
      #expect(ids.first?["i"]?.integer == 80 && ids.first?["n"]?.integer == 82, "\(ids)")
      let (medians, _) = try await asked(
        fleet, "SELECT median(line) AS m FROM live WHERE node = '\(fleet.nodes[0].name)'")
      #expect(medians.first?["m"]?.string == nil && medians.first?["m"]?.integer == nil)
    }
  }

  @Test("Rows and bytes of an answer, relations, and whether it answers at all")
  func amounts() async throws {
    for (policy, statement, reason) in [
      ("maxRows: 10\n", "SELECT line FROM live", "lets 10 rows out"),
      ("maxRows: 3\n", "SELECT id, count(*) AS n FROM live GROUP BY id", "lets 3 rows out"),
      ("maxBytes: 300B\n", "SELECT message FROM live", "lets 300 B out"),
      ("logs: [\"var/log/other/*\"]\n", "SELECT count(*) AS n FROM live", "does not let the files"),
      ("queries: refuse\n", "SELECT count(*) AS n FROM live", "answers no queries"),
    ] {
      try await withPolicy(policy) { fleet in
        let (_, ended) = try await asked(fleet, statement)
        #expect(ended.status == 1 && ended.errors.contains(reason), "\(policy): \(ended)")
        // The others are harvested and staged as ever.
        #expect(try await fleet.gadwall("harvest").status == 0)
      }
    }
  }

  @Test(
    "A policy that can't be read lets nothing out",
    arguments: [
      "colums: [ts]\n", "columns: [nonsense]\n", "smallestGroup: none\n", "redact: { ts: remove }\n",
      "redact: { id: hash }\n",
      "maxBytes: lots\n", "queries: maybe\n", "[1]\n", "redact: { id: hash }\nhashKey: nowhere\n",
      "rows: \"SELECT\"\n", "sandbox: off\n",
    ])
  func broken(policy: String) async throws {
    try await withPolicy(policy) { fleet in
      let ended = try await fleet.gadwall(
        "query", "SELECT node, count(*) AS n FROM live GROUP BY node", "--format", "json")
      let rows = try ended.document()["rows"]?.array
      #expect(ended.status == 1 && rows?.count == 1, "\(ended)")
      #expect(ended.errors.contains("failed"), "\(ended)")
    }
  }
}
