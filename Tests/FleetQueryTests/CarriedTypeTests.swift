import DuckDB
import Support
import TestSupport
import Testing

@testable import FleetQuery

@Suite("Types on their way") struct CarriedTypeTests {
  static let types: [(type: String, carried: String?)] = [
    ("INTEGER", "INTEGER"), ("DECIMAL(9,2)", "DECIMAL(9,2)"),
    ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITH TIME ZONE"),
    ("VARCHAR[][3]", "VARCHAR[][3]"), ("MAP(VARCHAR, UBIGINT)", "MAP(VARCHAR, UBIGINT)"),
    (
      #"STRUCT(a INTEGER, "two ""words""" VARCHAR[], Q DATE)"#,
      #"STRUCT(a INTEGER, "two ""words""" VARCHAR[], Q DATE)"#
    ),
    ("STRUCT(VARCHAR, BIGINT)", "STRUCT(f0 VARCHAR, f1 BIGINT)"),
    (
      "STRUCT(INTEGER, STRUCT(DATE, TIMESTAMP WITH TIME ZONE)[])",
      "STRUCT(f0 INTEGER, f1 STRUCT(f0 DATE, f1 TIMESTAMP WITH TIME ZONE)[])"
    ),
    ("HUGEINT", "HUGEINT"), ("TIME WITH TIME ZONE", "TIME WITH TIME ZONE"),
    ("HUGEINT[]", nil), ("STRUCT(a INTERVAL)", nil), ("MAP(VARCHAR, TIME WITH TIME ZONE)", nil),
    ("ENUM('a', 'b')", nil), ("UNION(a INTEGER, b VARCHAR)", nil), ("", nil), ("INTEGER ", nil),
    ("INTEGER)", nil), ("VARCHAR), (SELECT 1", nil), ("STRUCT(x)::INT,(SELECT 1) INTEGER)", nil),
    ("STRUCT(a; INTEGER)", nil), (#"STRUCT("a INTEGER)"#, nil), (#"STRUCT("a"" INTEGER)"#, nil),
    ("DECIMAL(9,2", nil),
    ("DECIMAL((SELECT 1))", nil), ("VARCHAR[(SELECT 1)]", nil), ("STRUCT()", nil), ("MAP(", nil),
    ("integer", nil),
    ("STRUCT(a INTEGER, )", nil), ("VARCHAR COLLATE NOCASE", nil),
    (String(repeating: "STRUCT(a ", count: 2_000) + "INTEGER" + String(repeating: ")", count: 2_000), nil),
  ]

  @Test(
    "A type travels as itself, as one with names, or not at all; what is no type never does", arguments: types
  )
  func carried(_ type: String, _ carried: String?) {
    #expect(CarriedType(type)?.name == carried)
    // What a node gets, it reads again.
    if let carried { #expect(CarriedType(carried)?.name == carried) }
  }

  @Test("DuckDB takes each for what it was")
  func duckdb() async throws {
    let duckdb = try await testDuckDB()
    for (type, carried) in Self.types {
      guard let carried, carried == type, let faithful = CarriedType(type), faithful.isFaithful else {
        continue
      }
      let answer = try await duckdb.run(["SELECT typeof(CAST(NULL AS \(SQL(trusted: carried)))) AS t"])
      #expect(answer.first?.first?["t"]?.string == type)
    }
  }
}
