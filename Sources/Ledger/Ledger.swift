public import Files
public import Logs
public import Support

/// How far a batch has come. Only ever forward.
public enum BatchState: String, Sendable, Codable, CaseIterable {
  /// Its bundle's members are fixed; its files may or may not be in the store.
  case fixed
  /// A try of its bundle is complete in the store.
  case staged
  /// The control machine has proven it.
  case proven
  /// Its file is gone, or is about to go.
  case pruned
}

/// Which file a batch was read from: device, inode and birth time, or, where there is none, the change time.
public struct FileIdentity: Sendable, Equatable {
  public var device: UInt64
  public var inode: UInt64
  public var born: Int64?
  public var changed: Int64
  public var size: Int64
  /// Nanoseconds since 1970.
  public var modified: Int64

  public init(_ info: FileInfo) {
    device = info.device
    inode = info.inode
    born = info.born
    changed = info.changed
    size = info.size
    modified = info.modified
  }

  init(device: UInt64, inode: UInt64, born: Int64?, changed: Int64, size: Int64, modified: Int64) {
    self.device = device
    self.inode = inode
    self.born = born
    self.changed = changed
    self.size = size
    self.modified = modified
  }
}

public struct LedgerBatch: Sendable {
  public var facts: BatchFacts
  public var state: BatchState
  public var bundle: String
  /// Absolute.
  public var path: String
  public var identity: FileIdentity
  /// The run that proved it, and its snapshot's sequence number (nil for a batch without rows, and before).
  public var run: String?
  public var sequence: Int64?
}

/// A bundle with its last complete try, if it has one.
public struct LedgerBundle: Sendable {
  public var id: String
  public var day: Int32
  public var batches: [LedgerBatch]
  public var completeTry: String?
  public var dataFiles: [DataFile]
}

/// The node's ledger, in SQLite with `synchronous=FULL`: each change is one transaction and survives a loss of power. One at a time: the node's
/// tasks take its lock first.
public struct Ledger: ~Copyable {
  private let database: Database
  /// The file was not there before.
  public let isNew: Bool

  /// - Parameter node: whose ledger it is to be.
  /// - Throws: `ledger.identity` when it is another node's; `ledger.unreadable`; `ledger.failed`.
  public static func open(_ path: String, node: Node) throws(Failure) -> Ledger {
    let isNew = !exists(path)
    do throws(SystemError) {
      try makeFolder(folderName(path), mode: 0o750)
    } catch {
      throw error.failure("ledger.unreadable", "The folder of the ledger \(path) can't be made.")
    }
    let ledger = Ledger(database: try Database(path: path), isNew: isNew)
    try ledger.prepare(node)
    return ledger
  }

  /// The ledger as a reader sees it, who waits for nobody and changes nothing; nil when there is none yet.
  ///
  /// - Throws: `ledger.unreadable`; `ledger.newer`.
  public static func read(_ path: String) throws(Failure) -> Ledger? {
    guard exists(path) else { return nil }
    let ledger = Ledger(database: try Database(path: path, isReadOnly: true), isNew: false)
    var tables: Int64 = 0
    try ledger.database.query("SELECT count(*) FROM sqlite_master WHERE name IN ('batch', 'node')") {
      tables = $0.integer(0)
    }
    // Somebody makes it at this moment.
    guard tables == 2 else { return nil }
    try ledger.checkVersion()
    return ledger
  }

  private init(database: consuming Database, isNew: Bool) {
    self.database = database
    self.isNew = isNew
  }

  private func prepare(_ node: Node) throws(Failure) {
    try database.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
    try checkVersion()
    try database.execute(schema)
    try database.execute("PRAGMA user_version = \(ledgerVersion)")
    var owner: Node?
    try database.query("SELECT region, zone, name FROM node") {
      owner = Node(region: $0.text(0), zone: $0.text(1), name: $0.text(2))
    }
    if let owner, owner != node {
      throw Failure(
        "ledger.identity",
        "The ledger \(database.path) is that of the node \(owner), and this node says it is \(node).",
        remedy:
          "To rename a node, harvest it under its old name until nothing is left, then move the ledger away; otherwise set its name back in node.yaml."
      )
    }
    if owner == nil {
      try database.query(
        "INSERT INTO node (region, zone, name, ready) VALUES (?, ?, ?, 0)",
        [.text(node.region), .text(node.zone), .text(node.name)])
    }
  }

  private func checkVersion() throws(Failure) {
    var version: Int64 = 0
    try database.query("PRAGMA user_version") { version = $0.integer(0) }
    guard version <= ledgerVersion else {
      throw Failure(
        "ledger.newer",
        "The ledger \(database.path) was written by a newer Gadwall (its version is \(version), and this one knows \(ledgerVersion)).",
        remedy: "Run the newer one on this node.")
    }
  }

  /// The greatest sequence number of a snapshot that holds a batch whose file is gone; nil when none is.
  public func newestPruned() throws(Failure) -> Int64? {
    var sequence: Int64?
    try database.query("SELECT max(sequence) FROM batch WHERE state = 'pruned'") {
      sequence = $0.optionalInteger(0)
    }
    return sequence
  }

  /// Whether the ledger knows what is proven of this node: false from its creation until ``setReady()``.
  public func isReady() throws(Failure) -> Bool {
    var ready = false
    try database.query("SELECT ready FROM node") { ready = $0.integer(0) == 1 }
    return ready
  }

  /// Records that what is proven of this node is known here.
  public func setReady() throws(Failure) { try database.query("UPDATE node SET ready = 1") }

  // MARK: what is known

  public func batch(_ id: String) throws(Failure) -> LedgerBatch? {
    try select("SELECT \(columns) FROM batch WHERE id = ?", [.text(id)]).first
  }

  public func batches() throws(Failure) -> [LedgerBatch] {
    try select("SELECT \(columns) FROM batch ORDER BY rotated, id", [])
  }

  public func batches(in state: BatchState) throws(Failure) -> [LedgerBatch] {
    try select("SELECT \(columns) FROM batch WHERE state = ? ORDER BY rotated, id", [.text(state.rawValue)])
  }

  /// The files of all batches in these states. Their facts are not read.
  public func files(in states: [BatchState]) throws(Failure) -> [FileIdentity] {
    var files: [FileIdentity] = []
    for state in states {
      try database.query(
        "SELECT device, inode, born, changed, size, modified FROM batch WHERE state = ?",
        [.text(state.rawValue)]
      ) {
        files.append(
          FileIdentity(
            device: UInt64(bitPattern: $0.integer(0)), inode: UInt64(bitPattern: $0.integer(1)),
            born: $0.optionalInteger(2), changed: $0.integer(3), size: $0.integer(4), modified: $0.integer(5))
        )
      }
    }
    return files
  }

  /// The batch that was read from this very file, whatever the file is called and holds now.
  public func batch(of file: FileIdentity) throws(Failure) -> LedgerBatch? {
    try select(
      "SELECT \(columns) FROM batch WHERE device = ? AND inode = ? AND state <> 'pruned'",
      [.integer(Int64(bitPattern: file.device)), .integer(Int64(bitPattern: file.inode))]
    ).first {
      $0.identity.born == file.born && (file.born != nil || $0.identity.changed == file.changed)
    }
  }

  /// Whether there is a batch of this stream that was rotated in this second. Thousands of files may share one: their facts are not read.
  public func hasBatches(stream: String, rotated: Int64) throws(Failure) -> Bool {
    var found = false
    try database.query(
      "SELECT 1 FROM batch WHERE stream = ? AND rotated = ? LIMIT 1", [.text(stream), .integer(rotated)]
    ) { _ in found = true }
    return found
  }

  /// Batches of this stream that were rotated in this second and have this content.
  public func batches(stream: String, rotated: Int64, digest: String) throws(Failure) -> [LedgerBatch] {
    try select(
      "SELECT \(columns) FROM batch WHERE stream = ? AND rotated = ? AND digest = ?",
      [.text(stream), .integer(rotated), .text(digest)])
  }

  /// Bundles that are not proven yet, in the order in which they were fixed, with their batches.
  public func unprovenBundles() throws(Failure) -> [LedgerBundle] {
    try unprovenHeads().map { bundle throws(Failure) in try withBatches(bundle) }
  }

  public func withBatches(_ bundle: LedgerBundle) throws(Failure) -> LedgerBundle {
    var bundle = bundle
    bundle.batches = try select(
      "SELECT \(columns) FROM batch WHERE bundle = ? ORDER BY position", [.text(bundle.id)])
    return bundle
  }

  /// Bundles that are not proven though a batch of them is.
  public func partlyProvenBundles() throws(Failure) -> [LedgerBundle] {
    try unprovenHeads(
      "AND EXISTS (SELECT 1 FROM batch WHERE batch.bundle = bundle.id AND batch.state IN ('proven', 'pruned'))"
    ).map { bundle throws(Failure) in try withBatches(bundle) }
  }

  /// Bundles that are not proven yet, without their batches: reading those of thousands takes time.
  public func unprovenHeads() throws(Failure) -> [LedgerBundle] { try unprovenHeads("") }

  private func unprovenHeads(_ condition: String) throws(Failure) -> [LedgerBundle] {
    var bundles: [LedgerBundle] = []
    var broken = false
    try database.query(
      "SELECT id, day, try, data_files FROM bundle WHERE state IN ('fixed', 'staged') \(condition) ORDER BY rowid"
    ) {
      let files = try? decodeJSON(
        [DataFile].self, from: Array($0.text(3).utf8), code: "ledger.broken",
        document: "A bundle's data files")
      if files == nil { broken = true }
      bundles.append(
        LedgerBundle(
          id: $0.text(0), day: Int32(truncatingIfNeeded: $0.integer(1)), batches: [],
          completeTry: $0.optionalText(2), dataFiles: files ?? []))
    }
    if broken {
      throw Failure("ledger.broken", "The ledger \(database.path) holds a bundle that can't be read.")
    }
    return bundles
  }

  // MARK: changes, one transaction each

  /// Fixes a new bundle's members, before anything of it is uploaded.
  public func fix(
    bundle: String, day: Int32, batches: [(facts: BatchFacts, path: String, file: FileIdentity)]
  )
    throws(Failure)
  {
    try database.transaction { () throws(Failure) in
      try database.query(
        "INSERT INTO bundle (id, day, state, data_files) VALUES (?, ?, 'fixed', '[]')",
        [.text(bundle), .integer(Int64(day))])
      for (position, batch) in batches.enumerated() {
        try database.query(
          """
          INSERT INTO batch
            (id, state, bundle, position, stream, rotated, digest, path, device, inode, born, changed, size, modified, facts)
          VALUES (?, 'fixed', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
          """,
          [
            .text(batch.facts.id), .text(bundle), .integer(Int64(position)), .text(batch.facts.stream),
            .integer(batch.facts.rotated), .text(batch.facts.digest), .text(batch.path),
          ] + values(batch.file) + [.text(text(batch.facts))])
      }
    }
  }

  /// Records that a try of the bundle is complete in the store. A bundle that is proven already stays as it is.
  public func complete(bundle: String, try name: String, dataFiles: [DataFile], facts: [BatchFacts])
    throws(Failure)
  {
    try database.transaction { () throws(Failure) in
      try database.query(
        "UPDATE bundle SET state = 'staged', try = ?, data_files = ? WHERE id = ? AND state IN ('fixed', 'staged')",
        [.text(name), .text(String(decoding: encodeJSON(dataFiles), as: UTF8.self)), .text(bundle)])
      for batch in facts {
        try database.query(
          "UPDATE batch SET state = 'staged', facts = ? WHERE id = ? AND bundle = ? AND state IN ('fixed', 'staged')",
          [.text(text(batch)), .text(batch.id), .text(bundle)])
      }
    }
  }

  /// Takes what is unproven of a bundle apart: the given members become a bundle of their own, the others are forgotten. What is proven
  /// stays, and is all that the bundle then is. Done again, it changes nothing.
  public func dissolve(bundle: String, keeping rest: [String], day: Int32) throws(Failure) {
    try database.transaction { () throws(Failure) in
      var members: [String] = []
      try database.query(
        "SELECT id FROM batch WHERE bundle = ? AND state IN ('fixed', 'staged') ORDER BY id", [.text(bundle)]
      ) { members.append($0.text(0)) }
      let kept = members.filter(Set(rest).contains)
      if !kept.isEmpty {
        let fresh = bundleID(batches: kept)
        // It is there already only when nothing is taken away; then it has no try any more.
        try database.query(
          """
          INSERT INTO bundle (id, day, state, data_files) VALUES (?, ?, 'fixed', '[]')
          ON CONFLICT (id) DO UPDATE SET state = 'fixed', try = NULL, data_files = '[]'
          """, [.text(fresh), .integer(Int64(day))])
        for (position, batch) in kept.enumerated() {
          try database.query(
            "UPDATE batch SET bundle = ?, position = ?, state = 'fixed' WHERE id = ?",
            [.text(fresh), .integer(Int64(position)), .text(batch)])
        }
      }
      for batch in members where !kept.contains(batch) {
        try database.query("DELETE FROM batch WHERE id = ?", [.text(batch)])
      }
      try database.query(
        """
        UPDATE bundle SET state = 'proven' WHERE id = ?
        AND NOT EXISTS (SELECT 1 FROM batch b WHERE b.bundle = bundle.id AND b.state IN ('fixed', 'staged'))
        """, [.text(bundle)])
      try database.query(
        "DELETE FROM bundle WHERE id = ? AND NOT EXISTS (SELECT 1 FROM batch b WHERE b.bundle = bundle.id)",
        [.text(bundle)])
    }
  }

  /// Records that the control machine has proven these batches.
  public func prove(_ batches: [String], run: String, sequence: Int64?) throws(Failure) {
    try database.transaction { () throws(Failure) in
      for batch in batches {
        try database.query(
          "UPDATE batch SET state = 'proven', run = ?, sequence = ? WHERE id = ? AND state IN ('fixed', 'staged')",
          [.text(run), .optional(sequence), .text(batch)])
      }
      // Once for all of them: thousands of batches may be one bundle.
      try database.execute(
        """
        UPDATE bundle SET state = 'proven' WHERE state <> 'proven'
        AND EXISTS (SELECT 1 FROM batch b WHERE b.bundle = bundle.id)
        AND NOT EXISTS (SELECT 1 FROM batch b WHERE b.bundle = bundle.id AND b.state IN ('fixed', 'staged'))
        """)
    }
  }

  /// Records that the batch's file goes. Only a proven one can.
  public func setPruned(_ batch: String) throws(Failure) {
    try database.query("UPDATE batch SET state = 'pruned' WHERE id = ? AND state = 'proven'", [.text(batch)])
  }

  /// Records that the batch's content lies in another file now (moved, or gzip'd).
  public func setFile(_ batch: String, path: String, file: FileIdentity) throws(Failure) {
    try database.query(
      """
      UPDATE batch SET path = ?, device = ?, inode = ?, born = ?, changed = ?, size = ?, modified = ? WHERE id = ?
      """, [.text(path)] + values(file) + [.text(batch)])
  }

  /// Enters a batch that is proven by the store's word alone: the ledger that knew it was lost.
  public func adopt(_ facts: BatchFacts, path: String, run: String, sequence: Int64?) throws(Failure) {
    let nowhere = FileIdentity(device: 0, inode: 0, born: nil, changed: 0, size: 0, modified: 0)
    try database.query(
      """
      INSERT OR IGNORE INTO batch
        (id, state, bundle, position, stream, rotated, digest, path, device, inode, born, changed, size, modified, facts, run, sequence)
      VALUES (?, 'pruned', '', 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [.text(facts.id), .text(facts.stream), .integer(facts.rotated), .text(facts.digest), .text(path)]
        + values(nowhere)
        + [.text(text(facts)), .text(run), .optional(sequence)])
  }

  // MARK: rows

  private func select(_ sql: String, _ values: [Value]) throws(Failure) -> [LedgerBatch] {
    var found: [LedgerBatch] = []
    var broken: String?
    try database.query(sql, values) {
      let document = "The ledger's batch \($0.text(0))"
      guard let state = BatchState(rawValue: $0.text(1)),
        let facts = try? decodeJSON(
          BatchFacts.self, from: Array($0.text(10).utf8), code: "ledger.broken", document: document)
      else {
        broken = document
        return
      }
      found.append(
        LedgerBatch(
          facts: facts, state: state, bundle: $0.text(2), path: $0.text(3),
          identity: FileIdentity(
            device: UInt64(bitPattern: $0.integer(4)), inode: UInt64(bitPattern: $0.integer(5)),
            born: $0.optionalInteger(6), changed: $0.integer(7), size: $0.integer(8), modified: $0.integer(9)),
          run: $0.optionalText(11), sequence: $0.optionalInteger(12)))
    }
    if let broken { throw Failure("ledger.broken", "\(broken) in \(database.path) can't be read.") }
    return found
  }

  private func values(_ file: FileIdentity) -> [Value] {
    [
      .integer(Int64(bitPattern: file.device)), .integer(Int64(bitPattern: file.inode)), .optional(file.born),
      .integer(file.changed), .integer(file.size), .integer(file.modified),
    ]
  }

  private func text(_ facts: BatchFacts) -> String { String(decoding: encodeJSON(facts), as: UTF8.self) }
}

/// Of the schema below.
private let ledgerVersion: Int64 = 1

private let columns =
  "id, state, bundle, path, device, inode, born, changed, size, modified, facts, run, sequence"

private let schema = """
  CREATE TABLE IF NOT EXISTS node (region TEXT NOT NULL, zone TEXT NOT NULL, name TEXT NOT NULL, ready INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS bundle (
    id TEXT PRIMARY KEY, day INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('fixed', 'staged', 'proven')),
    try TEXT, data_files TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS batch (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('fixed', 'staged', 'proven', 'pruned')),
    bundle TEXT NOT NULL, position INTEGER NOT NULL,
    stream TEXT NOT NULL, rotated INTEGER NOT NULL, digest TEXT NOT NULL, path TEXT NOT NULL,
    device INTEGER NOT NULL, inode INTEGER NOT NULL, born INTEGER, changed INTEGER NOT NULL,
    size INTEGER NOT NULL, modified INTEGER NOT NULL,
    facts TEXT NOT NULL, run TEXT, sequence INTEGER);
  CREATE INDEX IF NOT EXISTS batch_file ON batch (device, inode);
  CREATE INDEX IF NOT EXISTS batch_stream ON batch (stream, rotated, digest);
  CREATE INDEX IF NOT EXISTS batch_state ON batch (state);
  CREATE INDEX IF NOT EXISTS batch_bundle ON batch (bundle, position);
  """
