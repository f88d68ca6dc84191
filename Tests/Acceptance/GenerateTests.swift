// The log writer: the same lines for the same seed, and none lost or cut by any way of rotating.

import Files
import Glibc
import Processes
import Support
import TestSupport
import Testing

@Suite("generate", .tags(.large))
struct GenerateTests {
  @Test("The same seed, start and count give the same bytes; another seed gives others")
  func deterministic() async throws {
    try await TestFleet.with { fleet in
      func made(_ seed: String, to path: String = "-") async throws -> String {
        let ended = try await fleet.gadwall(
          "generate", "--count", "10", "--seed", seed, "--start", "2026-11-23T14:00:00Z", "--every", "5s",
          path)
        #expect(ended.status == 0 && ended.errors == "", "\(ended)")
        return ended.output
      }
      let one = try await made("1")
      #expect(try await made("1") == one)
      #expect(try await made("2") != one)
      let file = joined(fleet.folder, "new/folder/my_logs.log")
      #expect(try await made("1", to: file) == "")
      #expect(String(decoding: try readFile(file, limit: .mebibytes(1)), as: UTF8.self) == one)
      // A second time appends.
      _ = try await made("1", to: file)
      #expect(String(decoding: try readFile(file, limit: .mebibytes(1)), as: UTF8.self) == one + one)

      let rows = try wholeLines(Array(one.utf8))
      #expect(rows.count == 10)
      #expect(
        rows.map { $0["@timestamp"]?.string }
          == (0..<10).map { index in
            "2026-11-23T14:00:\(["00", "05", "10", "15"][index / 3]).000Z"
          })
      for (index, row) in rows.enumerated() {
        #expect(Set(row.object?.keys.map { $0 } ?? []) == ["id", "@timestamp", "@version", "message"])
        #expect(row["message"]?.string?.hasPrefix(["Auth [", "AppStack [", "Database ["][index % 3]) == true)
      }
      #expect(Set(rows.map { $0["id"]?.string }).count == 10)
    }
  }

  enum Rotation: String, CaseIterable { case rename, copytruncate, hangup }

  @Test(
    "No line is lost or cut over five rotations, and SIGTERM ends it with 0", arguments: Rotation.allCases)
  func rotations(kind: Rotation) async throws {
    try await TestFleet.with { fleet in
      let live = joined(fleet.folder, "log/my_logs.log")
      let writer = RunningWriter(fleet, live)
      try await writer.start()
      for round in 1...5 {
        #expect(
          try await eventually { try exists(live) && FileInfo(path: live).size > 1_000 },
          "the writer stopped writing at round \(round)")
        let old = "\(live).\(round)"
        switch kind {
        case .rename: try renameFile(live, old, replacing: false)
        case .hangup:
          try renameFile(live, old, replacing: false)
          kill(writer.process, SIGHUP)
        case .copytruncate:
          // While it is stopped, as nothing else makes copytruncate whole.
          try await writer.whileStopped {
            try fleet.write(try readFile(live, limit: .mebibytes(8)), to: old)
            truncate(live, 0)
          }
        }
        if kind != .copytruncate {
          #expect(try await eventually { exists(live) }, "no new file after round \(round)")
        }
      }
      #expect(try await eventually { try FileInfo(path: live).size > 1_000 })
      let ended = try await writer.stop()
      #expect(ended.status == .exited(0), "\(ended.errorText)")
      var all: [UInt8] = []
      for round in 1...5 { all += try readFile("\(live).\(round)", limit: .mebibytes(8)) }
      all += try readFile(live, limit: .mebibytes(8))
      let rows = try wholeLines(all)
      // The writer is seeded: it has written just the first lines of its sequence, in order.
      let wanted = try await fleet.gadwall("generate", "--seed", "5", "--count", "\(rows.count)", "-")
      let wantedRows = try wholeLines(Array(wanted.output.utf8))
      #expect(rows.map { $0["id"] } == wantedRows.map { $0["id"] })
      #expect(rows.count % 3 == 0, "a round was cut: \(rows.count) lines")
    }
  }

  @Test("A full disk stops it from writing, not from running: told once, tried again, no line lost or cut")
  func fullDisk() async throws {
    try await TestFleet.with { fleet in
      let folder = joined(fleet.folder, "log")
      try await SmallDisk.with(over: folder, .kibibytes(64)) { disk in
        let live = joined(folder, "my_logs.log")
        let writer = RunningWriter(fleet, live, every: "1ms")
        try await writer.start()
        // Full when it can't take a line more, and the part of one that went in is out again.
        try #require(
          try await eventually {
            guard exists(live) else { return false }
            let bytes = try readFile(live, limit: .mebibytes(1))
            return bytes.count > 65_536 - 170 && bytes.last == 0x0A
          })
        // By then it has tried to write more.
        let full = WallClock.system.now().microseconds
        try #require(try await eventually { WallClock.system.now().microseconds > full + 300_000 })
        try disk.resize(to: .mebibytes(4))
        #expect(try await eventually { try FileInfo(path: live).size > 100_000 })
        let ended = try await writer.stop()
        #expect(ended.status == .exited(0), "\(ended.errorText)")
        #expect(ended.errorText.contains("No space left on device"))
        #expect(ended.errorText.contains("tried again every second"))
        #expect(ended.errorText.contains("is written to again"))
        let rows = try wholeLines(try readFile(live, limit: .mebibytes(8)))
        let wanted = try await fleet.gadwall("generate", "--seed", "5", "--count", "\(rows.count)", "-")
        #expect(rows.map { $0["id"] } == (try wholeLines(Array(wanted.output.utf8))).map { $0["id"] })
      }
    }
  }

  @Test("Two writers of one file: no line of either is cut")
  func twoWriters() async throws {
    try await TestFleet.with { fleet in
      let live = joined(fleet.folder, "my_logs.log")
      async let one = fleet.gadwall("generate", "--every", "1ms", "--duration", "1s", live)
      async let two = fleet.gadwall("generate", "--every", "1ms", "--duration", "1s", live)
      for ended in try await [one, two] { #expect(ended.status == 0, "\(ended)") }
      let rows = try wholeLines(try readFile(live, limit: .mebibytes(64)))
      #expect(rows.count > 100)
      #expect(Set(rows.map { $0["id"]?.string }).count == rows.count)
    }
  }

  @Test("A folder that can't be written to, and times that are none")
  func wrong() async throws {
    try await TestFleet.with { fleet in
      let below = try await fleet.gadwall("generate", "--count", "1", joined(fleet.config, "x.log"))
      #expect(below.status == 2 && below.errors.contains("gadwall.yaml/x.log"), "\(below)")
      let folder = try await fleet.gadwall("generate", "--count", "1", fleet.folder)
      #expect(folder.status == 2 && folder.errors.contains(fleet.folder), "\(folder)")
      for flags in [
        ["--every", "soon"], ["--start", "yesterday"], ["--every", "0s"], ["--services", ""],
        ["--seed", "-1"],
      ] {
        let ended = try await fleet.gadwall(["generate"] + flags + ["-"])
        #expect(ended.status == 64 && ended.errors.contains(flags[0]), "\(flags): \(ended)")
      }
    }
  }
}

/// Each line as JSON; a line that is cut, doubled or run into another is an error.
private func wholeLines(_ bytes: [UInt8]) throws -> [JSONValue] {
  #expect(bytes.last == 0x0A || bytes.isEmpty)
  return try bytes.split(separator: 0x0A, omittingEmptySubsequences: true).map { line in
    let row = try JSONValue(parsing: Array(line))
    #expect(row["id"]?.string?.count == 36)
    return row
  }
}
