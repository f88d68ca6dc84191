import Ledger
import Logs
import Support
import TestSupport
import Testing

/// Which batch a file is: by device, inode and birth time, whatever it is called and holds now.
@Suite(.tags(.medium)) struct FileOfBatchTests {
  @Test(arguments: [
    (file(7), true), (file(7, changed: 9_999), true), (file(7, size: 0), true), (file(7, modified: 0), true),
    (file(8), false), (file(7, device: 4), false), (file(7, born: 5_001), false), (file(7, born: nil), false),
  ])
  func aFileWithABirthTime(asked: FileIdentity, isFound: Bool) async throws {
    try await withLedger { sample, ledger in
      try fix(sample, ledger, "a", file(7))
      let found = try ledger.batch(of: asked)
      #expect((found?.facts.id == "a") == isFound)
    }
  }

  @Test(arguments: [
    (file(7, born: nil), true), (file(7, born: nil, size: 0), true),
    (file(7, born: nil, changed: 6_001), false),
    (file(7, born: 5_000), false),
  ])
  func aFileWithoutABirthTimeAlsoByItsChangeTime(asked: FileIdentity, isFound: Bool) async throws {
    try await withLedger { sample, ledger in
      try fix(sample, ledger, "a", file(7, born: nil))
      let found = try ledger.batch(of: asked)
      #expect((found?.facts.id == "a") == isFound)
    }
  }

  @Test func anInodeThatIsUsedAgainIsAnotherFile() async throws {
    try await withLedger { sample, ledger in
      try fix(sample, ledger, "old", file(7, born: 1))
      try fix(sample, ledger, "new", file(7, born: 2))
      let old = try ledger.batch(of: file(7, born: 1))
      let new = try ledger.batch(of: file(7, born: 2))
      #expect(old?.facts.id == "old")
      #expect(new?.facts.id == "new")
    }
  }

  @Test func aPrunedBatchHasNoFile() async throws {
    try await withLedger { sample, ledger in
      try fix(sample, ledger, "a", file(7))
      try ledger.prove(["a"], run: "RUN", sequence: 1)
      let proven = try ledger.batch(of: file(7))
      try ledger.setPruned("a")
      let pruned = try ledger.batch(of: file(7))
      #expect(proven?.state == .proven)
      #expect(pruned?.facts.id == nil)
    }
  }

  @Test func theLargestNumbersAreKept() async throws {
    try await withLedger { sample, ledger in
      let odd = file(.max, device: .max, born: .min, changed: .min, size: .max, modified: .min)
      try fix(sample, ledger, "a", odd)
      let found = try ledger.batch(of: odd)
      #expect(found?.identity == odd)
    }
  }

  @Test func aBatchMayMoveToAnotherFile() async throws {
    try await withLedger { sample, ledger in
      try fix(sample, ledger, "a", file(7))
      try ledger.setFile("a", path: "/raw/it's moved \"é\".gz", file: file(8, born: nil))
      let before = try ledger.batch(of: file(7))
      let after = try ledger.batch(of: file(8, born: nil))
      #expect(before?.facts.id == nil)
      #expect(after?.path == "/raw/it's moved \"é\".gz")
    }
  }

  @Test func batchesOfAStreamSecondAndContent() async throws {
    try await withLedger { sample, ledger in
      _ = try sample.fix(["a", "b"], in: ledger)
      let digest = sample.facts("a").digest
      let found = try ledger.batches(stream: "a.log", rotated: 1_795_442_400, digest: digest)
      let otherSecond = try ledger.batches(stream: "a.log", rotated: 1_795_442_401, digest: digest)
      let otherContent = try ledger.batches(stream: "a.log", rotated: 1_795_442_400, digest: digest + "0")
      let has = try ledger.hasBatches(stream: "a.log", rotated: 1_795_442_400)
      let hasNot = try ledger.hasBatches(stream: "a.log", rotated: 1_795_442_401)
      #expect(found.map(\.facts.id) == ["a"])
      #expect(otherSecond.isEmpty && otherContent.isEmpty)
      #expect(has && !hasNot)
    }
  }

  @Test func anAdoptedBatchIsPruned() async throws {
    try await withLedger { sample, ledger in
      _ = try sample.fix(["known"], in: ledger)
      try ledger.adopt(sample.facts("lost"), path: "/raw/lost.log", run: "RUN", sequence: 3)
      try ledger.adopt(sample.facts("lost"), path: "/elsewhere", run: "RUN-2", sequence: 4)
      try ledger.adopt(sample.facts("known"), path: "/elsewhere", run: "RUN-2", sequence: 4)
      let lost = try #require(try ledger.batch("lost"))
      let known = try #require(try ledger.batch("known"))
      let bundles = try ledger.unprovenBundles()
      #expect(lost.state == .pruned)
      #expect((lost.run, lost.sequence, lost.path) == ("RUN", 3, "/raw/lost.log"))
      #expect(lost.facts == sample.facts("lost"))
      #expect(known.state == .fixed)
      #expect(bundles.count == 1)
    }
  }

  private func fix(_ sample: SampleLedger, _ ledger: borrowing Ledger, _ id: String, _ file: FileIdentity)
    throws
  {
    try ledger.fix(
      bundle: bundleID(batches: [id]), day: 20_780,
      batches: [(facts: sample.facts(id), path: "/raw/\(id).log", file: file)])
  }
}
