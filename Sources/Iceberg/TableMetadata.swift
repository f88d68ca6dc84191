public import Support

/// A table's metadata as a catalog gave it. Fields that we don't know are carried along.
public struct LoadedTable: Sendable {
  public var metadata: JSONValue
  /// What the catalog knows this state by: the version number with the directory catalog.
  public var version: Int
  /// The URL of the metadata file, where the catalog says it.
  public var metadataLocation: String?

  public var location: String { trimSlash(metadata["location"]?.string ?? "") }
  public var dataPath: String { property("write.data.path").map(trimSlash) ?? location + "/data" }
  public var metadataPath: String { property("write.metadata.path").map(trimSlash) ?? location + "/metadata" }
  public var uuid: String { metadata["table-uuid"]?.string ?? "" }
  public var lastSequence: Int64 { metadata["last-sequence-number"]?.integer ?? 0 }

  public var currentSnapshotID: Int64? {
    guard let id = metadata["current-snapshot-id"]?.integer, id != -1 else { return nil }
    return id
  }

  public func property(_ name: String) -> String? { metadata["properties"]?[name]?.string }

  public func snapshot(_ id: Int64) -> Snapshot? {
    metadata["snapshots"]?.array?.first { $0["snapshot-id"]?.integer == id }.map(Snapshot.init)
  }

  public var currentSnapshot: Snapshot? { currentSnapshotID.flatMap(snapshot) }

  /// Of all runs that the metadata itself says are committed: by marker property, else by a snapshot's summary.
  public var committedRuns: [String: CommitMarker] {
    var runs = summarizedRuns
    for (name, value) in metadata["properties"]?.object ?? [:] where name.hasPrefix(CommitMarker.prefix) {
      guard let text = value.string, let marker = CommitMarker(text: text) else { continue }
      runs[String(name.dropFirst(CommitMarker.prefix.count))] = marker
    }
    return runs
  }

  /// Of the runs that a snapshot's summary names. Alone they prove nothing when absent: expiry removes them.
  public var summarizedRuns: [String: CommitMarker] {
    var runs: [String: CommitMarker] = [:]
    for snapshot in metadata["snapshots"]?.array ?? [] {
      guard let run = snapshot["summary"]?["gadwall.run"]?.string, let id = snapshot["snapshot-id"]?.integer
      else { continue }
      runs[run] = CommitMarker(
        snapshot: id, sequence: snapshot["sequence-number"]?.integer ?? 0,
        leftOut: (snapshot["summary"]?["gadwall.left-out"]?.string ?? "").split(separator: ",").map(
          String.init))
    }
    return runs
  }

  /// Those that the metadata still has.
  public var snapshots: [Snapshot] { (metadata["snapshots"]?.array ?? []).map { Snapshot(json: $0) } }

  /// Whether the snapshot is the current one or an ancestor of it, as far as the metadata remembers.
  public func isInHistory(_ snapshot: Snapshot) -> Bool {
    var seen: Set<Int64> = []
    var next = currentSnapshotID
    while let id = next, seen.insert(id).inserted {
      if id == snapshot.id { return true }
      guard let parent = self.snapshot(id) else {
        // The line is expired from here on: what is older may well be in it.
        return true
      }
      next = parent.json["parent-snapshot-id"]?.integer
    }
    return false
  }

  /// Whether a snapshot that the metadata still has deleted or replaced data files.
  public var hasRemovals: Bool {
    snapshots.contains { ["delete", "overwrite"].contains($0.summary("operation")) }
  }

  /// Checks that we may append to it (``checkOurs(_:table:)``).
  public func checkOurs(name: String) throws(Failure) { _ = try Iceberg.checkOurs(metadata, table: name) }
}

public struct Snapshot: Sendable {
  public var json: JSONValue

  public var id: Int64 { json["snapshot-id"]?.integer ?? 0 }
  public var sequence: Int64 { json["sequence-number"]?.integer ?? 0 }
  /// When it was made, as its writer says.
  public var time: Instant? { json["timestamp-ms"]?.integer.map { Instant(microseconds: $0 &* 1000) } }
  public var manifestList: String { json["manifest-list"]?.string ?? "" }
  public func summary(_ key: String) -> String? { json["summary"]?[key]?.string }
}

/// What a run's marker property says. It goes into the same commit as the run's snapshot, and outlives the snapshot's expiry.
public struct CommitMarker: Sendable, Equatable, Codable {
  public static let prefix = "gadwall.committed."

  public var snapshot: Int64
  public var sequence: Int64
  /// Bundles of the run's plan that this commit left out, since they were there already.
  public var leftOut: [String]

  public init(snapshot: Int64, sequence: Int64, leftOut: [String]) {
    self.snapshot = snapshot
    self.sequence = sequence
    self.leftOut = leftOut
  }

  init?(text: String) {
    guard
      let read = try? decodeJSON(
        CommitMarker.self, from: Array(text.utf8), code: "table.marker", document: "A marker")
    else { return nil }
    self = read
  }

  var text: String { String(decoding: encodeJSON(self), as: UTF8.self) }
}

/// One atomic change of a table: a snapshot, a run's marker, and markers that are no longer needed.
public struct TableChange: Sendable {
  public var snapshot: JSONValue
  public var setProperties: [String: String]
  public var removeProperties: [String]

  var snapshotID: Int64 { snapshot["snapshot-id"]?.integer ?? 0 }
}

/// Metadata with the change made. Pure: what the directory catalog writes.
///
/// - Parameters:
///   - base: nil for a table that this change creates.
///   - previous: the base's own metadata file, for the metadata log.
func applied(
  _ change: TableChange, to base: JSONValue?, previous: String?, location: String, uuid: String
) -> JSONValue {
  var metadata = base ?? newMetadata(location: location, uuid: uuid)
  let id = change.snapshotID
  let time = change.snapshot["timestamp-ms"]?.integer ?? 0
  func appended(_ key: String, _ value: JSONValue, keep: Int = .max) -> JSONValue {
    .array(((metadata[key]?.array ?? []) + [value]).suffix(keep))
  }
  if let previous, let updated = base?["last-updated-ms"] {
    let keep = Int(metadata["properties"]?["write.metadata.previous-versions-max"]?.string ?? "") ?? 100
    metadata["metadata-log"] = appended(
      "metadata-log", ["timestamp-ms": updated, "metadata-file": .string(previous)], keep: max(1, keep))
  }
  metadata["snapshots"] = appended("snapshots", change.snapshot)
  metadata["snapshot-log"] = appended(
    "snapshot-log", ["timestamp-ms": .integer(time), "snapshot-id": .integer(id)])
  metadata["current-snapshot-id"] = .integer(id)
  metadata["last-sequence-number"] = change.snapshot["sequence-number"] ?? 0
  metadata["last-updated-ms"] = .integer(time)
  var refs = metadata["refs"]?.object ?? [:]
  var main = refs["main"]?.object ?? ["type": "branch"]
  main["snapshot-id"] = .integer(id)
  refs["main"] = .object(main)
  metadata["refs"] = .object(refs)
  var properties = metadata["properties"]?.object ?? [:]
  for name in change.removeProperties { properties[name] = nil }
  for (name, value) in change.setProperties { properties[name] = .string(value) }
  metadata["properties"] = .object(properties)
  return metadata
}

/// What a table of ours is made with.
let newTableProperties = [
  "write.metadata.previous-versions-max": "100", "write.parquet.compression-codec": "zstd",
  "write.metadata.delete-after-commit.enabled": "true",
]

private func newMetadata(location: String, uuid: String) -> JSONValue {
  [
    "format-version": 2, "table-uuid": .string(uuid), "location": .string(location),
    "last-sequence-number": 0,
    "last-updated-ms": 0, "last-column-id": .integer(Int64(tableColumns.count)), "current-schema-id": 0,
    "schemas": [schemaJSON()], "default-spec-id": 0, "partition-specs": [partitionSpecJSON()],
    "last-partition-id": 1001,
    "default-sort-order-id": 0, "sort-orders": [["order-id": 0, "fields": []]],
    "properties": .object(newTableProperties.mapValues { .string($0) }),
    "current-snapshot-id": -1, "refs": [:], "snapshots": [], "snapshot-log": [], "metadata-log": [],
  ]
}

func trimSlash(_ text: String) -> String { text.hasSuffix("/") ? String(text.dropLast()) : text }
