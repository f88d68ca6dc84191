import DuckDB
import Rows

extension RowFilter {
  /// The same condition over the relations' columns.
  var sql: SQL {
    switch self {
    case .all(let parts): return Self.joined(parts, " AND ", "true")
    case .any(let parts): return Self.joined(parts, " OR ", "false")
    case .text(let column, let test, let isNegated):
      let condition = test.sql("\(name: column.rawValue)")
      return isNegated ? "NOT (\(condition))" : "(\(condition))"
    case .number(.line, let range): return Self.within("line", range) { "\($0)" }
    case .number(let column, let range):
      return Self.within("\(name: column.rawValue)", range) { "make_timestamptz(\($0))" }
    case .length(let column, let unit, let range):
      let function: SQL = unit == .bytes ? "strlen" : "length"
      return Self.within("\(function)(\(name: column.rawValue))", range) { "\($0)" }
    case .isNull(let column, let isNull):
      return isNull ? "(\(name: column.name) IS NULL)" : "(\(name: column.name) IS NOT NULL)"
    }
  }

  private static func joined(_ parts: [RowFilter], _ separator: String, _ none: SQL) -> SQL {
    parts.isEmpty ? none : "(\(parts.map(\.sql).joined(separator: separator)))"
  }

  private static func within(_ value: SQL, _ range: ClosedRange<Int64>, _ constant: (Int64) -> SQL) -> SQL {
    var conditions: [SQL] = []
    if range.lowerBound > .min { conditions.append("\(value) >= \(constant(range.lowerBound))") }
    if range.upperBound < .max { conditions.append("\(value) <= \(constant(range.upperBound))") }
    if conditions.isEmpty { conditions.append("\(value) IS NOT NULL") }
    return "(\(conditions.joined(separator: " AND ")))"
  }
}

extension RowFilter.TextTest {
  fileprivate func sql(_ column: SQL) -> SQL {
    switch self {
    case .equals(let text): return "\(column) = \(text)"
    case .contains(let text): return "contains(\(column), \(text))"
    case .hasPrefix(let text): return "starts_with(\(column), \(text))"
    case .hasSuffix(let text): return "suffix(\(column), \(text))"
    case .isLess(let text): return "\(column) < \(text)"
    case .isLessOrEqual(let text): return "\(column) <= \(text)"
    case .like(let texts, let startsThere, let endsThere):
      let pattern =
        (startsThere ? "" : "%") + texts.joined(separator: "%") + (endsThere || texts.isEmpty ? "" : "%")
      return "\(column) LIKE \(pattern)"
    }
  }
}
