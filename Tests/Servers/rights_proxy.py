"""Stands in front of an S3 server and takes rights away, as a policy would.

usage: rights_proxy.py PORT UPSTREAM_PORT RULE…

RULE is deny:KEYID:METHOD:REGEX (the method is a regular expression, too; the second one is searched in path and query) or hide:KEYID, for a user who
may not list: what is not there is forbidden, as S3 answers then.
GET /-/denied gives how often each rule was used, as JSON, and how many requests each user's were.
"""

import http.client
import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

port, upstream = int(sys.argv[1]), int(sys.argv[2])
rules = sys.argv[3:]
used = {rule: 0 for rule in rules}
DENIED = b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message><RequestId>rights</RequestId></Error>"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *words):
        pass

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/-/denied":
            return self.answer(200, [], json.dumps(used).encode())
        found = re.search("Credential=([^/]+)/", self.headers.get("Authorization", ""))
        user = found.group(1) if found else ""
        for rule in rules:
            kind, key, *rest = rule.split(":", 3)
            if kind == "deny" and key == user and re.fullmatch(rest[0], self.command) and re.search(rest[1], self.path):
                used[rule] += 1
                return self.answer(403, [], DENIED)
        used[user] = used.get(user, 0) + 1
        connection = http.client.HTTPConnection("127.0.0.1", upstream, timeout=60)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ("connection", "expect"):
                connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        content = response.read()
        if response.status == 404 and self.command in ("GET", "HEAD") and f"hide:{user}" in used:
            used[f"hide:{user}"] += 1
            return self.answer(403, [], DENIED)
        fields = [(name, value) for name, value in response.getheaders() if name.lower() not in ("connection", "transfer-encoding", "date", "server")]
        self.answer(response.status, fields, content)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = serve

    def answer(self, status, fields, body):
        self.send_response(status)
        for name, value in fields:
            if name.lower() != "content-length" or self.command == "HEAD":
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(body)))
        elif not any(name.lower() == "content-length" for name, _ in fields):
            self.send_header("Content-Length", "0")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


ThreadingHTTPServer.request_queue_size = 64
ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
