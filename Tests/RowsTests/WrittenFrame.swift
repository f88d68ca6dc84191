import DuckDB
import Files
import Rows
import Support
import TestSupport
import Testing

/// One row that a line has to give, and the line.
private struct Sample {
  var row: Row
  var line: [UInt8]
}

private let texts: [String?] = [
  nil, "", "a", "dog cheese", "\0", "a\0b\0", "é", "€uro", "😀", "\u{10FFFF}\u{10000}", "e\u{301}",
  "\"\\/\u{8}\u{C}\n\r\t\u{1}\u{1F}\u{7F}", "'; DROP", "NULL", "null",
  String(repeating: "long😀", count: 60), "\u{FEFF}\u{2028}\u{FFFF}", "a\\xff",
]

private let moments: [(text: String?, microseconds: Int64)] = [
  (nil, 0), ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
  ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999), ("1970-01-01", 0),
  ("1969-12-31T23:59:59.999999Z", -1), ("2026-11-23T14:00:00.5Z", 1_795_442_400_500_000),
]

/// A row whose columns are taken in turn from the texts, starting at different ones, with the line that says so.
private func sample(_ number: Int, present: (RowColumn) -> Bool) -> Sample {
  var sample = Sample(row: Row(), line: [])
  func text(_ column: RowColumn) -> [UInt8]? {
    present(column)
      ? texts[(number / (column.rawValue + 1) + 3 * column.rawValue) % texts.count].map { Array($0.utf8) }
      : nil
  }
  if present(.malformed) {
    // A line that is no JSON: itself, whatever it holds but LF.
    sample.line = [0x21] + (text(.text) ?? []).filter { $0 != 0x0A && $0 != 0x0D }
    sample.row.malformed = Array((sample.line.contains(0) ? "nul-byte" : "not-json").utf8)
    sample.row.text = sample.line
    return sample
  }
  var members: [[UInt8]] = []
  func member(_ key: String, _ value: [UInt8]?) {
    guard let value else { return }
    members.append(Array("\"\(key)\":".utf8) + jsonString(value))
  }
  sample.row.id = text(.id)
  sample.row.version = text(.version)
  sample.row.message = text(.message)
  if present(.service) {
    sample.row.service = Array("Auth😀\(number % 7)".utf8)
    sample.row.category = Array("C\(number % 3)".utf8)
    sample.row.message =
      sample.row.service! + Array(" [".utf8) + sample.row.category! + Array("] ".utf8)
      + (text(.message) ?? [])
  }
  member("id", sample.row.id)
  member("@version", sample.row.version)
  member("message", sample.row.message)
  let moment = moments[present(.ts) ? number % moments.count : 0]
  if let text = moment.text {
    sample.row.ts = Instant(microseconds: moment.microseconds)
    member("@timestamp", Array(text.utf8))
  }
  if let extra = text(.extra) {
    sample.row.extra = Array("{\"k\":".utf8) + jsonString(extra) + [0x7D]
    member("k", extra)
  }
  sample.line = [0x7B] + members.joined(separator: [0x2C]) + [0x7D]
  return sample
}

private func jsonString(_ text: [UInt8]) -> [UInt8] {
  var out: [UInt8] = [0x22]
  for byte in text {
    switch byte {
    case 0x22, 0x5C: out += [0x5C, byte]
    case 0..<0x20: out += Array((byte < 16 ? "\\u000" : "\\u00").utf8) + Array(String(byte, radix: 16).utf8)
    default: out.append(byte)
    }
  }
  return out + [0x22]
}

/// Rows that were written as a frame, with those that were meant.
struct WrittenFrame {
  var layout: FrameLayout
  var rows: [Row]
  var path: String

  /// Row groups of the sizes given; each is one file of the scanner. The last group's rows are left to the scanner to part.
  init(_ path: String, groups: [Int], present: (Int, RowColumn) -> Bool) throws {
    self.path = path
    rows = []
    var scanner = Scanner()
    var writer = try FrameWriter.create(path)
    for (group, count) in groups.enumerated() {
      let batch = group == 0 ? Int32.max : Int32(group)
      var bytes: [UInt8] = []
      for number in 0..<count {
        // Counted on over the groups, so that no group has its values in the places of the one before.
        let place = rows.count
        var sample = sample(place) { present(place, $0) }
        sample.row.batch = batch
        sample.row.line = Int64(number + 1)
        rows.append(sample.row)
        bytes += sample.line + [0x0A]
      }
      scanner.begin(batch: batch)
      try bytes.withUnsafeBytes { try scanner.scan($0) { try writer.append(&$0) } }
      try scanner.finish(.rotated) { try writer.append(&$0) }
      try scanner.drain { try writer.append(&$0) }
    }
    #expect(writer.rows == Int64(rows.count))
    layout = try writer.finish()
    #expect(layout.rows == Int64(rows.count))
  }

  /// The meant rows as CSV: `x` and the hexadecimal digits of a text, nothing for NULL.
  func publishExpected(_ path: String) throws {
    var out = Array("n,batch,line,ts,service,category,message,id,version,extra,malformed,text\n".utf8)
    let digits = Array("0123456789abcdef".utf8)
    for (number, row) in rows.enumerated() {
      out += Array("\(number),\(row.batch),\(row.line),\(row.ts.map { "\($0.microseconds)" } ?? "")".utf8)
      for text in [
        row.service, row.category, row.message, row.id, row.version, row.extra, row.malformed, row.text,
      ] {
        out.append(0x2C)
        guard let text else { continue }
        out.append(UInt8(ascii: "x"))
        for byte in text { out += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
      }
      out.append(0x0A)
    }
    try publish(out, at: path, replacing: false)
  }

  func check(in folder: String) async throws {
    let expected = joined(folder, "expected.csv")
    try publishExpected(expected)
    let textColumns = ["service", "category", "message", "id", "version", "extra", "malformed", "text"]
    let differences: [SQL] = textColumns.map {
      "count(*) FILTER (f.\(name: $0) IS DISTINCT FROM CASE WHEN e.\(name: $0) IS NOT NULL THEN decode(unhex(e.\(name: $0)[2:])) END) AS \(name: $0)"
    }
    let sets = try await testDuckDB().run([
      "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet(\(path)))",
      """
      SELECT count(*) AS rows, count(f.line) AS here, count(e.line) AS there,
        count(*) FILTER (f.batch IS DISTINCT FROM e.batch::INTEGER) AS batch, count(*) FILTER (f.line IS DISTINCT FROM e.line::BIGINT) AS line,
        count(*) FILTER (epoch_us(f.ts) IS DISTINCT FROM e.ts::BIGINT) AS ts, \(differences.joined(separator: ", "))
      FROM read_parquet(\(path), file_row_number = true) f
      FULL JOIN read_csv(\(expected), all_varchar = true, header = true, quote = '', escape = '', delim = ',') e ON f.file_row_number = e.n::BIGINT
      """,
    ])
    let types = sets[0].map { "\($0["column_name"]?.string ?? "") \($0["column_type"]?.string ?? "")" }
    #expect(
      types == ["batch INTEGER", "line BIGINT", "ts TIMESTAMP WITH TIME ZONE"]
        + textColumns.map { $0 + " VARCHAR" })
    let count = JSONValue.integer(Int64(rows.count))
    var none = Dictionary(
      uniqueKeysWithValues: (["batch", "line", "ts"] + textColumns).map { ($0, JSONValue.integer(0)) })
    none["rows"] = count
    none["here"] = count
    none["there"] = count
    #expect(sets[1] == [.object(none)])
    let said = try await python(readWithPyArrow, [path, expected])
    #expect(String(decoding: said, as: UTF8.self) == "same \(rows.count)\n")
  }
}

private let readWithPyArrow = #"""
  import csv, pyarrow.parquet as pq, sys
  file = pq.ParquetFile(sys.argv[1])
  kinds = [str(field.type) for field in file.schema_arrow]
  assert kinds == ['int32', 'int64', 'timestamp[us, tz=UTC]'] + ['string'] * 8, kinds
  assert [field.nullable for field in file.schema_arrow] == [False, False] + [True] * 9
  for group in range(file.metadata.num_row_groups):
      rows = file.read_row_group(group).num_rows
      assert 0 < rows <= 122880 and rows == file.metadata.row_group(group).num_rows
  table = file.read()
  table.validate(full=True)
  expected = list(csv.DictReader(open(sys.argv[2])))
  assert table.num_rows == len(expected)
  for name in table.column_names:
      column = table.column(name)
      if name == 'ts': column = column.cast('int64')
      number = name in ('batch', 'line', 'ts')
      for at, (value, row) in enumerate(zip(column.to_pylist(), expected)):
          meant = row[name]
          meant = None if meant == '' else int(meant) if number else bytes.fromhex(meant[1:]).decode()
          assert value == meant, (name, at, value, meant)
  print('same', len(expected))
  """#
