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
    try store.reach(path)
    guard let key = store.key(of: path) else { throw elsewhere(path, store) }
    // Nothing is staged for a place that the nodes could not write to.
    if !path.hasPrefix(store.url + "/"), !store.url.hasPrefix("file:") {
      let probe = "\(key)/gadwall-probe"
      do throws(Failure) {
        try await store.put(Array("Whether the table's files can be written.\n".utf8), at: probe)
      } catch {
        guard ["store.denied", "store.bucket", "store.refused", "store.region"].contains(error.code) else {
          throw error
        }
        throw elsewhere(path, store, words: error.words)
      }
      // Who may not delete leaves it there; it is the same each time.
      try? await store.delete(probe)
    }
    return path
  }

  private func elsewhere(_ path: String, _ store: any ObjectStore, words: String = "") -> Failure {
    Failure(
      "table.elsewhere",
      "The table \(table) keeps its data in \(path), which the keys of the store \(store.url) do not reach.",
      remedy: "Permit it, or name a store that holds the table with 'store.url'.", words: words)
  }
}
