import Logs
import Support
import TestSupport
import Testing

@Suite struct BatchNameTests {
  struct Case: Codable, Sendable {
    var region = "us-east1"
    var zone = "us-east1-b"
    var name = "us-east1-vm"
    var folder = "var/logs/raw_logs"
    var stream = "my_logs.log"
    var rotated: Int64 = 1_795_442_400
    var digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    var node: Node { Node(region: region, zone: zone, name: name) }
    var id: String { batchID(node: node, folder: folder, stream: stream, rotated: rotated, digest: digest) }
  }

  static let cases = [
    Case(), Case(folder: "/srv/elsewhere"), Case(folder: ""), Case(stream: "журнал.log"), Case(rotated: 0),
    Case(rotated: -1), Case(rotated: 253_402_300_799), Case(region: "eu", zone: "eu-1", name: "n"),
    Case(folder: "var/logs", stream: "raw_logs"),
  ]

  @Test(.tags(.medium)) func batchIDsAreThoseOfTheirDefinition() async throws {
    let script = """
      import hashlib, json, sys
      for c in json.load(sys.stdin):
          lines = ['gadwall-batch-1', c['region'], c['zone'], c['name'], c['folder'], c['stream'], str(c['rotated']), c['digest']]
          print(hashlib.sha256(''.join(line + '\\n' for line in lines).encode()).hexdigest())
      """
    let said = String(decoding: try await python(script, input: encodeJSON(Self.cases)), as: UTF8.self)
    #expect(said.split(separator: "\n").map(String.init) == Self.cases.map(\.id))
  }

  @Test func everyPartOfABatchTellsItApart() {
    var other = [Case()]
    other.append(Case(region: "us-east2"))
    other.append(Case(zone: "us-east1-c"))
    other.append(Case(name: "other"))
    other.append(Case(folder: "var/logs"))
    other.append(Case(stream: "my_logs"))
    other.append(Case(rotated: 1_795_442_401))
    other.append(Case(digest: String(repeating: "0", count: 64)))
    #expect(Set(other.map(\.id)).count == other.count)
  }

  @Test(.tags(.medium)) func bundleIDsAreThoseOfTheirDefinition() async throws {
    let batches = Self.cases.map(\.id)
    let script = """
      import hashlib, json, sys
      ids = json.load(sys.stdin)
      for n in range(len(ids) + 1):
          print(hashlib.sha256(''.join(i + '\\n' for i in sorted(ids[:n])).encode()).hexdigest())
      """
    let said = String(decoding: try await python(script, input: encodeJSON(batches)), as: UTF8.self)
    #expect(
      said.split(separator: "\n").map(String.init)
        == (0...batches.count).map { bundleID(batches: Array(batches.prefix($0))) })
  }

  @Test func aBundleIsItsMembersInAnyOrder() {
    var random = SeededRandom(seed: 3)
    let batches = Self.cases.map(\.id)
    for _ in 0..<20 {
      #expect(bundleID(batches: batches.shuffled(using: &random)) == bundleID(batches: batches))
    }
    #expect(bundleID(batches: Array(batches.dropLast())) != bundleID(batches: batches))
  }

  @Test func objectsAreNamedAsTheStoreWantsThem() {
    let objects = BatchObjects(
      node: Node(region: "us-east1", zone: "us-east1-b", name: "vm.1"), batch: "0123456789abcdef0123",
      rotated: Instant(seconds: 1_795_443_659))
    #expect(objects.raw == "raw/dt=2026-11-23/0123456789ab/us-east1-us-east1-b-vm.1-RAW-202611231420.json.gz")
    #expect(
      objects.alert(digest: "fedcba9876543210")
        == "alerts/dt=2026-11-23/0123456789ab-fedcba98/us-east1-us-east1-b-vm.1-SECURITY-202611231420.json.gz"
    )
  }

  @Test func objectsOfAFileFromBefore1970HaveTheirDay() {
    let objects = BatchObjects(
      node: Node(region: "r", zone: "z", name: "n"), batch: "0123456789abcdef", rotated: Instant(seconds: -1))
    #expect(objects.raw == "raw/dt=1969-12-31/0123456789ab/r-z-n-RAW-196912312359.json.gz")
  }

  @Test func aBatchIsConservedWhenItsLinesAddUp() {
    var facts = BatchFacts(
      id: "b", folder: "f", file: "x", stream: "x", rotated: 0, digest: "d", bytes: 10, lines: 6, blank: 1,
      malformed: 2, entries: 3)
    #expect(facts.isConserved)
    #expect(facts.rows == 5)
    facts.lines = 7
    #expect(!facts.isConserved)
  }
}
