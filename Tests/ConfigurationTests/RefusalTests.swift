import Configuration
import Support
import TestSupport
import Testing

@Suite struct RefusalTests {
  @Test(arguments: [
    ("engin: local", "line 1, column 1", "'engin'", "'engine'"),
    ("store: {}\nlogs:\n  lives: [a]", "line 3, column 3", "'lives' in logs", "'live'"),
    ("logs: { rotate: [a] }", "line 1, column 9", "'rotate' in logs", "'rotated'"),
    ("urgent:\n  show: 1\n  were: x", "line 3, column 3", "'were'", "'where'"),
    ("local: { nodes: [{ region: a, zon: b }] }", "line 1, column 31", "'zon' in local.nodes", "'zone'"),
    ("store: { uri: x }", "line 1, column 10", "'uri' in store", "'url'"),
    ("prune: { keeep: 1s }", "line 1, column 10", "'keeep'", "'keep'"),
    ("completely: else", "line 1, column 1", "'completely'", "Known here: engine"),
    ("Engine: local", "line 1, column 1", "'Engine'", "'engine'"),
    ("duckdb: { paht: x }", "line 1, column 11", "'paht'", "'path'"),
    ("catalog: { typ: x }", "line 1, column 12", "'typ'", "'type'"),
  ])
  func unknownKeysAreNamedWithTheNearest(text: String, place: String, key: String, near: String) async throws
  {
    let failure = try #require(try await refusal(of: text))
    #expect(failure.code == "config.key")
    #expect(failure.sentence.contains(place), "\(failure.sentence)")
    #expect(failure.sentence.contains(key), "\(failure.sentence)")
    #expect(failure.remedy.contains(near), "\(failure.remedy)")
  }

  @Test(arguments: [
    ("table: a.b\ntable: c.d", "line 2, column 1"), ("logs:\n  live: [a]\n  live: [b]", "line 3, column 3"),
    ("\"table\": a.b\ntable: c.d", "line 2, column 1"),
    ("table: &x a.b", "line 1, column 8"), ("logs: &l { live: [a] }", "line 1, column 7"),
    ("logs: { live: &l [a] }", "line 1, column 15"),
    ("urgent: { where: *x }", "line 1, column 18"), ("<<: *base", "line 1, column 5"),
    ("table: !!str a.b", "line 1, column 8"), ("table: !mine a.b", "line 1, column 8"),
    ("logs: !!map { live: [a] }", "line 1, column 7"), ("logs: { live: ! [a] }", "line 1, column 15"),
    ("table: a.b\n---\ntable: c.d", "line 3, column 1"),
    ("logs:\n\tlive: [a]", "line 2, column 1"), ("logs: [a", "line 2, column 1"), ("table: 'a.b", "line 1"),
    ("logs: { live: [a] ", "line"), ("a: b: c", "line 1, column 5"),
    ("? [a, b]\n: c", "line 1, column 3"), ("table: a.b\n  more", ""), ("- a\nb: c", "line 2"),
    ("table: \u{1}", "line"), ("@bad", "line 1, column 1"),
  ])
  func whatIsNotReadIsRefusedWithItsPlace(text: String, place: String) async throws {
    let failure = try #require(try await failure(of: text))
    #expect(failure.code == "config.syntax" || failure.code == "config.value")
    #expect(failure.sentence.contains(place), "\(failure.sentence)")
  }

  @Test(arguments: ["[a]", "text", "'text'", "- a"])
  func aFileThatIsNoMappingIsRefused(text: String) async throws {
    let failure = try #require(try await failure(of: text))
    #expect(failure.code == "config.value")
    #expect(failure.sentence.contains("mapping of keys to values"))
  }

  @Test func aSecondDocumentIsRefused() async throws {
    let failure = try #require(
      try await failure(of: "store: { url: 'file:s' }\n---\nstore: { url: 'file:t' }\n"))
    #expect(failure.code == "config.syntax")
    #expect(failure.sentence.contains("line 3, column 1"))
    #expect(failure.sentence.contains("second document"))
  }

  @Test func deepNestingIsRefused() async throws {
    let failure = try #require(try await failure(of: "logs: " + String(repeating: "[", count: 5000)))
    #expect(failure.code == "config.syntax")
  }

  @Test func bytesThatAreNoTextAreRefused() async throws {
    // A lone continuation byte, by way of its own spelling in the file.
    let failure = try #require(try await failure(of: "table: \u{FFFE}"))
    #expect(failure.code == "config.syntax")
  }

  @Test(arguments: [
    ("logs: text", "logs is a mapping"), ("logs: [a]", "logs is a mapping"), ("logs: { live: text }", "list"),
    ("logs: { live: [[a]] }", "patterns"), ("logs: { live: [''] }", "patterns"),
    ("urgent: { where: [a] }", "urgent.where is a text"), ("urgent: { show: [1] }", "text"),
    ("local: { nodes: text }", "list of nodes"), ("local: { nodes: [text] }", "local.nodes is a mapping"),
    ("engine: locl", "engine is local"), ("engine: ''", "engine is local"),
    ("catalog: { type: hive }", "catalog.type is directory"), ("table: events", "namespace and a name"),
    ("table: a.b.c", "namespace and a name"), ("table: a.", "namespace and a name"),
    ("table: .b", "namespace and a name"), ("table: a b.c", "namespace and a name"),
    ("table: ä.b", "namespace and a name"), ("table: ../a.b", "namespace and a name"),
    ("table: 'a/b.c'", "namespace and a name"),
    ("local: { nodes: [{ region: a, zone: b, name: c }] }", "no root"),
    ("local: { nodes: [{ region: a, zone: b, root: c }] }", "no name"),
  ])
  func anotherKindOfValueIsRefused(text: String, words: String) async throws {
    let failure = try #require(try await refusal(of: text))
    #expect(failure.code == "config.value")
    #expect(failure.sentence.contains(words), "\(failure.sentence)")
    #expect(failure.sentence.contains("line 1, column"))
  }

  @Test(
    arguments: [
      ("0s", 0), ("500ms", 0.5), ("1s", 1), ("1.5m", 90), ("2h", 7200), ("1d", 86_400), ("0.5d", 43_200),
    ] as [(String, Double)])
  func durationsHaveAUnit(text: String, seconds: Double) async throws {
    #expect(try await configuration("prune: { keep: \(text) }").keepSeconds == seconds)
    #expect(try await configuration("logs: { settle: \(text) }").settleSeconds == seconds)
  }

  @Test(arguments: [
    "60", "s", "-1s", "1 s", "1w", "1S", "1e3s", "0x10s", "+5s", "infs", "nans", "1s1m", "1.2.3s", "٣s", "",
    "' '",
  ])
  func otherDurationsAreRefused(text: String) async throws {
    let failure = try #require(try await refusal(of: "prune:\n  keep: \(text.isEmpty ? "''" : text)"))
    #expect(failure.code == "config.value")
    #expect(failure.sentence.contains("line 2, column 9"))
    #expect(failure.sentence.contains("prune.keep"))
  }

  @Test(arguments: [("0", 0), ("10000", 10_000), ("007", 7)])
  func numbersWithinTheirRange(text: String, number: Int) async throws {
    #expect(try await configuration("urgent: { show: \(text) }").urgentShow == number)
  }

  @Test(arguments: ["-1", "10001", "1.5", "ten", "1e3", "99999999999999999999", "' 1'", "1_000"])
  func numbersOutsideItAreRefused(text: String) async throws {
    let failure = try #require(try await refusal(of: "urgent: { show: \(text) }"))
    #expect(failure.code == "config.value")
    #expect(failure.sentence.contains("from 0 to 10000"))
  }

  @Test(arguments: ["../x", "a/../b", "..", "/..", "a/..", "../\u{301}x"])
  func globsStayBelowTheRoot(glob: String) async throws {
    for key in ["live", "rotated"] {
      let failure = try #require(try await refusal(of: "logs:\n  \(key): [ok, '\(glob)']"))
      #expect(failure.code == "config.value")
      #expect(failure.sentence.contains("'..' is not allowed"))
      #expect(failure.sentence.contains("line 2"))
    }
  }

  @Test(arguments: ["a..b/*", "...", "..a/*", "a../*"])
  func dotsInNamesAreNoParents(glob: String) async throws {
    #expect(try await configuration("logs: { live: ['\(glob)'] }").live == [glob])
  }

  @Test func twoNodesOfOneNameAreRefused() async throws {
    let failure = try #require(
      try await refusal(
        of: """
          local:
            nodes:
              - { region: a, zone: b, name: c, root: one }
              - { region: a, zone: b, name: d, root: two }
              - { region: a, zone: b, name: c, root: three }
          """))
    #expect(failure.code == "config.node-twice")
    #expect(failure.sentence.contains("a/b/c"))
    #expect(failure.sentence.contains("line 5, column 7"))
    #expect(failure.sentence.contains("line 3, column 7"))
  }

  @Test(arguments: ["one", "./one", "one/", "x/../one", "one/."])
  func twoNodesOfOneRootAreRefused(root: String) async throws {
    let failure = try #require(
      try await refusal(
        of:
          "local: { nodes: [{ region: a, zone: b, name: c, root: one }, { region: a, zone: b, name: d, root: '\(root)' }] }"
      ))
    #expect(failure.code == "config.node-twice")
  }
}
