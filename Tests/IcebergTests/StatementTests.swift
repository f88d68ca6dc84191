import DuckDB
import Files
import Support
import TestSupport
import Testing

@testable import Iceberg

/// The SQL that is sent, as it was looked at when it was committed. `GADWALL_RECORD=1` writes the texts anew.
@Suite struct StatementTests {
  private var file: AppendedFile {
    AppendedFile(
      url: "file:///t/data/it's.parquet", rows: 3, size: 100, day: 20_780, region: "us-east1", columns: [:])
  }

  private var summary: ManifestSummary {
    ManifestSummary(
      url: "file:///t/metadata/m.avro", length: 7, specID: 0, sequence: 2, snapshot: 42, files: [file])
  }

  @Test func aManifest() throws {
    try compare(
      "manifest",
      manifestStatement(rows: "/tmp/rows.ndjson", to: "/tmp/m.avro", snapshot: 42, spec: newSpec()))
  }

  @Test func aFirstManifestList() throws {
    try compare(
      "manifest-list-first",
      manifestListStatement(adding: summary, parentList: nil, parentSnapshot: nil, to: "/tmp/l.avro"))
  }

  @Test func aManifestListWithItsParentsEntries() throws {
    try compare(
      "manifest-list",
      manifestListStatement(adding: summary, parentList: "/tmp/p.avro", parentSnapshot: 41, to: "/tmp/l.avro")
    )
  }

  @Test func theEntriesOfManifests() throws {
    try compare("manifest-entries", manifestEntriesStatement(["/tmp/a.avro", "/tmp/b's.avro"]))
    try compare("manifest-list-entries", manifestListEntriesStatement("/tmp/l.avro"))
  }
}
