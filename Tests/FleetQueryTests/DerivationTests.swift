import DuckDB
import Files
import Rows
import Support
import TestSupport
import Testing

@testable import FleetQuery

/// What the scanner makes of a column is what DuckDB would make of it.
@Suite(.tags(.medium)) struct DerivationTests {
  private static let lengths: [DerivedColumn] = [.service, .category, .message, .id, .version].flatMap {
    [.length($0, .characters), .length($0, .bytes)]
  }
  private static let widths: [Int64] = [
    1, 1_000, 100_000, 1_000_000, 60_000_000, 900_000_000, 3_600_000_000, 25_200_000_000, 86_400_000_000,
    RowFilter.week,
  ]

  /// Into a frame of these columns and all derived ones.
  private func write(
    _ bytes: [UInt8], to path: String, _ derived: [DerivedColumn], columns: Set<RowColumn>,
    hidden: Set<RowColumn> = [], hashed: Set<RowColumn> = []
  ) throws {
    var scanner = Scanner(
      columns: columns, derived: derived, hidden: hidden, hashed: hashed, hashKey: [1, 2, 3])
    var writer = try FrameWriter.create(path, columns: columns, derived: derived)
    scanner.begin(batch: 0)
    try bytes.withUnsafeBytes { try scanner.scan($0) { try writer.append(&$0) } }
    try scanner.finish(.rotated) { try writer.append(&$0) }
    try scanner.drain { try writer.append(&$0) }
    _ = try writer.finish()
  }

  @Test(arguments: 0..<6) func theScannerGivesWhatDuckDBDoes(seed: UInt64) async throws {
    try await withScratch { folder in
      var random = SeededRandom(seed: seed)
      var bytes = randomLines(500, &random)
      if bytes.last != 0x0A { bytes.append(0x0A) }
      // Times of all centuries.
      for _ in 0..<200 {
        let year = String(10_001 + Int.random(in: 0..<9_998, using: &random)).dropFirst()
        let (month, day) = (
          10 + Int.random(in: 0..<3, using: &random), 10 + Int.random(in: 0..<18, using: &random)
        )
        bytes += "{\"@timestamp\":\"\(year)-\(month)-\(day)T13:57:\(month)\(day).9871\(day)Z\"}\n".utf8
        bytes += "{\"@timestamp\":\"\(year)-\(month)-\(day)T13:57:59.9871\(day)Z\"}\n".utf8
      }
      let derived = Self.lengths + Self.widths.map { .floor(microseconds: $0) }
      let (whole, bare) = (joined(folder, "whole.parquet"), joined(folder, "bare.parquet"))
      try write(bytes, to: whole, derived, columns: Set(RowColumn.allCases))
      // What they are made of need not be there.
      try write(bytes, to: bare, derived, columns: [.line])
      var tests: [SQL] = []
      for (number, column) in derived.enumerated() {
        let own = "d.\(name: DerivedColumn.name(number))" as SQL
        tests.append("count(*) FILTER (\(own) IS DISTINCT FROM \(column.sql)) AS \(name: "own \(column)")")
        tests.append(
          "count(*) FILTER (\(own) IS DISTINCT FROM \(SQL(trusted: column.shown))) AS \(name: "\(column)")")
        tests.append("CASE WHEN count(\(own)) < 10 THEN 1 ELSE 0 END AS \(name: "few \(column)")")
      }
      let source: SQL =
        "FROM (SELECT ts, service, category, message, id, version, line FROM read_parquet(\(whole))) JOIN read_parquet(\(bare)) d USING (line)"
      var settings = DuckDB.Settings()
      settings.deadline = .after(seconds: 60 * patience)
      let row = try await testDuckDB().run(
        ["SELECT count(*) AS rows, \(tests.joined(separator: ", ")) \(source)"], settings
      )
      .first?.first?.object
      #expect(row?["rows"]?.integer ?? 0 > 700)
      #expect(row?.filter { $0.key != "rows" && $0.value.integer != 0 } == [:])
    }
  }

  @Test func whatIsHiddenHasNoLength() async throws {
    try await withScratch { folder in
      let path = joined(folder, "frame.parquet")
      let derived: [DerivedColumn] = [
        .length(.message, .characters), .length(.id, .bytes), .length(.version, .bytes),
        .floor(microseconds: 1_000_000),
      ]
      let line = #"{"id":"abc","message":"secret","@version":"1.1","@timestamp":"2026-11-23T14:00:00.5Z"}"#
      try write(
        Array("\(line)\n{\"@version\":\"1\"}\n".utf8), to: path, derived, columns: [.line],
        hidden: [.message, .ts], hashed: [.id])
      let rows = try await testDuckDB().run(["FROM read_parquet(\(path)) ORDER BY line"]).first ?? []
      #expect(rows.map { $0["gadwall_d0"]?.integer } == [nil, nil])
      #expect(rows.map { $0["gadwall_d1"]?.integer } == [64, nil])
      #expect(rows.map { $0["gadwall_d2"]?.integer } == [3, 1])
      #expect(rows.map { $0["gadwall_d3"]?.string } == [nil, nil])
    }
  }

  /// Expressions, what nodes make of columns for them, and which columns are in their frames all the same.
  @Test(
    arguments: [
      ("median(length(message))", ["length(message)"], []),
      ("sum(LEN(live.message)), max(strlen(id))", ["length(message)", "strlen(id)"], []),
      ("sum(length(message)), max(message)", ["length(message)"], ["message"]),
      ("date_trunc('HOUR', ts), count(*)", ["date_trunc('hour', ts)"], []),
      (
        "datetrunc('week', l.ts), datetrunc('day', ts), count(*)",
        ["date_trunc('day', ts)", "date_trunc('week', ts)"], []
      ),
      (
        "time_bucket(INTERVAL '15 minutes', ts), time_bucket(INTERVAL 6 HOUR, ts), time_bucket('1 day', ts), count(*)",
        [
          "date_trunc('day', ts)", "time_bucket(INTERVAL 21600 SECOND, ts)",
          "time_bucket(INTERVAL 900 SECOND, ts)",
        ], []
      ),
      // Neither are there whole numbers of these in a week.
      ("time_bucket(INTERVAL '13 minutes', ts), count(*)", [], ["ts"]),
      ("time_bucket(INTERVAL '1 month', ts), count(*)", [], ["ts"]),
      ("time_bucket(INTERVAL '1 month -30 days', ts), count(*)", [], ["ts"]),
      ("time_bucket(INTERVAL '8 days', ts), count(*)", [], ["ts"]),
      ("time_bucket(INTERVAL '6 days 24 hours', ts), count(*)", [], ["ts"]),
      // Months are not as long as each other, and this one is of another column.
      ("date_trunc('month', ts), count(*)", [], ["ts"]),
      ("date_trunc('hour', rotated), count(*)", [], ["rotated"]),
      ("date_trunc(category, ts), count(*)", [], ["category", "ts"]),
      ("sum(length(upper(message)))", [], ["message"]), ("sum(length(node))", [], ["node"]),
      ("sum(length(extra))", [], ["extra"]),
      // A parameter that is called like a column.
      ("sum(list_sum(list_transform(['a', id], lambda message: length(message))))", [], ["id", "message"]),
      ("sum(length(message)) FILTER (length(message) > 3)", ["length(message)"], []),
    ] as [(String, [String], [String])]) func derived(
      _ list: String, _ derived: [String], _ columns: [String]
    ) async throws
  {
    let session = try await testDuckDB().session()
    defer { session.end() }
    try await session.run(Gather.emptyViews)
    let alias = list.contains("l.ts") ? " l" : ""
    let text = "SELECT \(list) FROM live\(alias) GROUP BY ALL"
    let statement = try await session.statement(text)
    let names = resultColumns(try await session.run(["DESCRIBE FROM query(\(text))"]))
    let plan = try await session.plan(statement, names)
    #expect(plan.way == .split)
    #expect(plan.used.derived.map(\.shown).sorted() == derived)
    #expect(plan.used.names?.subtracting(["message"]).sorted() == columns.filter { $0 != "message" })
    #expect(plan.used.ofFrames.contains(.message) == columns.contains("message"))
  }

  @Test func ofMoreThanThereMayBeTheRestIsLeft() async throws {
    let session = try await testDuckDB().session()
    defer { session.end() }
    try await session.run(Gather.emptyViews)
    let lengths = ["service", "category", "message", "id", "version"].map {
      "sum(length(\($0))), sum(strlen(\($0)))"
    }
    let text = "SELECT \(lengths.joined(separator: ", ")) FROM live"
    let names = resultColumns(try await session.run(["DESCRIBE FROM query(\(text))"]))
    let plan = try await session.plan(session.statement(text), names)
    #expect(plan.used.derived.count == Derivation.most && plan.used.names == ["version"])
  }

  @Test(arguments: [
    DerivedColumn.floor(microseconds: 0), .floor(microseconds: -1), .floor(microseconds: .max),
    .length(.node, .bytes),
  ]) func whatATaskDocumentMayNotSay(_ column: DerivedColumn) { #expect(!column.isSane) }
}
