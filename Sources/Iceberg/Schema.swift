// The table as the Iceberg specification (format version 2) wants it: schema, snapshots, manifests, and the catalogs that keep them.

import Support

/// A column of the archive's table.
public struct TableColumn: Sendable, Equatable {
  public enum Kind: String, Sendable { case string, long, timestamptz }

  public var id: Int
  public var name: String
  public var kind: Kind
  public var isRequired: Bool
}

/// The columns of `logs.events`, in order (docs/table.md).
public let tableColumns: [TableColumn] = [
  .init(id: 1, name: "ts", kind: .timestamptz, isRequired: false),
  .init(id: 2, name: "service", kind: .string, isRequired: false),
  .init(id: 3, name: "category", kind: .string, isRequired: false),
  .init(id: 4, name: "message", kind: .string, isRequired: false),
  .init(id: 5, name: "id", kind: .string, isRequired: false),
  .init(id: 6, name: "version", kind: .string, isRequired: false),
  .init(id: 7, name: "region", kind: .string, isRequired: true),
  .init(id: 8, name: "zone", kind: .string, isRequired: true),
  .init(id: 9, name: "node", kind: .string, isRequired: true),
  .init(id: 10, name: "stream", kind: .string, isRequired: true),
  .init(id: 11, name: "rotated", kind: .timestamptz, isRequired: true),
  .init(id: 12, name: "batch", kind: .string, isRequired: true),
  .init(id: 13, name: "line", kind: .long, isRequired: true),
  .init(id: 14, name: "extra", kind: .string, isRequired: false),
  .init(id: 15, name: "malformed", kind: .string, isRequired: false),
  .init(id: 16, name: "text", kind: .string, isRequired: false),
]

let schemaID: Int64 = 0

/// The schema as table metadata holds it.
func schemaJSON() -> JSONValue {
  [
    "type": "struct", "schema-id": 0, "identifier-field-ids": [],
    "fields": .array(
      tableColumns.map {
        [
          "id": .integer(Int64($0.id)), "name": .string($0.name), "required": .bool($0.isRequired),
          "type": .string($0.kind.rawValue),
        ]
      }),
  ]
}

/// day(rotated), region.
func partitionSpecJSON() -> JSONValue {
  [
    "spec-id": 0,
    "fields": [
      ["source-id": 11, "field-id": 1000, "name": "rotated_day", "transform": "day"],
      ["source-id": 7, "field-id": 1001, "name": "region", "transform": "identity"],
    ],
  ]
}

/// Checks that a table is one that we may append to, and finds the partition spec to write under.
///
/// The spec is found by its source ids and transforms, whatever its id: to write under another gives wrong answers without an error.
/// - Throws: `table.foreign`, with what differs.
func checkOurs(_ metadata: JSONValue, table: String) throws(Failure) -> PartitionSpec {
  func foreign(_ what: String) -> Failure {
    Failure(
      "table.foreign", "The table \(table) is not one that Gadwall may append to: \(what).",
      remedy:
        "Name another table with 'table' in the configuration, or bring this one back to the form of docs/table.md."
    )
  }
  guard metadata["format-version"]?.integer == 2 else {
    throw foreign(
      "its format version is \(metadata["format-version"]?.integer.map(String.init) ?? "unknown"), not 2")
  }
  guard let current = metadata["current-schema-id"]?.integer,
    let schema = metadata["schemas"]?.array?.first(where: { $0["schema-id"]?.integer == current }),
    let fields = schema["fields"]?.array
  else { throw foreign("it names no current schema") }
  for column in tableColumns {
    guard let field = fields.first(where: { $0["id"]?.integer == Int64(column.id) }) else {
      throw foreign("the column '\(column.name)' (id \(column.id)) is missing")
    }
    guard field["name"]?.string == column.name else {
      throw foreign(
        "the column with id \(column.id) is called '\(printable(field["name"]?.string ?? "?"))', not '\(column.name)'"
      )
    }
    guard field["type"]?.string == column.kind.rawValue else {
      throw foreign(
        "the column '\(column.name)' is \(field["type"]?.string ?? "nested"), not \(column.kind.rawValue)")
    }
    guard field["required"]?.bool == column.isRequired else {
      throw foreign("the column '\(column.name)' is \(column.isRequired ? "optional" : "required")")
    }
  }
  if let other = fields.first(where: { field in
    !tableColumns.contains { Int64($0.id) == field["id"]?.integer }
  }) {
    throw foreign("it has another column, '\(printable(other["name"]?.string ?? "?"))'")
  }
  let wanted: [(Int64, String)] = [(11, "day"), (7, "identity")]
  let ours = metadata["partition-specs"]?.array?.first { spec in
    guard let fields = spec["fields"]?.array, fields.count == wanted.count else { return false }
    return zip(fields, wanted).allSatisfy {
      $0["source-id"]?.integer == $1.0 && $0["transform"]?.string == $1.1
    }
  }
  guard let ours, let id = ours["spec-id"]?.integer, let specFields = ours["fields"]?.array,
    specFields.count == 2,
    let dayID = specFields[0]["field-id"]?.integer, let dayName = specFields[0]["name"]?.string,
    let regionID = specFields[1]["field-id"]?.integer, let regionName = specFields[1]["name"]?.string
  else { throw foreign("it has no partition spec of day(rotated), region") }
  guard let snapshot = metadata["current-snapshot-id"]?.integer, snapshot != -1 else {
    throw foreign("it exists and has no snapshot; not every catalog refuses a second first one")
  }
  // Without it there is no manifest list to carry over, and the next snapshot would hold the new files alone.
  guard metadata["snapshots"]?.array?.contains(where: { $0["snapshot-id"]?.integer == snapshot }) == true
  else {
    throw foreign("its current snapshot \(snapshot) is not among its snapshots")
  }
  guard (0..<Int64.max).contains(metadata["last-sequence-number"]?.integer ?? 0) else {
    throw foreign("no sequence number comes after its last one")
  }
  return PartitionSpec(
    id: id, dayFieldID: dayID, dayName: dayName, regionFieldID: regionID, regionName: regionName,
    json: .array(specFields),
    schema: schema)
}

/// The spec to write under, as the table's metadata has it.
struct PartitionSpec: Sendable, Equatable {
  var id: Int64
  var dayFieldID: Int64
  var dayName: String
  var regionFieldID: Int64
  var regionName: String
  /// The list of its fields.
  var json: JSONValue
  /// The table's current schema.
  var schema: JSONValue
}

/// The spec of a table that is about to be created.
func newSpec() -> PartitionSpec {
  PartitionSpec(
    id: 0, dayFieldID: 1000, dayName: "rotated_day", regionFieldID: 1001, regionName: "region",
    json: partitionSpecJSON()["fields"]!, schema: schemaJSON())
}
