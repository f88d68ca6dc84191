import Files
import Logs
import ObjectStorage
import Support

/// Brings what belongs to one batch alone into the store: its raw file and its alert.
struct BatchUpload: Sendable {
  let context: NodeContext

  struct Raw: Sendable {
    var facts: BatchFacts
    var file: RawCopy.Finished?
  }

  struct Alert: Sendable {
    var path: String
    var object: StoredObject
  }

  private func names(_ facts: BatchFacts) -> BatchObjects {
    BatchObjects(node: context.node, batch: facts.id, rotated: Instant(seconds: facts.rotated))
  }

  /// The alert object that the finished lines will be.
  func alert(_ writer: consuming AlertWriter, _ facts: BatchFacts) throws(SystemError) -> Alert {
    let path = writer.path
    let done = try writer.finish()
    return Alert(
      path: path,
      object: StoredObject(
        key: names(facts).alert(digest: done.content), size: done.size, digest: done.object))
  }

  func put(_ alert: Alert) async throws(Failure) -> StoredObject {
    stepPoint("stage.before-alert")
    try await context.store.put(moving: alert.path, at: alert.object.key)
    return alert.object
  }

  /// Uploads the raw files, some at a time: a store far away takes its time to answer for each. What each is in the store.
  func put(_ raws: [Raw]) async throws(Failure) -> [StoredObject] {
    try await inParallel(8, raws) { raw throws(Failure) in
      stepPoint("stage.before-raw")
      guard let file = raw.file else { throw Failure("internal", "A batch was read without its raw copy.") }
      let object = StoredObject(key: names(raw.facts).raw, size: file.size, digest: file.digest)
      return try await put(object, from: file.path, content: raw.facts.digest)
    }
  }

  /// Uploads the raw file. One that is there already is kept when it holds the same content, and replaced when it can't be read.
  private func put(_ raw: StoredObject, from path: String, content: String) async throws(Failure)
    -> StoredObject
  {
    if try await context.seen(raw.key) != nil {
      let copy = joined(context.scratch, "there-\(randomName()).gz")
      defer { try? removeFile(copy) }
      if (try? await context.store.get(raw.key, toFile: copy)) == true, let there = gzipDigests(copy) {
        let isSame =
          context.rules.judgesRawObjectsByContent ? there.content == content : there.object == raw.digest
        guard isSame else {
          throw Failure(
            "store.other-content",
            "The object \(raw.key) is in the store already, with other content than its batch has.",
            remedy:
              "Somebody else wrote it. Move it away and run the harvest again; nothing of this batch was deleted."
          )
        }
        return StoredObject(key: raw.key, size: there.size, digest: there.object)
      }
    }
    try await context.store.put(moving: path, at: raw.key)
    return raw
  }
}
