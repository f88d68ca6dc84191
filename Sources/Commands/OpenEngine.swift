import Configuration
import DuckDB
import Files
import Fleet
import HTTP
import Logs
import Processes
import Support

/// The engine that the configuration names.
func openEngine(_ configuration: Configuration, _ duckdb: DuckDB) throws(Failure) -> any Engine {
  switch configuration.engine {
  case .local: try localEngine(configuration, duckdb)
  case .bacalhau: try bacalhauEngine(configuration)
  }
}

func bacalhauEngine(_ configuration: Configuration) throws(Failure) -> BacalhauEngine {
  let said = configuration.bacalhau
  var http = HTTPClient.Settings.from { environmentValue($0) }
  if let authority = said.authority { http.certificates = authority }
  let settings = BacalhauSettings(
    image: said.image,
    mounts: said.mounts.map(BacalhauSettings.Mount.init), network: BacalhauSettings.Network(said.network),
    cpu: said.cpu,
    memory: said.memory)
  return BacalhauEngine(
    api: said.api, login: try bacalhauLogin(said), http: try HTTPClient(http), settings: settings,
    storeArguments: StoreDescription(configuration).arguments)
}

/// As Bacalhau's own command line is told: from the environment, or from a file with the key.
private func bacalhauLogin(_ said: Configuration.Bacalhau) throws(Failure) -> BacalhauLogin {
  func value(_ name: String) -> String? { environmentValue(name).flatMap { $0.isEmpty ? nil : $0 } }
  if let path = said.keyFile {
    let bytes: [UInt8]
    do throws(SystemError) { bytes = try readFile(path, limit: .kibibytes(4)) } catch {
      throw error.failure("bacalhau.login", "The file \(path) ('bacalhau.keyFile') can't be read.")
    }
    let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
    guard words.count == 1 else {
      throw Failure(
        "bacalhau.login", "The file \(path) ('bacalhau.keyFile') does not hold one key and nothing else.")
    }
    return .key(String(words[0]))
  }
  if let key = value("BACALHAU_API_KEY") { return .key(key) }
  guard let name = value("BACALHAU_API_USERNAME") else { return .none }
  guard let password = value("BACALHAU_API_PASSWORD") else {
    throw Failure("bacalhau.login", "BACALHAU_API_USERNAME is set, and BACALHAU_API_PASSWORD is not.")
  }
  return .user(name, password: password)
}

private func localEngine(_ configuration: Configuration, _ duckdb: DuckDB) throws(Failure)
  -> LocalEngine
{
  var nodes: [LocalNode] = []
  for item in configuration.nodes {
    let node = Node(region: item.region, zone: item.zone, name: item.name)
    do throws(Failure) {
      try node.validate()
    } catch {
      throw Failure(
        error.code, "\(configuration.path), \(item.mark): \(error.sentence)", remedy: error.remedy)
    }
    nodes.append(LocalNode(node: node, root: item.root))
  }
  var environment = plainEnvironment()
  environment["GADWALL_DUCKDB"] = duckdb.executable
  if let stop = environmentValue("GADWALL_STOP_AT") { environment["GADWALL_STOP_AT"] = stop }
  let store = StoreDescription(configuration)
  if !store.isFolder { environment.merge(storeEnvironment()) { first, _ in first } }
  return LocalEngine(
    nodes: nodes, executable: executablePath(), storeArguments: store.arguments, environment: environment,
    width: nodesAtOnce)
}

/// Each may take half a gibibyte and more, all on this machine.
private var nodesAtOnce: Int { Int(max(1, min(8, machineMemory().bytes >> 29))) }

extension BacalhauSettings.Mount {
  init(_ said: Configuration.Bacalhau.Mount) { self.init(path: said.path, isWritable: said.isWritable) }
}

extension BacalhauSettings.Network {
  init(_ said: Configuration.Bacalhau.Network) {
    self =
      switch said {
      case .host: .host
      case .bridge: .bridge
      case .none: .none
      }
  }
}
