import Logs
import Support

// What became of a node's part of a job: pure functions of what the orchestrator says.

extension WireNode {
  /// Who it is to us. Nil for what is no node of ours: no compute node, or without the labels region and zone.
  var node: Node? {
    guard isCompute, let region = facts.labels?["region"], let zone = facts.labels?["zone"] else {
      return nil
    }
    let node = Node(region: region, zone: zone, name: facts.nodeID)
    // The constraint asks for the label, which Bacalhau sets to the node's own name. A name of ours is a label's value, too: what the scheduler can't take
    // it accepts all the same, and the job then hangs for ever.
    guard facts.labels?["name"] ?? facts.nodeID == facts.nodeID, (try? node.validate()) != nil else {
      return nil
    }
    return node
  }

  /// Why it can't take part in a job; nil when it can, as far as is known.
  func obstacle(_ settings: BacalhauSettings) -> NodeOutcome.Ending? {
    guard isApproved else {
      return .failed(
        "Bacalhau's orchestrator has not approved it (\(membership ?? "")): 'bacalhau node approve \(facts.nodeID)' does."
      )
    }
    guard isConnected else {
      let last = link?.lastHeartbeat.map { ", last heard of at \($0.prefix(19))Z" } ?? ""
      return .offline("Bacalhau has lost it\(last)")
    }
    let compute = facts.compute
    func has(_ list: [String]?, _ name: String) -> Bool {
      list.map { $0.contains { $0.lowercased() == name } } ?? false
    }
    guard has(compute?.engines, "docker") else {
      return .failed("Bacalhau has no Docker there: install it, and restart the agent.")
    }
    guard
      settings.mounts.isEmpty || has(compute?.storages, "localdirectory") || has(compute?.storages, "local")
    else {
      return .failed(
        "it allows no folder to be mounted: set Compute.AllowListedLocalPaths there to what 'bacalhau.mounts' names."
      )
    }
    if let most = compute?.most {
      if let cpus = most.cpu, let wanted = cpuCount(settings.cpu), wanted > cpus {
        return .failed(
          "it is too small: a task wants \(settings.cpu) of processors, and it gives at most \(cpus).")
      }
      if let bytes = most.memory, let wanted = memoryBytes(settings.memory), wanted > bytes {
        return .failed(
          "it is too small: a task wants \(settings.memory) of memory, and it gives at most \(ByteCount(Int64(bytes)))."
        )
      }
    }
    return nil
  }

  /// Why it got no execution, as far as can be guessed.
  ///
  /// - Parameter words: the orchestrator's, when nobody got one.
  func reasonForNone(_ settings: BacalhauSettings, _ words: String) -> String {
    if !words.isEmpty { return "Bacalhau could not place the job: \(words)" }
    if let free = facts.compute?.available,
      (free.cpu ?? 0) < (cpuCount(settings.cpu) ?? 0)
        || (free.memory ?? 0) < (memoryBytes(settings.memory) ?? 0)
    {
      return "it is busy: Bacalhau gave it no part of the job"
    }
    return "Bacalhau gave it no part of the job, and does not say why; it may have been busy or just gone"
  }
}

extension WireExecution {
  /// What Bacalhau says of it; of what has ended the wish that it should, where nothing else.
  var said: String {
    computeState.message.isEmpty && isTerminal ? desiredState?.message ?? "" : computeState.message
  }

  /// What became of it; nil while it goes on.
  ///
  /// - Parameters:
  ///   - words: what is said of the job, such as why somebody has stopped it.
  ///   - hint: what Bacalhau thinks would help, where we know nothing better.
  func ending(_ words: String = "", hint: String? = nil) -> NodeOutcome.Ending? {
    guard isTerminal else { return nil }
    let said = self.said
    switch stateName {
    case "Completed":
      let status = output?.status ?? 0
      if status == 0 { return .answered }
      let errors = output?.errors ?? ""
      return .failed(errors.isEmpty ? "it ended with the status \(status) and said nothing" : errors)
    case "AskForBidRejected", "BidRejected":
      let prefix = "rejected bid: "
      return .refused(said.hasPrefix(prefix) ? String(said.dropFirst(prefix.count)) : said)
    case "Cancelled": return .failed("Bacalhau cancelled it: \(words.isEmpty ? said : words)")
    case "Failed":
      if said.hasPrefix("Execution timed out") || said.hasSuffix("context deadline exceeded") {
        return .timedOut
      }
      return .failed(said + ((remedy ?? hint).map { "\n\($0)" } ?? ""))
    default: return .failed("Bacalhau says \(stateName): \(said)")
    }
  }

  /// Ours for its failure.
  private var remedy: String? { Self.remedies.first { computeState.message.contains($0.words) }?.remedy }

  /// Whether Bacalhau may know what helps, and we do not.
  var wantsHint: Bool { stateName == "Failed" && remedy == nil }

  private static let remedies: [(words: String, remedy: String)] = [
    (
      "image not available",
      "Push the image to a registry that the node can read, and name it in 'bacalhau.image' by its digest."
    ),
    (
      "is not allowlisted",
      "Allow the folder on the node, exactly as 'bacalhau.mounts' names it, in Compute.AllowListedLocalPaths."
    ),
    ("does not exist and creation is not allowed", "Make the folder on the node."),
    ("memory limit exceeded", "Raise 'bacalhau.memory'."),
    ("node has disappeared", "Bacalhau lost the node while it worked."),
    ("Failed due to node restart", "Bacalhau's agent was restarted there while it worked."),
  ]
}
