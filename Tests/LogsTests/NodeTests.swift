import Logs
import Support
import TestSupport
import Testing

@Suite struct NodeTests {
  static let longest = "a" + String(repeating: "-", count: 61) + "z"

  @Test(arguments: ["a", "Z", "0", "us-east1", "a.b_c-d", "a--b", longest, "1.2.3.4", "ab"])
  func takesProperNames(part: String) throws {
    try Node(region: part, zone: part, name: part).validate()
  }

  @Test(
    arguments: [
      "", "-a", "a-", ".a", "a.", "_a", "a_", "a b", "a/b", "a\n", "\na", "a\u{0}b", "é", "a:b",
      longest + "z",
      "..", "-", "a\u{301}",
    ], ["region", "zone", "name"])
  func refusesOthers(part: String, which: String) {
    let node = Node(
      region: which == "region" ? part : "r", zone: which == "zone" ? part : "z",
      name: which == "name" ? part : "n")
    let failure = #expect(throws: Failure.self) { try node.validate() }
    #expect(failure?.code == "node.name")
    #expect(failure?.sentence.contains(which) == true)
  }

  @Test func hyphensMakeNoTwoNodesOne() {
    let one = Node(region: "us-east1", zone: "b", name: "vm")
    let other = Node(region: "us", zone: "east1-b", name: "vm")
    #expect(one.label == other.label)
    #expect(one.key != other.key)
  }

  @Test(.tags(.medium)) func theKeyIsLabelAndDigest() async throws {
    let script = """
      import hashlib
      print('us-east1-us-east1-b-vm-' + hashlib.sha256(b'us-east1\\nus-east1-b\\nvm\\n').hexdigest()[:8], end='')
      """
    let said = String(decoding: try await python(script), as: UTF8.self)
    #expect(Node(region: "us-east1", zone: "us-east1-b", name: "vm").key == said)
  }
}
