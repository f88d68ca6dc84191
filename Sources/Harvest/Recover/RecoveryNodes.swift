import Fleet
import Logs
import ObjectStorage
import Rows
import Support

extension RecoveryPlanner {
  // MARK: what nodes left

  private func isGone(_ node: Node) -> Bool {
    !fleet.contains(node) || scope.gone.contains { wildcardMatches($0, node.name) }
  }

  mutating func planStaged() async throws(Failure) {
    contents = knownContents()
    var whole: [Node: [StagedBundle]] = [:]
    var parts: [Node: [RawBatch]] = [:]
    for bundle in survey.bundles.values.sorted(by: { $0.id < $1.id }) {
      let open = bundle.batches.filter {
        survey.index.batches[$0.id] == nil && !pending.contains($0.id) && !isElsewhere($0, bundle.node)
      }
      let current = Set((survey.newest[bundle.node]?.bundles ?? []).flatMap(\.batches).map(\.id))
      // What its ledger still knows, a living node brings itself.
      let left = open.filter { isGone(bundle.node) || !current.contains($0.id) }
      guard !left.isEmpty else { continue }
      if let reason = contradiction(in: bundle, dataPath: dataPath) {
        steps.append(
          RecoveryStep(
            .stagedLeft, bundle.id,
            "The node \(bundle.node) reported the bundle \(bundle.id.prefix(12)), and it can't be true: \(reason).",
            "Its raw objects, if they are there, hold its lines.", state: .impossible))
        continue
      }
      pending.formUnion(left.map(\.id))
      if left.count == bundle.batches.count, try await store.holds(bundle.dataFiles) {
        whole[bundle.node, default: []].append(bundle)
        continue
      }
      for facts in left {
        if let raw = facts.raw, try await store.stat(raw.key) != nil {
          parts[bundle.node, default: []].append(RawBatch(node: bundle.node, facts: facts))
        } else {
          steps.append(
            RecoveryStep(
              .stagedLeft, facts.id,
              "The node \(bundle.node) staged \(printable(facts.file)) with \(grouped(facts.lines)) lines, and neither its data file nor its raw object is in the store any more.",
              "Bring either back from a backup, or look for the file on the node.", state: .impossible))
        }
      }
    }
    for (node, bundles) in whole.sorted(by: { $0.key.key < $1.key.key }) {
      let batches = bundles.reduce(0) { $0 + $1.batches.count }
      steps.append(
        RecoveryStep(
          .stagedLeft, "\(node)",
          "The node \(node)\(why(node)) has staged \(counted(batches, "batch", plural: "batches")) that nobody will commit.",
          "Commit them as they were staged.", .commit(bundles)))
    }
    for (node, batches) in parts.sorted(by: { $0.key.key < $1.key.key }) {
      steps.append(
        RecoveryStep(
          .stagedLeft, "\(node)",
          "The node \(node)\(why(node)) has staged \(counted(batches.count, "batch", plural: "batches")) that nobody will commit, and of which only the raw objects can be used.",
          "Write data files from the raw objects, and commit them.", .writeAgain(batches, areProven: false)))
    }
  }

  private func why(_ node: Node) -> String {
    fleet.contains(node)
      ? isGone(node) ? ", which is gone," : ", whose ledger forgot it," : ", which is no node of the fleet,"
  }

  /// Whether the same content is known as another batch: its node was renamed, or its file got another time before it was staged. Committing
  /// this one as well would bring every line of it twice.
  private mutating func isElsewhere(_ facts: BatchFacts, _ node: Node) -> Bool {
    guard facts.rows > 0, !facts.digest.isEmpty, let ids = contents[facts.digest],
      let other = ids.first(where: { $0 != facts.id })
    else { return false }
    if pending.insert(facts.id).inserted {
      steps.append(
        RecoveryStep(
          .stagedLeft, facts.id,
          "The node \(node) has staged \(printable(facts.file)) as batch \(facts.id.prefix(12)), and batch \(other.prefix(12)) has the very same \(grouped(facts.lines)) lines: the node was renamed, or the file's time was changed.",
          "Nothing: its lines would come twice. If they are others after all, its raw object holds them.",
          state: .left))
    }
    return true
  }

  /// Batches that are proven, or that a living node will bring itself, by their content.
  private func knownContents() -> [String: [String]] {
    let living = survey.newest.values.filter { !isGone($0.head.node) }.flatMap(\.bundles).flatMap(\.batches)
    return Dictionary(grouping: survey.index.batches.values.map(\.facts) + living, by: \.digest).mapValues {
      $0.map(\.id)
    }
  }

  /// Raw objects of nodes that are gone: uploaded, and never reported.
  mutating func planRaw() async throws(Failure) {
    let nodes = survey.nodes.union(fleet).filter(isGone)
    guard !nodes.isEmpty else { return }
    let named = Set(
      (known + survey.plans.values.flatMap(\.bundles).flatMap(\.batches)).compactMap { $0.raw?.key })
    let prefixes = Set(known.map { String($0.id.prefix(12)) })
    var found: [Node: [RawBatch]] = [:]
    for object in try await store.list("raw/") where !named.contains(object.key) {
      guard let name = RawName(object.key), !prefixes.contains(name.batch) else { continue }
      let owners = nodes.filter { $0.label == name.label }.sorted { $0.key < $1.key }
      guard !owners.isEmpty else { continue }
      var batch: RawBatch?
      for node in owners where batch == nil {
        let guess = BatchGuess(node: node, folders: folders, streams: streams, rotated: name.seconds)
        if let facts = try await rebuilder.rebuild(name.batch, raw: object.key, guess) {
          batch = RawBatch(node: node, facts: facts)
        }
      }
      if let batch {
        guard !isElsewhere(batch.facts, batch.node) else { continue }
        found[batch.node, default: []].append(batch)
      } else {
        steps.append(
          RecoveryStep(
            .rawLeft, object.key,
            "The raw object \(object.key) belongs to no batch that is known, and can't be read or told what it was.",
            "It stays. Look at it: it may hold lines that are nowhere else.", state: .impossible))
      }
    }
    for (node, batches) in found.sorted(by: { $0.key.key < $1.key.key }) {
      steps.append(
        RecoveryStep(
          .rawLeft, "\(node)",
          "The node \(node)\(why(node)) has uploaded the raw objects of \(counted(batches.count, "batch", plural: "batches")) and not reported them.",
          "Write data files from them, and commit them.", .writeAgain(batches, areProven: false)))
    }
  }

  /// What a node that is gone said of files that it did not archive.
  mutating func planLostFiles() {
    for (node, report) in survey.newest.sorted(by: { $0.key.key < $1.key.key }) where isGone(node) {
      let files = report.passedOver.filter { $0.isGap || $0.reason == .waiting }
      guard !files.isEmpty || !report.failures.isEmpty else { continue }
      let names = files.prefix(5).map { printable($0.file) } + report.failures.prefix(5).map { printable($0) }
      steps.append(
        RecoveryStep(
          .filesLost, "\(node)",
          "The node \(node)\(why(node)) had files that it did not archive: \(names.joined(separator: "; ")).",
          "They are on its disk, if anywhere.", state: .left))
    }
  }
}

/// What the name of a raw object says.
struct RawName {
  /// The first twelve digits of the batch's id.
  var batch: String
  var label: String
  /// The seconds of the minute of its rotation.
  var seconds: [Int64]

  init?(_ key: String) {
    let parts = key.split(separator: "/").map(String.init)
    let ending = ".json.gz"
    guard parts.count == 4, parts[0] == "raw", parts[2].utf8.count == 12, parts[3].hasSuffix(ending) else {
      return nil
    }
    let words = parts[3].dropLast(ending.count).split(separator: "-")
    guard words.count >= 3, words[words.count - 2] == "RAW", let stamp = words.last, stamp.utf8.count == 12,
      stamp.utf8.allSatisfy({ (0x30...0x39).contains($0) })
    else { return nil }
    let digits = Array(stamp)
    func part(_ range: Range<Int>) -> String { String(digits[range]) }
    guard
      let minute = timestamp(
        of: "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(8..<10)):\(part(10..<12)):00Z")
    else { return nil }
    batch = parts[2]
    label = words.dropLast(2).joined(separator: "-")
    seconds = (0..<60).map { minute.seconds + $0 }
  }
}
