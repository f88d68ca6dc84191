import DuckDB
import Files
import Fleet
import Harvest
import Logs
import ObjectStorage
import Support

extension FleetQuery {
  /// Takes up what one node sent. What can't be believed is a failure of that node, and none of its rows is seen.
  func take(_ outcome: NodeOutcome, _ document: QueryDocument, _ asked: inout Asked)
    async throws(Failure) -> Gather.Answer?
  {
    var coverage: Coverage.NodeCoverage
    var taken: Gather.Answer?
    // A report in the store is worth more than what the engine says of the task. Where none is to be expected, a store that does not say is no news.
    var ending = outcome.ending
    if ending != .answered, (try? await store.stat(QueryKeys.report(document.query, outcome.node))) != nil {
      ending = .answered
    }
    switch ending {
    case .answered:
      do throws(Failure) {
        let (report, answer) = try await answer(of: outcome.node, document)
        if let reason = report.refused {
          asked.coverage.nodes.append(
            Coverage.NodeCoverage(node: outcome.node, state: .refused, reason: reason))
          return nil
        }
        if report.tooOld { asked.isTooOld = true }
        asked.sqlError = asked.sqlError ?? report.sqlError
        coverage = Coverage.NodeCoverage(node: outcome.node, state: .answered)
        coverage.files = report.fileCount
        coverage.bytes = report.bytes
        coverage.lines = report.lines
        coverage.malformed = report.malformed
        coverage.prunedFiles = report.prunedFiles
        coverage.policy = report.policy
        coverage.mayWithhold = report.mayWithhold
        coverage.moved = report.parts.reduce(0) { $0 + $1.bytes }
        coverage.movedRows = report.parts.reduce(0) { $0 + $1.rows }
        coverage.seconds = report.seconds
        coverage.passedOver = report.passedOver
        taken = answer
      } catch {
        coverage = Coverage.NodeCoverage(node: outcome.node, state: .failed, reason: error.description)
      }
    case .refused(let reason):
      coverage = Coverage.NodeCoverage(node: outcome.node, state: .refused, reason: reason)
    case .failed(let reason):
      coverage = Coverage.NodeCoverage(node: outcome.node, state: .failed, reason: reason)
    case .timedOut: coverage = Coverage.NodeCoverage(node: outcome.node, state: .timedOut)
    case .offline(let reason):
      coverage = Coverage.NodeCoverage(node: outcome.node, state: .offline, reason: reason)
    }
    asked.coverage.nodes.append(coverage)
    return taken
  }

  func answer(of node: Node, _ document: QueryDocument) async throws(Failure) -> (
    QueryReport, Gather.Answer
  ) {
    let query = document.query
    let key = QueryKeys.report(query, node)
    guard let bytes = try await store.get(key, limit: .mebibytes(64)) else {
      throw Failure("query.no-report", "The node ended well, and its report is not in the store.")
    }
    let report = try decodeJSON(
      QueryReport.self, from: bytes, code: "query.report", document: "The report \(key)",
      remedy: "Install the same Gadwall on the node and here.")
    guard report.node == node, report.query == query else {
      throw Failure("query.report", "The report \(key) is another node's, or of another query.")
    }
    guard report.version == DuckDB.version else {
      throw Failure(
        "query.version",
        "The node has DuckDB \(printable(report.version)), and here it is \(DuckDB.version): their rows can't be put together.",
        remedy: "Install the same Gadwall on both.")
    }
    try await check(report, key, document)
    var answer = Gather.Answer(node: node, files: report.files, numbers: document.numbers(of: node))
    for part in report.parts {
      let path = joined(scratch, "in/\(randomName()).parquet")
      let checksum: UInt32
      guard try await store.take(part.key, toFile: path) else {
        throw Failure("query.report", "The report \(key) names an object that is not there.")
      }
      do throws(SystemError) {
        checksum = try crc32c(file: path)
      } catch {
        throw error.failure("scratch.unwritable", "What a node sent can't be read again.")
      }
      guard checksum == part.checksum else {
        throw Failure("query.checksum", "The object \(part.key) is not what the node's report says.")
      }
      if let question = part.question {
        answer.answered[question, default: []].append(path)
      } else {
        answer.frames.append(path)
      }
    }
    return (report, answer)
  }

  /// What a report says is a stranger's word: nothing of it may reach another node's rows, or cost more than was asked for.
  func check(_ report: QueryReport, _ key: String, _ document: QueryDocument) async throws(Failure) {
    func refuse(_ what: String) -> Failure { Failure("query.report", "The report \(key) \(what).") }
    let sane: ClosedRange<Int64> = 0...(1 << 50)
    let numbers =
      [report.bytes, report.lines, report.malformed ?? 0, Int64(report.prunedFiles), Int64(report.fileCount)]
      + report.parts.map(\.rows)
    guard numbers.allSatisfy(sane.contains),
      (0...1e9).contains(report.seconds)
    else { throw refuse("has numbers that can't be") }
    let itsFiles = document.numbers(of: report.node)
    guard Set(report.files.map(\.number)).count == report.files.count,
      report.files.allSatisfy({ itsFiles.contains($0.number) })
    else { throw refuse("names files that are not its own") }
    let questions = report.parts.compactMap(\.question)
    guard report.parts.count <= 1024, Set(report.parts.map(\.key)).count == report.parts.count,
      Set(questions).count == questions.count, questions.allSatisfy(document.questions.indices.contains)
    else { throw refuse("names too many objects, or one twice") }
    var total: Int64 = 0
    for part in report.parts {
      guard part.key.hasPrefix(QueryKeys.answers(document.query, report.node)),
        let size = try await store.stat(part.key)?.size, size == part.bytes
      else { throw refuse("names an object that is not its own, or not there") }
      total += size
      guard total <= document.answerLimit.bytes else { throw refuse("comes with more than was asked for") }
    }
  }

}
