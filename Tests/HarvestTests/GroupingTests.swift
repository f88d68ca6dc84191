import Files
import Logs
import Support
import TestSupport
import Testing

@testable import Harvest

@Suite struct GroupingTests {
  private func file(_ name: String, text: Int64, day: Int64, in folder: String) throws -> RotatedFile {
    let path = joined(folder, name)
    try publish(Array(name.utf8), at: path, replacing: true)
    try setModified(path, seconds: day * 86_400 + 100)
    return RotatedFile(
      path: path, folder: "logs", name: name, stream: name, info: try FileInfo(path: path), isGzip: false,
      estimatedText: text)
  }

  @Test func aBundleHoldsOneDayAndAboutSoMuchText() async throws {
    try await withScratch { folder in
      let files = [
        try file("a", text: 60, day: 1, in: folder), try file("b", text: 50, day: 1, in: folder),
        try file("c", text: 10, day: 2, in: folder), try file("d", text: 500, day: 2, in: folder),
        try file("e", text: 10, day: 2, in: folder),
      ]
      let groups = grouped(files, limit: 100).map { $0.map(\.name) }
      #expect(groups == [["a"], ["b"], ["c"], ["d"], ["e"]])
      #expect(grouped(files, limit: 120).map { $0.map(\.name) } == [["a", "b"], ["c"], ["d"], ["e"]])
    }
  }
}
