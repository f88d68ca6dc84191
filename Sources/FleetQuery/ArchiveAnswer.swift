import DuckDB
import Files
import Fleet
import Harvest
import Iceberg
import Logs
import ObjectStorage
import Rows
import Support

extension FleetQuery {

  /// The archive's columns as a file, by SQL of ours alone.
  func archive(
    _ table: LoadedTable?, _ request: QueryRequest, _ prepared: Prepared, _ deadline: Deadline
  ) async throws(Failure) -> [String] {
    guard let table else { return [] }
    let path = joined(scratch, "in/archive-\(randomName()).parquet")
    var columns = relationColumns.filter { prepared.plan.used.uses($0.name) }.map {
      "\(name: $0.name)" as SQL
    }
    for (number, derived) in prepared.plan.used.derived.enumerated() {
      columns.append("\(derived.sql) AS \(name: DerivedColumn.name(number))")
    }
    // A file has a column at least.
    if columns.isEmpty { columns = ["line"] }
    try await duckdb.run(
      [
        "COPY (SELECT \(columns.joined(separator: ", ")) FROM iceberg_scan(\(catalog.metadataURL(of: table)))\(condition(request.selection, prepared.plan.archiveFilter))) TO \(path) (FORMAT parquet, COMPRESSION uncompressed)"
      ],
      DuckDB.Settings(
        memory: .gibibytes(2), scratch: joined(scratch, "spill"), load: ["avro", "iceberg"],
        deadline: deadline))
    return [path]
  }

  /// The archive is one more node: the questions are asked of its columns, where nothing else can be read.
  func archiveAnswer(
    _ files: [String], _ plan: QueryPlan, _ deadline: Deadline
  ) async throws(Failure) -> Gather.Answer {
    let folder = joined(scratch, "in/archive-\(randomName())")
    try makeScratch(folder)
    let asked = plan.questions.numbered(where: \.hasArchive)
    let spill = joined(scratch, "spill")
    let started = try Confined(
      plain, reading: joined(scratch, "in"), writing: [folder, spill],
      Gather.settings(scratch: spill, deadline: deadline))
    defer { started.end() }
    try await started.run(
      ["CREATE VIEW \(name: rowsName) AS \(archiveRows(files, plan.used))"],
      answerStatements(asked, in: folder))
    var answer = Gather.Answer(node: Node(region: "", zone: "", name: "archive"), files: [], isArchive: true)
    for (number, _) in asked { answer.answered[number] = [joined(folder, "\(number).parquet")] }
    return answer
  }

  /// The part of the fleet that was wished for, and of its rows those that matter, of the archive. Iceberg's bounds leave out whole files by it.
  func condition(_ selection: NodeSelection, _ filter: RowFilter) -> SQL {
    func any(_ column: SQL, _ patterns: [String]) -> SQL? {
      guard !patterns.isEmpty else { return nil }
      let tests = patterns.map { pattern -> SQL in
        // Only `*` and `?` mean something in these patterns.
        let expression = pattern.map { character -> String in
          switch character {
          case "*": ".*"
          case "?": "."
          default: character.isLetter || character.isNumber ? String(character) : "\\" + String(character)
          }
        }.joined()
        return "regexp_full_match(\(column), \(expression), 's')"
      }
      return "(\(tests.joined(separator: " OR ")))"
    }
    var all = [any("region", selection.regions), any("zone", selection.zones), any("node", selection.names)]
      .compactMap(\.self)
    if filter != .everything { all.append(filter.sql) }
    return all.isEmpty ? "" : " WHERE \(all.joined(separator: " AND "))"
  }
}
