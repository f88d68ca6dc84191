import Files
import HTTP
import Support
import TestSupport
import Testing

/// A server that says byte for byte what a test has written down, once a connection.
private let scripted = """
  import socket, sys, threading, time
  port, answers = int(sys.argv[1]), [word.encode() for word in sys.argv[2:]]
  server = socket.create_server(("127.0.0.1", port)); number = 0
  def serve(client, answer):
      data = b""
      while b"\\r\\n\\r\\n" not in data:
          block = client.recv(65536)
          if not block: return
          data += block
      head, _, body = data.partition(b"\\r\\n\\r\\n")
      length = next((int(l.split(b":")[1]) for l in head.split(b"\\r\\n") if l.lower().startswith(b"content-length:")), 0)
      while len(body) < length:
          block = client.recv(65536)
          if not block: return
          body += block
      if answer == b"echo":
          said = head + b"\\r\\n\\r\\n" + body
          answer = b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(said) + said
      client.sendall(answer.replace(b"<stall>", b""))
      if answer.endswith(b"<stall>"): time.sleep(60)
      client.shutdown(socket.SHUT_RDWR); client.close()
  while True:
      client, _ = server.accept()
      answer = answers[min(number, len(answers) - 1)]
      client.settimeout(60); number += 1
      threading.Thread(target=serve, args=(client, answer), daemon=True).start()
  """

/// Starts it. The first connection only looks whether it is there.
private func server(_ answer: String) async throws -> String {
  try await TestServers.start("python/bin/python", { ["-c", scripted, String($0), "none", answer] })
}

/// A server that keeps its connections, and ends them without a word the first time that it is asked for a path with "cut" in it.
private let forgetful = """
  import http.server, sys
  asked = {}
  class Handler(http.server.BaseHTTPRequestHandler):
      protocol_version = "HTTP/1.1"
      def do(self):
          self.rfile.read(int(self.headers.get("Content-Length", 0)))
          asked[self.path] = asked.get(self.path, 0) + 1
          if "cut" in self.path and asked[self.path] == 1:
              self.close_connection = True
              return
          body = str(asked.get(self.headers.get("X-Of"), 0)).encode()
          self.send_response(200)
          self.send_header("Content-Length", str(len(body)))
          self.end_headers()
          if self.command != "HEAD": self.wfile.write(body)
      do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do
  http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
  """

@Suite(.tags(.medium)) struct HTTPClientTests {
  private let client: HTTPClient
  init() throws { client = try HTTPClient() }

  private func get(_ url: String, _ change: (inout HTTPRequest) -> Void = { _ in }) async throws
    -> HTTPResponse
  {
    var request = HTTPRequest(.get, url)
    change(&request)
    return try await client.send(request)
  }

  @Test func whatIsSentArrives() async throws {
    let url = try await server("echo")
    var request = HTTPRequest(
      .put, url + "/a%20b?x=%2F", headers: [("X-One", "1"), ("X-Empty-Not", "0")],
      body: .bytes(Array("body".utf8)))
    var said = String(decoding: try await client.send(request).body, as: UTF8.self)
    #expect(said.hasPrefix("PUT /a%20b?x=%2F HTTP/1.1\r\n"))
    #expect(
      said.contains("\r\nX-One: 1\r\n") && said.contains("\r\nContent-Length: 4\r\n")
        && said.hasSuffix("\r\n\r\nbody"))
    #expect(!said.lowercased().contains("expect:") && !said.lowercased().contains("transfer-encoding"))
    request = HTTPRequest(.post, url, body: .bytes([]))
    said = String(decoding: try await client.send(request).body, as: UTF8.self)
    #expect(
      said.hasPrefix("POST / HTTP/1.1\r\n") && said.contains("\r\nContent-Length: 0\r\n")
        && !said.contains("Content-Type"))
  }

  @Test func partOfAFileGoesUpAndABodyIntoAFile() async throws {
    try await withScratch { folder in
      let url = try await server("echo")
      let file = joined(folder, "file")
      try publish(Array("0123456789".utf8), at: file, replacing: true)
      let target = joined(folder, "target")
      try publish(Array("before".utf8), at: target, replacing: true)
      var request = HTTPRequest(.put, url, body: .file(file, offset: 3, count: 4))
      request.sink = .file(target, offset: 6)
      let response = try await client.send(request)
      let text = String(decoding: try readFile(target, limit: .kibibytes(4)), as: UTF8.self)
      #expect(response.body.isEmpty && response.received == Int64(text.utf8.count - 6))
      #expect(text.hasPrefix("beforePUT / HTTP/1.1") && text.hasSuffix("\r\n\r\n3456"))
    }
  }

  @Test func anErrorsBodyStaysOutOfTheFile() async throws {
    try await withScratch { folder in
      let url = try await server("HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\nnone")
      let target = joined(folder, "target")
      try publish([], at: target, replacing: true)
      let response = try await get(url) { $0.sink = .file(target, offset: 0) }
      #expect(response.status == 404 && response.body == Array("none".utf8))
      #expect(try readFile(target, limit: .kibibytes(1)) == [])
    }
  }

  @Test func headersAreReadWithoutTheirCase() async throws {
    let url = try await server("HTTP/1.1 200 OK\r\nETag: \"x\"\r\nX-A:  b c \r\nContent-Length: 0\r\n\r\n")
    let response = try await get(url)
    #expect(response.headers["etag"] == "\"x\"" && response.headers["x-a"] == "b c")
  }

  @Test(
    arguments: [
      ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", HTTPFailure.Kind.broken),
      ("HTTP/1.1 200 OK\r\nContent-Le", .broken),
      ("no http at all", .broken),
      ("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + String(repeating: "x", count: 100), .tooLong),
      ("HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 100), .tooLong),
      (
        "HTTP/1.1 200 OK\r\n"
          + String(repeating: "X-Long: 0123456789012345678901234567890123456789\r\n", count: 1500) + "\r\n",
        .tooLong
      ),
      ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nha<stall>", .timedOut),
    ] as [(String, HTTPFailure.Kind)]) func whatIsNoWholeAnswerIsAFailure(
      _ answer: String, _ kind: HTTPFailure.Kind
    ) async throws
  {
    let url = try await server(answer)
    let failure = await #expect(throws: HTTPFailure.self) {
      _ = try await get(url) {
        $0.limit = ByteCount(50)
        $0.timeouts = HTTPRequest.Timeouts(connect: 5, idle: 1, total: 20)
      }
    }
    #expect(failure?.kind == kind, "\(failure?.words ?? "")")
  }

  /// libcurl would repeat it by itself on a connection that it has kept: a commit that was made would be answered as a conflict.
  @Test(arguments: [HTTPRequest.Method.post, .put]) func whatHasABodyIsNotSentASecondTime(
    _ method: HTTPRequest.Method
  ) async throws {
    let url = try await TestServers.start(
      "python/bin/python", { [joined(repositoryRoot, "Tests/Servers/replay.py"), String($0)] })
    let script = """
      {"exchanges": [{"request": {"method": "GET", "path": "/before"}, "response": {"status": 200}},
        {"request": {"method": "\(method.rawValue)", "path": "/cut"}, "cut": "before"}]}
      """
    _ = try await client.send(HTTPRequest(.post, url + "/-/x", body: .bytes(Array(script.utf8))))
    // The connection is there, and kept.
    #expect(try await get(url + "/x/before").status == 200)
    let failure = await #expect(throws: HTTPFailure.self) {
      _ = try await client.send(HTTPRequest(method, url + "/x/cut", body: .bytes(Array("once".utf8))))
    }
    #expect(failure?.kind == .broken)
    let said = String(decoding: try await get(url + "/-/x").body, as: UTF8.self)
    #expect(said.ranges(of: "once").count == 1, "\(said)")
  }

  @Test func nothingIsFollowed() async throws {
    let url = try await server(
      "HTTP/1.1 307 Away\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
    #expect(try await get(url).status == 307)
  }

  @Test func nobodyThereIsUnreachable() async throws {
    let failure = await #expect(throws: HTTPFailure.self) {
      _ = try await get("http://127.0.0.1:\(try freePort())/")
    }
    #expect(failure?.kind == .unreachable)
    let other = await #expect(throws: HTTPFailure.self) { _ = try await get("file:///etc/passwd") }
    #expect(other?.kind == .unreachable)
  }

  @Test func aCancelledTaskIsNotKeptWaiting() async throws {
    let url = try await server("<stall>")
    let task = Task { try await get(url) }
    try await Task.sleep(for: .milliseconds(200))
    let watch = Stopwatch()
    task.cancel()
    let failure = await #expect(throws: HTTPFailure.self) { _ = try await task.value }
    #expect(failure?.kind == .cancelled)
    #expect(watch.seconds < 30 * patience)
    // One that was cancelled before it began.
    let late = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await get(url)
    }
    #expect((await #expect(throws: HTTPFailure.self) { _ = try await late.value })?.kind == .cancelled)
  }

  @Test(arguments: [HTTPRequest.Method.put, .post, .delete, .get, .head], [false, true])
  func aRequestThatChangesSomethingIsNotSentTwice(_ method: HTTPRequest.Method, _ isHarmless: Bool)
    async throws
  {
    let url = try await TestServers.start("python/bin/python", { ["-c", forgetful, String($0)] })
    func count() async throws -> String {
      String(decoding: try await get(url + "/") { $0.headers = [("X-Of", "/cut")] }.body, as: UTF8.self)
    }
    // The connection has been used before.
    #expect(try await count() == "0")
    let isRead = method == .get || method == .head
    var request = HTTPRequest(method, url + "/cut", body: isRead ? .none : .bytes([1, 2, 3]))
    if isHarmless { request.isHarmless = true }
    let mayPass = isRead || isHarmless
    let result: Result<HTTPResponse, HTTPFailure>
    do throws(HTTPFailure) { result = .success(try await client.send(request)) } catch {
      result = .failure(error)
    }
    switch result {
    case .success(let response): #expect(mayPass && response.status == 200)
    case .failure(let failure): #expect(!mayPass && failure.kind == .broken && failure.mayPass)
    }
    #expect(try await count() == (mayPass ? "2" : "1"))
  }

  @Test func aHeaderCantBeginAnother() async throws {
    let url = try await server("echo")
    let failure = await #expect(throws: HTTPFailure.self) {
      _ = try await get(url) { $0.headers = [("X-A", "b\r\nX-Evil: 1")] }
    }
    #expect(failure?.kind == .broken)
  }

  @Test func manyGoSideBySide() async throws {
    let url = try await server("echo")
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for number in 0..<200 {
        group.addTask {
          let response = try await client.send(HTTPRequest(.get, "\(url)/\(number)"))
          return String(decoding: response.body, as: UTF8.self).hasPrefix("GET /\(number) HTTP/1.1")
        }
      }
      for try await isRight in group { #expect(isRight) }
    }
  }
}
