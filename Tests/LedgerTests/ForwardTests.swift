import Ledger
import Logs
import Support
import TestSupport
import Testing

/// The ledger only moves forward (DESIGN.md 4.1).
@Suite(.tags(.medium)) struct ForwardTests {
  @Test func aBatchGoesItsWay() async throws {
    try await withLedger { sample, ledger in
      let bundle = try sample.fix(["b", "a"], in: ledger)
      var view = try LedgerView(ledger)
      #expect(view.batches["a"] == ["fixed", bundle, nil, nil, "3", "/raw/a.log"])
      #expect(view.bundles == [[bundle, "-", "b", "a"]])
      try ledger.complete(
        bundle: bundle, try: "t1", dataFiles: [sample.dataFile("x")],
        facts: [sample.facts("b", entries: 8), sample.facts("a")])
      view = try LedgerView(ledger)
      #expect(view.batches["b"] == ["staged", bundle, nil, nil, "8", "/raw/b.log"])
      #expect(view.bundles == [[bundle, "t1", "b", "a", "file:///store/data/x.parquet"]])
      try ledger.prove(["a", "b"], run: "RUN", sequence: 12)
      view = try LedgerView(ledger)
      #expect(view.batches["a"] == ["proven", bundle, "RUN", "12", "3", "/raw/a.log"])
      #expect(view.bundles.isEmpty)
      try ledger.setPruned("a")
      view = try LedgerView(ledger)
      #expect(view.state("a") == "pruned")
      #expect(view.state("b") == "proven")
    }
  }

  @Test func aLaterTryTakesThePlaceOfAnEarlierOne() async throws {
    try await withLedger { sample, ledger in
      let bundle = try sample.fix(["a"], in: ledger)
      try ledger.complete(
        bundle: bundle, try: "t1", dataFiles: [sample.dataFile("x")], facts: [sample.facts("a")])
      try ledger.complete(
        bundle: bundle, try: "t2", dataFiles: [sample.dataFile("y")], facts: [sample.facts("a")])
      let view = try LedgerView(ledger)
      #expect(view.bundles == [[bundle, "t2", "a", "file:///store/data/y.parquet"]])
    }
  }

  @Test func nothingIsPrunedUnproven() async throws {
    try await withLedger { sample, ledger in
      let bundle = try sample.fix(["a"], in: ledger)
      try expectNoChange(ledger) { (ledger: borrowing Ledger) in
        try ledger.setPruned("a")
        try ledger.setPruned("unknown")
      }
      try ledger.complete(bundle: bundle, try: "t", dataFiles: [], facts: [sample.facts("a")])
      try expectNoChange(ledger) { (ledger: borrowing Ledger) in try ledger.setPruned("a") }
    }
  }

  @Test func aProvenBundleIsNeitherStagedNorProvenAgain() async throws {
    try await withLedger { sample, ledger in
      let bundle = try sample.fix(["a", "b"], in: ledger)
      try ledger.prove(["a", "b"], run: "RUN-1", sequence: nil)
      try expectNoChange(ledger) { (ledger: borrowing Ledger) in
        try ledger.complete(
          bundle: bundle, try: "late", dataFiles: [sample.dataFile("x")],
          facts: [sample.facts("a", entries: 99)])
        try ledger.prove(["a", "b", "unknown"], run: "RUN-2", sequence: 9)
        try ledger.dissolve(bundle: bundle, keeping: ["a"], day: 20_780)
        try ledger.dissolve(bundle: bundle, keeping: [], day: 20_780)
      }
      try ledger.setPruned("a")
      try expectNoChange(ledger) { (ledger: borrowing Ledger) in
        try ledger.prove(["a"], run: "RUN-3", sequence: 9)
        try ledger.complete(bundle: bundle, try: "late", dataFiles: [], facts: [sample.facts("a")])
        try ledger.setPruned("a")
        try ledger.dissolve(bundle: bundle, keeping: ["b"], day: 20_780)
      }
    }
  }

  @Test func anUnknownBundleChangesNothing() async throws {
    try await withLedger { sample, ledger in
      _ = try sample.fix(["a"], in: ledger)
      try expectNoChange(ledger) { (ledger: borrowing Ledger) in
        try ledger.complete(
          bundle: "none", try: "t", dataFiles: [sample.dataFile("x")], facts: [sample.facts("a")])
        try ledger.dissolve(bundle: "none", keeping: ["a"], day: 1)
        try ledger.dissolve(bundle: "none", keeping: [], day: 1)
      }
    }
  }

  @Test func membersNeverChange() async throws {
    try await withLedger { sample, ledger in
      let bundle = try sample.fix(["a", "b"], in: ledger)
      // The same bundle again, and one with a member of another: refused as a whole.
      try expectNoChange(ledger) { (ledger: borrowing Ledger) in
        var failure: Failure?
        do { _ = try sample.fix(["a", "b"], in: ledger) } catch { failure = Failure.from(error) }
        #expect(failure?.code == "ledger.failed")
        failure = nil
        do { _ = try sample.fix(["c", "b"], in: ledger) } catch { failure = Failure.from(error) }
        #expect(failure?.code == "ledger.failed")
      }
      let view = try LedgerView(ledger)
      #expect(view.bundles == [[bundle, "-", "a", "b"]])
      // What was refused left no lock behind.
      _ = try sample.fix(["c"], in: ledger)
    }
  }

  @Test func bundlesAreListedAsTheyWereFixed() async throws {
    try await withLedger { sample, ledger in
      let names = ["m", "c", "z", "a", "k"]
      for name in names { _ = try sample.fix([name], in: ledger) }
      try ledger.prove(["z"], run: "RUN", sequence: 1)
      let view = try LedgerView(ledger)
      #expect(view.bundles.map { $0[2] } == ["m", "c", "a", "k"])
    }
  }
}

@Suite(.tags(.medium)) struct DissolveTests {
  @Test func theOthersBecomeABundleOfTheirOwn() async throws {
    try await withLedger { sample, ledger in
      let bundle = try sample.fix(["c", "a", "b"], in: ledger)
      try ledger.complete(
        bundle: bundle, try: "t1", dataFiles: [sample.dataFile("x")],
        facts: ["a", "b", "c"].map { sample.facts($0) })
      try ledger.dissolve(bundle: bundle, keeping: ["c", "a"], day: 20_780)
      let fresh = bundleID(batches: ["a", "c"])
      let view = try LedgerView(ledger)
      // Without a try: its files hold the other batch's rows too.
      #expect(view.bundles == [[fresh, "-", "a", "c"]])
      #expect(view.state("a") == "fixed")
      #expect(view.bundle("c") == fresh)
      #expect(view.batches["b"] == nil)
      // What was forgotten may be staged as something new.
      let again = try sample.fix(["b"], in: ledger)
      let after = try LedgerView(ledger)
      #expect(after.bundles == [[fresh, "-", "a", "c"], [again, "-", "b"]])
    }
  }

  @Test func withNothingToKeepItIsGone() async throws {
    try await withLedger { sample, ledger in
      let bundle = try sample.fix(["a"], in: ledger)
      _ = try sample.fix(["other"], in: ledger)
      try ledger.dissolve(bundle: bundle, keeping: [], day: 20_780)
      let view = try LedgerView(ledger)
      #expect(view.batches.keys.sorted() == ["other"])
      #expect(view.bundles.count == 1)
    }
  }

  @Test func keepingAllOfItTakesItsTryAway() async throws {
    try await withLedger { sample, ledger in
      let bundle = try sample.fix(["a", "b"], in: ledger)
      try ledger.complete(
        bundle: bundle, try: "t1", dataFiles: [sample.dataFile("x")],
        facts: [sample.facts("a"), sample.facts("b")])
      try ledger.dissolve(bundle: bundle, keeping: ["a", "b"], day: 20_780)
      let view = try LedgerView(ledger)
      #expect(view.bundles == [[bundle, "-", "a", "b"]])
      #expect(view.state("a") == "fixed")
    }
  }

  @Test func aRepeatedOneChangesNothing() async throws {
    try await withLedger { sample, ledger in
      let bundle = try sample.fix(["a", "b"], in: ledger)
      try ledger.dissolve(bundle: bundle, keeping: ["a"], day: 20_780)
      try expectNoChange(ledger) { (ledger: borrowing Ledger) in
        try ledger.dissolve(bundle: bundle, keeping: ["a"], day: 20_780)
      }
    }
  }

  @Test func whatIsProvenStaysAndTheBundleIsDone() async throws {
    try await withLedger { sample, ledger in
      let bundle = try sample.fix(["a", "b", "c"], in: ledger)
      try ledger.prove(["a"], run: "RUN", sequence: 4)
      try ledger.dissolve(bundle: bundle, keeping: ["b", "c"], day: 20_780)
      let fresh = bundleID(batches: ["b", "c"])
      let view = try LedgerView(ledger)
      #expect(view.batches["a"] == ["proven", bundle, "RUN", "4", "3", "/raw/a.log"])
      #expect(view.bundles == [[fresh, "-", "b", "c"]])
    }
  }

  @Test func takesNoBatchOfAnotherBundle() async throws {
    try await withLedger { sample, ledger in
      let bundle = try sample.fix(["a", "b"], in: ledger)
      let other = try sample.fix(["c"], in: ledger)
      try ledger.dissolve(bundle: bundle, keeping: ["a", "c"], day: 20_780)
      let view = try LedgerView(ledger)
      #expect(view.bundle("c") == other)
      #expect(Set(view.bundles) == [[bundleID(batches: ["a"]), "-", "a"], [other, "-", "c"]])
    }
  }

  @Test func aBatchThatWasProvenMeanwhileIsNotTakenBack() async throws {
    try await withLedger { sample, ledger in
      let bundle = try sample.fix(["a", "b", "c"], in: ledger)
      try ledger.prove(["b"], run: "RUN", sequence: 4)
      try ledger.dissolve(bundle: bundle, keeping: ["a", "b"], day: 20_780)
      let view = try LedgerView(ledger)
      #expect(view.state("b") == "proven")
      #expect(view.bundles == [[bundleID(batches: ["a"]), "-", "a"]])
    }
  }
}

/// Runs the body with an open ledger.
func withLedger(_ body: (SampleLedger, borrowing Ledger) throws -> Void) async throws {
  try await withScratch { scratch in
    let sample = SampleLedger(scratch)
    let ledger = try sample.open()
    try body(sample, ledger)
  }
}

func expectNoChange(
  _ ledger: borrowing Ledger, sourceLocation: SourceLocation = #_sourceLocation,
  _ body: (borrowing Ledger) throws -> Void
) throws {
  let before = try LedgerView(ledger)
  try body(ledger)
  let after = try LedgerView(ledger)
  #expect(after == before, sourceLocation: sourceLocation)
}
