#!/usr/bin/env bash
# Run by cloud-init on a new machine; may be run again, by hand or by 'cloud-init clean --reboot', for another version or to mend something.
# It fetches what deploy/install needs with the machine's own account, and runs it. Nothing secret comes from the instance's metadata, which everybody
# on the machine can read: the control machine makes the nodes' token and its certificate and puts them into Secret Manager; nodes wait for them.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
settings=${GADWALL_FIRST_BOOT_SETTINGS:-/etc/gadwall/first-boot.env}
cache=/var/cache/gadwall-install
# shellcheck source=/dev/null
source "$settings"

say() { printf 'first-boot: %s\n' "$*" >&2; }
gcp() { "$here/gcp.sh" "$@"; }

install -d -m 0700 "$cache"
private=$(mktemp -d)
trap 'rm -rf "$private"' EXIT

# A file that is here already with the right digest is not fetched again; install-*.sh checks what was fetched.
is_cached() { [[ -f $1 && $(sha256sum "$1" | cut -c1-64) == "$2" ]]; }
gadwall=$cache/gadwall.tar.gz
is_cached "$gadwall" "$GADWALL_SHA256" || gcp fetch-object "$INSTALL_BUCKET" "$GADWALL_TARBALL" "$gadwall"
bacalhau=$cache/bacalhau.tar.gz
release=${GADWALL_BACALHAU_RELEASES:-https://github.com/bacalhau-project/bacalhau/releases/download}
# A machine that has just booted may have no way out yet: its NAT is being set up.
is_cached "$bacalhau" "$BACALHAU_SHA256" ||
  curl -sSfL --retry 20 --retry-delay 5 --retry-all-errors --retry-max-time 600 --output "$bacalhau" \
    "$release/$BACALHAU_VERSION/bacalhau_${BACALHAU_VERSION}_linux_amd64.tar.gz"
versions=(--gadwall "$gadwall" --gadwall-sha256 "$GADWALL_SHA256" --bacalhau "$bacalhau" --bacalhau-sha256 "$BACALHAU_SHA256")

# Waits up to half an hour: the control machine may be made at the same time.
wait_for_secret() { # NAME FILE
  local deadline=$((SECONDS + ${GADWALL_SECRET_WAIT:-1800})) status
  while :; do
    status=0
    gcp read-secret "$1" "$2" || status=$?
    ((status == 0)) && return
    ((SECONDS < deadline)) || {
      say "the secret '$1' has no version that can be read: has the control machine finished its first boot? Then run this again."
      return 1
    }
    sleep 10
  done
}

# A new version only for what differs: each run would add one otherwise.
publish_secret() { # NAME FILE
  local status=0
  gcp read-secret "$1" "$private/known" || status=$?
  ((status == 0 || status == 3)) || return "$status"
  if ((status == 3)) || ! cmp -s "$private/known" "$2"; then
    gcp add-secret "$1" "$2"
  fi
}

case ${1-} in
  node)
    wait_for_secret "$TOKEN_SECRET" "$private/token"
    wait_for_secret "$CERTIFICATE_SECRET" "$private/orchestrator.crt"
    "$here/../install/install-node.sh" --name "$NODE_NAME" --region "$NODE_REGION" --zone "$NODE_ZONE" --orchestrator "$ORCHESTRATOR" \
      --token-file "$private/token" --ca-file "$private/orchestrator.crt" \
      --image "$IMAGE" --store "$STORE" "${versions[@]}"
    gcp pull-image "$IMAGE"
    ;;
  control)
    # A control machine that was made anew goes on with the token that the nodes have.
    token=()
    status=0
    gcp read-secret "$TOKEN_SECRET" "$private/token" || status=$?
    case $status in
      0) token=(--token-file "$private/token") ;;
      3) ;;
      *) exit "$status" ;;
    esac
    "$here/../install/install-control.sh" --name "$NODE_NAME" --address "$ADDRESS" --config "$here/../gadwall.yaml" "${token[@]}" "${versions[@]}"
    publish_secret "$TOKEN_SECRET" /etc/bacalhau/token
    publish_secret "$CERTIFICATE_SECRET" /etc/bacalhau/orchestrator.crt
    ;;
  *)
    say "node or control?"
    exit 2
    ;;
esac
