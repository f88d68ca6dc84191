import Files
import Glibc
import Support
import TestSupport
import Testing

/// What `gadwall doctor` finds on nodes, and what it says of a job.
@Suite("Doctor", .tags(.large)) struct DoctorTests {
  private func node(_ document: JSONValue, _ name: String) throws -> JSONValue {
    try #require(document["nodes"]?.array?.first { $0["node"]?["name"]?.string == name })
  }

  private func faults(_ document: JSONValue, _ name: String) throws -> [String] {
    try node(document, name)["faults"]?.array?.map { $0.text } ?? []
  }

  @Test("A fleet that lacks nothing: all nodes are well, and nothing is left of the look")
  func well() async throws {
    try await TestFleet.with(nodes: 2, on: .folder) { fleet in
      try fleet.put("my_logs.log-20261123-14", lines(ids("r", 3)), on: 0, stream: "my_logs.log")
      let looked = try await fleet.gadwall("doctor", "--format", "json")
      #expect(looked.status == 0, "\(looked)")
      let document = try looked.document()
      #expect(try faults(document, "vm1") == [] && faults(document, "vm2") == [])
      #expect(try node(document, "vm1")["report"]?["rotated"] == 1)
      let table = try await fleet.gadwall("doctor")
      #expect(table.status == 0 && table.output.count { $0 == "✔" } == 2, "\(table)")
      #expect(try folderEntries(joined(fleet.folder, "store/queries")).isEmpty)
      let job = try await fleet.gadwall("doctor", "--job", "gadwall-query-x")
      #expect(job.status == 2 && job.errors.contains("Only the engine bacalhau has jobs"), "\(job)")
    }
  }

  @Test("Each thing that a node lacks is named, with what to change")
  func lacking() async throws {
    try await TestFleet.with(nodes: 6, on: .s3) { fleet in
      let stub = try await fleet.onBacalhau { node in
        switch node.name {
        case "vm1": node.more = ["environment": ["GADWALL_DUCKDB": "/nowhere/duckdb"]]
        case "vm2": node.allow.removeAll { $0.hasPrefix("/var/log/app") }
        case "vm3": node.more = ["docker": false]
        default: break
        }
      }
      // A folder that nobody can write to, not even root: what is in its place is none.
      try removeTree(fleet.nodes[3].path("var/lib/gadwall"))
      try fleet.write(Array("not a folder\n".utf8), to: fleet.nodes[3].path("var/lib/gadwall"))
      let keys = "[default]\naws_access_key_id = nobody\naws_secret_access_key = nothing-at-all\n"
      try fleet.write(Array(keys.utf8), to: fleet.nodes[4].path("etc/gadwall/credentials"))
      let looked = try await fleet.gadwall("doctor", "--format", "json")
      #expect(looked.status == 1, "\(looked)")
      let document = try looked.document()
      for (name, words) in [
        ("vm1", "/nowhere/duckdb"), ("vm2", "volume /var/log/app is not allowlisted"),
        ("vm3", "Bacalhau has no Docker there"), ("vm4", "/var/lib/gadwall"), ("vm5", "store"),
      ] {
        let found = try faults(document, name)
        #expect(found.contains { $0.contains(words) }, "\(name): \(found)")
        #expect(!found.joined().contains("nothing-at-all"))
      }
      #expect(try await stub.jobs().count == 1)
    }
  }

  @Test("All that the orchestrator says of a job: each node's part, what happened, and the API's own words")
  func job() async throws {
    try await TestFleet.with(nodes: 2, on: .s3) { fleet in
      let stub = try await fleet.onBacalhau { node in
        if node.name == "vm2" { node.allow.removeAll { $0.hasPrefix("/var/log/app") } }
      }
      let asked = try await fleet.gadwall("query", "SELECT count(*) AS n FROM live")
      #expect(asked.status == 1, "\(asked)")
      let name = try #require(try await stub.jobs().first?["Name"]?.string)
      let shown = try await fleet.gadwall("doctor", "--job", name)
      #expect(shown.status == 0, "\(shown)")
      for words in [
        "state    Failed: Job failed because one or more executions failed", "vm1   Completed       0",
        "vm2   Failed", "vm2: Running Execution: volume /var/log/app is not allowlisted",
        "Submission: Job submitted",
      ] {
        #expect(shown.output.contains(words), "\(words) is not in \(shown.output)")
      }
      let document = try await fleet.gadwall("doctor", "--job", name, "--format", "json").document()
      #expect(document["executions"]?.array?.count == 2 && document["results"] == [])
      let none = try await fleet.gadwall("doctor", "--job", "../../agent/version?x=#")
      #expect(none.status == 2 && none.errors.contains("knows no job"), "\(none)")
    }
  }
}
