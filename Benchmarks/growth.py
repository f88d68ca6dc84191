"""How the time and the memory of a harvest grow: with the size of a file, the number of files, and the number of nodes.

usage: growth.py GADWALL OUTPUT [sizes] [files] [nodes]       all three when none is named

Every harvest is a whole one: staged, committed, read back, pruned; the table's rows are what was written. While it runs, the largest memory of
its own of each program is sampled (RssAnon: a mapped file is the page cache's), and the scratch space. Appends a line of JSON a harvest to OUTPUT.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

gadwall, output = (os.path.abspath(p) for p in sys.argv[1:3])
wanted = sys.argv[3:] or ["sizes", "files", "nodes"]
DAY = 1795442400


class Watch(threading.Thread):
    """Samples what a harvest and its children use, until it has ended."""

    def __init__(self, root, scratch):
        super().__init__(daemon=True)
        self.root, self.scratch = root, scratch
        self.largest, self.space, self.done = {}, 0, threading.Event()

    def run(self):
        while not self.done.wait(0.1):
            self.sample()

    def sample(self):
        parents, names, memory = {}, {}, {}
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                lines = dict(line.split(":", 1) for line in open(f"/proc/{entry}/status").read().splitlines() if ":" in line)
                arguments = open(f"/proc/{entry}/cmdline").read().split("\0")
            except (OSError, ValueError):
                continue
            pid = int(entry)
            parents[pid] = int(lines["PPid"])
            names[pid] = "node" if "node" in arguments[1:2] else lines["Name"].strip()
            memory[pid] = int(lines.get("RssAnon", "0").split()[0]) // 1024
        for pid in parents:
            at = pid
            while at in parents and at != self.root:
                at = parents[at]
            if at == self.root:
                name = "control" if pid == self.root else names[pid]
                self.largest[name] = max(self.largest.get(name, 0), memory[pid])
        if self.scratch:
            space = 0
            for folder, _, files in os.walk(self.scratch):
                for file in files:
                    try:
                        space += os.stat(os.path.join(folder, file)).st_blocks * 512
                    except OSError:
                        pass
            self.space = max(self.space, space)


def harvest(fleet, what, scratch=None, **facts):
    subprocess.run(["sync"])
    start = time.monotonic()
    process = subprocess.Popen([gadwall, "harvest", "--quiet", "--format", "json", "--config", str(fleet / "gadwall.yaml")], stdout=subprocess.PIPE)
    watch = Watch(process.pid, scratch)
    watch.start()
    printed = process.communicate()[0]
    wall = time.monotonic() - start
    watch.done.set()
    watch.join()
    assert process.returncode == 0, process.returncode
    summary = json.loads(printed)
    line = {
        "what": what, **facts, "wall": round(wall, 2), "rows": sum(s["rows"] for s in summary["snapshots"]),
        "data_files": sum(s["files"] for s in summary["snapshots"]), "anonymous_mib": watch.largest,
    }
    if scratch:
        line["scratch_mib"] = watch.space >> 20
    print("  " + ", ".join(f"{k} {v}" for k, v in line.items()), flush=True)
    with open(output, "a") as file:
        file.write(json.dumps(line) + "\n")
    return summary


def configured(fleet, names):
    (fleet / "gadwall.yaml").write_text(
        "engine: local\nlocal:\n  nodes:\n"
        + "".join(f"    - {{ region: r{n % 3}, zone: z, name: {name}, root: nodes/{name} }}\n" for n, name in enumerate(names))
        + "logs: { live: [], rotated: [\"var/logs/raw_logs/*\"] }\nstore: { url: \"file:store\" }\n")
    folders = [fleet / "nodes" / name / "var/logs/raw_logs" for name in names]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    return folders


def line(*parts):
    return f'{{"id":"{"-".join(map(str, parts))}","@version":"1.1","message":"Auth [INFO] a line"}}\n'


def inside(body):
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        body(pathlib.Path(folder))


def sizes(fleet):
    print("the size of one file (the case study's lines):")
    raw, = configured(fleet, ["vm"])
    for mebibytes in (64, 256, 1024, 4096):
        path = raw / "my_logs.log.1"
        subprocess.run([gadwall, "generate", "--count", str(mebibytes * 1048576 // 164), "--seed", "1", "--start", "2026-11-23T14:00:00Z", str(path)], check=True)
        size = path.stat().st_size
        harvest(fleet, "one file", scratch=fleet / "nodes/vm/var/lib/gadwall", bytes=size)
        assert not path.exists()


def files(fleet):
    print("the number of files of 1 KiB, all of one day:")
    raw, = configured(fleet, ["vm"])
    for count in (1, 10, 100, 1000, 10000):
        for number in range(count):
            path = raw / f"my_logs.log.{number + 1}"
            path.write_text("".join(line(count, number, n) for n in range(14)))
            os.utime(path, (DAY + number, DAY + number))
        harvest(fleet, "files", files=count)
    # Staged before, and not yet deleted: what a stage costs that has nothing to do.
    for number in range(10000):
        path = raw / f"my_logs.log.{number + 1}"
        path.write_text(line("again", number))
        os.utime(path, (DAY + 20000 + number, DAY + 20000 + number))
    command = [gadwall, "harvest", "--no-prune", "--quiet", "--format", "json", "--config", str(fleet / "gadwall.yaml")]
    for turn in range(3):
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        seconds = json.loads(done.stdout)["nodes"][0]["stage"]["seconds"]
    found = {"what": "staged before", "files": 10000, "stage_seconds": round(seconds, 3), "per_thousand": round(seconds / 10, 4)}
    print("  " + str(found))
    with open(output, "a") as file:
        file.write(json.dumps(found) + "\n")


def nodes(fleet):
    print("the number of nodes, a file of 64 KiB on each:")
    for count in (1, 10, 100, 1000):
        for number, raw in enumerate(configured(fleet, [f"vm{n}" for n in range(count)])):
            path = raw / "my_logs.log.1"
            path.write_text("".join(line(count, number, n) for n in range(900)))
            os.utime(path, (DAY, DAY))
        harvest(fleet, "nodes", nodes=count)


for name in wanted:
    inside({"sizes": sizes, "files": files, "nodes": nodes}[name])
