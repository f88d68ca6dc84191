#!/usr/bin/env bash
# What a machine on Google Cloud does with its own account, and nothing but curl: fetch an object, read a secret, add a version to one, pull an image.
# The account's token is asked of the metadata server each time, and is in no argument and no file.
set -euo pipefail

metadata=http://${GCE_METADATA_HOST:-metadata.google.internal}/computeMetadata/v1
storage=${GADWALL_STORAGE_API:-https://storage.googleapis.com}
secrets=${GADWALL_SECRETS_API:-https://secretmanager.googleapis.com}

fail() {
  printf 'gcp.sh: %s\n' "$*" >&2
  exit 1
}

# The metadata server is on this machine's own link: never by a proxy.
ask_metadata() { curl -sSf --noproxy '*' --retry 5 --max-time 10 -H 'Metadata-Flavor: Google' "$metadata/$1"; }

# One string of a flat JSON answer; these services put no quotes into them.
field() { tr -d '\n' | sed -n "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p"; }

token() {
  local found
  found=$(ask_metadata instance/service-accounts/default/token | field access_token)
  [[ -n $found ]] || fail "the metadata server gave no token: has the machine a service account?"
  printf '%s' "$found"
}

# curl with the account's token, which goes by standard input: arguments can be read by everybody on the machine.
ask() { # CURL-ARGUMENT...
  local bearer
  bearer=$(token)
  printf 'header = "Authorization: Bearer %s"\n' "$bearer" | curl -sS --config - --retry 5 --retry-connrefused --connect-timeout 10 "$@"
}

secret_url() { printf '%s/v1/projects/%s/secrets/%s' "$secrets" "$(ask_metadata project/project-id)" "$1"; }

case ${1-} in
  fetch-object) # BUCKET OBJECT FILE
    ask --fail --max-time 900 --output "$4.part" "$storage/$2/$3" ||
      fail "could not fetch gs://$2/$3: is it there, and may this machine's account read it?"
    mv -f "$4.part" "$4"
    ;;
  read-secret) # NAME FILE: status 3 if it has no version yet
    answer=$(mktemp)
    trap 'rm -f "$answer"' EXIT
    url=$(secret_url "$2")
    status=$(ask --max-time 30 --output "$answer" --write-out '%{http_code}' "$url/versions/latest:access")
    case $status in
      200) ;;
      404) exit 3 ;;
      *) fail "Secret Manager answered $status for '$2': $(head -c 500 "$answer")" ;;
    esac
    (umask 077 && field data <"$answer" | base64 -d >"$3.part" && mv -f "$3.part" "$3")
    [[ -s $3 ]] || fail "the secret '$2' is empty."
    ;;
  add-secret) # NAME FILE
    body=$(mktemp)
    trap 'rm -f "$body"' EXIT
    printf '{"payload":{"data":"%s"}}' "$(base64 -w0 <"$3")" >"$body"
    url=$(secret_url "$2")
    ask --fail --max-time 30 --output /dev/null -H 'Content-Type: application/json' --data-binary "@$body" "$url:addVersion" ||
      fail "could not add a version to the secret '$2'."
    ;;
  pull-image) # IMAGE@DIGEST
    # Bacalhau's agent has no way to renew a token that ends after an hour. An image that is here already, by its digest, it asks no registry for.
    docker image inspect "$2" >/dev/null 2>&1 && exit 0
    login=$(mktemp -d)
    trap 'rm -rf "$login"' EXIT
    bearer=$(token)
    printf '%s' "$bearer" | docker --config "$login" login --username oauth2accesstoken --password-stdin "https://${2%%/*}" >/dev/null 2>&1 ||
      fail "the registry ${2%%/*} takes no login from this machine's account."
    docker --config "$login" pull --quiet "$2"
    ;;
  *) fail "fetch-object BUCKET OBJECT FILE | read-secret NAME FILE | add-secret NAME FILE | pull-image IMAGE@DIGEST" ;;
esac
