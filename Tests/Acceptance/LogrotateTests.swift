// The committed logrotate configuration, with the real logrotate, beside a writer and harvests: every line that was written is found again, once.

import Files
import Processes
import Support
import TestSupport
import Testing

@Suite("logrotate", .tags(.large))
struct LogrotateTests {
  @Test("Forced rotations while the writer writes and harvests run: every generated line, once")
  func forced() async throws {
    try await TestFleet.with { fleet in
      let node = fleet.nodes[0]
      let live = node.path("var/log/app/my_logs.log")
      let configuration = joined(fleet.folder, "logrotate.conf")
      try fleet.write(
        Array(try committed(live: live, folder: node.path(TestFleet.rawLogs)).utf8), to: configuration)
      func rotate() async throws {
        let ended = try await Processes.run(
          ChildCommand(
            "/usr/sbin/logrotate", ["--force", "--state", joined(fleet.folder, "state"), configuration],
            environment: plainEnvironment(), deadline: .after(seconds: 60)))
        // A second turn within one second finds the name taken, and leaves the log as it is.
        #expect(
          ended.status == .exited(0) || ended.errorText.contains("already exists, skipping rotation"),
          "\(ended.errorText)")
      }

      let writer = RunningWriter(fleet, live, every: "2ms")
      try await writer.start()
      for round in 0..<6 {
        try #require(try await eventually { try exists(live) && FileInfo(path: live).size > 2_000 })
        try await rotate()
        if round % 2 == 0 { try await rotate() }
        if round % 3 != 2 {
          let harvest = try await fleet.gadwall("harvest")
          #expect(harvest.status == 0, "\(harvest)")
        }
      }
      let ended = try await writer.stop()
      #expect(ended.status == .exited(0), "\(ended.errorText)")
      // What is in the live log still is turned over once more; a name has the second in it.
      for _ in 0..<5 where exists(live) {
        let second = WallClock.system.now().seconds
        try #require(try await eventually { WallClock.system.now().seconds > second })
        try await rotate()
      }
      #expect(!exists(live))
      var last = try await fleet.gadwall("harvest")
      for _ in 0..<2 where !(try fleet.names().isEmpty) { last = try await fleet.gadwall("harvest") }
      #expect(last.status == 0, "\(last)")
      #expect(try fleet.names().isEmpty)

      let counts = try await fleet.idCounts()
      let wanted = try await fleet.gadwall("generate", "--seed", "5", "--count", "\(counts.count)", "-")
      let ids = try wanted.output.split(separator: "\n").map { line in
        try #require(try JSONValue(parsing: Array(line.utf8))["id"]?.string)
      }
      #expect(counts.count > 100)
      #expect(counts == Dictionary(uniqueKeysWithValues: ids.map { ($0, 1) }))
      let verify = try await fleet.gadwall("verify")
      #expect(verify.status == 0, "\(verify)")
    }
  }

  /// The configuration as it is installed, with a test's paths.
  private func committed(live: String, folder: String) throws -> String {
    let text = String(
      decoding: try readFile(joined(repositoryRoot, "deploy/logrotate/my_logs"), limit: .kibibytes(64)),
      as: UTF8.self)
    #expect(text.contains("\n/var/log/app/my_logs.log {") && text.contains(" /var/logs/raw_logs\n"))
    return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      if line.hasPrefix("/var/log/app/my_logs.log") { return "\"\(live)\" {" }
      if line.contains("olddir /var/logs") { return "    olddir \(folder)" }
      return String(line)
    }.joined(separator: "\n")
  }
}
