import Files
public import Support

extension Configuration {
  /// Reads and checks a configuration file. Relative paths in it are relative to the file.
  ///
  /// - Throws: `config.missing`, `config.syntax`, `config.key` (unknown, with line, column and the nearest key), `config.value`.
  public static func read(_ path: String) throws(Failure) -> Configuration {
    let whole = resolvedPath(path)
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try readFile(whole, limit: .mebibytes(1))
    } catch {
      throw error.failure(
        error.isMissing ? "config.missing" : "config.unreadable", "The configuration \(path) can't be read.",
        remedy: "Name another with --config, or write one: docs/config.md shows it whole.")
    }
    return try parse(bytes, path: path, whole: whole)
  }

  /// The same for a file's bytes. `path` is what errors call it, `whole` where it lies.
  static func parse(_ bytes: [UInt8], path: String, whole: String) throws(Failure) -> Configuration {
    var reader = Reader(path: path, folder: folderName(whole), result: Configuration(path: whole))
    try reader.read(try parseYAML(bytes, path: path))
    return reader.result
  }
}

/// One mapping's members, each taken at most once; what is left over is unknown.
struct Section {
  let name: String
  let members: [(key: String, mark: Mark, value: YAMLNode)]

  func path(_ key: String) -> String { name.isEmpty ? key : name + "." + key }
}

struct Reader {
  let path: String
  let folder: String
  var result: Configuration

  func wrong(_ code: FailureCode, _ mark: Mark, _ what: String, remedy: String = "") -> Failure {
    Failure(code, "\(path), \(mark): \(what)", remedy: remedy)
  }

  mutating func read(_ root: YAMLNode) throws(Failure) {
    let top = try section(
      root, "",
      keys: ["engine", "local", "bacalhau", "logs", "urgent", "store", "catalog", "table", "prune", "duckdb"])
    result.engine = try choice(top, "engine", standard: .local)
    try readNodes(top)

    let logs = try section(top, "logs", keys: ["live", "rotated", "settle"])
    result.live = try texts(logs, "live", standard: result.live)
    result.rotated = try texts(logs, "rotated", standard: result.rotated)
    result.settleSeconds = try duration(logs, "settle", standard: result.settleSeconds)

    let urgent = try section(top, "urgent", keys: ["where", "show"])
    result.urgentWhere = try text(urgent, "where") ?? result.urgentWhere
    note(urgent, "where", result.urgentWhere)
    result.urgentShow = try integer(urgent, "show", in: 0...10_000, standard: result.urgentShow)

    try readStore(top)
    try readBacalhau(top)

    try readCatalog(top)

    try readTable(top)
    let prune = try section(top, "prune", keys: ["keep"])
    result.keepSeconds = try duration(prune, "keep", standard: result.keepSeconds)
    let duckdb = try section(top, "duckdb", keys: ["path"])
    result.duckdbPath = try text(duckdb, "path").map { absolute($0) }
    note(duckdb, "path", result.duckdbPath ?? "searched for")
  }

  // MARK: parts that need more than a value

  private mutating func readNodes(_ top: Section) throws(Failure) {
    let local = try section(top, "local", keys: ["nodes"])
    guard let nodes = member(local, "nodes") else {
      note(local, "nodes", "none")
      return
    }
    guard case .sequence(let items, let mark) = nodes else {
      throw wrong(
        "config.value", nodes.mark, "local.nodes is a list of nodes, each on a line that begins with '-'.")
    }
    for item in items {
      let node = try section(item, "local.nodes", keys: ["region", "zone", "name", "root"])
      func required(_ key: String) throws(Failure) -> String {
        guard let value = try text(node, key) else {
          throw wrong(
            "config.value", item.mark, "this node has no \(key).",
            remedy: "A node has region, zone, name and root.")
        }
        return value
      }
      let read = Configuration.LocalNode(
        region: try required("region"), zone: try required("zone"), name: try required("name"),
        root: absolute(try required("root")), mark: item.mark)
      if let twin = result.nodes.first(where: {
        ($0.region, $0.zone, $0.name) == (read.region, read.zone, read.name)
      }) {
        throw wrong(
          "config.node-twice", item.mark,
          "the node \(read.region)/\(read.zone)/\(read.name) stands here a second time; the first is at \(twin.mark).",
          remedy: "Give each node its own region, zone and name: what is archived is told apart by them.")
      }
      if let twin = result.nodes.first(where: { $0.root == read.root }) {
        throw wrong(
          "config.node-twice", item.mark,
          "the root \(read.root) is that of the node \(twin.name) at \(twin.mark) already.",
          remedy: "Give each node a folder of its own: nodes never share state.")
      }
      result.nodes.append(read)
    }
    result.sources.append(("local.nodes", "\(items.count)", .file(mark)))
  }

  private mutating func readBacalhau(_ top: Section) throws(Failure) {
    let keys = ["api", "image", "mounts", "network", "cpu", "memory", "keyFile", "ca"]
    let section = try section(top, "bacalhau", keys: keys)
    guard result.engine == .bacalhau else { return }
    func check(_ key: String, _ isRight: Bool, _ what: String) throws(Failure) {
      guard !isRight else { return }
      throw wrong(
        "config.value", member(section, key)?.mark ?? Mark(line: 1, column: 1), "bacalhau.\(key) \(what).")
    }
    var read = Configuration.Bacalhau()
    if let api = try address(section, "api") { read.api = api }
    while read.api.hasSuffix("/") { read.api.removeLast() }
    note(section, "api", read.api)
    read.image = try text(section, "image") ?? ""
    try check(
      "image",
      !read.image.isEmpty && !read.image.hasPrefix("-")
        && read.image.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F },
      "names the image that the nodes run, such as registry.example/gadwall:0.1.0")
    note(section, "image", read.image)
    if let mounts = member(section, "mounts") { read.mounts = try self.mounts(mounts, "bacalhau.mounts") }
    note(
      section, "mounts",
      read.mounts.map { "\($0.path):\($0.isWritable ? "rw" : "ro")" }.joined(separator: ", "))
    try check(
      "mounts", read.mounts.contains { $0.isWritable && isBelow("/var/lib/gadwall", $0.path) },
      "lets nodes keep no state: /var/lib/gadwall:rw is missing")
    for (key, patterns) in [("live", result.live), ("rotated", result.rotated)] {
      for pattern in patterns where !read.mounts.contains(where: { isBelow("/\(pattern)", $0.path) }) {
        try check(
          "mounts", false,
          "gives the nodes' containers nothing of logs.\(key), /\(printable(pattern)): add the folder that holds it"
        )
      }
    }
    read.network = try choice(section, "network", standard: read.network)
    read.cpu = try text(section, "cpu") ?? read.cpu
    try check("cpu", (cpuCount(read.cpu) ?? 0) > 0, "is a number of processors such as 500m or 2")
    note(section, "cpu", read.cpu)
    read.memory = try text(section, "memory") ?? read.memory
    try check("memory", (memoryBytes(read.memory) ?? 0) > 0, "is a size such as 768MiB")
    note(section, "memory", read.memory)
    read.keyFile = try text(section, "keyFile").map { absolute($0) }
    note(section, "keyFile", read.keyFile ?? "none")
    read.authority = try text(section, "ca").map { absolute($0) }
    note(section, "ca", read.authority ?? "the system's")
    guard !result.storeURL.hasPrefix("file:") else {
      throw wrong(
        "config.value", member(top, "store")?.mark ?? Mark(line: 1, column: 1),
        "with the engine bacalhau the store is on S3: nodes and control machine have no folder in common.",
        remedy: "Set 'store: { url: \"s3://bucket/prefix\" }'.")
    }
    result.bacalhau = read
  }

  /// Folders as Bacalhau's nodes allow them to be mounted.
  func mounts(_ value: YAMLNode, _ name: String) throws(Failure) -> [Configuration.Bacalhau.Mount] {
    func bad(_ mark: Mark) -> Failure {
      wrong(
        "config.value", mark,
        "\(name) is a list of folders as the nodes allow them, such as [/var/logs:rw, /etc/gadwall:ro]."
      )
    }
    guard case .sequence(let items, _) = value else { throw bad(value.mark) }
    var mounts: [Configuration.Bacalhau.Mount] = []
    for item in items {
      guard case .scalar(let text, _, _) = item, text.hasPrefix("/"),
        text.hasSuffix(":rw") || text.hasSuffix(":ro")
      else { throw bad(item.mark) }
      let path = String(text.dropLast(3))
      let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst()
      guard !parts.isEmpty, parts.allSatisfy({ !$0.isEmpty && !$0.elementsEqual("..".utf8) }),
        !path.contains("*"),
        !mounts.contains(where: { $0.path == path })
      else { throw bad(item.mark) }
      mounts.append(Configuration.Bacalhau.Mount(path: path, isWritable: text.hasSuffix(":rw")))
    }
    return mounts
  }

  private mutating func readStore(_ top: Section) throws(Failure) {
    let store = try section(top, "store", keys: ["url", "endpoint", "region", "style", "storageClass"])
    guard let value = try text(store, "url") else {
      throw Failure(
        "config.value", "\(path) does not say where the archive is kept.",
        remedy: "Add 'store: { url: \"file:store\" }', for a folder beside the configuration.")
    }
    let mark = member(store, "url")?.mark ?? Mark(line: 1, column: 1)
    if value.hasPrefix("s3://") || value.hasPrefix("s3a://") {
      var url = value
      while url.hasSuffix("/") { url.removeLast() }
      result.storeURL = url
      note(store, "url", url)
      return try readS3(store)
    }
    guard value.hasPrefix("file:") else {
      throw wrong("config.value", mark, "store.url begins with 'file:' or 's3://'.")
    }
    for key in ["endpoint", "region", "style", "storageClass"] {
      guard let value = member(store, key) else { continue }
      throw wrong(
        "config.value", value.mark, "store.\(key) is for a store on S3, and store.url names a folder.")
    }
    var rest = String(value.dropFirst(5))
    if rest.hasPrefix("//") { rest = String(rest.dropFirst(2)) }
    guard !rest.isEmpty else { throw wrong("config.value", mark, "store.url names no folder.") }
    result.storeURL = "file://" + absolute(rest)
    note(store, "url", result.storeURL)
  }

  private mutating func readS3(_ store: Section) throws(Failure) {
    result.storeEndpoint = try text(store, "endpoint")
    if let endpoint = result.storeEndpoint, !endpoint.hasPrefix("https://"), !endpoint.hasPrefix("http://") {
      throw wrong(
        "config.value", member(store, "endpoint")?.mark ?? Mark(line: 1, column: 1),
        "store.endpoint begins with https:// or http://, not '\(printable(endpoint))'.")
    }
    note(store, "endpoint", result.storeEndpoint ?? "AWS's own")
    result.storeRegion = try text(store, "region")
    note(store, "region", result.storeRegion ?? "$AWS_REGION, else us-east-1")
    if member(store, "style") != nil {
      result.storeStyle = try choice(store, "style", standard: Configuration.StoreStyle.path)
    } else {
      note(store, "style", "by the endpoint")
    }
    let kinds = ["raw", "alerts", "runs", "warehouse"]
    let classes = try section(store, "storageClass", keys: kinds)
    for kind in kinds {
      guard let name = try text(classes, kind) else { continue }
      guard !name.isEmpty,
        name.utf8.allSatisfy({ (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F })
      else {
        throw wrong(
          "config.value", member(classes, kind)?.mark ?? Mark(line: 1, column: 1),
          "\(classes.path(kind)) is a storage class such as STANDARD_IA or GLACIER_IR.")
      }
      result.storageClasses[kind] = name
      note(classes, kind, name)
    }
  }

  private mutating func readCatalog(_ top: Section) throws(Failure) {
    let ofREST = ["uri", "warehouse", "scope", "tokenUri", "signing"]
    let catalog = try section(top, "catalog", keys: ["type"] + ofREST)
    result.catalog = try choice(catalog, "type", standard: .directory)
    guard result.catalog == .rest else {
      for key in ofREST {
        guard let value = member(catalog, key) else { continue }
        throw wrong("config.value", value.mark, "catalog.\(key) is for a catalog of type rest.")
      }
      return
    }
    guard let uri = try address(catalog, "uri") else {
      throw wrong(
        "config.value", member(top, "catalog")?.mark ?? Mark(line: 1, column: 1),
        "a catalog of type rest has an address.", remedy: "Add 'uri: https://…' to it.")
    }
    result.catalogURI = uri
    note(catalog, "uri", uri)
    result.catalogWarehouse = try text(catalog, "warehouse")
    note(catalog, "warehouse", result.catalogWarehouse ?? "the catalog's own")
    result.catalogScope = try text(catalog, "scope")
    result.catalogTokenURI = try address(catalog, "tokenUri")
    if member(catalog, "signing") != nil {
      result.catalogSigning = try choice(catalog, "signing", standard: Configuration.CatalogSigning.glue)
    }
  }

  private mutating func readTable(_ top: Section) throws(Failure) {
    let name = try text(top, "table") ?? result.table.joined(separator: ".")
    let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    let isProper = parts.allSatisfy { part in
      !part.isEmpty && part.utf8.count <= 128
        && part.unicodeScalars.allSatisfy {
          $0.isASCII && ($0.properties.isAlphabetic || $0 == "_" || $0 == "-" || ("0"..."9").contains($0))
        }
    }
    guard parts.count == 2, isProper else {
      throw wrong(
        "config.value", member(top, "table")?.mark ?? Mark(line: 1, column: 1),
        "table is a namespace and a name such as logs.events, of letters, digits, '_' and '-'.")
    }
    result.table = parts
    note(top, "table", name)
  }

  // MARK: values

  func member(_ section: Section, _ key: String) -> YAMLNode? {
    guard let found = section.members.first(where: { $0.key == key })?.value else { return nil }
    // `key:` with nothing behind it sets nothing.
    if case .scalar(let text, false, _) = found, text.isEmpty || text == "~" || text == "null" { return nil }
    return found
  }

  func section(_ parent: Section, _ key: String, keys: [String]) throws(Failure) -> Section {
    guard let value = member(parent, key) else { return Section(name: parent.path(key), members: []) }
    return try section(value, parent.path(key), keys: keys)
  }

  func section(_ node: YAMLNode, _ name: String, keys: [String]) throws(Failure) -> Section {
    guard case .mapping(let members, _) = node else {
      throw wrong(
        "config.value", node.mark,
        name.isEmpty
          ? "the configuration is a mapping of keys to values."
          : "\(name) is a mapping with \(keys.joined(separator: ", ")).")
    }
    for item in members where !keys.contains(item.key) {
      let near = nearest(to: item.key, among: keys)
      throw wrong(
        "config.key", item.mark,
        "there is no key '\(printable(item.key))'\(name.isEmpty ? "" : " in \(name)").",
        remedy: near.map { "Did you mean '\($0)'?" } ?? "Known here: \(keys.joined(separator: ", ")).")
    }
    return Section(name: name, members: members)
  }

  private mutating func note(_ section: Section, _ key: String, _ value: String) {
    let source = member(section, key).map { Configuration.Source.file($0.mark) } ?? .standard
    result.sources.append((section.path(key), value, source))
  }

  func text(_ section: Section, _ key: String) throws(Failure) -> String? {
    guard let value = member(section, key) else { return nil }
    guard case .scalar(let text, _, _) = value, !text.contains("\0") else {
      throw wrong("config.value", value.mark, "\(section.path(key)) is a text.")
    }
    return text
  }

  private func address(_ section: Section, _ key: String) throws(Failure) -> String? {
    guard let text = try text(section, key) else { return nil }
    guard text.hasPrefix("https://") || text.hasPrefix("http://"),
      text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else {
      throw wrong(
        "config.value", member(section, key)?.mark ?? Mark(line: 1, column: 1),
        "\(section.path(key)) begins with https:// or http://, not '\(printable(text))'.")
    }
    return text
  }

  private mutating func texts(_ section: Section, _ key: String, standard: [String]) throws(Failure)
    -> [String]
  {
    var values = standard
    if let value = member(section, key) {
      guard case .sequence(let items, _) = value else {
        throw wrong("config.value", value.mark, "\(section.path(key)) is a list such as [var/log/app/*.log].")
      }
      values = []
      for item in items {
        guard case .scalar(let text, _, _) = item, !text.isEmpty, !text.contains("\0") else {
          throw wrong("config.value", item.mark, "\(section.path(key)) holds paths with patterns.")
        }
        if text.utf8.split(separator: UInt8(ascii: "/")).contains(where: { $0.elementsEqual("..".utf8) }) {
          throw wrong(
            "config.value", item.mark,
            "\(section.path(key)) stays below the node's root: '..' is not allowed.")
        }
        values.append(text)
      }
    }
    note(section, key, values.joined(separator: ", "))
    return values
  }

  private mutating func integer(
    _ section: Section, _ key: String, in range: ClosedRange<Int>, standard: Int
  ) throws(Failure) -> Int {
    var number = standard
    if let text = try text(section, key) {
      guard let read = Int(text), range.contains(read) else {
        throw wrong(
          "config.value", member(section, key)!.mark,
          "\(section.path(key)) is a whole number from \(range.lowerBound) to \(range.upperBound), not '\(printable(text))'."
        )
      }
      number = read
    }
    note(section, key, "\(number)")
    return number
  }

  private mutating func duration(_ section: Section, _ key: String, standard: Double) throws(Failure)
    -> Double
  {
    var seconds = standard
    if let text = try text(section, key) {
      // In a file a number says what it counts.
      guard text.last?.isLetter == true, let read = parseDuration(text)
      else {
        throw wrong(
          "config.value", member(section, key)!.mark,
          "\(section.path(key)) is a duration such as 500ms, 60s, 5m, 1h or 2d, not '\(printable(text))'.")
      }
      seconds = read
    }
    note(section, key, "\(decimal(seconds, places: seconds == seconds.rounded() ? 0 : 3))s")
    return seconds
  }

  private mutating func choice<Choice: RawRepresentable & CaseIterable>(
    _ section: Section, _ key: String, standard: Choice
  ) throws(Failure) -> Choice where Choice.RawValue == String {
    var chosen = standard
    if let text = try text(section, key) {
      guard let read = Choice(rawValue: text) else {
        let known = Choice.allCases.map(\.rawValue)
        let near = nearest(to: text, among: known)
        throw wrong(
          "config.value", member(section, key)!.mark,
          "\(section.path(key)) is \(known.joined(separator: " or ")), not '\(printable(text))'.",
          remedy: near.map { "Did you mean '\($0)'?" } ?? "")
      }
      chosen = read
    }
    note(section, key, chosen.rawValue)
    return chosen
  }

  func absolute(_ path: String) -> String { resolvedPath(joined(folder, path)) }
}

/// Who a node is, as its `node.yaml` says.
public struct NodeFile: Sendable, Equatable {
  public var region: String
  public var zone: String
  public var name: String

  /// - Throws: as ``Configuration/read(_:)``.
  public static func read(_ path: String) throws(Failure) -> NodeFile {
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try readFile(path, limit: .kibibytes(64))
    } catch {
      throw error.failure("config.unreadable", "The node's file \(path) can't be read.")
    }
    return try parse(bytes, path: path)
  }

  static func parse(_ bytes: [UInt8], path: String) throws(Failure) -> NodeFile {
    let reader = Reader(path: path, folder: folderName(path), result: Configuration(path: path))
    return try reader.nodeFile(try parseYAML(bytes, path: path))
  }
}

extension Reader {
  fileprivate func nodeFile(_ root: YAMLNode) throws(Failure) -> NodeFile {
    let top = try section(root, "", keys: ["region", "zone", "name"])
    func required(_ key: String) throws(Failure) -> String {
      guard let value = try text(top, key) else {
        throw wrong(
          "config.value", root.mark, "\(key) is missing.", remedy: "The file has region, zone and name.")
      }
      return value
    }
    return NodeFile(region: try required("region"), zone: try required("zone"), name: try required("name"))
  }
}
