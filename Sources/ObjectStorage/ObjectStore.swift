// Where objects are kept: put, put-if-absent, get, range, list, delete, stat.

import Files
public import Support

/// An object store under a prefix. Keys are relative to it, with `/` between parts, and never begin with one.
///
/// Safe to use from many tasks at once.
public protocol ObjectStore: Sendable {
  /// The store's own URL as table metadata and reports name it, without a slash at its end: `file:///srv/archive`, `s3://bucket/prefix`.
  var url: String { get }

  /// The key of an object by its URL, or nil when it lies where this store can't ask for it.
  func key(of url: String) -> String?
  /// The URL of an object.
  func url(of key: String) -> String
  /// Lets objects under this URL be addressed too, where the store can ask for them with its own credentials.
  func reach(_ url: String) throws(Failure)

  /// Writes the object, replacing one that is there.
  func put(_ bytes: [UInt8], at key: String) async throws(Failure)
  /// Writes the object from a file.
  func put(file path: String, at key: String) async throws(Failure)
  /// Writes the object from a file that nobody needs any more: it is gone afterwards. Where the store can take it as it is, nothing is copied.
  func put(moving path: String, at key: String) async throws(Failure)
  /// Writes the object unless one is there. False when one is, whatever its content.
  func putIfAbsent(_ bytes: [UInt8], at key: String) async throws(Failure) -> Bool
  /// The whole object, at most so many bytes; nil when there is none.
  func get(_ key: String, limit: ByteCount) async throws(Failure) -> [UInt8]?
  /// The object's bytes into a file that must not exist yet; false when there is no object.
  func get(_ key: String, toFile path: String) async throws(Failure) -> Bool
  /// The same of an object that nobody asks for again: where nothing has to be copied for it, it is gone then.
  func take(_ key: String, toFile path: String) async throws(Failure) -> Bool
  /// Some of the object's bytes; fewer only at its end.
  func range(_ key: String, from offset: Int64, count: Int) async throws(Failure) -> [UInt8]?
  /// Keys that begin with the prefix and, by their bytes, come after the other key; sorted by their bytes. What comes before costs nothing.
  func list(_ prefix: String, after key: String) async throws(Failure) -> [ObjectInfo]
  func stat(_ key: String) async throws(Failure) -> ObjectInfo?
  /// Removes the object; one that is not there is no error.
  func delete(_ key: String) async throws(Failure)
  /// Removes many, with as few questions as the store takes.
  func delete(_ keys: [String]) async throws(Failure)
  /// Asks for an object that lies in cold storage (`store.frozen`) to be made readable for a week. False when that was asked for before.
  func thaw(_ key: String) async throws(Failure) -> Bool
  /// Removes what uploads that were begun before the moment and never ended have left. How many there were.
  func abortUploads(before moment: Instant) async throws(Failure) -> Int
}

public struct ObjectInfo: Sendable, Equatable {
  public var key: String
  public var size: Int64
  public var modified: Instant

  public init(key: String, size: Int64, modified: Instant) {
    self.key = key
    self.size = size
    self.modified = modified
  }
}

extension ObjectStore {
  public func delete(_ keys: [String]) async throws(Failure) {
    for key in keys { try await delete(key) }
  }
  public func thaw(_ key: String) async throws(Failure) -> Bool { false }
  public func abortUploads(before moment: Instant) async throws(Failure) -> Int { 0 }

  public func put(moving path: String, at key: String) async throws(Failure) {
    try await put(file: path, at: key)
    try? removeFile(path)
  }

  public func take(_ key: String, toFile path: String) async throws(Failure) -> Bool {
    try await get(key, toFile: path)
  }

  /// Keys that begin with the prefix, sorted by their bytes.
  public func list(_ prefix: String) async throws(Failure) -> [ObjectInfo] {
    try await list(prefix, after: "")
  }

  public func url(of key: String) -> String { url + "/" + key }
  public func reach(_ url: String) throws(Failure) {}
  public func key(of url: String) -> String? { key(under: self.url, of: url) }

  /// `file:/x`, `file:///x` and a bare path name the same file: catalogs write all three.
  func key(under base: String, of url: String) -> String? {
    func plain(_ text: String) -> String {
      for scheme in ["file://", "file:"] where text.hasPrefix(scheme) {
        return String(text.dropFirst(scheme.count))
      }
      return text.hasPrefix("s3a://") ? "s3://" + text.dropFirst(6) : text
    }
    let prefix = plain(base) + "/"
    let whole = plain(url)
    guard whole.utf8.starts(with: prefix.utf8) else { return nil }
    let key = String(Substring(whole.utf8.dropFirst(prefix.utf8.count)))
    return isProperKey(key) ? key : nil
  }
}

/// Whether the key is one that a store accepts: parts that are not empty and begin with no dot (those are uploads that are going on, and
/// never listed), without control characters, at most 1,024 bytes.
public func isProperKey(_ key: String) -> Bool {
  guard key.utf8.count <= 1024, !key.isEmpty else { return false }
  // By bytes: to Swift a slash and an accent behind it are one Character, and '../' with one behind it would pass.
  return key.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy { part in
    !part.isEmpty && part.first != UInt8(ascii: ".") && part.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
  }
}
