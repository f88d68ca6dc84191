// A disk that is too small: the harvest says so, nothing is lost or half written, and with a larger disk the next one brings every line once.

import Files
import Support
import TestSupport
import Testing

@Suite("No space", .tags(.large))
struct NoSpaceTests {
  private static let wanted = ids("a", 50) + ids("b", 50)

  private func withFiles(
    on backend: TestBackend = .current, _ body: (TestFleet) async throws -> Void
  ) async throws {
    try await TestFleet.with(on: backend) { fleet in
      let files = ["a", "b"].enumerated()
      for (index, name) in files {
        try fleet.put(
          "\(name).log.1", lines(ids(name, 50), category: "SECURITY"),
          rotated: TestFleet.hour - Int64(index) * 86_400,
          stream: "\(name).log")
      }
      try await body(fleet)
    }
  }

  private func expectAllThere(_ fleet: TestFleet) async throws {
    #expect(try fleet.names().isEmpty)
    #expect(try await fleet.idCounts() == counts(Self.wanted))
    #expect(try await fleet.comparison().differences == [])
    let verify = try await fleet.gadwall("verify", "--deep")
    #expect(verify.status == 0, "\(verify)")
  }

  @Test("None for a node's ledger, then none for its scratch files")
  func nodeState() async throws {
    try await withFiles { fleet in
      let state = fleet.nodes[0].path("var/lib/gadwall")
      try await SmallDisk.with(over: state, .kibibytes(8)) { disk in
        let steps: [(ByteCount, Int32, String)] = [
          (.kibibytes(8), 2, "[ledger.failed]"), (.kibibytes(40), 2, "[ledger.failed]"),
          (.kibibytes(96), 2, "[ledger.failed]"), (.mebibytes(1), 1, "64.0 MiB of scratch space"),
          (.mebibytes(63), 1, "64.0 MiB of scratch space"),
        ]
        for (size, status, words) in steps {
          try disk.resize(to: size)
          let harvest = try await fleet.gadwall("harvest")
          #expect(harvest.status == status && harvest.output.contains(words), "\(size): \(harvest)")
          #expect(try fleet.names() == ["a.log.1", "b.log.1"])
          #expect(try !fleet.hasTable())
        }
        try disk.resize(to: .mebibytes(80))
        let harvest = try await fleet.gadwall("harvest")
        #expect(harvest.status == 0, "\(harvest)")
        try await expectAllThere(fleet)
      }
    }
  }

  @Test("None in the store, at one object after the other")
  func store() async throws {
    try await withFiles(on: .folder) { fleet in
      try await SmallDisk.with(over: fleet.store, .kibibytes(4)) { disk in
        var failures = 0
        for size in stride(from: Int64(4), through: 400, by: 20) {
          try disk.resize(to: .kibibytes(size))
          let harvest = try await fleet.gadwall("harvest")
          #expect(try fleet.objects("").filter { $0.contains(".gadwall-") } == [])
          if harvest.status == 0 { break }
          failures += 1
          #expect(harvest.status == 2 && harvest.errors.contains("[store.full]"), "\(size) KiB: \(harvest)")
          // Deleted is only what the table holds.
          let there = Set(try fleet.names())
          for name in ["a", "b"] where !there.contains("\(name).log.1") {
            #expect(try await fleet.idCounts()["\(name)-0"] == 1)
          }
        }
        #expect(failures > 4)
        try await expectAllThere(fleet)
      }
    }
  }

  @Test("None for the control machine's own files")
  func temporary() async throws {
    try await withFiles { fleet in
      try await SmallDisk.with(over: fleet.temporary, .kibibytes(4)) { disk in
        let harvest = try await fleet.gadwall("harvest")
        #expect(harvest.status == 2 && harvest.errors.contains("[scratch.full]"), "\(harvest)")
        #expect(try fleet.names() == ["a.log.1", "b.log.1"])
        #expect(try !fleet.hasTable())
        #expect(try fleet.names(fleet.temporary) == [])
        try disk.resize(to: .mebibytes(1))
        let again = try await fleet.gadwall("harvest")
        #expect(again.status == 0, "\(again)")
        try await expectAllThere(fleet)
      }
    }
  }
}
