import Files
import Processes
import Support
import TestSupport
import Testing

@Suite struct ChildProcessTests {
  @Test(arguments: [Int32(0), 1, 2, 64, 127, 255])
  func anExitStatusIsAValue(code: Int32) async throws {
    #expect(try await run(shell("exit \(code)")).status == .exited(code))
  }

  @Test(arguments: [("TERM", Int32(15)), ("KILL", 9), ("SEGV", 11), ("PIPE", 13), ("HUP", 1)])
  func aSignalIsAValue(name: String, number: Int32) async throws {
    #expect(try await run(shell("kill -\(name) $$")).status == .signalled(number))
  }

  @Test func bothStreamsAreCollectedApart() async throws {
    let result = try await run(shell("echo out; echo err >&2; printf more; exit 3"))
    #expect(result.status == .exited(3))
    #expect(result.text == "out\nmore")
    #expect(result.errorText == "err\n")
  }

  @Test func argumentsArriveAsTheyAre() async throws {
    let arguments = ["", " ", "a b", "'\"$HOME`", "new\nline", "-x", "日志 \u{1F986}", "*"]
    let result = try await run(
      ChildCommand("/usr/bin/printf", ["%s|"] + arguments, deadline: .after(seconds: 30 * patience)))
    #expect(result.text == arguments.map { $0 + "|" }.joined())
  }

  @Test func theEnvironmentIsTheWholeOne() async throws {
    let given = ["A": "1", "EMPTY": "", "SPACED": "a b=c", "ÄÖ": "ü"]
    let result = try await run(
      ChildCommand("/usr/bin/env", [], environment: given, deadline: .after(seconds: 30 * patience)))
    #expect(
      Set(result.text.split(separator: "\n").map(String.init)) == Set(given.map { "\($0.key)=\($0.value)" }))
    let none = try await run(ChildCommand("/usr/bin/env", [], deadline: .after(seconds: 30 * patience)))
    #expect(none.text == "")
  }

  @Test func thePlainEnvironmentHasNoSecrets() {
    let names = Set(plainEnvironment().keys)
    #expect(names.isSubset(of: ["LC_ALL", "TZ", "PATH", "HOME", "TMPDIR"]))
    #expect(plainEnvironment()["TZ"] == "UTC")
  }

  @Test func startsInItsFolder() async throws {
    try await withScratch { folder in
      let command = ChildCommand("/bin/pwd", [], directory: folder, deadline: .after(seconds: 30 * patience))
      let result = try await run(command)
      #expect(result.text == folder + "\n")
    }
  }

  @Test(arguments: [
    ("/nowhere/program", "No such file or directory"), ("/tmp", "Permission denied"),
    ("/etc/passwd", "Permission denied"), ("", "No such file or directory"),
  ])
  func whatCantBeStartedSaysSo(path: String, words: String) async {
    #expect(await failure(ChildCommand(path, [], deadline: .after(seconds: 30 * patience))) == .start(words))
  }

  @Test func aMissingFolderIsNoStart() async {
    let command = ChildCommand(
      "/bin/true", [], directory: "/nowhere", deadline: .after(seconds: 30 * patience))
    #expect(await failure(command) == .start("No such file or directory"))
  }

  @Test func bytesAreHandedOverAsTheyCome() async throws {
    let seen = Seen()
    let result = try await run(shell("echo one; echo two >&2; echo three")) { stream, bytes in
      seen.add(stream, Array(bytes))
    }
    #expect(seen.output == result.output)
    #expect(seen.errors == result.errors)
    #expect(seen.output == Array("one\nthree\n".utf8))
  }

  @Test func fiftyAtOnceEachGetTheirOwn() async throws {
    let results = try await withThrowingTaskGroup(of: (Int, ChildResult).self) { group in
      for number in 0..<50 {
        let input = Array("line of \(number)\n".utf8)
        group.addTask { (number, try await run(shell("cat; exit \(number)", input: input, deadline: 120))) }
      }
      var results: [Int: ChildResult] = [:]
      for try await (number, result) in group { results[number] = result }
      return results
    }
    #expect(results.count == 50)
    for (number, result) in results {
      #expect(result.status == .exited(Int32(number)))
      #expect(result.text == "line of \(number)\n")
    }
  }
}

@Suite struct ChildInputTests {
  @Test func megabytesGoThrough() async throws {
    var random = SeededRandom(seed: 8)
    var input: [UInt8] = []
    while input.count < 5_000_000 { withUnsafeBytes(of: random.next()) { input.append(contentsOf: $0) } }
    let result = try await run(
      ChildCommand("/bin/cat", [], input: input, deadline: .after(seconds: 60 * patience)))
    #expect(result.status == .exited(0))
    #expect(result.output == input)
  }

  /// The kernel's SIGPIPE would end us: that the program ignores it elsewhere is not for this target to rely on.
  @Test(arguments: [1, 100_000, 5_000_000])
  func aChildThatReadsNothingMayGo(count: Int) async throws {
    for _ in 0..<5 {
      let input = [UInt8](repeating: 0x61, count: count)
      let result = try await run(
        ChildCommand("/bin/true", [], input: input, deadline: .after(seconds: 30 * patience)))
      #expect(result.status == .exited(0))
    }
  }

  @Test func aChildThatReadsSomeOfItSaysWhyByItself() async throws {
    let result = try await run(shell("head -c 10; exit 4", input: [UInt8](repeating: 0x61, count: 3_000_000)))
    #expect(result.status == .exited(4))
    #expect(result.text == "aaaaaaaaaa")
  }

  @Test func withoutInputItsInputIsEmpty() async throws {
    #expect(
      try await run(ChildCommand("/bin/cat", [], deadline: .after(seconds: 30 * patience))).output == [])
  }

  @Test func bothWaysAtOnceDoNotBlock() async throws {
    // Much comes out on both streams before all is read in.
    let script = """
      import sys
      for _ in range(64):
          sys.stdout.write('o' * 65536); sys.stderr.write('e' * 65536); sys.stdout.flush(); sys.stderr.flush()
          sys.stdin.buffer.read(32768)
      """
    let result = try await run(
      ChildCommand(
        joined(repositoryRoot, ".build/python/bin/python"), ["-c", script],
        input: [UInt8](repeating: 1, count: 3_000_000), errorLimit: .mebibytes(8),
        deadline: .after(seconds: 60 * patience)))
    #expect(result.status == .exited(0))
    #expect(result.output.count == 4 << 20)
    #expect(result.errors.count == 4 << 20)
  }
}
