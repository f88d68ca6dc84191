import Files
import Glibc
import Support
import TestSupport
import Testing

@testable import FleetQuery

/// What is read of a file that changes meanwhile.
struct ReadTextTests {
  private func text(_ file: HeldFile) throws(Failure) -> String {
    var bytes: [UInt8] = []
    try readText(file) { bytes += $0 }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func whatIsAppendedLaterIsNotRead() async throws {
    try await withScratch { folder in
      let path = joined(folder, "a.log")
      try publish(Array("one\n".utf8), at: path, replacing: true)
      let file = try HeldFile(path, rotated: nil)
      try Descriptor.append(path).write(Array("two\n".utf8))
      #expect(try text(file) == "one\n")
    }
  }

  @Test func aRenameAndARemovalTakeNothingAway() async throws {
    try await withScratch { folder in
      let path = joined(folder, "a.log")
      try publish(Array("one\n".utf8), at: path, replacing: true)
      let file = try HeldFile(path, rotated: nil)
      try renameFile(path, path + ".1", replacing: false)
      try removeFile(path + ".1")
      #expect(try text(file) == "one\n")
    }
  }

  @Test func aFileInUseThatIsTruncatedIsSaidToBe() async throws {
    try await withScratch { folder in
      let path = joined(folder, "a.log")
      try publish(Array("one\ntwo\n".utf8), at: path, replacing: true)
      let file = try HeldFile(path, rotated: nil)
      try #require(truncate(path, 4) == 0)
      let failure = #expect(throws: Failure.self) { try text(file) }
      #expect(failure?.code == "query.truncated")
    }
  }
}
