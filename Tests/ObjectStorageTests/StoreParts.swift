import Files
import HTTP
import Support
import TestSupport
import Testing

@testable import ObjectStorage

/// The stores that keep the same promises.
enum StoreKind: String, CaseIterable, CustomTestStringConvertible {
  case folder
  /// Checks signatures, honours no condition.
  case rclone
  /// Honours conditions, checks no signature.
  case moto

  var testDescription: String { rawValue }
  static let servers: [StoreKind] = [.rclone, .moto]
}

/// A bucket of its own, or a folder.
func withStore(
  _ kind: StoreKind, _ body: (any ObjectStore, String) async throws -> Void
) async throws {
  try await withScratch { folder in
    switch kind {
    case .folder: try await body(DirectoryStore(root: joined(folder, "store")), folder)
    case .rclone, .moto: try await body(try await s3Store(kind), folder)
    }
  }
}

func withS3(_ kind: StoreKind, _ body: (S3Store, String) async throws -> Void) async throws {
  try await withScratch { folder in try await body(try await s3Store(kind), folder) }
}

/// A store under a prefix of a new bucket.
func s3Store(_ kind: StoreKind, keys: AccessKeys? = nil) async throws -> S3Store {
  let server = kind == .moto ? try await TestServers.shared.moto() : try await TestServers.shared.rclone()
  let bucket = "bucket-\(randomName())"
  let owner = AccessKeys(id: server.keyID, secret: server.secret)
  func store(_ url: String, _ keys: AccessKeys) throws -> S3Store {
    var settings = S3Store.Settings()
    settings.isConditional = kind == .moto
    let location = try S3Location(url: url, endpoint: server.endpoint, region: nil, style: nil)
    return S3Store(location, http: try HTTPClient(), keys: KeySource(keys), settings: settings)
  }
  _ = try await store("s3://\(bucket)", owner).client.send(S3Request(.put, nil), "make the bucket")
  return try store("s3://\(bucket)/some/prefix", keys ?? owner)
}

func randomContent(_ count: Int, seed: UInt64) -> [UInt8] {
  var random = SeededRandom(seed: seed)
  return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}
