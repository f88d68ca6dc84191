import DuckDB
import Files
import Iceberg
import Logs
import ObjectStorage
import Support

extension RecoveryPlanner {
  // MARK: rows that no proof names

  mutating func planStrangers() async throws(Failure) {
    let ids = state.counts.keys.filter { survey.index.batches[$0] == nil && !pending.contains($0) }.sorted()
    let run = newRunID(at: clock.now())
    var found: [ProvenBatch] = []
    var isWhole = true
    if !ids.isEmpty {
      let reported = Dictionary(
        survey.bundles.values.flatMap { bundle in bundle.batches.map { ($0.id, (bundle, $0)) } },
        uniquingKeysWith: { first, _ in first })
      let places = try await batchPlaces()
      for id in ids {
        var batch: ProvenBatch?
        if let (bundle, facts) = reported[id] {
          batch = ProvenBatch(facts: facts, node: bundle.node, bundle: bundle.id, run: run)
        } else if let place = places[id], place.count == 1 {
          batch = try await rebuilt(id, place[0], run)
          if batch == nil, scope.trustsTable { batch = trusted(id, place[0], run) }
        }
        guard let batch else {
          isWhole = false
          steps.append(
            RecoveryStep(
              .rowsUnproven, id,
              "The table holds \(grouped(state.rows(id))) rows of the batch \(printable(String(id.prefix(12)))), and nothing in the store says what file it was.",
              "Bring runs/ or raw/ back from a backup. If there is none, --trust-table takes the table's word; no file is deleted for that. If somebody else wrote the rows, delete them from the table.",
              state: .impossible))
          continue
        }
        guard state.holds(batch.facts) else {
          isWhole = false
          addOdd(batch.facts)
          continue
        }
        found.append(reproven(batch.facts, batch.node, bundle: batch.bundle, run: run))
      }
    }
    if !found.isEmpty {
      for batch in found { survey.index.batches[batch.facts.id] = batch }
      let rows = found.reduce(0) { $0 + $1.facts.rows }
      steps.append(
        RecoveryStep(
          .rowsUnproven, run,
          "The table holds \(grouped(rows)) rows of \(counted(found.count, "batch", plural: "batches")) that no proof names; reports and raw objects say what they are.",
          "Write a proof of them.", .prove(proof(run, found))))
    }
    for run in lost {
      let what =
        "The table says that the run \(run) is committed, and the store has neither its plan nor its proof."
      steps.append(
        isWhole
          ? RecoveryStep(
            .runLost, run, what, "Close it with a proof of its own: all rows of the table are proven.",
            .prove(proof(run, [])))
          : RecoveryStep(
            .runLost, run, what, "First the rows above have to be accounted for.", state: .impossible))
    }
  }

  private struct BatchPlace {
    var node: Node
    var stream: String
    var rotated: Int64
  }

  private func batchPlaces() async throws(Failure) -> [String: [BatchPlace]] {
    guard let table = state.table else { return [:] }
    let rows = try await duckdb.run(
      [batchPlacesStatement("iceberg_scan(\(catalog.metadataURL(of: table)))")],
      DuckDB.Settings(memory: .gibibytes(1), load: ["avro", "iceberg"], deadline: .after(seconds: 1800)))
    var places: [String: [BatchPlace]] = [:]
    for row in rows.first ?? [] {
      guard let batch = row["batch"]?.string, let region = row["region"]?.string,
        let zone = row["zone"]?.string, let name = row["node"]?.string, let stream = row["stream"]?.string,
        let rotated = row["rotated"]?.integer
      else { continue }
      places[batch, default: []].append(
        BatchPlace(node: Node(region: region, zone: zone, name: name), stream: stream, rotated: rotated))
    }
    return places
  }

  private func rebuilt(_ id: String, _ place: BatchPlace, _ run: String) async throws(Failure) -> ProvenBatch?
  {
    guard (try? place.node.validate()) != nil else { return nil }
    let raw = BatchObjects(node: place.node, batch: id, rotated: Instant(seconds: place.rotated)).raw
    let guess = BatchGuess(
      node: place.node, folders: folders, streams: [place.stream], rotated: [place.rotated])
    guard let facts = try await rebuilder.rebuild(id, raw: raw, guess) else { return nil }
    return ProvenBatch(facts: facts, node: place.node, bundle: "", run: run)
  }

  /// What the table alone says of a batch. Without a digest no ledger agrees with it, so that no file is ever deleted on it.
  private func trusted(_ id: String, _ place: BatchPlace, _ run: String) -> ProvenBatch {
    let malformed = state.counts[id]?.malformed ?? 0
    let facts = BatchFacts(
      id: id, folder: "", file: place.stream, stream: place.stream, rotated: place.rotated, digest: "",
      bytes: 0, lines: state.rows(id), blank: 0, malformed: malformed, entries: state.rows(id) - malformed)
    return ProvenBatch(facts: facts, node: place.node, bundle: "", run: run)
  }

  // MARK: proven rows that are gone

  mutating func planRows() async throws(Failure) {
    let proven = survey.index.batches.values.filter { $0.facts.rows > 0 }
    let others = state.snapshotsBySequence(proven)
    let bundles = Dictionary(grouping: proven, by: \.bundle)
    var whole: [StagedBundle] = []
    var parts: [RawBatch] = []
    var left: [(batch: ProvenBatch, fate: TableState.Fate)] = []
    var taken: Set<String> = []
    var impossible: [RecoveryStep] = []
    for id in bundles.keys.sorted() {
      let batches = (bundles[id] ?? []).sorted { $0.facts.id < $1.facts.id }
      for batch in batches where state.rows(batch.facts.id) > 0 && !state.holds(batch.facts) {
        impossible.append(partlyThere(batch))
      }
      var gone: [ProvenBatch] = []
      for batch in batches where state.rows(batch.facts.id) == 0 {
        let fate = state.fate(of: batch, others: others)
        if fate == .forgotten || scope.bringsBackRemoved {
          gone.append(batch)
        } else {
          left.append((batch, fate))
        }
      }
      if let first = gone.first, let bundle = try await stagedBundle(id, run: first.run),
        Set(bundle.batches.filter { $0.rows > 0 }.map(\.id)).isSubset(of: gone.map(\.facts.id)),
        taken.isDisjoint(with: bundle.batches.map(\.id))
      {
        whole.append(bundle)
        taken.formUnion(bundle.batches.map(\.id))
        continue
      }
      for batch in gone where taken.insert(batch.facts.id).inserted {
        if let raw = batch.facts.raw, try await store.stat(raw.key) != nil {
          parts.append(RawBatch(node: batch.node, facts: batch.facts))
        } else {
          impossible.append(
            RecoveryStep(
              .rowsForgotten, batch.facts.id,
              "The table has lost the \(grouped(batch.facts.rows)) rows of the batch \(batch.facts.id.prefix(12)) (\(batch.node), \(printable(batch.facts.file))), and its data file and its raw object are gone.",
              "Bring either back from a backup, then run this again.", state: .impossible))
        }
      }
    }
    bringBack(whole, parts)
    leave(left.filter { $0.fate == .removed }.map(\.batch), "as far as can be seen, somebody took them out")
    leave(left.filter { $0.fate == .missing }.map(\.batch), "and nobody is known to have taken them out")
    steps += impossible
  }

  private func partlyThere(_ batch: ProvenBatch) -> RecoveryStep {
    let isTooMuch = state.rows(batch.facts.id) > batch.facts.rows
    return RecoveryStep(
      .rowsOdd, batch.facts.id,
      "The table holds \(grouped(state.rows(batch.facts.id))) rows of the batch \(batch.facts.id.prefix(12)), and its file had \(grouped(batch.facts.rows)).",
      isTooMuch
        ? "Somebody appended them again: delete the surplus rows from the table."
        : "If it was not on purpose: delete the rest of its rows from the table, then run this again with --removed.",
      state: isTooMuch ? .impossible : .left)
  }

  private mutating func bringBack(_ whole: [StagedBundle], _ parts: [RawBatch]) {
    if !whole.isEmpty {
      let rows = whole.reduce(0) { $0 + $1.rows }
      let files = whole.reduce(0) { $0 + $1.dataFiles.count }
      steps.append(
        RecoveryStep(
          .rowsForgotten, catalog.table,
          "The table has lost \(grouped(rows)) proven rows of \(counted(whole.count, "bundle")); their data files are still in the store.",
          "Append the \(counted(files, "data file")) again, in one snapshot.", .appendAgain(whole)))
    }
    if !parts.isEmpty {
      let rows = parts.reduce(0) { $0 + $1.facts.rows }
      steps.append(
        RecoveryStep(
          .rowsForgotten, catalog.table,
          "The table has lost \(grouped(rows)) proven rows of \(counted(parts.count, "batch", plural: "batches")), and not their whole bundles, or the data files are gone, too.",
          "Write data files from their raw objects, and append them in one snapshot.",
          .writeAgain(parts, areProven: true)))
    }
  }

  /// Rows that are gone, by their day: it is by days that an archive is thinned out.
  private mutating func leave(_ removed: [ProvenBatch], _ why: String) {
    let days = Dictionary(grouping: removed) { Instant(seconds: $0.facts.rotated).dateText }
    for (day, batches) in days.sorted(by: { $0.key < $1.key }) {
      let rows = batches.reduce(0) { $0 + $1.facts.rows }
      steps.append(
        RecoveryStep(
          .rowsRemoved, day,
          "\(grouped(rows)) proven rows of \(counted(batches.count, "batch", plural: "batches")) rotated on \(day) are no longer in the table, \(why).",
          "Nothing: a day that was dropped on purpose looks like this. --removed brings them back.",
          state: .left))
    }
  }

  /// The bundle as its plan has it, if all of its data files are in the store and none is in the table.
  private func stagedBundle(_ id: String, run: String) async throws(Failure) -> StagedBundle? {
    // A reader may apply a delete file to a data file of that name, however much later it was added.
    if let deletes = state.table?.currentSnapshot?.summary("total-delete-files"), deletes != "0" {
      return nil
    }
    let plan: Plan?
    if let there = survey.plans[run] {
      plan = there
    } else {
      plan = try? await RunStore(store: store).plan(run)
    }
    guard let bundle = plan?.bundles.first(where: { $0.id == id }),
      contradiction(in: bundle, dataPath: dataPath) == nil, try await store.holds(bundle.dataFiles),
      !bundle.dataFiles.contains(where: { file in state.files.contains { $0.url == file.url } })
    else { return nil }
    return bundle
  }
}
