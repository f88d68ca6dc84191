public import Support

/// An object in the store, as the one who put it there describes it.
public struct StoredObject: Sendable, Codable, Equatable {
  public var key: String
  @Count public var size: Int64
  /// SHA-256 of the object's own bytes, in hex.
  public var digest: String

  public init(key: String, size: Int64, digest: String) {
    self.key = key
    self.size = size
    self.digest = digest
  }
}

/// What is known of a batch once its file has been read. Never changes afterwards.
public struct BatchFacts: Sendable, Codable, Equatable {
  public var id: String
  /// Relative to the node's root.
  public var folder: String
  /// The file's name when it was read.
  public var file: String
  public var stream: String
  /// The file's modification time, whole seconds since 1970.
  public var rotated: Int64
  /// SHA-256 of the uncompressed content, in hex.
  public var digest: String
  /// Of the uncompressed content.
  @Count public var bytes: Int64
  @Count public var lines: Int64
  @Count public var blank: Int64
  @Count public var malformed: Int64
  @Count public var entries: Int64
  @Count public var urgent: Int64
  /// Microseconds since 1970 of the earliest and the latest `ts`.
  public var firstTs: Instant?
  public var lastTs: Instant?
  public var raw: StoredObject?
  public var alert: StoredObject?

  public init(
    id: String, folder: String, file: String, stream: String, rotated: Int64, digest: String, bytes: Int64,
    lines: Int64,
    blank: Int64, malformed: Int64, entries: Int64, urgent: Int64 = 0, firstTs: Instant? = nil,
    lastTs: Instant? = nil
  ) {
    self.id = id
    self.folder = folder
    self.file = file
    self.stream = stream
    self.rotated = rotated
    self.digest = digest
    self.bytes = bytes
    self.lines = lines
    self.blank = blank
    self.malformed = malformed
    self.entries = entries
    self.urgent = urgent
    self.firstTs = firstTs
    self.lastTs = lastTs
  }

  /// Rows of the batch in the table.
  public var rows: Int64 { entries + malformed }
  public var isConserved: Bool { lines == entries + malformed + blank }
  public var day: Int32 { Instant(seconds: rotated).day }
}

/// What DuckDB says of one column of a Parquet file it wrote.
public struct ColumnStatistics: Sendable, Codable, Equatable {
  @Count public var nulls: Int64
  @Count public var values: Int64
  @Count public var size: Int64
  /// DuckDB's text of the smallest and largest value, not shortened; nil when all are null.
  public var min: String?
  public var max: String?

  public init(nulls: Int64, values: Int64, size: Int64, min: String?, max: String?) {
    self.nulls = nulls
    self.values = values
    self.size = size
    self.min = min
    self.max = max
  }
}

/// A data file in the table's data path.
public struct DataFile: Sendable, Codable, Equatable {
  public var url: String
  @Count public var size: Int64
  @Count public var rows: Int64
  public var columns: [String: ColumnStatistics]

  public init(url: String, size: Int64, rows: Int64, columns: [String: ColumnStatistics]) {
    self.url = url
    self.size = size
    self.rows = rows
    self.columns = columns
  }
}
