#!/usr/bin/env bash
# Makes a Debian 12 machine the control machine: Bacalhau's orchestrator, Gadwall, and a harvest every hour. It makes what has to be secret itself,
# at its first run, and keeps it in files that others can't read: the API's key, the nodes' token, the orchestrator's private key.
# It may be run again; what is secret stays as it is.
set -euo pipefail

usage() {
  cat <<'TEXT'
install-control.sh --name NAME --address ADDRESS --config FILE
                   --gadwall FILE --gadwall-sha256 DIGEST --bacalhau FILE --bacalhau-sha256 DIGEST [--token-file FILE|-]

  --name                 the orchestrator's name in Bacalhau
  --address              the private address that nodes reach it at; its certificate is made for it
  --config               becomes /etc/gadwall/gadwall.yaml
  --gadwall, --bacalhau  the tarballs, each with its SHA-256
  --token-file           the nodes' token, where there is one already; else it is made. '-' reads it from standard input

Nodes need /etc/bacalhau/token and /etc/bacalhau/orchestrator.crt from here.
TEXT
}

# shellcheck source-path=SCRIPTDIR source=steps.sh
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

name='' address='' config='' gadwall='' gadwall_sha256='' bacalhau='' bacalhau_sha256='' token_file=''
while (($#)); do
  case $1 in
    --help)
      usage
      exit 0
      ;;
    --name | --address | --config | --gadwall | --gadwall-sha256 | --bacalhau | --bacalhau-sha256 | --token-file)
      take_value "$@"
      shift 2
      ;;
    *) fail "unknown: '$1'. --help says what there is." ;;
  esac
done
need_values name address config gadwall gadwall_sha256 bacalhau bacalhau_sha256
need_root
check_name --name "$name"
[[ $address =~ ^[0-9]{1,3}(\.[0-9]{1,3}){3}$ ]] || fail "--address '$address' has to be an IPv4 address."
check_digest --gadwall-sha256 "$gadwall_sha256"
check_digest --bacalhau-sha256 "$bacalhau_sha256"
check_file --config "$config"
check_file --gadwall "$gadwall"
check_file --bacalhau "$bacalhau"
secrets=$(mktemp -d)
trap 'rm -rf "$secrets"' EXIT
if [[ $token_file == - ]]; then
  (umask 077 && cat >"$secrets/given")
  token_file=$secrets/given
fi
if [[ -n $token_file ]]; then
  check_file --token-file "$token_file"
  check_token --token-file "$token_file"
fi
check_agent_name "$name"

install_packages openssl
make_agent_user gadwall
install -d -m 0750 -o root -g gadwall /var/lib/gadwall
install -d -m 0755 /etc/gadwall

install_gadwall "$gadwall" "$gadwall_sha256"
install_bacalhau "$bacalhau" "$bacalhau_sha256"

random() { openssl rand -hex 32; }
if [[ -n $token_file ]]; then
  put_file "$token_file" /etc/bacalhau/token 0600 bacalhau.service
elif [[ ! -s /etc/bacalhau/token ]]; then
  random | write_file /etc/bacalhau/token 0600 root:root bacalhau.service
fi
check_token /etc/bacalhau/token /etc/bacalhau/token
# One certificate that is its own authority, for ten years: nodes trust it alone. A client checks that it names the address it connects to.
if [[ ! -s /etc/bacalhau/orchestrator.key ]] ||
  ! openssl x509 -in /etc/bacalhau/orchestrator.crt -noout -checkip "$address" 2>/dev/null | grep -q 'does match'; then
  (
    umask 077
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=$name" \
      -addext "subjectAltName=IP:$address,IP:127.0.0.1" -keyout "$secrets/key" -out "$secrets/crt" 2>"$secrets/said"
  ) || fail "openssl could make no certificate: $(<"$secrets/said")"
  write_file /etc/bacalhau/orchestrator.key 0640 root:bacalhau bacalhau.service <"$secrets/key"
  put_file "$secrets/crt" /etc/bacalhau/orchestrator.crt 0644 bacalhau.service
fi
# The key stands once in the orchestrator's configuration and once in the harvest's environment, and comes from the latter when this is run again.
api_key=$(sed -n 's/^BACALHAU_API_KEY=//p' /etc/gadwall/bacalhau.env 2>/dev/null || true)
if [[ -z $api_key ]]; then
  api_key=$(random)
  printf 'BACALHAU_API_KEY=%s\n' "$api_key" | write_file /etc/gadwall/bacalhau.env 0600 root:root
fi

# The API is for this machine alone; the key keeps out who else is logged in here. Compute.Orchestrators is the orchestrator's own client: its default,
# 127.0.0.1, is not listened on, and could be another cluster's.
write_file /etc/bacalhau/config.yaml 0640 root:bacalhau bacalhau.service <<YAML
API:
  Host: 127.0.0.1
  Port: 1234
  Auth:
    Users:
      - Alias: gadwall
        APIKey: "$api_key"
        Capabilities:
          - Actions: ["read:job", "write:job", "read:node"]
Orchestrator:
  Enabled: true
  Host: $address
  Port: 4222
  Auth:
    Token: "$(</etc/bacalhau/token)"
  TLS:
    ServerCert: /etc/bacalhau/orchestrator.crt
    ServerKey: /etc/bacalhau/orchestrator.key
    CACert: /etc/bacalhau/orchestrator.crt
Compute:
  Orchestrators: ["nats://$address:4222"]
WebUI:
  Enabled: false
UpdateConfig:
  Interval: 0s
DisableAnalytics: true
YAML

put_file "$config" /etc/gadwall/gadwall.yaml 0644
install -d -m 0755 /etc/systemd/system/gadwall-harvest.service.d
for unit in gadwall-harvest.service gadwall-harvest.timer gadwall-harvest.service.d/bacalhau.conf; do
  put_file "$deploy_folder/systemd/$unit" "/etc/systemd/system/$unit" 0644 gadwall-harvest.timer
done
install_agent_unit "$name"
# Of the harvest the timer alone: whether nodes have joined yet is not known here.
start_services bacalhau.service gadwall-harvest.timer
say "$name is the control machine. Nodes need /etc/bacalhau/token and /etc/bacalhau/orchestrator.crt from here."
