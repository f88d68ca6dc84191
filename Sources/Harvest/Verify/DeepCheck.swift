import DuckDB
import Files
import Logs
import ObjectStorage
import Support

extension Verifier {
  /// Reads every object of the batches whole: raw files and alerts by digest, line by line; data files by what DuckDB counts in them.
  func readObjects(_ batches: [ProvenBatch], _ report: inout VerifyReport) async throws(Failure) {
    do { try makeFolder(scratch) } catch {
      throw error.failure("scratch.unwritable", "The folder \(scratch) can't be made.")
    }
    for batch in batches {
      if let raw = batch.facts.raw {
        try await read(raw, of: batch, content: batch.facts.digest, lines: batch.facts.lines, &report)
      }
      if let alert = batch.facts.alert {
        try await read(alert, of: batch, content: nil, lines: batch.facts.urgent, &report)
      }
    }
    try await readDataFiles(batches, &report)
  }

  private func read(
    _ object: StoredObject, of batch: ProvenBatch, content: String?, lines: Int64,
    _ report: inout VerifyReport
  ) async throws(Failure) {
    let path = joined(scratch, "deep-\(randomName()).gz")
    defer { try? removeFile(path) }
    do throws(Failure) {
      // One that is gone is a finding already.
      guard try await store.get(object.key, toFile: path) else { return }
    } catch {
      guard error.code == "store.frozen" else { throw error }
      report.objectsFrozen += 1
      return
    }
    report.objectsRead += 1
    var counted = LineCount()
    let found = gzipDigests(path) { counted.take($0) }
    let isWhole =
      found.map {
        $0.object == object.digest && (content == nil || $0.content == content) && counted.lines == lines
      } ?? false
    if !isWhole {
      report.findings.append(
        Finding(
          kind: .objectDamaged, subject: object.key,
          what: "\(name(batch)): the object \(object.key) is not what was uploaded.",
          remedy: "Bring it back from a backup. The table holds the lines of its batch."))
    }
  }

  /// Data files that a proof names, each counted by itself.
  private func readDataFiles(_ batches: [ProvenBatch], _ report: inout VerifyReport) async throws(Failure) {
    let wanted = Dictionary(grouping: batches, by: \.run)
    for (run, proven) in wanted.sorted(by: { $0.key < $1.key }) {
      guard let (proof, _) = try await runs.proof(run) else { continue }
      let bundles = Set(proven.map { String($0.bundle.prefix(24)) })
      var rows: [String: Int64] = [:]
      for url in proof.dataFiles where bundles.contains(String(baseName(url).prefix(24))) {
        // A file that a compaction has replaced may be gone: the table's own counts speak for its rows.
        guard let key = store.key(of: url), try await store.stat(key) != nil else { continue }
        report.objectsRead += 1
        do throws(Failure) {
          for (batch, count) in try await batchCounts(duckdb, in: "read_parquet(\(url))") {
            rows[batch, default: 0] += count.rows
          }
        } catch {
          report.findings.append(
            Finding(
              kind: .objectDamaged, subject: url, what: "The data file \(printable(url)) can't be read.",
              remedy:
                "Bring it back from a backup. The raw objects of its batches hold the same lines. DuckDB says: \(error.words.prefix(200))"
            ))
        }
      }
      for batch in proven {
        guard let count = rows[batch.facts.id], count != batch.facts.rows else { continue }
        report.findings.append(
          Finding(
            kind: .objectDamaged, subject: batch.facts.id,
            what: "\(name(batch)): its data files hold \(count) rows, and the file had \(batch.facts.rows).",
            remedy: "Bring them back from a backup. The raw object holds the same lines."))
      }
    }
  }
}

/// Counts lines as the scanner does: a last one without its line end counts.
struct LineCount {
  private var ends: Int64 = 0
  private var isOpen = false

  mutating func take(_ block: UnsafeRawBufferPointer) {
    for byte in block where byte == 0x0A { ends += 1 }
    if let last = block.last { isOpen = last != 0x0A }
  }

  var lines: Int64 { ends + (isOpen ? 1 : 0) }
}
