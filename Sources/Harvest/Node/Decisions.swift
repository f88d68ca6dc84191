import Files
import Ledger
import Logs
import Support

/// What a stage makes of the files that it found.
struct StageDecisions {
  /// Read now, in new bundles.
  var fresh: [RotatedFile] = []
  /// Members of bundles that the ledger knows, by batch id: where they lie now.
  var known: [String: RotatedFile] = [:]
  var passedOver: [PassedOver] = []
  /// Batches whose content lies in another file now than the ledger says (moved, gzip'd, or only its time changed).
  var moves: [(batch: String, file: RotatedFile)] = []
}

/// Tells new files from those that the ledger knows, by inode and birth time first, and by content where that does not decide. Changes nothing.
func decide(
  _ inventory: Inventory, ledger: borrowing Ledger, root: String, settle: Double, now: Instant
) throws(Failure) -> StageDecisions {
  var result = StageDecisions()
  result.passedOver = inventory.passedOver
  func over(_ file: RotatedFile, _ reason: PassedOver.Reason, _ note: String) -> PassedOver {
    PassedOver(
      file: relative(file.path, root), reason: reason, note: note, bytes: file.info.size,
      rotated: file.info.modifiedSeconds)
  }
  func digest(_ file: RotatedFile) -> Result<String, PassedOverError> {
    do {
      return .success(try contentDigest(file, settle: settle, now: now))
    } catch ReadingRefusal.passOver(let reason, let note) {
      return .failure(PassedOverError(value: over(file, reason, note)))
    } catch {
      return .failure(PassedOverError(value: over(file, .unreadable, "\(error)")))
    }
  }

  var unknown: [RotatedFile] = []
  for file in inventory.rotated {
    let identity = FileIdentity(file.info)
    guard let batch = try ledger.batch(of: identity) else {
      unknown.append(file)
      continue
    }
    let unchanged = batch.identity.size == identity.size && batch.identity.modified == identity.modified
    if !unchanged {
      // The same file by its birth time: it is its batch still if only its time has changed.
      switch digest(file) {
      case .failure(let error):
        result.passedOver.append(error.value)
        continue
      case .success(let found):
        guard found == batch.facts.digest, identity.born != nil else {
          result.passedOver.append(
            over(
              file, .held,
              found == batch.facts.digest
                ? "its time has changed since it was staged, and this file system can't tell whether it is the same file"
                : "its content has changed since it was staged as batch \(batch.facts.id.prefix(12))"))
          continue
        }
      }
    }
    if !unchanged || !batch.path.utf8.elementsEqual(file.path.utf8) {
      result.moves.append((batch.facts.id, file))
    }
    result.known[batch.facts.id] = file
  }

  // Files whose stream and second the ledger or another new file has too: only their content tells whether they are something new.
  var seen: [[UInt8]: RotatedFile] = [:]
  // By bytes: two names that differ only in how an accent is written are equal to Swift, and two streams.
  func place(of file: RotatedFile) -> [UInt8] {
    Array("\(file.folder)\n\(file.stream)\n\(file.info.modifiedSeconds)\n".utf8)
  }
  let crowded = Dictionary(grouping: unknown, by: place)
  for file in unknown {
    let hasRivals = try ledger.hasBatches(stream: file.stream, rotated: file.info.modifiedSeconds)
    let place = place(of: file)
    guard hasRivals || (crowded[place]?.count ?? 0) > 1 else {
      result.fresh.append(file)
      continue
    }
    let found: String
    switch digest(file) {
    case .failure(let error):
      result.passedOver.append(error.value)
      continue
    case .success(let value): found = value
    }
    let same = try ledger.batches(stream: file.stream, rotated: file.info.modifiedSeconds, digest: found)
    let pruned = same.filter { $0.isPruned(in: file.folder) }
    if pruned.contains(where: { $0.isOwn(file) }) {
      result.passedOver.append(
        over(file, .twin, "its batch is archived and pruned already; it goes with the next prune"))
    } else if let batch = pruned.first {
      result.passedOver.append(
        over(
          file, .held,
          "it is the twin of \(relative(batch.path, root)), which is archived and deleted: the same stream, second and content"
        ))
    } else if let batch = same.first(where: { $0.state != .pruned }) {
      let own = try? FileInfo(path: batch.path)
      let isThere = own?.inode == batch.identity.inode && own?.device == batch.identity.device
      if let twin = result.known[batch.facts.id]?.path ?? (isThere ? batch.path : nil) {
        result.passedOver.append(
          over(
            file, .held,
            "it is the twin of \(relative(twin, root)): the same stream, second and content"))
      } else {
        result.moves.append((batch.facts.id, file))
        result.known[batch.facts.id] = file
      }
    } else if let twin = seen[place + found.utf8] {
      result.passedOver.append(
        over(
          file, .held, "it is the twin of \(relative(twin.path, root)): the same stream, second and content"))
    } else {
      seen[place + found.utf8] = file
      result.fresh.append(file)
    }
  }
  return result
}

extension LedgerBatch {
  /// Whether a file of its stream, second and content in this folder is no other batch than this one: in another folder it is.
  func isPruned(in folder: String) -> Bool {
    state == .pruned && facts.folder.utf8.elementsEqual(folder.utf8)
  }

  /// Whether such a file is the batch's own that has come back, or another form of it. Any other may be a twin, of whose lines none is archived.
  func isOwn(_ file: RotatedFile) -> Bool {
    // An adopted batch: which file it was went with the ledger.
    if identity.inode == 0 { return true }
    let info = file.info
    if identity.device == info.device, identity.inode == info.inode, identity.born == info.born {
      return true
    }
    func plainName(_ name: String) -> [UInt8] { Array(name.utf8.dropLast(name.hasSuffix(".gz") ? 3 : 0)) }
    // Rotation may have shifted what was compressed meanwhile.
    return facts.file.hasSuffix(".gz") != file.name.hasSuffix(".gz")
      || plainName(facts.file) == plainName(file.name)
  }
}

struct PassedOverError: Error { var value: PassedOver }

/// New files in groups that become bundles: one day of rotation each, small files together up to the limit of text, a big one alone.
func grouped(_ files: [RotatedFile], limit: Int64) -> [[RotatedFile]] {
  var groups: [[RotatedFile]] = []
  let days = Dictionary(grouping: files, by: \.day)
  for day in days.keys.sorted() {
    var group: [RotatedFile] = []
    var size: Int64 = 0
    let ordered = days[day]!.sorted { ($0.info.modified, $0.path) < ($1.info.modified, $1.path) }
    for file in ordered {
      if !group.isEmpty, size + file.estimatedText > limit {
        groups.append(group)
        group = []
        size = 0
      }
      group.append(file)
      size += file.estimatedText
    }
    if !group.isEmpty { groups.append(group) }
  }
  return groups
}
