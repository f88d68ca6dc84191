"""Uploads to a local S3 server, side by side with rclone's own copy of the same files to the same server.

usage: s3.py BENCH RCLONE OUTPUT [MEBIBYTES]

One file of a gibibyte, and 200 of a kibibyte, each three times in turns. Appends a line of JSON a measurement to OUTPUT.
"""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

bench, rclone, output = (os.path.abspath(p) for p in sys.argv[1:4])
mebibytes = int(sys.argv[4]) if len(sys.argv) > 4 else 1024
KEY, SECRET = "AKIDBENCH1234", "benchSECRET1234"


def note(**line):
    with open(output, "a") as file:
        file.write(json.dumps(line) + "\n")
    print("  " + ", ".join(f"{k} {v}" for k, v in line.items()), flush=True)


with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
    work = pathlib.Path(folder)
    (work / "data/lake").mkdir(parents=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen([rclone, "serve", "s3", "--addr", f"127.0.0.1:{port}", "--vfs-cache-mode", "off", str(work / "data")],
                              env={**os.environ, "RCLONE_AUTH_KEY": f'"{KEY},{SECRET}"'}, stderr=subprocess.DEVNULL)
    try:
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        (work / "large").mkdir()
        large = work / "large/large.bin"
        with open(large, "wb") as file:
            for _ in range(mebibytes):
                file.write(os.urandom(1 << 20))
        small = work / "small"
        small.mkdir()
        for number in range(200):
            (small / f"{number}").write_bytes(os.urandom(1024))
        endpoint = f"http://127.0.0.1:{port}"
        own = {**os.environ, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
        other = {**os.environ, "RCLONE_CONFIG_X_TYPE": "s3", "RCLONE_CONFIG_X_PROVIDER": "Other", "RCLONE_CONFIG_X_ACCESS_KEY_ID": KEY,
                 "RCLONE_CONFIG_X_SECRET_ACCESS_KEY": SECRET, "RCLONE_CONFIG_X_ENDPOINT": endpoint}

        def timed(command, environment):
            start = time.monotonic()
            done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
            return time.monotonic() - start, done.stdout

        for what, source, files in (("large", work / "large", [str(large)]), ("200 small", small, sorted(map(str, small.iterdir())))):
            ours, theirs = [], []
            for turn in range(3):
                wall, printed = timed([bench, "upload", endpoint, f"s3://lake/ours-{len(files)}-{turn}"] + files, own)
                ours.append(wall)
                note(what=what, by="gadwall", wall=round(wall, 3), anonymous_mib=json.loads(printed)["anonymous_mib"])
                wall, _ = timed([rclone, "copy", "--transfers", "8", "--s3-upload-concurrency", "4", "--s3-chunk-size", "16M", str(source), f"X:lake/theirs-{len(files)}-{turn}"], other)
                theirs.append(wall)
                note(what=what, by="rclone copy", wall=round(wall, 3))
            for turn in range(3):
                there = work / f"data/lake/ours-{len(files)}-{turn}/raw"
                assert sorted(p.name for p in there.iterdir()) == sorted(os.path.basename(f) for f in files)
                assert all((there / os.path.basename(f)).read_bytes() == pathlib.Path(f).read_bytes() for f in files)
            note(what=f"{what}: gadwall over rclone, the best of each", ratio=round(min(ours) / min(theirs), 2))
    finally:
        server.kill()
