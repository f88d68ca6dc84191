"""Builds the container image without a daemon: an archive that 'docker load' takes, and skopeo as 'oci-archive:'.

Three layers: Debian's libraries, DuckDB, gadwall, so that a new version of the program moves the last one alone. The same files
give the same bytes: names are sorted, owners are root, times are 1970 in the layers and --created in the image's description.

docs/decisions/0010-an-image-without-a-daemon.md says why it is built so.
"""

import argparse
import datetime
import gzip
import hashlib
import io
import json
import pathlib
import re
import stat
import subprocess
import sys
import tarfile
import tempfile

here = pathlib.Path(__file__).resolve().parent
triple = "x86_64-linux-gnu"
loader = "ld-linux-x86-64.so.2"
# What is not kept lies where the node's own state does: nothing else can be written to in a container whose root can't.
environment = ["PATH=/usr/bin", "TMPDIR=/var/lib/gadwall"]
# Where libraries lie in Debian's packages, which do not know that /lib is /usr/lib.
library_folders = [f"lib/{triple}", f"usr/lib/{triple}"]
takes_no_library_of = {"base-files", "libc-bin", "ca-certificates", "gcc-12-base"}


def fail(sentence):
    sys.exit(f"image: {sentence}")


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Layer:
    """What a layer holds, by its path in the image."""

    def __init__(self, comment):
        self.comment = comment
        self.entries = {}

    def folder(self, path, mode=0o755):
        if parent := path.rpartition("/")[0]:
            self.folder(parent)
        self.entries.setdefault(path, ("folder", mode, None))

    def _place(self, path, entry):
        if parent := path.rpartition("/")[0]:
            self.folder(parent)
        self.entries[path] = entry

    def file(self, path, source, mode=0o644):
        self._place(path, ("file", mode, pathlib.Path(source)))

    def text(self, path, text):
        self._place(path, ("text", 0o644, text.encode()))

    def link(self, path, target):
        self._place(path, ("link", 0o777, target))

    def tree(self, path, source):
        """Everything below a folder, with the modes that it has."""
        for found in sorted(source.rglob("*")):
            inside = f"{path}/{found.relative_to(source)}"
            if found.is_symlink():
                self.link(inside, str(found.readlink()))
            elif found.is_file():
                self.file(inside, found, 0o755 if found.stat().st_mode & stat.S_IXUSR else 0o644)

    def write(self, target):
        """Writes it gzip'd; gives the digest of what it is unpacked, which is what the image knows it by."""
        digest = hashlib.sha256()

        class Counted(io.RawIOBase):
            def writable(self):
                return True

            def write(self, data):
                digest.update(data)
                return packed.write(data)

        with open(target, "wb") as raw, gzip.GzipFile("", "wb", level, raw, mtime=0) as packed:
            with tarfile.open(fileobj=Counted(), mode="w|", format=tarfile.GNU_FORMAT) as tar:
                for path, (kind, mode, content) in sorted(self.entries.items()):
                    entry = tarfile.TarInfo(path)
                    entry.mode = mode
                    if kind == "folder":
                        entry.type = tarfile.DIRTYPE
                        tar.addfile(entry)
                    elif kind == "link":
                        entry.type = tarfile.SYMTYPE
                        entry.linkname = content
                        tar.addfile(entry)
                    else:
                        data = content if kind == "text" else content.read_bytes()
                        entry.size = len(data)
                        tar.addfile(entry, io.BytesIO(data))
        return digest.hexdigest()


class Packages:
    """Debian's packages, unpacked side by side."""

    def __init__(self, archives, folder):
        self.root = folder
        self.of = {}
        self.control = {}
        self.used = set(takes_no_library_of)
        found = {}
        for archive in sorted(archives.glob("*.deb")):
            name = subprocess.run(["dpkg-deb", "-f", archive, "Package"], capture_output=True, text=True, check=True).stdout.strip()
            if name in found:
                fail(f"{archives} holds {name} twice: {found[name].name} and {archive.name}.")
            found[name] = archive
        wanted = [line.strip() for line in (here / "packages").read_text().splitlines() if line.strip() and line[0] != "#"]
        for name in wanted:
            if name not in found:
                fail(f"{archives} does not hold the package {name}: run 'make setup'.")
            subprocess.run(["dpkg-deb", "-x", found[name], folder], check=True)
            self.control[name] = subprocess.run(
                ["dpkg-deb", "-f", found[name]], capture_output=True, text=True, check=True).stdout
            listed = subprocess.run(["dpkg-deb", "--fsys-tarfile", found[name]], capture_output=True, check=True).stdout
            for member in tarfile.open(fileobj=io.BytesIO(listed)):
                if not member.isdir():
                    self.of[member.name.removeprefix("./")] = name

    def library(self, name, wanted_by):
        for folder in library_folders:
            path = self.root / folder / name
            if path.exists():
                self.used.add(self.of[f"{folder}/{name}"])
                return path.resolve()
        fail(f"{wanted_by} needs {name}, which is in none of the packages of {here.name}/packages.")


def needed(path):
    text = subprocess.run(["readelf", "-W", "-d", path], capture_output=True, text=True, check=True).stdout
    return re.findall(r"\(NEEDED\)\s+Shared library: \[(.*?)\]", text)


def runpath(path):
    text = subprocess.run(["readelf", "-W", "-d", path], capture_output=True, text=True, check=True).stdout
    folders = ":".join(re.findall(r"\(RUNPATH\)\s+Library runpath: \[(.*?)\]", text)).split(":")
    return [pathlib.Path(folder) for folder in folders if folder.startswith("/")]


def add_libraries(layer, programs, packages, others):
    """The libraries that the programs need, what these need, and so on."""
    waiting = [(name, program.name) for program in programs for name in needed(program)]
    taken = set()
    while waiting:
        name, wanted_by = waiting.pop()
        if name in taken:
            continue
        taken.add(name)
        other = next((folder / name for folder in others if (folder / name).exists()), None)
        path = other or packages.library(name, wanted_by)
        layer.file(f"usr/lib/{triple}/{name}", path, 0o755)
        waiting += [(more, name) for more in needed(path)]
    # The kernel looks for it there, by the name that programs hold.
    layer.link(f"usr/lib64/{loader}", f"../lib/{triple}/{loader}")


def system_layer(programs, packages, others):
    layer = Layer("Debian 12: libraries, certificates, licences")
    add_libraries(layer, programs, packages, others)
    if superfluous := packages.control.keys() - packages.used:
        fail(f"no program needs anything of {', '.join(sorted(superfluous))}: take them out of {here.name}/packages.")
    root = packages.root
    layer.link("lib", "usr/lib")
    layer.link("lib64", "usr/lib64")
    layer.tree("usr/lib/locale/C.utf8", root / "usr/lib/locale/C.utf8")
    layer.file("usr/lib/os-release", root / "usr/lib/os-release")
    layer.link("etc/os-release", "../usr/lib/os-release")
    # From the package alone: what a machine's owner has added to its own stays there.
    certificates = sorted((root / "usr/share/ca-certificates/mozilla").glob("*.crt"))
    layer.text("etc/ssl/certs/ca-certificates.crt", "".join(path.read_text().strip() + "\n" for path in certificates))
    layer.text("etc/passwd", "root:x:0:0:root:/root:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n")
    layer.text("etc/group", "root:x:0:\nnogroup:x:65534:\n")
    layer.text("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
    layer.folder("root", 0o700)
    layer.folder("tmp", 0o1777)
    for folder in ("proc", "sys", "dev", "run", "etc/gadwall", "var/log", "var/logs", "var/lib/gadwall"):
        layer.folder(folder)
    for name, control in packages.control.items():
        layer.text(f"var/lib/dpkg/status.d/{name}", control)
        documents = root / "usr/share/doc" / name
        if documents.is_symlink():
            layer.link(f"usr/share/doc/{name}", str(documents.readlink()))
        else:
            layer.file(f"usr/share/doc/{name}/copyright", documents / "copyright")
    layer.tree("usr/share/common-licenses", root / "usr/share/common-licenses")
    return layer


def duckdb_layer(folder):
    layer = Layer("DuckDB and its extensions")
    layer.file("usr/lib/gadwall/duckdb", folder / "duckdb", 0o755)
    layer.tree("usr/lib/gadwall/extensions", folder / "extensions")
    return layer


def program_layer(program, queries):
    layer = Layer("gadwall")
    layer.file("usr/bin/gadwall", program, 0o755)
    layer.tree("usr/share/gadwall/queries", queries)
    return layer


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    path = lambda text: pathlib.Path(text).resolve()
    parser.add_argument("--program", type=path, required=True, help="the stripped program")
    parser.add_argument("--duckdb", type=path, required=True, help="the folder with duckdb and extensions/")
    parser.add_argument("--queries", type=path, required=True, help="the saved queries")
    parser.add_argument("--packages", type=path, required=True, help="the folder with the .deb files")
    parser.add_argument(
        "--own-libraries", action="store_true",
        help="take libraries from where the program looks for them, too: for one without the Swift runtime in it (the tests')")
    parser.add_argument("--name", required=True, help="what the image is to be called, gadwall:VERSION")
    parser.add_argument("--label", action="append", default=[], help="NAME=VALUE")
    parser.add_argument("--created", type=int, required=True, help="seconds since 1970")
    parser.add_argument("--compression", type=int, default=9)
    parser.add_argument("--output", type=path, required=True)
    options = parser.parse_args()
    global level
    level = options.compression

    with tempfile.TemporaryDirectory(prefix="image-", dir=options.output.parent) as scratch:
        scratch = pathlib.Path(scratch)
        packages = Packages(options.packages, scratch / "packages")
        programs = [options.program, options.duckdb / "duckdb", *sorted(options.duckdb.glob("extensions/*/*/*.duckdb_extension"))]
        layers = [
            system_layer(programs, packages, runpath(options.program) if options.own_libraries else []),
            duckdb_layer(options.duckdb),
            program_layer(options.program, options.queries),
        ]
        pack(layers, options, scratch)


def pack(layers, options, scratch):
    blobs = scratch / "blobs"
    blobs.mkdir()

    def blob(data):
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"digest": f"sha256:{digest}", "size": len(data)}

    def document(value):
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()

    unpacked, packed = [], []
    for layer in layers:
        file = scratch / "layer"
        unpacked.append(f"sha256:{layer.write(file)}")
        digest, size = sha256(file), file.stat().st_size
        file.rename(blobs / digest)
        packed.append({"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": f"sha256:{digest}", "size": size})
        print(f"  {size / 1e6:6.1f} MB  {layer.comment}")

    created = datetime.datetime.fromtimestamp(options.created, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    labels = dict(label.split("=", 1) for label in options.label)
    config = blob(document({
        "architecture": "amd64",
        "os": "linux",
        "created": created,
        "config": {"Entrypoint": ["/usr/bin/gadwall"], "Env": environment, "WorkingDir": "/", "Labels": labels},
        "rootfs": {"type": "layers", "diff_ids": unpacked},
        "history": [{"created": created, "comment": layer.comment} for layer in layers],
    }))
    manifest_type = "application/vnd.oci.image.manifest.v1+json"
    manifest = blob(document({
        "schemaVersion": 2,
        "mediaType": manifest_type,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config},
        "layers": packed,
    }))
    in_archive = lambda digest: "blobs/sha256/" + digest.removeprefix("sha256:")
    tag = options.name.rpartition(":")[2]
    files = {
        "oci-layout": document({"imageLayoutVersion": "1.0.0"}),
        # For skopeo, and for a Docker that keeps its images in containerd.
        "index.json": document({
            "schemaVersion": 2,
            "manifests": [{
                "mediaType": manifest_type, **manifest, "platform": {"architecture": "amd64", "os": "linux"},
                "annotations": {
                    "io.containerd.image.name": f"docker.io/library/{options.name}", "org.opencontainers.image.ref.name": tag},
            }],
        }),
        # For every other 'docker load'.
        "manifest.json": document([{
            "Config": in_archive(config["digest"]), "RepoTags": [options.name], "Layers": [in_archive(layer["digest"]) for layer in packed]}]),
    }
    unfinished = options.output.with_name(options.output.name + ".new")
    with tarfile.open(unfinished, "w", format=tarfile.GNU_FORMAT) as tar:
        entries = {**files, **{f"blobs/sha256/{file.name}": file for file in blobs.iterdir()}}
        for name in sorted(entries):
            content = entries[name]
            entry = tarfile.TarInfo(name)
            data = content if isinstance(content, bytes) else content.read_bytes()
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    unfinished.rename(options.output)
    print(f"  {options.output.stat().st_size / 1e6:6.1f} MB  {options.output.name}, {options.name}@{manifest['digest']}")


main()
