public import Support

/// All that the orchestrator says of a job.
public struct ExaminedJob: Sendable, Encodable {
  /// A node's part of it.
  public struct Execution: Sendable, Encodable {
    public var id: String
    public var node: String
    public var state: String
    public var words: String
    /// Of what ran to its end.
    public var exitStatus: Int?
    /// The first 2,048 bytes of what it said on standard error.
    public var errors: String
  }

  public struct Event: Sendable, Encodable {
    /// RFC 3339.
    public var time: String
    /// Nil for what happened to the job as a whole.
    public var node: String?
    public var topic: String
    public var words: String
    public var hint: String?
  }

  public var id: String
  public var state: String
  public var words: String
  public var executions: [Execution]
  /// In order.
  public var events: [Event]
  /// Where published results lie; tasks of ours publish none. Nil where the orchestrator can't say.
  public var results: [JSONValue]?
}

extension BacalhauEngine {
  /// Everything about a job, by its name or id. Costs four questions to the orchestrator.
  ///
  /// - Returns: nil when it does not know such a job.
  public func examine(job name: String) async throws(Failure) -> ExaminedJob? {
    try await client.checkVersion()
    guard let answer = try await client.job(named: name, withExecutions: true) else { return nil }
    let job = answer.job
    let events = try await client.history(job.id)
    // Where one result can't be signed, or none of a daemon's can be, the whole question fails.
    let results = try? await client.results(job.id)
    let nodes = Dictionary(answer.executions.map { ($0.id ?? "", $0.node) }) { first, _ in first }
    return ExaminedJob(
      id: job.id, state: job.stateName, words: job.state.message,
      executions: answer.executions.map { execution in
        ExaminedJob.Execution(
          id: execution.id ?? "", node: execution.node, state: execution.stateName,
          words: execution.said,
          exitStatus: execution.stateName == "Completed" ? execution.output?.status ?? 0 : nil,
          errors: execution.output?.errors ?? "")
      },
      events: events.map { event in
        ExaminedJob.Event(
          time: event.time ?? "", node: event.execution.flatMap { nodes[$0] ?? $0 },
          topic: event.what?.topic ?? "",
          words: event.what?.message ?? "", hint: event.hint)
      },
      results: results?.map { ["type": .string($0.type ?? ""), "parameters": .object($0.parameters ?? [:])] })
  }
}
