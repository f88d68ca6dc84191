import DuckDB
import Files
import Rows
import Support
import TestSupport
import Testing

@Suite struct FrameTests {
  @Test(.tags(.medium)) func duckDBReadsAFrame() async throws {
    try await withScratch { folder in
      let path = joined(folder, "f.parquet")
      var scanner = Scanner()
      var writer = try FrameWriter.create(path)
      scanner.begin(batch: 3)
      let text = """
        {"id":"1","@timestamp":"2026-11-23T14:00:00.5Z","@version":"1.1","message":"Auth [SECURITY] dog cheese"}

        {"id":2, "level" : "INFO" , "tags":[1, 2], "message":"caf\\u00e9 \\ud83d\\ude00"}
        nonsense
        """
      try Array(text.utf8).withUnsafeBytes { try scanner.scan($0) { try writer.append(&$0) } }
      try scanner.finish(.rotated) { try writer.append(&$0) }
      try scanner.drain { try writer.append(&$0) }
      let layout = try writer.finish()
      #expect(layout.rows == 3)
      #expect(scanner.counts.blank == 1)
      let duckdb = try await testDuckDB()
      let rows = try await duckdb.run(["SELECT * FROM read_parquet(\(path))"])
      #expect(rows[0].count == 3)
      #expect(rows[0][0]["category"] == "SECURITY")
      #expect(rows[0][1]["message"] == "café 😀")
      #expect(rows[0][1]["extra"] == "{\"level\":\"INFO\",\"tags\":[1,2]}")
      #expect(rows[0][2]["malformed"] == "not-json")
    }
  }
}
