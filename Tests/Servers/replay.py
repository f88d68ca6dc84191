"""Answers requests with recorded conversations: a catalog that a test can't have, or in a state that it can't be brought to.

usage: replay.py PORT

A test posts its script to /-/NAME and finds the server under /NAME/…; GET /-/NAME gives what was asked under it so far, in order. A script is
  {"address": "host:port that the recording was made at, replaced by this server's",
   "exchanges": [{"request": {"method", "path"}, "response": {"status", "headers", "body"}}, …]}
The first exchange with the request's method and path that was not given yet is given; the last of them again and again. The request's query counts
only where the exchange's path has one. A body is JSON, or a text that is sent as it is. Instead of a response there may be "cut": "before" (the
connection breaks without an answer) or "within" (in the middle of the body), and beside it "echo": true (an error whose message quotes the request).
What was not recorded is answered with 418.
"""

import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

port = int(sys.argv[1])
scripts, lock = {}, threading.Lock()


class Script:
    def __init__(self, name, script):
        self.left = list(script["exchanges"])
        self.address, self.own = script.get("address"), f"127.0.0.1:{port}/{name}"
        self.asked = []

    def answer(self, asked):
        with lock:
            self.asked.append(asked)
            fitting = [i for i, e in enumerate(self.left) if self.fits(e["request"], asked)]
            if not fitting:
                return None
            found = self.left[fitting[0]]
            if len(fitting) > 1:
                del self.left[fitting[0]]
            return found

    def fits(self, wanted, asked):
        path = asked["path"] if "?" in wanted["path"] else asked["path"].partition("?")[0]
        return (wanted["method"], wanted["path"]) == (asked["method"], path)

    def content(self, body):
        if body is None:
            return b""
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        return (text.replace(self.address, self.own) if self.address else text).encode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *words):
        pass

    def say(self, status, headers, content, sent=None):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content if sent is None else content[:sent])

    def cut(self):
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        first, _, rest = self.path[1:].partition("/")
        if first == "-":
            if self.command == "POST":
                scripts[rest] = Script(rest, json.loads(body))
                return self.say(200, {}, b"")
            with lock:
                return self.say(200, {}, json.dumps(scripts[rest].asked).encode())
        script = scripts[first]
        asked = {"method": self.command, "path": "/" + rest, "body": body.decode(),
                 "headers": {name.lower(): value for name, value in self.headers.items()}}
        exchange = script.answer(asked)
        if exchange is None:
            return self.say(418, {}, f"{self.command} /{rest} was not recorded".encode())
        if exchange.get("cut") == "before":
            return self.cut()
        response = exchange["response"]
        quoted = {"error": {"message": f"{self.path}\n{self.headers}{body.decode()}"}}
        content = script.content(quoted if exchange.get("echo") else response.get("body"))
        if exchange.get("cut") == "within":
            self.say(response["status"], response.get("headers", {}), content, len(content) // 2)
            return self.cut()
        self.say(response["status"], response.get("headers", {}), content)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = serve


ThreadingHTTPServer.request_queue_size = 64
ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
