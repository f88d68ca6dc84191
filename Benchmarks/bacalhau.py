"""What the engine bacalhau adds to Bacalhau's own time, with stand-ins for orchestrator and S3 on this machine.

usage: bacalhau.py GADWALL MOTO OUTPUT

A query over three idle nodes: the program's whole time, less that from the job's submission to its end. And an answer with a thousand executions, each
of which embeds the job, less the same with one. Appends a line of JSON a measurement to OUTPUT.
"""

import http.server
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

gadwall, moto, output = (os.path.abspath(p) for p in sys.argv[1:4])
stub = pathlib.Path(__file__).parent.parent / "Tests/Servers/bacalhau.py"
KEY, SECRET, IMAGE = "AKIDBENCH1234", "benchSECRET1234", "registry.example/gadwall:bench"
ROUNDS, MANY = 7, 1000


def note(**line):
    with open(output, "a") as file:
        file.write(json.dumps(line) + "\n")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(url, method="GET", body=None):
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode() if body is not None else None, method=method)) as answer:
        return json.loads(answer.read() or b"null") if method != "PUT" else None


def start(words):
    """A server on a port of its own, once it takes connections."""
    port = free_port()
    child = subprocess.Popen([word.replace("PORT", str(port)) for word in words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return child, f"http://127.0.0.1:{port}"
        time.sleep(0.05)


def run(work, *words):
    """Seconds, and the most memory in bytes."""
    environment = {**os.environ, "GADWALL_CONFIG": str(work / "gadwall.yaml"), "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
    began = time.monotonic()
    child = subprocess.Popen([gadwall, *words], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return time.monotonic() - began, usage.ru_maxrss * 1024, child.returncode


def configure(work, api, store):
    (work / "gadwall.yaml").write_text(
        f"engine: bacalhau\nbacalhau: {{ api: '{api}', image: '{IMAGE}' }}\n"
        "logs: { live: [var/logs/app/*.log], rotated: [var/logs/raw_logs/*] }\n"
        f"store: {{ url: 's3://bucket/archive', endpoint: '{store}' }}\n")


def idle_nodes(work, api, store):
    nodes = []
    for number in range(3):
        root = work / f"vm{number}"
        for folder in ("var/logs/app", "var/logs/raw_logs", "var/lib/gadwall", "etc/gadwall"):
            (root / folder).mkdir(parents=True)
        (root / "var/lib/gadwall/node.yaml").write_text(f"region: r{number}\nzone: z\nname: vm{number}\n")
        (root / "etc/gadwall/credentials").write_text(f"[default]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n")
        nodes.append({"name": f"vm{number}", "labels": {"region": f"r{number}", "zone": "z"}, "root": str(root),
                      "allow": ["/var/logs:rw", "/var/lib/gadwall:rw", "/etc/gadwall:ro"]})
    ask(f"{api}/-/bench", "POST", {"program": gadwall, "image": IMAGE, "environment": {}, "nodes": nodes})
    configure(work, f"{api}/bench", store)
    beyond, whole = [], []
    for _ in range(ROUNDS):
        seconds, _, status = run(work, "query", "SELECT count(*) AS n FROM live")
        assert status == 0, f"the query ended with {status}"
        submitted = [entry for entry in ask(f"{api}/-/bench/log") if entry["method"] == "PUT"][-1]
        job = ask(f"{api}/bench/api/v1/orchestrator/jobs/{json.loads(submitted['body'])['Job']['Name']}")["Job"]
        whole.append(seconds)
        beyond.append(seconds - (job["ModifyTime"] - job["CreateTime"]) / 1e9)
    note(kind="idle", wall=round(statistics.median(whole), 3), beyond=round(statistics.median(beyond), 3), goal=0.5)
    print(f"  a query over three idle nodes: {statistics.median(whole):.2f} s, beyond the job's own time {statistics.median(beyond):.2f} s (0.5)", flush=True)


class Many(http.server.BaseHTTPRequestHandler):
    """An orchestrator of so many nodes on each of which the job has failed."""
    protocol_version, count, job = "HTTP/1.1", 1, None

    def log_message(self, *words):
        pass

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        names = [f"node-{number}" for number in range(self.count)]
        if self.path.endswith("/version"):
            said = {"GitVersion": "v1.9.3"}
        elif "/nodes" in self.path:
            compute = {"ExecutionEngines": ["docker"], "StorageSources": ["localdirectory"]}
            said = {"Nodes": [{"Info": {"NodeID": name, "NodeType": "Compute", "Labels": {"name": name, "region": "r", "zone": "z"}, "ComputeNodeInfo": compute},
                               "Membership": "APPROVED", "ConnectionState": {"Status": "CONNECTED"}} for name in names]}
        elif self.command == "PUT":
            Many.job = {**json.loads(body)["Job"], "ID": "j-1", "State": {"StateType": "Failed"}}
            said = {"JobID": "j-1"}
        else:
            said = {"Job": self.job}
            if "include=executions" in self.path:
                said["Executions"] = {"Items": [
                    {"ID": f"e-{name}", "NodeID": name, "Job": self.job, "ComputeState": {"StateType": 10, "Message": "image not available"},
                     "DesiredState": {"StateType": 2}, "RunOutput": {"Stdout": "", "stderr": "", "ExitCode": 0}} for name in names]}
        content = json.dumps(said).encode()
        Many.size = max(getattr(Many, "size", 0), len(content))
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_DELETE = answer


def many_executions(work, store):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Many)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    configure(work, f"http://127.0.0.1:{server.server_port}", store)
    measured = {}
    for count in (1, MANY):
        Many.count = count
        rounds = [run(work, "doctor") for _ in range(3)]
        measured[count] = statistics.median(r[0] for r in rounds), statistics.median(r[1] for r in rounds)
    seconds = measured[MANY][0] - measured[1][0]
    memory = (measured[MANY][1] - measured[1][1]) / 1e6
    note(kind="executions", executions=MANY, answer_bytes=Many.size, seconds=round(seconds, 3), megabytes=round(memory, 1), goal_seconds=1, goal_megabytes=100)
    print(f"  {MANY:,} nodes and as many executions, {Many.size / 1e6:.1f} MB in the answer: {seconds:.2f} s (1) and {memory:.0f} MB (100) more than one", flush=True)


with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
    work = pathlib.Path(folder)
    servers = []
    try:
        child, store = start([moto, "-H", "127.0.0.1", "-p", "PORT"])
        servers.append(child)
        child, api = start([sys.executable, str(stub), "PORT"])
        servers.append(child)
        ask(f"{store}/bucket", "PUT")
        idle_nodes(work, api, store)
        many_executions(work, store)
    finally:
        for child in servers:
            child.kill()
            child.wait()
