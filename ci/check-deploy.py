"""Checks deploy/: what Terraform would open, permit and delete, what cloud-init gets to read, and the install scripts.

Terraform's files are read with python-hcl2, the templates are filled in here, and what comes out goes to cloud-init's own schema. Where a
terraform program is on the PATH it is asked as well; its providers can't be had everywhere, so no plan is made.
Afterwards each rule is shown a copy of deploy/ with the mistake that it is for (MISTAKES), and has to find it.
"""

import base64
import collections
import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import hcl2
import yaml

root = pathlib.Path(__file__).resolve().parent.parent
IAP = "35.235.240.0/20"
NODE, CONTROL = "google_service_account.node.member", "google_service_account.control.member"
ARCHIVE, INSTALL = "google_storage_bucket.archive.name", "google_storage_bucket.install.name"

# Everything that anybody is given. A grant that is not here is wrong, as is one of these that is missing.
GRANTS = {
    ("google_storage_bucket_iam_member", ARCHIVE, "google_project_iam_custom_role.node_objects.id", NODE),
    ("google_storage_bucket_iam_member", ARCHIVE, "google_project_iam_custom_role.node_uploads.id", NODE),
    ("google_storage_bucket_iam_member", ARCHIVE, "roles/storage.objectAdmin", CONTROL),
    ("google_storage_bucket_iam_member", INSTALL, "roles/storage.legacyObjectReader", NODE),
    ("google_storage_bucket_iam_member", INSTALL, "roles/storage.legacyObjectReader", CONTROL),
    ("google_artifact_registry_repository_iam_member", "google_artifact_registry_repository.gadwall.name", "roles/artifactregistry.reader", NODE),
    ("google_secret_manager_secret_iam_member", "google_secret_manager_secret.join", "roles/secretmanager.secretAccessor", NODE),
    ("google_secret_manager_secret_iam_member", "google_secret_manager_secret.join", "roles/secretmanager.secretAccessor", CONTROL),
    ("google_secret_manager_secret_iam_member", "google_secret_manager_secret.join", "roles/secretmanager.secretVersionAdder", CONTROL),
}
PERMISSIONS = {
    "node_objects": {
        "storage.objects.create", "storage.objects.get", "storage.multipartUploads.create", "storage.multipartUploads.abort",
        "storage.multipartUploads.listParts",
    },
    "node_uploads": {"storage.multipartUploads.list"},
}
# A kind of resource that is not here is one that no rule has looked at.
KINDS = {
    "google_artifact_registry_repository", "google_compute_address", "google_compute_firewall", "google_compute_instance", "google_compute_network",
    "google_compute_router", "google_compute_router_nat", "google_compute_subnetwork", "google_project_iam_custom_role", "google_project_service",
    "google_secret_manager_secret", "google_service_account", "google_storage_bucket",
} | {kind for kind, *_ in GRANTS}
METADATA = {"user-data", "startup-script", "enable-oslogin", "block-project-ssh-keys", "serial-port-enable"}
SETTINGS = {
    "NODE_NAME", "INSTALL_BUCKET", "GADWALL_TARBALL", "GADWALL_SHA256", "BACALHAU_VERSION", "BACALHAU_SHA256", "TOKEN_SECRET", "CERTIFICATE_SECRET",
}
ROLE_SETTINGS = {"node": {"NODE_REGION", "NODE_ZONE", "ORCHESTRATOR", "IMAGE", "STORE"}, "control": {"ADDRESS"}}
# The names of secrets, and keys' digests, are none.
LOOKS_SECRET = re.compile(r"(?i)-----BEGIN|private.?key|passw(or)?d|api.?key\s*[:=]|AKIA[0-9A-Z]{16}|AIza[\w-]{35}|ya29\.|GOOG[\w]{10,}")

# What the templates are filled in with here; instances.tf has where each comes from.
COMMON = {
    "install_bucket": "some-project-gadwall-install", "gadwall_tarball": "gadwall-0.1.0-linux-x86_64.tar.gz", "gadwall_sha256": "b" * 64,
    "bacalhau_version": "v1.9.3", "bacalhau_sha256": "c" * 64, "token_secret": "gadwall-nats-token", "certificate_secret": "gadwall-nats-certificate",
}
IMAGE = "us-east1-docker.pkg.dev/some-project/gadwall/gadwall@sha256:" + "a" * 64
NODE_VALUES = COMMON | {"name": "us-east1-vm", "region": "us-east1", "zone": "us-east1-b", "orchestrator": "10.40.0.10:4222", "image": IMAGE, "store": "s3://some-project-gadwall"}
CONTROL_VALUES = COMMON | {"name": "gadwall-control", "address": "10.40.0.10"}
CONFIG_VALUES = {"bucket": "some-project-gadwall", "image": IMAGE, "raw_storage_class": "NEARLINE"}


@functools.cache
def parsed(text):
    return hcl2.loads(text)


def plain(value):
    """A value as it is meant: quotes and ${} around the whole of it gone."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, str):
        return value
    if len(value) > 1 and value[0] == value[-1] == '"':
        return value[1:-1]
    return value[2:-1] if value.startswith("${") and value.endswith("}") and value.count("${") == 1 else value


def blocks(body, name):
    """Nested blocks of a name, those that a 'dynamic' makes among them."""
    found = list(body.get(name, []))
    for dynamic in body.get("dynamic", []):
        found += dynamic.get(f'"{name}"', {}).get("content", [])
    return found


class Terraform:
    def __init__(self, folder):
        self.text, self.resources, self.variables, self.locals, self.outputs = {}, {}, {}, {}, {}
        for file in sorted(folder.glob("*.tf")):
            self.text[file.name] = file.read_text()
            tree = parsed(self.text[file.name])
            for item in tree.get("resource", []):
                for kind, named in item.items():
                    for name, body in named.items():
                        self.resources[plain(kind), plain(name)] = body
            for item in tree.get("variable", []):
                self.variables |= {plain(name): body for name, body in item.items()}
            for item in tree.get("output", []):
                self.outputs |= {plain(name): body for name, body in item.items()}
            for item in tree.get("locals", []):
                self.locals |= {name: value for name, value in item.items() if not name.startswith("__")}
        # Comments are not uses.
        self.code = re.sub(r"(?m)^\s*#.*$", "", "\n".join(self.text.values()))

    def of(self, kind):
        return {name: body for (found, name), body in self.resources.items() if found == kind}


def check_names(tf, wrong):
    for name, body in tf.variables.items():
        if len(plain(body.get("description", ""))) < 20:
            wrong(f"variable {name} has no description that says something")
        if "type" not in body:
            wrong(f"variable {name} has no type")
        if plain(body.get("type")) != "bool" and not body.get("validation"):
            wrong(f"variable {name} takes any value: it has no validation")
        for validation in body.get("validation", []):
            if f"var.{name}" not in str(validation["condition"]):
                wrong(f"variable {name} has a validation that does not look at it")
        block = re.search(rf'(?ms)^variable "{name}" {{.*?^}}', tf.code).group(0)
        if not re.search(rf"\bvar\.{name}\b", tf.code.replace(block, "")):
            wrong(f"variable {name} is not used")
    for name, body in tf.outputs.items():
        if not plain(body.get("description", "")):
            wrong(f"output {name} has no description")
    for name in sorted(set(re.findall(r"\bvar\.(\w+)", tf.code)) - set(tf.variables)):
        wrong(f"var.{name} is nowhere declared")
    uses = set(re.findall(r"\blocal\.(\w+)", tf.code))
    for name in sorted(uses ^ set(tf.locals)):
        wrong(f"local.{name} is {'nowhere declared' if name in uses else 'not used'}")
    for kind, name in sorted(set(re.findall(r"\b(google_\w+)\.(\w+)", tf.code)) - set(tf.resources)):
        wrong(f"{kind}.{name} is nowhere declared")
    for kind, name in tf.resources:
        if kind not in KINDS:
            wrong(f"{kind}.{name} is of a kind that no rule here knows")


def check_firewall(tf, wrong):
    opened = set()
    for name, body in tf.of("google_compute_firewall").items():
        ranges, tags = set(plain(body.get("source_ranges", []))), tuple(plain(body.get("source_tags", [])))
        if plain(body.get("direction", "INGRESS")) != "INGRESS":
            continue
        if not ranges and not tags:
            wrong(f"firewall {name} names no source: that is everybody")
        if not ranges <= {IAP}:
            wrong(f"firewall {name} lets in {', '.join(sorted(ranges - {IAP}))}; only {IAP}, IAP's range, may come in")
        if not body.get("target_tags"):
            wrong(f"firewall {name} is for every machine of the network")
        for allow in body.get("allow", []):
            if plain(allow.get("protocol")) != "tcp" or not allow.get("ports"):
                wrong(f"firewall {name} opens more than single TCP ports")
            for port in plain(allow.get("ports", [])):
                opened.add((port, tuple(sorted(ranges)), tags, tuple(sorted(plain(body.get("target_tags", []))))))
    expected = {
        ("4222", (), ("gadwall-node",), ("gadwall-control",)),
        ("22", (IAP,), (), ("gadwall-control", "gadwall-node")),
    }
    for port, ranges, tags, targets in sorted(opened ^ expected):
        what = "is open" if (port, ranges, tags, targets) in opened else "should be open"
        wrong(f"firewall: port {port} {what} from {', '.join(ranges + tags)} to {', '.join(targets)}")
    for name, body in tf.of("google_compute_network").items():
        if body.get("auto_create_subnetworks") is not False:
            wrong(f"network {name} makes subnets in every region")
    for name, body in tf.of("google_compute_subnetwork").items():
        if body.get("private_ip_google_access") is not True:
            wrong(f"subnet {name} does not reach the bucket without a NAT")


def check_instances(tf, wrong):
    instances = tf.of("google_compute_instance")
    for name, body in instances.items():
        account = plain(body["service_account"][0]["email"]) if body.get("service_account") else "Google's default account, which may do everything"
        if account != f"google_service_account.{name}.email":
            wrong(f"instance {name} runs as {account}")
        if plain(body.get("tags")) != [f"gadwall-{name}"]:
            wrong(f"instance {name} has the tags {plain(body.get('tags'))}")
        if not re.fullmatch(r"merge\(local\.metadata, \{\"?user-data\"? = local\.\w+(\[each\.key\])?\}\)", plain(body.get("metadata", ""))):
            wrong(f"instance {name} has metadata besides local.metadata and its user-data")
        if body.get("metadata_startup_script"):
            wrong(f"instance {name} has a second startup script")
        for interface in body.get("network_interface", []):
            if blocks(interface, "access_config") or blocks(interface, "ipv6_access_config"):
                wrong(f"instance {name} has a public address")
        if body.get("can_ip_forward"):
            wrong(f"instance {name} forwards others' packets")
        if not body.get("shielded_instance_config"):
            wrong(f"instance {name} boots anything")
    if set(instances) != {"node", "control"}:
        wrong(f"instances are {sorted(instances)}")
    metadata = {plain(key): plain(value) for key, value in tf.locals.get("metadata", {}).items() if not key.startswith("__")}
    for key in sorted(set(metadata) - METADATA):
        wrong(f"metadata has the key {key}: everybody on the machine can read its value")
    if metadata.get("enable-oslogin") != "TRUE" or metadata.get("block-project-ssh-keys") != "TRUE" or metadata.get("serial-port-enable") != "FALSE":
        wrong("metadata lets in others than OS Login does")


def check_rights(tf, wrong):
    grants = set()
    for (kind, name), body in tf.resources.items():
        if "_iam_" not in kind or kind == "google_project_iam_custom_role":
            continue
        target = plain(body.get("bucket") or body.get("repository") or body.get("secret_id") or "?")
        each = body.get("for_each")
        members = [plain(body.get("member", "?"))]
        if isinstance(each, dict) and members == ["each.value"]:
            members = [plain(value) for key, value in each.items() if not key.startswith("__")]
        if target == "each.value.id":
            target = plain(each)
        for member in members:
            grants.add((kind, target, plain(body.get("role", "?")), member))
    for grant in sorted(grants ^ GRANTS):
        wrong(f"{'an unexpected' if grant in grants else 'a missing'} right: {' '.join(grant[1:])} ({grant[0]})")
    roles = tf.of("google_project_iam_custom_role")
    for name in sorted(set(roles) | set(PERMISSIONS)):
        found = set(plain(roles.get(name, {}).get("permissions", [])))
        for permission in sorted(found ^ PERMISSIONS.get(name, set())):
            wrong(f"role {name} {'has' if permission in found else 'lacks'} {permission}")
    condition = tf.of("google_storage_bucket_iam_member").get("node_objects", {}).get("condition", [])
    if not condition or not re.search(r"for prefix in local\.node_prefixes : .*resource\.name\.startsWith\(.*/objects/\$\{prefix\}", str(condition[0]["expression"])):
        wrong("nodes may write and read everywhere in the bucket: the condition on prefixes is gone")
    if plain(tf.locals.get("node_prefixes", [])) != ["alerts/", "raw/", "runs/", "queries/", "warehouse/"]:
        wrong(f"nodes write and read below {plain(tf.locals.get('node_prefixes', []))}")


def check_buckets(tf, wrong):
    for name, body in tf.of("google_storage_bucket").items():
        if body.get("uniform_bucket_level_access") is not True or plain(body.get("public_access_prevention")) != "enforced":
            wrong(f"bucket {name} can be opened to everybody")
        for rule in blocks(body, "lifecycle_rule"):
            condition, action = rule["condition"][0], plain(rule["action"][0]["type"])
            prefixes = plain(condition.get("matches_prefix", []))
            allowed = {
                "AbortIncompleteMultipartUpload": [[]], "SetStorageClass": [["raw/"]], "Delete": [["raw/"], ["queries/"]],
            }
            if prefixes not in allowed.get(action, []):
                wrong(f"bucket {name}: a lifecycle rule does {action} to {', '.join(prefixes) or 'everything'}")
            if "age" not in condition:
                wrong(f"bucket {name}: a lifecycle rule does {action} whatever the age")
            if action == "Delete" and prefixes == ["queries/"] and int(condition["age"]) < 2:
                wrong(f"bucket {name}: queries/ is swept before Gadwall does")
        # The one that deletes raw files has to be asked for.
        for rule in body.get("lifecycle_rule", []):
            if plain(rule["action"][0]["type"]) == "Delete" and plain(rule["condition"][0].get("matches_prefix", [])) == ["raw/"]:
                wrong(f"bucket {name}: raw files are deleted without being asked for")
    archive = tf.of("google_storage_bucket").get("archive", {})
    if plain(archive.get("force_destroy")) != "var.destroy_archive" or tf.variables.get("destroy_archive", {}).get("default") is not False:
        wrong("'terraform destroy' deletes the archive without being told to")
    if not archive.get("soft_delete_policy"):
        wrong("the archive has no soft delete policy of its own")


def render(template, values, used):
    """Terraform's templates, as far as these go: one 'for' over a map, names, base64encode, and a choice by endswith."""

    def expression(text, scope):
        def value(name):
            used.add(name)
            return scope[name]

        if match := re.fullmatch(r"base64encode\((\w+)\)", text):
            return base64.b64encode(value(match[1]).encode()).decode()
        if match := re.fullmatch(r'endswith\((\w+), "([^"]*)"\) \? "([^"]*)" : "([^"]*)"', text):
            return match[3] if value(match[1]).endswith(match[2]) else match[4]
        return value(text)

    def fill(text, scope):
        return re.sub(r"(?<!\$)\$\{([^}]*)\}", lambda match: expression(match[1].strip(), scope), text)

    def loop(match):
        used.add(match[3])
        return "".join(fill(match[4], values | {match[1]: key, match[2]: text}) for key, text in sorted(values[match[3]].items()))

    return fill(re.sub(r"%\{ for (\w+), (\w+) in (\w+) ~\}\s*?\n(.*?)%\{ endfor ~\}\s*?\n", loop, template, flags=re.S), values)


def user_data(deploy, tf, wrong):
    """What each role's machine would get, with the files that instances.tf names."""
    names = lambda local: re.findall(r'"([\w./-]+)"', re.sub(r"\$\{local[^}]*\}", "", local if isinstance(local, str) else json.dumps(plain(local))))
    shared = names(tf.locals["shared_files"])
    result = {}

    def filled(file, values):
        used = set()
        try:
            text = render((deploy / file).read_text(), values, used)
        except KeyError as missing:
            wrong(f"{file} uses {missing}, which it is not given")
            return ""
        for name in sorted(set(values) - used):
            wrong(f"{file} is given {name}, and does not use it")
        # instances.tf has to give the same names.
        call = re.search(rf'templatefile\("\$\{{local\.deploy\}}/{file}", (?:merge\(local\.versions, )?\{{(.*?)\n\s*\}}\)', tf.code, re.S)
        given = set(re.findall(r"(?m)^\s*(\w+)\s*=", call[1])) | (set(COMMON) if "merge(local.versions" in call[0] else set())
        for name in sorted(given ^ set(values)):
            wrong(f"{file}: instances.tf {'gives' if name in given else 'does not give'} {name}")
        return text

    config = filled("cloud-init/gadwall.yaml", CONFIG_VALUES)
    for role, values in (("node", NODE_VALUES), ("control", CONTROL_VALUES)):
        paths = shared + [path for path in names(tf.locals[f"{role}_files"]) if (deploy / path).is_file()]
        files = {path: (deploy / path).read_text() for path in paths if (deploy / path).is_file()}
        if role == "control":
            files["gadwall.yaml"] = config
        result[role] = (filled(f"cloud-init/{role}.yaml", values | {"files": files}), files)
    return result, config


def check_user_data(deploy, tf, wrong):
    made, config = user_data(deploy, tf, wrong)
    for role, (text, files) in made.items():
        if not text.startswith("#cloud-config\n"):
            wrong(f"{role}.yaml: cloud-init takes it only with '#cloud-config' in its first line")
        if len(text.encode()) > 200 * 1024:
            wrong(f"{role}.yaml: {len(text.encode())} bytes, and the metadata server takes 256 KiB")
        try:
            tree = yaml.safe_load(text)
        except yaml.YAMLError as error:
            wrong(f"{role}.yaml is no YAML: {error}")
            continue
        if not isinstance(tree, dict):
            continue
        written = {entry["path"]: entry for entry in tree["write_files"]}
        folder = "/usr/local/lib/gadwall-install/"
        for path, text in files.items():
            entry = written.pop(folder + path, None)
            if not entry or base64.b64decode(entry["content"]).decode() != text:
                wrong(f"{role}.yaml does not write {path} as it is")
            elif path.endswith(".sh") != (entry["permissions"] == "0755"):
                wrong(f"{role}.yaml writes {path} with the mode {entry['permissions']}")
            if match := LOOKS_SECRET.search(text) if not path.endswith((".sh", ".service", ".conf")) else None:
                wrong(f"{role}.yaml: {path} has what looks like a secret, '{match[0]}'")
        settings = written.pop("/etc/gadwall/first-boot.env", {"content": ""})["content"]
        for path in written:
            wrong(f"{role}.yaml writes {path}, which no rule here knows")
        if match := LOOKS_SECRET.search(settings):
            wrong(f"{role}.yaml has what looks like a secret, '{match[0]}'")
        names = set(re.findall(r"(?m)^(\w+)='[^']*'$", settings))
        for name in sorted(names ^ (SETTINGS | ROLE_SETTINGS[role])):
            wrong(f"{role}.yaml: first-boot.env {'has' if name in names else 'lacks'} {name}")
        boot = (deploy / "cloud-init/first-boot.sh").read_text()
        for name in sorted(names - set(re.findall(r"\$\{?([A-Z][A-Z0-9_]+)", boot))):
            wrong(f"{role}.yaml sets {name}, and first-boot.sh does not use it")
        if tree.get("runcmd") != [[folder + "cloud-init/first-boot.sh", role]] or folder + "cloud-init/first-boot.sh" not in {folder + path for path in files}:
            wrong(f"{role}.yaml does not run first-boot.sh as {role}")
        # What the script copies has to be on the machine.
        script = (deploy / f"install/install-{role}.sh").read_text() + (deploy / "install/steps.sh").read_text()
        needs = set(re.findall(r"\$deploy_folder/([\w./-]+\w)", script)) | {f"install/install-{role}.sh", "install/steps.sh", "cloud-init/gcp.sh"}
        if match := re.search(r"for unit in ([^;]*); do", script):
            needs |= {f"systemd/{unit}" for unit in match[1].split()}
        for path in sorted(needs - set(files) - {"systemd"}):
            wrong(f"{role}.yaml does not bring {path}, which install-{role}.sh copies")
    check_config(deploy, yaml.safe_load(config) if config else {}, wrong)
    return {role: text for role, (text, _) in made.items()}


def heredoc(script, file):
    match = re.search(rf'(?ms)^\s*write_file "?{re.escape(file)}"? [^\n]*<<YAML\n(.*?)^YAML$', script)
    text = re.sub(r"\$\(<[^)]*\)", "TOKEN", match[1])
    return yaml.safe_load(re.sub(r"\$(\w+)", lambda name: {"live_folder": "/var/log/app", "orchestrator": "10.40.0.10:4222", "policy_mark": "#"}.get(name[1], name[1]), text))


def check_config(deploy, config, wrong):
    """Gadwall's configuration and Bacalhau's have to fit each other."""
    node = heredoc((deploy / "install/install-node.sh").read_text(), "/etc/bacalhau/config.yaml")
    control = heredoc((deploy / "install/install-control.sh").read_text(), "/etc/bacalhau/config.yaml")
    policy = heredoc((deploy / "install/install-node.sh").read_text(), "$own_policy")
    mounts = config.get("bacalhau", {}).get("mounts", [])
    if policy["mounts"] != mounts:
        wrong(f"gadwall.yaml mounts {mounts}, and the nodes' policy lets in {policy['mounts']}")
    for key in ("cpu", "memory"):
        if policy[key] != config["bacalhau"][key]:
            wrong(f"gadwall.yaml asks for {key} {config['bacalhau'][key]}, and the nodes' policy lets in {policy[key]}")
    if policy["network"] != [config["bacalhau"]["network"]] or policy["images"] != ["image"] or policy["stores"] != ["store"]:
        wrong("the nodes' policy lets in other images, networks or stores than ours")
    if mounts != node["Compute"]["AllowListedLocalPaths"]:
        wrong(f"gadwall.yaml mounts {mounts}, and the nodes allow {node['Compute']['AllowListedLocalPaths']}")
    if any("*" in path for path in node["Compute"]["AllowListedLocalPaths"]):
        wrong("the nodes allow folders by a pattern")
    for glob in config["logs"]["live"] + config["logs"]["rotated"]:
        if not any(("/" + glob).startswith(mount.rsplit(":", 1)[0] + "/") for mount in mounts):
            wrong(f"gadwall.yaml reads {glob}, which lies in no mount")
    for name, agent in (("install-node.sh", node), ("install-control.sh", control)):
        if agent["API"]["Host"] != "127.0.0.1":
            wrong(f"{name}: Bacalhau's API listens on {agent['API']['Host']}")
        if agent.get("DisableAnalytics") is not True or agent["UpdateConfig"]["Interval"] != "0s":
            wrong(f"{name}: Bacalhau calls home")
    if config["bacalhau"]["api"] != f"http://127.0.0.1:{control['API']['Port']}":
        wrong("gadwall.yaml asks for another API than the orchestrator's")
    if [user["Capabilities"] for user in control["API"]["Auth"]["Users"]] != [[{"Actions": ["read:job", "write:job", "read:node"]}]]:
        wrong("install-control.sh: the API's user may do more, or less, than Gadwall does")
    for name, agent, side in (("install-node.sh", node, "Compute"), ("install-control.sh", control, "Orchestrator")):
        if not agent[side].get("Auth", {}).get("Token") or not agent[side].get("TLS", {}).get("CACert"):
            wrong(f"{name}: NATS is without token or TLS")
    if node["JobAdmissionControl"].get("ProbeExec") != "/opt/gadwall/bin/gadwall node admit":
        wrong("install-node.sh: nobody asks the node whether it admits a job")
    if "local" not in node["Publishers"]["Disabled"]:
        wrong("install-node.sh: the local publisher would list files to everybody")
    if any(key != key.lower() for key in node["Labels"]):
        wrong("install-node.sh: Bacalhau writes label keys in lower case")


def check_scripts(deploy, wrong):
    scripts = sorted([*deploy.glob("install/*.sh"), *deploy.glob("cloud-init/*.sh")])
    for script in scripts:
        text = script.read_text()
        name = script.relative_to(deploy)
        if text.startswith("#!"):
            if "\nset -euo pipefail\n" not in text:
                wrong(f"{name} goes on after an error")
            if not script.stat().st_mode & 0o100:
                wrong(f"{name} can't be run")
        for option in re.findall(r"(?m)^\s*(--[\w -|\\\n]*?)\)$", text):
            for flag in re.findall(r"--[\w-]+", option):
                if re.search(r"token|secret|password|key", flag) and not flag.endswith("-file"):
                    wrong(f"{name} takes a secret as an argument: {flag}")
        for line in text.splitlines():
            if re.search(r"curl.*(-H|--header).*(Authorization|\$bearer|\$token)|--(token|password)[ =][\"']?\$", line):
                wrong(f"{name} puts a secret into an argument: {line.strip()}")
            if re.search(r"curl[^|]*\|\s*(ba)?sh\b", line):
                wrong(f"{name} runs what it has just downloaded: {line.strip()}")
            if re.search(r"(?<!\w)(pkill|killall)\b", line):
                wrong(f"{name} ends processes by their names")


def shellcheck(deploy, wrong):
    scripts = sorted(str(path.relative_to(deploy)) for folder in ("install", "cloud-init") for path in deploy.glob(f"{folder}/*.sh"))
    said = subprocess.run(["shellcheck", "-x", "-f", "gcc", *scripts], cwd=deploy, capture_output=True, text=True)
    for line in (said.stdout + said.stderr).splitlines():
        wrong(f"shellcheck: {line}")


def cloud_init(rendered, wrong):
    for role, text in rendered.items():
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(text)
            file.flush()
            said = subprocess.run(["cloud-init", "schema", "--config-file", file.name], capture_output=True, text=True)
            if said.returncode != 0 or "Valid" not in said.stdout:
                wrong(f"cloud-init does not take {role}.yaml: {(said.stdout + said.stderr).strip()}")


def terraform(deploy, tf, rendered, wrong):
    """What Terraform itself makes of the variables and templates, without any provider."""
    said = subprocess.run(["terraform", "fmt", "-check", "-list=true", str(deploy / "terraform")], capture_output=True, text=True)
    for line in said.stdout.split():
        wrong(f"terraform fmt would change {line}")
    values = {"project_id": "some-project", "bucket": "some-project-gadwall", "image_digest": "sha256:" + "a" * 64, "gadwall_sha256": "b" * 64, "bacalhau_sha256": "c" * 64}
    bad = {
        "project_id": "No", "bucket": "UPPER", "image_digest": "latest", "gadwall_sha256": "b" * 63, "bacalhau_sha256": "C" * 64, "bacalhau_version": "v1.8.0",
        "location": "US", "raw_storage_class": "GLACIER", "raw_cold_after_days": "0", "raw_delete_after_days": "60", "disk_gb": "5",
        "boot_image": "ubuntu-os-cloud/ubuntu-2404-lts", "node_machine_type": "e2-micro", "control_machine_type": "big", "gadwall_tarball": "gadwall.deb",
        "nodes": '{a-={region="us-east1",zone="us-east1-b"}}', "control": '{name="c",region="us-east1",zone="us-west1-b"}', "subnets": '{us-east1="10.40.0.0/24"}',
    }
    if missing := set(tf.variables) - set(bad) - {name for name, body in tf.variables.items() if plain(body.get("type")) == "bool"}:
        wrong(f"no bad value is tried for {sorted(missing)}")
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        text = tf.text["instances.tf"]
        text = text[: text.index('\nresource "')].replace("${path.module}/..", str(deploy.resolve()))
        (folder / "variables.tf").write_text(tf.text["variables.tf"])
        (folder / "main.tf").write_text(text + '\noutput "it" { value = { node = local.node_user_data["us-east1-vm"], control = local.control_user_data } }\n')
        environment = os.environ | {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
        run = lambda *words: subprocess.run(["terraform", *words], cwd=folder, env=environment, capture_output=True, text=True)
        flags = lambda chosen: [f"-var={name}={value}" for name, value in chosen.items()]
        run("init", "-no-color")
        said = run("apply", "-no-color", "-auto-approve", *flags(values))
        if said.returncode != 0:
            wrong(f"terraform does not take the variables and templates: {said.stderr.strip()}")
            return
        made = json.loads(run("output", "-json", "it").stdout)
        for role, text in rendered.items():
            if made[role] != text:
                wrong(f"terraform fills in {role}.yaml otherwise than it was here")
        for name, value in bad.items():
            said = run("plan", "-no-color", "-input=false", *flags(values | {name: value}))
            if said.returncode == 0 or "Invalid value for variable" not in said.stderr:
                wrong(f"terraform takes {name} = {value}")


def problems(deploy, tools=()):
    found = []
    tf = Terraform(deploy / "terraform")
    for rule in (check_names, check_firewall, check_instances, check_rights, check_buckets):
        rule(tf, found.append)
    rendered = check_user_data(deploy, tf, found.append)
    check_scripts(deploy, found.append)
    if "shellcheck" in tools:
        shellcheck(deploy, found.append)
    if "cloud-init" in tools:
        cloud_init(rendered, found.append)
    if "terraform" in tools:
        terraform(deploy, tf, rendered, found.append)
    return found


# file, what stands there, what is put in its place, what a rule has to say of it, the program that says it (if it is one)
MISTAKES = [
    ("terraform/network.tf", f'["{IAP}"]', '["0.0.0.0/0"]', "lets in 0.0.0.0/0"),
    ("terraform/network.tf", f'["{IAP}"]', f'["{IAP}", "::/0"]', "lets in ::/0"),
    ("terraform/network.tf", 'source_tags = ["gadwall-node"]', "", "names no source"),
    ("terraform/network.tf", '["4222"]', '["4222", "1234"]', "port 1234 is open"),
    ("terraform/network.tf", '["4222"]', '["1-65535"]', "port 1-65535 is open"),
    ("terraform/network.tf", '    protocol = "tcp"\n    ports    = ["22"]', '    protocol = "all"', "more than single TCP ports"),
    ("terraform/network.tf", '  target_tags   = ["gadwall-control", "gadwall-node"]\n', "", "every machine of the network"),
    ("terraform/network.tf", "private_ip_google_access = true", "private_ip_google_access = false", "without a NAT"),
    ("terraform/instances.tf", "    network_ip = ", "    access_config {}\n    network_ip = ", "has a public address"),
    ("terraform/instances.tf", "    enable-oslogin ", '    api-key = "x"\n    enable-oslogin ', "metadata has the key api-key"),
    ("terraform/instances.tf", "{ user-data = local.control_user_data }", "{ user-data = local.control_user_data, token = var.bucket }", "has metadata besides"),
    ("terraform/instances.tf", "google_service_account.node.email", "google_service_account.control.email", "instance node runs as"),
    ("terraform/instances.tf", '"TRUE"', '"FALSE"', "others than OS Login"),
    ("terraform/iam.tf", '"roles/storage.objectAdmin"', '"roles/storage.admin"', "an unexpected right"),
    ("terraform/iam.tf", '"storage.objects.get",', '"storage.objects.get",\n    "storage.objects.delete",', "has storage.objects.delete"),
    ("terraform/iam.tf", '"storage.objects.get",', '"storage.objects.get",\n    "storage.objects.list",', "has storage.objects.list"),
    ("terraform/iam.tf", re.compile(r"\n  condition \{.*?\n  \}\n", re.S), "", "condition on prefixes is gone"),
    ("terraform/iam.tf", '"warehouse/"]', '""]', "nodes write and read below"),
    ("terraform/iam.tf", '"roles/artifactregistry.reader"', '"roles/artifactregistry.writer"', "an unexpected right"),
    ("terraform/registry.tf", None, '\nresource "google_project_iam_member" "all" {\n  role   = "roles/editor"\n  member = google_service_account.node.member\n}\n', "roles/editor"),
    ("terraform/registry.tf", None, '\nresource "google_service_account_key" "node" {\n  service_account_id = google_service_account.node.name\n}\n', "of a kind that no rule"),
    ("terraform/registry.tf", None, '\nresource "google_secret_manager_secret_version" "token" {\n  secret_data = "x"\n}\n', "of a kind that no rule"),
    ("terraform/storage.tf", 'matches_prefix = ["raw/"]', "", "SetStorageClass to everything"),
    ("terraform/storage.tf", 'matches_prefix = ["raw/"]', 'matches_prefix = ["raw/", "warehouse/"]', "SetStorageClass to raw/, warehouse/"),
    ("terraform/storage.tf", 'matches_prefix = ["queries/"]', "", "Delete to everything"),
    ("terraform/storage.tf", 'matches_prefix = ["queries/"]', 'matches_prefix = ["runs/"]', "Delete to runs/"),
    ("terraform/storage.tf", "      age            = 2\n", "      age            = 0\n", "swept before Gadwall"),
    ("terraform/storage.tf", '"enforced"', '"inherited"', "can be opened to everybody"),
    ("terraform/storage.tf", "= var.destroy_archive", "= true", "deletes the archive"),
    ("terraform/variables.tf", '  description = "The size of each machine\'s disk', '  # description = "', "disk_gb has no description"),
    ("terraform/variables.tf", None, '\nvariable "unused" {\n  description = "Nobody reads what this is set to."\n  type        = bool\n}\n', "unused is not used"),
    ("terraform/variables.tf", re.compile(r'(variable "disk_gb" \{.*?)  type        = number\n', re.S), r"\1", "disk_gb has no type"),
    ("terraform/variables.tf", re.compile(r'(variable "location" \{.*?)\n  validation \{.*?\n  \}\n', re.S), r"\1", "location takes any value"),
    ("terraform/outputs.tf", "local.repository", "local.repositories", "local.repositories is nowhere declared"),
    ("terraform/outputs.tf", "google_storage_bucket.install", "google_storage_bucket.installs", "installs is nowhere declared"),
    ("terraform/instances.tf", "    orchestrator = ", "    orchestrators = ", "does not give orchestrator"),
    ("terraform/instances.tf", '    "systemd/gadwall-generator.service",\n', "", "does not bring systemd/gadwall-generator.service"),
    ("terraform/instances.tf", '    "systemd/bacalhau.service.d/node.conf",\n', "", "does not bring systemd/bacalhau.service.d/node.conf"),
    ("terraform/instances.tf", '    "systemd/gadwall-harvest.timer",\n', "", "does not bring systemd/gadwall-harvest.timer"),
    ("cloud-init/node.yaml", "      IMAGE='${image}'\n", "      IMAGE='${image}'\n      API_KEY='x'\n", "first-boot.env has API_KEY"),
    ("cloud-init/node.yaml", "#cloud-config\n", "", "in its first line"),
    ("cloud-init/node.yaml", "${zone}", "${zones}", "uses 'zones'"),
    ("cloud-init/control.yaml", "runcmd:\n", "runcmd: 7\nruncmds:\n", "does not take control.yaml", "cloud-init"),
    ("cloud-init/gadwall.yaml", '"/var/logs:rw"', '"/var/logs/raw_logs:rw"', "and the nodes allow"),
    ("cloud-init/gadwall.yaml", "memory: 768MiB", "memory: 1GiB", "and the nodes' policy lets in 768MiB"),
    ("install/install-node.sh", 'stores: ["$store"]', 'stores: ["s3://"]', "other images, networks or stores"),
    ("install/install-node.sh", 'images: ["$image"]\nmounts: ["/var/logs:rw", ', 'images: ["$image"]\nmounts: [', "and the nodes' policy lets in"),
    ("cloud-init/gadwall.yaml", "var/log/app/*.log", "srv/app/*.log", "lies in no mount"),
    ("install/install-node.sh", re.compile(r'(AllowListedLocalPaths: .*)"/etc/gadwall:ro"'), r'\1"/etc/**:ro"', "by a pattern"),
    ("install/install-node.sh", "Host: 127.0.0.1", "Host: 0.0.0.0", "API listens on 0.0.0.0"),
    ("install/install-node.sh", "DisableAnalytics: true", "DisableAnalytics: false", "calls home"),
    ("install/install-node.sh", "gadwall node admit", "true", "admits a job"),
    ("install/install-node.sh", "[local, ipfs", "[ipfs", "local publisher"),
    ("install/install-control.sh", '"read:job", "write:job", "read:node"', '"*"', "API's user may do more"),
    ("install/install-control.sh", "    CACert: /etc/bacalhau/orchestrator.crt\n", "", "without token or TLS"),
    ("install/install-control.sh", "--bacalhau-sha256 | --token-file)", "--bacalhau-sha256 | --token)", "takes a secret as an argument"),
    ("install/install-control.sh", "set -euo pipefail", "set -u", "goes on after an error"),
    ("cloud-init/gcp.sh", "ask --fail --max-time 900", 'curl -H "Authorization: Bearer $bearer"', "puts a secret into an argument"),
    ("install/steps.sh", 'sha256sum "$1"', "sha256sum $1", "shellcheck", "shellcheck"),
    ("terraform/variables.tf", "^sha256:[0-9a-f]{64}$", "^", "terraform takes image_digest", "terraform"),
    ("cloud-init/node.yaml", "'${name}'", "'$${name}'", "terraform fills in node.yaml otherwise", "terraform"),
]


def is_found(mistake):
    file, old, new, expected, *tools = mistake
    with tempfile.TemporaryDirectory() as work:
        copy = pathlib.Path(work) / "deploy"
        shutil.copytree(root / "deploy", copy)
        text = (copy / file).read_text()
        if old is None:
            changed = text + new
        elif isinstance(old, re.Pattern):
            changed = old.sub(new, text, count=1)
        else:
            changed = text.replace(old, new, 1)
        if changed == text:
            return f"{file} no longer has what was to be spoilt: {old}"
        (copy / file).write_text(changed)
        found = problems(copy, tools)
    return None if any(expected in line for line in found) else f"a mistake in {file} is not found ({expected}): {new!r} for {old!r}; said was {found}"


def print_user_data(role, *values):
    """For ci/deploy-test: what a machine of that role would get, with other values than the ones here."""
    tf = Terraform(root / "deploy/terraform")
    made, _ = user_data(root / "deploy", tf, print)
    chosen = (NODE_VALUES if role == "node" else CONTROL_VALUES) | dict(value.split("=", 1) for value in values)
    print(render((root / f"deploy/cloud-init/{role}.yaml").read_text(), chosen | {"files": made[role][1]}, set()), end="")


def main():
    if sys.argv[1:2] == ["user-data"]:
        print_user_data(*sys.argv[2:])
        return
    tools = ["shellcheck", "cloud-init"]
    for tool in tools:
        if not shutil.which(tool):
            sys.exit(f"check-deploy: no {tool} here: 'make setup' installs it")
    if shutil.which("terraform"):
        tools.append("terraform")
    else:
        print("check-deploy: no terraform here, so that variables' conditions were not tried")
    wrong = problems(root / "deploy", tools)
    mistakes = [mistake for mistake in MISTAKES if set(mistake[4:]) <= set(tools)]
    if not wrong:
        wrong = [line for mistake in mistakes if (line := is_found(mistake))]
    print("\n".join(wrong) or f"check-deploy: {len(mistakes)} deliberate mistakes were all found")
    sys.exit(1 if wrong else 0)


main()
