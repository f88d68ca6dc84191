"""Answers requests by a script, and remembers them.

usage: scripted_server.py PORT SCRIPT

The script is JSON, a list of answers: {"to": REGEX, "status": 200, "headers": {NAME: VALUE}, "body": TEXT, "times": 1}. "to" is searched
in the method and target, as in 'PUT /bucket/key'. A request gets the first answer to it that has not been given so many times yet;
when all have, the last one to it; 404 without a body where there is none.

GET /-/requests on the port gives those that came, as JSON.
"""

import http.server
import json
import re
import sys
import threading

answers = json.loads(sys.argv[2])
requests = []
lock = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_one_request(self):
        self.raw_requestline = self.rfile.readline(65537)
        self.close_connection = True
        if not self.raw_requestline or not self.parse_request():
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/-/requests":
            return self.say({"status": 200, "body": json.dumps(requests)})
        asked = f"{self.command} {self.path}"
        with lock:
            headers = {name.lower(): value for name, value in self.headers.items()}
            requests.append({"line": asked, "headers": headers, "body": body.decode("latin-1")})
            fitting = [answer for answer in answers if re.search(answer.get("to", ""), asked)]
            answer = next((one for one in fitting if one.get("given", 0) < one.get("times", 1)), None)
            answer = answer or (fitting[-1] if fitting else {"status": 404})
            answer["given"] = answer.get("given", 0) + 1
        self.say(answer)

    def say(self, answer):
        body = answer.get("body", "").encode()
        # http.server would add a Date of its own.
        self.send_response_only(answer["status"])
        # A script may name another length than the body has.
        for name, value in ({"Content-Length": str(len(body))} | answer.get("headers", {})).items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, address):
        pass


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
