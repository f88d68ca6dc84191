import HTTP
import Support

/// What a server said in an answer that is no success.
struct S3Error: Sendable {
  var status: Int
  /// S3's name of it, `AccessDenied`; empty where the answer has no body, or none of S3's.
  var code = ""
  var message = ""
  var requestID = ""
  /// The region where the bucket is, when the answer says.
  var region: String?
  /// The body is something, and no error of S3's.
  var isForeign = false

  /// - Parameter secrets: what the server may have quoted of the request, and nobody is to read.
  init(_ response: HTTPResponse, hiding secrets: [String] = []) {
    status = response.status
    defer {
      code = hiding(secrets, in: code)
      message = hiding(secrets, in: message)
      requestID = hiding(secrets, in: requestID)
    }
    requestID = response.headers["x-amz-request-id"] ?? response.headers["x-guploader-uploadid"] ?? ""
    region = response.headers["x-amz-bucket-region"]
    guard !response.body.isEmpty else { return }
    guard let tree = XMLTree(parsing: response.body), let error = tree.name == "Error" ? tree : tree["Error"]
    else {
      isForeign = true
      return
    }
    code = error["Code"]?.text ?? ""
    message = error["Message"]?.text ?? ""
    if let id = error["RequestId"]?.text, !id.isEmpty { requestID = id }
    if let name = error["Region"]?.text, !name.isEmpty { region = name }
  }

  /// The server's own words, for the end of an error.
  var words: String {
    var text = "HTTP \(status)"
    if !code.isEmpty { text += " \(code)" }
    if !message.isEmpty { text += ": \(message)" }
    if !requestID.isEmpty { text += " (request \(requestID))" }
    return text
  }

  /// - Parameter operation: what was to be done, as in "read the object raw/x".
  func failure(_ operation: String, at location: S3Location) -> Failure {
    let server = "The S3 server \(location.endpoint)"
    func failure(_ code: FailureCode, _ sentence: String, _ remedy: String) -> Failure {
      Failure(code, "\(sentence) (It was to \(operation).)", remedy: remedy, words: words)
    }
    switch code {
    case "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSecurity", "AuthFailure",
      "MissingAuthenticationToken":
      return failure(
        "store.keys", "\(server) does not accept the access key.",
        "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the credentials file.")
    case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken":
      return failure(
        "store.keys", "\(server) says that the session token has expired, or is none.",
        "Get new credentials and run it again.")
    case "NoSuchBucket":
      return failure(
        "store.bucket", "\(server) has no bucket '\(location.bucket)'.",
        "Make it, or name another with 'store.url'.")
    case "RequestTimeTooSkewed":
      return failure(
        "store.clock", "\(server) has another time than this machine.", "Set this machine's clock.")
    case "PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed",
      "IllegalLocationConstraintException":
      return wrongRegion(server, failure)
    case "InvalidObjectState":
      return failure(
        "store.frozen", "\(server) keeps it in cold storage, from where it can't be read at once.",
        "'gadwall raw get' asks for it to be brought back.")
    case "XAmzContentSHA256Mismatch", "BadDigest", "XAmzContentChecksumMismatch", "InvalidDigest":
      return failure(
        "store.digest", "\(server) got other bytes than were sent.",
        "Something between here and there changes them; nothing was lost.")
    default: break
    }
    let mayPass = status >= 500 || RetryPolicy.mayPass(status: status, code: code)
    // A page of HTML speaks of no bucket and of no right, whatever its status is. (S3BadInputTests.answers)
    if isForeign, !mayPass {
      return failure("store.answer", "\(server) does not answer as S3 does.", "Check 'store.endpoint'.")
    }
    switch status {
    case 301, 307, 308: return wrongRegion(server, failure)
    case 401, 403:
      return failure(
        "store.denied", "\(server) does not permit it.",
        "docs/security.md lists what a node and the control machine have to be permitted.")
    // Also what came behind a status of 200.
    case _ where mayPass:
      return failure("store.unavailable", "\(server) fails.", "Nothing was lost; run it again.")
    default:
      return failure("store.refused", "\(server) refused it.", "Its own words follow; nothing was lost.")
    }
  }

  private func wrongRegion(_ server: String, _ failure: (FailureCode, String, String) -> Failure) -> Failure {
    failure(
      "store.region", "\(server) does not keep the bucket in the region that was named.",
      region.map { "Set 'store.region' to \(printable($0))." }
        ?? "Set 'store.region', or 'store.endpoint', to the bucket's own.")
  }
}

extension HTTPFailure {
  func failure(_ operation: String, at location: S3Location) -> Failure {
    let server = "The S3 server \(location.endpoint)"
    let (code, what, remedy): (FailureCode, String, String) =
      switch kind {
      case .unreachable:
        ("store.unreachable", "can't be reached", "Check 'store.endpoint', the network and the proxy.")
      case .tls:
        (
          "store.certificate", "has no certificate that is trusted",
          "Name a file with its authority's certificate with AWS_CA_BUNDLE."
        )
      case .handshake:
        (
          "store.tls", "could not agree with us on TLS",
          "Where it speaks none, 'store.endpoint' begins with http://; else run it again, nothing was lost."
        )
      case .timedOut: ("store.timeout", "did not answer in time", "Nothing was lost; run it again.")
      case .broken: ("store.broken", "broke the connection off", "Nothing was lost; run it again.")
      case .tooLong:
        ("store.unreadable", "sent more than it may", "Nothing was lost; check 'store.endpoint'.")
      case .file:
        (
          "store.file", "was not at fault: a file of this machine could not be read or written",
          "Nothing was lost."
        )
      case .cancelled: ("cancelled", "was not waited for", "")
      }
    return Failure(code, "\(server) \(what). (It was to \(operation).)", remedy: remedy, words: words)
  }
}
