import Files
import Support

/// What the jobs of a fleet have in common, as the configuration says it.
public struct BacalhauSettings: Sendable, Equatable {
  /// A folder that the nodes allow to be mounted, under the same path in the container.
  public struct Mount: Sendable, Equatable {
    public var path: String
    public var isWritable: Bool

    public init(path: String, isWritable: Bool) {
      self.path = path
      self.isWritable = isWritable
    }
  }

  public enum Network: String, Sendable, CaseIterable {
    case host, bridge, none

    var wireName: String {
      switch self {
      case .host: "Host"
      case .bridge: "Bridge"
      case .none: "None"
      }
    }
  }

  public var image: String
  public var mounts: [Mount]
  public var network: Network
  /// As Bacalhau writes them: `500m`, `768MiB`.
  public var cpu: String
  public var memory: String
  /// Where the program lies in the image.
  static let program = "/usr/bin/gadwall"

  public init(image: String, mounts: [Mount], network: Network, cpu: String, memory: String) {
    self.image = image
    self.mounts = mounts
    self.network = network
    self.cpu = cpu
    self.memory = memory
  }
}

/// One `ops` job: the same container on each of the nodes that it names. Equal values give equal bytes, so that a repeated submit is one.
struct JobSpec: Sendable {
  /// Bacalhau takes a second job of the name for a new version of the first.
  let name: String
  let value: JSONValue
  /// The body of a submit.
  let request: [UInt8]

  /// Every execution embeds the job, and admission gets it in an environment variable, of which Linux allows 128 KiB.
  static let limit = ByteCount.kibibytes(96)

  /// - Parameter nodes: labels `name` of those that are meant.
  /// - Throws: `bacalhau.job-size`.
  init(
    name: String, _ task: NodeTask, storeArguments: [String], on nodes: [String], _ settings: BacalhauSettings
  ) throws(Failure) {
    var arguments =
      ["node", task.kind.rawValue] + storeArguments + ["--task", task.document, "--task-sha256", task.digest]
    // For whom the node lets judge it before it starts; the node itself compares them with the document.
    if let statement = task.statement { arguments += ["--statement", statement] }
    if let columns = task.columns { arguments += ["--columns", columns] }
    // Logs are renamed and deleted by a harvest alone.
    let changesLogs = task.kind != .query
    let mounts = settings.mounts.map { mount -> JSONValue in
      let writes = mount.isWritable && (changesLogs || Self.holdsState(mount.path))
      return [
        "Source": [
          "Type": "localDirectory",
          "Params": ["SourcePath": .string(mount.path), "ReadWrite": .bool(writes)],
        ], "Target": .string(mount.path),
      ]
    }
    let seconds = Int64(max(1, task.seconds.rounded(.up)))
    self.name = name
    value = [
      "Name": .string(name), "Namespace": "default", "Type": "ops",
      "Labels": ["app": "gadwall", "gadwall.task": .string(task.kind.rawValue)],
      "Constraints": [
        ["Key": "name", "Operator": "in", "Values": .array(nodes.sorted().map(JSONValue.string))]
      ],
      "Tasks": [
        [
          "Name": "main",
          "Engine": [
            "Type": "docker",
            "Params": [
              "Image": .string(settings.image), "Entrypoint": [.string(BacalhauSettings.program)],
              "Parameters": .array(arguments.map(JSONValue.string)),
            ],
          ],
          "InputSources": .array(mounts),
          "Resources": ["CPU": .string(settings.cpu), "Memory": .string(settings.memory)],
          "Network": ["Type": .string(settings.network.wireName)],
          "Timeouts": ["ExecutionTimeout": .integer(seconds), "TotalTimeout": .integer(seconds + 60)],
        ]
      ],
    ]
    request = encodeJSON(["Job": value] as JSONValue)
    let size = ByteCount(request.count)
    guard size <= Self.limit else {
      throw Failure(
        "bacalhau.job-size", "The job \(name) has \(size), and may have \(Self.limit).",
        remedy: "Write a shorter statement, or ask fewer nodes at a time, with --region, --zone or --node.")
    }
  }

  /// Whether it is the folder of the node's state, or one below it.
  static func holdsState(_ path: String) -> Bool { isBelow(path, "/var/lib/gadwall") }
}
