public import Support

/// What a catalog answered to a commit.
public enum CommitAnswer: Sendable {
  case committed(LoadedTable)
  /// Somebody else was faster, or the table is no longer what the change was made for.
  case conflict(words: String)
  /// There was no clear answer: the change may have been made or not.
  case unknown(words: String)
}

/// Keeps one table's current metadata and swaps it atomically.
public protocol Catalog: Sendable {
  /// The table's name for messages, `logs.events`.
  var table: String { get }

  /// The table as it is now, or nil when there is none.
  func load() async throws(Failure) -> LoadedTable?

  /// Where a table that doesn't exist yet will lie. The catalog's to choose.
  func newLocation() async throws(Failure) -> String

  /// The URL of the metadata file that this state of the table was read from.
  func metadataURL(of table: LoadedTable) -> String

  /// Makes what other readers go by say what this state of the table says, if a commit was cut off before it did.
  func settle(_ table: LoadedTable) async throws(Failure)

  /// Makes the change if the table is still the one that was loaded (nil: if there is still none).
  func commit(_ change: TableChange, on base: LoadedTable?) async throws(Failure) -> CommitAnswer
}
