import Files
import Processes
import Support
import TestSupport
import Testing

/// The shell blocks of the pages are run, top to bottom, in one folder a page, so that what they say stays true.
@Suite(.tags(.large)) struct ShellBlockTests {
  @Test(arguments: ["README.md", "docs/guide.md"]) func theBlocksOfAPageWork(_ page: String) async throws {
    let text = String(
      decoding: try readFile(joined(repositoryRoot, page), limit: .mebibytes(1)), as: UTF8.self)
    let script = shellBlocks(text).joined(separator: "\n")
    try #require(script.contains("gadwall "))
    let program = builtProgram
    guard exists(program) else { throw MissingPart(description: "\(program) is missing: run 'swift build'.") }
    try await withScratch { folder in
      var environment = plainEnvironment()
      environment["PATH"] = folderName(program) + ":" + (environment["PATH"] ?? "")
      let result = try await run(
        ChildCommand(
          "/bin/bash", ["-euo", "pipefail", "-c", script], environment: environment, directory: folder,
          deadline: .after(seconds: 120 * patience)))
      #expect(result.status == .exited(0), "\(result.errorText)")
    }
  }

  private func shellBlocks(_ text: String) -> [String] {
    var blocks: [String] = []
    var block: [Substring]?
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line == "```sh" {
        block = []
      } else if line == "```", let lines = block {
        blocks.append(lines.joined(separator: "\n"))
        block = nil
      } else {
        block?.append(line)
      }
    }
    return blocks
  }
}
