#!/usr/bin/env bash
# The instance's startup script. Google's Debian images have no cloud-init, so its user-data would be read by nobody: this installs it, and
# starts the machine anew, so that every stage of it runs in its order. At later boots, and on images that have cloud-init, it does nothing.
set -euo pipefail

command -v cloud-init >/dev/null && exit 0

# Google's guest agent keeps the network, the disk, the host's keys and the accounts: cloud-init is here for what our user-data asks of it alone.
install -d /etc/cloud/cloud.cfg.d
cat >/etc/cloud/cloud.cfg.d/99-gadwall.cfg <<'YAML'
datasource_list: [GCE]
network: { config: disabled }
cloud_init_modules: [write-files]
cloud_config_modules: [package-update-upgrade-install, runcmd]
cloud_final_modules: [scripts-user]
YAML

# The way out of the private network may come up after the machine does.
for attempt in $(seq 30); do
  if apt-get -o DPkg::Lock::Timeout=300 -qq update &&
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq install -y --no-install-recommends cloud-init; then
    systemctl reboot
    exit 0
  fi
  echo "bootstrap: no cloud-init yet, attempt $attempt" >&2
  sleep "${GADWALL_BOOTSTRAP_PAUSE:-10}"
done
echo "bootstrap: could not install cloud-init; the next boot tries again" >&2
exit 1
