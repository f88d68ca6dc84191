import Support

@testable import DuckDB
@testable import Iceberg

extension Property {
  /// A table's metadata is never more than refused, and a change made to it is in what comes out.
  static let metadata = Property(
    "metadata", .json,
    words: [
      "\"snapshots\":", "\"snapshot-id\":", "\"properties\":", "\"refs\":", "\"fields\":", "\"location\":",
      "\"gadwall.committed.x\":", "\"current-snapshot-id\":-1", "null", "[]", "{}", "file:/",
    ],
    seeds: {
      let first = applied(change(id: 5), to: nil, previous: nil, location: "file:///w/t", uuid: "u")
      let second = applied(
        change(id: 6), to: first, previous: "file:///w/t/metadata/v1.metadata.json", location: "", uuid: "")
      return [first.encoded, second.encoded]
    },
    check: { bytes in
      guard let json = try? JSONValue(parsing: bytes) else { return }
      let table = LoadedTable(metadata: json, version: 1)
      let marks = [table.location, table.dataPath, table.metadataPath, table.uuid]
      try hold(marks.allSatisfy { !$0.hasSuffix("//") || json.text.contains("//") }, "a slash was made up")
      _ = table.currentSnapshot.map { ($0.id, $0.sequence, $0.manifestList, $0.summary("gadwall.run")) }
      let runs = table.committedRuns
      try hold(table.summarizedRuns.keys.allSatisfy { runs[$0] != nil }, "a summary's run is lost")
      if let spec = try read({ try checkOurs(json, table: "logs.events") }) {
        _ = manifestStatement(rows: "r", to: "m", snapshot: 1, spec: spec).text
        try hold(table.currentSnapshot != nil, "a table without a snapshot is taken for ours")
      }
      let made = applied(change(id: 77), to: json, previous: "file:///v", location: "file:///w", uuid: "u")
      guard json.object != nil else { return }
      let after = LoadedTable(metadata: made, version: 2)
      try hold(after.currentSnapshotID == 77 && after.snapshot(77) != nil, "the new snapshot is not there")
      try hold(after.committedRuns["run77"]?.snapshot == 77, "the run's marker is not there")
      try hold(try JSONValue(parsing: made.encoded) == made, "what is written is not read the same")
      let touched: Set = [
        "snapshots", "snapshot-log", "metadata-log", "refs", "properties", "current-snapshot-id",
        "last-sequence-number", "last-updated-ms",
      ]
      for (key, value) in json.object ?? [:] where !touched.contains(key) {
        try hold(made.object?[key] == value, "\(key) did not survive")
      }
    })

  /// What DuckDB prints is rows or an error, and warnings in between take nothing away.
  static let duckdbOutput = Property(
    "duckdb-output", .json, words: ["[", "]", "[{", "}]", "\"", "\\", "\u{1B}[31m", "\u{1B}[0m", "null"],
    seeds: {
      utf8(
        "[{\"a\":1,\"b\":null},\n{\"a\":\"]\\\"[\",\"b\":[1,{\"c\":2}]}]\n",
        "[{\"n\":1}]\n[]\nWARNING: x\n[{\"n\":2}]\n",
        "\u{1B}[33mWARNING\u{1B}[0m\n\u{1B}[0m[{\"n\":1}]\n", "[{\"n\":1}")
    },
    check: { bytes in
      guard let sets = try read({ try resultSets(bytes) }) else { return }
      let written = sets.map { JSONValue.array($0).encoded + [0x0A] }
      let noisy = Array(written.joined(separator: Array("\u{1B}[33mWARNING: [x\u{1B}[0m\n".utf8)))
      try hold(try resultSets(noisy) == sets, "what was printed again is not read the same")
    })

  /// JSON that is read is read the same when it is written again.
  static let jsonValue = Property(
    "json", .json,
    words: [
      "null", "true", "[", "]", "{", "}", "\"\\u0000\"", "1e5", "-0.0", "0.1", "\\ud83d\\ude00", "\\ud800",
    ],
    seeds: {
      utf8(
        #"{"a":[1,-2,0.5,1e3,true,false,null,"é\n\u0041😀"],"b":{"c":{}}}"#, "9223372036854775807",
        "18446744073709551616", "-0", "\"\\ud83d\\ude00\"", #"{"é":1,"e\u0301":2}"#,
        String(repeating: "[", count: 40) + String(repeating: "]", count: 40))
    },
    check: { bytes in
      guard let value = try? JSONValue(parsing: bytes) else { return }
      let written = value.encoded
      let again = try? JSONValue(parsing: written)
      try hold(again == value, "\(value) comes back as \(String(describing: again))")
      try hold(again?.encoded == written, "it is written in two ways")
      try hold(written.split(separator: 0x0A).count == 1, "it takes more than a line")
      _ = (value["a"]?["b"], value.integer)
    })
}

/// A row of a manifest: bounds are never on the wrong side of the value.
func checkManifestRow(_ file: AppendedFile) throws {
  let row = ManifestRow(file)
  _ = encodeJSON(row)
  for column in tableColumns where column.kind == .string {
    guard let metrics = file.columns[column.name] else { continue }
    if let text = metrics.min, let bound = lowerBound(.string, text) {
      try hold(!Array(text.utf8).lexicographicallyPrecedes(bound), "a lower bound above its value")
    }
    if let text = metrics.max, let bound = upperBound(.string, text) {
      try hold(!bound.lexicographicallyPrecedes(Array(text.utf8)), "an upper bound below its value")
    }
  }
}

private func change(id: Int64) -> TableChange {
  TableChange(
    snapshot: [
      "snapshot-id": .integer(id), "sequence-number": .integer(id), "timestamp-ms": 2000,
      "manifest-list": "file:///w/t/metadata/l.avro",
      "summary": ["operation": "append", "gadwall.run": .string("run\(id)"), "gadwall.left-out": "a,b"],
    ],
    setProperties: [
      CommitMarker.prefix + "run\(id)": CommitMarker(snapshot: id, sequence: id, leftOut: ["a"]).text
    ],
    removeProperties: [CommitMarker.prefix + "run5"])
}
