import Logs

/// What `recover` is asked to do.
public struct RecoveryScope: Sendable {
  /// Do it, instead of only saying what would be done.
  public var isApplied = false
  /// Bring back rows as well that somebody seems to have deleted on purpose.
  public var bringsBackRemoved = false
  /// Take the table's word for rows of which nothing else is left.
  public var trustsTable = false
  /// Patterns for the names of nodes that will not come back: what they left unfinished is finished without them.
  public var gone: [String] = []

  public init() {}
}

/// One thing that is not as it should be, and what can be done about it.
public struct RecoveryItem: Sendable, Codable, Equatable {
  public enum Kind: String, Sendable, Codable, CaseIterable {
    /// An object under `runs/` can't be read.
    case objectBroken = "object-broken"
    /// A plan without a proof: its run was cut off, or can't be finished.
    case runOpen = "run-open"
    /// A run whose proof is gone, and whose rows are in the table.
    case proofLost = "proof-lost"
    /// The table says that a run is committed of which the store knows nothing.
    case runLost = "run-lost"
    /// The table holds rows of a batch that no proof names.
    case rowsUnproven = "rows-unproven"
    /// The table has forgotten the commit that brought these rows: it was set back to an older state, or made anew.
    case rowsForgotten = "rows-forgotten"
    /// Proven rows that somebody's later snapshot took out.
    case rowsRemoved = "rows-removed"
    /// The table holds some rows of a batch and not all, or too many.
    case rowsOdd = "rows-odd"
    /// Batches that a node has staged, and that nobody will commit any more.
    case stagedLeft = "staged-left"
    /// Raw objects that no proof, plan or report names.
    case rawLeft = "raw-left"
    /// Files that were on a node that is gone, and not in the store.
    case filesLost = "files-lost"
  }

  public enum State: String, Sendable, Codable {
    /// `--apply` does it.
    case possible
    case done
    case failed
    /// Gadwall can't do it; the action says who can.
    case impossible
    /// Left alone, since somebody may have wanted it so.
    case left
  }

  public var kind: Kind
  /// The run, node, bundle or object that it is about.
  public var subject: String
  public var found: String
  public var action: String
  public var state: State
  /// What failed, in the words of who refused it.
  public var words = ""
}

public struct RecoveryReport: Sendable, Codable {
  public var isApplied: Bool
  public var items: [RecoveryItem]

  /// Whether nothing is left that somebody has to do.
  public var isSettled: Bool { items.allSatisfy { $0.state == .done || $0.state == .left } }
}

/// A finding together with what `--apply` does about it.
struct RecoveryStep: Sendable {
  enum Work: Sendable {
    /// Keep an unreadable object's bytes under another name.
    case setAside(key: String)
    /// Carry a plan through to its proof, as the next harvest would.
    case finish(Plan)
    case prove(Proof)
    /// Append data files that are in the store to a table that has lost them.
    case appendAgain([StagedBundle])
    /// Commit what was staged.
    case commit([StagedBundle])
    /// Write data files from raw objects and commit them; proven ones only where the table has lost their rows.
    case writeAgain([RawBatch], areProven: Bool)
  }

  var item: RecoveryItem
  var work: Work?

  init(_ kind: RecoveryItem.Kind, _ subject: String, _ found: String, _ action: String, _ work: Work) {
    item = RecoveryItem(kind: kind, subject: subject, found: found, action: action, state: .possible)
    self.work = work
  }

  init(
    _ kind: RecoveryItem.Kind, _ subject: String, _ found: String, _ action: String,
    state: RecoveryItem.State, words: String = ""
  ) {
    item = RecoveryItem(
      kind: kind, subject: subject, found: found, action: action, state: state, words: words)
  }
}

/// A batch whose lines are to be read from its raw object, which its facts name.
struct RawBatch: Sendable {
  var node: Node
  var facts: BatchFacts
}
