// Rehearsing, archiving without deleting, looking back: the commands beside harvest and verify.

import Files
import Support
import TestSupport
import Testing

@Suite("Looking ahead and back", .tags(.large))
struct HistoryCommandTests {
  @Test("A dry run says what would be done, and --no-prune does all of it but the deleting")
  func rehearsal() async throws {
    try await TestFleet.with { fleet in
      try fleet.put("my_logs.log.1", lines(ids("a", 7)), stream: "my_logs.log")
      let dry = try await fleet.gadwall("harvest", "--dry-run", "--format", "json")
      #expect(dry.status == 0, "\(dry)")
      let document = try JSONValue(parsing: Array(dry.output.utf8))
      #expect(document["nodes"]?.array?.first?["planned"]?.array?.count == 1)
      #expect(try fleet.names() == ["my_logs.log.1"])
      // But for what is known of the server.
      #expect(try fleet.objects("runs").filter { $0 != "runs/store.json" }.isEmpty)
      #expect(try fleet.objects("warehouse").isEmpty)

      #expect(try await fleet.gadwall("harvest", "--dry-run", "--no-prune").status == 64)
      let kept = try await fleet.gadwall("harvest", "--no-prune")
      #expect(kept.status == 0, "\(kept)")
      #expect(try fleet.names() == ["my_logs.log.1"])
      let waiting = try await fleet.gadwall("nodes")
      #expect(waiting.status == 0 && waiting.output.contains("1 file"), "\(waiting)")
      let last = try await fleet.gadwall("harvest")
      #expect(last.status == 0 && last.output.contains("Nothing new"), "\(last)")
      #expect(try fleet.names().isEmpty)
    }
  }

  @Test("The original bytes of an archived file, by a part of its batch's id")
  func raw() async throws {
    try await TestFleet.with { fleet in
      let content = lines(ids("a", 5)) + Array("no line end".utf8)
      try fleet.put("my_logs.log.1", content, stream: "my_logs.log")
      _ = try await fleet.gadwall("harvest")
      let list = try await fleet.gadwall("raw", "list", "--stream", "my*", "--format", "json")
      let batch = try #require(
        try JSONValue(parsing: Array(list.output.utf8)).array?.first?["facts"]?["id"]?.string)
      let target = joined(fleet.folder, "back.log")
      let got = try await fleet.gadwall("raw", "get", String(batch.prefix(10)), "--output", target)
      #expect(got.status == 0, "\(got)")
      #expect(try readFile(target, limit: .mebibytes(1)) == content)
      let again = try await fleet.gadwall("raw", "get", batch, "--output", target)
      #expect(again.status == 2 && again.errors.contains("exists"))
      let printed = try await fleet.gadwall("raw", "get", batch)
      #expect(printed.output == String(decoding: content, as: UTF8.self))
      let named = try await fleet.gadwall(
        "raw", "get", "--node", "vm*", "--stream", "my_logs.log", "--since", "2026-11-23T13:59:59Z",
        "--until",
        "2026-11-23T14:00:00Z")
      #expect(named.output == printed.output, "\(named)")
      #expect(try await fleet.gadwall("raw", "get").status == 64)
      #expect(try await fleet.gadwall("raw", "get", "--stream", "other.log").errors.contains("raw.unknown"))
      try fleet.put("my_logs.log.2", lines(ids("b", 5)), stream: "my_logs.log")
      _ = try await fleet.gadwall("harvest")
      let several = try await fleet.gadwall("raw", "get", "--stream", "my_logs.log")
      #expect(several.status == 2 && several.errors.contains("2 batches match"), "\(several)")
      let unknown = try await fleet.gadwall("raw", "get", "zz")
      #expect(unknown.status == 2 && unknown.errors.contains("raw list"))
      #expect(try await fleet.gadwall("raw", "list", "--since", "yesterday").status == 64)
    }
  }

  @Test("Runs, one run, and what verify reads whole")
  func runs() async throws {
    try await TestFleet.with { fleet in
      try fleet.put("my_logs.log.1", lines(ids("a", 5)), stream: "my_logs.log")
      _ = try await fleet.gadwall("harvest")
      let list = try await fleet.gadwall("runs", "--format", "json")
      let run = try #require(try JSONValue(parsing: Array(list.output.utf8)).array?.first?["run"]?.string)
      let one = try await fleet.gadwall("runs", String(run.prefix(17)))
      #expect(one.status == 0 && one.output.contains("5 rows"), "\(one)")
      #expect(try await fleet.gadwall("runs", "nonsense").status == 2)
      let deep = try await fleet.gadwall("verify", "--deep", "--format", "json")
      #expect(deep.status == 0, "\(deep)")
      #expect((try JSONValue(parsing: Array(deep.output.utf8))["objectsRead"]?.integer ?? 0) >= 2)
      let orphans = try await fleet.gadwall("verify", "--remove-orphans", "--since", "1h")
      #expect(orphans.status == 0, "\(orphans)")
    }
  }
}
