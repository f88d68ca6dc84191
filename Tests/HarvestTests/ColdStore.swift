import ObjectStorage
import Support

/// A store that keeps its raw objects where they can't be read at once.
struct ColdStore: ObjectStore {
  let inner: any ObjectStore
  var url: String { inner.url }

  func get(_ key: String, toFile path: String) async throws(Failure) -> Bool {
    guard !key.hasPrefix("raw/") else { throw Failure("store.frozen", "It lies in cold storage.") }
    return try await inner.get(key, toFile: path)
  }

  func get(_ key: String, limit: ByteCount) async throws(Failure) -> [UInt8]? {
    try await inner.get(key, limit: limit)
  }
  func put(_ bytes: [UInt8], at key: String) async throws(Failure) { try await inner.put(bytes, at: key) }
  func put(file path: String, at key: String) async throws(Failure) {
    try await inner.put(file: path, at: key)
  }
  func putIfAbsent(_ bytes: [UInt8], at key: String) async throws(Failure) -> Bool {
    try await inner.putIfAbsent(bytes, at: key)
  }
  func range(_ key: String, from offset: Int64, count: Int) async throws(Failure) -> [UInt8]? {
    try await inner.range(key, from: offset, count: count)
  }
  func list(_ prefix: String, after key: String) async throws(Failure) -> [ObjectInfo] {
    try await inner.list(prefix, after: key)
  }
  func stat(_ key: String) async throws(Failure) -> ObjectInfo? { try await inner.stat(key) }
  func delete(_ key: String) async throws(Failure) { try await inner.delete(key) }
}
