import CommandLine
import Configuration
import Files
import Support

/// A statement that somebody has saved, with what its head says of it.
struct SavedQuery: Encodable {
  struct Parameter: Encodable {
    var name: String
    var meaning: String
    /// What it is when nobody gives it a value.
    var value: String?
  }

  var name: String
  var title = ""
  var description = ""
  var parameters: [Parameter] = []
  var path: String
  var text: String

  enum CodingKeys: String, CodingKey { case name, title, description, parameters, path }

  /// Reads the lines `-- title: …`, `-- description: …`, `-- param NAME: MEANING = VALUE` that the text begins with.
  init(name: String, path: String, text: String) {
    self.name = name
    self.path = path
    self.text = text
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      guard line.hasPrefix("-- ") else { break }
      let parts = line.dropFirst(3).split(separator: ":", maxSplits: 1).map { trimmed($0) }
      guard parts.count == 2 else { continue }
      switch parts[0] {
      case "title": title = parts[1]
      case "description": description = parts[1]
      case let word where word.hasPrefix("param "):
        let halves = parts[1].split(separator: "=", maxSplits: 1).map { trimmed($0) }
        parameters.append(
          Parameter(
            name: trimmed(word.dropFirst(6)), meaning: halves.first ?? "",
            value: halves.count == 2 ? halves[1] : nil))
      default: continue
      }
    }
  }

  /// The parameters' values, with those that were given before those of the head.
  func values(_ given: [String: String]) -> [String: String] {
    var values = given
    for parameter in parameters where values[parameter.name] == nil {
      values[parameter.name] = parameter.value
    }
    return values
  }
}

private func trimmed(_ text: Substring) -> String {
  String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
}

enum SavedQueries {
  /// Folders that are looked in: beside the configuration first, then what came with the program.
  static func folders(configuration: String?) -> [String] {
    let own = folderName(executablePath())
    var folders = configuration.map { [joined(folderName($0), "queries")] } ?? []
    folders.append(joined(folderName(own), "share/gadwall/queries"))
    let parts = own.split(separator: "/")
    if let index = parts.lastIndex(of: ".build") {
      folders.append("/" + parts[..<index].joined(separator: "/") + "/queries")
    }
    return folders
  }

  /// By name; of two with one name, the first folder's.
  static func all(configuration: String?) throws(Failure) -> [SavedQuery] {
    var found: [String: SavedQuery] = [:]
    for folder in folders(configuration: configuration) {
      for entry in (try? folderEntries(folder)) ?? [] {
        guard let file = entry.name, file.hasSuffix(".sql") else { continue }
        let name = String(file.dropLast(4))
        guard found[name] == nil else { continue }
        let path = joined(folder, file)
        do throws(SystemError) {
          let text = String(decoding: try readFile(path, limit: .kibibytes(64)), as: UTF8.self)
          found[name] = SavedQuery(name: name, path: path, text: text)
        } catch {
          throw error.failure("query.file", "The saved query \(printable(path)) can't be read.")
        }
      }
    }
    return found.values.sorted { $0.name < $1.name }
  }

  static func named(_ name: String, configuration: String?) throws(Failure) -> SavedQuery {
    let all = try all(configuration: configuration)
    if let query = all.first(where: { $0.name == name }) { return query }
    throw Failure(
      "query.unknown", "There is no saved query '\(printable(name))'.",
      remedy: "There are \(all.map(\.name).joined(separator: ", ")).")
  }
}

/// `gadwall queries`
enum QueriesCommand: Command {
  static let definition = CommandDefinition(
    ["queries"], summary: "List the saved queries, which 'gadwall query --saved NAME' asks.",
    discussion: """
      Each is a file NAME.sql in the folder queries beside the configuration, or one that came with the program. Its first lines may say more of it: \
      -- title: TEXT, -- description: TEXT, -- param NAME: MEANING = VALUE.
      """,
    flags: [formatFlag], examples: [("gadwall queries", "What is there")])

  static func run(_ arguments: ParsedArguments) async throws -> ExitStatus {
    let all = try SavedQueries.all(configuration: try? Workspace.configuration(arguments).path)
    switch try arguments.choice(formatFlag, OutputFormat.self) ?? .table {
    case .json: Output.standard.write(encodeJSON(all, pretty: true) + [0x0A])
    case .table:
      var table = TextTable(columns: [("name", .left), ("parameters", .left), ("what it tells", .left)])
      for query in all {
        let parameters = query.parameters.map { $0.name + ($0.value.map { "=\($0)" } ?? "") }
        table.rows.append([
          query.name, printable(parameters.joined(separator: ", ")),
          printable(query.description.isEmpty ? query.title : query.description),
        ])
      }
      Output.standard.write(table.rendered(width: Terminal.width(.standard)))
    }
    return .done
  }
}
