"""Queries against one DuckDB over the same files, each statement in its best hand-written form, with as many threads.

usage: query.py GADWALL DUCKDB OUTPUT [MEGABYTES [ROUNDS]]

Four local nodes with a quarter of the bytes each, all of it in rotated files that are in no archive. Each round asks both, one after the other; the
ratio is of the medians. Appends a line of JSON a statement to OUTPUT.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

gadwall, duckdb, output = (os.path.abspath(p) for p in sys.argv[1:4])
megabytes = int(sys.argv[4]) if len(sys.argv) > 4 else 1024
rounds = int(sys.argv[5]) if len(sys.argv) > 5 else 5
cores = len(os.sched_getaffinity(0))

KEYS = {"id": "id: 'VARCHAR'", "message": "message: 'VARCHAR'", "ts": "\"@timestamp\": 'VARCHAR'", "version": "\"@version\": 'VARCHAR'"}
SERVICE = r"regexp_extract(message, '^([^\s\[\]]+) \[', 1)"
CATEGORY = r"regexp_extract(message, '\[([A-Z]+)\]', 1)"


def log(*keys, where=""):
    columns = ", ".join(KEYS[key] for key in keys)
    return f"read_json('nodes/*/logs/*', format = 'newline_delimited', columns = {{{columns}}}){' WHERE ' + where if where else ''}"


# Kind, what Gadwall is asked, what DuckDB is.
STATEMENTS = [
    ("aggregate", "SELECT category, count(*) AS n FROM live GROUP BY category",
     f"SELECT {CATEGORY} AS category, count(*) AS n FROM {log('message')} GROUP BY 1"),
    ("aggregate", "SELECT service, category, count(*) AS n, max(ts) AS last FROM live GROUP BY service, category",
     f"SELECT {SERVICE} AS service, {CATEGORY} AS category, count(*) AS n, max(\"@timestamp\"::TIMESTAMPTZ) AS last FROM {log('message', 'ts')} GROUP BY 1, 2"),
    ("aggregate", "SELECT date_trunc('hour', ts) AS hour, count(*) AS n FROM live GROUP BY hour",
     f"SELECT date_trunc('hour', \"@timestamp\"::TIMESTAMPTZ) AS hour, count(*) AS n FROM {log('ts')} GROUP BY 1"),
    ("aggregate", "SELECT count(*) AS n FROM live", f"SELECT count(*) AS n FROM {log('id')}"),
    ("selective", "SELECT ts, message FROM live WHERE id = '{id}'",
     f"SELECT \"@timestamp\"::TIMESTAMPTZ AS ts, message FROM {log('id', 'ts', 'message', where='id = ' + chr(39) + '{id}' + chr(39))}"),
    ("selective", "SELECT count(*) AS n, min(ts) AS first FROM live WHERE message LIKE '%needle in a%'",
     f"SELECT count(*) AS n, min(\"@timestamp\"::TIMESTAMPTZ) AS first FROM {log('message', 'ts', where=chr(34) + 'message' + chr(34) + ' LIKE ' + chr(39) + '%needle in a%' + chr(39))}"),
    ("selective", "SELECT service, count(*) AS n FROM live WHERE category = 'RARE' GROUP BY service",
     f"SELECT {SERVICE} AS service, count(*) AS n FROM {log('message')} WHERE {CATEGORY} = 'RARE' GROUP BY 1"),
    ("other", "SELECT median(length(message)) AS middle FROM live", f"SELECT median(length(message)) AS middle FROM {log('message')}"),
    ("other", "SELECT count(DISTINCT message) AS n FROM live", f"SELECT count(DISTINCT message) AS n FROM {log('message')}"),
    ("other", "SELECT max(gap) AS gap FROM (SELECT ts - lag(ts) OVER (ORDER BY ts) AS gap FROM live)",
     f"SELECT max(gap) AS gap FROM (SELECT ts - lag(ts) OVER (ORDER BY ts) AS gap FROM (SELECT \"@timestamp\"::TIMESTAMPTZ AS ts FROM {log('ts')}))"),
    ("other", "SELECT string_split(message, ' ')[3] AS word, count(*) AS n FROM live GROUP BY word ORDER BY n DESC LIMIT 10",
     f"SELECT string_split(message, ' ')[3] AS word, count(*) AS n FROM {log('message')} GROUP BY word ORDER BY n DESC LIMIT 10"),
    ("other", "SELECT message FROM live ORDER BY length(message) DESC, message LIMIT 5",
     f"SELECT message FROM {log('message')} ORDER BY length(message) DESC, message LIMIT 5"),
]
GOALS = {"aggregate": 0.6, "selective": 0.5, "other": 1.15}

with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
    work = pathlib.Path(folder)
    nodes = []
    for number in range(4):
        raw = work / f"nodes/vm{number}/logs"
        raw.mkdir(parents=True)
        path = raw / "my_logs.log.1"
        subprocess.run([gadwall, "generate", "--count", str(megabytes * 1048576 // 4 // 164), "--seed", str(number), "--start",
                        "2026-11-23T14:00:00Z", str(path)], check=True)
        with open(path, "a") as file:
            file.write('{"id":"needle-%d","@timestamp":"2026-11-23T15:00:00Z","@version":"1.1","message":"Auth [RARE] a needle in a haystack"}\n' % number)
        nodes.append("{ region: r%d, zone: z%d, name: vm%d, root: nodes/vm%d }" % (number, number, number, number))
    (work / "gadwall.yaml").write_text(
        "engine: local\nlocal: { nodes: [ %s ] }\nlogs: { live: [], rotated: [\"logs/*\"] }\nstore: { url: \"file:store\" }\n" % ", ".join(nodes))
    size = sum(path.stat().st_size for path in work.glob("nodes/*/logs/*"))
    print(f"{size:,} bytes, {cores} cores")
    only = os.environ.get("QUERY_KIND", "")

    def timed(command, **how):
        start = time.monotonic()
        done = subprocess.run(command, cwd=work, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how)
        return time.monotonic() - start, done

    for kind, ours, theirs in STATEMENTS:
        if only and only != kind:
            continue
        ours, theirs = ours.replace("{id}", "needle-2"), theirs.replace("{id}", "needle-2")
        a, b = [], []
        moved = 0
        for _ in range(rounds):
            seconds, done = timed([gadwall, "query", "--coverage", "--format", "csv", ours])
            a.append(seconds)
            mine = done.stdout
            moved = re.search(rb"^moved +([0-9,]+)", done.stderr, re.M)
            moved = int(moved[1].replace(b",", b"")) if moved else None
            seconds, done = timed([duckdb, "-csv", "-c", f"SET threads = {cores}; SET TimeZone = 'UTC'; {theirs}"])
            b.append(seconds)
            if sorted(mine.splitlines()) != sorted(done.stdout.splitlines()) and len(mine) != len(done.stdout):
                print("  differ:", mine[:200], done.stdout[:200])
        ratio = statistics.median(a) / statistics.median(b)
        line = {"kind": kind, "statement": ours, "gadwall": statistics.median(a), "duckdb": statistics.median(b), "ratio": ratio, "moved": moved}
        with open(output, "a") as file:
            file.write(json.dumps(line) + "\n")
        print(f"  {kind:9} {ratio:5.2f} ({GOALS[kind]})  {line['gadwall']:.2f} s, DuckDB {line['duckdb']:.2f} s, moved {moved}  {ours}")
