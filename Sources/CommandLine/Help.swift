/// The program's own help: all commands, a line each.
public func overview(_ commands: [CommandDefinition], title: String, footer: String) -> String {
  let width = commands.map(\.name.count).max() ?? 0
  var text = title + "\n\nUsage: gadwall COMMAND [FLAGS]\n\n"
  for command in commands {
    text += "  " + pad(command.name, width) + "  " + command.summary + "\n"
  }
  return text + "\n" + footer + "\n"
}

/// One command's help, at most so many columns wide.
public func help(_ command: CommandDefinition, shared: [Flag], width: Int) -> String {
  var text = "\(command.summary)\n\nUsage: \(usage(command))\n"
  if !command.discussion.isEmpty { text += "\n" + wrap(command.discussion, width: width, indent: 0) + "\n" }
  if !command.arguments.isEmpty {
    text += "\nArguments:\n" + table(command.arguments.map { ($0.name, $0.help) }, width)
  }
  let flags = command.flags + shared
  text += "\nFlags:\n" + table(flags.map { (spelled($0), $0.help) } + [("--help", "Show this.")], width)
  if !command.examples.isEmpty {
    text += "\nExamples:\n"
    for example in command.examples {
      // Each line is a comment, so that all of it can be pasted.
      let lines = wrap(example.what, width: width - 4, indent: 0).split(separator: "\n")
      text += lines.map { "  # \($0)\n" }.joined() + "  \(example.command)\n"
    }
  }
  return text
}

/// The documentation of all commands as one Markdown page.
public func markdownPage(_ commands: [CommandDefinition], shared: [Flag], preface: String) -> String {
  var text = preface + "\n"
  for command in commands {
    text += "\n## gadwall \(command.name)\n\n\(command.summary)\n\n    \(usage(command))\n"
    if !command.discussion.isEmpty { text += "\n\(command.discussion)\n" }
    let rows =
      command.arguments.map { ("`\($0.name)`", $0.help) }
      + command.flags.map { ("`\(spelled($0))`", $0.help) }
    if !rows.isEmpty {
      text += "\n| | |\n|---|---|\n"
      for row in rows { text += "| \(row.0.split(separator: "|").joined(separator: "\\|")) | \(row.1) |\n" }
    }
    if !command.examples.isEmpty {
      text += "\n```sh\n" + command.examples.map { "# \($0.what)\n\($0.command)\n" }.joined() + "```\n"
    }
  }
  text += "\n## Flags of every command\n\n| | |\n|---|---|\n"
  for flag in shared { text += "| `\(spelled(flag))` | \(flag.help) |\n" }
  return text + "| `--help` | Show the command's help. |\n"
}

private func usage(_ command: CommandDefinition) -> String {
  let arguments = command.arguments.map { $0.isRequired ? $0.name : "[\($0.name)]" }
  return (["gadwall", command.name] + arguments + (command.flags.isEmpty ? [] : ["[FLAGS]"])).joined(
    separator: " ")
}

private func spelled(_ flag: Flag) -> String {
  (flag.short.map { "-\($0), " } ?? "") + "--\(flag.name)" + (flag.value.map { " \($0)" } ?? "")
}

private func table(_ rows: [(String, String)], _ width: Int) -> String {
  let left = min(30, rows.map(\.0.count).max() ?? 0)
  return rows.map { row in
    let lines = wrap(row.1, width: max(20, width - left - 4), indent: 0).split(separator: "\n")
    let indent = String(repeating: " ", count: left + 4)
    let first = row.0.count <= left ? "  \(pad(row.0, left))  " : "  \(row.0)\n\(indent)"
    return first + lines.joined(separator: "\n\(indent)") + "\n"
  }.joined()
}

private func pad(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.count))
}

private func wrap(_ text: String, width: Int, indent: Int) -> String {
  let space = String(repeating: " ", count: indent)
  return text.split(separator: "\n", omittingEmptySubsequences: false).map { paragraph in
    var lines: [String] = []
    var line = ""
    for word in paragraph.split(separator: " ") {
      if !line.isEmpty, line.count + 1 + word.count > width - indent {
        lines.append(space + line)
        line = ""
      }
      line += line.isEmpty ? String(word) : " " + word
    }
    lines.append(space + line)
    return lines.joined(separator: "\n")
  }.joined(separator: "\n")
}
