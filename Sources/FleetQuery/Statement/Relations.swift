public import DuckDB
import Harvest

/// What a statement may read. All three have the table's columns.
public enum Relation: String, Sendable, CaseIterable, Codable {
  /// What is on the nodes and not in the archive.
  case live
  /// The table, as of one snapshot.
  case archive
  /// Both.
  case logs

  /// Whether rows of the nodes are among its rows.
  public var hasLive: Bool { self != .archive }
  public var hasArchive: Bool { self != .live }
}

/// Names and types of the relations' columns, in the table's order.
public let relationColumns: [(name: String, type: SQL)] = urgentColumns
