import DuckDB
import Files
import Iceberg
import ObjectStorage
import Processes
import Properties
import Support
import TestSupport
import Testing

/// Manifests and manifest lists with some bytes changed: what DuckDB makes of them, we get as rows or as an error with a code.
@Suite(.tags(.medium)) struct DamagedAvroTests {
  @Test func isReadOrRefused() async throws {
    // More with GADWALL_AVRO_ROUNDS: each takes about a fifth of a second.
    let rounds = environmentValue("GADWALL_AVRO_ROUNDS").flatMap { Int($0) } ?? 24
    try await withTable { table in
      let file = try await table.file("a", day: SampleTable.day, region: "us-east1", rows: 5)
      _ = try await table.append([file], run: "RUN-1")
      let snapshot = try #require(try await table.append([file], run: "RUN-2").currentSnapshot)
      let whole = try await table.writer().files(of: snapshot)
      #expect(whole.count == 2)
      let objects = try await table.store.list("warehouse/logs/events/metadata/").map(\.key)
        .filter { $0.utf8.reversed().starts(with: ".avro".utf8.reversed()) }
      var random = SeededRandom(seed: 3)
      for round in 0..<rounds {
        let key = objects[Int.random(in: 0..<objects.count, using: &random)]
        let bytes = try #require(try await table.store.get(key, limit: .mebibytes(1)))
        let damaged = damage(bytes, using: &random)
        try await table.store.put(damaged, at: key)
        let watch = Stopwatch()
        do throws(Failure) {
          _ = try await table.writer().files(of: snapshot)
        } catch {
          #expect(
            error.code.name.hasPrefix("duckdb.") || error.code.name.hasPrefix("table.")
              || error.code == "store.key",
            "round \(round), \(key): \(error)")
          #expect(error.code != "duckdb.deadline", "round \(round), \(key)")
        }
        #expect(watch.seconds < 60 * patience, "round \(round), \(key)")
        try await table.store.put(bytes, at: key)
      }
      #expect(try await table.writer().files(of: snapshot) == whole)
    }
  }
}
