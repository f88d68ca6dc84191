public import DuckDB
import Files
public import ObjectStorage
public import Support

/// Makes snapshots that add data files, and reads snapshots back.
public struct TableWriter: Sendable {
  let duckdb: DuckDB
  let store: any ObjectStore
  let catalog: any Catalog
  /// A folder for Avro files on their way.
  let scratch: String
  let clock: WallClock

  public init(duckdb: DuckDB, store: any ObjectStore, catalog: any Catalog, scratch: String, clock: WallClock)
  {
    self.duckdb = duckdb
    self.store = store
    self.catalog = catalog
    self.scratch = scratch
    self.clock = clock
  }

  /// Tries once to append the files in one snapshot on top of the table as it was loaded.
  ///
  /// With no table, the table is created in the same commit. Two runs of DuckDB, about 0.2 s; the manifest list grows by one entry a call.
  /// - Parameters:
  ///   - run: named in the snapshot's summary and by the marker property.
  ///   - leftOut: bundles of the run that are in the table already.
  ///   - settled: runs whose markers are no longer needed, because their proof exists.
  public func append(
    _ files: [AppendedFile], run: String, leftOut: [String], settled: [String], on base: LoadedTable?
  ) async throws(Failure) -> CommitAnswer {
    let spec =
      try base.map { table throws(Failure) in try checkOurs(table.metadata, table: catalog.table) }
      ?? newSpec()
    let metadataPath: String
    if let base {
      metadataPath = base.metadataPath
    } else {
      metadataPath = try await catalog.newLocation() + "/metadata"
    }
    let parent = base?.currentSnapshot
    let snapshotID = newSnapshotID()
    let sequence = (base?.lastSequence ?? 0) + 1
    let name = uuidText()

    let work = joined(scratch, "append-\(randomName())")
    do { try makeFolder(work) } catch {
      throw error.failure("scratch.unwritable", "The scratch folder \(work) can't be made.")
    }
    defer { try? removeTree(work) }
    let rows = joined(work, "rows.ndjson")
    let manifest = joined(work, "manifest.avro")
    let list = joined(work, "list.avro")
    do throws(SystemError) {
      let lines = files.map { encodeJSON(ManifestRow($0)) + [0x0A] }
      try publish(Array(lines.joined()), at: rows, replacing: true)
    } catch {
      throw error.failure("scratch.unwritable", "The scratch folder \(work) can't be written to.")
    }

    let settings = DuckDB.Settings(load: ["avro"], deadline: .after(seconds: 300))
    try await duckdb.run(
      [manifestStatement(rows: rows, to: manifest, snapshot: snapshotID, spec: spec)], settings)
    let manifestURL = "\(metadataPath)/\(name)-m0.avro"
    let summary = ManifestSummary(
      url: manifestURL, length: fileSize(manifest), specID: spec.id, sequence: sequence, snapshot: snapshotID,
      files: files)
    var parentList: String?
    if let parent {
      let local = joined(work, "parent.avro")
      try await fetch(parent.manifestList, to: local)
      parentList = local
    }
    try await duckdb.run(
      [manifestListStatement(adding: summary, parentList: parentList, parentSnapshot: parent?.id, to: list)],
      settings)
    let listURL = "\(metadataPath)/snap-\(snapshotID)-1-\(name).avro"
    try await store.put(file: manifest, at: try key(manifestURL))
    stepPoint("commit.manifest-written")
    try await store.put(file: list, at: try key(listURL))
    stepPoint("commit.list-written")

    let marker = CommitMarker(snapshot: snapshotID, sequence: sequence, leftOut: leftOut)
    let change = TableChange(
      snapshot: snapshotJSON(
        id: snapshotID, sequence: sequence, list: listURL, files: files, run: run, leftOut: leftOut,
        base: base,
        schemaID: spec.schema["schema-id"]?.integer ?? schemaID),
      setProperties: [CommitMarker.prefix + run: marker.text],
      removeProperties: settled.filter { $0 != run }.map { CommitMarker.prefix + $0 })
    return try await catalog.commit(change, on: base)
  }

  private func snapshotJSON(
    id: Int64, sequence: Int64, list: String, files: [AppendedFile], run: String, leftOut: [String],
    base: LoadedTable?,
    schemaID: Int64
  ) -> JSONValue {
    let parent = base?.currentSnapshot
    let rows = files.reduce(0) { $0 + $1.rows }
    let bytes = files.reduce(0) { $0 + $1.size }
    // A parent that doesn't say how many it has, or says what can't be, leaves the new total unknown, too; null takes the key away below.
    func total(_ key: String, _ added: Int64) -> JSONValue {
      guard let parent else { return .string(String(added)) }
      guard let before = parent.summary(key).flatMap({ Int64($0) }) else { return .null }
      let (sum, overflows) = before.addingReportingOverflow(added)
      return overflows ? .null : .string(String(sum))
    }
    var summary: JSONValue = [
      "operation": "append", "added-data-files": .string("\(files.count)"),
      "added-records": .string("\(rows)"),
      "added-files-size": .string("\(bytes)"),
      "changed-partition-count": .string("\(Set(files.map { "\($0.day) \($0.region)" }).count)"),
      "total-records": total("total-records", rows), "total-files-size": total("total-files-size", bytes),
      "total-data-files": total("total-data-files", Int64(files.count)),
      "total-delete-files": total("total-delete-files", 0),
      "total-position-deletes": total("total-position-deletes", 0),
      "total-equality-deletes": total("total-equality-deletes", 0), "gadwall.run": .string(run),
    ]
    if case .object(let members) = summary { summary = .object(members.filter { $0.value != .null }) }
    if !leftOut.isEmpty { summary["gadwall.left-out"] = .string(leftOut.joined(separator: ",")) }
    // Never before the last change: readers want the log sorted, and clocks differ.
    let now = clock.now().microseconds / 1000
    var snapshot: JSONValue = [
      "snapshot-id": .integer(id), "sequence-number": .integer(sequence),
      "timestamp-ms": .integer(max(now, base?.metadata["last-updated-ms"]?.integer ?? 0)),
      "manifest-list": .string(list),
      "summary": summary, "schema-id": .integer(schemaID),
    ]
    if let parent { snapshot["parent-snapshot-id"] = .integer(parent.id) }
    return snapshot
  }

  /// The data files that a reader of the snapshot sees, by their manifests.
  ///
  /// - Parameter addedBy: only manifests that this snapshot added.
  public func files(of snapshot: Snapshot, addedBy: Int64? = nil) async throws(Failure) -> [LiveFile] {
    var seen: Set<String> = []
    return try await files(of: snapshot, addedBy: addedBy, except: &seen)
  }

  private func files(
    of snapshot: Snapshot, addedBy: Int64? = nil, except seen: inout Set<String>
  ) async throws(Failure) -> [LiveFile] {
    let work = joined(scratch, "read-\(randomName())")
    do { try makeFolder(work) } catch {
      throw error.failure("scratch.unwritable", "The scratch folder \(work) can't be made.")
    }
    defer { try? removeTree(work) }
    let list = joined(work, "list.avro")
    try await fetch(snapshot.manifestList, to: list)
    let settings = DuckDB.Settings(load: ["avro"], deadline: .after(seconds: 300))
    let entries = try await duckdb.run([manifestListEntriesStatement(list)], settings).first ?? []
    var manifests: [String] = []
    for entry in entries where entry["content"]?.integer == 0 {
      if let addedBy, entry["snapshot"]?.integer != addedBy { continue }
      guard let url = entry["path"]?.string, seen.insert(url).inserted else { continue }
      let local = joined(work, "m\(manifests.count).avro")
      try await fetch(url, to: local)
      manifests.append(local)
    }
    guard !manifests.isEmpty else { return [] }
    var rows: [JSONValue] = []
    for start in stride(from: 0, to: manifests.count, by: 200) {
      let some = Array(manifests[start..<min(start + 200, manifests.count)])
      rows += try await duckdb.run([manifestEntriesStatement(some)], settings).first ?? []
    }
    return rows.compactMap { row in
      guard let url = row["path"]?.string, let count = row["rows"]?.integer, let size = row["size"]?.integer
      else { return nil }
      return LiveFile(url: url, rows: count, size: size, snapshot: row["snapshot"]?.integer ?? snapshot.id)
    }
  }

  /// URLs of the data files of every snapshot that the metadata has: what time travel may still read. Each manifest is read once.
  public func filesOfAllSnapshots(_ table: LoadedTable) async throws(Failure) -> Set<String> {
    var urls: Set<String> = []
    var seen: Set<String> = []
    for json in table.metadata["snapshots"]?.array ?? [] {
      for file in try await files(of: Snapshot(json: json), except: &seen) { urls.insert(file.url) }
    }
    return urls
  }

  private func key(_ url: String) throws(Failure) -> String {
    guard let key = store.key(of: url) else {
      throw Failure(
        "table.elsewhere",
        "The table \(catalog.table) keeps \(printable(url)), which lies outside the store \(store.url).",
        remedy: "Name the store that holds the table with 'store.url'.")
    }
    return key
  }

  private func fetch(_ url: String, to path: String) async throws(Failure) {
    guard try await store.get(try key(url), toFile: path) else {
      throw Failure(
        "table.unreadable", "The object \(printable(url)) of the table \(catalog.table) is gone.",
        remedy: "'gadwall verify' says what else is missing.")
    }
  }
}

private func fileSize(_ path: String) -> Int64 { (try? FileInfo(path: path))?.size ?? 0 }

/// A random positive 63-bit number, as Iceberg's writers choose them.
private func newSnapshotID() -> Int64 {
  let bits = randomBytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
  return Int64(bits >> 1) | 1
}
