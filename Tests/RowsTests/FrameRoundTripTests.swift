// What goes into a frame comes out of it, whoever reads it: DuckDB, pyarrow, FrameReader, and Row's JSON.

import Files
import Support
import TestSupport
import Testing

@testable import Rows

/// Which rows have a value in which column.
private enum Presence: String, CaseIterable, Sendable {
  case all, none, mixed, onlyMalformed, halfMalformed

  func callAsFunction(_ number: Int, _ column: RowColumn) -> Bool {
    switch self {
    case .all: column != .malformed
    case .none: false
    case .mixed: column != .malformed && (number >> (column.rawValue % 5) & 1) == 1
    case .onlyMalformed: column == .malformed || column == .text
    case .halfMalformed: column == .malformed ? number % 2 == 1 : true
    }
  }
}

@Suite struct FrameRoundTripTests {
  @Test(.tags(.medium), arguments: Presence.allCases)
  fileprivate func smallRowGroups(_ presence: Presence) async throws {
    try await withScratch { folder in
      let frame = try WrittenFrame(
        joined(folder, "f.parquet"), groups: [1, 2, 7, 8, 9, 63, 64, 65, 500, 1]
      ) { presence($0, $1) }
      try await frame.check(in: folder)
      let reader = try FrameReader(frame.layout)
      var read: [Row] = []
      try reader.rows(Array(0..<UInt32(frame.layout.rows))) { read.append(Row($0)) }
      #expect(read == frame.rows)
      for number in frame.rows.indices {
        var picked: [Row] = []
        try reader.rows([UInt32(number)]) { picked.append(Row($0)) }
        #expect(picked == [frame.rows[number]])
      }
    }
  }

  @Test(.tags(.medium)) func rowGroupsThatTheScannerParts() async throws {
    try await withScratch { folder in
      let count = RowBuffer.rowLimit + 77
      // `version` has no value in the last row group.
      let frame = try WrittenFrame(joined(folder, "f.parquet"), groups: [5, count]) { number, column in
        switch column {
        case .malformed: number % 1000 == 999
        case .version: number < RowBuffer.rowLimit
        case .service: number % 2 == 0
        case .id, .extra: number % 5 == 0
        default: true
        }
      }
      try await frame.check(in: folder)
      let edge = Int64(RowBuffer.rowLimit)
      let last = Int64(frame.rows.count - 1)
      let wanted = [0, 4, 5, 6, 1000, edge + 3, edge + 4, edge + 5, edge + 6, last - 1, last]
      var picked: [Row] = []
      try FrameReader(frame.layout).rows(wanted.map { UInt32($0) }) { picked.append(Row($0)) }
      #expect(picked == wanted.map { frame.rows[Int($0)] })
      var none = 0
      try FrameReader(frame.layout).rows([]) { _ in none += 1 }
      #expect(none == 0)
    }
  }

  @Test(.tags(.medium)) func aFrameOfNoRowsCanBeRead() async throws {
    try await withScratch { folder in
      let frame = try WrittenFrame(joined(folder, "f.parquet"), groups: []) { _, _ in true }
      try await frame.check(in: folder)
    }
  }

  @Test(.tags(.medium)) func rowsAsJSON() async throws {
    try await withScratch { folder in
      var rows: [Row] = []
      for presence in Presence.allCases {
        let frame = try WrittenFrame(joined(folder, "\(presence).parquet"), groups: [120]) {
          presence($0, $1)
        }
        rows += frame.rows
      }
      // Every character below U+0080, and the largest line number.
      var row = Row()
      row.message = Array(0..<0x80)
      row.line = .max
      row.text = []
      rows.append(row)
      let constant = BatchColumns(
        region: "eu \"1\"", zone: "z\\", node: "n\n", stream: "app/log😀",
        rotated: Instant(seconds: 1_795_442_400), batch: "b\0")
      var input: [UInt8] = []
      func hex(_ bytes: [UInt8]?) -> String {
        bytes.map { "\"" + $0.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + "\"" } ?? "null"
      }
      for row in rows {
        let json = row.json(constant)
        #expect(json.last == 0x0A && json.filter { $0 == 0x0A }.count == 1)
        let ts = row.ts.map { "\($0.microseconds)" } ?? "null"
        let columns = [
          row.service, row.category, row.message, row.id, row.version, row.extra, row.malformed, row.text,
        ]
        input += Array(
          "[\"\(hex(json).dropFirst().dropLast())\",\(ts),\(row.line),\(columns.map(hex).joined(separator: ","))]\n"
            .utf8)
      }
      try publish(input, at: joined(folder, "rows.ndjson"), replacing: false)
      let said = try await python(readRows, [joined(folder, "rows.ndjson")])
      #expect(String(decoding: said, as: UTF8.self) == "same \(rows.count)\n")
    }
  }
}

private let readRows = #"""
  import orjson, re, sys
  from datetime import datetime, timedelta, timezone
  names = ['ts', 'service', 'category', 'message', 'id', 'version', 'region', 'zone', 'node', 'stream', 'rotated', 'batch', 'line', 'extra', 'malformed', 'text']
  count = 0
  for line in open(sys.argv[1], 'rb'):
      text, ts, number, *columns = orjson.loads(line)
      row = orjson.loads(bytes.fromhex(text))
      assert list(row) == names, row
      for name, value in zip(['service', 'category', 'message', 'id', 'version', 'extra', 'malformed', 'text'], columns):
          assert row[name] == (None if value is None else bytes.fromhex(value).decode()), (name, row)
      assert row['line'] == number
      if ts is None: assert row['ts'] is None
      else:
          assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?Z', row['ts']), row
          assert datetime.fromisoformat(row['ts'].replace('Z', '+00:00')) == datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=ts), row
      fixed = [row[name] for name in ('region', 'zone', 'node', 'stream', 'rotated', 'batch')]
      assert fixed == ['eu "1"', 'z\\', 'n\n', 'app/log😀', '2026-11-23T14:00:00Z', 'b\0'], fixed
      count += 1
  print('same', count)
  """#
