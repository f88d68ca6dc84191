import DuckDB
import Iceberg
import Logs
import Rows
import Support

// The SQL of a node's stage, all of it.

/// A bundle's batches as a table: what the frames carry as a number only.
func batchTableStatement(rows: String) -> SQL {
  """
  CREATE OR REPLACE TEMP TABLE batches AS SELECT * FROM read_json(\(rows), format = 'newline_delimited', columns = {
    index: 'INTEGER', stream: 'VARCHAR', rotated: 'BIGINT', id: 'VARCHAR'})
  """
}

/// The rows of a frame with the columns of the table, under the table's names.
func rowsViewStatement(frame: String, node: Node) -> SQL {
  """
  CREATE OR REPLACE TEMP VIEW gadwall_rows AS
  SELECT f.ts, f.service, f.category, f.message, f.id, f.version, \(node.region) AS region, \(node.zone) AS zone,
    \(node.name) AS node, b.stream, make_timestamptz(b.rotated * 1000000) AS rotated, b.id AS batch, f.line, f.extra,
    f.malformed, f.text, f.file_row_number AS gadwall_row
  FROM read_parquet(\(frame), file_row_number = true) f JOIN batches b ON f.batch = b.index
  """
}

/// The same, without a join: that one collects rows until it has some hundreds of them, which are gigabytes when lines are long.
func rowsViewStatement(frame: String, node: Node, members: [NumberedBatch]) -> SQL {
  let each = members.map { member in
    """
    SELECT f.ts, f.service, f.category, f.message, f.id, f.version, \(node.region) AS region, \(node.zone) AS zone,
      \(node.name) AS node, \(member.facts.stream) AS stream, make_timestamptz(\(member.facts.rotated)::BIGINT * 1000000) AS rotated,
      \(member.facts.id) AS batch, f.line, f.extra, f.malformed, f.text, f.file_row_number AS gadwall_row
    FROM read_parquet(\(frame), file_row_number = true) f WHERE f.batch = \(Int64(member.number))
    """ as SQL
  }
  return "CREATE OR REPLACE TEMP VIEW gadwall_rows AS\n\(each.joined(separator: "\nUNION ALL\n"))"
}

/// The data file: zstd level 1 measured both smaller and faster than 3.
func dataFileStatement(to path: String, rowGroups: RowGroups = .usual) -> SQL {
  let columns = tableColumns.map { "\(name: $0.name)" as SQL }.joined(separator: ", ")
  let ids = tableColumns.map { "\(name: $0.name): \($0.id)" as SQL }.joined(separator: ", ")
  return """
    COPY (SELECT \(columns) FROM gadwall_rows) TO \(path)
    (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1\(rowGroups.option), RETURN_STATS, FIELD_IDS {\(ids)})
    """
}

/// How DuckDB cuts a data file into row groups. It keeps one for each thread in memory, and its usual 122,880 rows are gigabytes when lines are long.
enum RowGroups: Equatable {
  case usual
  case rows(Int64)
  /// Fewer rows than DuckDB cuts at. It goes by bytes only when it need not keep the order, which it does all the same with one thread.
  case bytes

  /// - Parameter row: bytes of a row, where they are longest.
  init(row: Int64) {
    let rows = (48 << 20) / max(1, row) / 2048 * 2048
    self = rows >= 122_880 ? .usual : rows >= 2048 ? .rows(rows) : .bytes
  }

  var option: SQL {
    switch self {
    case .usual: ""
    case .rows(let rows): ", ROW_GROUP_SIZE \(rows)"
    case .bytes: ", ROW_GROUP_SIZE_BYTES '32MB'"
    }
  }

  /// Statements before the copy, and after it.
  var settings: (before: [SQL], after: [SQL]) {
    guard self == .bytes else { return ([], []) }
    return (
      ["SET preserve_insertion_order = false", "SET threads = 1"],
      ["RESET preserve_insertion_order"]
    )
  }
}

/// The numbers of the urgent rows in the frame, one a line.
///
/// - Parameter selection: what ``urgentSelection(_:)`` was rendered to.
func urgentRowsStatement(_ selection: SQL, to path: String) -> SQL {
  "COPY (\(selection) ORDER BY gadwall_row) TO \(path) (FORMAT csv, HEADER false)"
}

/// DuckDB's statistics by column, times as microseconds.
func columnStatistics(_ row: JSONValue) -> [String: ColumnStatistics] {
  var result: [String: ColumnStatistics] = [:]
  for (quoted, value) in row["column_statistics"]?.object ?? [:] {
    let name = quoted.filter { $0 != "\"" }
    func bound(_ key: String) -> String? {
      guard let text = value[key]?.string else { return nil }
      guard name == "ts" || name == "rotated" else { return text }
      return timestamp(of: text).map { String($0.microseconds) }
    }
    result[name] = ColumnStatistics(
      nulls: value["null_count"]?.integer ?? 0, values: value["num_values"]?.integer ?? 0,
      size: value["column_size_bytes"]?.integer ?? 0, min: bound("min"), max: bound("max"))
  }
  return result
}
