import Files
import Processes
import Support
import TestSupport
import Testing

@Suite(.serialized) struct LeaseTests {
  @Test func isRefusedWhileSomebodyHasTheFileOpenForWriting() async throws {
    try await withScratch { folder in
      let path = try await file(in: folder)
      let input = try Descriptor.input(path)
      let owner = try input.info().uid
      do {
        let writer = try Descriptor.append(path)
        #expect(throws: ReadLease.Refusal.writerPresent) {
          _ = try ReadLease.take(input, owner: owner)
        }
        try writer.write([0x0A])
      }
      try await untilNobodyWrites(path)
      let lease = try ReadLease.take(input, owner: owner)
      let isWhole = lease.isWhole
      #expect(isWhole)
    }
  }

  @Test func readersMayComeAndGo() async throws {
    try await withScratch { folder in
      let path = try await file(in: folder)
      let input = try Descriptor.input(path)
      let owner = try input.info().uid
      let before = leaseBreaks()
      let lease = try ReadLease.take(input, owner: owner)
      #expect(try readFile(path, limit: .kibibytes(1)) == Array("line\n".utf8))
      let isWhole = lease.isWhole
      #expect(isWhole)
      #expect(leaseBreaks() == before)
    }
  }

  /// The kernel's signal would end a process that did not expect it, and the writer waits until the lease is given back.
  @Test func aWriterIsNoticedAndGoesOnWhenTheLeaseIsGivenBack() async throws {
    try await withScratch { folder in
      let path = try await file(in: folder)
      let input = try Descriptor.input(path)
      let owner = try input.info().uid
      let before = leaseBreaks()
      let watch = Stopwatch()
      var lease: ReadLease? = try ReadLease.take(input, owner: owner)
      let isWholeFirst = lease?.isWhole
      #expect(isWholeFirst == true)
      async let writer = Processes.run(
        ChildCommand(
          "/bin/sh", ["-c", "echo more >> my.log"], directory: folder, deadline: .after(seconds: 120)))
      #expect(try await becomesTrue { leaseBreaks() > before })
      let isWhole = lease?.isWhole
      #expect(isWhole == false)
      #expect(try readFile(path, limit: .kibibytes(1)) == Array("line\n".utf8))
      lease = nil
      #expect(try await writer.status == .exited(0))
      #expect(watch.seconds < 30)
      #expect(try readFile(path, limit: .kibibytes(1)) == Array("line\nmore\n".utf8))
    }
  }

  @Test func aWriterWaitsNoLongerThanAHolderThatWatches() async throws {
    try await withScratch { folder in
      let path = try await file(in: folder)
      let input = try Descriptor.input(path)
      let owner = try input.info().uid
      let before = leaseBreaks()
      var lease: ReadLease? = try ReadLease.take(input, owner: owner)
      let script = """
        import sys, time
        start = time.monotonic()
        with open(sys.argv[1], 'r+') as file: file.truncate(0)
        print(time.monotonic() - start)
        """
      async let waited = python(script, [path])
      #expect(try await becomesTrue { leaseBreaks() > before })
      lease = nil
      let isGone = lease == nil
      #expect(isGone)
      let text = String(decoding: try await waited, as: UTF8.self)
      let seconds = try #require(Double(text.dropLast()))
      // The kernel itself would let it go on after 45 s only.
      #expect(seconds < 30)
      #expect(try FileInfo(path: path).size == 0)
    }
  }

  @Test func isGivenBackWithItsValue() async throws {
    try await withScratch { folder in
      let path = try await file(in: folder)
      let input = try Descriptor.input(path)
      let owner = try input.info().uid
      do {
        let lease = try ReadLease.take(input, owner: owner)
        let isWhole = lease.isWhole
        #expect(isWhole)
      }
      let before = leaseBreaks()
      let watch = Stopwatch()
      try Descriptor.append(path).write(Array("more\n".utf8))
      #expect(watch.seconds < 30)
      #expect(leaseBreaks() == before)
    }
  }

  private func file(in folder: String) async throws -> String {
    let path = joined(folder, "my.log")
    try publish(Array("line\n".utf8), at: path, replacing: true)
    try await untilNobodyWrites(path)
    return path
  }
}

@Suite struct FileLockTests {
  @Test func isForOneAtATime() async throws {
    try await withScratch { folder in
      let path = joined(folder, "lock")
      do {
        let held = try FileLock.take(path)
        let error = #expect(throws: SystemError.self) { _ = try FileLock.take(path) }
        #expect(error?.wouldBlock == true)
        extend(held)
      }
      // A child that another test has just forked holds a copy of the lock until it executes.
      #expect(try await becomesTrue { canTake(path) })
    }
  }

  @Test func anotherProcessMeetsIt() async throws {
    try await withScratch { folder in
      let path = joined(folder, "lock")
      let tries = ChildCommand(
        "/usr/bin/flock", ["-n", "-E", "9", path, "true"], environment: plainEnvironment())
      do {
        let held = try FileLock.take(path)
        #expect(try await Processes.run(tries).status == .exited(9))
        extend(held)
      }
      #expect(try await becomesTrue { canTake(path) })
      #expect(try await Processes.run(tries).status == .exited(0))
    }
  }

  private func canTake(_ path: String) -> Bool {
    do {
      _ = try FileLock.take(path)
      return true
    } catch {
      return false
    }
  }

  /// Keeps the lock until here.
  private func extend(_ lock: borrowing FileLock) {}
}
