// What goes where: results to standard output, everything else to standard error, quietly when nobody reads.

import Files
import Support
import TestSupport
import Testing

@Suite("Output", .tags(.large))
struct OutputTests {
  @Test("--format json: one document on standard output, all else on standard error")
  func json() async throws {
    try await TestFleet.with(nodes: 2) { fleet in
      try fleet.put("my_logs.log.1", lines(ids("a", 3), category: "SECURITY"), stream: "my_logs.log")
      try fleet.place(fleet.nodes[0].rawPath("bad.log.1.gz"), Array(gzip(lines(["x"])).dropLast(4)))
      let harvest = try await fleet.gadwall("harvest", "--format", "json")
      #expect(harvest.status == 1, "\(harvest)")
      #expect(try harvest.document()["run"]?.string?.isEmpty == false)
      #expect(try harvest.document()["urgentRows"]?.array?.count == 3)
      #expect(harvest.errors.contains("committed snapshot"))
      let quiet = try await fleet.gadwall("harvest", "--format", "json", "--quiet", "--allow-partial")
      #expect(quiet.status == 0 && quiet.errors == "", "\(quiet)")
      _ = try quiet.document()
      let verify = try await fleet.gadwall("verify", "--format", "json")
      #expect(verify.status == 0 && verify.errors == "", "\(verify)")
      #expect(try verify.document()["tableRows"]?.integer == 3)
      let show = try await fleet.gadwall("config", "show", "--format", "json")
      #expect(show.status == 0 && show.errors == "", "\(show)")
      #expect(try show.document()["nodes"]?.array?.count == 2)
      let check = try await fleet.gadwall("config", "check")
      #expect(check.status == 0, "\(check)")
    }
  }

  @Test(
    "A reader that goes away early: quiet, and no crash",
    arguments: [
      "harvest", "harvest --format json", "verify", "config show", "config check", "--help",
      "help --markdown",
      "generate --count 100000 -", "demo",
    ])
  func closedPipe(arguments: String) async throws {
    try await TestFleet.with { fleet in
      try fleet.put("my_logs.log.1", lines(ids("a", 50), category: "SECURITY"), stream: "my_logs.log")
      // The reader is gone before the program has said its first word.
      let ended = try await fleet.shell(
        "{ '\(TestFleet.program)' \(arguments) 2>errors; echo $? >status; } | { exec <&-; while [ ! -s status ]; do sleep 0.02; done; }"
      )
      #expect(ended.status == 0, "\(ended)")
      let status = String(
        decoding: try readFile(joined(fleet.folder, "status"), limit: .kibibytes(1)), as: UTF8.self)
      let errors = String(
        decoding: try readFile(joined(fleet.folder, "errors"), limit: .mebibytes(1)), as: UTF8.self)
      #expect(["0\n", "1\n", "141\n"].contains(status), "status \(status)")
      for word in ["EPIPE", "roken pipe", "rror", "gadwall:"] { #expect(!errors.contains(word), "\(errors)") }
      #expect(try fleet.names(fleet.temporary) == [])
    }
  }

  @Test("The harvest itself goes on when nobody reads what it says")
  func closedErrors() async throws {
    try await TestFleet.with { fleet in
      try fleet.put("my_logs.log.1", lines(ids("a", 5)), stream: "my_logs.log")
      _ = try await fleet.shell("'\(TestFleet.program)' harvest 2>&1 | true")
      #expect(try await eventually { try fleet.names().isEmpty })
      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 0, "\(harvest)")
      #expect(try await fleet.idCounts() == counts(ids("a", 5)))
    }
  }

  @Test("A full disk behind standard output is a failure")
  func fullOutput() async throws {
    try await TestFleet.with { fleet in
      for arguments in ["config show", "generate --count 10 -", "--help", "verify --format json"] {
        let ended = try await fleet.shell("'\(TestFleet.program)' \(arguments) > /dev/full")
        #expect(ended.status == 2, "\(arguments): \(ended)")
        #expect(ended.errors.contains("No space left"), "\(arguments): \(ended)")
      }
    }
  }

  @Test(
    "--help of every command ends with 0 and names each of its flags",
    arguments: [
      "demo", "harvest", "verify", "generate", "config check", "config show", "node stage", "node prune",
      "help", "version",
    ])
  func help(command: String) async throws {
    try await TestFleet.with { fleet in
      let words = command.split(separator: " ").map(String.init)
      let help = try await fleet.gadwall(words + ["--help"])
      #expect(help.status == 0 && help.errors == "", "\(help)")
      #expect(help.output.contains("Usage: gadwall \(command)"))
      #expect(help.output.split(separator: "\n").allSatisfy { $0.count <= 110 })
      let page = try await fleet.gadwall("help", "--markdown")
      let section = page.output.split(separator: "\n## ").first {
        $0.hasPrefix("gadwall \(command)") || $0.hasPrefix("`gadwall \(command)")
      }
      let flags = Set(
        (section ?? "").split(separator: "--").dropFirst().map { $0.prefix { $0.isLetter || $0 == "-" } }
      )
      .filter { $0.first?.isLetter == true }
      #expect(!flags.isEmpty, "no flag of '\(command)' is on the page")
      for flag in flags { #expect(help.output.contains("--\(flag)"), "\(flag)") }
      #expect(help.output.contains("--config") && help.output.contains("--help"))
      let same = try await fleet.gadwall(["help"] + words)
      #expect(same.output == help.output)
    }
  }

  @Test("--version names both versions; the overview names every command; no word at all is wrong usage")
  func overview() async throws {
    try await TestFleet.with { fleet in
      let version = try await fleet.gadwall("--version")
      #expect(version.status == 0 && version.errors == "")
      #expect(version.output.hasPrefix("gadwall ") && version.output.contains("DuckDB 1.5.5"))
      let overview = try await fleet.gadwall("--help")
      #expect(overview.status == 0)
      for command in ["demo", "harvest", "verify", "generate", "config check", "config show"] {
        #expect(overview.output.contains("  \(command) "))
      }
      let nothing = try await fleet.gadwall([])
      #expect(nothing.status == 64)
    }
  }

  @Test("A node without a rotated file: one line of JSON on standard output, and status 0")
  func notFound() async throws {
    try await TestFleet.with { fleet in
      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 0, "\(harvest)")
      #expect(harvest.output.contains("raw_logs_not_found"))
      let task = try #require(try fleet.objects("runs").first { $0.hasSuffix("/task/stage.json") })
      let copy = joined(fleet.folder, "stage.json")
      try fleet.write(try fleet.object(task), to: copy)
      let node = fleet.nodes[0]
      let stage = try await fleet.gadwall(
        ["node", "stage", "--root", node.root, "--task", copy] + fleet.storeArguments,
        environment: ["GADWALL_REGION": node.region, "GADWALL_ZONE": node.zone, "GADWALL_NODE": node.name])
      #expect(stage.status == 0 && stage.errors == "", "\(stage)")
      #expect(stage.output.hasSuffix("\n") && stage.output.filter { $0 == "\n" }.count == 1)
      let line = try stage.document()
      #expect(Set(line.object?.keys.map { $0 } ?? []) == ["warning", "date"])
      #expect(line["warning"]?.string == "raw_logs_not_found")
      let date = line["date"]?.string ?? ""
      #expect(date.hasPrefix("20") && date.contains("T") && date.hasSuffix("Z"))
    }
  }

  @Test("SIGTERM during a harvest: 143, and the next one finishes")
  func terminated() async throws {
    try await TestFleet.with { fleet in
      try fleet.put("my_logs.log.1", lines(ids("a", 20)), stream: "my_logs.log")
      let ended = try await fleet.shell(
        """
        '\(TestFleet.program)' harvest 2>errors & pid=$!
        while [ ! -s errors ]; do sleep 0.01; done
        kill -TERM $pid; wait $pid; echo "status $?"
        """)
      // A harvest that was done by then ends with 0; all others say that they were stopped.
      #expect(["status 143", "status 0"].contains { ended.output.contains($0) }, "\(ended)")
      #expect(try fleet.names(fleet.temporary) == [])
      let again = try await fleet.gadwall("harvest")
      #expect(again.status == 0, "\(again)")
      #expect(try await fleet.idCounts() == counts(ids("a", 20)))
      #expect(try fleet.names().isEmpty)
    }
  }
}
