#!/usr/bin/env bash
# Makes a Debian 12 machine with logs a node: Docker, Bacalhau's agent, Gadwall for its admission probe, the generator's unit, logrotate every hour.
# It may be run again: for another version, a new token, or to mend what was changed by hand.
set -euo pipefail

usage() {
  cat <<'TEXT'
install-node.sh --name NAME --region REGION --zone ZONE --orchestrator HOST[:PORT]
                --token-file FILE|- --ca-file FILE
                --gadwall FILE --gadwall-sha256 DIGEST --bacalhau FILE --bacalhau-sha256 DIGEST
                --image IMAGE --store URL | --policy FILE
                [--credentials FILE] [--live-folder FOLDER] [--no-generator]

  --name, --region, --zone   who the node is: Bacalhau's node name, its labels, and node.yaml
  --orchestrator             the control machine's address, as its certificate names it; port 4222 unless given
  --token-file, --ca-file    what install-control.sh made: /etc/bacalhau/token, /etc/bacalhau/orchestrator.crt. '-' reads the token from standard input
  --gadwall, --bacalhau      the tarballs, each with its SHA-256
  --image, --store           what the node's policy lets in: Gadwall's image, exactly as 'bacalhau.image' names it, and the store's URL
  --policy                   becomes /etc/gadwall/policy.yaml in the place of one with these two. One that you have written there stays
  --credentials              becomes /etc/gadwall/credentials: keys of the store, where the machine has no account of its own
  --live-folder              the folder with the logs that are being written; /var/log/app unless given
  --no-generator             no example log: for machines with logs of their own
TEXT
}

# shellcheck source-path=SCRIPTDIR source=steps.sh
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

name='' region='' zone='' orchestrator='' token_file='' ca_file='' gadwall='' gadwall_sha256='' bacalhau='' bacalhau_sha256=''
policy='' image='' store='' credentials='' live_folder=/var/log/app generator=1
while (($#)); do
  case $1 in
    --help)
      usage
      exit 0
      ;;
    --no-generator)
      generator=0
      shift
      ;;
    --name | --region | --zone | --orchestrator | --token-file | --ca-file | --gadwall | --gadwall-sha256 | --bacalhau | --bacalhau-sha256 | \
      --image | --store | --policy | --credentials | --live-folder)
      take_value "$@"
      shift 2
      ;;
    *) fail "unknown: '$1'. --help says what there is." ;;
  esac
done
need_values name region zone orchestrator token_file ca_file gadwall gadwall_sha256 bacalhau bacalhau_sha256
need_root
check_name --name "$name"
check_name --region "$region"
check_name --zone "$zone"
[[ $orchestrator =~ ^[A-Za-z0-9.-]+(:[0-9]{1,5})?$ ]] || fail "--orchestrator '$orchestrator' has to be HOST or HOST:PORT."
[[ $orchestrator == *:* ]] || orchestrator=$orchestrator:4222
# It is written into a list of YAML, and Bacalhau reads '*', '?', '[' and '{' in it as patterns.
[[ $live_folder =~ ^(/[A-Za-z0-9._-]+)+$ && $live_folder != *..* ]] || fail "--live-folder '$live_folder' has to be an absolute path of plain names."
[[ -z $image || $image =~ ^[A-Za-z0-9][A-Za-z0-9._:/@-]*$ ]] || fail "--image '$image' is no name of an image."
[[ -z $store || $store =~ ^s3a?://[A-Za-z0-9][A-Za-z0-9._/-]*$ ]] || fail "--store '$store' has to be s3://BUCKET or s3://BUCKET/PREFIX."
own_policy=/etc/gadwall/policy.yaml
policy_mark='# Written by install-node.sh, and written anew when it is run again. Take this line away to keep what you change.'
is_ours() { [[ ! -e $own_policy ]] || grep -qxF "$policy_mark" "$own_policy"; }
# Without a policy a node lets no job in, and nobody would see why until the first harvest.
[[ -n $policy || (-n $image && -n $store) || -e $own_policy ]] || fail "a node lets in what its policy names: give --image and --store, or --policy."
check_digest --gadwall-sha256 "$gadwall_sha256"
check_digest --bacalhau-sha256 "$bacalhau_sha256"
check_file --ca-file "$ca_file"
check_file --gadwall "$gadwall"
check_file --bacalhau "$bacalhau"
for key in policy credentials; do
  [[ -z ${!key} ]] || check_file "--$key" "${!key}"
done
secrets=$(mktemp -d)
trap 'rm -rf "$secrets"' EXIT
if [[ $token_file == - ]]; then
  (umask 077 && cat >"$secrets/token")
  token_file=$secrets/token
fi
check_file --token-file "$token_file"
check_token --token-file "$token_file"
check_agent_name "$name"

install_packages docker.io logrotate
make_agent_user gadwall docker

# The folders that jobs may mount: one that is missing fails each execution. /var/log/app is made here for that reason alone; the generator's
# unit turns it into a link to /var/log/private/app, which a mount follows.
install -d -m 2770 -o root -g gadwall /var/lib/gadwall
install -d -m 0755 /etc/gadwall /var/logs /var/logs/raw_logs
[[ -e $live_folder ]] || install -d -m 0755 "$live_folder"
printf 'region: %s\nzone: %s\nname: %s\n' "$region" "$zone" "$name" | write_file /var/lib/gadwall/node.yaml 0644 root:root
if [[ -n $policy ]]; then
  put_file "$policy" "$own_policy" 0644
elif [[ -n $image && -n $store ]] && is_ours; then
  # Its mounts are those that the agent allows, below, and those of gadwall.yaml.
  write_file "$own_policy" 0644 root:root <<YAML
$policy_mark
# docs/policy.md has what else can be said here: columns, rows, redaction.
images: ["$image"]
mounts: ["/var/logs:rw", "/var/lib/gadwall:rw", "/etc/gadwall:ro", "$live_folder:ro"]
network: [host]
cpu: 500m
memory: 768MiB
stores: ["$store"]
YAML
elif [[ -n $image ]] && ! grep -qF "$image" "$own_policy"; then
  say "$own_policy is your own, and does not name the image $image: jobs with it are refused until it does"
fi
if [[ -n $credentials ]]; then
  put_file "$credentials" /etc/gadwall/credentials 0600
fi

install_gadwall "$gadwall" "$gadwall_sha256"
install_bacalhau "$bacalhau" "$bacalhau_sha256"

put_file "$ca_file" /etc/bacalhau/orchestrator.crt 0644 bacalhau.service
# A pattern without '**' allows the folder itself and nothing below: the jobs mount exactly these. The agent's own API is for this machine alone: it has
# no password. No publisher: reports go through the store, and the local publisher would list files to everybody who reaches it.
# RequireTLS stays off: it makes the agent speak TLS before NATS has said hello, which the orchestrator does not expect. With a CACert
# the agent refuses a server without TLS in any case.
write_file /etc/bacalhau/config.yaml 0640 root:bacalhau bacalhau.service <<YAML
API:
  Host: 127.0.0.1
  Port: 1234
Compute:
  Enabled: true
  Orchestrators: ["nats://$orchestrator"]
  Auth:
    Token: "$(<"$token_file")"
  TLS:
    CACert: /etc/bacalhau/orchestrator.crt
  AllowListedLocalPaths: ["/var/logs:rw", "/var/lib/gadwall:rw", "/etc/gadwall:ro", "$live_folder:ro"]
Engines:
  Disabled: [wasm]
Publishers:
  Disabled: [local, ipfs, s3, s3managed]
JobAdmissionControl:
  ProbeExec: /opt/gadwall/bin/gadwall node admit
Labels:
  region: "$region"
  zone: "$zone"
UpdateConfig:
  Interval: 0s
DisableAnalytics: true
YAML

install -d -m 0755 /etc/systemd/system/logrotate.timer.d
put_file "$deploy_folder/systemd/logrotate.timer.d/hourly.conf" /etc/systemd/system/logrotate.timer.d/hourly.conf 0644 logrotate.timer
install -d -m 0755 /etc/systemd/system/bacalhau.service.d
put_file "$deploy_folder/systemd/bacalhau.service.d/node.conf" /etc/systemd/system/bacalhau.service.d/node.conf 0644 bacalhau.service
install_agent_unit "$name"
services=(docker.service bacalhau.service logrotate.timer)
if ((generator)); then
  put_file "$deploy_folder/logrotate/my_logs" /etc/logrotate.d/my_logs 0644
  put_file "$deploy_folder/systemd/gadwall-generator.service" /etc/systemd/system/gadwall-generator.service 0644 gadwall-generator.service
  services+=(gadwall-generator.service)
fi
start_services "${services[@]}"
say "$name is a node of $orchestrator"
