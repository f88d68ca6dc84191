import Files
import Logs
import ObjectStorage
import Rows
import Support

/// What may stand where an object's name and the table's rows don't say all that a batch's id is made of.
struct BatchGuess {
  var node: Node
  var folders: [String]
  var streams: [String]
  var rotated: [Int64]
}

/// Finds out all about a batch from its raw object. What the id is made of and is not known is tried: the id itself, or the twelve
/// digits of it in the object's name, says when it is right.
struct BatchRebuilder {
  let store: any ObjectStore
  /// A folder for objects on their way.
  let scratch: String

  /// Reads the whole object.
  ///
  /// - Parameter id: the batch's id, or the beginning of it.
  /// - Returns: nil when there is no such object, when it is no whole gzip, or when no guess gives the id.
  func rebuild(_ id: String, raw key: String, _ guess: BatchGuess) async throws(Failure) -> BatchFacts? {
    let path = joined(scratch, "rebuild-\(randomName()).gz")
    defer { try? removeFile(path) }
    guard let object = try await store.stat(key), try await store.get(key, toFile: path) else { return nil }
    var counter = LineCounter()
    guard let digests = gzipDigests(path, text: { counter.take($0) }) else { return nil }
    counter.finish()
    guard let found = match(id, digests.content, guess) else { return nil }
    var facts = BatchFacts(
      id: found.id, folder: found.folder, file: found.stream, stream: found.stream, rotated: found.rotated,
      digest: digests.content, bytes: counter.bytes, lines: 0, blank: 0, malformed: 0, entries: 0)
    facts.setCounts(counter.counts)
    facts.raw = StoredObject(key: key, size: object.size, digest: digests.object)
    let names = "alerts/dt=\(Instant(seconds: found.rotated).dateText)/\(found.id.prefix(12))-"
    if let alert = try await store.list(names).first,
      let bytes = try await store.get(alert.key, limit: .gibibytes(1))
    {
      facts.alert = StoredObject(key: alert.key, size: alert.size, digest: sha256(bytes))
      facts.urgent = Int64(
        ((try? gunzip(bytes, limit: .gibibytes(4))) ?? []).count { $0 == 0x0A })
    }
    return facts
  }

  private func match(
    _ id: String, _ digest: String, _ guess: BatchGuess
  ) -> (id: String, folder: String, stream: String, rotated: Int64)? {
    for folder in guess.folders {
      for stream in guess.streams {
        for rotated in guess.rotated {
          let found = batchID(
            node: guess.node, folder: folder, stream: stream, rotated: rotated, digest: digest)
          if found.hasPrefix(id) { return (found, folder, stream, rotated) }
        }
      }
    }
    return nil
  }
}

/// Counts a text's lines as the scanner does, and keeps no row.
private struct LineCounter: ~Copyable {
  private var scanner = Scanner()
  private(set) var bytes: Int64 = 0
  var counts: ScanCounts { scanner.counts }

  init() { scanner.begin(batch: 0) }

  mutating func take(_ block: UnsafeRawBufferPointer) {
    bytes += Int64(block.count)
    // Nothing is written anywhere, so nothing can fail.
    try? scanner.scan(block) { $0.removeAll() }
  }

  mutating func finish() { try? scanner.finish(.rotated) { $0.removeAll() } }
}
