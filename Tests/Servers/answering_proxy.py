"""Stands in front of an HTTP server, with or without TLS, and says some answers in its place.

usage: answering_proxy.py PORT UPSTREAM_PORT SCRIPT

The script is JSON; all of it may be left out:
  "answers": [{"to": REGEX, "status": 200, "headers": {NAME: VALUE}, "body": TEXT, "after": true, "echo": true}]
      "since": REGEX    only once such a request has come before
      The first one whose "to" is found in the method and target, as in 'PUT /bucket/key', is given in the server's place; with "after" once the
      server has done it. With "echo" the request stands where the body has %REQUEST%. %NOW% in a header is this server's time.
  "agent": REGEX    answers only to clients that call themselves so
  "clock": SECONDS  The server's time is so many seconds ahead of the world's, and a request that was signed a quarter of an hour from it is
                    refused. What is accepted is signed anew for the real server, with "keys": {ID: SECRET} and "region".
  "never": true     refuses for the clock's sake whatever the request's time is
  "tls": [CERTIFICATE_FILE, KEY_FILE]

GET /-/seen on the port gives {"requests": [METHOD AND TARGET], "answered": HOW MANY, "agents": [NAME], "authorizations": [VALUE]} as JSON.
"""

import datetime
import hashlib
import hmac
import http.client
import json
import re
import ssl
import sys
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

port, upstream, script = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
lock = threading.Lock()
seen = {"requests": [], "answered": 0, "agents": [], "authorizations": []}
SKEWED = "<?xml version=\"1.0\"?><Error><Code>RequestTimeTooSkewed</Code><Message>The difference between the request time and the current time is too large.</Message><RequestId>REQUEST-7</RequestId></Error>"


def now():
    return time.time() + script.get("clock", 0)


def is_skewed(headers):
    stamp = headers.get("x-amz-date", "19700101T000000Z")
    signed = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    return abs(signed.timestamp() - now()) > 900


def digest(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signed_anew(method, target, headers):
    """The headers with this moment in them, and the signature that belongs to it (AWS's version 4, for S3)."""
    found = re.search(r"Credential=([^/]+)/.*SignedHeaders=([^,]+)", headers["authorization"])
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    region = script.get("region", "us-east-1")
    headers = headers | {"x-amz-date": stamp}
    names = found.group(2)
    path, _, query = target.partition("?")
    canonical = "\n".join([
        method, path, query, *(f"{name}:{headers[name]}" for name in names.split(";")), "", names,
        headers["x-amz-content-sha256"]])
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = ("AWS4" + script["keys"][found.group(1)]).encode()
    for part in (stamp[:8], region, "s3", "aws4_request"):
        key = digest(key, part)
    signature = digest(key, text).hex()
    return headers | {
        "authorization": f"AWS4-HMAC-SHA256 Credential={found.group(1)}/{scope},SignedHeaders={names},Signature={signature}"}


def fits(answer, asked):
    with lock:
        before = seen["requests"][:-1]
    return re.search(answer.get("to", ""), asked) and (
        "since" not in answer or any(re.search(answer["since"], one) for one in before))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        if "tls" in script:
            # Here, in the connection's own thread: a client that does not go on with it keeps nobody else waiting.
            self.request = context.wrap_socket(self.request, server_side=True)
        super().setup()

    def log_message(self, *words):
        pass

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/-/seen":
            with lock:
                return self.answer(200, {}, json.dumps(seen).encode())
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = f"{self.command} {self.path}"
        agent = headers.get("user-agent", "")
        with lock:
            seen["requests"].append(asked)
            for name, value in (("agents", agent), ("authorizations", headers.get("authorization", ""))):
                if value not in seen[name]:
                    seen[name].append(value)
        if ("clock" in script and is_skewed(headers)) or "never" in script:
            return self.say({"status": 403, "headers": {"Date": "%NOW%"}, "body": SKEWED}, body)
        found = None
        if re.search(script.get("agent", ""), agent):
            found = next((one for one in script.get("answers", []) if fits(one, asked)), None)
        if found and not found.get("after"):
            return self.say(found, body)
        if "clock" in script:
            headers = signed_anew(self.command, self.path, headers)
        connection = http.client.HTTPConnection("127.0.0.1", upstream, timeout=60)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            if name not in ("connection", "expect"):
                connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        if found:
            return self.say(found, body)
        kept = {name: value for name, value in response.getheaders()
                if name.lower() not in ("connection", "transfer-encoding", "date", "server")}
        self.answer(response.status, kept, content)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = serve

    def say(self, answer, asked):
        with lock:
            seen["answered"] += 1
        text = answer.get("body", "")
        if answer.get("echo"):
            request = f"{self.command} {self.path}\n{self.headers}{asked.decode('latin-1')}"
            # As it may stand in XML and in JSON alike.
            text = text.replace("%REQUEST%", json.dumps(escape(request))[1:-1])
        fields = {name: value.replace("%NOW%", formatdate(now(), usegmt=True))
                  for name, value in answer.get("headers", {}).items()}
        self.answer(answer.get("status", 200), fields, text.encode())

    def answer(self, status, fields, body):
        # http.server would add a Date of its own.
        self.send_response_only(status)
        for name, value in fields.items():
            if name.lower() != "content-length" or self.command == "HEAD":
                self.send_header(name, value)
        if self.command != "HEAD" or not any(name.lower() == "content-length" for name in fields):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, address):
        pass


if "tls" in script:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*script["tls"])
Server(("127.0.0.1", port), Handler).serve_forever()
