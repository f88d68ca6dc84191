import HTTP
import Support

/// What a catalog said in an answer that is no success. Decided by its status: bodies may be empty, HTML, or have `error` as a text.
struct RESTError: Sendable {
  var status: Int
  var type = ""
  var message = ""

  /// - Parameter secrets: what the server may have quoted of the request, and nobody is to read.
  init(_ response: HTTPResponse, hiding secrets: [String] = []) {
    status = response.status
    defer {
      type = hiding(secrets, in: type)
      message = hiding(secrets, in: message)
    }
    guard let json = try? JSONValue(parsing: response.body) else {
      let text = hiding(secrets, in: String(decoding: response.body.prefix(1 << 16), as: UTF8.self))
      // Of a page of HTML the beginning says enough. Only now: a part of a secret could not be told.
      message = printable(String(text.prefix(300))).split(whereSeparator: \.isWhitespace).joined(
        separator: " ")
      return
    }
    if let error = json["error"]?.object {
      type = error["type"]?.string ?? ""
      message = error["message"]?.string ?? ""
    } else if let error = json["error"]?.string {
      // OAuth's shape, or a gateway's.
      type = error
      message = json["error_description"]?.string ?? json["message"]?.string ?? ""
    } else {
      message = json["message"]?.string ?? ""
    }
  }

  /// Whether the same question may be answered on another try.
  static func mayPass(_ status: Int) -> Bool { [429, 500, 502, 503, 504].contains(status) }

  /// The catalog's own words, for the end of an error.
  var words: String {
    var text = "HTTP \(status)"
    if !type.isEmpty { text += " \(type)" }
    if !message.isEmpty { text += ": \(message)" }
    return text
  }

  /// - Parameter operation: what was to be done, as in "load the table logs.events".
  func failure(_ operation: String, at uri: String) -> Failure {
    let server = "The catalog \(uri)"
    switch status {
    case 401, 419:
      return Failure(
        "catalog.login", "\(server) does not accept the token. (It was to \(operation).)",
        remedy: "Check GADWALL_CATALOG_TOKEN or GADWALL_CATALOG_CREDENTIAL.", words: words)
    case 403:
      return Failure(
        "catalog.denied", "\(server) does not permit it. (It was to \(operation).)",
        remedy: "docs/security.md lists what the control machine has to be permitted.", words: words)
    case 429, 500...:
      return Failure(
        "catalog.unavailable", "\(server) fails. (It was to \(operation).)",
        remedy: "Nothing was lost; run it again.",
        words: words)
    default:
      return Failure(
        "catalog.refused", "\(server) refused it. (It was to \(operation).)",
        remedy: "Check 'catalog.uri' and 'catalog.warehouse'; nothing was lost.", words: words)
    }
  }
}

extension HTTPFailure {
  func failure(_ operation: String, at uri: String) -> Failure {
    let server = "The catalog \(uri)"
    let (code, what, remedy): (FailureCode, String, String) =
      switch kind {
      case .unreachable:
        ("catalog.unreachable", "can't be reached", "Check 'catalog.uri', the network and the proxy.")
      case .tls:
        (
          "catalog.certificate", "has no certificate that is trusted",
          "Put its authority's certificate into the file that AWS_CA_BUNDLE names, or SSL_CERT_FILE where it names none."
        )
      case .handshake:
        (
          "catalog.tls", "could not agree with us on TLS",
          "Where it speaks none, 'catalog.uri' begins with http://; else run it again, nothing was lost."
        )
      case .timedOut: ("catalog.timeout", "did not answer in time", "Nothing was lost; run it again.")
      case .broken: ("catalog.broken", "broke the connection off", "Nothing was lost; run it again.")
      case .tooLong: ("catalog.answer", "sent more than it may", "Nothing was lost.")
      case .file: ("catalog.keys", "was not asked", "")
      case .cancelled: ("cancelled", "was not waited for", "")
      }
    return Failure(code, "\(server) \(what). (It was to \(operation).)", remedy: remedy, words: words)
  }
}
