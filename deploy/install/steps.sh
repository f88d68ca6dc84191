# shellcheck shell=bash
# What installing a node and installing a control machine have in common. Sourced by install-node.sh and install-control.sh; each step may be
# run again and changes nothing that is right already.

deploy_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# What has to be started anew because something beneath it was changed. It outlives a run that is cut off, and no reboot: there everything starts anew.
restarts=/run/gadwall-install/restarts

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
fail() {
  say "$*"
  exit 1
}

# The value behind a flag, into the variable of its name.
take_value() { # FLAG VALUE...
  (($# > 1)) || fail "$1 needs a value."
  local variable=${1#--}
  printf -v "${variable//-/_}" '%s' "$2"
}

need_values() { # VARIABLE...
  local variable
  for variable; do
    [[ -n ${!variable} ]] || fail "--${variable//_/-} is missing. --help says what there is."
  done
}

need_root() { [[ $(id -u) == 0 ]] || fail "this writes to /etc, /opt and /var: run it as root."; }

# What job constraints, object names and node.yaml all take: DESIGN's rule is that it begins and ends with a letter or digit.
check_name() { # WHAT VALUE
  [[ $2 =~ ^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$ ]] ||
    fail "$1 '$2' has to be 1 to 63 letters, digits, '.', '_' or '-', and to begin and end with a letter or digit."
}

check_digest() { # WHAT VALUE
  [[ $2 =~ ^[0-9a-f]{64}$ ]] || fail "$1 needs a SHA-256: 64 hexadecimal digits in lower case, not '$2'."
}

check_file() { # WHAT FILE
  [[ -f $2 && -s $2 ]] || fail "$1: '$2' is no file, or is empty."
}

# It ends up in a YAML file between quotes: what could end the quotes would become configuration.
check_token() { # WHAT FILE
  local token
  token=$(<"$2")
  [[ $token =~ ^[A-Za-z0-9_+/=-]{20,255}$ ]] || fail "$1: '$2' has to hold one line of 20 to 255 letters, digits and '_+/=-'."
}

install_packages() { # PACKAGE...
  local package missing=()
  # What the program is linked against and what is used here, by Debian 12's names.
  for package in ca-certificates curl libcurl4 libexpat1 libisal2 libsqlite3-0 libssl3 libstdc++6 libyaml-0-2 "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  say "installing ${missing[*]}"
  # A machine that has just booted may still be updating itself: wait for its lock.
  apt-get -o DPkg::Lock::Timeout=300 -qq update >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
}

check_sha256() { # FILE DIGEST
  local found
  found=$(sha256sum "$1" | cut -c1-64)
  [[ $found == "$2" ]] || fail "$1 is not the file that was meant: its SHA-256 is $found, and $2 was named. Nothing was installed from it."
}

# Writes standard input to a file, by rename, if it differs. The service, if one is named, will be started anew then.
write_file() { # FILE MODE OWNER:GROUP [SERVICE]
  local new
  new=$(mktemp "$(dirname "$1")/.$(basename "$1").XXXXXX")
  cat >"$new"
  chown "$3" "$new"
  chmod "$2" "$new"
  if [[ -f $1 ]] && cmp -s "$new" "$1" && [[ $(stat -c '%a %U:%G' "$1") == "$(stat -c '%a %U:%G' "$new")" ]]; then
    rm "$new"
    return
  fi
  # Noted before it is so: a restart too many does no harm.
  [[ -z ${4-} ]] || restart_later "$4"
  mv -f "$new" "$1"
  say "wrote $1"
}

put_file() { # SOURCE FILE MODE [SERVICE]
  write_file "$2" "$3" root:root "${4-}" <"$1"
}

restart_later() { # SERVICE
  mkdir -p "$(dirname "$restarts")"
  printf '%s\n' "$1" >>"$restarts"
}

# Each version in a folder of its own, and one link that is switched in a single step: a task that is running keeps the program it started with.
install_gadwall() { # TARBALL DIGEST
  local work folder top
  folder=/opt/gadwall-${2:0:16}
  if [[ ! -x $folder/bin/gadwall ]]; then
    check_sha256 "$1" "$2"
    work=$(mktemp -d /opt/gadwall-XXXXXX.new)
    tar -xzf "$1" -C "$work" --no-same-owner
    # The tarball may have one folder at its top, named by version.
    top=$work
    [[ -x $top/bin/gadwall ]] || top=$(find "$work" -mindepth 1 -maxdepth 1 -type d)
    [[ -x $top/bin/gadwall && -f $top/lib/gadwall/duckdb && -x $top/lib/gadwall/duckdb ]] ||
      fail "$1 has no bin/gadwall with lib/gadwall/duckdb beside it: is it the file that 'make dist' wrote?"
    chmod -R u=rwX,go=rX "$top"
    rm -rf "$folder"
    mv "$top" "$folder"
    rm -rf "$work"
    say "installed $folder"
  fi
  if [[ $(readlink /opt/gadwall 2>/dev/null) != "$(basename "$folder")" ]]; then
    restart_later gadwall-generator.service
    ln -sfn "$(basename "$folder")" /opt/gadwall.new
    mv -T /opt/gadwall.new /opt/gadwall
  fi
  [[ ! -e /usr/bin/gadwall || -L /usr/bin/gadwall ]] || fail "/usr/bin/gadwall is a file, as a package installs it: remove that package first."
  # The units name /usr/bin/gadwall, as a package would have it; the program looks for DuckDB beside the file that the link leads to.
  [[ $(readlink /usr/bin/gadwall 2>/dev/null) == /opt/gadwall/bin/gadwall ]] || ln -sfn /opt/gadwall/bin/gadwall /usr/bin/gadwall
  /usr/bin/gadwall --version >/dev/null || fail "the installed program does not run (above is what it said)."
}

install_bacalhau() { # TARBALL DIGEST
  local work stamp=/usr/local/share/gadwall/bacalhau.sha256
  [[ -x /usr/local/bin/bacalhau && $(cat "$stamp" 2>/dev/null) == "$2" ]] && return 0
  check_sha256 "$1" "$2"
  work=$(mktemp -d)
  tar -xzf "$1" -C "$work" --no-same-owner bacalhau
  install -d -m 0755 "$(dirname "$stamp")"
  restart_later bacalhau.service
  # By rename: a program that runs can't be written over.
  install -m 0755 "$work/bacalhau" /usr/local/bin/bacalhau.new
  mv -f /usr/local/bin/bacalhau.new /usr/local/bin/bacalhau
  printf '%s\n' "$2" >"$stamp"
  rm -rf "$work"
  say "installed Bacalhau"
}

# The agent's user: its admission probe runs as this user, and writes to the audit log by its group.
make_agent_user() { # GROUP...
  local group
  getent group gadwall >/dev/null || groupadd --system gadwall
  getent passwd bacalhau >/dev/null ||
    useradd --system --user-group --home-dir /var/lib/bacalhau --no-create-home --shell /usr/sbin/nologin bacalhau
  for group in "$@"; do
    id -nG bacalhau | tr ' ' '\n' | grep -qx "$group" || usermod --append --groups "$group" bacalhau
  done
  install -d -m 0700 -o bacalhau -g bacalhau /var/lib/bacalhau
  install -d -m 0750 -o root -g bacalhau /etc/bacalhau
}

# Bacalhau takes the name at its first start alone, and ignores another one later with a warning. The harvest would then ask for a node that is not there.
check_agent_name() { # NAME
  local known
  known=$(sed -n 's/^NodeName: *//p' /var/lib/bacalhau/system_metadata.yaml 2>/dev/null || true)
  [[ -z $known || $known == "$1" ]] ||
    fail "Bacalhau knows this machine as '$known', and keeps that name. Use it, or stop bacalhau.service and remove /var/lib/bacalhau first."
}

install_agent_unit() { # NAME
  put_file "$deploy_folder/systemd/bacalhau.service" /etc/systemd/system/bacalhau.service 0644 bacalhau.service
  printf 'BACALHAU_NODE_NAME=%s\n' "$1" | write_file /etc/bacalhau/name.env 0644 root:root bacalhau.service
}

# Starts what is not running, and starts anew what was changed beneath it.
start_services() { # SERVICE...
  local service
  systemctl daemon-reload
  for service in "$@"; do
    systemctl enable --quiet "$service"
    if grep -qxs "$service" "$restarts"; then
      systemctl restart "$service"
    else
      systemctl start "$service"
    fi
  done
  rm -f "$restarts"
}
