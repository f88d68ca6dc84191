import CommandLine
import Testing

@Suite struct HelpTests {
  static let command = CommandDefinition(
    ["harvest"], summary: "Brings the urgent rows out and puts the rest away.",
    discussion: """
      Every node stages its rotated files, one commit adds them to the table, and every node deletes what is proven to be there.

      A second paragraph, which stays one of its own however narrow the terminal may be.
      """,
    arguments: [
      Argument(
        "SQL", "The statement that is asked, as DuckDB reads it, on all the machines of the fleet at once.")
    ],
    flags: [
      Flag(
        "dry-run",
        "Say what would be staged, committed and deleted, and do none of it, whatever else is asked for."),
      Flag(
        "a-very-long-name-of-a-flag-indeed", value: "PATTERN",
        "Only the nodes whose region matches the pattern, as the shell would match it."),
    ],
    examples: [
      (
        "gadwall harvest --dry-run",
        "See what would happen, without anything happening, and without a table being there"
      )
    ])

  @Test(arguments: [60, 72, 80, 100, 132])
  func noLineIsWiderThanTheTerminal(width: Int) {
    let lines = help(
      Self.command, shared: [Flag("config", value: "FILE", "The configuration.")], width: width
    )
    .split(separator: "\n", omittingEmptySubsequences: false)
    for line in lines { #expect(line.count <= width, "\(line)") }
    #expect(lines.count > 15)
  }

  @Test(arguments: [60, 80, 200])
  func nothingIsLeftOut(width: Int) {
    let text = help(Self.command, shared: [Flag("config", value: "FILE", "The configuration.")], width: width)
    let words = text.split(whereSeparator: { $0 == " " || $0 == "\n" })
    for word in [
      "--dry-run", "--a-very-long-name-of-a-flag-indeed", "PATTERN", "--config", "FILE", "--help", "SQL",
      "paragraph,", "match", "fleet",
    ] {
      #expect(words.contains { $0 == word }, "\(word)")
    }
    #expect(text.contains("Usage: gadwall harvest SQL [FLAGS]\n"))
    #expect(text.contains("\n\n") && text.hasSuffix("\n"))
  }

  /// What stands above an example is a comment in each of its lines, so that all of it can be pasted.
  @Test(arguments: [40, 60, 200])
  func examplesCanBePasted(width: Int) throws {
    let text = help(Self.command, shared: [], width: width)
    let all = text.split(separator: "\n")
    let lines = all[(try #require(all.firstIndex(of: "Examples:")) + 1)...]
    #expect(lines.last == "  gadwall harvest --dry-run")
    #expect(lines.dropLast().allSatisfy { $0.hasPrefix("  # ") })
  }

  @Test func theOverviewHasALineForEachCommand() {
    let text = overview(Sample.commands, title: "Gadwall.", footer: "More in the guide.")
    for line in [
      "  harvest     Harvest.", "  query       Ask.", "  node stage  Stage.", "  node prune  Prune.",
    ] {
      #expect(text.contains(line + "\n"))
    }
    #expect(text.hasPrefix("Gadwall.\n") && text.hasSuffix("More in the guide.\n"))
  }

  @Test func thePageHasEveryCommandAndFlag() {
    let odd = CommandDefinition(
      ["odd"], summary: "Odd.", flags: [Flag("format", value: "table|json", "How.")])
    let page = markdownPage(Sample.commands + [odd], shared: Sample.shared, preface: "# Commands")
    for text in [
      "## gadwall harvest\n", "## gadwall node stage\n", "`--rows N`", "`--config FILE`", "`--help`",
      "`--format table\\|json`",
    ] {
      #expect(page.contains(text), "\(text)")
    }
  }
}
