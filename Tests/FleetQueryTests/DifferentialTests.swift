import DuckDB
import Files
import Support
import TestSupport
import Testing

@testable import FleetQuery

/// The law of queries: a statement over a fleet gives what one DuckDB gives over all rows in one place.
@Suite(.tags(.medium)) struct DifferentialTests {
  static let folder = joined(repositoryRoot, "Tests/Cases/queries")

  /// Files of statements; those that fail have a test of their own.
  static let files: [String] = ((try? folderEntries(folder)) ?? []).compactMap(\.name).filter {
    $0.hasSuffix(".sql") && $0 != "rows.sql" && $0 != "failing.sql"
  }.sorted()

  static func statements(_ name: String) throws -> [String] {
    let text = String(decoding: try readFile(joined(folder, name), limit: .mebibytes(4)), as: UTF8.self)
    return text.split(separator: "\n\n").map { block in
      block.split(separator: "\n").filter { !$0.hasPrefix("-- ") }.joined(separator: "\n")
    }.filter { !$0.isEmpty }
  }

  static func rows() throws -> [SQL] {
    [
      SQL(
        trusted: String(
          decoding: try readFile(joined(folder, "rows.sql"), limit: .mebibytes(4)), as: UTF8.self))
    ]
  }

  /// Whether the order of the rows is the statement's.
  static func isOrdered(_ statement: String) -> Bool {
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

  @Test func thereAreEnough() throws {
    #expect(try Self.files.reduce(0) { try $0 + Self.statements($1).count } >= 400)
  }

  @Test(arguments: files)
  func theFleetGivesWhatOneDuckDBGives(_ name: String) async throws {
    try await withScratch { folder in
      let fleet = try await SimulatedFleet(folder, rows: try Self.rows(), parts: Array(0..<5))
      for statement in try Self.statements(name) {
        do {
          let wanted = try await fleet.reference(statement)
          let (found, plan) = try await fleet.answer(statement)
          if let difference = difference(found, wanted, isOrdered: Self.isOrdered(statement)) {
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
        folder, rows: try Self.rows() + [dealt], parts: Array(10..<(10 + nodes)))
      for name in Self.files {
        for (index, statement) in try Self.statements(name).enumerated() where index % 9 == nodes % 9 {
          let wanted = try await fleet.reference(statement)
          let found = try await fleet.answer(statement).rows
          let difference = difference(found, wanted, isOrdered: Self.isOrdered(statement))
          #expect(difference == nil, "\(statement)")
        }
      }
    }
  }

  /// Most of those that aggregate over one relation: in these files nearly all do.
  @Test func mostAggregatesSplit() async throws {
    try await withScratch { folder in
      let fleet = try await SimulatedFleet(folder, rows: try Self.rows(), parts: Array(0..<5))
      var (all, split) = (0, 0)
      for name in ["aggregates.sql", "grouping.sql", "having.sql"] {
        for statement in try Self.statements(name) {
          guard try await fleet.isOverOneRelation(statement) else { continue }
          all += 1
          if try await fleet.plan(statement).way == .split { split += 1 }
        }
      }
      #expect(all > 250 && split * 10 >= all * 9, "\(split) of \(all)")
      tally("aggregates over one relation that split", "\(split) of \(all)")
    }
  }

  @Test func whatFailsInOneDuckDBFailsInTheFleet() async throws {
    try await withScratch { folder in
      let fleet = try await SimulatedFleet(folder, rows: try Self.rows(), parts: Array(0..<5))
      for statement in try Self.statements("failing.sql") {
        await #expect(throws: (any Error).self, "\(statement)") { try await fleet.reference(statement) }
        await #expect(throws: (any Error).self, "\(statement)") { try await fleet.answer(statement) }
      }
    }
  }
}
