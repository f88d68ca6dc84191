import DuckDB
import Support
import TestSupport
import Testing

@testable import Iceberg

/// Other readers of Iceberg find what was appended, and leave out the files that can't hold it.
@Suite(.tags(.medium)) struct ReadBackTests {
  @Test func pyicebergCountsAndPrunes() async throws {
    try await withTable { table in
      let first = try await table.append(try await table.threeFiles(), run: "RUN-1")
      let more = try await table.file(
        "d", day: SampleTable.day + 1, region: "us-east1", line: 9000, rows: 11, malformed: 11)
      _ = try await table.append([more], run: "RUN-2")
      // Filter, rows, files.
      let cases: [(String, Int, Int)] = [
        ("", 186, 4),
        ("region = 'us-east1'", 136, 3), ("region = 'europe-west1-é'", 50, 1), ("region = 'nope'", 0, 0),
        ("rotated < '2026-11-24T00:00:00+00:00'", 150, 2), ("rotated >= '2026-11-24T00:00:00+00:00'", 36, 2),
        ("rotated >= '2026-11-25T00:00:00+00:00'", 0, 0),
        ("rotated >= '2026-11-24T00:00:00+00:00' and region = 'europe-west1-é'", 0, 0),
        ("rotated = '2026-11-23T14:00:00+00:00' and region = 'us-east1'", 100, 1),
        ("line > 4999", 36, 2), ("line > 5024", 11, 1), ("line > 10000", 0, 0), ("line <= 100", 100, 1),
        // Bounds of ts: the file of malformed lines has none, and is left out by its null count.
        ("ts >= '2026-11-23T13:00:00+00:00'", 25, 1), ("ts is null", 14, 2), ("malformed is not null", 14, 2),
        ("malformed = 'not-json'", 14, 2), ("malformed = 'nul-byte'", 0, 0), ("extra is not null", 0, 0),
        ("text is not null", 14, 2), ("service is not null", 172, 3),
        // String bounds are cut after sixteen characters.
        ("id = 'id00000000000042-and-more'", 1, 1), ("id > 'id0000000000z'", 0, 0), ("id < 'id'", 0, 0),
        ("stream = 'my_logs.log'", 186, 4), ("stream = 'other'", 0, 0),
      ]
      let found = try await table.pyiceberg(cases.map(\.0))
      for (wanted, got) in zip(cases, found) {
        #expect(got == [wanted.1, wanted.2], "\(wanted.0)")
      }
      #expect(found.count == cases.count)
      #expect(
        try await table.pyiceberg(["", "region = 'us-east1'"], snapshot: first.currentSnapshotID) == [
          [175, 3], [125, 2],
        ])
    }
  }

  @Test func duckdbCountsAndTravels() async throws {
    try await withTable { table in
      let first = try #require(
        try await table.append(try await table.threeFiles(), run: "RUN-1").currentSnapshotID)
      let more = try await table.file("d", day: SampleTable.day + 1, region: "us-east1", line: 9000, rows: 11)
      _ = try await table.append([more], run: "RUN-2")
      #expect(try await table.scanned() == 186)
      #expect(try await table.scanned("WHERE region = 'us-east1'") == 136)
      #expect(try await table.scanned("WHERE region = 'europe-west1-é'") == 50)
      #expect(try await table.scanned("WHERE rotated >= '2026-11-24'") == 36)
      #expect(try await table.scanned("WHERE line BETWEEN 50 AND 1009") == 61)
      #expect(try await table.scanned("WHERE malformed IS NOT NULL") == 3)
      #expect(try await table.scanned("WHERE id = 'id00000000000042-and-more'") == 1)
      #expect(try await table.scanned(options: ", snapshot_from_id => \(first)::UBIGINT") == 175)
    }
  }

  /// Writing under the table's default spec, when that is another, gives wrong answers without an error.
  @Test func theSpecIsOursAlsoWhenAnotherIsTheDefault() async throws {
    try await withTable { table in
      _ = try await table.append(try await table.threeFiles(), run: "RUN-1")
      try await table.change {
        let ours = $0["partition-specs"]?.array ?? []
        $0["partition-specs"] = .array(
          ours + [
            [
              "spec-id": 1,
              "fields": [["source-id": 8, "field-id": 1002, "name": "zone", "transform": "identity"]],
            ]
          ])
        $0["default-spec-id"] = 1
        $0["last-partition-id"] = 1002
      }
      let more = try await table.file("d", day: SampleTable.day + 1, region: "us-east1", line: 9000, rows: 11)
      let second = try await table.append([more], run: "RUN-2")
      #expect(second.metadata["default-spec-id"] == 1)
      #expect(
        try await table.pyiceberg(["", "region = 'us-east1'", "zone = 'us-east1-b'", "zone = 'nope'"])
          == [[186, 4], [136, 3], [136, 3], [0, 0]])
      #expect(try await table.scanned("WHERE region = 'us-east1'") == 136)
    }
  }

  /// Somebody made our spec again under other names and numbers, and dropped the first.
  @Test func aSpecOfOursWithOtherNamesAndNumbersIsWrittenUnder() async throws {
    try await withTable { table in
      _ = try await table.append(try await table.threeFiles(), run: "RUN-1")
      try await table.change {
        $0["partition-specs"] = [
          [
            "spec-id": 0,
            "fields": [
              ["source-id": 11, "field-id": 1000, "name": "rotated_day", "transform": "void"],
              ["source-id": 7, "field-id": 1001, "name": "region", "transform": "identity"],
            ],
          ],
          [
            "spec-id": 3,
            "fields": [
              ["source-id": 11, "field-id": 1005, "name": "the \"day\"", "transform": "day"],
              ["source-id": 7, "field-id": 1001, "name": "region", "transform": "identity"],
            ],
          ],
        ]
        $0["default-spec-id"] = 3
        $0["last-partition-id"] = 1005
      }
      let more = try await table.file("d", day: SampleTable.day + 2, region: "eu", line: 9000, rows: 11)
      _ = try await table.append([more], run: "RUN-2")
      let entries = try await table.manifestList()
      #expect(Set(entries.map { $0["partition_spec_id"]?.integer }) == [0, 3])
      #expect(
        try await table.pyiceberg([
          "region = 'eu'", "rotated >= '2026-11-25T00:00:00+00:00'", "rotated < '2026-11-20T00:00:00+00:00'",
        ])
          == [[11, 1], [11, 1], [0, 0]])
      #expect(try await table.scanned("WHERE region = 'eu'") == 11)
    }
  }

  /// Every value of a bound that could not be raised.
  @Test func textBeyondAllBoundsIsFound() async throws {
    try await withTable { table in
      let region = String(repeating: "\u{10FFFF}", count: 20)
      let file = try await table.file("a", day: SampleTable.day, region: region, rows: 3)
      _ = try await table.append([file], run: "RUN-1")
      #expect(
        try await table.pyiceberg(["region = '\(region)'", "zone > 'a'", "zone < 'a'"]) == [
          [3, 1], [3, 1], [0, 0],
        ])
    }
  }
}

extension SampleTable {
  /// The current snapshot's manifest list as pyiceberg decodes it.
  func manifestList() async throws -> [JSONValue] {
    let table = try #require(try await catalog.load())
    let list = try #require(table.currentSnapshot?.manifestList)
    let script = """
      import json, sys
      from pyiceberg.io.pyarrow import PyArrowFileIO
      from pyiceberg.manifest import read_manifest_list
      io = PyArrowFileIO()
      def summary(p):
          return {'null': p.contains_null, 'nan': p.contains_nan, 'low': p.lower_bound.hex(), 'high': p.upper_bound.hex()}
      result = []
      for m in read_manifest_list(io.new_input(sys.argv[1])):
          entry = {name: getattr(m, name) for name in ('manifest_path', 'manifest_length', 'partition_spec_id', 'sequence_number',
              'min_sequence_number', 'added_snapshot_id', 'added_files_count', 'existing_files_count', 'deleted_files_count',
              'added_rows_count', 'existing_rows_count', 'deleted_rows_count')}
          entry['content'] = int(m.content)
          entry['partitions'] = [summary(p) for p in m.partitions]
          entry['entries'] = []
          for e in m.fetch_manifest_entry(io):
              d = e.data_file
              hexed = lambda values: {str(k): v.hex() for k, v in (values or {}).items()}
              numbers = lambda values: {str(k): v for k, v in (values or {}).items()}
              entry['entries'].append({'status': int(e.status), 'snapshot': e.snapshot_id, 'sequence': e.sequence_number,
                  'file_sequence': e.file_sequence_number, 'path': d.file_path, 'format': str(d.file_format.value),
                  'content': int(d.content), 'records': d.record_count, 'size': d.file_size_in_bytes,
                  'partition': [d.partition[0], d.partition[1]], 'values': numbers(d.value_counts), 'nulls': numbers(d.null_value_counts),
                  'sizes': numbers(d.column_sizes), 'lower': hexed(d.lower_bounds), 'upper': hexed(d.upper_bounds),
                  'offsets': d.split_offsets, 'sort': d.sort_order_id})
          result.append(entry)
      json.dump(result, sys.stdout)
      """
    return try JSONValue(parsing: try await python(script, [list])).array ?? []
  }
}
