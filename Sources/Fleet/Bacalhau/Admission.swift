public import Support

/// What a node lets Bacalhau start on it, as its policy says.
public struct AdmissionRules: Sendable {
  /// Names of images, by digest or by tag; none is let in that is not among them.
  public var images: [String] = []
  public var tasks = Set(NodeTask.Kind.allCases.map(\.rawValue))
  public var mounts: [BacalhauSettings.Mount] = []
  public var networks: Set<BacalhauSettings.Network> = [.host]
  /// Processors and bytes that one task may ask for; nil for any.
  public var cpu: Double?
  public var memory: Double?
  /// What a store's URL may begin with; nil for any.
  public var stores: [String]?
  public var answersQueries = true
  /// Columns that a query may use; nil for all.
  public var columns: Set<String>?

  public init() {}
}

/// A job as a node's admission is shown it.
public struct OfferedJob: Sendable {
  public var id: String?
  public var task: String?
  public var statement: String?
  /// Why it is not let in, in one sentence; nil when it is.
  public var refusal: String?

  /// Of which nothing is known.
  public init(refusal: String? = nil) { self.refusal = refusal }
}

/// Judges a job: everything in it that this program's own jobs do not have is a reason to refuse it. What a task of ours does on the node its own code
/// says; here it is made sure that it is that code, with those folders and no others.
///
/// - Parameter payload: what Bacalhau's `JobAdmissionControl.ProbeExec` is given: `{"Job": {…}}`.
public func judged(_ payload: JSONValue, _ rules: AdmissionRules) -> OfferedJob {
  let job = payload["Job"] ?? .null
  var offered = OfferedJob()
  offered.id = job["ID"]?.string
  do throws(Refusal) {
    try judge(job, rules, &offered)
  } catch {
    offered.refusal = error.sentence
  }
  return offered
}

private struct Refusal: Error {
  var sentence: String
  init(_ sentence: String) { self.sentence = sentence }
}

private func judge(_ job: JSONValue, _ rules: AdmissionRules, _ offered: inout OfferedJob) throws(Refusal) {
  guard job.object != nil else { throw Refusal("This is no job of Bacalhau's.") }
  guard job["Type"]?.string == "ops" else { throw Refusal("Gadwall's jobs are of type ops.") }
  guard let tasks = job["Tasks"]?.array, tasks.count == 1 else {
    throw Refusal("Gadwall's jobs have one task.")
  }
  let task = tasks[0]
  try onlyKeys(
    task, ["Name", "Engine", "InputSources", "Resources", "Network", "Timeouts"], "The task",
    emptyAllowed: ["Publisher", "Env", "Meta", "ResultPaths"])
  let parameters = try judgeEngine(task["Engine"] ?? .null, rules)
  try judge(parameters: parameters, rules, &offered)
  let changesLogs = offered.task != "query"
  for source in task["InputSources"]?.array ?? [] {
    try judge(mount: source, rules, changesLogs: changesLogs)
  }
  try judgeNetwork(task["Network"], rules)
  try judgeResources(task["Resources"] ?? .null, rules)
}

/// What is there beside the known, and is not empty, could do anything.
private func onlyKeys(
  _ value: JSONValue, _ known: Set<String>, _ what: String, emptyAllowed: Set<String> = []
) throws(Refusal) {
  for (key, member) in value.object ?? [:] where !known.contains(key) && member != .null {
    if emptyAllowed.contains(key), isEmpty(member) { continue }
    throw Refusal("\(what) has '\(printable(String(key.prefix(60))))', which Gadwall's jobs have not.")
  }
}

/// Nothing, or a document of nothing, such as `{"Type": ""}`.
private func isEmpty(_ value: JSONValue) -> Bool {
  switch value {
  case .null: true
  case .string(let text): text.isEmpty
  case .array(let items): items.isEmpty
  case .object(let members): members.values.allSatisfy(isEmpty)
  case .bool, .integer, .double: false
  }
}

private func judgeEngine(_ engine: JSONValue, _ rules: AdmissionRules) throws(Refusal) -> [String] {
  let parameters = engine["Params"] ?? .null
  guard engine["Type"]?.string?.lowercased() == "docker" else {
    throw Refusal("Gadwall's tasks run in Docker.")
  }
  try onlyKeys(engine, ["Type", "Params"], "The engine")
  try onlyKeys(
    parameters, ["Image", "Entrypoint", "Parameters"], "The engine",
    emptyAllowed: ["EnvironmentVariables", "WorkingDirectory"])
  let image = parameters["Image"]?.string ?? ""
  guard !rules.images.isEmpty else { throw Refusal("The node's policy names no image.") }
  guard rules.images.contains(image) else {
    throw Refusal("The node's policy does not name the image '\(printable(String(image.prefix(200))))'.")
  }
  guard let entry = parameters["Entrypoint"]?.array, entry == [.string(BacalhauSettings.program)] else {
    throw Refusal("The entrypoint is not \(BacalhauSettings.program).")
  }
  guard let words = parameters["Parameters"]?.array else { throw Refusal("The task has no parameters.") }
  let texts = words.compactMap(\.string)
  guard texts.count == words.count else { throw Refusal("A parameter is no text.") }
  return texts
}

/// Flags that a job of ours has, each with a value, and each once but for the first.
private let jobFlags: Set<String> = [
  "store-class", "store", "store-endpoint", "store-region", "store-style", "task", "task-sha256", "statement",
  "columns",
]

private func judge(parameters: [String], _ rules: AdmissionRules, _ offered: inout OfferedJob) throws(Refusal)
{
  guard parameters.count >= 2, parameters[0] == "node" else {
    throw Refusal("The task is none of Gadwall's.")
  }
  let kind = parameters[1]
  guard rules.tasks.contains(kind), NodeTask.Kind(rawValue: kind) != nil else {
    throw Refusal("The node's policy does not allow the task '\(printable(String(kind.prefix(40))))'.")
  }
  offered.task = kind
  guard parameters.count % 2 == 0 else { throw Refusal("A flag of the task has no value.") }
  var values: [String: String] = [:]
  for at in stride(from: 2, to: parameters.count, by: 2) {
    let name = String(parameters[at].dropFirst(2))
    guard parameters[at].hasPrefix("--"), jobFlags.contains(name) else {
      throw Refusal(
        "The task has '\(printable(String(parameters[at].prefix(60))))', which Gadwall's jobs have not.")
    }
    guard values[name] == nil || name == "store-class" else { throw Refusal("--\(name) stands there twice.") }
    values[name] = parameters[at + 1]
  }
  offered.statement = values["statement"]
  guard values["task"] != nil, let digest = values["task-sha256"], digest.utf8.count == 64 else {
    throw Refusal("The task does not name its document by its digest.")
  }
  let store = values["store"] ?? ""
  guard store.hasPrefix("s3://") || store.hasPrefix("s3a://") else {
    throw Refusal("The store is not on S3.")
  }
  if let stores = rules.stores {
    func isBelow(_ root: String) -> Bool {
      store == root || store.hasPrefix(root.hasSuffix("/") ? root : root + "/")
    }
    guard stores.contains(where: isBelow) else {
      throw Refusal("The node's policy does not name the store \(printable(String(store.prefix(200)))).")
    }
  }
  guard kind == "query" else { return }
  guard rules.answersQueries else { throw Refusal("The node's policy answers no queries.") }
  guard let columns = rules.columns else { return }
  guard let asked = values["columns"] else { throw Refusal("The query does not say which columns it uses.") }
  let other = asked.split(separator: ",").map(String.init).filter { !columns.contains($0) }
  guard other.isEmpty else {
    throw Refusal(
      "The node's policy does not let \(printable(String(other.joined(separator: ", ").prefix(200)))) out: name the columns that are needed, of \(columns.sorted().joined(separator: ", "))."
    )
  }
}

private func judge(mount: JSONValue, _ rules: AdmissionRules, changesLogs: Bool) throws(Refusal) {
  try onlyKeys(mount, ["Source", "Target"], "A mount", emptyAllowed: ["Alias"])
  let source = mount["Source"] ?? .null
  try onlyKeys(source, ["Type", "Params"], "A mount")
  try onlyKeys(source["Params"] ?? .null, ["SourcePath", "ReadWrite"], "A mount", emptyAllowed: ["CreateAs"])
  guard ["local", "localdirectory"].contains(source["Type"]?.string?.lowercased() ?? "") else {
    throw Refusal("Gadwall's jobs mount folders of the node and nothing else.")
  }
  let path = source["Params"]?["SourcePath"]?.string ?? ""
  guard let allowed = rules.mounts.first(where: { $0.path == path }), mount["Target"]?.string == path else {
    throw Refusal("The node's policy does not let '\(printable(String(path.prefix(200))))' be mounted there.")
  }
  // Bacalhau takes a text for a truth value, too.
  let isReadOnly = [nil, .bool(false), .string("false")].contains(source["Params"]?["ReadWrite"])
  guard isReadOnly || allowed.isWritable else {
    throw Refusal("The node's policy lets \(path) be read and not written.")
  }
  guard isReadOnly || changesLogs || JobSpec.holdsState(path) else {
    throw Refusal("A query does not write to \(path).")
  }
}

private func judgeNetwork(_ network: JSONValue?, _ rules: AdmissionRules) throws(Refusal) {
  let said = network?["Type"]?.string ?? "Default"
  // Nodes are shown Host by its older name.
  let name = said.lowercased() == "full" ? "host" : said.lowercased()
  guard let kind = BacalhauSettings.Network(rawValue: name), rules.networks.contains(kind) else {
    throw Refusal("The node's policy does not allow the network '\(printable(String(said.prefix(40))))'.")
  }
  try onlyKeys(network ?? .null, ["Type"], "The network", emptyAllowed: ["Domains", "Ports"])
}

private func judgeResources(_ resources: JSONValue, _ rules: AdmissionRules) throws(Refusal) {
  try onlyKeys(resources, ["CPU", "Memory"], "What it asks for", emptyAllowed: ["Disk", "GPU"])
  func amount(_ key: String, _ parse: (String) -> Double?) throws(Refusal) -> Double {
    guard let text = resources[key]?.string, !text.isEmpty else { return 0 }
    guard let amount = parse(text) else {
      throw Refusal(
        "It asks for '\(printable(String(text.prefix(40))))' of \(key.lowercased()), which is no amount.")
    }
    return amount
  }
  if let most = rules.cpu, try amount("CPU", cpuCount) > most {
    throw Refusal("The node's policy allows \(most) processors, and it asks for more.")
  }
  if let most = rules.memory, try amount("Memory", memoryBytes) > most {
    throw Refusal("The node's policy allows \(ByteCount(Int64(most))) of memory, and it asks for more.")
  }
}
