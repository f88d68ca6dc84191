import Support

// What the orchestrator's API says, read leniently: unknown fields are passed over, unknown states kept, states taken as numbers or as names.

/// A state, which the API writes as a number for executions and as a name for jobs.
struct WireState: Decodable, Sendable, Equatable {
  enum Kind: Sendable, Equatable {
    case number(Int)
    case name(String)
  }

  var kind: Kind
  var message: String

  private enum CodingKeys: String, CodingKey {
    case kind = "StateType"
    case message = "Message"
  }

  init(kind: Kind, message: String = "") {
    self.kind = kind
    self.message = message
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    message = try container.decodeIfPresent(String.self, forKey: .message) ?? ""
    if let number = try? container.decode(Int.self, forKey: .kind) {
      kind = .number(number)
    } else {
      kind = .name(try container.decodeIfPresent(String.self, forKey: .kind) ?? "Undefined")
    }
  }

  /// Its name among these, which the API numbers from 0; what is none of them, as it came.
  func name(among names: [String]) -> String {
    switch kind {
    case .number(let number): names.indices.contains(number) ? names[number] : "\(number)"
    case .name(let name): names.first { $0.lowercased() == name.lowercased() } ?? name
    }
  }
}

/// A node as `GET /nodes` lists it.
struct WireNode: Decodable, Sendable {
  struct Facts: Decodable, Sendable {
    var nodeID: String
    var nodeType: String?
    var labels: [String: String]?
    var compute: Compute?

    private enum CodingKeys: String, CodingKey {
      case nodeID = "NodeID"
      case nodeType = "NodeType"
      case labels = "Labels"
      case compute = "ComputeNodeInfo"
    }
  }

  struct Compute: Decodable, Sendable {
    var engines: [String]?
    var storages: [String]?
    /// Of one job.
    var most: Resources?
    var available: Resources?

    private enum CodingKeys: String, CodingKey {
      case engines = "ExecutionEngines"
      case storages = "StorageSources"
      case most = "MaxJobRequirements"
      case available = "AvailableCapacity"
    }
  }

  struct Resources: Decodable, Sendable {
    var cpu: Double?
    /// Bytes.
    var memory: Double?

    private enum CodingKeys: String, CodingKey {
      case cpu = "CPU"
      case memory = "Memory"
    }
  }

  struct Link: Decodable, Sendable {
    var status: String?
    var lastHeartbeat: String?

    private enum CodingKeys: String, CodingKey {
      case status = "Status"
      case lastHeartbeat = "LastHeartbeat"
    }
  }

  var facts: Facts
  var membership: String?
  var link: Link?
  /// What `link` says in newer servers.
  var connection: String?

  private enum CodingKeys: String, CodingKey {
    case facts = "Info"
    case membership = "Membership"
    case link = "ConnectionState"
    case connection = "Connection"
  }

  var isCompute: Bool { facts.nodeType.map { $0.lowercased() == "compute" } ?? true }
  var isConnected: Bool { (link?.status ?? connection ?? "").uppercased() == "CONNECTED" }
  /// Empty when the server does not know.
  var isApproved: Bool { ["", "APPROVED"].contains((membership ?? "").uppercased()) }
}

struct WireNodes: Decodable, Sendable {
  var nodes: [WireNode]?

  private enum CodingKeys: String, CodingKey { case nodes = "Nodes" }
}

struct AgentVersion: Decodable, Sendable {
  var text: String

  private enum CodingKeys: String, CodingKey { case text = "GitVersion" }
}

struct WireSubmitted: Decodable, Sendable {
  var job: String

  private enum CodingKeys: String, CodingKey { case job = "JobID" }
}

struct WireJob: Decodable, Sendable {
  var id: String
  var state: WireState

  private enum CodingKeys: String, CodingKey {
    case id = "ID"
    case state = "State"
  }

  private static let states = ["Undefined", "Pending", "Queued", "Running", "Completed", "Failed", "Stopped"]
  var stateName: String { state.name(among: Self.states) }
  var isTerminal: Bool { ["Completed", "Failed", "Stopped"].contains(stateName) }
}

struct WireExecution: Decodable, Sendable {
  struct Output: Decodable, Sendable {
    /// At most 2,048 bytes of each.
    var output: String?
    var errors: String?
    /// 0 for all that have not run to their end, too.
    var status: Int?

    private enum CodingKeys: String, CodingKey {
      case output = "Stdout"
      case errors = "stderr"
      case status = "ExitCode"
    }
  }

  var id: String?
  var node: String
  var computeState: WireState
  var desiredState: WireState?
  var output: Output?

  private enum CodingKeys: String, CodingKey {
    case id = "ID"
    case node = "NodeID"
    case computeState = "ComputeState"
    case desiredState = "DesiredState"
    case output = "RunOutput"
  }

  private static let states = [
    "Undefined", "New", "AskForBid", "AskForBidAccepted", "AskForBidRejected", "BidAccepted", "Running",
    "Publishing", "BidRejected", "Completed", "Failed", "Cancelled",
  ]
  var stateName: String { computeState.name(among: Self.states) }
  var isTerminal: Bool {
    ["AskForBidRejected", "BidRejected", "Completed", "Failed", "Cancelled"].contains(stateName)
      || desiredState?.name(among: ["Pending", "Running", "Stopped"]) == "Stopped"
  }
}

struct WireItems<Item: Decodable & Sendable>: Decodable, Sendable {
  var items: [Item]?

  private enum CodingKeys: String, CodingKey { case items = "Items" }
}

/// A job, with the executions of its newest version when these were asked for.
struct WireJobAnswer: Decodable, Sendable {
  var job: WireJob
  var included: WireItems<WireExecution>?

  private enum CodingKeys: String, CodingKey {
    case job = "Job"
    case included = "Executions"
  }

  var executions: [WireExecution] { included?.items ?? [] }
}

/// Something that happened to a job, or to an execution of it.
struct WireEvent: Decodable, Sendable {
  struct What: Decodable, Sendable {
    var message: String?
    var topic: String?
    var details: [String: JSONValue]?

    private enum CodingKeys: String, CodingKey {
      case message = "Message"
      case topic = "Topic"
      case details = "Details"
    }
  }

  /// RFC 3339.
  var time: String?
  var execution: String?
  var what: What?

  private enum CodingKeys: String, CodingKey {
    case time = "Time"
    case execution = "ExecutionID"
    case what = "Event"
  }

  /// What Bacalhau thinks would help.
  var hint: String? { what?.details?["Hint"]?.string }
}

struct WireHistory: Decodable, Sendable {
  var items: [WireEvent]?
  var next: String?

  private enum CodingKeys: String, CodingKey {
    case items = "Items"
    case next = "NextToken"
  }
}

/// Where something lies that an execution published; which one's it is is not said.
struct WireResult: Decodable, Sendable {
  var type: String?
  var parameters: [String: JSONValue]?

  private enum CodingKeys: String, CodingKey {
    case type = "Type"
    case parameters = "Params"
  }
}

/// What is said instead of an answer. Not every server on the way says it so.
struct WireError: Decodable, Sendable {
  var message: String?
  var component: String?
  var hint: String?
  var details: [String: JSONValue]?

  private enum CodingKeys: String, CodingKey {
    case message = "Message"
    case component = "Component"
    case hint = "Hint"
    case details = "Details"
  }
}

/// An answer without the whole job that every execution in it carries: of a thousand executions it is nearly all.
///
/// Replaces the values of keys `Job` below the third level by null; what is no JSON comes out as it went in, for the decoder to say.
func withoutJobs(_ bytes: [UInt8]) -> [UInt8] {
  let key = Array("\"Job\"".utf8)
  var result: [UInt8] = []
  result.reserveCapacity(bytes.count / 2)
  bytes.withUnsafeBufferPointer { bytes in
    var place = 0
    var depth = 0
    var kept = 0

    func endOfString(_ start: Int) -> Int {
      var end = start + 1
      while end < bytes.count, bytes[end] != UInt8(ascii: "\"") {
        end += bytes[end] == UInt8(ascii: "\\") ? 2 : 1
      }
      return min(end + 1, bytes.count)
    }
    func endOfObject(_ start: Int) -> Int {
      var (end, depth) = (start, 0)
      while end < bytes.count {
        switch bytes[end] {
        case UInt8(ascii: "\""):
          end = endOfString(end)
          continue
        case UInt8(ascii: "{"): depth += 1
        case UInt8(ascii: "}"):
          depth -= 1
          if depth == 0 { return end + 1 }
        default: break
        }
        end += 1
      }
      return end
    }
    func afterSpaces(_ start: Int) -> Int {
      var end = start
      while end < bytes.count, bytes[end] <= 0x20 { end += 1 }
      return end
    }

    while place < bytes.count {
      switch bytes[place] {
      case UInt8(ascii: "\""):
        let end = endOfString(place)
        if depth >= 3, end - place == key.count, bytes[place..<end].elementsEqual(key) {
          let colon = afterSpaces(end)
          if colon < bytes.count, bytes[colon] == UInt8(ascii: ":") {
            let value = afterSpaces(colon + 1)
            if value < bytes.count, bytes[value] == UInt8(ascii: "{") {
              result += bytes[kept..<value]
              result += "null".utf8
              kept = endOfObject(value)
              place = kept
              continue
            }
          }
        }
        place = end
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      default: break
      }
      place += 1
    }
    result += bytes[kept..<bytes.count]
  }
  return result
}
