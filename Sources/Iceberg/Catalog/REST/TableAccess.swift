public import ObjectStorage
import Support

/// Where a table's files lie, and what the catalog gives for reading and writing them. Handed on each time that the catalog shows the table.
public struct TableAccess: Sendable {
  /// The roots of data and of metadata, without a slash at their ends.
  public var roots: [String]
  public var vended: [VendedKeys]

  /// Those for a URL: of the longest prefix that it begins with.
  public func keys(for url: String) -> VendedKeys? {
    let url = url.hasPrefix("s3a://") ? "s3://" + url.dropFirst(6) : url
    return vended.filter { (url + "/").hasPrefix($0.prefix) }.max {
      $0.prefix.utf8.count < $1.prefix.utf8.count
    }
  }
}

/// Keys that a catalog lends for a part of the store.
public struct VendedKeys: Sendable {
  public var prefix: String
  public var keys: AccessKeys
  public var endpoint: String?
  public var region: String?
}

/// What a `LoadTableResult` says of it: in `storage-credentials`, and where that has nothing for a root, in `config`.
func tableAccess(_ answer: JSONValue, _ table: LoadedTable) -> TableAccess {
  let shared = answer["config"]
  var vended = (answer["storage-credentials"]?.array ?? []).compactMap { entry in
    entry["prefix"]?.string.flatMap { vendedKeys(entry["config"], else: shared, prefix: $0) }
  }
  if let keys = vendedKeys(shared, else: nil, prefix: "") { vended.append(keys) }
  var access = TableAccess(roots: [table.location], vended: vended)
  let own = access.keys(for: table.location)?.prefix
  // One within the table needs no mention of its own, unless it has other keys.
  for root in [table.dataPath, table.metadataPath]
  where !root.hasPrefix(table.location + "/") || access.keys(for: root)?.prefix != own {
    access.roots.append(root)
  }
  return access
}

/// The names are those of Iceberg's own clients (apache/iceberg, S3FileIOProperties and AwsClientProperties).
private func vendedKeys(_ config: JSONValue?, else shared: JSONValue?, prefix: String) -> VendedKeys? {
  guard let config, let id = config["s3.access-key-id"]?.string,
    let secret = config["s3.secret-access-key"]?.string, !id.isEmpty, !secret.isEmpty
  else { return nil }
  func text(_ name: String) -> String? { config[name]?.string ?? shared?[name]?.string }
  let term = config["s3.session-token-expires-at-ms"].flatMap { value in
    value.integer ?? value.string.flatMap { Int64($0) }
  }
  return VendedKeys(
    prefix: prefix.hasPrefix("s3a://") ? "s3://" + prefix.dropFirst(6) : prefix,
    keys: AccessKeys(
      id: id, secret: secret, sessionToken: config["s3.session-token"]?.string,
      expires: term.map { Instant(seconds: $0 / 1000) }),
    endpoint: text("s3.endpoint"), region: text("client.region") ?? text("s3.region"))
}

/// Where expired ones come from: the catalog is asked for the table again.
struct VendingCatalog: KeyProvider {
  let name = "the catalog"
  let catalog: RESTCatalog
  let root: String

  func fetch() async throws(Failure) -> AccessKeys? { try await catalog.access()?.keys(for: root)?.keys }
}
