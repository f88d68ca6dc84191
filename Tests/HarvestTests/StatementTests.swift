import DuckDB
import Logs
import Support
import TestSupport
import Testing

@testable import Harvest

/// The SQL that is sent, as it was looked at when it was committed. `GADWALL_RECORD=1` writes the texts anew.
@Suite struct StageStatementTests {
  @Test func allOfStage() throws {
    try compare("stage-batches", batchTableStatement(rows: "/tmp/it's.ndjson"))
    try compare(
      "stage-rows",
      rowsViewStatement(frame: "/tmp/frame.parquet", node: Node(region: "us-east1", zone: "b", name: "vm1")))
    try compare("stage-data-file", dataFileStatement(to: "/tmp/data.parquet"))
    try compare(
      "stage-data-file-of-long-lines", dataFileStatement(to: "/tmp/data.parquet", rowGroups: .bytes))
    #expect(
      RowGroups(row: 200) == .usual && RowGroups(row: 1024) == .rows(49_152)
        && RowGroups(row: 1 << 20) == .bytes)
    #expect(
      RowGroups(row: 0) == .usual && RowGroups(row: 24_576) == .rows(2048) && RowGroups(row: 24_577) == .bytes
    )
    try compare(
      "stage-urgent", urgentRowsStatement("SELECT gadwall_row FROM gadwall_rows WHERE true", to: "/tmp/u.csv")
    )
  }

  @Test func whatVerifyAndRecoverAsk() throws {
    try compare("batch-counts", batchCountsStatement("iceberg_scan('/tmp/it''s.metadata.json')"))
    try compare("batch-places", batchPlacesStatement("iceberg_scan('/tmp/it''s.metadata.json')"))
  }
}
