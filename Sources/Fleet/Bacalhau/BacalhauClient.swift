import Files
import HTTP
import Support

/// Who we are to the orchestrator. Never in a configuration, an argument or an error.
public enum BacalhauLogin: Sendable {
  case none
  case key(String)
  case user(String, password: String)

  var header: String? {
    switch self {
    case .none: nil
    case .key(let key): "Bearer \(key)"
    case .user(let name, let password): "Basic \(base64(Array("\(name):\(password)".utf8)))"
    }
  }

  var secrets: [String] {
    switch self {
    case .none: []
    case .key(let key): [key]
    case .user(let name, let password): [password, base64(Array("\(name):\(password)".utf8))]
    }
  }
}

/// The orchestrator's REST API, `/api/v1`. A question is asked again while the server is busy; what changes something is never repeated blindly.
struct BacalhauClient: Sendable {
  /// `http://host:1234`, without a slash at its end.
  var api: String
  var login: BacalhauLogin
  var http: HTTPClient
  /// Waits; a test's does not.
  var wait: @Sendable (Double) async -> Void

  /// The first that has ops jobs, labels and rejections as they are read here.
  static let leastVersion = (1, 9)
  private static let orchestrator = "/api/v1/orchestrator"
  /// A thousand executions with what each embeds are some megabytes; of the largest jobs a hundred.
  private static let limit = ByteCount.mebibytes(160)
  private static let attempts = 5

  // MARK: endpoints

  /// Whether it is Bacalhau, and new enough.
  ///
  /// - Throws: `bacalhau.old`, and what every question throws.
  func checkVersion() async throws(Failure) {
    let operation = "ask for its version"
    let said = try await answer("/api/v1/agent/version", to: operation)
    let version = try decoded(AgentVersion.self, said, operation).text
    let parts = version.drop { $0 == "v" }.split(separator: ".").map { Int($0) }
    guard parts.count >= 2, let major = parts[0], let minor = parts[1] else {
      throw isNone("It says that its version is '\(printable(version))'.")
    }
    // A build from source calls itself v0.0.0.
    guard (major, minor) >= Self.leastVersion || version.hasPrefix("v0.0.0") else {
      throw Failure(
        "bacalhau.old", "The orchestrator \(api) is Bacalhau \(printable(version)).",
        remedy: "Gadwall needs \(Self.leastVersion.0).\(Self.leastVersion.1) or newer.")
    }
  }

  func nodes() async throws(Failure) -> [WireNode] {
    let operation = "list the nodes"
    let response = try await answer(Self.orchestrator + "/nodes", to: operation)
    return try decoded(WireNodes.self, response, operation).nodes ?? []
  }

  /// Submits a job, or finds that it was submitted already: a lost answer leaves open which. Its name has to be this job's alone.
  ///
  /// - Returns: the job's id.
  func submit(_ job: JobSpec) async throws(Failure) -> String {
    let operation = "submit the job \(job.name)"
    var attempt = 0
    while true {
      attempt += 1
      switch await send(.put, Self.orchestrator + "/jobs", body: job.request) {
      case .success(let response) where response.isSuccess:
        return try decoded(WireSubmitted.self, response, operation).job
      case .success(let response):
        let failure = failure(response, operation)
        // An equal job of that name, or another that is being written: ours. And a server that broke may have taken it.
        guard response.status >= 500 || response.status == 409 || response.status == 429 else {
          throw failure
        }
        if let id = try await self.job(named: job.name)?.job.id { return id }
        guard response.status != 500, attempt < Self.attempts else { throw failure }
      case .failure(let lost):
        guard lost.mayPass else { throw failure(lost, operation) }
        if let id = try await self.job(named: job.name)?.job.id { return id }
        guard attempt < Self.attempts else { throw failure(lost, operation) }
      }
      await wait(Pace.retrying.pause(attempt))
    }
  }

  /// - Parameter withExecutions: of the job's newest version, with all that each embeds.
  /// - Returns: nil when there is no such job.
  func job(named name: String, withExecutions: Bool = false) async throws(Failure) -> WireJobAnswer? {
    let operation = "look at the job \(name)"
    let query = "namespace=default\(withExecutions ? "&include=executions" : "")"
    let response = try await answer(Self.path(name, query: query), to: operation)
    return response.status == 404 ? nil : try decoded(WireJobAnswer.self, response, operation)
  }

  /// What happened to a job's newest version and to its executions, in order.
  ///
  /// - Parameter limit: events after which no more are asked for.
  func history(_ job: String, limit: Int = 10_000) async throws(Failure) -> [WireEvent] {
    let operation = "read the history of the job \(job)"
    var events: [WireEvent] = []
    var token = ""
    repeat {
      let page = token.isEmpty ? "" : "&next_token=\(percentEncoded(token))"
      let query = "namespace=default&limit=\(Self.historyPage)\(page)"
      let response = try await answer(Self.path(job, "/history", query: query), to: operation)
      if response.status == 404 { return [] }
      let answer = try decoded(WireHistory.self, response, operation)
      let items = answer.items ?? []
      events += items
      // While the job goes on there is always a next page, which may be empty.
      token = items.isEmpty ? "" : answer.next ?? ""
    } while !token.isEmpty && events.count < limit
    return events
  }

  private static let historyPage = 1000

  /// What a job's executions have published. Of an execution that published nothing, or has not ended well, it has none.
  func results(_ job: String) async throws(Failure) -> [WireResult] {
    let operation = "ask for the results of the job \(job)"
    let response = try await answer(Self.path(job, "/results", query: "namespace=default"), to: operation)
    return response.status == 404
      ? [] : try decoded(WireItems<WireResult>.self, response, operation).items ?? []
  }

  private static func path(_ job: String, _ what: String = "", query: String) -> String {
    "\(orchestrator)/jobs/\(percentEncoded(job))\(what)?\(query)"
  }

  /// Ends a job. One that has ended is left as it is.
  func stop(_ job: String, reason: String) async throws(Failure) {
    let operation = "stop the job \(job)"
    let body = encodeJSON(["reason": reason])
    var attempt = 0
    while true {
      attempt += 1
      switch await send(.delete, Self.path(job, query: "namespace=default"), body: body) {
      case .success(let response):
        // It says of a job that has ended that it can't be stopped, and with a status of 500.
        if response.isSuccess || response.status == 404
          || words(response).contains("cannot stop job in state")
        {
          return
        }
        if [429, 502, 503, 504].contains(response.status), attempt < Self.attempts { break }
        if let answer = try await self.job(named: job), !answer.job.isTerminal {
          throw failure(response, operation)
        }
        return
      case .failure(let lost):
        guard lost.mayPass, attempt < Self.attempts else { throw failure(lost, operation) }
      }
      await wait(Pace.retrying.pause(attempt))
    }
  }

  // MARK: requests

  /// Asks what changes nothing, again while the server is busy or the answer is lost.
  ///
  /// - Returns: what it answers, or its 404 for a thing that is not there.
  private func answer(_ path: String, to operation: String) async throws(Failure) -> HTTPResponse {
    var attempt = 0
    while true {
      attempt += 1
      switch await send(.get, path) {
      case .success(let response) where response.isSuccess: return response
      case .success(let response):
        if response.status == 404, let error = error(response), error.component != "APIServer" {
          return response
        }
        guard response.status == 429 || response.status >= 500, attempt < Self.attempts else {
          throw failure(response, operation)
        }
      case .failure(let lost):
        guard lost.mayPass, attempt < Self.attempts else { throw failure(lost, operation) }
      }
      await wait(Pace.retrying.pause(attempt))
    }
  }

  /// Always with a Content-Length: the server's authorization reads a chunked body as an error.
  private func send(
    _ method: HTTPRequest.Method, _ path: String, body: [UInt8]? = nil
  ) async -> Result<HTTPResponse, HTTPFailure> {
    var headers = [("Accept", "application/json"), ("X-Request-ID", randomName())]
    if body != nil { headers.append(("Content-Type", "application/json")) }
    if let header = login.header { headers.append(("Authorization", header)) }
    var request = HTTPRequest(
      method, api + path, headers: headers.map { (name: $0.0, value: $0.1) },
      body: body.map { .bytes($0) } ?? .none)
    request.limit = Self.limit
    request.timeouts = HTTPRequest.Timeouts(connect: 5, idle: 45, total: 120)
    do throws(HTTPFailure) { return .success(try await http.send(request)) } catch { return .failure(error) }
  }

  private func decoded<Answer: Decodable>(
    _ type: Answer.Type, _ response: HTTPResponse, _ operation: String
  ) throws(Failure) -> Answer {
    do throws(Failure) {
      return try decodeJSON(
        type, from: withoutJobs(response.body), code: "bacalhau.answer", document: "The answer")
    } catch {
      throw isNone("It was to \(operation): \(error.words) \(words(response))")
    }
  }

  // MARK: what went wrong

  private func isNone(_ words: String) -> Failure {
    Failure(
      "bacalhau.answer", "What answers at \(api) does not speak as Bacalhau's orchestrator does.",
      remedy: "Check 'bacalhau.api': it is the orchestrator's API, on port 1234 unless it was set otherwise.",
      words: hiding(login.secrets, in: words))
  }

  private func error(_ response: HTTPResponse) -> WireError? {
    try? decodeJSON(WireError.self, from: response.body, code: "bacalhau.answer", document: "The error")
  }

  /// What the server said, in its own words.
  private func words(_ response: HTTPResponse) -> String {
    let text: String
    if let error = error(response), let message = error.message {
      let reason = error.details?["reason"]?.string.map { ": \($0)" } ?? ""
      text = "\(response.status) \(message)\(reason)\(error.hint.map { "\n\($0)" } ?? "")"
    } else {
      text = "\(response.status) \(String(decoding: response.body.prefix(Failure.wordsLimit), as: UTF8.self))"
    }
    return hiding(login.secrets, in: text)
  }

  private func failure(_ response: HTTPResponse, _ operation: String) -> Failure {
    let words = words(response)
    func failure(_ code: FailureCode, _ what: String, _ remedy: String) -> Failure {
      Failure(
        code, "The orchestrator \(api) \(what). (It was to \(operation).)", remedy: remedy, words: words)
    }
    switch response.status {
    case 401:
      return failure(
        "bacalhau.login", "wants to know who asks, or does not know who we say to be",
        "Set BACALHAU_API_KEY, or BACALHAU_API_USERNAME and BACALHAU_API_PASSWORD, in the environment.")
    case 403:
      return failure(
        "bacalhau.rights", "does not let us do that",
        "The key or user needs the capabilities read:node, read:job and write:job.")
    case 400:
      return failure(
        "bacalhau.job", "does not take that", "Run it with --print-jobs to see what was submitted.")
    case 404 where error(response)?.component == "APIServer":
      return Failure(
        "bacalhau.answer", "The Bacalhau node at \(api) is no orchestrator. (It was to \(operation).)",
        remedy: "Set 'bacalhau.api' to the machine that runs 'bacalhau serve --orchestrator'.", words: words)
    case 429, 500...:
      return failure("bacalhau.busy", "can't answer now", "Try again; its own log says more.")
    default: return isNone(words)
    }
  }

  private func failure(_ lost: HTTPFailure, _ operation: String) -> Failure {
    let words = hiding(login.secrets, in: lost.words)
    switch lost.kind {
    case .unreachable:
      return Failure(
        "bacalhau.unreachable", "Nobody answers at \(api). (It was to \(operation).)",
        remedy: "Is the orchestrator up, and 'bacalhau.api' its address?", words: words)
    case .tls, .handshake:
      return Failure(
        "bacalhau.tls", "There is no TLS to be had with \(api). (It was to \(operation).)",
        remedy:
          "Check 'bacalhau.api' for http or https; name a private authority's certificate with 'bacalhau.ca'.",
        words: words)
    case .timedOut:
      return Failure(
        "bacalhau.slow", "The orchestrator \(api) did not answer in time. (It was to \(operation).)",
        remedy: "Try again; its own log says more.", words: words)
    case .cancelled: return Failure("cancelled", "The work was cancelled.")
    case .broken, .tooLong, .file:
      return Failure(
        "bacalhau.answer", "The answer of \(api) did not come whole. (It was to \(operation).)", words: words)
    }
  }
}

/// Pauses that start short and grow.
struct Pace: Sendable {
  var first: Double
  var factor: Double
  var longest: Double

  static let retrying = Pace(first: 0.2, factor: 2, longest: 4)
  /// A job of three idle nodes takes 0.3 to 0.5 s, and a stage minutes.
  static let polling = Pace(first: 0.05, factor: 1.25, longest: 2)

  /// Seconds to wait after the attempt, counted from 1.
  func pause(_ attempt: Int) -> Double {
    var seconds = first
    for _ in 1..<max(1, min(attempt, 60)) { seconds = min(longest, seconds * factor) }
    return seconds
  }
}
