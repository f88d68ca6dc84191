"""Queries against one DuckDB over the same files, each statement in its best hand-written form, with as many threads.

usage: query.py GADWALL DUCKDB PYTHON MOTO OUTPUT [MEGABYTES [ROUNDS]]      PYTHON has polars and chdb

Four local nodes with a quarter of the bytes each, all of it in rotated files that are in no archive. Each round asks both, one after the other; the
ratios are of the medians of wall time and of the processors' time of all processes. Answers that differ end it. Then: what the scanner's filter gives
for how much is kept, others that count over one file, a thousand nodes, how soon three small ones answer, and what share of the bytes the tests'
statements move to an object store. QUERY_KIND=KIND,KIND measures these alone: aggregate, selective, other, selectivity, peers, nodes, small, moved. Appends a line of
JSON a measurement to OUTPUT.
"""

import collections
import contextlib
import csv
import ctypes
import datetime
import io
import json
import math
import os
import pathlib
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

# What a virtual environment's python links to is not it.
gadwall, duckdb, python, moto, output = (os.path.abspath(p) for p in sys.argv[1:6])
megabytes = int(sys.argv[6]) if len(sys.argv) > 6 else 1024
rounds = int(sys.argv[7]) if len(sys.argv) > 7 else 5
cores = len(os.sched_getaffinity(0))
kinds = os.environ.get("QUERY_KIND", "aggregate,selective,other,selectivity,peers,nodes,small,moved").split(",")

START = "2026-11-23T14:00:00Z"
KEYS = {"id": "id: 'VARCHAR'", "message": "message: 'VARCHAR'", "ts": "\"@timestamp\": 'VARCHAR'", "version": "\"@version\": 'VARCHAR'"}
SERVICE = r"regexp_extract(message, '^([^\s\[\]]+) \[', 1)"
CATEGORY = r"regexp_extract(message, '\[([A-Z]+)\]', 1)"
TS = '"@timestamp"::TIMESTAMPTZ'


def log(*keys, where="", files="nodes/*/logs/*"):
    columns = ", ".join(KEYS[key] for key in keys)
    return f"read_json('{files}', format = 'newline_delimited', columns = {{{columns}}}){' WHERE ' + where if where else ''}"


BY_CATEGORY = "SELECT category, count(*) AS n FROM live GROUP BY category"
# Kind, what Gadwall is asked, what DuckDB is.
STATEMENTS = [
    ("aggregate", BY_CATEGORY, f"SELECT {CATEGORY} AS category, count(*) AS n FROM {log('message')} GROUP BY 1"),
    ("aggregate", "SELECT service, category, count(*) AS n, max(ts) AS last FROM live GROUP BY service, category",
     f"SELECT {SERVICE} AS service, {CATEGORY} AS category, count(*) AS n, max({TS}) AS last FROM {log('message', 'ts')} GROUP BY 1, 2"),
    ("aggregate", "SELECT date_trunc('hour', ts) AS hour, count(*) AS n FROM live GROUP BY hour",
     # Of times with a time zone, which is what the column holds, this takes DuckDB 1.6 times as long.
     f"SELECT hour::TIMESTAMPTZ AS hour, n FROM (SELECT date_trunc('hour', \"@timestamp\"::TIMESTAMP) AS hour, count(*) AS n FROM {log('ts')} GROUP BY 1)"),
    ("aggregate", "SELECT count(*) AS n FROM live", f"SELECT count(*) AS n FROM {log('id')}"),
    ("selective", "SELECT ts, message FROM live WHERE id = 'needle-2'",
     f"SELECT {TS} AS ts, message FROM {log('id', 'ts', 'message', where=chr(34) + 'id' + chr(34) + ' = ' + chr(39) + 'needle-2' + chr(39))}"),
    ("selective", "SELECT count(*) AS n, min(ts) AS first FROM live WHERE message LIKE '%needle in a%'",
     f"SELECT count(*) AS n, min({TS}) AS first FROM {log('message', 'ts', where='message LIKE ' + chr(39) + '%needle in a%' + chr(39))}"),
    ("selective", "SELECT service, count(*) AS n FROM live WHERE category = 'RARE' GROUP BY service",
     f"SELECT {SERVICE} AS service, count(*) AS n FROM {log('message')} WHERE {CATEGORY} = 'RARE' GROUP BY 1"),
    ("other", "SELECT median(length(message)) AS middle FROM live", f"SELECT median(length(message)) AS middle FROM {log('message')}"),
    ("other", "SELECT count(DISTINCT message) AS n FROM live", f"SELECT count(DISTINCT message) AS n FROM {log('message')}"),
    ("other", "SELECT max(gap) AS gap FROM (SELECT ts - lag(ts) OVER (ORDER BY ts) AS gap FROM live)",
     f"SELECT max(gap) AS gap FROM (SELECT ts - lag(ts) OVER (ORDER BY ts) AS gap FROM (SELECT \"@timestamp\"::TIMESTAMP AS ts FROM {log('ts')}))"),
    ("other", "SELECT string_split(message, ' ')[3] AS word, count(*) AS n FROM live GROUP BY word ORDER BY n DESC, word LIMIT 10",
     f"SELECT string_split(message, ' ')[3] AS word, count(*) AS n FROM {log('message')} GROUP BY word ORDER BY n DESC, word LIMIT 10"),
    ("other", "SELECT message FROM live ORDER BY length(message) DESC, message LIMIT 5",
     f"SELECT message FROM {log('message')} ORDER BY length(message) DESC, message LIMIT 5"),
]
GOALS = {"aggregate": 0.6, "selective": 0.5, "other": 1.15}

# Percent of the lines, a word that as many messages have, and a category that as many are of (of all of them: another than none has).
SHARES = [(0, "nowhere", "= 'NOWHERE'"), (0.01, "myriadth", "= 'MYRIADTH'"), (1, "hundredth", "= 'HUNDREDTH'"), (10, "tenth", "= 'TENTH'"),
          (50, "half", "= 'HALF'"), (100, "always", "<> 'NOWHERE'")]

POLARS = r"""
import sys
import polars
lines = polars.scan_ndjson(sys.argv[1], schema={"message": polars.String})
groups = lines.group_by(polars.col("message").str.extract(r"\[([A-Z]+)\]", 1).alias("category")).agg(polars.len().alias("n"))
sys.stdout.write(groups.collect(engine="streaming").write_csv())
"""
CHDB = r"""
import sys
import chdb
print(chdb.query(rf"SELECT extract(message, '\\[([A-Z]+)\\]') AS category, count() AS n FROM file('{sys.argv[1]}', 'JSONEachRow', 'message String') "
                 f"GROUP BY category SETTINGS max_threads = {sys.argv[2]}", "CSVWithNames"), end="")
"""
# What stands between the first brackets: the same here, and not in all logs.
AWK = r"""LC_ALL=C awk -F'[][]' '{ n[$2]++ } END { print "category,n"; for (c in n) print c "," n[c] }' <"$0" """
GREP = r"""
echo category,n
LC_ALL=C grep -o '\[[A-Z][A-Z]*\]' "$0" | LC_ALL=C awk '{ n[$0]++ } END { for (c in n) print substr(c, 2, length(c) - 2) "," n[c] }'
"""

# Those of our children that stay.
servers = set()
Timing = collections.namedtuple("Timing", "wall cpu out err")


def timed(command, cwd, may_fail=False, **more):
    """Wall seconds, processor seconds of the command and all that it waited for, and what it printed; None when it fails and may."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **more})
    wall = time.monotonic() - start
    # A DuckDB that nobody waits for any more may not have ended yet, and is ours now.
    for child in pathlib.Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
        if int(child) not in servers:
            os.waitpid(int(child), 0)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode and may_fail:
        return None
    if done.returncode:
        sys.exit(f"ended with {done.returncode}: {command}\n{done.stderr.decode()}")
    return Timing(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout, done.stderr)


def ask(work, statement, *flags, may_fail=False):
    return timed([gadwall, "query", "--quiet", "--coverage", "--format", "csv", *flags, statement], work, may_fail)


def ask_duckdb(work, statement):
    # The same writer as Gadwall's, so that both show values in the same form.
    copy = f"COPY ({statement}) TO '/dev/stdout' (FORMAT csv, HEADER)"
    return timed([duckdb, "-bail", "-c", f"SET threads = {cores}; SET TimeZone = 'UTC'; {copy}"], work)


def coverage(answer):
    """Bytes that were read and that were moved, the nodes' own seconds, and the rows that moved of each line that was read."""
    nodes = json.loads(answer.err)["nodes"]
    if any(node["state"] != "answered" or node["passedOver"] for node in nodes):
        sys.exit(f"not all of it was answered: {answer.err.decode()}")
    read, moved, lines, sent = (sum(int(node[key]) for node in nodes) for key in ("bytes", "moved", "lines", "movedRows"))
    return read, moved, sum(node["seconds"] for node in nodes), sent / max(1, lines)


def rows(text):
    def value(cell):
        return float(cell) if re.fullmatch(r"-?[0-9]+\.[0-9]+(e[-+]?[0-9]+)?", cell) else cell

    header, *rest = csv.reader(io.StringIO(text.decode()))
    return header, sorted(([value(cell) for cell in row] for row in rest), key=lambda row: [f"{c:.6g}" if isinstance(c, float) else c for c in row])


def compare(statement, mine, others):
    """Ends it all when the answers are not the same rows, floats within 1e-9 of each other."""
    if sorted(mine.splitlines()) == sorted(others.splitlines()):
        return
    (header, a), (other, b) = rows(mine), rows(others)

    def same(x, y):
        return math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-9) if isinstance(x, float) and isinstance(y, float) else x == y

    if header != other or len(a) != len(b) or not all(len(x) == len(y) and all(map(same, x, y)) for x, y in zip(a, b)):
        sys.exit(f"answers differ: {statement}\n{mine[:2000].decode()}\n----\n{others[:2000].decode()}")


def medians(timings):
    return {"wall": round(statistics.median(t.wall for t in timings), 3), "cpu": round(statistics.median(t.cpu for t in timings), 3)}


def ratios(ours, theirs):
    return {f"{key}_ratio": round(ours[key] / theirs[key], 3) for key in ("wall", "cpu")}


def note(**line):
    with open(output, "a") as file:
        file.write(json.dumps({**line, "load": round(os.getloadavg()[0], 1)}) + "\n")


def percent(part, whole):
    return f"{100 * part / whole:.3g} %"


def generate(path, size, seed):
    """A log of about as many bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([gadwall, "generate", "--count", str(size // 164), "--seed", str(seed), "--start", START, str(path)], check=True)


def configure(work, names, store='{ url: "file:store" }'):
    (work / "gadwall.yaml").write_text(
        "engine: local\nlocal:\n  nodes:\n"
        + "".join(f"    - {{ region: r{n % 4}, zone: z{n % 4}, name: {name}, root: nodes/{name} }}\n" for n, name in enumerate(names))
        + "logs: { live: [\"logs/my_logs.log\"], rotated: [\"logs/my_logs.log.*\"] }\n" + f"store: {store}\n")


def size_of(work):
    return sum(path.stat().st_size for path in work.glob("nodes/*/logs/*"))


def statements(work):
    for number in range(4):
        path = work / f"nodes/vm{number}/logs/my_logs.log.1"
        generate(path, megabytes * 1048576 // 4, number)
        with open(path, "a") as file:
            file.write('{"id":"needle-%d","@timestamp":"2026-11-23T15:00:00Z","@version":"1.1","message":"Auth [RARE] a needle in a haystack"}\n' % number)
    configure(work, [f"vm{number}" for number in range(4)])
    print(f"  {size_of(work):,} bytes on four nodes, {cores} cores: time ÷ DuckDB's (goal), processor time ÷ DuckDB's, share of the bytes that moved")
    for kind, ours, theirs in STATEMENTS:
        if kind not in kinds:
            continue
        a, b = [], []
        for _ in range(rounds):
            a.append(ask(work, ours))
            b.append(ask_duckdb(work, theirs))
            compare(ours, a[-1].out, b[-1].out)
        read, moved, *_ = coverage(a[-1])
        mine, its = medians(a), medians(b)
        ratio = ratios(mine, its)
        note(kind=kind, statement=ours, gadwall=mine, duckdb=its, **ratio, goal=GOALS[kind], read=read, moved=moved)
        print(f"  {kind:9} {ratio['wall_ratio']:5.2f} ({GOALS[kind]}) {ratio['cpu_ratio']:5.2f}  {mine['wall']:.2f} s, DuckDB {its['wall']:.2f} s; "
              f"processors {mine['cpu']:.2f} s, {its['cpu']:.2f} s; {percent(moved, read):>9} moved  {ours}", flush=True)


def marked(path):
    """Gives each message words, and some a category, that so many of them have.

    Returns how many lines there are, and how many of each length of message.
    """
    words, names = [], []
    for k in range(10000):
        here = [word for share, word, _ in SHARES if share and k % round(100 / share) == 0]
        words.append("".join(f" {word}" for word in here).encode() + b'"}\n')
        names.append(b"MYRIADTH" if k == 0 else b"HUNDREDTH" if k % 100 == 1 else b"TENTH" if k % 10 == 2 else b"HALF" if 3 <= k % 10 <= 7 else b"")
    category = re.compile(rb"(?<= \[)[A-Z]+")
    lengths = collections.Counter()
    new = path.with_suffix(".new")
    with open(path, "rb") as lines, open(new, "wb") as file:
        for number, line in enumerate(lines):
            name = names[number % 10000]
            if name:
                line = category.sub(name, line, 1)
            line = line[:-3] + words[number % 10000]
            lengths[len(line)] += 1
            file.write(line)
    new.replace(path)
    # All but the message is of one length in all lines.
    other = len(line) - len(json.loads(line)["message"])
    return number + 1, collections.Counter({length - other: count for length, count in lengths.items()})


def predicates(total, lengths):
    """Share, kind, Gadwall's condition, DuckDB's: two kinds with a literal that lines can be searched for, two without."""
    for share, word, is_category in SHARES:
        yield share, "text", f"message LIKE '%{word}%'", f"message LIKE '%{word}%'"
        yield share, "category", f"category {is_category}", f"{CATEGORY} {is_category}"
        # Three lines each five seconds; every node's log begins at the same time.
        end = datetime.datetime.fromisoformat(START) + datetime.timedelta(seconds=5 * math.ceil(total / 4 * share / 100 / 3))
        yield share, "ts", f"ts < '{end:%Y-%m-%dT%H:%M:%SZ}'", f"{TS} < '{end:%Y-%m-%dT%H:%M:%SZ}'"
        longer, best = 0, (math.inf, 0)
        for length in sorted(lengths, reverse=True):
            best = min(best, (abs(longer / total - share / 100), length))
            longer += lengths[length]
        best = min(best, (abs(1 - share / 100), 0))
        yield share, "length", f"length(message) > {best[1]}", f"length(message) > {best[1]}"


def selectivity(work):
    total, lengths = 0, collections.Counter()
    for number in range(4):
        path = work / f"nodes/vm{number}/logs/my_logs.log.1"
        generate(path, megabytes * 1048576 // 4, number)
        count, of_length = marked(path)
        total += count
        lengths += of_length
    configure(work, [f"vm{number}" for number in range(4)])
    print(f"  {size_of(work):,} bytes, {total:,} lines: time and processor time with the scanner's filter ÷ without; ÷ DuckDB's; "
          "share of the bytes that moved")
    for share, kind, condition, its_condition in predicates(total, lengths):
        # What is not known of coalesce is not known of the condition in it.
        blind_condition = f"coalesce({condition}, false)"
        for form, ours, theirs in (
            ("groups", "SELECT service, count(*) AS n, max(ts) AS last FROM live WHERE {} GROUP BY service",
             f"SELECT {SERVICE} AS service, count(*) AS n, max({TS}) AS last FROM {log('message', 'ts')} WHERE {its_condition} GROUP BY 1"),
            ("rows", "SELECT ts, message FROM live WHERE {}", f"SELECT {TS} AS ts, message FROM {log('message', 'ts')} WHERE {its_condition}"),
        ):
            if form == "rows" and kind != "text":
                continue
            seeing, blind = ours.format(condition), ours.format(blind_condition)
            for statement, is_seeing in ((seeing, True), (blind, False)):
                said = timed([gadwall, "query", "--explain", statement], work).out.decode()
                if ("\nscanned " in said) != is_seeing:
                    sys.exit(f"the scanner has another filter than was meant: {statement}\n{said}")
            a, b, c = [], [], []
            for turn in range(min(rounds, 3)):
                a.append(ask(work, seeing))
                b.append(ask(work, blind))
                c.append(ask_duckdb(work, theirs))
                # Comparing millions of rows takes longer than asking for them.
                if form == "groups" or turn == 0:
                    compare(seeing, a[-1].out, c[-1].out)
                    compare(blind, b[-1].out, c[-1].out)
            read, moved, *_ = coverage(a[-1])
            kept = sum(int(row[1]) for row in rows(a[-1].out)[1]) if form == "groups" else a[-1].out.count(b"\n") - 1
            mine, without, its = medians(a), medians(b), medians(c)
            filtered, ratio = ratios(mine, without), ratios(mine, its)
            note(kind="selectivity", share=share, predicate=condition, form=form, kept=kept, lines=total, gadwall=mine, without_filter=without, duckdb=its,
                 wall_filter_ratio=filtered["wall_ratio"], cpu_filter_ratio=filtered["cpu_ratio"], **ratio, read=read, moved=moved)
            print(f"  {form:6} {kind:8} {percent(kept, total):>9}  {filtered['wall_ratio']:.2f} {filtered['cpu_ratio']:.2f}; "
                  f"{ratio['wall_ratio']:.2f} {ratio['cpu_ratio']:.2f}  {mine['wall']:.2f} s, without {without['wall']:.2f} s, DuckDB {its['wall']:.2f} s; "
                  f"{percent(moved, read):>9} moved  {condition}", flush=True)


def peers(work):
    """The case study's amount in one file, which one thread of a node reads."""
    path = work / "nodes/vm0/logs/my_logs.log.1"
    generate(path, 313_000_000, 1)
    configure(work, ["vm0"])
    file = str(path.relative_to(work))

    def counts(category):
        return ask_duckdb(work, f"SELECT {category} AS category, count(*) AS n FROM {log('message', files=file)} GROUP BY 1")

    others = {
        "gadwall": lambda: ask(work, BY_CATEGORY),
        "DuckDB": lambda: counts(CATEGORY),
        "DuckDB, first brackets": lambda: counts("split_part(split_part(message, '[', 2), ']', 1)"),
        "polars": lambda: timed([python, "-c", POLARS, file], work, POLARS_MAX_THREADS=str(cores)),
        "chdb": lambda: timed([python, "-c", CHDB, file, str(cores)], work),
        "grep and awk": lambda: timed(["bash", "-o", "pipefail", "-c", GREP, file], work),
        "awk, first brackets": lambda: timed(["bash", "-c", AWK, file], work),
    }
    timings = {name: [] for name in others}
    for _ in range(rounds):
        for name, run in others.items():
            timings[name].append(run())
            header, answer = rows(timings[name][-1].out.replace(b'"', b""))
            if (header, answer) != rows(timings["gadwall"][-1].out):
                sys.exit(f"{name} counts otherwise: {timings[name][-1].out.decode()}\n----\n{timings['gadwall'][-1].out.decode()}")
    print(f"  count by category over {path.stat().st_size:,} bytes in one file: gadwall's time and processor time ÷ the other's")
    mine = medians(timings["gadwall"])
    for name, some in timings.items():
        its = medians(some)
        ratio = ratios(mine, its)
        note(kind="peers", by=name, bytes=path.stat().st_size, **its, **ratio)
        print(f"  {name:22} {ratio['wall_ratio']:5.2f} {ratio['cpu_ratio']:5.2f}  {its['wall']:.2f} s, processors {its['cpu']:.2f} s", flush=True)


def nodes(work, count=1000, at_once=8):
    """Small files on many nodes: what is measured is everything but reading them."""
    names = [f"vm{number}" for number in range(count)]
    each = 25
    log_file = work / "all.log"
    generate(log_file, count * 2 * each * 164, 1)
    lines = log_file.read_bytes().splitlines(keepends=True)
    log_file.unlink()
    for number, name in enumerate(names):
        folder = work / "nodes" / name / "logs"
        folder.mkdir(parents=True)
        for place, file in enumerate(("my_logs.log", "my_logs.log.1")):
            first = (2 * number + place) * each
            (folder / file).write_bytes(b"".join(lines[first:first + each]))
    configure(work, names)
    theirs = f"SELECT {CATEGORY} AS category, count(*) AS n FROM {log('message')} GROUP BY 1"
    timings, own = [], []
    for _ in range(min(rounds, 3)):
        timings.append(ask(work, BY_CATEGORY))
        compare(BY_CATEGORY, timings[-1].out, ask_duckdb(work, theirs).out)
        own.append(coverage(timings[-1])[2])
    its, spent = medians(timings), statistics.median(own)
    around = [around_nodes(work, BY_CATEGORY) for _ in range(min(rounds, 3))]
    before, after, control = (statistics.median(values) for values in zip(*around, strict=True))
    note(kind="nodes", nodes=count, at_once=at_once, **its, own_seconds=round(spent, 3), before=round(before, 3), after=round(after, 3),
         control_cpu=control, goal=2)
    print(f"  {count:,} nodes with two files of {each} lines: {its['wall']:.2f} s, processors {its['cpu']:.2f} s, of which the control's own process {control:.2f} s; "
          f"while no node's process runs {before + after:.2f} s (2), {after:.2f} s of it after the last; the nodes' own work {spent:.2f} s, {at_once} at once {spent / at_once:.2f} s")


def around_nodes(work, statement):
    """Seconds until the first node's process is there and since the last one was, and the processor seconds of the process that asks."""
    start = time.monotonic()
    process = subprocess.Popen([gadwall, "query", "--quiet", statement], cwd=work, stdout=subprocess.DEVNULL)
    first = last = None
    control = 0.0
    while process.poll() is None:
        try:
            threads = os.listdir(f"/proc/{process.pid}/task")
            children = [child for thread in threads for child in pathlib.Path(f"/proc/{process.pid}/task/{thread}/children").read_text().split()]
            times = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            control = (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")
        except OSError:
            continue
        for child in children:
            try:
                words = pathlib.Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"node" in words:
                last = time.monotonic()
                first = first or last
                break
        time.sleep(0.005)
    end = time.monotonic()
    if process.wait() or first is None:
        sys.exit(f"no node's process was seen: {statement}")
    return first - start, end - last, control


def first_byte(statement, work):
    start = time.monotonic()
    process = subprocess.Popen([gadwall, "query", "--quiet", "--format", "ndjson", statement], cwd=work, stdout=subprocess.PIPE)
    found = os.read(process.stdout.fileno(), 1)
    seconds = time.monotonic() - start
    process.stdout.read()
    if process.wait() or not found:
        sys.exit(f"no answer: {statement}")
    return seconds


def small(work):
    for number in range(3):
        generate(work / f"nodes/vm{number}/logs/my_logs.log.1", 1_000_000, number)
    configure(work, [f"vm{number}" for number in range(3)])
    for statement in (BY_CATEGORY, "SELECT ts, node, message FROM live WHERE category = 'CRITICAL' LIMIT 10"):
        seconds = sorted(first_byte(statement, work) for _ in range(9))
        middle, least = statistics.median(seconds), seconds[0]
        note(kind="small", statement=statement, seconds=round(middle, 3), least=round(least, 3), greatest=round(seconds[-1], 3), goal=0.4)
        print(f"  three nodes of 1 MB, to the first row: {middle:.2f} s (0.4), of nine the least {least:.2f} s  {statement}", flush=True)


def collection():
    """The tests' statements, but those that are to fail."""
    folder = pathlib.Path(__file__).resolve().parent.parent / "Tests/Cases/queries"
    for path in sorted({*folder.glob("*.sql")} - {folder / "rows.sql", folder / "failing.sql"}):
        for block in path.read_text().split("\n\n"):
            statement = "\n".join(line for line in block.splitlines() if line and not line.startswith("-- "))
            if statement:
                yield statement


def aggregating(work, texts):
    """Those whose outermost SELECT groups or aggregates, and has one relation and nothing else in its FROM."""
    def listed(select):
        return timed([duckdb, "-list", "-noheader", "-c", select], work).out.decode().splitlines()

    # DuckDB's macros that aggregate are no functions of that type.
    names = {"geomean", "wavg", "weighted_avg", *listed("SELECT function_name FROM duckdb_functions() WHERE function_type = 'aggregate'")}

    def aggregates(tree):
        if isinstance(tree, dict):
            is_one = tree.get("class") == "FUNCTION" and tree["function_name"] in names
            return is_one or any(aggregates(value) for key, value in tree.items() if key != "subquery")
        return isinstance(tree, list) and any(map(aggregates, tree))

    (work / "texts.json").write_text(json.dumps([{"text": text} for text in texts]))
    for text, line in zip(texts, listed("SELECT json_serialize_sql(text) FROM 'texts.json'"), strict=True):
        node = json.loads(line).get("statements", [{"node": {"type": "no SELECT"}}])[0]["node"]
        if node["type"] != "SELECT_NODE":
            continue
        relations = {"live", "archive", "logs"} - {entry["key"].lower() for entry in node["cte_map"]["map"]}
        groups = node["group_expressions"] or node["group_sets"] or node["aggregate_handling"] == "FORCE_AGGREGATES"
        if node["from_table"].get("table_name", "").lower() in relations and (
                groups or aggregates([node[key] for key in ("select_list", "having", "qualify", "modifiers")])):
            yield text


@contextlib.contextmanager
def object_store():
    """A store behind S3's API, as a configuration has it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    os.environ |= {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "a-secret-for-benchmarks"}
    server = subprocess.Popen([moto, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    servers.add(server.pid)
    try:
        while socket.socket().connect_ex(("127.0.0.1", port)):
            time.sleep(0.05)
        urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/bucket", method="PUT"))
        yield f"{{ url: 's3://bucket/archive', endpoint: 'http://127.0.0.1:{port}' }}"
    finally:
        server.kill()
        server.wait()


def moved(work):
    with object_store() as store:
        moved_to(work, store)


def moved_to(work, store):
    """What the tests' statements move when they split, over nodes with the names that are in them and an empty archive."""
    names = ["alder", "birch", "cedar", "doum"]
    for number, name in enumerate(names):
        generate(work / f"nodes/{name}/logs/my_logs.log.1", 16 * 1048576, number)
    configure(work, names, store)
    texts = list(collection())
    split, unique, shares, failed = set(), set(), {}, 0
    for text in texts:
        plan = timed([gadwall, "query", "--explain", text], work).out
        if not plan.startswith(b"way      split"):
            continue
        split.add(text)
        if re.search(rb"^reads .*archive", plan, re.MULTILINE):
            continue
        answer = ask(work, text, "--deadline", "60s", may_fail=True)
        if answer is None:
            failed += 1
            continue
        read, sent, _, repeated = coverage(answer)
        note(kind="moved", statement=text, read=read, moved=sent, rows_per_line=round(repeated, 3))
        # Conditions may leave nothing to read.
        if read:
            shares[text] = sent / read
        # A node has a group for every other line at least: its keys hardly ever come twice.
        if repeated > 0.5:
            unique.add(text)
    print(f"  {size_of(work):,} bytes on four nodes, {len(texts):,} statements, {failed} that split fail over these logs: how many split (90 %), and of those "
          "that read live or logs alone move at most 1 % of the bytes (95 %)")
    for what, some in (("whose outermost SELECT aggregates over one relation", list(aggregating(work, texts))), ("all", texts)):
        its_split, asked = [text for text in some if text in split], [text for text in some if text in shares]
        little = [text for text in asked if shares[text] <= 0.01]
        others = [text for text in asked if text not in unique]
        among = sum(shares[text] <= 0.01 for text in others)
        note(kind="moved", what=what, statements=len(some), split=len(its_split), asked=len(asked), little=len(little), near_unique=len(asked) - len(others),
             little_of_others=among)
        print(f"  {what}: {len(its_split)} of {len(some):,}, {percent(len(its_split), len(some))}; "
              f"{len(little)} of {len(asked)}, {percent(len(little), len(asked))}; of those whose keys are not nearly unique "
              f"{among} of {len(others)}, {percent(among, len(others))}")
    for text in aggregating(work, texts):
        if text not in split:
            print(f"  does not split  {' '.join(text.split())}")
    for text, share in sorted(shares.items(), key=lambda item: -item[1]):
        if share > 0.01:
            print(f"  {percent(share, 1):>9} moved{', keys nearly unique' if text in unique else ''}  {' '.join(text.split())}")


PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
SECTIONS = [(statements, set(GOALS)), (selectivity, {"selectivity"}), (peers, {"peers"}), (nodes, {"nodes"}), (small, {"small"}), (moved, {"moved"})]
for section, its_kinds in SECTIONS:
    if its_kinds & set(kinds):
        folder = tempfile.mkdtemp(dir=os.environ.get("TMPDIR"))
        try:
            section(pathlib.Path(folder))
        finally:
            shutil.rmtree(folder)
