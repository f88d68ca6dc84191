// Lines that are too long to hold, a second that is too full to tell lines apart by, and more files than anybody looks at.

import DuckDB
import Files
import Support
import TestSupport
import Testing

@Suite("Large and many", .tags(.large))
struct LargeAndManyTests {
  @Test("Lines of 100 MB: marked, the ones around them intact, no memory for them", arguments: [false, true])
  func longLines(isGzip: Bool) async throws {
    try await TestFleet.with { fleet in
      let path = fleet.nodes[0].rawPath("a.log.1" + (isGzip ? ".gz" : ""))
      let made = try await fleet.shell(
        """
        long() { head -c 100000000 /dev/zero | tr '\\0' x; }
        { echo '{"id":"first"}'; printf '{"message":"'; long; echo '"}'; echo '{"id":"between"}'
          long; echo; echo '{"id":"last"}'; } > plain
        sha256sum plain; \(isGzip ? "gzip -1 < plain" : "cat plain") > '\(path)'
        """)
      #expect(made.status == 0, "\(made)")
      try setModified(path, seconds: TestFleet.hour)

      let harvest = try await fleet.measuredHarvest()
      #expect(harvest.status == 0)
      #expect(harvest.mebibytes < 128)
      #expect(try fleet.names().isEmpty)
      let rows = try await fleet.table(
        "SELECT line, id, malformed, strlen(text) AS bytes FROM events ORDER BY line")
      #expect(
        rows == [
          ["line": 1, "id": "first", "malformed": .null, "bytes": .null],
          ["line": 2, "id": .null, "malformed": "too-long", "bytes": 65_536],
          ["line": 3, "id": "between", "malformed": .null, "bytes": .null],
          ["line": 4, "id": .null, "malformed": "too-long", "bytes": 65_536],
          ["line": 5, "id": "last", "malformed": .null, "bytes": .null],
        ])
      let raw = try #require(try fleet.objects("raw").first)
      let whole = try await fleet.shell("gzip -dc '\(joined(fleet.store, raw))' | sha256sum")
      #expect(whole.output.prefix(64) == made.output.prefix(64))
      let verify = try await fleet.gadwall("verify", "--deep")
      #expect(verify.status == 0, "\(verify)")
    }
  }

  /// DuckDB keeps a row group in memory, and its usual one would hold all of these, and a hundred gigabytes of them.
  @Test("Many lines of one mebibyte and of nearly four are kept in small row groups")
  func manyLongLines() async throws {
    try await TestFleet.with { fleet in
      let path = fleet.nodes[0].rawPath("a.log.1")
      let made = try await fleet.shell(
        """
        one() { printf '{"id":"%s","message":"Auth [SECURITY] ' "$1"; head -c "$2" /dev/urandom | base64 -w 0 | head -c "$2"; echo '"}'; }
        { for n in $(seq 64); do one "a$n" 1048000; done; for n in $(seq 5); do one "b$n" 4194000; done
          for n in $(seq 1000); do one "c$n" 20; done; } > '\(path)'
        """)
      #expect(made.status == 0, "\(made)")
      try setModified(path, seconds: TestFleet.hour)
      let harvest = try await fleet.gadwall("harvest", seconds: 180)
      #expect(harvest.status == 0, "\(harvest)")
      #expect(try fleet.names().isEmpty)
      let rows = try await fleet.table(
        "SELECT count(*) AS n, count(DISTINCT id) AS ids, max(strlen(message)) AS longest, count(malformed) AS bad FROM events"
      )
      #expect(rows == [["n": 1069, "ids": 1069, "longest": 4_194_016, "bad": 0]])
      let file = try #require(try fleet.objects("warehouse").first { $0.hasSuffix(".parquet") })
      let groups = try await testDuckDB().run(
        [
          "SELECT count(*) AS n, max(row_group_bytes) < 80 << 20 AS small FROM parquet_metadata(\(joined(fleet.store, file))) WHERE path_in_schema = 'message'"
        ])
      #expect(
        groups.first?.first?["small"]?.bool == true && groups.first?.first?["n"]?.integer ?? 0 >= 2,
        "\(groups)")
    }
  }

  @Test("A million entries of one and the same second")
  func oneSecond() async throws {
    try await TestFleet.with { fleet in
      let path = fleet.nodes[0].rawPath("a.log.1")
      let entry = #"{"id":"&","@timestamp":"2026-11-23T13:00:00Z","message":"Auth [INFO] dog"}"#
      let made = try await fleet.shell("seq 1000000 | sed 's/.*/\(entry)/' > '\(path)'")
      #expect(made.status == 0, "\(made)")
      try setModified(path, seconds: TestFleet.hour)
      let harvest = try await fleet.gadwall("harvest", "--quiet")
      #expect(harvest.status == 0, "\(harvest)")
      #expect(try fleet.names().isEmpty)
      let rows = try await fleet.table(
        """
        SELECT count(*) AS rows, count(DISTINCT id) AS ids, count(DISTINCT line) AS lines, bool_and(id = line::VARCHAR) AS in_place
        FROM events WHERE ts = TIMESTAMPTZ '2026-11-23 13:00:00Z'
        """)
      #expect(rows == [["rows": 1_000_000, "ids": 1_000_000, "lines": 1_000_000, "in_place": true]])
      let verify = try await fleet.gadwall("verify")
      #expect(verify.status == 0, "\(verify)")
    }
  }

  @Test("A thousand files of one stream that were rotated in one and the same second")
  func oneStream() async throws {
    try await TestFleet.with { fleet in
      let raw = fleet.nodes[0].path(TestFleet.rawLogs)
      let made = try await fleet.shell(
        """
        for number in $(seq 1000); do echo "{\\"id\\":\\"$number\\"}" > '\(raw)'/my_logs.log.$number; done
        touch -d @\(TestFleet.hour) '\(raw)'/*
        """)
      #expect(made.status == 0, "\(made)")
      // Killed between the two halves of its work: what was staged is told from its thousand neighbours again.
      let stopped = try await fleet.gadwall("harvest", environment: ["GADWALL_STOP_AT": "prune.before"])
      #expect(stopped.status == 128 + 9, "\(stopped)")
      try fleet.put("my_logs.log.1001", lines(["1001"]), stream: "my_logs.log")
      let harvest = try await fleet.gadwall("harvest", "--quiet")
      #expect(harvest.status == 0, "\(harvest)")
      #expect(try fleet.names().isEmpty)
      #expect(try await fleet.idCounts() == counts((1...1001).map(String.init)))
      let verify = try await fleet.gadwall("verify")
      #expect(verify.status == 0, "\(verify)")
    }
  }
}

extension TestFleet {
  /// Runs a harvest; the most memory that one of its processes had.
  fileprivate func measuredHarvest() async throws -> (status: Int64, mebibytes: Int64) {
    let script = """
      import resource, subprocess, sys
      status = subprocess.run([sys.argv[1], "harvest"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              env=json.load(sys.stdin)).returncode
      print([status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024])
      """
    let environment = JSONValue.object(programEnvironment().mapValues { .string($0) })
    let printed = try await python(script, [Self.program], input: environment.encoded)
    let said = try JSONValue(parsing: printed).array ?? []
    return (said.first?.integer ?? -1, said.last?.integer ?? .max)
  }
}
