import Files
import Ledger
public import Logs
import Support

/// Files that a prune has set aside and not deleted yet, or was killed over: under their private names, they are what they were.
public func filesSetAside(in folders: [String], root: String) -> [RotatedFile] {
  var found: [RotatedFile] = []
  for folder in folders {
    for name in ((try? folderEntries(folder)) ?? []).compactMap(\.name) where name.hasPrefix(SetAside.prefix)
    {
      let path = joined(folder, name)
      guard let info = try? FileInfo(path: path), info.kind == .regular, let isGzip = try? isGzip(path) else {
        continue
      }
      let own = String(Substring(name.utf8.dropFirst(SetAside.prefix.utf8.count + 13)))
      found.append(
        RotatedFile(
          path: path, folder: relative(resolvedPath(folder), resolvedPath(root)), name: own,
          stream: streamName(ofFile: own), info: info, isGzip: isGzip, estimatedText: info.size))
    }
  }
  return found
}

private func isGzip(_ path: String) throws(SystemError) -> Bool {
  let file = try Descriptor.input(path)
  var head: (UInt8, UInt8) = (0, 0)
  let number = withUnsafeMutableBytes(of: &head) { buffer in (try? file.read(into: buffer, at: 0)) ?? 0 }
  return number == 2 && head == (0x1F, 0x8B)
}

/// Takes a rotated file out of everybody's way before it is deleted: renamed to a dot-name in its own folder, where logrotate and globs don't see
/// it, then checked there. Whatever does not fit is moved back.
struct SetAside {
  let context: NodeContext
  /// Seconds that a file is kept under its private name instead of being unlinked.
  let keep: Double

  static let prefix = ".gadwall-prune-"
  static let trashPrefix = ".gadwall-trash-"

  /// The name that nobody else knows, from which ``recover(_:_:)`` tells the file's own.
  static func hiddenName(_ path: String, batch: String) -> String {
    joined(folderName(path), "\(prefix)\(batch.prefix(12))-\(baseName(path))")
  }

  /// Why a file was moved back, or never moved.
  struct Refusal: Error { var reason: String }

  /// Deletes the batch's file. Its content is read once more, under the lease, from the name that nobody else knows; the lease is kept until
  /// the file is gone.
  ///
  /// - Parameters:
  ///   - twin: a .gz beside it. It goes too if what it holds is the file's content or a beginning of it.
  ///   - record: called between the last check and the unlinking.
  /// - Returns: the file's size, and why the twin stays, if it does.
  func remove(
    _ path: String, batch: String, digest: String, identity: FileIdentity, settle: Double,
    twin: String? = nil,
    record: () throws(Failure) -> Void
  ) throws(Refusal) -> (bytes: Int64, twinStays: String?) {
    let hidden = Self.hiddenName(path, batch: batch)
    stepPoint("prune.before-set-aside")
    let changed: Int64
    do throws(SystemError) {
      changed = try FileInfo(path: path).changed
      try renameFile(path, hidden, replacing: false)
    } catch {
      if error.isMissing { throw Refusal(reason: "it is not there any more") }
      throw Refusal(reason: "it could not be set aside: \(error.words)")
    }
    stepPoint("prune.set-aside")
    do {
      // The rename has changed its change time, so the file is known by what a rename keeps.
      let info = try FileInfo(path: hidden)
      guard info.inode == identity.inode, info.device == identity.device, info.born == identity.born else {
        throw Refusal(reason: "another file had its name by now")
      }
      let file = RotatedFile(
        path: hidden, folder: "", name: baseName(path), stream: "", info: info, isGzip: try isGzip(hidden),
        estimatedText: info.size)
      let compressed = twin.map { CompressedTwin(path: $0, settle: settle, now: context.clock.now()) }
      var reader = try RotatedFileReader.open(
        file, settle: settle, now: context.clock.now(), changed: changed)
      var whole = SHA256()
      var beginning = BeginningDigest(bytes: compressed?.bytes ?? 0)
      _ = try reader.read(raw: { _ in }) { block in
        whole.update(block)
        beginning.update(block)
      }
      let content = whole.hexDigest()
      guard content == digest || !context.rules.comparesBeforeDeleting else {
        throw Refusal(reason: "its content is no longer what was archived")
      }
      stepPoint("prune.before-record")
      try record()
      stepPoint("prune.recorded")
      try discard(hidden, name: baseName(path), batch: batch)
      stepPoint("prune.unlinked")
      reader.close()
      return (info.size, compressed?.remove(ifBeginning: beginning.hexDigest(), batch: batch))
    } catch {
      let reason: String
      switch error {
      case let refusal as Refusal: reason = refusal.reason
      case ReadingRefusal.passOver(_, let note): reason = note
      case let failure as Failure: reason = failure.description
      default: reason = "\(error)"
      }
      do throws(SystemError) {
        try renameFile(hidden, path, replacing: false)
      } catch {
        throw Refusal(reason: "\(reason); and it could not be moved back from \(hidden): \(error.words)")
      }
      throw Refusal(reason: reason)
    }
  }

  private func discard(_ path: String, name: String, batch: String) throws(SystemError) {
    guard keep > 0 else { return try removeFile(path) }
    let until = context.clock.now().seconds + Int64(min(keep, 1e12).rounded(.up))
    try renameFile(
      path, joined(folderName(path), "\(Self.trashPrefix)\(until)-\(batch.prefix(12))-\(name)"),
      replacing: false)
  }

  /// Finishes what a killed prune left: what the ledger says is pruned goes, everything else gets its name back. Trash whose time is up goes.
  func recover(_ folders: [String], _ ledger: borrowing Ledger) throws(Failure) -> [PassedOver] {
    var left: [PassedOver] = []
    var batches: [LedgerBatch]?
    for folder in folders {
      guard let entries = try? folderEntries(folder) else { continue }
      for entry in entries {
        guard let name = entry.name else { continue }
        let path = joined(folder, name)
        if name.hasPrefix(Self.trashPrefix) {
          let until = Int64(name.dropFirst(Self.trashPrefix.count).prefix { $0 != "-" }) ?? .max
          if until <= context.clock.now().seconds { try? removeFile(path) }
        } else if name.hasPrefix(Self.prefix) {
          // By bytes: to Swift the hyphen and an accent that the file's own name begins with are one Character.
          let rest = name.utf8.dropFirst(Self.prefix.utf8.count)
          let id = String(Substring(rest.prefix(12)))
          let ownName = String(Substring(rest.dropFirst(13)))
          let original = joined(folder, ownName)
          if batches == nil { batches = try ledger.batches() }
          let info = try? FileInfo(path: path)
          let batch = batches?.first {
            $0.facts.id.hasPrefix(id) && $0.identity.inode == info?.inode
              && $0.identity.device == info?.device
          }
          do throws(SystemError) {
            if batch?.state == .pruned {
              try discard(path, name: ownName, batch: id)
            } else {
              try renameFile(path, original, replacing: false)
            }
          } catch {
            left.append(
              PassedOver(
                file: relative(path, context.root), reason: .held,
                note:
                  "a prune that was cut off left it under this name, and it can't be moved back: \(error.words)"
              ))
          }
        }
      }
    }
    return left
  }
}
