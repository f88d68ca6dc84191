import Files
import Fleet
import Logs
public import ObjectStorage
public import Support

/// Which archived batches are meant.
public struct BatchFilter: Sendable {
  /// The beginning of a batch id.
  public var prefix = ""
  /// Patterns for the node's name; any may match.
  public var nodes: [String] = []
  public var streams: [String] = []
  /// Rotated within these moments.
  public var since: Instant?
  public var until: Instant?

  public init(prefix: String = "") { self.prefix = prefix }

  /// Whether anything is asked for at all.
  public var isEmpty: Bool {
    prefix.isEmpty && nodes.isEmpty && streams.isEmpty && since == nil && until == nil
  }

  func matches(_ batch: ProvenBatch) -> Bool {
    func any(_ patterns: [String], _ value: String) -> Bool {
      patterns.isEmpty || patterns.contains { wildcardMatches($0, value) }
    }
    let rotated = Instant(seconds: batch.facts.rotated)
    return batch.facts.id.hasPrefix(prefix) && any(nodes, batch.node.name) && any(streams, batch.facts.stream)
      && since.map { rotated >= $0 } ?? true && until.map { rotated <= $0 } ?? true
  }
}

/// The original files of what is archived and proven.
public struct RawFiles: Sendable {
  let store: any ObjectStore

  public init(store: any ObjectStore) { self.store = store }

  /// Proven batches that match, by time of rotation. Reads the proofs.
  public func list(_ filter: BatchFilter) async throws(Failure) -> [ProvenBatch] {
    try await RunStore(store: store).proven().batches.values.filter(filter.matches).sorted {
      ($0.facts.rotated, $0.facts.id) < ($1.facts.rotated, $1.facts.id)
    }
  }

  /// The one batch that is meant.
  ///
  /// - Throws: `raw.unknown`; `raw.ambiguous`, with the ids.
  public func batch(_ filter: BatchFilter) async throws(Failure) -> ProvenBatch {
    let found = try await list(filter)
    let what = filter.prefix.isEmpty ? "match" : "match and begin with '\(printable(filter.prefix))'"
    if found.count > 1 {
      let names = found.prefix(5).map { "\($0.facts.id.prefix(filter.prefix.utf8.count + 8))" }
      throw Failure(
        "raw.ambiguous", "\(counted(found.count, "batch", plural: "batches")) \(what).",
        remedy:
          "Give one's id, or more of it: \(names.joined(separator: ", "))\(found.count > 5 ? ", …" : "")."
      )
    }
    guard let batch = found.first else {
      throw Failure(
        "raw.unknown",
        filter.prefix.isEmpty
          ? "No proven batch matches."
          : "No proven batch that matches has an id that begins with '\(printable(filter.prefix))'.",
        remedy: "'gadwall raw list' lists them.")
    }
    return batch
  }

  /// Writes the original bytes into the sink, and checks both digests: the object's before the first byte is written, the content's at the end.
  ///
  /// - Parameter scratch: a folder for the object on its way.
  /// - Throws: `raw.missing`, `raw.damaged`.
  public func read(
    _ batch: ProvenBatch, scratch: String, to sink: (UnsafeRawBufferPointer) throws -> Void
  ) async throws {
    guard let raw = batch.facts.raw else {
      throw Failure("raw.missing", "The batch \(batch.facts.id.prefix(12)) has no raw object.")
    }
    let path = joined(scratch, "raw-\(randomName()).gz")
    defer { try? removeFile(path) }
    guard try await get(raw.key, toFile: path) else {
      throw Failure(
        "raw.missing", "The object \(raw.key) is not in the store.",
        remedy: "The table still holds the batch's lines: SELECT … WHERE batch = '\(batch.facts.id)'.")
    }
    guard let digests = gzipDigests(path), digests.object == raw.digest, digests.content == batch.facts.digest
    else {
      throw Failure(
        "raw.damaged", "The object \(raw.key) is not what was uploaded: its digest differs.",
        remedy: "Bring it back from a backup. The table holds the batch's lines.")
    }
    try inflate(path, to: sink)
  }

  /// - Throws: `raw.frozen`, after the object was asked to be brought back.
  private func get(_ key: String, toFile path: String) async throws(Failure) -> Bool {
    do throws(Failure) { return try await store.get(key, toFile: path) } catch {
      guard error.code == "store.frozen" else { throw error }
      let isNew = try await store.thaw(key)
      throw Failure(
        "raw.frozen", "The object \(key) lies in cold storage.",
        remedy:
          "\(isNew ? "It was asked to be brought back" : "It is being brought back since it was asked for"): run this again in 3 to 5 hours, or in 12 when its class is DEEP_ARCHIVE. It stays readable for a week.",
        words: error.words)
    }
  }
}

/// Digests of a gzip file, its own and its content's, and its size; nil when it can't be read whole. `text` is shown the content.
func gzipDigests(
  _ path: String, text: (UnsafeRawBufferPointer) -> Void = { _ in }
) -> (content: String, object: String, size: Int64)? {
  var content = SHA256()
  var object = SHA256()
  var size: Int64 = 0
  do {
    try inflate(
      path,
      raw: {
        object.update($0)
        size += Int64($0.count)
      },
      to: {
        content.update($0)
        text($0)
      })
  } catch {
    return nil
  }
  return (content.hexDigest(), object.hexDigest(), size)
}

private func inflate(
  _ path: String, raw: (UnsafeRawBufferPointer) -> Void = { _ in },
  to sink: (UnsafeRawBufferPointer) throws -> Void
) throws {
  let file = try Descriptor.input(path)
  var reader = GzipReader()
  try file.readBlocks { block in
    raw(block)
    try reader.read(block, to: sink)
  }
  try reader.finish()
}
