"""How a harvest grows with nodes, and with the age of the table: small files only, so that what is measured is the protocol.

usage: fleet.py GADWALL OUTPUT [NODES] [BATCHES] [RUNS]

For each run: the time from the last node's stage report to the proof (commit and read-back), and of all of it. Appends a line of JSON a run to OUTPUT.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

gadwall, output = (os.path.abspath(p) for p in sys.argv[1:3])
nodes, batches, runs = (int(sys.argv[i]) if len(sys.argv) > i else default for i, default in ((3, 200), (4, 5), (5, 3)))

with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
    fleet = pathlib.Path(folder)
    names = [f"vm{n}" for n in range(nodes)]
    (fleet / "gadwall.yaml").write_text(
        "engine: local\nlocal:\n  nodes:\n"
        + "".join(f"    - {{ region: r{n % 3}, zone: z, name: {name}, root: nodes/{name} }}\n" for n, name in enumerate(names))
        + "logs: { live: [], rotated: [\"var/logs/raw_logs/*\"] }\nstore: { url: \"file:store\" }\n")
    for run in range(runs):
        for name in names:
            raw = fleet / "nodes" / name / "var/logs/raw_logs"
            raw.mkdir(parents=True, exist_ok=True)
            for batch in range(batches):
                path = raw / f"my_logs.log.{batch}"
                path.write_text(f'{{"id":"{run}-{name}-{batch}","message":"Auth [INFO] a line"}}\n')
                # Each on a day of its own: a data file each.
                at = 1795442400 + 86400 * batch + run
                os.utime(path, (at, at))
        start = time.monotonic()
        done = subprocess.run([gadwall, "harvest", "--quiet", "--format", "json", "--config", str(fleet / "gadwall.yaml")], stdout=subprocess.PIPE, check=True)
        wall = time.monotonic() - start
        summary = json.loads(done.stdout)
        place = fleet / "store/runs" / summary["run"]
        staged = max(p.stat().st_mtime for p in (place / "staged").iterdir())
        line = {
            "what": "harvest", "nodes": nodes, "data_files": summary["snapshots"][0]["files"], "manifests_before": run,
            "commit_and_read_back": round((place / "proof.json").stat().st_mtime - staged, 2), "wall": round(wall, 2),
        }
        print(", ".join(f"{k} {v}" for k, v in line.items()))
        with open(output, "a") as file:
            file.write(json.dumps(line) + "\n")
