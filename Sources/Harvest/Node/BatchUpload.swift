import Files
import Logs
import ObjectStorage
import Support

/// Brings what belongs to one batch alone into the store: its raw file and its alert.
struct BatchUpload {
  let context: NodeContext

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

  struct Alert {
    var path: String
    var object: StoredObject
  }

  /// Uploads both, and enters them into the batch's facts. The bytes that they take in the store.
  func put(_ alert: Alert?, _ content: FileContent, _ facts: inout BatchFacts) async throws(Failure) -> Int64
  {
    stepPoint("stage.before-alert")
    if let alert {
      try await context.store.put(file: alert.path, at: alert.object.key)
      facts.alert = alert.object
    }
    stepPoint("stage.before-raw")
    let raw = StoredObject(key: names(facts).raw, size: content.rawSize, digest: content.rawDigest)
    facts.raw = try await put(raw, from: content.rawPath, content: content.digest)
    return raw.size + (alert?.object.size ?? 0)
  }

  /// Uploads the raw file. One that is there already is kept when it holds the same content, and replaced when it can't be read.
  private func put(_ raw: StoredObject, from path: String, content: String) async throws(Failure)
    -> StoredObject
  {
    if try await context.store.stat(raw.key) != nil {
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
    try await context.store.put(file: path, at: raw.key)
    return raw
  }
}
