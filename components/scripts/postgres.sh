#!/bin/sh
# Starts Postgres as PID 1 of its container, on new or kept data; the arguments are the server's options.
# A SIGKILL at any moment leaves what the next start can go on from.
set -eu
umask 077

data=${PGDATA:-/var/lib/postgresql/data/pgdata}
volume=$(dirname "$data")
secrets=/run/strata/secrets
run=/run/strata/run
sockets=/var/run/postgresql
ssl=off

# PID 1 has no default action for these: without a trap, a stop during initdb would wait for its timeout.
trap 'exit 130' INT
trap 'exit 143' TERM

say() { echo "strata: $*" >&2; }

current_verifier() {
    [ -r "$secrets/verifier" ] || { say "$secrets/verifier is missing or unreadable: run strata up"; return 1; }
    verifier=$(cat "$secrets/verifier")
    # Anything else would be stored as a password in plain text, or end the statement that it stands in.
    case $verifier in
        *[!A-Za-z0-9+/=:\$-]*) ;;
        SCRAM-SHA-256\$*:*\$*:*) return ;;
    esac
    say "$secrets/verifier holds no SCRAM-SHA-256 verifier: run strata up"
    return 1
}

# Two servers on one volume destroy it, and in two containers each sees itself as PID 1 in postmaster.pid. The kernel
# gives the lock back when the last process of this container is gone.
lock_volume() {
    exec 9>"$volume/.strata-lock"
    flock -n 9 || { say "another container uses this volume: stop it first"; exit 1; }
}

# Into a side directory, renamed when complete: a half-made cluster never looks like a whole one.
initialise() {
    [ -s "$data/PG_VERSION" ] && return
    if [ -d "$data" ] && ! rmdir "$data" 2>/dev/null; then
        say "$data has files and no PG_VERSION: it is no Postgres cluster. Restore it, or empty the volume"
        exit 1
    fi
    rm -rf "$data.new"
    # The builtin locale needs nothing of the image's libc: indexes stay valid on every image that this volume meets.
    initdb --pgdata="$data.new" --username=postgres --data-checksums --encoding=UTF8 \
        --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8 \
        --auth-local=peer --auth-host=scram-sha-256 --no-instructions
    mv "$data.new" "$data"
    sync "$volume"
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

# Copies, since Postgres takes no key that a group can read unless it is root's. Kubernetes puts another folder in the
# place of all files at once: both are of one certificate. -f, since the copies of a killed start may still be there.
speak_tls() {
    has_certificate || return 0
    from=$(dirname "$(readlink -f "$secrets/tls.crt")")
    cp -f "$from/tls.crt" "$from/tls.key" "$run/"
    ssl=on
}

# Made anew at every start, so that a kept volume has no older rules.
write_access_rules() {
    cat >"$run/pg_hba.conf" <<RULES
local all         postgres peer
local all         all      reject
host  replication all all  reject
RULES
    if [ $ssl = on ]; then
        echo 'hostnossl all all all reject' >>"$run/pg_hba.conf"
    fi
    echo 'host all all all scram-sha-256' >>"$run/pg_hba.conf"
}

# A kept volume holds the verifier of its first start. Over the socket, which only this uid reaches, no password is
# needed; the statement goes through a pipe. PUBLIC has no business in the administrator's databases.
assert_administrator() {
    until pg_isready --quiet --host="$sockets"; do sleep 0.1; done
    # Recovery may have taken minutes, and the file may have another verifier since.
    until current_verifier &&
        psql -X --quiet --set=ON_ERROR_STOP=1 --host="$sockets" --username=postgres --dbname=postgres <<SQL
ALTER ROLE postgres LOGIN PASSWORD '$verifier';
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
SQL
    do
        say "the administrator's password could not be asserted; trying again"
        sleep 1
    done
}

current_verifier
lock_volume
initialise
speak_tls
write_access_rules
assert_administrator &
trap - INT TERM
exec postgres -D "$data" -c "hba_file=$run/pg_hba.conf" -c "unix_socket_directories=$sockets" \
    -c "ssl=$ssl" -c "ssl_cert_file=$run/tls.crt" -c "ssl_key_file=$run/tls.key" -c ssl_min_protocol_version=TLSv1.2 \
    -c 'listen_addresses=*' -c password_encryption=scram-sha-256 "$@"
