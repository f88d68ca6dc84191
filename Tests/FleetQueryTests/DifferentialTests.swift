import DuckDB
import Support
import TestSupport
import Testing

@testable import FleetQuery

/// The law of queries: a statement over a fleet gives what one DuckDB gives over all rows in one place.
@Suite(.tags(.medium)) struct DifferentialTests {
  @Test func thereAreEnough() throws {
    #expect(try QueryCases.files.reduce(0) { try $0 + QueryCases.statements($1).count } >= 400)
  }

  @Test(arguments: QueryCases.files)
  func theFleetGivesWhatOneDuckDBGives(_ name: String) async throws {
    try await withScratch { folder in
      let fleet = try await SimulatedFleet(folder, rows: try QueryCases.rows(), parts: Array(0..<5))
      for statement in try QueryCases.statements(name) {
        do {
          let wanted = try await fleet.reference(statement)
          let (found, plan) = try await fleet.answer(statement)
          if let difference = difference(found, wanted, isOrdered: QueryCases.isOrdered(statement)) {
            Issue.record(
              "\(statement)\n\(plan.way): \(difference)\n\(plan.questions.map(\.sql))\n\(plan.gather)")
          }
          tally("query", "\(name) \(plan.way)")
        } catch {
          Issue.record("\(statement)\n\(error)")
        }
      }
    }
  }

  /// The same lines dealt over more or fewer nodes give the same.
  @Test(arguments: [1, 2, 40]) func theSpreadChangesNothing(_ nodes: Int) async throws {
    try await withScratch { folder in
      let dealt: SQL =
        "UPDATE logs_all SET part = 10 + (hash(line, node, stream) % \(nodes))::INTEGER WHERE part <> 5"
      let fleet = try await SimulatedFleet(
        folder, rows: try QueryCases.rows() + [dealt], parts: Array(10..<(10 + nodes)))
      for name in QueryCases.files {
        for (index, statement) in try QueryCases.statements(name).enumerated() where index % 9 == nodes % 9 {
          let wanted = try await fleet.reference(statement)
          let found = try await fleet.answer(statement).rows
          let difference = difference(found, wanted, isOrdered: QueryCases.isOrdered(statement))
          #expect(difference == nil, "\(statement)")
        }
      }
    }
  }

  /// Most of those that aggregate over one relation: in these files nearly all do.
  @Test func mostAggregatesSplit() async throws {
    try await withScratch { folder in
      let fleet = try await SimulatedFleet(folder, rows: try QueryCases.rows(), parts: Array(0..<5))
      var (all, split) = (0, 0)
      for name in ["aggregates.sql", "grouping.sql", "having.sql"] {
        for statement in try QueryCases.statements(name) {
          guard try await fleet.isOverOneRelation(statement) else { continue }
          all += 1
          if try await fleet.plan(statement).way == .split { split += 1 }
        }
      }
      #expect(all > 250 && split * 10 >= all * 9, "\(split) of \(all)")
      tally("aggregates over one relation that split", "\(split) of \(all)")
    }
  }

  /// What can be made of partial values is not sent value by value.
  @Test func whatCanBeMergedIs() async throws {
    try await withScratch { folder in
      let fleet = try await SimulatedFleet(folder, rows: try QueryCases.rows(), parts: Array(0..<2))
      let calls = merges.flatMap { merge in
        merge.names.map { name -> String in
          guard !merge.arguments.isEmpty else { return "count(*)" }
          let values = merge.arguments.map { argument in
            switch argument {
            case "n": "3"
            case "x" where merge.arguments.contains("y") && merge.arguments.first == "x": "id"
            default: name.hasPrefix("bool") || name.contains("if") ? "line > 3" : "line"
            }
          }
          return "\(name)(\(values.joined(separator: ", ")))"
        }
      }
      #expect(calls.count > 50 && Set(calls).count == calls.count)
      for call in calls {
        let plan = try await fleet.plan("SELECT \(call) FROM live")
        #expect(
          plan.way == .split && plan.questions.allSatisfy { !$0.isBag },
          "\(call): \(plan.questions.map(\.sql))")
      }
    }
  }

  /// What needs every value travels by itself, and makes nothing else do so.
  @Test(arguments: [
    ("median(line), count(*), sum(line)", 1, false), ("median(line), max(ts), min(id)", 1, true),
    ("median(line % 5), mode(category), max(ts)", 2, true),
    ("count(DISTINCT id), count(DISTINCT message)", 2, false),
    ("count(DISTINCT id), count(DISTINCT id || node), count(*)", 2, true),
    ("count(DISTINCT node), corr(line, length(message))", 1, true),
    ("list(id ORDER BY line), median(line)", 1, false),
    (
      "approx_count_distinct(id), approx_count_distinct(line), median(line % 5), count(DISTINCT region)", 4,
      true
    ),
    ("list(DISTINCT category ORDER BY category), avg(line)", 1, true),
    ("avg(ts), max(line), sum(line)", 1, true),
  ])
  func eachAggregateTravelsByItself(_ list: String, sets: Int, merges: Bool) async throws {
    try await withScratch { folder in
      let fleet = try await SimulatedFleet(folder, rows: try QueryCases.rows(), parts: Array(0..<2))
      let plan = try await fleet.plan("SELECT \(list) FROM live")
      let question = try #require(plan.questions.first)
      #expect(plan.way == .split && question.groupsSQL.count == sets, "\(question)")
      #expect(question.columns.contains { isPartialValue($0.name) } == merges, "\(question)")
      #expect((question.rowsSQL == nil) == merges)
    }
  }

  @Test func whatFailsInOneDuckDBFailsInTheFleet() async throws {
    try await withScratch { folder in
      let fleet = try await SimulatedFleet(folder, rows: try QueryCases.rows(), parts: Array(0..<5))
      for statement in try QueryCases.statements("failing.sql") {
        await #expect(throws: (any Error).self, "\(statement)") { try await fleet.reference(statement) }
        await #expect(throws: (any Error).self, "\(statement)") { try await fleet.answer(statement) }
      }
    }
  }
}
