import DuckDB
import Files
import Harvest
import Logs
import Rows
import Support

// From files to frames, in parallel.

extension QueryTask {
  /// How many files are read at once.
  private static let width = 2

  /// What one thread has made of its share of the files.
  private struct Scanned: Sendable {
    var frame: FrameLayout?
    var files: [QueryReport.File] = []
    var bytes: Int64 = 0
    var lines: Int64 = 0
    var malformed: Int64? = 0
    var prunedFiles = 0
    var fileCount = 0
    var passedOver: [PassedOver] = []
  }

  private struct Share: Sendable {
    var files: [(number: Int32, wanted: NodeLook.Wanted)] = []
    var size: Int64 = 0
  }

  func scan(
    _ look: NodeLook, _ filter: RowFilter, first: Int32, _ scratch: String, _ report: inout QueryReport
  ) async throws(Failure) -> [FrameLayout] {
    var shares = [Share](repeating: Share(), count: Self.width)
    // The largest first, each to whom has the least.
    let order = look.wanted.indices.sorted { look.wanted[$0].file.info.size > look.wanted[$1].file.info.size }
    for index in order {
      let least = shares.indices.min { shares[$0].size < shares[$1].size } ?? 0
      shares[least].files.append((first + Int32(index), look.wanted[index]))
      shares[least].size += max(1, look.wanted[index].file.info.size)
    }
    let busy = shares.filter { !$0.files.isEmpty }
    let results = try await inParallel(Self.width, Array(busy.enumerated())) { item throws(Failure) in
      let (number, share) = item
      return try await onThread { try scan(share, filter, into: joined(scratch, "frame-\(number)")) }
    }
    for scanned in results {
      report.files += scanned.files
      report.bytes += scanned.bytes
      report.lines += scanned.lines
      report.malformed = report.malformed.flatMap { all in scanned.malformed.map { all + $0 } }
      report.prunedFiles += scanned.prunedFiles
      report.fileCount += scanned.fileCount
      report.passedOver += scanned.passedOver
    }
    // What is counted would tell of the lines that the policy hides.
    if policy.rows != nil { report.malformed = nil }
    return results.compactMap(\.frame).filter { $0.rows > 0 }
  }

  private func scan(_ share: Share, _ filter: RowFilter, into path: String) throws -> Scanned {
    var left = share.files
    var passedOver: [PassedOver] = []
    while true {
      var scanned = Scanned()
      guard let broken = try scan(left, filter, into: "\(path)-\(left.count).parquet", &scanned) else {
        scanned.passedOver = passedOver
        return scanned
      }
      // Rows of it are in the frame: without them from the start.
      passedOver.append(broken.why)
      left.remove(at: broken.index)
    }
  }

  /// - Returns: the first of the files that could not be read to its end.
  private func scan(
    _ files: [(number: Int32, wanted: NodeLook.Wanted)], _ filter: RowFilter, into path: String,
    _ result: inout Scanned
  ) throws -> (index: Int, why: PassedOver)? {
    let columns = document.used.ofFrames
    let derived = document.used.derived
    func redacted(_ how: QueryPolicy.Redaction) -> Set<RowColumn> {
      Set(RowColumn.allCases.filter { policy.redacted[$0] == how })
    }
    var scanner = Scanner(
      columns: columns, derived: derived, hidden: redacted(.remove), hashed: redacted(.hash),
      hashKey: policy.key)
    var writer = try FrameWriter.create(path, columns: columns, derived: derived)
    for (index, (number, wanted)) in files.enumerated() {
      let filter = filter.asked(
        of: RowFilter.FileFacts(
          stream: wanted.stream, region: context.node.region, zone: context.node.zone,
          node: context.node.name, rotated: wanted.rotated.map { $0 * 1_000_000 }))
      guard filter != .nothing else {
        result.prunedFiles += 1
        continue
      }
      // A batch's id takes a digest of the file.
      var digest =
        document.used.uses("batch") && wanted.rotated != nil && wanted.batch == nil ? SHA256() : nil
      scanner.begin(batch: number, filter: filter)
      do throws(Failure) {
        try readText(wanted.file) { block throws(Failure) in
          digest?.update(block)
          do { try scanner.scan(block) { try writer.append(&$0) } } catch {
            throw scratchFailure(error, path)
          }
        }
        do { try scanner.finish(wanted.rotated == nil ? .live : .rotated) { try writer.append(&$0) } } catch {
          throw scratchFailure(error, path)
        }
      } catch {
        guard error.code == "query.file" else { throw error }
        return (
          index,
          PassedOver(
            file: relative(wanted.file.path, context.root),
            reason: wanted.file.rotated?.isGzip == true ? .brokenGzip : .unreadable,
            note: "\(error.sentence) \(error.words)", bytes: wanted.file.info.size)
        )
      }
      result.bytes += wanted.file.info.size
      result.lines += scanner.counts.lines
      let malformed = scanner.skipped > 0 ? nil : scanner.counts.malformed
      result.malformed = result.malformed.flatMap { all in malformed.map { all + $0 } }
      var batch = wanted.batch
      if let made = digest.take(), let file = wanted.file.rotated {
        batch = batchID(
          node: context.node, folder: file.folder, stream: file.stream, rotated: file.rotated,
          digest: made.hexDigest())
      }
      result.fileCount += 1
      if document.used.needsFiles {
        result.files.append(
          QueryReport.File(number: number, stream: wanted.stream, rotated: wanted.rotated, batch: batch))
      }
    }
    try scanner.drain { try writer.append(&$0) }
    result.frame = try writer.finish()
    return nil
  }

  private func scratchFailure(_ error: any Error, _ path: String) -> Failure {
    guard let error = error as? SystemError else {
      return error as? Failure ?? Failure("query.failed", "\(error)")
    }
    return error.failure(
      error.isNoSpace ? "scratch.full" : "scratch.unwritable", "The frame \(path) can't be written.",
      remedy: "Free some space there and ask again.")
  }

  /// Reading waits for the disk, and threads of the pool must not.
  private func onThread<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
  ) async throws(Failure) -> Value {
    let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
      do throws(Failure) {
        _ = try Thread {
          do { continuation.resume(returning: .success(try body())) } catch {
            continuation.resume(
              returning: .failure(error as? Failure ?? scratchFailure(error, context.stateFolder)))
          }
        }
      } catch {
        continuation.resume(returning: .failure(error))
      }
    }
    return try result.get()
  }

}
