import DuckDB
import Files
import Support
import TestSupport

/// Five nodes whose logs are odd on purpose, and one DuckDB over all their lines.
///
/// The lines are written from the rows that the statements in `Tests/Cases/queries` are about, so that these find what they look for: one node has
/// more than half of all, one nothing but what is archived, one three lines; there are ties, NULLs, rare values, strange names and malformed lines. About a
/// third of the lines was harvested before, a third is rotated, a third is being written.
///
/// What the reference has was made of the very bytes by Python, from the rules of docs/table.md: neither the scanner nor the planner, nor anything else of
/// the program's, takes part in it.
struct OddFleet {
  let fleet: TestFleet
  let reference: ReferenceAnswers

  static func with<Result>(
    isolation: isolated (any Actor)? = #isolation, _ body: (OddFleet) async throws -> Result
  ) async throws -> Result {
    try await TestFleet.with { whole in
      let fleet = TestFleet(
        folder: whole.folder,
        nodes: [
          ("eu-west", "eu-west-a", "alder"), ("eu-west", "eu-west-b", "birch"),
          ("us-east", "us-east-a", "cedar"),
          ("us-east", "us-east-a", "doum"), ("ap-south", "ap-south-c", "elan"),
        ].map { TestNode(region: $0, zone: $1, name: $2, root: joined(whole.folder, "nodes/\($2)")) },
        archive: whole.archive)
      for node in fleet.nodes {
        for folder in [TestFleet.rawLogs, "var/log/app"] { try makeFolder(node.path(folder)) }
      }
      try fleet.configure(live: "var/log/app/*")
      let files = try await Self.files()
      for file in files where file.place == .archived { try file.put(into: fleet) }
      let harvest = try await fleet.gadwall("harvest", "--quiet", seconds: 180)
      guard harvest.status == 0 else { throw MissingPart(description: "The harvest failed: \(harvest)") }
      for file in files where file.place != .archived { try file.put(into: fleet) }
      return try await body(OddFleet(fleet: fleet, reference: try await .make(fleet, files)))
    }
  }

  /// Where a file is by the time of the statements.
  enum Place: String { case archived, rotated, live }

  /// One file, with all that the reference has to know of it.
  struct File {
    var node: Int
    var stream: String
    var name: String
    var place: Place
    var rotated: Int64?
    /// Its lines by their numbers; those between are blank.
    var lines: [Int64: [UInt8]] = [:]

    /// The whole lines, and of some files a last one without its end: that is a line when the file is rotated, and none as long as somebody writes.
    var content: [UInt8] {
      var bytes: [UInt8] = []
      let last = lines.keys.max() ?? 0
      for number in stride(from: 1, through: last, by: 1) {
        bytes += lines[number] ?? (number % 2 == 0 ? [] : [0x20, 0x09])
        if number % 9 == 0 { bytes.append(0x0D) }
        if number < last || place == .live || last % 2 == 0 { bytes.append(0x0A) }
      }
      if place == .live { bytes += Array(#"{"id":"half","message":"auth [SECURITY] is being wri"#.utf8) }
      return bytes
    }

    func put(into fleet: TestFleet) throws {
      let owner = fleet.nodes[node]
      guard let rotated else {
        return try fleet.write(content, to: joined(owner.path("var/log/app"), name))
      }
      let isGzip = name.hasSuffix(".gz")
      try fleet.place(owner.rawPath(name), isGzip ? gzip(content) : content, rotated: rotated)
    }
  }

  private static func files() async throws -> [File] {
    let read: SQL = """
      SELECT *, CASE host WHEN 'eu-west-a' THEN 0 WHEN 'eu-west-b' THEN 1 WHEN 'us-east-a' THEN CASE node WHEN 'cedar' THEN 2 ELSE 3 END ELSE 4 END AS owner,
        part = 5 OR coalesce(rotated = TIMESTAMPTZ '2026-11-21 00:00:00+00', false) AS archived
      FROM (SELECT line, part, zone AS host, node, rotated, stream, id, version, message, extra, malformed, text, epoch(rotated)::BIGINT AS seconds,
        strftime(ts, '%Y-%m-%dT%H:%M:%S.%f') AS utc, strftime(ts + INTERVAL 330 MINUTE, '%Y-%m-%d %H:%M:%S,%f') AS delhi FROM logs_all)
      ORDER BY owner, stream, rotated, line
      """
    let rows = try await testDuckDB().run(QueryCases.rows() + [read]).last ?? []
    var files: [String: File] = [:]
    // One line that is really too long does: its 4 MiB are read for every statement.
    var hasTooLong = false
    for (index, row) in rows.enumerated() {
      let node = Int(row["owner"]?.integer ?? 0)
      let stream = row["stream"]?.string ?? ""
      let rotated = row["seconds"]?.integer
      let key = "\(node) \(stream) \(rotated ?? 0)"
      // The number is no part of the stream's name.
      let number = files.count + 1
      let name = rotated == nil ? stream : "\(stream).\(number)\(number % 3 == 0 ? ".gz" : "")"
      let place: Place = rotated == nil ? .live : row["archived"]?.bool == true ? .archived : .rotated
      var file = files[key] ?? File(node: node, stream: stream, name: name, place: place, rotated: rotated)
      var line = line(row, index)
      if !hasTooLong, place == .rotated, row["malformed"]?.string == "too-long" {
        line = [UInt8](repeating: 0x78, count: (4 << 20) + 1)
        hasTooLong = true
      }
      file.lines[row["line"]?.integer ?? 0] = line
      files[key] = file
    }
    return files.keys.sorted().compactMap { files[$0] }
  }

  // MARK: lines

  private static func line(_ row: JSONValue, _ index: Int) -> [UInt8] {
    if let malformed = row["malformed"]?.string { return broken(malformed, row["text"]?.string ?? "", index) }
    var members: [String] = []
    for (key, column) in [("message", "message"), ("id", "id"), ("@version", "version")] {
      if let value = row[column]?.string {
        members.append("\"\(key)\":\(json(value, isASCII: index % 5 == 0))")
      } else if index % 2 == 0 {
        members.append("\"\(key)\": null")
      }
    }
    if let utc = row["utc"]?.string {
      let time =
        switch index % 4 {
        case 0: utc + "Z"
        case 1: (row["delhi"]?.string ?? "") + "+05:30"
        case 2: utc + "123-00"
        default: utc
        }
      members.append("\"@timestamp\":\"\(time)\"")
    } else if index % 3 == 0 {
      // What can't be read stays in `extra`.
      members.append(index % 2 == 0 ? "\"@timestamp\":\"yesterday\"" : "\"@timestamp\":1700000000")
    }
    if let extra = row["extra"]?.string {
      let inner = extra.dropFirst().dropLast()
      if index % 2 == 0 { members.append(String(inner)) } else { members.insert(String(inner), at: 0) }
    }
    // The first of two counts.
    if index % 83 == 0 { members.append(#""id":"a later one","line":17"#) }
    let separator = index % 7 == 0 ? " ,\t" : ","
    return Array("\(index % 11 == 0 ? " " : ""){\(members.joined(separator: separator))}".utf8)
  }

  private static func json(_ text: String, isASCII: Bool) -> String {
    let plain = String(decoding: JSONValue.string(text).encoded, as: UTF8.self)
    guard isASCII else { return plain }
    return plain.utf16.map { unit in
      if unit < 0x80 { return String(UnicodeScalar(UInt8(unit))) }
      let digits = String(unit, radix: 16)
      return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }.joined()
  }

  private static func broken(_ reason: String, _ text: String, _ index: Int) -> [UInt8] {
    switch reason {
    case "invalid-utf8": return Array("bad ".utf8) + [0xFF] + Array(#"\ byte"#.utf8)
    case "too-long" where index % 2 == 0: return Array("{\"id\":\"nul \0\"}".utf8)
    default: return Array(text.utf8)
    }
  }
}

/// What one DuckDB gives over all the lines in one place.
actor ReferenceAnswers {
  private let folder: String
  private let duckdb: DuckDB
  private let rows: SQL
  private var session: Session?

  /// How many rows each relation has.
  nonisolated let counts: [String: Int64]

  private init(_ folder: String, _ duckdb: DuckDB, _ rows: SQL, _ counts: [String: Int64]) {
    self.folder = folder
    self.duckdb = duckdb
    self.rows = rows
    self.counts = counts
  }

  static func make(_ fleet: TestFleet, _ files: [OddFleet.File]) async throws -> ReferenceAnswers {
    let folder = joined(fleet.folder, "reference")
    try makeFolder(folder)
    var list: [UInt8] = []
    for (number, file) in files.enumerated() {
      let content = joined(folder, "content-\(number)")
      try fleet.write(file.content, to: content)
      let owner = fleet.nodes[file.node]
      let entry: JSONValue = [
        "region": .string(owner.region), "zone": .string(owner.zone), "node": .string(owner.name),
        "folder": .string(TestFleet.rawLogs), "stream": .string(file.stream),
        "rotated": file.rotated.map { .integer($0) } ?? .null, "content": .string(content),
        "archived": .bool(file.place == .archived),
      ]
      list += entry.encoded + [0x0A]
    }
    let manifest = joined(folder, "files.ndjson")
    let read = joined(folder, "rows.ndjson")
    try fleet.write(list, to: manifest)
    _ = try await python(referenceRules + referenceRows, [manifest, read])
    let duckdb = try await testDuckDB()
    let table = joined(folder, "rows.parquet")
    let rows: SQL = "CREATE TABLE all_rows AS FROM read_parquet(\(table))"
    let counted = try await duckdb.run([
      """
      COPY (FROM read_json(\(read), format = 'newline_delimited', columns = {ts: 'TIMESTAMPTZ', service: 'VARCHAR', category: 'VARCHAR', message: 'VARCHAR', \
      id: 'VARCHAR', version: 'VARCHAR', region: 'VARCHAR', zone: 'VARCHAR', node: 'VARCHAR', stream: 'VARCHAR', rotated: 'TIMESTAMPTZ', batch: 'VARCHAR', \
      line: 'BIGINT', extra: 'VARCHAR', malformed: 'VARCHAR', text: 'VARCHAR', archived: 'BOOLEAN'})) TO \(table) (FORMAT parquet)
      """,
      "SELECT count(*) AS logs, count(*) FILTER (archived) AS archive, count(*) FILTER (NOT archived) AS live FROM read_parquet(\(table))",
    ])
    let counts = (counted.last?.first?.object ?? [:]).compactMapValues(\.integer)
    return ReferenceAnswers(folder, duckdb, rows, counts)
  }

  /// A result: what its columns are called and are, and its rows, as CSV has them.
  struct Answer: Sendable {
    var names: [String]
    var types: [String]
    var rows: [[String]]
  }

  func answer(_ statement: String) async throws -> Answer {
    try await inSession { session in
      let described = try await session.run(["DESCRIBE FROM query(\(statement))"]).last ?? []
      let names = described.map { $0["column_name"]?.string ?? "" }
      let path = joined(self.folder, "wanted.csv")
      try await session.run([
        "COPY (SELECT * \(Self.source(statement, names.count))) TO \(path) (FORMAT csv, HEADER false)"
      ])
      let rows = try csvRows(readFile(path, limit: .mebibytes(512)))
      return Answer(names: names, types: described.map { $0["column_type"]?.string ?? "" }, rows: rows)
    }
  }

  /// The same after it has been in a Parquet file, which has fewer types.
  func answerThroughParquet(_ statement: String) async throws -> Answer {
    let path = joined(folder, "wanted.parquet")
    try await inSession { session in
      let count = try await session.run(["DESCRIBE FROM query(\(statement))"]).last?.count ?? 0
      try await session.run(["COPY (SELECT * \(Self.source(statement, count))) TO \(path) (FORMAT parquet)"])
    }
    return try await contents(of: path)
  }

  /// What a Parquet file with a result holds.
  func contents(of file: String) async throws -> Answer { try await answer("FROM read_parquet('\(file)')") }

  private static func source(_ statement: String, _ count: Int) -> SQL {
    let columns = (0..<count).map { "c\($0)" as SQL }.joined(separator: ", ")
    return "FROM query(\(statement)) AS t(\(columns))"
  }

  /// Whether one DuckDB fails over it, too.
  func fails(_ statement: String) async throws -> Bool {
    do {
      try await duckdb.run([rows] + views + [SQL(trusted: statement)])
      return false
    } catch {
      return error.code == "duckdb.failed"
    }
  }

  private var views: [SQL] {
    [
      "CREATE VIEW logs AS SELECT * EXCLUDE (archived) FROM all_rows",
      "CREATE VIEW live AS SELECT * EXCLUDE (archived) FROM all_rows WHERE NOT archived",
      "CREATE VIEW archive AS SELECT * EXCLUDE (archived) FROM all_rows WHERE archived",
    ]
  }

  /// A session ends with the first statement that fails.
  private func inSession<Result: Sendable>(_ body: (Session) async throws -> Result) async throws -> Result {
    let session: Session
    if let open = self.session {
      session = open
    } else {
      session = try duckdb.session(DuckDB.Settings(memory: .gibibytes(1)))
      self.session = session
      try await session.run([rows] + views)
    }
    do { return try await body(session) } catch {
      self.session = nil
      session.end()
      throw error
    }
  }

  func end() {
    session?.end()
    session = nil
  }
}

/// Reads the files of a list into rows, by ``referenceRules``.
private let referenceRows = #"""

  manifest, output = sys.argv[1:]
  with open(output, "w") as out:
      for text in pathlib.Path(manifest).read_text().splitlines():
          file = json.loads(text)
          content = pathlib.Path(file["content"]).read_bytes()
          live = file["rotated"] is None
          batch = None if live else batch_of(file, content)
          rotated = None if live else datetime.datetime.fromtimestamp(file["rotated"], datetime.timezone.utc).isoformat()
          for number, row in rows(content, live):
              if row is None:
                  continue
              row.update(region=file["region"], zone=file["zone"], node=file["node"], stream=file["stream"],
                         rotated=rotated, batch=batch, line=number, archived=file["archived"])
              row["ts"] = row["ts"] and row["ts"].isoformat()
              out.write(json.dumps(row) + "\n")
  """#

private let quoted = "\u{1}"

/// The cells of a CSV. An empty cell is NULL, shown as ␀, and `""` an empty text; what is quoted begins with ``quoted``.
func csvRows(_ bytes: [UInt8]) -> [[String]] {
  var rows: [[String]] = []
  var row: [String] = []
  var cell: [UInt8] = []
  var isQuoted = false
  var at = 0
  func end() {
    let text = String(decoding: cell, as: UTF8.self)
    row.append(isQuoted ? quoted + text : text.isEmpty ? "␀" : text)
    cell = []
    isQuoted = false
  }
  while at < bytes.count {
    switch bytes[at] {
    case UInt8(ascii: "\""):
      isQuoted = true
      at += 1
      while at < bytes.count {
        if bytes[at] == UInt8(ascii: "\"") {
          guard at + 1 < bytes.count, bytes[at + 1] == UInt8(ascii: "\"") else { break }
          at += 1
        }
        cell.append(bytes[at])
        at += 1
      }
    case UInt8(ascii: ","): end()
    case 0x0A:
      end()
      rows.append(row)
      row = []
    default: cell.append(bytes[at])
    }
    at += 1
  }
  return rows
}

/// The same for a header, where a cell is a name whether it is quoted or not.
func csvNames(_ cells: [String]) -> [String] {
  cells.map { $0.hasPrefix(quoted) ? String($0.dropFirst()) : $0 == "␀" ? "" : $0 }
}
