"""An orchestrator that starts the tasks it is given, as processes of this machine: what a job says is carried out, and not only compared.

usage: bacalhau.py PORT

A test posts a fleet to /-/NAME and finds the orchestrator under /NAME/api/v1/…:
  {"program": what runs in place of the image's entrypoint, "image": the one that there is, "environment": {…},
   "key": an API key that has to be said, "delay": seconds until an agent begins,
   "nodes": [{"name", "labels": {…}, "root": the folder that its mounts lie under, "allow": ["/var/logs:rw", …],
              "connected", "approved", "docker", "memory", "probe": a shell command for admission, "busy"}, …]}
POST /-/NAME/lose {"node"} takes a node away and kills what runs there; POST /-/NAME/fault {"method", "path", "status", "times", "headers", "cut"}
spoils answers whose path contains that ("cut": "after" does what was asked and says nothing); GET /-/NAME/log gives every request.
What it says is what the recordings in Tests/Fixtures/bacalhau say, or docs/bacalhau.md names as the API's.
"""

import datetime
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

port = int(sys.argv[1])
fleets = {}


class Refused(Exception):
    def __init__(self, status, message, code="InternalError", component="APIServer", **more):
        super().__init__(message)
        self.status = status
        self.body = {"Status": status, "Message": message, "RequestID": "", "Code": code, "Component": component, **more}


def quantity(text):
    number, unit = re.fullmatch(r"([0-9.]+)\s*([A-Za-z]*)", text).groups()
    return float(number) * {"": 1, "m": 1e-3, "mb": 1e6, "gb": 1e9, "mib": 1 << 20, "gib": 1 << 30}[unit.lower()]


class Fleet:
    def __init__(self, said):
        self.said = said
        self.nodes = {node["name"]: node for node in said["nodes"]}
        self.jobs, self.log, self.faults = {}, [], []
        self.lock = threading.RLock()

    # Nodes.

    def listed(self, node):
        connected = node.get("connected", True)
        most = {"CPU": 2, "Memory": node.get("memory", 4_000_000_000), "Disk": 204_149_581_414}
        return {
            "Info": {
                "NodeID": node["name"], "NodeType": node.get("type", "Compute"),
                "Labels": {"name": node["name"], "os_arch": "amd64", "os_type": "linux", **node.get("labels", {})},
                "SupportedProtocols": ["bprotocol/v2", "ncl/v1"],
                "ComputeNodeInfo": {
                    "ExecutionEngines": ["docker", "wasm"] if node.get("docker", True) else ["wasm"],
                    "Publishers": ["s3managed", "local", "noop"],
                    "StorageSources": ["urldownload", "inline"] + (["localdirectory", "local"] if node.get("allow") else []),
                    "MaxCapacity": most, "QueueCapacity": {},
                    "AvailableCapacity": {} if node.get("busy") or not connected else most, "MaxJobRequirements": most,
                    "RunningExecutions": 0, "EnqueuedExecutions": 0, "address": ""},
                "BacalhauVersion": {"Major": "1", "Minor": "9", "GitVersion": "v1.9.3"}},
            "Membership": node.get("approved", "APPROVED"), "Connection": "CONNECTED" if connected else "DISCONNECTED",
            "ConnectionState": {"Status": "CONNECTED" if connected else "DISCONNECTED", "LastHeartbeat": "2026-11-23T22:24:03.898545518Z",
                                "DisconnectedSince": "0001-01-01T00:00:00Z"}}

    # Jobs.

    def submit(self, job):
        if not job:
            raise Refused(400, "empty/nil job")
        if job.get("Type") not in ("ops", "batch", "daemon", "service"):
            raise Refused(400, f"invalid job type: \"{job.get('Type')}\"")
        if not job.get("Tasks"):
            raise Refused(400, "missing job tasks")
        task = job["Tasks"][0]
        limits = task.get("Timeouts", {})
        if limits.get("ExecutionTimeout", 0) > limits.get("TotalTimeout", 1 << 40):
            raise Refused(400, "task main validation failed: task timeouts validation failed", "BadRequest", "JobStore")
        with self.lock:
            old = next((j for j in self.jobs.values() if j["Name"] == job["Name"]), None)
            if old and old["said"] == job:
                raise Refused(500, f"no changes detected for new job spec. Job Name: '{job['Name']}', Job Id: '{old['ID']}'", "", "Bacalhau")
            if old:
                raise Refused(500, "this server keeps one version of a job", "", "Stub")
            made = {**job, "ID": f"j-{uuid.uuid4()}", "said": job, "State": {"StateType": "Pending"}, "executions": [], "events": [],
                    "Version": 1, "CreateTime": time.time_ns()}
            self.jobs[made["ID"]] = made
            self.tell(made, "Submission", "Job submitted")
        threading.Thread(target=self.schedule, args=[made], daemon=True).start()
        return {"JobID": made["ID"], "EvaluationID": str(uuid.uuid4()), "Warnings": None}

    def tell(self, job, topic, message, execution=None, **details):
        now = datetime.datetime.now(datetime.UTC).isoformat().replace("+00:00", "Z")
        job["events"].append({
            "SeqNum": len(job["events"]) + 1, "Type": "ExecutionLevel" if execution else "JobLevel", "JobID": job["ID"], "JobVersion": 1,
            **({"ExecutionID": execution["ID"]} if execution else {}), "Time": now,
            "Event": {"Message": message, "Topic": topic, "Timestamp": now, **({"Details": details} if details else {})}})

    def schedule(self, job):
        time.sleep(self.said.get("delay", 0.02))
        wanted = {c["Key"]: c["Values"] for c in job.get("Constraints", [])}
        able = [node for node in self.nodes.values()
                if all(self.listed(node)["Info"]["Labels"].get(key) in values for key, values in wanted.items())
                and node.get("connected", True) and node.get("approved", "APPROVED") == "APPROVED"
                and node.get("type", "Compute") == "Compute" and node.get("docker", True) and not node.get("busy")
                and quantity(job["Tasks"][0]["Resources"]["Memory"]) <= node.get("memory", 4_000_000_000)]
        with self.lock:
            if not able:
                count = sum(node.get("connected", True) for node in self.nodes.values())
                job["State"] = {"StateType": "Failed", "Message": f"not matching nodes to run job out of {count} available nodes."}
                return
            job["State"] = {"StateType": "Running"}
            self.tell(job, "State Update", "Running", NewState="Running")
            for node in able:
                execution = {"ID": f"e-{uuid.uuid4()}", "NodeID": node["name"], "JobID": job["ID"], "DesiredState": {"StateType": 1},
                             "ComputeState": {"StateType": 1}, "RunOutput": {"Stdout": "", "stderr": "", "ExitCode": 0}}
                job["executions"].append(execution)
                self.tell(job, "Scheduling", f"Requested execution on {node['name']}", execution, NodeID=node["name"])
                threading.Thread(target=self.execute, args=[job, execution, node], daemon=True).start()

    def end(self, job, execution, state, message, output=None):
        with self.lock:
            if execution["DesiredState"]["StateType"] == 2:
                return
            execution["ComputeState"] = {"StateType": state, **({"Message": message} if message and state != 9 else {})}
            words = {4: "bid rejected", 9: "execution completed", 10: "execution failed", 11: message}[state]
            execution["DesiredState"] = {"StateType": 2, "Message": words}
            if state == 10:
                self.tell(job, "Running Execution", message, execution, IsError="true")
            if output:
                execution["RunOutput"] = output
            if job["State"]["StateType"] == "Running" and all(e["DesiredState"]["StateType"] == 2 for e in job["executions"]):
                job["ModifyTime"] = time.time_ns()
                failed = any(e["ComputeState"]["StateType"] == 10 for e in job["executions"])
                job["State"] = {"StateType": "Failed", "Message": "Job failed because one or more executions failed"} if failed else {"StateType": "Completed"}

    def execute(self, job, execution, node):
        task = job["Tasks"][0]
        for source in task.get("InputSources", []):
            path, writable = source["Source"]["Params"]["SourcePath"], source["Source"]["Params"].get("ReadWrite", False)
            if not any(path == allowed[:-3] and (allowed.endswith(":rw") or not writable) for allowed in node.get("allow", [])):
                return self.end(job, execution, 10, f"volume {path} is not allowlisted")
            if not os.path.isdir(node["root"] + path):
                return self.end(job, execution, 10, f"volume {path} does not exist and creation is not allowed")
        if node.get("probe"):
            payload = json.dumps({"Job": {k: v for k, v in job.items() if k not in ("said", "executions", "events")}})
            environment = {"PATH": os.environ["PATH"], "BACALHAU_JOB_SELECTION_PROBE_DATA": payload}
            judged = subprocess.run(["bash", "-c", node["probe"]], input=payload, env=environment, capture_output=True, text=True)
            if judged.returncode:
                return self.end(job, execution, 4, f"rejected bid: this node does not accept this job: {judged.stderr.strip()}")
        parameters = task["Engine"]["Params"]
        if parameters["Image"] != self.said["image"]:
            return self.end(job, execution, 10, f"image not available: \"{parameters['Image']}\"")
        environment = {**self.said.get("environment", {}), **node.get("environment", {}), "PATH": os.environ["PATH"],
                       "BACALHAU_EXECUTION_ID": execution["ID"], "BACALHAU_JOB_ID": job["ID"], "BACALHAU_JOB_TYPE": "ops"}
        # A test that is cut off takes the server with it, and what runs here has to go, too.
        words = ["setpriv", "--pdeathsig", "KILL", self.said["program"], *parameters.get("Parameters", []), "--root", node["root"]]
        child = subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 start_new_session=True)
        with self.lock:
            execution["pid"] = child.pid
            if execution["DesiredState"]["StateType"] == 2:
                self.kill(execution)
        limit = task["Timeouts"]["ExecutionTimeout"]
        try:
            output, errors = child.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            self.kill(execution)
            child.communicate()
            return self.end(job, execution, 10, f"Execution timed out after {limit}s")
        finally:
            execution.pop("pid", None)
        self.end(job, execution, 9, "", {
            "Stdout": output[:2048].decode(errors="replace"), "StdoutTruncated": len(output) > 2048,
            "stderr": errors[:2048].decode(errors="replace"), "StderrTruncated": len(errors) > 2048,
            "ExitCode": child.returncode if child.returncode >= 0 else 128 - child.returncode, "ErrorMsg": ""})

    def kill(self, execution):
        if "pid" in execution:
            try:
                os.killpg(execution["pid"], signal.SIGKILL)
            except ProcessLookupError:
                pass

    def stop(self, job, reason):
        with self.lock:
            state = job["State"]["StateType"]
            if state == "Stopped":
                return {"EvaluationID": ""}
            if state in ("Completed", "Failed"):
                raise Refused(500, f"cannot stop job in state {state}", "", "Bacalhau")
            job["State"] = {"StateType": "Stopped", "Message": reason}
            for execution in job["executions"]:
                self.end(job, execution, 11, "Execution stop requested because job has been stopped")
                self.kill(execution)
            return {"EvaluationID": str(uuid.uuid4())}

    def lose(self, name):
        with self.lock:
            self.nodes[name]["connected"] = False
            for job in self.jobs.values():
                for execution in job["executions"]:
                    if execution["NodeID"] == name:
                        self.end(job, execution, 10, "Execution stop requested because node has disappeared")
                        self.kill(execution)

    def find(self, name):
        with self.lock:
            job = next((j for j in self.jobs.values() if j["Name"] == name), self.jobs.get(name))
        if not job:
            raise Refused(404, f"job not found: {name}", "NotFound", "JobStore")
        return job

    def shown(self, job):
        return {k: v for k, v in job.items() if k not in ("said", "executions", "events")}

    def shown_executions(self, job):
        return {"NextToken": "", "Items": [{"Job": self.shown(job), **{k: v for k, v in e.items() if k != "pid"}} for e in job["executions"]]}

    # Requests.

    def answer(self, method, path, query, body):
        if path.startswith("/api/v1/agent/version"):
            return {"Major": "1", "Minor": "9", "GitVersion": self.said.get("version", "v1.9.3"), "GOOS": "linux", "GOARCH": "amd64"}
        if path == "/api/v1/orchestrator/nodes" and method == "GET":
            with self.lock:
                return {"NextToken": "", "Nodes": [self.listed(node) for node in self.nodes.values()]}
        if path == "/api/v1/orchestrator/jobs" and method in ("PUT", "POST"):
            return self.submit(json.loads(body).get("Job"))
        if found := re.fullmatch("/api/v1/orchestrator/jobs/([^/]+)/(history|results)", path):
            job = self.find(found[1])
            with self.lock:
                return {"NextToken": "", "Items": list(job["events"]) if found[2] == "history" else []}
        if found := re.fullmatch("/api/v1/orchestrator/jobs/([^/]+)", path):
            job = self.find(found[1])
            if method == "DELETE":
                return self.stop(job, json.loads(body or b"{}").get("reason", ""))
            with self.lock:
                shown = {"Job": self.shown(job)}
                if "include=executions" in query:
                    shown["Executions"] = self.shown_executions(job)
                return json.loads(json.dumps(shown))
        raise Refused(404, "The requested resource/URL was not found.", "NotFound")

    def fault(self, method, path):
        with self.lock:
            for fault in self.faults:
                if fault.get("method", method) == method and fault["path"] in path and fault.get("times", 1) > 0:
                    fault["times"] = fault.get("times", 1) - 1
                    return fault
        return None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *words):
        pass

    def say(self, status, body, headers={}):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "X-Bacalhau-Git-Version": "v1.9.3", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def control(self, rest, body):
        name, _, what = rest.partition("/")
        if not what:
            fleets[name] = Fleet(body)
            return {}
        fleet = fleets[name]
        if what == "lose":
            fleet.lose(body["node"])
        elif what == "fault":
            with fleet.lock:
                fleet.faults.append(body)
        elif what == "log":
            return fleet.log
        return {}

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        first, _, rest = self.path[1:].partition("/")
        if first == "-":
            return self.say(200, self.control(rest, json.loads(body or b"null")))
        fleet = fleets[first]
        path, _, query = ("/" + rest).partition("?")
        with fleet.lock:
            fleet.log.append({"method": self.command, "path": path, "query": query, "body": body.decode(errors="replace"),
                              "headers": {name.lower(): value for name, value in self.headers.items()}})
        fault = fleet.fault(self.command, path)
        try:
            if fault and fault.get("cut") != "after":
                if fault.get("cut"):
                    return self.cut()
                return self.say(fault["status"], fault.get("body", "Server Timeout!").encode(), {"Content-Type": "text/plain"})
            if body and "chunked" in (self.headers.get("Transfer-Encoding") or ""):
                raise Refused(500, "unexpected authorization error")
            if fleet.said.get("key") and "agent" not in path and self.headers.get("Authorization") != f"Bearer {fleet.said['key']}":
                raise Refused(401, "Request Unauthorized", "Unauthorized", "Authorizer", Hint="Unauthorized principal. Event has been recorded.",
                              Details={"reason": "invalid API key"})
            answer = fleet.answer(self.command, path, query, body)
            if fault:
                return self.cut()
            self.say(200, answer)
        except Refused as refused:
            self.say(refused.status, refused.body)

    def cut(self):
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = serve


ThreadingHTTPServer.request_queue_size = 64
ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
