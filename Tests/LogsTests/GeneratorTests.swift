import Files
import Glibc
import Logs
import Support
import TestSupport
import Testing

@Suite struct GeneratorTests {
  @Test func theSameSeedGivesTheSameLines() {
    #expect(lines(seed: 1, count: 200) == lines(seed: 1, count: 200))
    #expect(lines(seed: 1, count: 200) != lines(seed: 2, count: 200))
  }

  @Test func everyLineIsAnEntryOfTheRightShape() throws {
    var ids: Set<String> = []
    var categories: Set<String> = []
    for line in lines(seed: 7, count: 2000) {
      #expect(line.hasSuffix("}\n"))
      #expect(line.filter { $0 == "\n" }.count == 1)
      let entry = try JSONValue(parsing: Array(line.utf8))
      #expect(Set(try #require(entry.object).keys) == ["id", "@timestamp", "@version", "message"])
      #expect(entry["@version"] == "1.1")
      let id = try #require(entry["id"]?.string)
      #expect(id.split(separator: "-").map(\.count) == [8, 4, 4, 4, 12])
      ids.insert(id)
      let words = try #require(entry["message"]?.string).split(separator: " ")
      #expect(words.count == 7)
      #expect(LogGenerator.services.contains(String(words[0])))
      #expect(words[1].hasPrefix("[") && words[1].hasSuffix("]"))
      categories.insert(String(words[1].dropFirst().dropLast()))
    }
    #expect(ids.count == 2000)
    #expect(categories == Set(LogGenerator.categories))
  }

  @Test(arguments: [
    (Int64(0), "1970-01-01T00:00:00.000Z"), (1_795_442_400_000_000, "2026-11-23T14:00:00.000Z"),
    (1_795_442_400_120_999, "2026-11-23T14:00:00.120Z"), (-1, "1969-12-31T23:59:59.999Z"),
  ])
  func timesHaveMilliseconds(microseconds: Int64, text: String) throws {
    var generator = LogGenerator(seed: 1)
    let line = generator.line(service: "Auth", at: Instant(microseconds: microseconds))
    #expect(try JSONValue(parsing: Array(line.utf8))["@timestamp"] == .string(text))
  }

  private func lines(seed: UInt64, count: Int) -> [String] {
    var generator = LogGenerator(seed: seed)
    return (0..<count).map {
      generator.line(service: LogGenerator.services[$0 % 3], at: Instant(seconds: 1_795_442_400 + Int64($0)))
    }
  }
}

@Suite struct LogFileTests {
  @Test func goesOnInANewFileOnceItsOwnWasRenamed() async throws {
    try await withScratch { folder in
      let path = joined(folder, "app/my.log")
      var log = try LogFile.open(path)
      try log.write(Array("one\n".utf8))
      try renameFile(path, path + ".1", replacing: false)
      try log.write(Array("two\n".utf8))
      #expect(try text(path + ".1") == "one\n")
      #expect(try text(path) == "two\n")
    }
  }

  @Test func writesAtTheBeginningOfAFileThatWasTruncated() async throws {
    try await withScratch { folder in
      let path = joined(folder, "my.log")
      var log = try LogFile.open(path)
      try log.write(Array("one\n".utf8))
      let copied = try Descriptor.input(path)
      try copyFile(copied, to: path + ".1")
      try #require(truncate(path, 0) == 0)
      try log.write(Array("two\n".utf8))
      #expect(try text(path + ".1") == "one\n")
      #expect(try text(path) == "two\n")
    }
  }

  @Test func makesItsFileAndFolderAgain() async throws {
    try await withScratch { folder in
      let path = joined(folder, "app/my.log")
      var log = try LogFile.open(path)
      try log.write(Array("one\n".utf8))
      try removeTree(joined(folder, "app"))
      try log.write(Array("two\n".utf8))
      #expect(try text(path) == "two\n")
    }
  }

  @Test func addsToWhatIsThere() async throws {
    try await withScratch { folder in
      let path = joined(folder, "my.log")
      try publish(Array("one\n".utf8), at: path, replacing: true)
      var log = try LogFile.open(path)
      try log.write(Array("two\n".utf8))
      try log.reopen()
      try log.write(Array("three\n".utf8))
      #expect(try text(path) == "one\ntwo\nthree\n")
    }
  }

  @Test func saysWhichFileCantBeWritten() async throws {
    try await withScratch { folder in
      let path = joined(folder, "file/my.log")
      try publish([], at: joined(folder, "file"), replacing: true)
      let failure = #expect(throws: Failure.self) { _ = try LogFile.open(path) }
      #expect(failure?.code == "generate.unwritable")
      #expect(failure?.sentence.contains(path) == true)
    }
  }

  private func text(_ path: String) throws -> String {
    String(decoding: try readFile(path, limit: .mebibytes(1)), as: UTF8.self)
  }
}
