#!/bin/sh
# Starts Qdrant as PID 1 of its container, on new or kept data; the arguments are the server's options.
# A SIGKILL at any moment leaves what the next start can go on from: Qdrant logs what it acknowledges.
set -eu
umask 077

data=/qdrant/storage
secrets=/run/strata/secrets

say() { echo "strata: $*" >&2; }

# Without the key Qdrant would start all the same, and let everybody do everything.
read_key() {
    [ -s "$secrets/api-key" ] && [ -r "$secrets/api-key" ] || {
        say "$secrets/api-key is missing, empty or unreadable: run strata up"
        exit 1
    }
    key=$(cat "$secrets/api-key")
}

# Qdrant has no lock of its own. The kernel gives this one back when the container is gone; not every image has flock.
lock_volume() {
    command -v flock >/dev/null || return 0
    exec 9>"$data/.strata-lock"
    flock -n 9 || { say "another container uses this volume: stop it first"; exit 1; }
}

# A certificate says that this server speaks TLS, and nothing else. Half of one is a mistake, and no reason for a plain port.
has_certificate() {
    [ -e "$secrets/tls.crt" ] || [ -e "$secrets/tls.key" ] || return 1
    for file in tls.crt tls.key; do
        [ -s "$secrets/$file" ] && [ -r "$secrets/$file" ] && continue
        say "$secrets/$file is missing, empty or unreadable, and it belongs to a certificate: run strata up"
        exit 1
    done
}

read_key
lock_volume
ulimit -n "$(ulimit -H -n)" # every segment of every collection is a handful of open files
# Qdrant reads no file with a secret. This is the environment of a process, which only its own user can read, and not
# the container's, which everybody on the daemon can.
export QDRANT__SERVICE__API_KEY="$key"
if has_certificate; then # for both ports
    export QDRANT__SERVICE__ENABLE_TLS=true QDRANT__TLS__CERT="$secrets/tls.crt" QDRANT__TLS__KEY="$secrets/tls.key"
fi
cd /qdrant
# Not the image's entrypoint: it does not wait for Qdrant to write out what it holds when it is told to stop.
exec ./qdrant "$@"
