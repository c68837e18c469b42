#!/bin/sh
# Starts Redis as PID 1 of its container, on new or kept data; the arguments are the server's options.
# A SIGKILL at any moment leaves what the next start can go on from.
set -eu
umask 077

data=/data
secrets=/run/strata/secrets
users=$data/users.acl

say() { echo "strata: $*" >&2; }

read_hash() { # of the user $1, into $hash
    file=$secrets/$1.sha256
    [ -r "$file" ] || { say "$file is missing or unreadable: run strata up"; exit 1; }
    hash=$(cat "$file")
    case $hash in
        *[!0-9a-f]*) ;;
        *) [ ${#hash} -eq 64 ] && return ;;
    esac
    say "$file holds no SHA-256 in hex: run strata up"
    exit 1
}

# Where one application has this server for itself, it logs in with a password and no name, as `default`.
default_user() {
    if [ -n "${STRATA_DEFAULT_USER:-}" ]; then
        read_hash login
        printf 'user default on #%s %s\n' "$hash" "$STRATA_DEFAULT_USER"
    else
        printf 'user default off resetpass resetkeys resetchannels -@all\n'
    fi
}

# Two servers on one append-only file destroy it. The kernel gives the lock back when the container is gone.
lock_volume() {
    exec 9>"$data/.strata-lock"
    flock -n 9 || { say "another container uses this volume: stop it first"; exit 1; }
}

# The users of this volume. A file that was cut off has lost some: without its identity too, `strata up` makes all anew.
kept_users() {
    [ -f "$users" ] || return 0
    if [ -n "$(tail -c 1 "$users")" ]; then # the substitution removes a newline, and nothing else
        say "$users is cut off and left aside: run strata up to have its users again"
        return 0
    fi
    sed -n -e '/^user default /d' -e '/^user admin /d' -e '/^user /p' "$users"
}

# The volume's identity is the name of a user who can do nothing. It lies in the ACL file, so that whoever asks for it
# also learns that this file, and with it every user, was lost; and no FLUSHALL takes it.
identity_user() {
    read -r uuid </proc/sys/kernel/random/uuid
    printf 'user strata-identity-%s off -@all\n' "$uuid"
}

# Redis does not start without the file. The lines of the administrator and of `default` are made anew, so that a kept
# volume accepts the current passwords and no others.
write_users() {
    kept=$(kept_users)
    default=$(default_user) || exit 1
    read_hash admin
    {
        printf '%s\n' "$default"
        printf 'user admin on #%s ~* &* +@all\n' "$hash"
        [ -z "$kept" ] || printf '%s\n' "$kept"
        case $kept in
            *'user strata-identity-'*) ;;
            *) identity_user ;;
        esac
    } >"$users.new"
    sync "$users.new"
    mv "$users.new" "$users"
    sync "$data"
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

lock_volume
write_users
# Of an option that is there twice the last one counts: these close the plain port. Clients show no certificate but log
# in, so nobody's is verified, and no authority is needed.
if has_certificate; then
    set -- "$@" --port 0 --tls-port 6379 --tls-auth-clients no --tls-protocols "TLSv1.2 TLSv1.3" \
        --tls-cert-file "$secrets/tls.crt" --tls-key-file "$secrets/tls.key"
fi
# The append-only file is the persistence: no snapshots beside it. Said here, since Terraform's bridge drops an empty word.
exec redis-server "$@" --save "" --dir "$data" --aclfile "$users"
