public import DuckDB
import Files
import Support

/// The statements in `Tests/Cases/queries`, and the rows that they were written for.
public enum QueryCases {
  static let folder = joined(repositoryRoot, "Tests/Cases/queries")

  /// Files of statements; those that fail have a file of their own.
  public static let files: [String] = ((try? folderEntries(folder)) ?? []).compactMap(\.name).filter {
    $0.hasSuffix(".sql") && $0 != "rows.sql" && $0 != failing
  }.sorted()

  /// Statements that fail in one DuckDB.
  public static let failing = "failing.sql"

  public static func statements(_ name: String) throws -> [String] {
    let text = String(decoding: try readFile(joined(folder, name), limit: .mebibytes(4)), as: UTF8.self)
    return text.split(separator: "\n\n").map { block in
      block.split(separator: "\n").filter { !$0.hasPrefix("-- ") }.joined(separator: "\n")
    }.filter { !$0.isEmpty }
  }

  /// Makes the table `logs_all`.
  public static func rows() throws -> [SQL] {
    [
      SQL(
        trusted: String(
          decoding: try readFile(joined(folder, "rows.sql"), limit: .mebibytes(4)), as: UTF8.self))
    ]
  }

  /// Whether the order of the rows is the statement's.
  public static func isOrdered(_ statement: String) -> Bool {
    var depth = 0
    var words = ""
    for character in statement.uppercased() {
      if character == "(" {
        depth += 1
      } else if character == ")" {
        depth -= 1
      } else if depth == 0 {
        words.append(character)
      }
    }
    return words.contains("ORDER BY")
  }
}

/// Whether two values are the same; numbers with a fraction or an exponent in them, within a billionth.
public func isSame(_ one: String, _ two: String) -> Bool {
  if one == two { return true }
  func parts(_ text: String) -> [Substring] {
    text.split(omittingEmptySubsequences: false) { !($0.isNumber || "+-.eE".contains($0)) }
  }
  let (left, right) = (parts(one), parts(two))
  func rest(_ text: String) -> String { text.filter { !($0.isNumber || "+-.eE".contains($0)) } }
  guard left.count == right.count, rest(one) == rest(two) else { return false }
  return zip(left, right).allSatisfy { a, b in
    if a == b { return true }
    guard (a + b).contains(where: ".eE".contains), let x = Double(a), let y = Double(b) else { return false }
    return abs(x - y) <= 1e-9 * max(abs(x), abs(y), 1e-300) || abs(x - y) < 1e-12
  }
}

/// The first difference between two results; nil when there is none.
public func difference(_ found: [[String]], _ wanted: [[String]], isOrdered: Bool) -> String? {
  if found == wanted { return nil }
  guard found.count == wanted.count else { return "\(found.count) rows, and not \(wanted.count)" }
  func sorted(_ rows: [[String]]) -> [[String]] {
    // By what is no number with a fraction first: a billionth must not change the order.
    rows.map { row in (row.map { $0.contains(".") ? "" : $0 }.joined(separator: "\u{1}"), row) }
      .sorted { $0.0 == $1.0 ? $0.1.lexicographicallyPrecedes($1.1) : $0.0 < $1.0 }.map(\.1)
  }
  let (left, right) = isOrdered ? (found, wanted) : (sorted(found), sorted(wanted))
  for (a, b) in zip(left, right) where !(a.count == b.count && zip(a, b).allSatisfy(isSame)) {
    return "\(a), and not \(b)"
  }
  return nil
}
