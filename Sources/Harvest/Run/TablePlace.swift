import Iceberg
import ObjectStorage
import Support

extension Catalog {
  /// Where data files go. Refuses a table that isn't ours, and one whose data path the nodes' store can't be asked for.
  func dataPath(in store: any ObjectStore) async throws(Failure) -> String {
    let loaded = try await load()
    if let loaded { try loaded.checkOurs(name: table) }
    let path: String
    if let loaded { path = loaded.dataPath } else { path = try await newLocation() + "/data" }
    guard store.key(of: path) != nil else {
      throw Failure(
        "table.elsewhere",
        "The table \(table) keeps its data in \(path), which lies outside the store \(store.url).",
        remedy: "Name the store that holds the table with 'store.url'.")
    }
    return path
  }
}
