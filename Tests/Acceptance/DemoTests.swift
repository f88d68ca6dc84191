// The first thing that anybody runs.

import Files
import Support
import TestSupport
import Testing

@Suite("The demo", .tags(.large))
struct DemoTests {
  @Test("It ends well, says that every line is there, and leaves nothing behind")
  func plain() async throws {
    try await TestFleet.with { fleet in
      let demo = try await fleet.gadwall("demo", environment: ["GADWALL_CONFIG": ""])
      #expect(demo.status == 0, "\(demo)")
      #expect(demo.output.contains("Every line is in the table once"))
      #expect(demo.output.contains("iceberg_scan"))
      #expect(try fleet.names(fleet.temporary).isEmpty)
      let place = demo.output.split(separator: "\n").first?.split(separator: " ").last.map(String.init) ?? ""
      #expect(place.hasPrefix("/") && !exists(place), "\(place) was left")
    }
  }

  @Test(
    "Kept in a folder, whose commands can be pasted into a shell",
    arguments: ["fleet", "a fleet's \"folder\""])
  func kept(name: String) async throws {
    try await TestFleet.with { fleet in
      let place = joined(fleet.folder, name)
      let demo = try await fleet.gadwall("demo", "--directory", place, environment: ["GADWALL_CONFIG": ""])
      #expect(demo.status == 0, "\(demo)")
      #expect(exists(joined(place, "gadwall.yaml")) && exists(joined(place, "store")))
      let commands = demo.output.split(separator: "\n").drop { !$0.hasPrefix("The fleet is yours") }
        .dropFirst()
      #expect(commands.count >= 4)
      for command in commands {
        let text = command.split(separator: "| less")[0]
        let ended = try await fleet.shell("unset GADWALL_CONFIG; cd /; \(text)")
        #expect(ended.status == 0, "\(text): \(ended)")
      }
      #expect(commands.contains { $0.contains("harvest") } && commands.contains { $0.contains("verify") })
      // The pasted 'generate' made a file; the pasted 'harvest' took it.
      let left = try fleet.names(joined(place, "nodes")).flatMap {
        try fleet.names(joined(place, "nodes/\($0)/var/logs/raw_logs"))
      }
      #expect(left == [])

      let again = try await fleet.gadwall("demo", "--directory", place)
      #expect(again.status == 2, "\(again)")
      #expect(again.errors.contains("not empty"))
    }
  }

  @Test("Through a local S3 server and REST catalog, whose keys are in one file and in no other")
  func onS3() async throws {
    try await TestFleet.with(on: .folder) { fleet in
      let place = joined(fleet.folder, "fleet")
      let demo = try await fleet.gadwall(
        "demo", "--s3", "--nodes", "2", "--entries", "500", "--directory", place,
        environment: ["GADWALL_CONFIG": "", "AWS_SESSION_TOKEN": "of somebody else"], seconds: 120)
      #expect(demo.status == 0, "\(demo)")
      #expect(
        demo.output.contains("s3://demo/archive") && demo.output.contains("Every line is in the table once"))
      let commands = demo.output.split(separator: "\n").drop { !$0.hasPrefix("The fleet is yours") }
        .dropFirst()
      #expect(commands.count == 6)
      for command in commands {
        let ended = try await fleet.shell("unset GADWALL_CONFIG; cd /; \(command)")
        #expect(ended.status == 0, "\(command): \(ended)")
      }
      let keys = try String(decoding: readFile(joined(place, "env"), limit: .kibibytes(4)), as: UTF8.self)
      for line in keys.split(separator: "\n") where line.hasPrefix("export") {
        let secret = try #require(line.split(separator: "=").last?.split(separator: ":").last)
        let found = try await fleet.shell("grep -rlF -- '\(secret)' '\(place)'")
        #expect(found.output == "\(place)/env\n", "\(found)")
        #expect(!demo.all.contains(secret))
      }
    }
  }

  @Test("Other sizes", arguments: [["--nodes", "1"], ["--nodes", "7", "--entries", "500"]])
  func sizes(flags: [String]) async throws {
    try await TestFleet.with { fleet in
      let demo = try await fleet.gadwall(["demo"] + flags)
      #expect(demo.status == 0, "\(demo)")
      #expect(demo.output.contains("Every line is in the table once"))
    }
  }

  @Test("A folder that is a file, and one that can't be made")
  func badFolder() async throws {
    try await TestFleet.with { fleet in
      for place in [fleet.config, joined(fleet.config, "inside")] {
        let demo = try await fleet.gadwall("demo", "--directory", place)
        #expect(demo.status == 2, "\(demo)")
        #expect(demo.errors.contains(place) && !demo.errors.contains("[internal]"), "\(demo)")
      }
    }
  }
}
