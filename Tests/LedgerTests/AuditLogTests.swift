import Files
import Support
import TestSupport
import Testing

@testable import Ledger

@Suite("The audit log", .tags(.medium)) struct AuditLogTests {
  private func entry(_ id: Int) -> AuditLog.Entry {
    var entry = AuditLog.Entry(at: "2026-11-23T14:00:00Z", task: "query", outcome: .answered)
    entry.id = "query-\(id)"
    entry.sql = "SELECT \(id)\nFROM logs"
    return entry
  }

  private func withLog(_ count: Int, _ body: (AuditLog) throws -> Void) async throws {
    try await withScratch { folder in
      let log = AuditLog(path: joined(folder, "audit.ndjson"))
      for id in 0..<count { try log.append(entry(id)) }
      try body(log)
    }
  }

  private func lines(_ log: AuditLog) throws -> [String] {
    String(decoding: try readFile(log.path, limit: .mebibytes(1)), as: UTF8.self).split(separator: "\n").map(
      String.init)
  }

  @Test("Each line has the digest of the one before")
  func chain() async throws {
    try await withLog(3) { log in
      let lines = try lines(log)
      let entries = try log.entries()
      #expect(entries.map(\.id) == ["query-0", "query-1", "query-2"] && lines.count == 3)
      #expect(entries[0].before == "" && entries[1].before == sha256(lines[0].utf8))
      let report = try log.check()
      #expect(report.lines == 3 && report.faults == [] && report.head == sha256(lines[2].utf8))
      #expect(try log.check(wanted: entries[2].before).hasWanted)
      #expect(try !log.check(wanted: sha256("x".utf8)).hasWanted)
    }
  }

  private func spoiled(_ change: (inout [String]) -> Void) async throws -> AuditLog.Report {
    var report = AuditLog.Report()
    try await withLog(5) { log in
      var all = try lines(log)
      change(&all)
      try publish(Array((all.joined(separator: "\n") + "\n").utf8), at: log.path, replacing: true)
      report = try log.check()
    }
    return report
  }

  @Test("A line that is changed, taken out, put in or moved breaks it")
  func broken() async throws {
    #expect(try await spoiled { $0[2] = $0[2].replacing("query-2", with: "query-9") }.faults.count == 1)
    #expect(
      try await spoiled { $0.remove(at: 2) }.faults == [
        "audit.ndjson, line 3: the line before it is not the one that it was written after"
      ])
    #expect(try await spoiled { $0.insert($0[1], at: 3) }.faults.count == 2)
    #expect(try await spoiled { $0.swapAt(1, 3) }.faults.count == 4)
    #expect(try await spoiled { $0[1] = "not ours" }.faults.count == 2)
    #expect(try await spoiled { _ in }.faults == [])
  }

  @Test("That the first line is gone shows")
  func firstGone() async throws {
    // The second says which came before, and there is none.
    #expect(try await spoiled { $0.removeFirst() }.faults.count == 1)
  }

  @Test("What a power cut left of a line stays, is named, and the chain goes on over it")
  func torn() async throws {
    try await withLog(2) { log in
      let file = try Descriptor.append(log.path)
      try file.write(Array(#"{"at":"2026-"#.utf8))
      try log.append(entry(2))
      try log.append(entry(3))
      #expect(try lines(log).count == 5)
      #expect(
        try log.check().faults == [
          "audit.ndjson, line 3 is no entry: it was cut off, or written by somebody else"
        ])
    }
  }

  @Test("A torn line at the end of a file that is put aside: the next file begins with a line")
  func tornAtRotation() async throws {
    try await withScratch { folder in
      var log = AuditLog(path: joined(folder, "audit.ndjson"))
      try log.append(entry(0))
      try Descriptor.append(log.path).write(Array(#"{"at":"2026-"#.utf8))
      log.limit = ByteCount(1)
      try log.append(entry(1))
      #expect(try lines(log).count == 1)
      #expect(
        try log.check().faults == [
          "audit.ndjson.1, line 2 is no entry: it was cut off, or written by somebody else"
        ])
    }
  }

  @Test("It is put aside when it is large, and the chain goes on over the files")
  func rotated() async throws {
    try await withScratch { folder in
      var log = AuditLog(path: joined(folder, "audit.ndjson"))
      log.limit = ByteCount(600)
      for id in 0..<60 { try log.append(entry(id)) }
      let names = try folderEntries(folder).compactMap(\.name).sorted()
      #expect(names == ["audit.ndjson"] + (1...9).map { "audit.ndjson.\($0)" })
      let report = try log.check()
      #expect(report.faults == [] && report.lines < 60)
      #expect(try log.entries().last?.id == "query-59")
    }
  }

  @Test("Many append at once: nothing is lost, and the chain is whole")
  func sideBySide() async throws {
    try await withScratch { folder in
      var log = AuditLog(path: joined(folder, "audit.ndjson"))
      log.limit = ByteCount(4_000)
      let shared = log
      try await withThrowingTaskGroup(of: Void.self) { group in
        for id in 0..<40 { group.addTask { try shared.append(entry(id)) } }
        try await group.waitForAll()
      }
      #expect(try log.check().faults == [])
      #expect(Set(try log.entries().compactMap(\.id)).count == 40)
    }
  }

  @Test("A folder that can't be is an error that says so")
  func unwritable() async throws {
    try await withScratch { folder in
      try publish([], at: joined(folder, "file"), replacing: true)
      let failure = #expect(throws: Failure.self) {
        try AuditLog(path: joined(folder, "file/audit.ndjson")).append(entry(0))
      }
      #expect(failure?.code == "audit.unwritable")
    }
  }
}
