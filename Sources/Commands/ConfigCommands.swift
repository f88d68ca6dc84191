import CommandLine
import Configuration
import DuckDB
import Files
import Fleet
import Harvest
import Iceberg
import Logs
import ObjectStorage
import Support

/// `gadwall config show`
enum ConfigShowCommand: Command {
  static let definition = CommandDefinition(
    ["config", "show"],
    summary: "Print the configuration as it is understood, with the source of each value.",
    flags: [formatFlag],
    examples: [("gadwall config show --config gadwall.yaml", "Where does each value come from?")])

  static func run(_ arguments: ParsedArguments) async throws -> ExitStatus {
    let configuration = try Workspace.configuration(arguments)
    switch try arguments.choice(formatFlag, OutputFormat.self) ?? .table {
    case .table:
      var table = TextTable(columns: [("key", .left), ("value", .left), ("from", .left)])
      table.rows = configuration.sources.map { [$0.key, printable($0.value), $0.source.description] }
      for node in configuration.nodes {
        table.rows.append([
          "  node", "\(node.region)/\(node.zone)/\(node.name) at \(printable(node.root))",
          "line \(node.mark.line)",
        ])
      }
      Output.standard.write("\(configuration.path)\n\n" + table.rendered(width: Terminal.width(.standard)))
    case .json:
      let nodes = configuration.nodes.map { node -> JSONValue in
        [
          "region": .string(node.region), "zone": .string(node.zone), "name": .string(node.name),
          "root": .string(node.root),
        ]
      }
      let values = configuration.sources.map { item -> JSONValue in
        ["key": .string(item.key), "value": .string(item.value), "from": .string(item.source.description)]
      }
      let document: JSONValue = [
        "file": .string(configuration.path), "values": .array(values), "nodes": .array(nodes),
      ]
      Output.standard.write(encodeJSON(document, pretty: true) + [0x0A])
    }
    return .done
  }
}

/// `gadwall config check`
enum ConfigCheckCommand: Command {
  static let definition = CommandDefinition(
    ["config", "check"], summary: "Read everything that the configuration names, and say what is missing.",
    examples: [("gadwall config check --config gadwall.yaml", "Is all there that a harvest needs?")])

  static func run(_ arguments: ParsedArguments) async throws -> ExitStatus {
    let configuration = try Workspace.configuration(arguments)
    Output.standard.line("✔ \(configuration.path)")
    var isWhole = true
    func report(_ what: String, _ failure: Failure?) {
      guard let failure else { return Output.standard.line("✔ \(what)") }
      isWhole = false
      Output.standard.line("✘ \(failure.description)")
    }
    var duckdb: DuckDB?
    do {
      let found = try await DuckDB.find(configured: configuration.duckdbPath)
      duckdb = found
      report("DuckDB \(DuckDB.version) at \(found.executable)", nil)
    } catch { report("", error) }
    if let duckdb {
      do {
        _ = try await duckdb.checkUrgent(configuration.urgentWhere)
        report("urgent.where is a condition over the table's columns", nil)
      } catch { report("", error) }
      for name in ["avro", "iceberg"] {
        do {
          try await duckdb.run([], DuckDB.Settings(load: [name]))
          report("the extension \(name)", nil)
        } catch {
          report(
            "",
            Failure(
              "duckdb.extension", "DuckDB can't load its extension \(name) from \(duckdb.extensions).",
              remedy: "Install DuckDB's extensions beside it.", words: error.words))
        }
      }
    }
    do {
      let store = try await StoreDescription(configuration).openForControl()
      report("the store \(store.url) can be written to", nil)
      if let store = store as? S3Store {
        report(
          store.settings.isConditional == true
            ? "the S3 server \(store.location.endpoint) honours If-None-Match"
            : "the S3 server \(store.location.endpoint) overwrites in spite of If-None-Match: unique names carry the promises",
          nil)
      }
      let catalog = try openCatalog(configuration, store)
      if let table = try await catalog.load() {
        try table.checkOurs(name: catalog.table)
        report("the table \(catalog.table) at \(table.location)", nil)
      } else {
        report("the table \(catalog.table) does not exist yet; the first harvest makes it", nil)
      }
    } catch { report("", error) }
    switch configuration.engine {
    case .local: checkNodes(configuration, report)
    case .bacalhau: await checkBacalhau(configuration, report)
    }
    return isWhole ? .done : .failed
  }

  private static func checkBacalhau(
    _ configuration: Configuration, _ report: (String, Failure?) -> Void
  ) async {
    do {
      let engine = try bacalhauEngine(configuration)
      let nodes = try await engine.nodes(matching: NodeSelection())
      report("Bacalhau's orchestrator at \(configuration.bacalhau.api)", nil)
      if nodes.isEmpty {
        report("", Failure("fleet.empty", "It has no node of ours.", remedy: engine.whereNodesAre))
      }
      for node in nodes { report("the node \(node)", nil) }
    } catch { report("", error) }
  }

  private static func checkNodes(_ configuration: Configuration, _ report: (String, Failure?) -> Void) {
    if configuration.nodes.isEmpty {
      report(
        "",
        Failure("fleet.empty", "The configuration lists no node.", remedy: "Add some under 'local.nodes'."))
    }
    for item in configuration.nodes {
      let node = Node(region: item.region, zone: item.zone, name: item.name)
      do throws(Failure) {
        try node.validate()
        guard (try? FileInfo(path: item.root))?.kind == .directory else {
          throw Failure("node.root", "The root \(item.root) of the node \(node) is no folder.")
        }
        report("the node \(node) at \(item.root)", nil)
      } catch { report("", error) }
    }
  }
}
