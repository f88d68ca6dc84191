import DuckDB
import Files
import Rows
import Support
import TestSupport
import Testing

@testable import FleetQuery

/// What the scanner leaves out is what DuckDB would, and nothing else.
@Suite(.tags(.medium)) struct ScanFilterTests {
  /// Random filters over random lines: the rows that the scanner keeps are those for which DuckDB finds the same condition true.
  @Test(arguments: 0..<8) func theScannerKeepsWhatDuckDBWould(seed: Int) async throws {
    try await withScratch { folder in
      var random = SeededRandom(seed: UInt64(seed))
      let bytes = randomLines(400, &random)
      let file = RowFilter.FileFacts(
        stream: "app.log", region: "eu-west1", zone: "b", node: "vm1", rotated: 1_795_442_400_000_000)
      let all = joined(folder, "all.parquet")
      try write(bytes, .everything, to: all, &random)
      let filters = (0..<60).map { _ in filter(3, &random) }
      let duckdb = try await testDuckDB()
      let views: [SQL] = [
        "CREATE TABLE lines AS SELECT *, \(file.stream) AS stream, \(file.region) AS region, \(file.zone) AS zone, \(file.node) AS node, make_timestamptz(\(file.rotated ?? 0)) AS rotated FROM read_parquet(\(all))"
      ]
      func kept(_ source: SQL, _ condition: SQL) -> SQL {
        "SELECT coalesce(string_agg(line::VARCHAR, ',' ORDER BY line), '') AS kept FROM \(source) WHERE \(condition)"
      }
      var questions: [SQL] = []
      for (index, filter) in filters.enumerated() {
        let path = joined(folder, "\(index).parquet")
        try write(bytes, filter.asked(of: file), to: path, &random)
        questions += [kept("lines", filter.sql), kept("read_parquet(\(path))", "true")]
      }
      let answers = try await duckdb.run(views + questions).map { $0.first?["kept"]?.string }
      #expect(answers.count == filters.count * 2)
      var left = 0
      for (index, filter) in filters.enumerated() {
        let (wanted, found) = (answers[index * 2], answers[index * 2 + 1])
        #expect(found == wanted, "seed \(seed): \(filter.sql), asked \(filter.asked(of: file).sql)")
        if wanted != "" { left += 1 }
      }
      // A test in which nothing is ever kept would say nothing.
      #expect(left > 15)
    }
  }

  @Test func linesThatAreSkippedAreCounted() throws {
    let text = #"""
      {"id":"1","message":"Auth [INFO] one"}
      nonsense
      {"id":"2","message":"Auth [RARE] two"}

      {"id":"3","message":"Auth [\u0052ARE] three"}
      {"id":"4","message":"last"}

      """#
    var scanner = Scanner(columns: [.line])
    scanner.begin(batch: 0, filter: .text(.category, .equals("RARE")))
    var lines = 0
    try Array(text.utf8).withUnsafeBytes { try scanner.scan($0) { _ in } }
    try scanner.finish(.rotated) { _ in }
    scanner.drain {
      lines += $0.rows
      $0.removeAll()
    }
    #expect(lines == 2 && scanner.counts.lines == 6 && scanner.skipped == 4)
    #expect(scanner.counts.entries == 2 && scanner.counts.malformed == 0 && scanner.counts.blank == 0)
  }

  /// A text that nearly every line has is not searched for any longer; that changes no row and no count.
  @Test(arguments: [true, false]) func aSearchThatSkipsLittleIsGivenUp(hasManyFirst: Bool) throws {
    let with = #"{"id":"1","message":"Auth [RARE] one"}"#
    let without = #"{"id":"2","message":"Auth [INFO] two"}"#
    let parts = [Array(repeating: with, count: 3000), Array(repeating: without, count: 3000)]
    let lines = (hasManyFirst ? parts : parts.reversed()).joined() + [with, "broken [RARE]"]
    var scanner = Scanner(columns: [.line])
    scanner.begin(batch: 0, filter: .text(.category, .equals("RARE")))
    var rows = 0
    let text = Array(lines.map { $0 + "\n" }.joined().utf8)
    try text.withUnsafeBytes { try scanner.scan($0) { _ in } }
    try scanner.finish(.rotated) { _ in }
    scanner.drain {
      rows += $0.rows
      $0.removeAll()
    }
    let counts = scanner.counts
    #expect(rows == 3001 && counts.lines == 6002 && counts.malformed == 1)
    #expect(scanner.skipped + counts.entries + counts.malformed == counts.lines)
    #expect(scanner.skipped == (hasManyFirst ? 0 : 3000))
  }

  @Test func aFileIsLeftOutByWhatItIs() {
    let file = RowFilter.FileFacts(stream: "a.log", region: "eu", zone: "b", node: "vm1", rotated: nil)
    let category = RowFilter.text(.category, .equals("X"))
    #expect(RowFilter.all([.text(.stream, .equals("b.log")), category]).asked(of: file) == .nothing)
    #expect(RowFilter.all([.text(.stream, .equals("a.log")), category]).asked(of: file) == category)
    #expect(RowFilter.any([.text(.region, .hasPrefix("e")), category]).asked(of: file) == .everything)
    #expect(RowFilter.number(.rotated, 0...1).asked(of: file) == .nothing)
    #expect(RowFilter.isNull(.number(.rotated)).asked(of: file) == .everything)
  }

  // MARK: what planners make of conditions

  @Test(arguments: [
    ("category = 'X'", "(\"category\" = 'X')", true),
    ("'X' = category", "(\"category\" = 'X')", true),
    (
      "category IN ('X', 'Y') AND line > 3",
      "(((\"category\" = 'X') OR (\"category\" = 'Y')) AND (line >= 4))", true
    ),
    (
      "NOT (category = 'X' OR line BETWEEN 2 AND 3)",
      "(NOT (\"category\" = 'X') AND ((line <= 1) OR (line >= 4)))", true
    ),
    ("message LIKE '%a%b'", "(\"message\" LIKE '%a%b')", true),
    ("message LIKE 'a_b'", "(\"message\" LIKE '%a%b%')", false),
    ("message NOT LIKE '%a%'", "NOT (contains(\"message\", 'a'))", true),
    ("message ILIKE '%a%'", "true", false),
    ("category = 'X' AND upper(message) = 'Y'", "(\"category\" = 'X')", false),
    ("category = 'X' OR upper(message) = 'Y'", "true", false),
    ("NOT (category = 'X' AND upper(message) = 'Y')", "true", false),
    ("ts >= '2026-11-23 14:00:00'", "(\"ts\" >= make_timestamptz(1795442400000000))", true),
    (
      "ts < TIMESTAMPTZ '2026-11-23 14:00:00+00' + INTERVAL 1 HOUR",
      "(\"ts\" <= make_timestamptz(1795445999999999))", true
    ),
    ("ts >= DATE '2026-11-23'", "(\"ts\" >= make_timestamptz(1795392000000000))", true),
    ("ts = 'nonsense'", "true", false),
    ("ts > 'infinity'", "true", false),
    ("length(message) > 10", "(length(\"message\") >= 11)", true),
    ("id = 5", "true", false),
    ("id IS NOT NULL AND extra IS NULL", "((\"id\" IS NOT NULL) AND (\"extra\" IS NULL))", true),
    ("category IS DISTINCT FROM 'X'", "((\"category\" IS NULL) OR NOT (\"category\" = 'X'))", true),
    ("random() < 2 AND category = 'X'", "(\"category\" = 'X')", false),
    ("category COLLATE NOCASE = 'x'", "true", false),
    ("category NOT IN ('X', NULL)", "true", false),
    ("stream = 'a.log' AND rotated IS NULL", "((\"stream\" = 'a.log') AND (\"rotated\" IS NULL))", true),
  ]) func conditions(_ condition: String, _ filter: String, _ isExact: Bool) async throws {
    let duckdb = try await testDuckDB()
    let session = try duckdb.session(DuckDB.Settings())
    try await session.run(Gather.emptyViews)
    let text = "SELECT node FROM live WHERE \(condition)"
    let statement = try await session.statement(text)
    let columns = resultColumns(try await session.run(["DESCRIBE FROM query(\(text))"]))
    let plan = try await session.plan(statement, columns)
    #expect(plan.liveFilter.sql.text == filter)
    // Where the scanner decides it all, nothing is left to be asked.
    if isExact { #expect(plan.questions.isEmpty) }
    session.end()
  }
}

// MARK: filters

private func filter(_ depth: Int, _ random: inout SeededRandom) -> RowFilter {
  let columns = RowFilter.TextColumn.allCases
  let column = columns[random.below(random.below(4) == 0 ? columns.count : 5)]
  switch random.below(depth > 0 ? 10 : 7) {
  case 0..<4:
    let texts =
      lineWords + [
        "SECURITY", "INFO", "X", "1", "1.1", "needle-3", "7", "k\":", "app", "eu-west1",
        #"{"k":[1,"needle"],"l":true}"#,
      ]
    let text = texts[random.below(texts.count)]
    let tests: [RowFilter.TextTest] = [
      .equals(text), .contains(text), .hasPrefix(text), .hasSuffix(text), .isLess(text), .isLessOrEqual(text),
      .like(
        [text, lineWords[random.below(lineWords.count)]].filter {
          !$0.isEmpty && !$0.contains("%") && !$0.contains("_")
        },
        startsThere: random.below(2) == 0, endsThere: random.below(2) == 0),
    ]
    return .text(column, tests[random.below(tests.count)], isNegated: random.below(4) == 0)
  case 4:
    let low = Int64(1_795_442_400_000_000 + random.below(3600) * 1_000_000)
    switch random.below(3) {
    case 0: return .number(.line, Int64(random.below(200))...Int64(200 + random.below(300)))
    case 1: return .number(.rotated, low...(low + 1_000_000_000))
    default: return .number(.ts, low...(random.below(2) == 0 ? .max : low + 900_000_000))
    }
  case 5:
    let low = Int64(random.below(12))
    return .length(column, random.below(2) == 0 ? .bytes : .characters, low...(low + Int64(random.below(9))))
  case 6:
    let all: [RowFilter.Column] = [.text(column), .number(.ts), .number(.rotated), .extra, .malformed]
    return .isNull(all[random.below(all.count)], random.below(2) == 0)
  default:
    let parts = (0..<1 + random.below(3)).map { _ in filter(depth - 1, &random) }
    return random.below(2) == 0 ? .all(parts) : .any(parts)
  }
}

/// Scans the bytes, cut into a few blocks, into a frame.
private func write(_ bytes: [UInt8], _ filter: RowFilter, to path: String, _ random: inout SeededRandom)
  throws
{
  var columns = Set(RowColumn.allCases)
  // What a filter looks at need not be in the frame.
  if filter != .everything, random.below(2) == 0 { columns = [.line, RowColumn.allCases[random.below(11)]] }
  var scanner = Scanner(columns: columns)
  var writer = try FrameWriter.create(path, columns: columns)
  scanner.begin(batch: 0, filter: filter)
  let cuts = (0..<random.below(6)).map { _ in random.below(bytes.count) }.sorted()
  for (start, end) in zip([0] + cuts, cuts + [bytes.count]) {
    try bytes[start..<end].withUnsafeBytes { try scanner.scan($0) { try writer.append(&$0) } }
  }
  try scanner.finish(.rotated) { try writer.append(&$0) }
  try scanner.drain { try writer.append(&$0) }
  _ = try writer.finish()
}
