#!/bin/sh
# Starts MinIO as PID 1 of its container, on new or kept data; the arguments are the server's options.
# A SIGKILL at any moment leaves what the next start can go on from: MinIO renames what is complete.
set -eu
umask 077

data=/data
secrets=/run/strata/secrets

say() { echo "strata: $*" >&2; }

# Without these files MinIO would start all the same: with a password that everybody knows, and without encryption.
need() {
    [ -s "$secrets/$1" ] && [ -r "$secrets/$1" ] && return
    say "$secrets/$1 is missing, empty or unreadable: run strata up"
    exit 1
}

# The kernel gives the lock back when the container is gone. Official images may have no flock; MinIO has no lock either.
lock_volume() {
    command -v flock >/dev/null || return 0
    exec 9>"$data/.strata-lock"
    flock -n 9 || { say "another container uses this volume: stop it first"; exit 1; }
}

# With another key MinIO would start, and fail at every object.
same_key() {
    print=$(sha256sum <"$secrets/encryption-key")
    if [ ! -s "$data/.strata-key" ]; then
        printf '%s\n' "$print" >"$data/.strata-key.new"
        mv "$data/.strata-key.new" "$data/.strata-key"
        sync "$data"
    fi
    [ "$(cat "$data/.strata-key")" = "$print" ] && return
    say "this volume was written with another key: bring back the secret object_store/encryption that it was made with"
    exit 1
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

# MinIO looks for these names. It reads links again every 10 s, and so follows a renewal.
speak_tls() {
    has_certificate || return 0
    mkdir -p /tmp/certs
    ln -sf "$secrets/tls.crt" /tmp/certs/public.crt
    ln -sf "$secrets/tls.key" /tmp/certs/private.key
    certs="--certs-dir /tmp/certs"
}

certs=
need root
need encryption-key
lock_volume
same_key
speak_tls
# The server reads the files itself, so that no environment holds what is in them. It takes the password of root at every
# start, and only then; as root, `strata up` makes the administrator. Everything is encrypted, asked or not; metrics are
# for the administrator; nothing updates or shows itself.
export HOME=/tmp MINIO_ROOT_USER=root MINIO_ROOT_PASSWORD_FILE="$secrets/root"
export MINIO_KMS_SECRET_KEY_FILE="$secrets/encryption-key" MINIO_KMS_AUTO_ENCRYPTION=on
export MINIO_PROMETHEUS_AUTH_TYPE=jwt MINIO_BROWSER=off MINIO_UPDATE=off
# shellcheck disable=SC2086 # two words, or none
exec minio server $certs "$@" "$data"
