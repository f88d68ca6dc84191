import Files
import Support
import TestSupport
import Testing

@testable import Iceberg

/// What pyiceberg's own Avro reader finds in our manifests and manifest lists.
@Suite(.tags(.medium)) struct ManifestTests {
  @Test func listsAndManifestsSayWhatWasAppended() async throws {
    try await withTable { table in
      let files = try await table.threeFiles()
      let first = try #require(try await table.append(files, run: "RUN-1").currentSnapshot)
      let more = try await table.file("d", day: SampleTable.day + 3, region: "asia", line: 9000, rows: 11)
      let second = try #require(try await table.append([more], run: "RUN-2").currentSnapshot)
      let list = try await table.manifestList()
      #expect(list.count == 2)

      let old = try #require(list.first { $0["added_snapshot_id"]?.integer == first.id })
      #expect(old["sequence_number"] == 1)
      #expect(old["min_sequence_number"] == 1)
      #expect(old["partition_spec_id"] == 0)
      #expect(old["content"] == 0)
      #expect(old["added_files_count"] == 3)
      #expect(old["added_rows_count"] == 175)
      for name in [
        "existing_files_count", "deleted_files_count", "existing_rows_count", "deleted_rows_count",
      ] {
        #expect(old[name] == 0, "\(name)")
      }
      #expect(
        old["partitions"] == [
          ["null": false, "nan": false, "low": "2c510000", "high": "2d510000"],
          [
            "null": false, "nan": false, "low": .string(hex("europe-west1-é".utf8)),
            "high": .string(hex("us-east1".utf8)),
          ],
        ])

      let new = try #require(list.first { $0["added_snapshot_id"]?.integer == second.id })
      #expect(new["sequence_number"] == 2)
      #expect(new["added_files_count"] == 1)
      #expect(new["added_rows_count"] == 11)
      #expect(new["partitions"]?.array?[0]["low"] == "2f510000")
      for entry in list {
        let path = try #require(entry["manifest_path"]?.string)
        #expect(entry["manifest_length"]?.integer == (try FileInfo(path: String(path.dropFirst(7)))).size)
      }

      let entries = try #require(old["entries"]?.array)
      #expect(entries.count == 3)
      for (file, entry) in zip(files, entries) {
        #expect(entry["status"] == 1)
        #expect(entry["snapshot"]?.integer == first.id)
        // Inherited from the list.
        #expect(entry["sequence"] == 1)
        #expect(entry["file_sequence"] == 1)
        #expect(entry["path"] == .string(file.url))
        #expect(entry["format"] == "PARQUET")
        #expect(entry["content"] == 0)
        #expect(entry["records"]?.integer == file.rows)
        #expect(entry["size"]?.integer == file.size)
        #expect(entry["partition"] == [.integer(Int64(file.day)), .string(file.region)])
        #expect(entry["offsets"] == [4])
        #expect(entry["sort"] == 0)
        expectMetrics(entry, file)
      }
      #expect(new["entries"]?.array?.map { $0["sequence"] } == [2])
    }
  }

  @Test func manyFilesOfManyDaysAreOneManifest() async throws {
    try await withTable { table in
      let real = try await table.file("a", day: SampleTable.day, region: "us-east1", rows: 2)
      var files: [AppendedFile] = []
      for number in 0..<500 {
        var file = real
        file.url = real.url + "-\(number)"
        file.day = SampleTable.day + Int32(number % 50) - 25_000
        file.region = "region-\(number % 7)"
        files.append(file)
      }
      let made = try await table.append(files, run: "RUN-1")
      #expect(made.currentSnapshot?.summary("changed-partition-count") == "350")
      let list = try await table.manifestList()
      #expect(list.map { $0["added_files_count"]?.integer } == [500])
      #expect(list.map { $0["added_rows_count"]?.integer } == [1000])
      #expect(list.first?["entries"]?.array?.count == 500)
      // Days before 1970 are below zero.
      #expect(list.first?["entries"]?.array?.first?["partition"] == [.integer(20_780 - 25_000), "region-0"])
      #expect(
        list.first?["partitions"]?.array?[0]
          == [
            "null": false, "nan": false, "low": .string(hex(littleEndian(Int32(-4220)))),
            "high": .string(hex(littleEndian(Int32(-4171)))),
          ])
    }
  }

  @Test func awkwardTextIsCarriedWhole() async throws {
    try await withTable { table in
      var file = try await table.file("a", day: SampleTable.day, region: "us-east1", rows: 2)
      file.region = "o'brien \"x\" \\ \u{1F986} \n"
      file.url = "file:///data/it's \"odd\" \\ é.parquet"
      file.columns["message"]?.min = "'; DROP TABLE x; --"
      file.columns["message"]?.max = "\u{10FFFF}\"\\\n\t"
      _ = try await table.append([file], run: "RUN 'odd'")
      let entry = try #require(try await table.manifestList().first?["entries"]?.array?.first)
      #expect(entry["path"] == .string(file.url))
      #expect(entry["partition"] == [.integer(Int64(file.day)), .string(file.region)])
      #expect(entry["lower"]?["4"] == .string(hex("'; DROP TABLE x;".utf8)))
      #expect(entry["upper"]?["4"] == .string(hex("\u{10FFFF}\"\\\n\t".utf8)))
      let snapshot = try #require(try await table.catalog.load()?.currentSnapshot)
      #expect(try await table.writer().files(of: snapshot).map(\.url) == [file.url])
    }
  }

  private func expectMetrics(_ entry: JSONValue, _ file: AppendedFile) {
    for column in tableColumns {
      let id = "\(column.id)"
      let metrics = file.columns[column.name]
      #expect(entry["values"]?[id]?.integer == file.rows, "\(column.name)")
      #expect(entry["nulls"]?[id]?.integer == metrics?.nulls, "\(column.name)")
      #expect(entry["sizes"]?[id]?.integer == metrics?.size, "\(column.name)")
      let lower = metrics?.min.flatMap { lowerBound(column.kind, $0) }
      let upper = metrics?.max.flatMap { upperBound(column.kind, $0) }
      #expect(entry["lower"]?[id]?.string == lower.map { hex($0) }, "\(column.name)")
      #expect(entry["upper"]?[id]?.string == upper.map { hex($0) }, "\(column.name)")
    }
    #expect(entry["lower"]?["14"] == nil)
  }
}
