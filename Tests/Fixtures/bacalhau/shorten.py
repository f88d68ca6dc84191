"""Shortens recorded conversations with an orchestrator into the fixtures beside this file.

usage: shorten.py RECORDINGS

The recordings were made with Bacalhau v1.9.3, one orchestrator and three compute nodes, each with its own Docker. Each execution embeds the whole job:
that is kept in ops-ok alone. The agent's configuration and the network frames of its sockets are left out.
"""

import json
import pathlib
import sys


def shortened(value, whole):
    if isinstance(value, list):
        return [shortened(item, whole) for item in value]
    if not isinstance(value, dict):
        return value.replace("%2Ftmp%2Fbacdata", "%2Fsrv%2Ffleet") if isinstance(value, str) else value
    return {key: shortened(item, whole) for key, item in value.items() if whole or not (key == "Job" and "EvalID" in value)}


for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
    recording = json.loads(path.read_text())
    kept = [e for e in recording["exchanges"] if not e.get("request", {}).get("path", "").endswith("/agent/config")]
    recording["exchanges"] = shortened(kept, path.stem == "ops-ok")
    lines = ",\n  ".join(json.dumps(exchange, ensure_ascii=False, separators=(",", ":")) for exchange in recording["exchanges"])
    head = json.dumps({key: value for key, value in recording.items() if key != "exchanges"}, ensure_ascii=False)[:-1]
    (pathlib.Path(__file__).parent / path.name).write_text(f'{head}, "exchanges": [\n  {lines}\n]}}\n')
