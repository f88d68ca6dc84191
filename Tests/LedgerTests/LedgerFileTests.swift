import Files
import Ledger
import Logs
import Support
import TestSupport
import Testing

@Suite(.tags(.medium)) struct LedgerFileTests {
  @Test func aNewLedgerKnowsNothing() async throws {
    try await withScratch { scratch in
      let sample = SampleLedger(scratch)
      let ledger = try sample.open()
      let isNew = ledger.isNew
      let ready = try ledger.isReady()
      let view = try LedgerView(ledger)
      #expect(isNew)
      #expect(!ready)
      #expect(view.batches.isEmpty)
      #expect(view.bundles.isEmpty)
    }
  }

  @Test func whatIsWrittenIsThereAfterwards() async throws {
    try await withScratch { scratch in
      let sample = SampleLedger(scratch)
      let before: LedgerView
      let bundle: String
      do {
        let ledger = try sample.open()
        bundle = try sample.fix(["a", "b"], in: ledger)
        try ledger.complete(
          bundle: bundle, try: "try-1", dataFiles: [sample.dataFile("x")],
          facts: [sample.facts("a"), sample.facts("b")])
        _ = try sample.fix(["c"], in: ledger)
        try ledger.prove(["a"], run: "RUN-1", sequence: 7)
        try ledger.setReady()
        before = try LedgerView(ledger)
      }
      let ledger = try sample.open()
      let isNew = ledger.isNew
      let ready = try ledger.isReady()
      let view = try LedgerView(ledger)
      let batch = try #require(try ledger.batch("b"))
      let whole = try #require(try ledger.unprovenBundles().first)
      #expect(!isNew)
      #expect(ready)
      #expect(view == before)
      #expect(batch.facts == sample.facts("b"))
      #expect(batch.identity == file(sample.inode(of: "b")))
      #expect(batch.path == "/raw/b.log")
      #expect(whole.dataFiles == [sample.dataFile("x")])
      #expect(whole.day == 20_780)
      #expect(whole.completeTry == "try-1")
    }
  }

  @Test(arguments: [
    Node(region: "us-east2", zone: "us-east1-b", name: "vm"),
    Node(region: "us-east1", zone: "us-east1-c", name: "vm"),
    Node(region: "us-east1", zone: "us-east1-b", name: "vm2"),
    Node(region: "us-east1-us", zone: "east1-b", name: "vm"),
  ])
  func anotherNodeIsRefused(other: Node) async throws {
    try await withScratch { scratch in
      let sample = SampleLedger(scratch)
      let before: LedgerView
      do {
        let ledger = try sample.open()
        _ = try sample.fix(["a"], in: ledger)
        before = try LedgerView(ledger)
      }
      let failure = #expect(throws: Failure.self) { _ = try sample.open(other) }
      #expect(failure?.code == "ledger.identity")
      #expect(failure?.sentence.contains("\(SampleLedger.node)") == true)
      #expect(failure?.sentence.contains("\(other)") == true)
      #expect(failure?.remedy.contains("rename") == true)
      let again = try sample.open()
      let view = try LedgerView(again)
      #expect(view == before)
    }
  }

  @Test func aFileThatIsNoLedgerIsLeftAlone() async throws {
    try await withScratch { scratch in
      let path = joined(scratch, "ledger.sqlite")
      let garbage = Array(String(repeating: "this is no database at all\n", count: 400).utf8)
      try publish(garbage, at: path, replacing: true)
      let failure = #expect(throws: Failure.self) { _ = try Ledger.open(path, node: SampleLedger.node) }
      #expect(failure?.words.contains("not a database") == true)
      #expect(failure?.sentence.contains(path) == true)
      #expect(try readFile(path, limit: .mebibytes(1)) == garbage)
    }
  }

  @Test func aFolderThatCantBeMadeIsNamed() async throws {
    try await withScratch { scratch in
      try publish([], at: joined(scratch, "file"), replacing: true)
      let failure = #expect(throws: Failure.self) {
        _ = try Ledger.open(joined(scratch, "file/ledger.sqlite"), node: SampleLedger.node)
      }
      #expect(failure?.code == "ledger.unreadable")
    }
  }

  @Test func survivesALossOfPower() async throws {
    try await withScratch { scratch in
      let sample = SampleLedger(scratch)
      let ledger = try sample.open()
      _ = try sample.fix(["a"], in: ledger)
      // What is committed is in the log already, and another connection sees it there.
      let script = """
        import sqlite3, sys
        db = sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True)
        print(db.execute('PRAGMA journal_mode').fetchone()[0], db.execute('SELECT count(*) FROM batch').fetchone()[0], end='')
        """
      let said = String(decoding: try await python(script, [sample.path]), as: UTF8.self)
      let view = try LedgerView(ledger)
      #expect(said == "wal 1")
      #expect(view.batches.count == 1)
    }
  }

  @Test func twoMayHaveItOpen() async throws {
    try await withScratch { scratch in
      let sample = SampleLedger(scratch)
      let one = try sample.open()
      let other = try sample.open()
      let bundle = try sample.fix(["a"], in: one)
      let seen = try LedgerView(other)
      #expect(seen.bundles == [[bundle, "-", "a"]])
      try other.prove(["a"], run: "RUN", sequence: 1)
      let view = try LedgerView(one)
      #expect(view.state("a") == "proven")
    }
  }

  @Test func changesFromManySidesAtOnceAreAllThere() async throws {
    try await withScratch { scratch in
      let sample = SampleLedger(scratch)
      do { _ = try sample.open() }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for side in 0..<4 {
          group.addTask {
            let ledger = try sample.open()
            for number in 0..<10 { _ = try sample.fix(["\(side)-\(number)"], in: ledger) }
          }
        }
        try await group.waitForAll()
      }
      let ledger = try sample.open()
      let view = try LedgerView(ledger)
      #expect(view.batches.count == 40)
      #expect(view.bundles.count == 40)
    }
  }
}
