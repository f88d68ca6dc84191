"""Stage against its floors, and against the case study's steps done literally, on the same bytes in one run.

usage: stage.py GADWALL DUCKDB FLOORS OUTPUT [MEGABYTES]

Prints what people read; appends a line of JSON a measurement to OUTPUT. Wall and processor seconds, of a child and all that it started.
"""

import gzip
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

gadwall, duckdb, floors, output = (os.path.abspath(p) for p in sys.argv[1:5])
megabytes = int(sys.argv[5]) if len(sys.argv) > 5 else 1024
cores = len(os.sched_getaffinity(0))
results = []


def note(what, **values):
    line = {"what": what, **values}
    results.append(line)
    with open(output, "a") as file:
        file.write(json.dumps(line) + "\n")
    print("  " + what + ": " + ", ".join(f"{k} {v:,.2f}" if isinstance(v, float) else f"{k} {v}" for k, v in values.items()))
    return line


def run(command, shell=False, **how):
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, shell=shell, check=True, **how)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return done, wall, (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def measured(what, command, shell=False, **how):
    _, wall, cpu = run(command, shell, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **how)
    return note(what, wall=wall, cpu=cpu)


def peak(pid_file):
    return int(pathlib.Path(pid_file).read_text())


def stage(what, fill):
    """One harvest of one node that deletes nothing: the stage's own seconds, as its report has them, and the processor's of the whole run."""
    shutil.rmtree(fleet, ignore_errors=True)
    raw = fleet / "node/var/logs/raw_logs"
    raw.mkdir(parents=True)
    (fleet / "gadwall.yaml").write_text(
        "engine: local\nlocal: { nodes: [ { region: us-east1, zone: us-east1-b, name: vm1, root: node } ] }\n"
        "logs: { live: [], rotated: [\"var/logs/raw_logs/*\"] }\nurgent: { where: \"category = 'SECURITY'\" }\nstore: { url: \"file:store\" }\n")
    fill(raw)
    subprocess.run(["sync"])
    done, wall, cpu = run([gadwall, "harvest", "--no-prune", "--quiet", "--format", "json", "--config", str(fleet / "gadwall.yaml")],
                          stdout=subprocess.PIPE)
    summary = json.loads(done.stdout)
    return note(what, stage=summary["nodes"][0]["stage"]["seconds"], wall=wall, cpu=cpu)


with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
    work = pathlib.Path(folder)
    fleet = work / "fleet"
    log = work / "my_logs.log"
    subprocess.run([gadwall, "generate", "--count", str(megabytes * 1048576 // 164), "--seed", "1", "--start", "2026-11-23T14:00:00Z", str(log)], check=True)
    size = log.stat().st_size
    print(f"{size:,} bytes, {cores} cores")
    note("input", bytes=size, cores=cores)

    print("floors, each alone:")
    frame = work / "frame.parquet"
    done, _, _ = run([floors, str(log), str(frame)], stdout=subprocess.PIPE)
    parts = []
    for line in done.stdout.splitlines():
        found = json.loads(line)
        parts.append(note("floor: " + found.pop("what"), **found))
    parts.append(measured("floor: DuckDB, frame to Parquet", [duckdb, "-c", f"""
        SET memory_limit = '512MiB'; SET threads = {cores}; SET temp_directory = '{work}/spill';
        COPY (SELECT f.ts, f.service, f.category, f.message, f.id, f.version, 'us-east1' AS region, 'us-east1-b' AS zone, 'vm1' AS node,
          'my_logs.log' AS stream, make_timestamptz(1795442400000000) AS rotated, '{"0a" * 32}' AS batch, f.line, f.extra, f.malformed, f.text
          FROM read_parquet('{frame}') f) TO '{work}/floor.parquet' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1);
        COPY (SELECT file_row_number FROM read_parquet('{frame}', file_row_number = true) WHERE category = 'SECURITY' ORDER BY 1) TO '{work}/floor.csv' (HEADER false)"""]))
    parts.append(measured("floor: igzip -1", ["igzip", "-1", "-k", "-f", "-o", str(work / "floor.gz"), str(log)]))
    parts.append(measured("floor: openssl dgst -sha256", ["openssl", "dgst", "-sha256", str(log)]))
    floor = sum(part["cpu"] for part in parts)
    frame.unlink()

    print("stage:")
    plain = [stage("stage, one plain file", lambda raw: os.link(log, raw / "my_logs.log.1")) for _ in range(3)]
    subprocess.run(["igzip", "-1", "-k", "-f", "-o", str(work / "my_logs.gz"), str(log)], check=True)
    stage("stage, one gzip'd file", lambda raw: os.link(work / "my_logs.gz", raw / "my_logs.log.1.gz"))
    subprocess.run(["split", "-C", "1m", "-a", "4", "-d", str(log), str(work / "part.")], check=True)
    pieces = sorted(work.glob("part.*"))
    def many(raw):
        for number, piece in enumerate(pieces):
            os.link(piece, raw / f"my_logs.log.{number + 1}")
    stage(f"stage, {len(pieces)} files of 1 MiB", many)
    shutil.rmtree(fleet)

    print("the case study's steps, one after the other:")
    literal = work / "literal"
    literal.mkdir()
    start = time.monotonic()
    measured("literal: DuckDB filter to JSON", [duckdb, "-c",
        f"COPY (SELECT * FROM read_json('{log}', format = 'newline_delimited') WHERE message LIKE '%[SECURITY]%') TO '{literal}/security.json' (FORMAT json)"])
    measured("literal: gzip of it", ["gzip", str(literal / "security.json")])
    measured("literal: copy", ["cp", str(literal / "security.json.gz"), str(literal / "copy-1")])
    measured("literal: gzip of the raw file", f"gzip -c {log} > {literal}/raw.json.gz", shell=True)
    measured("literal: copy of it", ["cp", str(literal / "raw.json.gz"), str(literal / "copy-2")])
    measured("literal: Parquet from it", [duckdb, "-c",
        f"COPY (SELECT * FROM read_json('{literal}/raw.json.gz', format = 'newline_delimited')) TO '{literal}/raw.parquet' (FORMAT parquet)"])
    steps = time.monotonic() - start

    best = min(p["stage"] for p in plain)
    note("ratios", floors_cpu=floor, stage_over_floors=best / (floor / cores), literal_wall=steps, literal_over_stage=steps / best)
