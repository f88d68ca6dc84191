"""Checks the documentation: links lead somewhere, and docs/commands.md is what the program's own help says."""

import pathlib
import re
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parent.parent
program = root / sys.argv[1]
wrong = []

pages = [root / "README.md", root / "ARCHITECTURE.md", root / "CHANGELOG.md", *sorted((root / "docs").rglob("*.md")), *sorted((root / "deploy").rglob("*.md"))]
for page in pages:
    if not page.exists():
        wrong.append(f"{page.relative_to(root)} is missing")
        continue
    text = page.read_text()
    prose = re.sub(r"```.*?```", "", text, flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", target) or target.startswith("#"):
            continue
        if not (page.parent / target.split("#")[0]).exists():
            wrong.append(f"{page.relative_to(root)} links to {target}, which is not there")
    # A path in backquotes that looks like one of ours has to exist.
    for target in re.findall(r"`((?:Sources|Tests|docs|ci|deploy|Benchmarks|Fuzzing)/[\w./-]+)`", prose):
        if not (root / target).exists():
            wrong.append(f"{page.relative_to(root)} names {target}, which is not there")

said = subprocess.run([program, "help", "--markdown"], capture_output=True, text=True)
if said.returncode != 0:
    wrong.append(f"'gadwall help --markdown' failed: {said.stderr.strip()}")
elif (root / "docs/commands.md").read_text() != said.stdout:
    wrong.append("docs/commands.md differs from 'gadwall help --markdown': write it anew with 'make docs'")

print("\n".join(wrong))
sys.exit(1 if wrong else 0)
