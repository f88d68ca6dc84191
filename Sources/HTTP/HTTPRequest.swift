// Requests over HTTP by libcurl: deadlines, limits, streams, and no policy: nothing is repeated, redirected or signed here.

public import Support

/// One request. Its URL is sent as it is: who builds it has encoded it.
public struct HTTPRequest: Sendable {
  public enum Method: String, Sendable {
    case get = "GET", head = "HEAD", put = "PUT", post = "POST", delete = "DELETE"
  }

  public enum Body: Sendable {
    case none
    case bytes([UInt8])
    /// So many bytes of a file from an offset on.
    case file(String, offset: Int64, count: Int64)

    public var count: Int64 {
      switch self {
      case .none: 0
      case .bytes(let bytes): Int64(bytes.count)
      case .file(_, _, let count): count
      }
    }
  }

  /// Where the body of an answer with a status of 2xx goes. Any other answer's is kept in memory.
  public enum Sink: Sendable {
    case memory
    /// Into a file that exists, from an offset on.
    case file(String, offset: Int64)
  }

  public struct Timeouts: Sendable {
    /// Until a connection stands, TLS included.
    public var connect = 10.0
    /// Without a byte in either direction.
    public var idle = 30.0
    /// For all of it; none when nil.
    public var total: Double?

    public init(connect: Double = 10, idle: Double = 30, total: Double? = nil) {
      self.connect = connect
      self.idle = idle
      self.total = total
    }
  }

  public var method: Method
  public var url: String
  public var headers: [(name: String, value: String)]
  public var body: Body
  public var sink = Sink.memory
  public var timeouts = Timeouts()
  /// Of the answer's body.
  public var limit = ByteCount.mebibytes(16)
  /// Straight to the host, whatever proxy the environment names.
  public var isDirect = false
  /// It does no harm when the server gets it twice: then libcurl may send it once more by itself when a connection that was used before ends
  /// without an answer. At first what GET and HEAD ask for.
  public var isHarmless: Bool

  public init(
    _ method: Method, _ url: String, headers: [(name: String, value: String)] = [], body: Body = .none
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    isHarmless = method == .get || method == .head
  }
}

public struct HTTPResponse: Sendable {
  public var status: Int
  /// By names in lower case; the last of those that were sent twice.
  public var headers: [String: String]
  /// Empty when it went to a file.
  public var body: [UInt8]
  /// Bytes of the body, wherever they went.
  public var received: Int64

  public init(status: Int, headers: [String: String] = [:], body: [UInt8] = [], received: Int64 = 0) {
    self.status = status
    self.headers = headers
    self.body = body
    self.received = received
  }

  public var isSuccess: Bool { (200..<300).contains(status) }
}

/// Why there is no answer, or no whole one.
public struct HTTPFailure: Error, Sendable, Equatable {
  public enum Kind: String, Sendable {
    /// The host's name is not known, or no connection came about.
    case unreachable
    /// The certificate is not trusted.
    case tls
    /// There was no TLS to agree on: the connection broke, or the server does not speak it.
    case handshake
    case timedOut
    /// The connection broke, or what came was no HTTP.
    case broken
    /// The answer is longer than it may be.
    case tooLong
    /// A file of this machine could not be read or written.
    case file
    case cancelled
  }

  public var kind: Kind
  /// libcurl's own words, or the kernel's.
  public var words: String
  /// Bytes of the body that had come, and are in the file when it was to go into one.
  public var received: Int64

  public init(_ kind: Kind, _ words: String, received: Int64 = 0) {
    self.kind = kind
    self.words = words
    self.received = received
  }

  /// Whether the same request may do on another try.
  public var mayPass: Bool {
    switch kind {
    case .unreachable, .handshake, .timedOut, .broken: true
    case .tls, .tooLong, .file, .cancelled: false
    }
  }
}
