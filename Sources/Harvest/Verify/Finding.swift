/// Something that `verify` found to be off.
public struct Finding: Sendable, Codable, Equatable {
  public enum Kind: String, Sendable, Codable, CaseIterable {
    /// A proof's own counts do not add up: lines are not entries + malformed + blank.
    case notConserved = "not-conserved"
    /// The table holds fewer rows of a batch than its proof says, and nobody is known to have deleted any.
    case rowsMissing = "rows-missing"
    /// The table holds fewer rows of a batch, and a later snapshot deleted or replaced data files.
    case rowsRemoved = "rows-removed"
    /// The table holds more rows of a batch than the file had lines.
    case rowsTwice = "rows-twice"
    /// The table holds rows of a batch that no proof names.
    case rowsUnproven = "rows-unproven"
    /// A data file that the current snapshot names is not in the store, or has another size.
    case fileMissing = "file-missing"
    /// A plan that has no proof yet.
    case planOpen = "plan-open"
    /// A node deleted a file whose batch no proof names.
    case deletedUnproven = "deleted-unproven"
    /// A node's ledger and the proof count a batch differently.
    case ledgerDiffers = "ledger-differs"
    /// The raw object of a batch is not in the store, or has another size.
    case rawMissing = "raw-missing"
    /// An object's bytes are not those that were uploaded, or don't hold what the proof says (only looked at with `--deep`).
    case objectDamaged = "object-damaged"
    /// The alert object of a batch is not in the store, or has another size.
    case alertMissing = "alert-missing"
    /// A node keeps a file back: it is not what its ledger knows it as, or may be a twin.
    case held
  }

  public var kind: Kind
  /// The batch, run or object that it is about.
  public var subject: String
  public var what: String
  public var remedy: String
}

/// What `verify` looked at and found.
public struct VerifyReport: Sendable, Codable {
  public var runs = 0
  public var batches = 0
  public var lines: Int64 = 0
  public var entries: Int64 = 0
  public var malformed: Int64 = 0
  public var blank: Int64 = 0
  /// Rows in the table, by its own count.
  public var tableRows: Int64 = 0
  public var dataFiles = 0
  /// Batches whose files the nodes have reported deleted.
  public var pruned = 0
  /// Objects whose bytes were read whole (`--deep`).
  public var objectsRead = 0
  /// Objects that could not be read because they lie in cold storage.
  public var objectsFrozen = 0
  /// Data files of ours that nothing refers to and whose lines are in the table through others. Not off: a task that was killed leaves them.
  public var orphans: [Orphan] = []
  public var orphansRemoved = 0
  /// The run that is about to write its plan, for which no orphan was removed.
  public var orphansKeptFor: String?
  public var findings: [Finding] = []

  public init() {}
}

/// A data file that a killed or repeated task left in the store.
public struct Orphan: Sendable, Codable, Equatable {
  public var key: String
  public var size: Int64
}
