import HTTP
public import ObjectStorage
public import Support

/// A catalog that speaks Iceberg's REST protocol (apache/iceberg, open-api/rest-catalog-open-api.yaml).
public struct RESTCatalog: Catalog {
  public let table: String
  let connection: RESTConnection
  let namespace: String
  let name: String
  /// The table that the server has promised and that nobody sees yet: asked for once, and committed as it was promised.
  private let staged = Shared<StagedTable?>(nil)
  /// Is told where the table is each time that the catalog says so, before anything of it is read.
  private let onAccess: @Sendable (TableAccess, RESTCatalog) throws(Failure) -> Void

  public init(
    _ connection: RESTConnection, namespace: String, name: String,
    onAccess: @escaping @Sendable (TableAccess, RESTCatalog) throws(Failure) -> Void = { _, _ in }
  ) {
    self.connection = connection
    self.namespace = namespace
    self.name = name
    self.onAccess = onAccess
    table = "\(namespace).\(name)"
  }

  public func metadataURL(of table: LoadedTable) -> String { table.metadataLocation ?? "" }

  /// The server keeps what other readers go by.
  public func settle(_ table: LoadedTable) async throws(Failure) {}

  /// Which credentials we would take: without this header one server signs nothing itself, with it none sends keys that we did not ask for.
  private var delegation: [(name: String, value: String)] {
    [("X-Iceberg-Access-Delegation", "vended-credentials")]
  }

  public func load() async throws(Failure) -> LoadedTable? {
    guard let (response, operation) = try await answer() else { return nil }
    return try loaded(response, operation)
  }

  /// What the catalog gives for the table's files, if there is a table.
  func access() async throws(Failure) -> TableAccess? {
    guard let (response, operation) = try await answer() else { return nil }
    let (table, json) = try read(response, operation)
    return tableAccess(json, table)
  }

  /// Keys that the catalog lends, and lends again when they expire.
  public func keys(_ vended: VendedKeys, for root: String) -> KeySource {
    KeySource(vended.keys, then: VendingCatalog(catalog: self, root: root), clock: connection.clock)
  }

  private func answer() async throws(Failure) -> (HTTPResponse, operation: String)? {
    let operation = "load the table \(table)"
    let response = try await connection.ask(
      .get, try await connection.url("namespaces", namespace, "tables", name), query: [("snapshots", "all")],
      headers: delegation, accepting: [404], operation: operation)
    guard response.status == 404 else { return (response, operation) }
    // A page of HTML speaks of no table, and what is not there is made, or mended. (S3BadInputTests.noCatalogAtAll)
    guard response.body.first != UInt8(ascii: "<") else { throw connection.isNone(response, operation) }
    return nil
  }

  private func loaded(_ response: HTTPResponse, _ operation: String) throws(Failure) -> LoadedTable {
    let (table, json) = try read(response, operation)
    try onAccess(tableAccess(json, table), self)
    return table
  }

  private func read(_ response: HTTPResponse, _ operation: String) throws(Failure) -> (LoadedTable, JSONValue)
  {
    let json = try connection.parsed(response, operation)
    guard let metadata = json["metadata"], metadata["format-version"] != nil else {
      throw Failure(
        "catalog.answer", "The catalog \(connection.uri) gave no metadata. (It was to \(operation).)",
        remedy: "Check 'catalog.uri'.", words: connection.error(response).words)
    }
    var table = LoadedTable(metadata: metadata, version: 0)
    table.metadataLocation = json["metadata-location"]?.string
    return (table, json)
  }

  // MARK: a table that is not there yet

  public func newLocation() async throws(Failure) -> String {
    if let staged = try await currentStaged() { return staged.location }
    // Somebody has made it since it was looked for.
    if let table = try await load() { return table.location }
    throw Failure(
      "catalog.answer",
      "The catalog \(connection.uri) says that the table \(table) is there, and does not give it.",
      remedy: "Somebody makes or drops it at this moment; run it again.")
  }

  /// What the server has promised; nil when there is a table by now.
  private func currentStaged() async throws(Failure) -> StagedTable? {
    if let there = staged.value { return there }
    let table = try await stage()
    staged.set(table)
    return table
  }

  /// Asks the server for the table without creating it: its place is the server's to choose. Nil when there is one.
  private func stage() async throws(Failure) -> StagedTable? {
    let operation = "prepare the table \(table)"
    let body: JSONValue = [
      "name": .string(name), "schema": schemaJSON(), "partition-spec": partitionSpecJSON(),
      "write-order": ["order-id": 0, "fields": []],
      "properties": .object(newTableProperties.mapValues { .string($0) }),
      "stage-create": true,
    ]
    let url = try await connection.url("namespaces", namespace, "tables")
    var response = try await tell(url, body, operation)
    if response.status == 404 {
      try await createNamespace()
      response = try await tell(url, body, operation)
    }
    if response.status == 409 { return nil }
    guard response.isSuccess else { throw connection.error(response).failure(operation, at: connection.uri) }
    let metadata = try loaded(response, operation).metadata
    guard let location = metadata["location"]?.string, !location.isEmpty,
      let uuid = metadata["table-uuid"]?.string
    else {
      throw Failure("catalog.answer", "The catalog \(connection.uri) gave no place for the table \(table).")
    }
    return StagedTable(metadata: metadata, location: trimSlash(location), uuid: uuid)
  }

  private func createNamespace() async throws(Failure) {
    let operation = "make the namespace \(namespace)"
    let body: JSONValue = ["namespace": [.string(namespace)], "properties": [:]]
    let response = try await tell(try await connection.url("namespaces"), body, operation)
    guard response.isSuccess || response.status == 409 else {
      throw connection.error(response).failure(operation, at: connection.uri)
    }
  }

  private func tell(_ url: String, _ body: JSONValue, _ operation: String) async throws(Failure)
    -> HTTPResponse
  {
    try await connection.repeated(.post, url, headers: delegation, body: body, operation: operation)
  }

  // MARK: commit

  public func commit(_ change: TableChange, on base: LoadedTable?) async throws(Failure) -> CommitAnswer {
    guard let (requirements, updates) = try await request(change, on: base) else {
      return .conflict(words: "the table was made by somebody else")
    }
    let body: JSONValue = ["requirements": .array(requirements), "updates": .array(updates)]
    let url = try await connection.url("namespaces", namespace, "tables", name)
    let operation = "commit to the table \(table)"
    stepPoint("rest.before-commit")
    var attempt = 0
    while true {
      attempt += 1
      let response: HTTPResponse
      switch await connection.send(.post, url, headers: delegation, body: body) {
      case .success(let answer): response = answer
      case .failure(.known(let failure)): throw failure
      case .failure(.lost(let failure)):
        if failure.kind == .cancelled { throw failure.failure(operation, at: connection.uri) }
        return .unknown(words: failure.words)
      }
      stepPoint("rest.committed")
      switch response.status {
      case 200..<300:
        staged.set(nil)
        // What the server made of it, or, where it does not say, what is there now.
        if let table = try? loaded(response, operation) { return .committed(table) }
        do throws(Failure) {
          guard let table = try await load() else { return .unknown(words: "the table is gone") }
          return .committed(table)
        } catch {
          // It was made: to fail here would say that it was not.
          return .unknown(words: error.description)
        }
      case 409:
        staged.set(nil)
        return .conflict(words: connection.error(response).words)
      case 429:
        // Not even looked at.
        guard attempt < 5 else { return .unknown(words: connection.error(response).words) }
        await connection.pause(attempt, response.headers["retry-after"].flatMap(Double.init))
      case 500...: return .unknown(words: connection.error(response).words)
      case 404 where base != nil:
        throw Failure(
          "table.unreadable", "The table \(table) is gone from the catalog \(connection.uri).",
          remedy: "Nothing was deleted on any node.", words: connection.error(response).words)
      default: throw connection.error(response).failure(operation, at: connection.uri)
      }
    }
  }

  /// What has to hold, and what is to be done. The first append creates the table: not every server checks that a table has no snapshot yet.
  private func request(
    _ change: TableChange, on base: LoadedTable?
  ) async throws(Failure) -> (requirements: [JSONValue], updates: [JSONValue])? {
    var requirements: [JSONValue]
    var updates: [JSONValue] = []
    if let base {
      requirements = [
        ["type": "assert-table-uuid", "uuid": .string(base.uuid)],
        [
          "type": "assert-ref-snapshot-id", "ref": "main",
          "snapshot-id": base.currentSnapshotID.map { .integer($0) } ?? .null,
        ],
      ]
    } else {
      guard let staged = try await currentStaged() else { return nil }
      requirements = [["type": "assert-create"]]
      updates = staged.creation
    }
    updates += [
      ["action": "add-snapshot", "snapshot": change.snapshot],
      [
        "action": "set-snapshot-ref", "ref-name": "main", "type": "branch",
        "snapshot-id": .integer(change.snapshotID),
      ],
    ]
    if !change.setProperties.isEmpty {
      updates.append([
        "action": "set-properties", "updates": .object(change.setProperties.mapValues { .string($0) }),
      ])
    }
    // One that is not there is an error to some servers.
    let removals = change.removeProperties.filter { base?.property($0) != nil }
    if !removals.isEmpty {
      updates.append(["action": "remove-properties", "removals": .array(removals.map { .string($0) })])
    }
    return (requirements, updates)
  }
}

/// A table as a server has promised it.
struct StagedTable: Sendable {
  var metadata: JSONValue
  var location: String
  var uuid: String

  /// The updates that make it, with the ids that the server has given.
  var creation: [JSONValue] {
    let schemaID = metadata["current-schema-id"]?.integer ?? 0
    let schema = metadata["schemas"]?.array?.first { $0["schema-id"]?.integer == schemaID } ?? schemaJSON()
    let spec = metadata["partition-specs"]?.array?.first ?? partitionSpecJSON()
    let lastColumn = metadata["last-column-id"] ?? .integer(Int64(tableColumns.count))
    var updates: [JSONValue] = [
      ["action": "assign-uuid", "uuid": .string(uuid)],
      ["action": "upgrade-format-version", "format-version": 2],
      ["action": "add-schema", "schema": schema, "last-column-id": lastColumn],
      ["action": "set-current-schema", "schema-id": -1], ["action": "add-spec", "spec": spec],
      ["action": "set-default-spec", "spec-id": -1],
      ["action": "add-sort-order", "sort-order": ["order-id": 0, "fields": []]],
      ["action": "set-default-sort-order", "sort-order-id": -1],
      ["action": "set-location", "location": metadata["location"] ?? .string(location)],
    ]
    let properties = metadata["properties"]?.object ?? [:]
    if !properties.isEmpty { updates.append(["action": "set-properties", "updates": .object(properties)]) }
    return updates
  }
}
