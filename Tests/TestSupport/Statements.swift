public import DuckDB
import Files
import Processes
import Support
public import Testing

/// Compares a statement with the committed text `Tests/Cases/sql/NAME.sql`; `GADWALL_RECORD=1` writes that anew.
public func compare(_ name: String, _ statement: SQL, sourceLocation: SourceLocation = #_sourceLocation)
  throws
{
  let path = joined(repositoryRoot, "Tests/Cases/sql/\(name).sql")
  let text = Array((statement.text + "\n").utf8)
  if environmentValue("GADWALL_RECORD") != nil {
    try makeFolder(folderName(path))
    try publish(text, at: path, replacing: true)
  }
  let committed = try readFile(path, limit: .mebibytes(1))
  #expect(
    String(decoding: text, as: UTF8.self) == String(decoding: committed, as: UTF8.self),
    sourceLocation: sourceLocation)
}
