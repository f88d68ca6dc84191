import CommandLine
import Configuration
import DuckDB
import Files
import Fleet
import Harvest
import Iceberg
import Logs
import ObjectStorage
import Processes
import Support
import Synchronization

/// What the configuration names, opened.
struct Workspace {
  let configuration: Configuration
  let store: any ObjectStore
  let duckdb: DuckDB
  let catalog: any Catalog
  let engine: any Engine
  /// A folder for files on their way, gone when the program ends well.
  let scratch: String

  /// The configuration that the command line, the environment or the usual places name.
  static func configuration(_ arguments: ParsedArguments) throws -> Configuration {
    if let named = arguments.value(SharedFlags.config) ?? environmentValue("GADWALL_CONFIG") {
      return try Configuration.read(named)
    }
    for place in ["gadwall.yaml", "/etc/gadwall/gadwall.yaml"] where exists(resolvedPath(place)) {
      return try Configuration.read(place)
    }
    throw Failure(
      "config.missing", "There is no configuration: neither ./gadwall.yaml nor /etc/gadwall/gadwall.yaml.",
      remedy: "Name one with --config, or try 'gadwall demo --directory DIR', which makes one.")
  }

  static func read(_ path: String) throws(Failure) -> Configuration { try Configuration.read(path) }

  /// - Parameter isQuick: that a DuckDB of the wrong version may be found out by its first use.
  static func open(_ arguments: ParsedArguments, isQuick: Bool = false) async throws -> Workspace {
    try await open(try configuration(arguments), isQuick: isQuick)
  }

  static func open(_ configuration: Configuration, isQuick: Bool = false) async throws -> Workspace {
    let duckdb =
      isQuick
      ? try DuckDB.locate(configured: configuration.duckdbPath)
      : try await DuckDB.find(configured: configuration.duckdbPath)
    let store = try await StoreDescription(configuration).openForControl()
    let catalog = try openCatalog(configuration, store)
    let temporary = environmentValue("TMPDIR") ?? "/tmp"
    ScratchFolder.removeAbandoned(in: temporary, prefix: "gadwall-")
    let scratch: String
    do {
      let folder = try ScratchFolder(in: temporary, prefix: "gadwall-")
      scratch = folder.path
      folder.keepUntilExit()
    } catch {
      throw error.failure(
        "scratch.unwritable", "A scratch folder in \(temporary) can't be made.",
        remedy: "Set TMPDIR to one that can.")
    }
    temporaryFolders.withLock { $0.append(scratch) }
    return Workspace(
      configuration: configuration, store: store, duckdb: reading(store, duckdb), catalog: catalog,
      engine: try openEngine(configuration, duckdb), scratch: scratch)
  }

  /// Runs the body and removes the scratch folder afterwards.
  func closing<Result>(_ body: (Workspace) async throws -> Result) async throws -> Result {
    defer { try? removeTree(scratch) }
    do {
      let result = try await body(self)
      await engine.settled()
      return result
    } catch {
      await engine.settled()
      throw error
    }
  }

  /// Nodes that `--region`, `--zone` and `--node` choose.
  static func selection(_ arguments: ParsedArguments) -> NodeSelection {
    NodeSelection(
      regions: arguments.all(SelectionFlags.region), zones: arguments.all(SelectionFlags.zone),
      names: arguments.all(SelectionFlags.node))
  }

  /// A harvest with all that this has.
  func harvest(tell: @escaping @Sendable (HarvestEvent) -> Void = { _ in }) -> Harvest {
    Harvest(engine: engine, store: store, catalog: catalog, duckdb: duckdb, scratch: scratch, tell: tell)
  }

  func harvestRequest(_ selection: NodeSelection) -> HarvestRequest {
    HarvestRequest(
      selection: selection,
      logs: TaskDocument.Logs(
        live: configuration.live, rotated: configuration.rotated, settle: configuration.settleSeconds),
      urgent: TaskDocument.Urgent(condition: configuration.urgentWhere, show: configuration.urgentShow),
      keep: configuration.keepSeconds)
  }
}

/// Flags that choose part of the fleet.
enum SelectionFlags {
  static let region = Flag(
    "region", value: "PATTERN", repeatable: true, "Only nodes whose region matches (* and ?); repeatable.")
  static let zone = Flag(
    "zone", value: "PATTERN", repeatable: true, "Only nodes whose zone matches; repeatable.")
  static let node = Flag(
    "node", value: "PATTERN", repeatable: true, "Only nodes whose name matches; repeatable.")
  static let all = [region, zone, node]
}

/// How results are printed.
enum OutputFormat: String, CaseIterable { case table, json }

let formatFlag = Flag(
  "format", value: "table|json", "table (the default) for people, json for one document with all of it.")
