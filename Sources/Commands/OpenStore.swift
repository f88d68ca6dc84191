import CommandLine
import Configuration
import DuckDB
import Files
import HTTP
import Iceberg
import ObjectStorage
import Processes
import Support

/// Which store it is, as a configuration or a command line says it.
struct StoreDescription: Sendable, Equatable {
  var url: String
  var endpoint: String?
  var region: String?
  var style: String?
  /// By kind of object.
  var classes: [String: String] = [:]

  var isFolder: Bool { url.hasPrefix("file://") }

  init(_ configuration: Configuration) {
    url = configuration.storeURL
    endpoint = configuration.storeEndpoint
    region = configuration.storeRegion
    style = configuration.storeStyle?.rawValue
    classes = configuration.storageClasses
  }

  init(_ arguments: ParsedArguments) throws {
    guard let url = arguments.value(StoreFlags.store) else {
      throw UsageError("--store is missing.", command: arguments.definition.name)
    }
    self.url = url
    endpoint = arguments.value(StoreFlags.endpoint)
    region = arguments.value(StoreFlags.region)
    style = try arguments.choice(StoreFlags.style, S3Location.Style.self)?.rawValue
    for pair in arguments.all(StoreFlags.storageClass) {
      let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2, S3Store.Kind(rawValue: parts[0]) != nil else {
        throw UsageError(
          "--store-class is KIND=CLASS, such as raw=GLACIER_IR.", command: arguments.definition.name)
      }
      classes[parts[0]] = parts[1]
    }
  }

  /// The flags that say it.
  var arguments: [String] {
    var words = ["--store", url]
    if let endpoint { words += ["--store-endpoint", endpoint] }
    if let region { words += ["--store-region", region] }
    if let style { words += ["--store-style", style] }
    for (kind, name) in classes.sorted(by: { $0.key < $1.key }) {
      words += ["--store-class", "\(kind)=\(name)"]
    }
    return words
  }

  /// - Parameter credentials: a file of access keys that comes before the user's own.
  func open(credentials: String? = nil) throws(Failure) -> any ObjectStore {
    if isFolder { return try DirectoryStore(root: String(url.dropFirst(7))) }
    return try openS3(credentials: credentials)
  }

  /// The same for the control machine, which has to know what the server does with conditions.
  func openForControl() async throws(Failure) -> any ObjectStore {
    if isFolder { return try open() }
    var store = try openS3()
    store.settings.isConditional = try await store.honoursConditions()
    return store
  }

  func openS3(credentials: String? = nil) throws(Failure) -> S3Store {
    let location = try S3Location(
      url: url, endpoint: endpoint ?? environmentValue("AWS_ENDPOINT_URL_S3"),
      region: region ?? environmentValue("AWS_REGION") ?? environmentValue("AWS_DEFAULT_REGION"),
      style: style.flatMap(S3Location.Style.init))
    let http = try HTTPClient(.from { environmentValue($0) })
    let surroundings = KeySurroundings(
      environment: { environmentValue($0) }, http: http, region: location.region, file: credentials)
    var settings = S3Store.Settings()
    for (kind, name) in classes {
      if let kind = S3Store.Kind(rawValue: kind) { settings.storageClasses[kind] = name }
    }
    let places = location.vendor == .google ? surroundings.googleProviders : surroundings.providers
    return S3Store(location, http: http, keys: KeySource(places), settings: settings)
  }
}

/// The catalog that the configuration names.
func openCatalog(_ configuration: Configuration, _ store: any ObjectStore) throws(Failure) -> any Catalog {
  let (namespace, name) = (configuration.table[0], configuration.table[1])
  guard configuration.catalog == .rest, let uri = configuration.catalogURI else {
    if let store = store as? S3Store, store.settings.isConditional != true {
      throw Failure(
        "catalog.unsafe",
        "The S3 server \(store.location.endpoint) does not honour 'If-None-Match: *': two writers of a table in a directory catalog could not see each other.",
        remedy: "Use a catalog of type rest with this server, or a server that honours it.")
    }
    return DirectoryCatalog(store: store, namespace: namespace, name: name)
  }
  let http = try HTTPClient(.from { environmentValue($0) })
  let connection = RESTConnection(
    uri: uri, warehouse: configuration.catalogWarehouse, http: http,
    login: try catalogLogin(configuration, http))
  guard let store = store as? S3Store else {
    return RESTCatalog(connection, namespace: namespace, name: name)
  }
  // The table lies where the catalog has put it, which may be elsewhere than what the runs keep, and need other keys.
  return RESTCatalog(connection, namespace: namespace, name: name) { access, catalog throws(Failure) in
    for root in access.roots where root.hasPrefix("s3://") || root.hasPrefix("s3a://") {
      guard let vended = access.keys(for: root) else {
        try store.reach(root)
        continue
      }
      // An endpoint in the configuration is the way from here; the catalog may know the server by another name.
      try store.reach(
        root, keys: catalog.keys(vended, for: root),
        endpoint: configuration.storeEndpoint ?? vended.endpoint, region: vended.region)
    }
  }
}

/// Lets DuckDB read the store, as far as it has to: tables and data files, by SQL of ours.
func reading(_ store: any ObjectStore, _ duckdb: DuckDB) -> DuckDB {
  guard let store = store as? S3Store else { return duckdb }
  var duckdb = duckdb
  duckdb.access = { () throws(Failure) in
    // DuckDB signs by this machine's clock, and would be refused in words that speak of the keys. (S3BadInputTests.anHourOff)
    if store.isClockOff {
      throw Failure(
        "store.clock",
        "The S3 server \(store.location.endpoint) has another time than this machine, and DuckDB can't read there. (It was to read the table.)",
        remedy: "Set this machine's clock.")
    }
    var statements: [SQL] = ["LOAD httpfs"]
    var secrets: [String] = []
    for (number, (location, keys)) in try await store.access().enumerated() {
      let options = secret(location, keys).joined(separator: ", ")
      statements.append("CREATE SECRET \(name: "gadwall_\(number)") (\(options))")
      secrets += [keys.secret, keys.sessionToken ?? "", keys.bearer ?? ""]
    }
    if store.location.scheme == "https" { statements.append("SET enable_server_cert_verification = true") }
    if let file = HTTPClient.Settings.from({ environmentValue($0) }).certificates {
      statements.append("SET ca_cert_file = \(file)")
    }
    return DuckDB.Access(statements, secrets: secrets)
  }
  return duckdb
}

/// DuckDB takes, of several secrets, the one with the longest scope that a URL begins with.
private func secret(_ location: S3Location, _ keys: AccessKeys) -> [SQL] {
  var options: [SQL] = [
    "REGION \(location.region)", "ENDPOINT \(location.host + location.basePath)",
    "URL_STYLE \(location.style == .path ? "path" : "vhost")",
    "SCOPE \([location.url, "s3a" + location.url.dropFirst(2)])",
    location.scheme == "https" ? "USE_SSL true" : "USE_SSL false",
  ]
  if let token = keys.bearer { return options + ["TYPE gcs", "BEARER_TOKEN \(token)"] }
  options += ["TYPE s3", "KEY_ID \(keys.id)", "SECRET \(keys.secret)"]
  if let token = keys.sessionToken { options.append("SESSION_TOKEN \(token)") }
  return options
}

private func catalogLogin(_ configuration: Configuration, _ http: HTTPClient) throws(Failure) -> CatalogLogin
{
  if let signing = configuration.catalogSigning {
    let region =
      configuration.storeRegion ?? environmentValue("AWS_REGION") ?? environmentValue("AWS_DEFAULT_REGION")
      ?? "us-east-1"
    let surroundings = KeySurroundings(environment: { environmentValue($0) }, http: http, region: region)
    return CatalogLogin(
      .signature(KeySource(surroundings.providers), service: signing.rawValue, region: region))
  }
  if let token = environmentValue("GADWALL_CATALOG_TOKEN"), !token.isEmpty {
    return CatalogLogin(.token(token))
  }
  guard let credential = environmentValue("GADWALL_CATALOG_CREDENTIAL"), !credential.isEmpty else {
    return CatalogLogin(.none)
  }
  let parts = credential.split(separator: ":", maxSplits: 1).map(String.init)
  guard parts.count == 2 else {
    throw Failure("catalog.login", "GADWALL_CATALOG_CREDENTIAL is not ID:SECRET.")
  }
  return CatalogLogin(
    .client(
      id: parts[0], secret: parts[1], scope: configuration.catalogScope,
      tokenURI: configuration.catalogTokenURI))
}

/// Flags of a node's commands that say which store it is.
enum StoreFlags {
  static let store = Flag(
    "store", value: "URL", "The object store: file:///srv/archive or s3://bucket/prefix.")
  static let endpoint = Flag("store-endpoint", value: "URL", "The S3 server, where it is not AWS's own.")
  static let region = Flag(
    "store-region", value: "NAME", "The bucket's region; else $AWS_REGION, else us-east-1.")
  static let style = Flag("store-style", value: "path|virtual", "How a bucket is named in URLs.")
  static let storageClass = Flag(
    "store-class", value: "KIND=CLASS", repeatable: true,
    "S3's storage class for raw, alerts, runs or warehouse; repeatable.")
  static let all = [store, endpoint, region, style, storageClass]
}

/// What a node's command needs of this process's environment to reach the store: certificates, proxies, and where access keys are.
func storeEnvironment() -> [String: String] {
  let names = [
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_STS",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "GCE_METADATA_HOST", "AWS_EC2_METADATA_DISABLED", "AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "SSL_CERT_FILE",
    "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY", "HOME",
  ]
  var values: [String: String] = [:]
  for name in names { values[name] = environmentValue(name) }
  return values
}
