import Support

/// All that the configuration file says, with defaults where it says nothing (docs/config.md).
public struct Configuration: Sendable {
  public struct LocalNode: Sendable, Equatable {
    public var region: String
    public var zone: String
    public var name: String
    public var root: String
    public var mark: Mark
  }

  public enum EngineKind: String, Sendable, CaseIterable { case local, bacalhau }

  /// What the engine `bacalhau` has to know.
  public struct Bacalhau: Sendable, Equatable {
    public enum Network: String, Sendable, CaseIterable { case host, bridge, none }

    public struct Mount: Sendable, Equatable {
      public var path: String
      public var isWritable: Bool
    }

    /// `http://host:1234`, without a slash at its end.
    public var api = "http://127.0.0.1:1234"
    public var image = ""
    public var mounts = [
      Mount(path: "/var/logs", isWritable: true), Mount(path: "/var/lib/gadwall", isWritable: true),
      Mount(path: "/etc/gadwall", isWritable: false),
    ]
    public var network = Network.host
    public var cpu = "500m"
    public var memory = "768MiB"
    /// A file with the API key; nil when the environment says it, or nobody has to.
    public var keyFile: String?
    /// A file with the certificates that the API's is signed with.
    public var authority: String?
  }
  public enum CatalogKind: String, Sendable, CaseIterable { case directory, rest }
  /// AWS's services that sign requests to their REST catalogs.
  public enum CatalogSigning: String, Sendable, CaseIterable { case glue, s3tables }

  /// How a bucket is named in URLs: `host/bucket` or `bucket.host`.
  public enum StoreStyle: String, Sendable, CaseIterable { case path, virtual }

  /// Where a value comes from.
  public enum Source: Sendable, Equatable, CustomStringConvertible {
    case file(Mark)
    case standard

    public var description: String {
      switch self {
      case .file(let mark): "line \(mark.line)"
      case .standard: "default"
      }
    }
  }

  /// The file it was read from, absolute.
  public var path: String
  public var engine = EngineKind.local
  public var nodes: [LocalNode] = []
  public var bacalhau = Bacalhau()
  public var live = ["var/log/app/*.log"]
  public var rotated = ["var/logs/raw_logs/*"]
  public var settleSeconds = 60.0
  public var urgentWhere = "category = 'SECURITY' OR contains(text, 'SECURITY')"
  public var urgentShow = 100
  /// `file://` and an absolute path, or `s3://bucket/prefix`; without a slash at its end.
  public var storeURL = ""
  /// Of an S3 server that is not AWS's own: `https://host:port`.
  public var storeEndpoint: String?
  public var storeRegion: String?
  public var storeStyle: StoreStyle?
  /// S3's storage classes by kind of object: raw, alerts, runs, warehouse.
  public var storageClasses: [String: String] = [:]
  public var catalog = CatalogKind.directory
  /// Of a REST catalog.
  public var catalogURI: String?
  public var catalogWarehouse: String?
  public var catalogScope: String?
  public var catalogTokenURI: String?
  public var catalogSigning: CatalogSigning?
  /// Namespace and name, `["logs", "events"]`.
  public var table = ["logs", "events"]
  public var keepSeconds = 0.0
  public var duckdbPath: String?
  /// Of each value, by its key's full name.
  public var sources: [(key: String, value: String, source: Source)] = []

  init(path: String) { self.path = path }
}
