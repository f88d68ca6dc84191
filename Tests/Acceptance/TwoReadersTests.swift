// The table as others read it: pyiceberg and DuckDB, with filters that prune by partition and by bounds, and time travel.

import DuckDB
import Files
import Support
import TestSupport
import Testing

@Suite("Two readers of the table", .tags(.large))
struct TwoReadersTests {
  @Test(
    "pyiceberg and DuckDB give the same counts: all, by region, by day, by time, and as of the first snapshot"
  )
  func counts() async throws {
    try await TestFleet.with(nodes: 3) { fleet in
      var wanted: [String: Int64] = [:]
      // Two harvests; each node has a file of each of two days, whose entries are an hour apart.
      for round in 0..<2 {
        for node in 0..<3 {
          for day in 0..<2 {
            let count = 7 + round * 5 + node * 3 + day
            let start = "2026-11-\(20 + round * 2 + day)T00:00:00Z"
            let made = try await fleet.gadwall(
              "generate", "--count", "\(count)", "--services", "Auth", "--every", "1h", "--start", start, "-")
            try fleet.put(
              "my_logs.log.\(round)-\(day)", Array(made.output.utf8), on: node,
              rotated: TestFleet.hour + Int64(round * 2 + day - 3) * 86_400,
              stream: "my_logs.log.\(round)-\(day)")
            wanted["all", default: 0] += Int64(count)
            if round == 0 { wanted["first", default: 0] += Int64(count) }
            if node == 1 { wanted["region", default: 0] += Int64(count) }
            if round == 1, day == 0 { wanted["day", default: 0] += Int64(count) }
            if round == 0, day == 1 {
              wanted["region and day", default: 0] += node == 1 ? Int64(count) : 0
              // The second to the fourth hour of that day.
              wanted["hours", default: 0] += Int64(min(count, 4) - 1)
            }
          }
        }
        let harvest = try await fleet.gadwall("harvest")
        #expect(harvest.status == 0, "\(harvest)")
      }
      let read = try JSONValue(
        parsing: try await python(
          readingWithPyiceberg, [try fleet.tableMetadata()], properties: fleet.readerProperties))
      #expect(read.object?.compactMapValues(\.integer) == wanted)
      let names = ["all", "first", "region", "day", "region and day", "hours"]
      #expect(Set(wanted.keys) == Set(names))
      for (name, condition) in duckdbConditions {
        let rows = try await fleet.table("SELECT count(*) AS n FROM events WHERE \(condition)")
        #expect(rows.first?["n"]?.integer == wanted[name], "\(name)")
      }
      #expect(try await firstSnapshotCount(fleet) == wanted["first"])
      try await checkSchema(fleet)
    }
  }

  private func firstSnapshotCount(_ fleet: TestFleet) async throws -> Int64? {
    let path = try fleet.tableMetadata()
    let metadata = try JSONValue(parsing: try fleet.metadataBytes())
    let snapshots = metadata["snapshots"]?.array ?? []
    #expect(snapshots.count == 2)
    #expect(snapshots[1]["parent-snapshot-id"] == snapshots[0]["snapshot-id"])
    let first = try #require(snapshots.first?["snapshot-id"]?.integer)
    let rows = try await testDuckDB().run(
      (fleet.archive?.access ?? []) + [
        "SELECT count(*) AS n FROM iceberg_scan(\(path), snapshot_from_id = \(first)::UBIGINT)"
      ],
      DuckDB.Settings(load: ["avro", "iceberg"], deadline: .after(seconds: 60 * patience)))
    return rows.last?.first?["n"]?.integer
  }

  private func checkSchema(_ fleet: TestFleet) async throws {
    let rows = try await fleet.table(
      "SELECT column_name AS name, column_type AS type FROM (DESCRIBE SELECT * FROM events)")
    let found = rows.map { "\($0["name"]?.string ?? "?") \($0["type"]?.string ?? "?")" }
    #expect(
      found == [
        "ts TIMESTAMP WITH TIME ZONE", "service VARCHAR", "category VARCHAR", "message VARCHAR", "id VARCHAR",
        "version VARCHAR", "region VARCHAR", "zone VARCHAR", "node VARCHAR", "stream VARCHAR",
        "rotated TIMESTAMP WITH TIME ZONE", "batch VARCHAR", "line BIGINT", "extra VARCHAR",
        "malformed VARCHAR",
        "text VARCHAR",
      ])
  }

  @Test(
    "Bounds and partitions are right: a reader that prunes finds each row that one that reads everything finds"
  )
  func pruning() async throws {
    try await TestFleet.with(nodes: 3) { fleet in
      var made = GeneratedFiles(seed: 99)
      for index in 0..<30 { try made.putFile(index, into: fleet, nodes: 3, folders: 1) }
      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 0, "\(harvest)")
      let wrong = try await python(
        pruningWithPyiceberg, [try fleet.tableMetadata()], properties: fleet.readerProperties)
      #expect(String(decoding: wrong, as: UTF8.self) == "[]\n")
    }
  }
}

private let duckdbConditions: [(String, SQL)] = [
  ("all", "true"), ("region", "region = 'europe-west4'"),
  (
    "day",
    "rotated >= TIMESTAMPTZ '2026-11-22 00:00:00+00' AND rotated < TIMESTAMPTZ '2026-11-23 00:00:00+00'"
  ),
  (
    "region and day",
    "region = 'europe-west4' AND rotated >= TIMESTAMPTZ '2026-11-21 00:00:00+00' AND rotated < TIMESTAMPTZ '2026-11-22 00:00:00+00'"
  ),
  (
    "hours",
    "ts >= TIMESTAMPTZ '2026-11-21 01:00:00+00' AND ts <= TIMESTAMPTZ '2026-11-21 03:00:00+00'"
  ),
]

private let readingWithPyiceberg = #"""
  import json, sys
  from pyiceberg.table import StaticTable

  table = StaticTable.from_metadata(sys.argv[1], properties)
  first = min(table.metadata.snapshots, key=lambda s: s.sequence_number).snapshot_id
  filters = {
      "region": "region = 'europe-west4'",
      "day": "rotated >= '2026-11-22T00:00:00+00:00' and rotated < '2026-11-23T00:00:00+00:00'",
      "region and day": "region = 'europe-west4' and rotated >= '2026-11-21T00:00:00+00:00' and rotated < '2026-11-22T00:00:00+00:00'",
      "hours": "ts >= '2026-11-21T01:00:00+00:00' and ts <= '2026-11-21T03:00:00+00:00'",
  }
  counts = {name: table.scan(row_filter=text).to_arrow().num_rows for name, text in filters.items()}
  counts["all"] = table.scan().to_arrow().num_rows
  counts["first"] = table.scan(snapshot_id=first).to_arrow().num_rows
  assert table.scan().count() == counts["all"]
  print(json.dumps(counts))
  """#

/// For values of each column that there are: rows that a filtered scan finds, against those that a filter over the whole table finds.
private let pruningWithPyiceberg = #"""
  import json, random, sys
  import pyarrow as pa
  import pyarrow.compute as pc
  from pyiceberg.expressions import EqualTo, GreaterThanOrEqual, IsNull, LessThan
  from pyiceberg.table import StaticTable

  table = StaticTable.from_metadata(sys.argv[1], properties)
  whole = table.scan().to_arrow()
  random.seed(1)
  wrong = []
  for name in whole.column_names:
      column = whole[name]
      checks = [(IsNull(name), column.null_count)]
      values = column.drop_null().to_pylist()
      if values:
          for value in [min(values), max(values), random.choice(values)]:
              shown = value.isoformat() if hasattr(value, "isoformat") else value
              literal = pa.scalar(value, column.type)
              checks += [
                  (EqualTo(name, shown), pc.sum(pc.equal(column, literal)).as_py()),
                  (GreaterThanOrEqual(name, shown), pc.sum(pc.greater_equal(column, literal)).as_py()),
                  (LessThan(name, shown), pc.sum(pc.less(column, literal)).as_py()),
              ]
      for expression, count in checks:
          found = table.scan(row_filter=expression, selected_fields=("line",)).to_arrow().num_rows
          if found != (count or 0):
              wrong.append(f"{expression}: {found} of {count}")
  print(json.dumps(wrong))
  """#
