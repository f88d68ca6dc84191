import Files
import Ledger
import Logs
import Support
import TestSupport

/// A ledger's file in a folder of its own.
struct SampleLedger: Sendable {
  let path: String
  static let node = Node(region: "us-east1", zone: "us-east1-b", name: "vm")

  init(_ scratch: String) { path = joined(scratch, "var/lib/gadwall/ledger.sqlite") }

  func open(_ node: Node = node) throws -> Ledger { try Ledger.open(path, node: node) }

  /// Fixes a bundle of these batches, whose files have the inodes 1, 2, …, in the order of their ids.
  func fix(_ ids: [String], in ledger: borrowing Ledger) throws -> String {
    let bundle = bundleID(batches: ids)
    try ledger.fix(
      bundle: bundle, day: 20_780,
      batches: ids.map { (facts: facts($0), path: "/raw/\($0).log", file: file(inode(of: $0))) })
    return bundle
  }

  func inode(of id: String) -> UInt64 { id.utf8.reduce(0) { $0 * 256 + UInt64($1) } }

  func facts(_ id: String, entries: Int64 = 3) -> BatchFacts {
    BatchFacts(
      id: id, folder: "raw", file: "\(id).log.1", stream: "\(id).log", rotated: 1_795_442_400,
      digest: "digest-\(id)",
      bytes: 100, lines: entries + 3, blank: 1, malformed: 2, entries: entries, urgent: 1,
      firstTs: Instant(microseconds: 1_795_442_400_000_001),
      lastTs: Instant(microseconds: 1_795_442_400_999_999))
  }

  func dataFile(_ name: String) -> DataFile {
    DataFile(
      url: "file:///store/data/\(name).parquet", size: 4321, rows: 5,
      columns: ["id": ColumnStatistics(nulls: 2, values: 5, size: 77, min: "a'\"é", max: nil)])
  }
}

/// A file's facts as the kernel would give them: everything follows from the inode unless it is said otherwise.
func file(
  _ inode: UInt64, device: UInt64 = 1 << 63 | 9, born: Int64? = 5_000, changed: Int64 = 6_000,
  size: Int64 = 100,
  modified: Int64 = 1_795_442_400_000_000_000
) -> FileIdentity {
  var info = sampleInfo
  info.device = device
  info.inode = inode
  info.born = born
  info.changed = changed
  info.size = size
  info.modified = modified
  return FileIdentity(info)
}

/// Any file's facts will do: each field is set by ``file(_:device:born:changed:size:modified:)``.
private let sampleInfo: FileInfo = {
  do { return try FileInfo(path: "/") } catch { preconditionFailure("there is no root folder: \(error)") }
}()

/// What a test looks at of a ledger, as values.
struct LedgerView: Equatable {
  /// By batch id: state, bundle, run, sequence.
  var batches: [String: [String?]] = [:]
  /// Of the bundles without proof, in order: id, try, members, data files.
  var bundles: [[String]] = []

  init(_ ledger: borrowing Ledger) throws {
    for batch in try ledger.batches() {
      batches[batch.facts.id] = [
        batch.state.rawValue, batch.bundle, batch.run, batch.sequence.map(String.init),
        "\(batch.facts.entries)",
        batch.path,
      ]
    }
    bundles = try ledger.unprovenBundles().map { bundle in
      [bundle.id, bundle.completeTry ?? "-"] + bundle.batches.map(\.facts.id) + bundle.dataFiles.map(\.url)
    }
  }

  func state(_ id: String) -> String? { batches[id]?[0] }
  func bundle(_ id: String) -> String? { batches[id]?[1] }
}
