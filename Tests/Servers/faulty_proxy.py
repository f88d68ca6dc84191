"""Stands between a client and an HTTP server and spoils some of what goes through.

usage: faulty_proxy.py PORT UPSTREAM_PORT SEED KIND=SHARE… [only=REGEX] [times=COUNT]

Of all requests (or of those whose method and target the expression matches, as in 'PUT /bucket/key') the share of each kind,
chosen by the seed, and at most so many times in all:
  busy       503 SlowDown, and the server never hears of it
  lost       the server does it, and the answer is 503
  cut        the server does it, and the connection ends without an answer
  truncated  the server does it, and half of the answer's body comes
  refused    the connection ends before anything is read
  stall      the answer begins after so many seconds of silence as seconds=… says, or ten
  held       half of the request's body reaches the server; the rest waits until GET /-/go
  raced      the same, or until the server has done another request that matches
  kept       the server does it; the connection ends without an answer once there was a GET /-/go

An answer without a body can't be truncated: it goes through, and is not counted.

GET /-/counts on the port gives how often each was done, and how many requests are waiting, as JSON. GET /-/requests gives what
the server answered: of each request method, path, status, SHA-256 of its body, and the body itself of a POST. GET /-/times/N
sets how many more are to be spoiled; GET /-/go lets those that wait go on, and spoils no more until then.
"""

import hashlib
import http.client
import json
import random
import re
import socketserver
import sys
import threading
import time

port, upstream, seed = (int(value) for value in sys.argv[1:4])
words = dict(word.split("=", 1) for word in sys.argv[4:])
only = re.compile(words.pop("only", ""))
left = int(words.pop("times", sys.maxsize))
silence = float(words.pop("seconds", 10))
shares = {kind: float(share) for kind, share in words.items()}
chance = random.Random(seed)
lock = threading.Lock()
gate = threading.Condition(lock)
counts = dict.fromkeys(shares, 0) | {"requests": 0, "waiting": 0}
requests = []
openings = 0
BUSY = b"<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message><RequestId>spoiled</RequestId></Error>"


def choose(asked):
    """What is to happen to this request, or None."""
    with lock:
        counts["requests"] += 1
        if not only.search(asked):
            return None
        number = chance.random()
        for kind, share in shares.items():
            if number < share:
                return kind
            number -= share
    return None


def may_spoil(kind):
    """Counts it, unless there were enough."""
    global left
    with lock:
        if left == 0:
            return False
        left -= 1
        counts[kind] += 1
        return True


def wait_at_gate():
    with lock:
        seen = openings
        counts["waiting"] += 1
        gate.wait_for(lambda: openings > seen)
        counts["waiting"] -= 1


def open_gate():
    global openings
    with lock:
        openings += 1
        gate.notify_all()


def command(path):
    """What the test asks of the proxy itself."""
    global left
    if path == "/-/go" or path.startswith("/-/times/"):
        with lock:
            left = int(path.rpartition("/")[2]) if path != "/-/go" else 0
        if path == "/-/go":
            open_gate()
    with lock:
        return json.dumps(requests if path == "/-/requests" else counts).encode()


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        upstream_connection = None
        while True:
            line = self.rfile.readline(65536)
            if not line:
                return
            method, path, _ = line.decode("latin-1").split(" ", 2)
            headers = []
            while (field := self.rfile.readline(65536)) not in (b"\r\n", b"\n", b""):
                name, value = field.decode("latin-1").rstrip("\r\n").split(":", 1)
                headers.append((name, value.strip()))
            length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
            if path.startswith("/-/"):
                return self.answer(200, command(path), method)
            kind = choose(f"{method} {path}")
            # What has no body shows only in the answer.
            if kind not in (None, "truncated") and not may_spoil(kind):
                kind = None
            if kind == "refused":
                return
            body = self.rfile.read(length)
            if len(body) < length:
                return
            if kind == "busy":
                self.answer(503, BUSY, method)
                continue
            try:
                if upstream_connection is None:
                    upstream_connection = http.client.HTTPConnection("127.0.0.1", upstream, timeout=60)
                upstream_connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
                for name, value in headers:
                    if name.lower() not in ("connection", "expect"):
                        upstream_connection.putheader(name, value)
                if kind in ("held", "raced"):
                    upstream_connection.endheaders(body[: length // 2])
                    wait_at_gate()
                    upstream_connection.send(body[length // 2 :])
                else:
                    upstream_connection.endheaders(body)
                response = upstream_connection.getresponse()
                content = response.read()
            except (OSError, http.client.HTTPException):
                return
            with lock:
                requests.append({
                    "method": method, "path": path, "status": response.status, "digest": hashlib.sha256(body).hexdigest(),
                    "body": body.decode("latin-1") if method == "POST" else ""})
            if "raced" in shares and response.status < 300 and only.search(f"{method} {path}"):
                open_gate()
            if kind == "kept":
                wait_at_gate()
            if kind in ("cut", "kept"):
                return
            if kind == "lost":
                self.answer(503, BUSY, method)
                continue
            if kind == "stall":
                time.sleep(silence)
            fields = [(name, value) for name, value in response.getheaders() if name.lower() not in ("connection", "transfer-encoding", "content-length")]
            size = response.getheader("Content-Length") if method == "HEAD" else str(len(content))
            head = f"HTTP/1.1 {response.status} {response.reason}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields)
            if size is not None and response.status != 204:
                head += f"Content-Length: {size}\r\n"
            self.wfile.write(head.encode("latin-1") + b"\r\n")
            if method != "HEAD":
                if kind == "truncated" and content and may_spoil(kind):
                    self.wfile.write(content[: len(content) // 2])
                    return
                self.wfile.write(content)
            self.wfile.flush()

    def answer(self, status, body, method):
        self.wfile.write(f"HTTP/1.1 {status} X\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        if method != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, address):
        pass


Server(("127.0.0.1", port), Handler).serve_forever()
