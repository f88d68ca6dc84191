import DuckDB
import Processes
import Support
import TestSupport
import Testing

@testable import FleetQuery

/// The same law as of the committed statements, of ones that nobody thought of.
///
/// `GADWALL_RANDOM_STATEMENTS` says how many, `GADWALL_RANDOM_SEED` the first one's seed: a statement that fails is made again by its seed
/// alone. What leaves something open, so that one DuckDB gives this or that by the order of its rows, can't be compared.
@Suite(.tags(.medium)) struct RandomStatementTests {
  enum Outcome: Hashable {
    case compared(QueryPlan.Way)
    case failsInBoth
    case refused
    /// One DuckDB gives something else over the same rows in another order.
    case open
    case differs
  }

  /// Over how many nodes the lines are dealt; nil as rows.sql says.
  private static let spreads: [(nodes: Int?, share: Int)] = [
    (nil, 8), (nil, 7), (1, 2), (2, 2), (40, 1),
  ]

  @Test func theFleetGivesWhatOneDuckDBGives() async throws {
    let count = UInt64(environmentValue("GADWALL_RANDOM_STATEMENTS") ?? "") ?? 150
    let first = UInt64(environmentValue("GADWALL_RANDOM_SEED") ?? "") ?? 21000
    let outcomes = try await withThrowingTaskGroup(of: [Outcome: Int].self) { group in
      var place: UInt64 = 0
      let turn = UInt64(Self.spreads.reduce(0) { $0 + $1.share })
      for (nodes, share) in Self.spreads {
        let places = place..<place + UInt64(share)
        let seeds = (first..<first + count).filter { places.contains($0 % turn) }
        group.addTask { try await Self.outcomes(seeds, nodes) }
        place = places.upperBound
      }
      return try await group.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
    }
    for (outcome, count) in outcomes { for _ in 0..<count { tally("random statement", "\(outcome)") } }
    let compared = outcomes.reduce(0) { if case .compared = $1.key { $0 + $1.value } else { $0 } }
    #expect(compared * 10 >= Int(count) * 8, "\(outcomes)")
  }

  private static func outcomes(_ seeds: [UInt64], _ nodes: Int?) async throws -> [Outcome: Int] {
    try await withScratch { folder in
      var rows = try QueryCases.rows()
      if let nodes {
        rows.append(
          "UPDATE logs_all SET part = 10 + (hash(line, node, stream) % \(nodes))::INTEGER WHERE part <> 5")
      }
      let parts = nodes.map { Array(10..<(10 + $0)) } ?? Array(0..<5)
      let fleet = try await SimulatedFleet(folder, rows: rows, parts: parts)
      var outcomes: [Outcome: Int] = [:]
      for seed in seeds {
        var generator = StatementGenerator(seed: seed)
        let statement = generator.statement()
        let (outcome, words) = try await look(statement, fleet)
        if outcome == .differs {
          Issue.record(
            "seed \(seed), over \(nodes.map(String.init) ?? "the usual") nodes\n\(statement)\n\(words)")
        }
        outcomes[outcome, default: 0] += 1
      }
      return outcomes
    }
  }

  /// - Returns: with words about what differs.
  private static func look(
    _ statement: String, _ fleet: SimulatedFleet
  ) async throws -> (outcome: Outcome, words: String) {
    let wanted = await rows { try await fleet.reference(statement) }
    guard await isSettled(statement, wanted, fleet, shuffles: 1...1) else { return (.open, "") }
    let found: [[String]]
    let plan: QueryPlan
    do { (found, plan) = try await fleet.answer(statement) } catch {
      if (error as? Failure)?.code == "sql.refused" { return (.refused, "") }
      guard let rows = wanted else { return (.failsInBoth, "") }
      // Nodes compute what a SELECT lists, also where nobody uses it (docs/query.md).
      if await Self.rows({ try await fleet.unabridgedReference(statement) }) == nil {
        return (.failsInBoth, "")
      }
      guard await isSettled(statement, wanted, fleet, shuffles: 2...7) else { return (.open, "") }
      return (.differs, "It fails, and should give \(rows.count) rows: \(error)")
    }
    let words =
      if let wanted {
        difference(found, wanted, isOrdered: QueryCases.isOrdered(statement))
      } else {
        "\(found.count) rows, and it should fail" as String?
      }
    guard let words else { return (.compared(plan.way), "") }
    guard await isSettled(statement, wanted, fleet, shuffles: 2...7) else { return (.open, "") }
    let questions = plan.questions.map { "asked: \($0.sql)\($0.isBag ? " -- a bag" : "")" }
    return (
      .differs, (["\(plan.way): \(words)"] + questions + ["gather: \(plan.gather)"]).joined(separator: "\n")
    )
  }

  /// Whether one DuckDB gives the same whatever order the rows are in.
  private static func isSettled(
    _ statement: String, _ wanted: [[String]]?, _ fleet: SimulatedFleet, shuffles: ClosedRange<Int>
  ) async -> Bool {
    for number in shuffles {
      let again = await rows { try await fleet.reference(statement, shuffledBy: number) }
      guard let wanted, let again else {
        if wanted == nil, again == nil { continue }
        return false
      }
      if difference(again, wanted, isOrdered: QueryCases.isOrdered(statement)) != nil { return false }
    }
    return true
  }

  /// Nil when the statement fails.
  private static func rows(_ body: () async throws -> [[String]]) async -> [[String]]? { try? await body() }
}
