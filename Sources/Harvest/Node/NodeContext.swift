public import DuckDB
import Files
public import Fleet
public import Logs
public import ObjectStorage
import Processes
public import Support

/// Where a node's task runs, and what with.
public struct NodeContext: Sendable {
  public var node: Node
  /// The node's root, `/` on a machine of its own.
  public var root: String
  public var store: any ObjectStore
  public var duckdb: DuckDB
  public var clock: WallClock
  public var progress: @Sendable (NodeProgress) -> Void
  var rules = ProtocolRules()
  var inflateLimits = InflateLimits()
  /// Text in bytes from which on a file is written as several data files.
  public var pieceLimit: Int64 = 1 << 30
  /// Text in bytes that small files are bundled up to.
  public var bundleLimit: Int64 = 256 << 20

  public init(
    node: Node, root: String, store: any ObjectStore, duckdb: DuckDB, clock: WallClock = .system,
    progress: @escaping @Sendable (NodeProgress) -> Void = { _ in }
  ) {
    self.node = node
    self.root = resolvedPath(root)
    self.store = store
    self.duckdb = duckdb
    self.clock = clock
    self.progress = progress
  }

  public var stateFolder: String { joined(root, "var/lib/gadwall") }
  public var ledgerPath: String { joined(stateFolder, "ledger.sqlite") }
  var scratch: String { joined(stateFolder, "scratch") }

  /// One task at a time on a node: takes its lock, waiting for one that runs already.
  func takeLock(until deadline: Deadline) async throws(Failure) -> FileLock {
    let path = joined(stateFolder, "lock")
    while true {
      do throws(SystemError) {
        try makeFolder(stateFolder, mode: 0o750)
        return try FileLock.take(path)
      } catch {
        guard error.wouldBlock else {
          throw error.failure(
            "node.state", "The node's folder \(stateFolder) can't be used.",
            remedy: "Gadwall keeps its ledger and scratch files there.")
        }
        if deadline.hasPassed {
          throw Failure("node.busy", "Another task of Gadwall has been running on this node all the time.")
        }
        // Who holds the lock tells nobody when it goes: looking again is all there is.
        try? await Task.sleep(for: .milliseconds(100))
      }
    }
  }

  /// The ledger as it is now, copied into a folder of its own outside of the node's.
  func ledgerCopy() throws(Failure) -> String {
    let folder = joined(environmentValue("TMPDIR") ?? "/tmp", "gadwall-\(randomName())")
    do throws(SystemError) {
      try makeFolder(folder, mode: 0o700)
      // Nobody writes to it meanwhile; without the lock's file no task has ever run here.
      let lockPath = joined(stateFolder, "lock")
      let lock: FileLock? = exists(lockPath) ? try FileLock.take(lockPath) : nil
      for name in ["ledger.sqlite", "ledger.sqlite-wal"] where exists(joined(stateFolder, name)) {
        let source = try Descriptor.input(joined(stateFolder, name))
        try copyFile(source, to: joined(folder, name), mode: 0o600)
      }
      extendLock(lock)
      return folder
    } catch {
      try? removeTree(folder)
      if error.wouldBlock {
        throw Failure(
          "node.busy", "Another task of Gadwall is running on this node.",
          remedy: "Try again when it has ended.")
      }
      throw error.failure("node.state", "The node's ledger \(ledgerPath) can't be looked at.")
    }
  }

  private func extendLock(_ lock: consuming FileLock?) {}

  /// A batch's raw object as a file that can be staged, in scratch; nil when it is not in the store.
  func rawCopy(_ key: String, of facts: BatchFacts) async throws(Failure) -> RotatedFile? {
    let path = joined(scratch, "\(facts.id.prefix(32))-raw.gz")
    guard try await seen(key) != nil, try await store.get(key, toFile: path) else { return nil }
    do throws(SystemError) {
      var file = RotatedFile(
        path: path, folder: facts.folder, name: facts.file, stream: facts.stream,
        info: try FileInfo(path: path), isGzip: true, estimatedText: facts.bytes
      ).known(as: facts)
      // It was open for writing until now, and a child that is being started has what was open for a moment longer.
      file.isOwn = true
      return file
    } catch {
      throw scratchFailure(error)
    }
  }

  /// The object, if it is there. A node need not have the right to list, and without that S3 says of what is not there that it is forbidden.
  func seen(_ key: String) async throws(Failure) -> ObjectInfo? {
    do throws(Failure) { return try await store.stat(key) } catch {
      guard error.code == "store.denied" else { throw error }
      return nil
    }
  }

  /// An empty scratch folder; what a killed task left in it goes.
  func cleanScratch() throws(Failure) {
    do throws(SystemError) {
      try removeTree(scratch)
      try makeFolder(scratch, mode: 0o700)
    } catch {
      throw error.failure("scratch.unwritable", "The scratch folder \(scratch) can't be used.")
    }
  }

  func scratchFailure(_ error: SystemError) -> Failure {
    error.failure(
      error.isNoSpace ? "scratch.full" : "scratch.unwritable",
      "The scratch folder \(scratch) can't be written to.",
      remedy: "Nothing was lost: the files are read again by the next run.")
  }

  /// Who the node says it is: `var/lib/gadwall/node.yaml` is read by the command and given here as `declared`.
  public static func identity(declared: Node?, environment: Node?) throws(Failure) -> Node {
    if let declared, let environment, declared != environment {
      throw Failure(
        "node.identity", "This node's node.yaml says it is \(declared), and it is asked as \(environment).",
        remedy: "Make the two agree: the archive tells nodes apart by these names.")
    }
    guard let node = declared ?? environment else {
      throw Failure(
        "node.identity", "This node doesn't know who it is.",
        remedy:
          "Write region, zone and name to var/lib/gadwall/node.yaml, or set GADWALL_REGION, GADWALL_ZONE and GADWALL_NODE."
      )
    }
    try node.validate()
    return node
  }
}

/// The columns of the relation that `urgent.where` is asked about.
public let urgentColumns: [(name: String, type: SQL)] = [
  ("ts", "TIMESTAMPTZ"), ("service", "VARCHAR"), ("category", "VARCHAR"), ("message", "VARCHAR"),
  ("id", "VARCHAR"),
  ("version", "VARCHAR"), ("region", "VARCHAR"), ("zone", "VARCHAR"), ("node", "VARCHAR"),
  ("stream", "VARCHAR"),
  ("rotated", "TIMESTAMPTZ"), ("batch", "VARCHAR"), ("line", "BIGINT"), ("extra", "VARCHAR"),
  ("malformed", "VARCHAR"),
  ("text", "VARCHAR"),
]

extension DuckDB {
  /// Checks `urgent.where` (``check(condition:setting:select:from:columns:)``).
  public func checkUrgent(_ condition: String) async throws(Failure) -> CheckedCondition {
    try await check(
      condition: condition, setting: "urgent.where", select: "gadwall_row", from: "gadwall_rows",
      columns: urgentColumns)
  }
}
