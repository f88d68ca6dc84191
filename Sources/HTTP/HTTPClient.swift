import CCurl
public import Support
import Synchronization

/// Sends requests side by side over connections that are kept. One thread of its own drives them all; from as many tasks as one likes.
public final class HTTPClient: Sendable {
  public struct Settings: Sendable {
    /// A file with the certificates that are trusted; the system's when nil.
    public var certificates: String?
    public var userAgent: String

    public init(certificates: String? = nil, userAgent: String = "gadwall") {
      self.certificates = certificates
      self.userAgent = userAgent
    }

    /// Certificates as the environment names them. (libcurl reads the names of proxies by itself.)
    public static func from(_ environment: (String) -> String?) -> Settings {
      let names = ["AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"]
      return Settings(certificates: names.lazy.compactMap(environment).first { !$0.isEmpty })
    }
  }

  private let queue: TransferQueue
  private let next = Atomic<UInt64>(1)

  /// - Throws: `thread.limit`; `http.start` when libcurl can't be started.
  public init(_ settings: Settings = Settings()) throws(Failure) {
    guard Self.isStarted, let multi = curl_multi_init() else {
      throw Failure("http.start", "libcurl could not be started.")
    }
    let queue = TransferQueue(Multi(pointer: multi))
    self.queue = queue
    _ = try Thread { drive(queue, settings) }
  }

  deinit { queue.stop() }

  private static let isStarted = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

  /// Sends the request and waits for the whole answer, whatever its status.
  ///
  /// - Throws: ``HTTPFailure`` when there is no whole answer. The request may have arrived all the same.
  public func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
    let number = next.add(1, ordering: .relaxed).oldValue
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { queue.add(number, request, $0) }
    } onCancel: {
      queue.cancel(number)
    }
    return try result.get()
  }
}

/// libcurl's multi handle.
///
/// `curl_multi_wakeup` may be called from any thread; all else is the client's thread's, which frees it only after ``TransferQueue/stop()``, whose lock
/// it has had by then.
struct Multi: @unchecked Sendable {
  let pointer: UnsafeMutableRawPointer
}

typealias TransferContinuation = CheckedContinuation<Result<HTTPResponse, HTTPFailure>, Never>

/// What tasks ask of the client's thread.
final class TransferQueue: Sendable {
  struct Job {
    var number: UInt64
    var request: HTTPRequest
    var continuation: TransferContinuation
  }
  struct Work {
    var jobs: [Job] = []
    var cancelled: Set<UInt64> = []
    var isStopped = false
  }

  let multi: Multi
  private let work = Mutex(Work())

  init(_ multi: Multi) { self.multi = multi }

  func add(_ number: UInt64, _ request: HTTPRequest, _ continuation: TransferContinuation) {
    change { $0.jobs.append(Job(number: number, request: request, continuation: continuation)) }
  }
  func cancel(_ number: UInt64) { change { $0.cancelled.insert(number) } }
  func stop() { change { $0.isStopped = true } }

  private func change(_ body: (inout sending Work) -> Void) {
    work.withLock {
      body(&$0)
      // Under the lock, so that the thread can't have freed it meanwhile.
      curl_multi_wakeup(multi.pointer)
    }
  }

  func take() -> Work {
    work.withLock { work in
      let taken = work
      work.jobs = []
      work.cancelled = []
      return taken
    }
  }
}

/// The client's thread: until the client is gone.
private func drive(_ queue: TransferQueue, _ settings: HTTPClient.Settings) {
  let multi = queue.multi.pointer
  var running: [UInt64: (transfer: Transfer, continuation: TransferContinuation)] = [:]
  var numbers: [UnsafeMutableRawPointer: UInt64] = [:]
  // Told before the request itself was: a task that was cancelled when it sent it.
  var cancelledEarly: Set<UInt64> = []

  func end(_ number: UInt64, _ outcome: (Transfer) -> Result<HTTPResponse, HTTPFailure>) {
    guard let (transfer, continuation) = running.removeValue(forKey: number) else { return }
    curl_multi_remove_handle(multi, transfer.handle)
    numbers[transfer.handle] = nil
    continuation.resume(returning: outcome(transfer))
  }

  while true {
    let work = queue.take()
    for job in work.jobs {
      if work.cancelled.contains(job.number) || cancelledEarly.remove(job.number) != nil {
        job.continuation.resume(returning: .failure(HTTPFailure(.cancelled, "")))
        continue
      }
      do throws(HTTPFailure) {
        let transfer = try Transfer(job.request, settings: settings)
        running[job.number] = (transfer, job.continuation)
        numbers[transfer.handle] = job.number
        curl_multi_add_handle(multi, transfer.handle)
      } catch {
        job.continuation.resume(returning: .failure(error))
      }
    }
    let started = Set(work.jobs.map(\.number))
    for number in work.cancelled where !started.contains(number) {
      if running[number] == nil { cancelledEarly.insert(number) }
      end(number) { _ in .failure(HTTPFailure(.cancelled, "")) }
    }
    if work.isStopped {
      for number in Array(running.keys) { end(number) { _ in .failure(HTTPFailure(.cancelled, "")) } }
      curl_multi_cleanup(multi)
      return
    }
    var count: Int32 = 0
    curl_multi_perform(multi, &count)
    var left: Int32 = 0
    while let message = curl_multi_info_read(multi, &left) {
      guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle,
        let number = numbers[handle]
      else { continue }
      let code = gw_curl_multi_result(message)
      end(number) { $0.outcome(code) }
    }
    curl_multi_poll(multi, nil, 0, 1000, nil)
  }
}
