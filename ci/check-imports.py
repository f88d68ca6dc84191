"""Fails when a file imports a target that its own target does not declare, or a module that nothing of ours should ship with.

The compiler lets a target import what its dependencies depend on; the graph in Package.swift would then say less than the truth.
"""

import json
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parent.parent
package = json.loads(subprocess.check_output(["swift", "package", "dump-package"], cwd=root))
ours = {target["name"] for target in package["targets"]}
importing = re.compile(r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:public |package |internal |private |fileprivate )?import (?:struct |class |enum |protocol |func |typealias )?(\w+)", re.M)
forbidden = {"Foundation", "FoundationNetworking", "Dispatch", "XCTest"}

wrong = []
for target in package["targets"]:
    declared = {item[kind][0] for item in target["dependencies"] for kind in item}
    default = ("Tests" if target["type"] == "test" else "Sources") + "/" + target["name"]
    folder = root / (target.get("path") or default)
    for file in sorted(folder.rglob("*.swift")):
        for module in importing.findall(file.read_text()):
            place = f"{file.relative_to(root)} imports {module}"
            if module in forbidden:
                wrong.append(f"{place}, which nothing here is built on (docs/decisions, FoundationEssentials)")
            elif module in ours and module not in declared:
                wrong.append(f"{place}, which {target['name']} does not declare in Package.swift")

print("\n".join(wrong))
sys.exit(1 if wrong else 0)
