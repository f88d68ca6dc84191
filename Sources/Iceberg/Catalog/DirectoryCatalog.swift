public import ObjectStorage
public import Support
import Synchronization

/// The embedded catalog, Hadoop's layout: `metadata/vN.metadata.json` written once each by put-if-absent, and `version-hint.text`, which may lag
/// behind. Any number of writers of ours may use it at once; Java's own local commit is not made for that.
public struct DirectoryCatalog: Catalog {
  public let table: String
  let store: any ObjectStore
  /// The table's folder in the store, `warehouse/logs/events`.
  let folder: String

  private let newest = NewestMetadata()

  /// The newest metadata files that are kept.
  static let keptVersions = 100

  public init(store: any ObjectStore, namespace: String, name: String) {
    self.store = store
    table = "\(namespace).\(name)"
    folder = "warehouse/\(namespace)/\(name)"
  }

  public func newLocation() async throws(Failure) -> String { store.url(of: folder) }

  /// The hint: DuckDB and others go by it alone.
  public func settle(_ table: LoadedTable) async throws(Failure) {
    let text = Array(String(table.version).utf8)
    guard try await store.get(hintKey, limit: .kibibytes(1)) != text else { return }
    try await store.put(text, at: hintKey)
  }

  public func metadataURL(of table: LoadedTable) -> String { store.url(of: key(table.version)) }

  private func key(_ version: Int) -> String { "\(folder)/metadata/v\(version).metadata.json" }
  private var hintKey: String { "\(folder)/metadata/version-hint.text" }

  public func load() async throws(Failure) -> LoadedTable? {
    guard var version = try await startingVersion() else { return nil }
    while try await store.stat(key(version + 1)) != nil { version += 1 }
    for name in compressedNames where try await store.stat("\(folder)/metadata/v\(version + 1)\(name)") != nil
    {
      throw compressed("\(folder)/metadata/v\(version + 1)\(name)")
    }
    return try await read(version)
  }

  private func read(_ version: Int) async throws(Failure) -> LoadedTable {
    let object = try await store.stat(key(version))
    if let object, let table = newest.table(object) { return table }
    guard let bytes = try await store.get(key(version), limit: .mebibytes(512)) else {
      throw Failure(
        "table.unreadable", "The metadata file \(key(version)) of the table \(table) is gone.",
        remedy: "Run it again; if it stays so, bring the newest v*.metadata.json back from a backup.")
    }
    let metadata = try decodeJSON(
      JSONValue.self, from: bytes, code: "table.unreadable",
      document: "The metadata \(key(version)) of the table \(table)")
    let table = LoadedTable(metadata: metadata, version: version)
    if let object { newest.keep(table, object) }
    return table
  }

  /// A version that exists: the hint's, or, when the hint is missing, empty or old, the newest there is.
  private func startingVersion() async throws(Failure) -> Int? {
    if let hint = try await store.get(hintKey, limit: .kibibytes(1)) {
      let text = String(decoding: hint, as: UTF8.self).filter { !$0.isWhitespace }
      if let version = versionNumber(text), try await store.stat(key(version)) != nil { return version }
    }
    return try await versions().max()
  }

  private func versions() async throws(Failure) -> [Int] {
    let prefix = "\(folder)/metadata/v"
    var found: [Int] = []
    for object in try await store.list(prefix) {
      let rest = object.key.dropFirst(prefix.count)
      if rest.hasSuffix(".metadata.json"), let version = versionNumber(rest.dropLast(".metadata.json".count))
      {
        found.append(version)
      } else if compressedNames.contains(where: { rest.hasSuffix($0) }) {
        throw compressed(object.key)
      }
    }
    return found
  }

  private func compressed(_ key: String) -> Failure {
    Failure(
      "table.foreign", "The table \(table) has compressed metadata, \(key), which is not read here.",
      remedy: "Set its property write.metadata.compression-codec to none with the program that wrote it.")
  }

  public func commit(_ change: TableChange, on base: LoadedTable?) async throws(Failure) -> CommitAnswer {
    let version = (base?.version ?? 0) + 1
    let location = try await newLocation()
    let metadata = applied(
      change, to: base?.metadata, previous: base.map { store.url(of: key($0.version)) }, location: location,
      uuid: uuidText())
    let written: Bool
    do {
      written = try await store.putIfAbsent(metadata.encoded, at: key(version))
    } catch {
      // The put may have come through before it failed.
      return .unknown(words: error.description)
    }
    stepPoint("commit.metadata-written")
    guard written else { return .conflict(words: "\(key(version)) is there already") }
    // The name is free again once its version has been deleted: a committer that slept that long has written into the past.
    do {
      let newest = try await versions().max() ?? version
      if newest > version, try await read(newest).snapshot(change.snapshotID) == nil {
        try await store.delete(key(version))
        return .conflict(words: "\(key(version)) was there once, and \(key(newest)) is")
      }
    } catch {
      return .unknown(words: error.description)
    }
    // The hint only saves a look: that it could not be written, or that an older one overwrote it, does no harm.
    try? await store.put(Array(String(version).utf8), at: hintKey)
    if version > Self.keptVersions {
      try? await store.delete(key(version - Self.keptVersions))
    }
    let table = LoadedTable(metadata: metadata, version: version)
    if let object = try? await store.stat(key(version)) { newest.keep(table, object) }
    return .committed(table)
  }
}

/// What was read last: a year's metadata is megabytes, and a harvest loads it four times.
private final class NewestMetadata: Sendable {
  private let last = Mutex<(object: ObjectInfo, table: LoadedTable)?>(nil)

  func table(_ object: ObjectInfo) -> LoadedTable? {
    last.withLock { last in last.flatMap { $0.object == object ? $0.table : nil } }
  }
  func keep(_ table: LoadedTable, _ object: ObjectInfo) { last.withLock { $0 = (object, table) } }
}

/// A number that has room for the next ones; a file that is called v9223372036854775807 is none of a catalog's.
private func versionNumber(_ text: some StringProtocol) -> Int? {
  Int(text).flatMap { (1...1 << 53).contains($0) ? $0 : nil }
}

/// How other writers call metadata that is gzip'd.
private let compressedNames = [".gz.metadata.json", ".metadata.json.gz"]

/// A random UUID, version 4.
func uuidText() -> String {
  var bytes = randomBytes(16)
  bytes[6] = bytes[6] & 0x0F | 0x40
  bytes[8] = bytes[8] & 0x3F | 0x80
  let text = Array(hex(bytes))
  return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(text[$0]) }.joined(separator: "-")
}
