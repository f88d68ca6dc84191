import CCurl
import Files
import Glibc
import Support

/// One request on its way: libcurl's handle, and what its callbacks read and fill. Lives on the client's thread alone.
final class Transfer {
  let handle: UnsafeMutableRawPointer
  private let request: HTTPRequest
  private let source: Descriptor?
  private let target: Descriptor?
  private let lines: UnsafeMutablePointer<curl_slist>?
  private let words = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
  private var sent: Int64 = 0
  private var status = 0
  private var headers: [String: String] = [:]
  private var headerBytes = 0
  /// The empty line after the headers has come.
  private var hasAllHeaders = false
  private var body: [UInt8] = []
  private var received: Int64 = 0
  /// How often it was begun to be sent.
  private var beginnings = 0
  /// Why a callback has given up.
  private var failure: HTTPFailure?

  private static let headerLimit = 1 << 16
  /// Of the body of an answer that is no success: the rest of it is passed over.
  private static let errorLimit = 1 << 16

  init(_ request: HTTPRequest, settings: HTTPClient.Settings) throws(HTTPFailure) {
    self.request = request
    guard request.url.hasPrefix("http://") || request.url.hasPrefix("https://") else {
      throw HTTPFailure(.unreachable, "the URL is none of HTTP's")
    }
    let opened: Descriptor?
    switch request.body {
    case .file(let path, _, _):
      opened = try Self.open { () throws(SystemError) in try Descriptor.input(path) }
    case .none, .bytes: opened = nil
    }
    source = opened
    switch request.sink {
    case .memory: target = nil
    case .file(let path, _): target = try Self.open { () throws(SystemError) in try Descriptor.output(path) }
    }
    guard let made = curl_easy_init() else { throw HTTPFailure(.broken, "libcurl has no handle left") }
    handle = made
    words.pointee = 0
    var list: UnsafeMutablePointer<curl_slist>?
    var fields = request.headers
    // Waiting for leave to send costs a second where a server does not know of it.
    fields.append(("Expect", ""))
    if case .none = request.body {} else { fields.append(("Content-Type", "")) }
    for (name, value) in fields
    where !fields.contains(where: { $0.name == name && !$0.value.isEmpty && value.isEmpty }) {
      let line = value.isEmpty ? "\(name):" : "\(name): \(value)"
      // A line end would begin a header that nobody meant.
      guard line.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
        curl_slist_free_all(list)
        curl_easy_cleanup(made)
        words.deallocate()
        throw HTTPFailure(.broken, "a header's value holds a control character")
      }
      list = curl_slist_append(list, line)
    }
    lines = list
    configure(settings)
  }

  deinit {
    curl_easy_cleanup(handle)
    curl_slist_free_all(lines)
    words.deallocate()
  }

  private static func open(_ body: () throws(SystemError) -> Descriptor) throws(HTTPFailure) -> Descriptor {
    do throws(SystemError) { return try body() } catch { throw HTTPFailure(.file, error.description) }
  }

  private func configure(_ settings: HTTPClient.Settings) {
    let context = Unmanaged.passUnretained(self).toOpaque()
    gw_curl_set_text(handle, CURLOPT_URL, request.url)
    gw_curl_set_http_only(handle)
    gw_curl_set_text(handle, CURLOPT_USERAGENT, settings.userAgent)
    gw_curl_set_long(handle, CURLOPT_NOSIGNAL, 1)
    gw_curl_set_long(handle, CURLOPT_TCP_KEEPALIVE, 1)
    // Parallel uploads are faster on connections of their own than side by side on one.
    gw_curl_set_long(handle, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    gw_curl_set_long(handle, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
    gw_curl_set_long(handle, CURLOPT_BUFFERSIZE, 1 << 18)
    gw_curl_set_long(handle, CURLOPT_UPLOAD_BUFFERSIZE, 1 << 20)
    if let file = settings.certificates { gw_curl_set_text(handle, CURLOPT_CAINFO, file) }
    if request.isDirect { gw_curl_set_text(handle, CURLOPT_PROXY, "") }
    gw_curl_set_list(handle, CURLOPT_HTTPHEADER, lines)
    gw_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, words)
    gw_curl_set_pointer(handle, CURLOPT_PRIVATE, context)

    let timeouts = request.timeouts
    gw_curl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, Int(timeouts.connect * 1000))
    gw_curl_set_long(handle, CURLOPT_LOW_SPEED_LIMIT, 1)
    gw_curl_set_long(handle, CURLOPT_LOW_SPEED_TIME, max(1, Int(timeouts.idle)))
    if let total = timeouts.total { gw_curl_set_long(handle, CURLOPT_TIMEOUT_MS, max(1, Int(total * 1000))) }

    switch request.method {
    case .get: gw_curl_set_long(handle, CURLOPT_HTTPGET, 1)
    case .head: gw_curl_set_long(handle, CURLOPT_NOBODY, 1)
    case .put:
      gw_curl_set_long(handle, CURLOPT_UPLOAD, 1)
      gw_curl_set_size(handle, CURLOPT_INFILESIZE_LARGE, Int(request.body.count))
    case .post:
      gw_curl_set_long(handle, CURLOPT_POST, 1)
      gw_curl_set_size(handle, CURLOPT_POSTFIELDSIZE_LARGE, Int(request.body.count))
    case .delete: gw_curl_set_text(handle, CURLOPT_CUSTOMREQUEST, "DELETE")
    }
    gw_curl_set_pointer(handle, CURLOPT_READDATA, context)
    gw_curl_set_transfer(handle, CURLOPT_READFUNCTION) { data, size, count, context in
      guard let data, let transfer = Transfer.from(context) else { return Int(CURL_READFUNC_ABORT) }
      return transfer.give(UnsafeMutableRawBufferPointer(start: data, count: size * count))
    }
    gw_curl_set_pointer(handle, CURLOPT_SEEKDATA, context)
    gw_curl_set_seek(handle) { context, offset, origin in
      // Before it sends a request once more; whether it may is asked elsewhere (``begin()``).
      guard origin == SEEK_SET, let transfer = Transfer.from(context) else { return CURL_SEEKFUNC_CANTSEEK }
      transfer.sent = Int64(offset)
      return CURL_SEEKFUNC_OK
    }
    gw_curl_set_pointer(handle, CURLOPT_PREREQDATA, context)
    gw_curl_set_before(handle) { context, _, _, _, _ in
      guard let transfer = Transfer.from(context), transfer.begin() else { return CURL_PREREQFUNC_ABORT }
      return CURL_PREREQFUNC_OK
    }
    gw_curl_set_pointer(handle, CURLOPT_WRITEDATA, context)
    gw_curl_set_transfer(handle, CURLOPT_WRITEFUNCTION) { data, size, count, context in
      guard let data, let transfer = Transfer.from(context) else { return 0 }
      return transfer.take(UnsafeRawBufferPointer(start: data, count: size * count)) ? size * count : 0
    }
    gw_curl_set_pointer(handle, CURLOPT_HEADERDATA, context)
    gw_curl_set_transfer(handle, CURLOPT_HEADERFUNCTION) { data, size, count, context in
      guard let data, let transfer = Transfer.from(context) else { return 0 }
      return transfer.takeHeader(UnsafeRawBufferPointer(start: data, count: size * count)) ? size * count : 0
    }
  }

  private static func from(_ context: UnsafeMutableRawPointer?) -> Transfer? {
    context.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
  }

  /// Whether it may be sent now.
  ///
  /// When a connection that was used before ends without an answer, libcurl sends the request once more by itself, and nobody hears of it. What
  /// changes something may have been done by then, and then the answer is about something else: that a key is taken, that an upload is gone.
  /// (aRequestThatChangesSomethingIsNotSentTwice)
  private func begin() -> Bool {
    beginnings += 1
    guard beginnings > 1, !request.isHarmless else { return true }
    failure = HTTPFailure(.broken, "the connection ended before there was an answer")
    return false
  }

  /// The next bytes of the request's body.
  private func give(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
    let left = request.body.count - sent
    let wanted = Int(min(Int64(buffer.count), left))
    guard wanted > 0 else { return 0 }
    let room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
    switch request.body {
    case .none: return 0
    case .bytes(let bytes):
      bytes.withUnsafeBytes {
        room.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[Int(sent)..<Int(sent) + wanted]))
      }
      sent += Int64(wanted)
      return wanted
    case .file(let path, let offset, _):
      do throws(SystemError) {
        let got = try source?.read(into: room, at: offset + sent) ?? 0
        if got > 0 {
          sent += Int64(got)
          return got
        }
        failure = HTTPFailure(.file, "\(path) is shorter than it was")
      } catch {
        failure = HTTPFailure(.file, error.description)
      }
      return Int(CURL_READFUNC_ABORT)
    }
  }

  private func takeHeader(_ line: UnsafeRawBufferPointer) -> Bool {
    headerBytes += line.count
    guard headerBytes <= Self.headerLimit else {
      failure = HTTPFailure(.tooLong, "the answer's headers are longer than \(Self.headerLimit) bytes")
      return false
    }
    let text = String(decoding: line, as: UTF8.self)
    hasAllHeaders = text == "\r\n" || text == "\n"
    if text.hasPrefix("HTTP/") {
      // A 100 came before.
      headers = [:]
      hasAllHeaders = false
      status = Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0
    } else if let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) {
      let value = text[text.index(after: colon)...]
      headers[text[..<colon].lowercased()] = String(trimmed(value))
    }
    return true
  }

  private func trimmed(_ text: Substring) -> Substring {
    var text = text
    while let first = text.unicodeScalars.first, first == " " || first == "\t" {
      text.unicodeScalars.removeFirst()
    }
    while let last = text.unicodeScalars.last, [" ", "\t", "\r", "\n"].contains(last) {
      text.unicodeScalars.removeLast()
    }
    return text
  }

  private func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let isSuccess = (200..<300).contains(status)
    if !isSuccess {
      body.append(contentsOf: bytes.prefix(Self.errorLimit - body.count))
      return true
    }
    guard received + Int64(bytes.count) <= request.limit.bytes else {
      failure = HTTPFailure(.tooLong, "the answer is longer than \(request.limit)", received: received)
      return false
    }
    if case .file(_, let offset) = request.sink {
      do throws(SystemError) {
        try target?.write(bytes, at: offset + received)
      } catch {
        failure = HTTPFailure(.file, error.description, received: received)
        return false
      }
    } else {
      body.append(contentsOf: bytes)
    }
    received += Int64(bytes.count)
    return true
  }

  /// What has become of it, once libcurl is done with it.
  func outcome(_ code: CURLcode) -> Result<HTTPResponse, HTTPFailure> {
    if let failure { return .failure(failure) }
    var number = 0
    gw_curl_status(handle, &number)
    guard code == CURLE_OK else {
      let said = String(cString: words)
      return .failure(
        HTTPFailure(
          Self.kind(code), said.isEmpty ? String(cString: curl_easy_strerror(code)) : said, received: received
        ))
    }
    // libcurl takes the end of the connection for the end of the headers, or of a body whose length nobody said. Either may have been cut.
    let hasNoBody = request.method == .head || number == 204 || number == 304
    let saysItsEnd = headers["content-length"] != nil || headers["transfer-encoding"] != nil
    guard hasAllHeaders, hasNoBody || saysItsEnd else {
      return .failure(HTTPFailure(.broken, "the answer does not say where it ends", received: received))
    }
    return .success(HTTPResponse(status: number, headers: headers, body: body, received: received))
  }

  private static func kind(_ code: CURLcode) -> HTTPFailure.Kind {
    switch code {
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT, CURLE_URL_MALFORMAT:
      .unreachable
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM,
      CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS:
      .tls
    case CURLE_SSL_CONNECT_ERROR: .handshake
    case CURLE_OPERATION_TIMEDOUT: .timedOut
    default: .broken
    }
  }
}
