/// What a manifest says of one column of a data file.
public struct ColumnMetrics: Sendable, Equatable {
  /// Nulls included.
  public var values: Int64
  public var nulls: Int64
  /// Bytes in the file.
  public var size: Int64
  /// The smallest and largest value as text, whole; microseconds since 1970 for timestamps. Nil where there is none.
  public var min: String?
  public var max: String?

  public init(values: Int64, nulls: Int64, size: Int64, min: String?, max: String?) {
    self.values = values
    self.nulls = nulls
    self.size = size
    self.min = min
    self.max = max
  }
}

/// A Parquet file that is in its place and is to become part of the table.
public struct AppendedFile: Sendable, Equatable {
  public var url: String
  public var rows: Int64
  public var size: Int64
  /// Days since 1970 of `rotated`: the same for all its rows.
  public var day: Int32
  public var region: String
  /// By column name.
  public var columns: [String: ColumnMetrics]

  public init(
    url: String, rows: Int64, size: Int64, day: Int32, region: String, columns: [String: ColumnMetrics]
  ) {
    self.url = url
    self.rows = rows
    self.size = size
    self.day = day
    self.region = region
    self.columns = columns
  }
}

/// A data file as a snapshot's manifests name it.
public struct LiveFile: Sendable, Equatable {
  public var url: String
  public var rows: Int64
  public var size: Int64
  /// Of the snapshot that added it.
  public var snapshot: Int64
}
