"""Checks that programs run with the oldest libraries of ci/oldest-libraries, and that the sources use no newer libcurl.

    check-libraries.py [FILE…]

Of each file: which libraries it needs, which versions of their symbols, and which of libcurl's functions. Always: the options of
libcurl that the sources name. Whatever is too new, or in no list, is named, and the exit status is 1.
"""

import pathlib
import re
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parent.parent
listed = root / "ci/oldest-libraries"
wrong = []


def version(text):
    return tuple(int(part) for part in text.split("."))


newest, libraries, libcurl, brought_by = {}, set(), "", {}
for line in listed.read_text().splitlines():
    match line.split("#")[0].split():
        case []:
            pass
        case ["symbols", name, newest_version]:
            newest[name] = newest_version
        case ["library", name]:
            libraries.add(name)
        case ["libcurl", oldest]:
            libcurl = oldest
        case [name, since]:
            brought_by[name] = since
        case _:
            sys.exit(f"check-libraries: {listed.name} has a line that is none: {line}")


def of_libcurl(name, where):
    if name not in brought_by:
        wrong.append(f"{where} uses {name}, which ci/oldest-libraries does not list: add it with the version that brought it")
    elif version(brought_by[name]) > version(libcurl):
        wrong.append(f"{where} uses {name}, which came with libcurl {brought_by[name]}: {libcurl} has to do")


def read(*arguments):
    # Long names are cut without -W.
    return subprocess.run(["readelf", "-W", *arguments], capture_output=True, text=True, check=True).stdout


def check_program(path):
    where = path.name
    for name in re.findall(r"\(NEEDED\)\s+Shared library: \[(.*?)\]", read("-d", path)):
        if name not in libraries:
            wrong.append(f"{where} needs {name}, which is not one of the libraries of ci/oldest-libraries")
    for line in read("--dyn-syms", path).splitlines():
        fields = line.split()
        if len(fields) < 8 or fields[6] != "UND":
            continue
        name, _, asked = fields[7].partition("@")
        if name.startswith("curl_"):
            of_libcurl(name, where)
        family, _, number = asked.strip("@").rpartition("_")
        if not family:
            continue
        if family not in newest or not re.fullmatch(r"[0-9.]+", number):
            wrong.append(f"{where} uses {name} of {asked.strip('@')}, which ci/oldest-libraries does not list")
        elif version(number) > version(newest[family]):
            wrong.append(f"{where} uses {name}, which is of {family} {number}: {newest[family]} has to do")


for file in sys.argv[1:]:
    check_program(pathlib.Path(file))

used = {}
for folder in ["Sources/HTTP", "Sources/CShims", "Sources/CSystem/Curl"]:
    for source in sorted((root / folder).rglob("*")):
        if source.suffix not in (".swift", ".c", ".h"):
            continue
        code = re.sub(r"//.*", "", source.read_text())
        for name in re.findall(r"\b(?:CURL(?:OPT|INFO)_|CURL_(?:HTTP_VERSION|SSLVERSION)_|curl_(?:easy|multi|global|slist|share|url|mime|ws)_)\w+", code):
            used.setdefault(name, source.relative_to(root))
for name, source in used.items():
    of_libcurl(name, source)
for name in brought_by.keys() - used.keys():
    wrong.append(f"ci/oldest-libraries lists {name}, which nothing uses")

print("\n".join(f"check-libraries: {sentence}." for sentence in sorted(set(wrong))), end="\n" if wrong else "")
sys.exit(1 if wrong else 0)
