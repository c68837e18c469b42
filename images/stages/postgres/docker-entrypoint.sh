#!/bin/sh
# The part of the official image's entrypoint that a plain `docker run` needs: POSTGRES_PASSWORD(_FILE), POSTGRES_USER,
# POSTGRES_DB and POSTGRES_INITDB_ARGS. A stack of Strata brings its own start script and never comes here.
set -eu
umask 077

case "${1:-}" in -*) set -- postgres "$@" ;; esac
if [ "${1:-}" != postgres ] || [ -s "$PGDATA/PG_VERSION" ]; then
  exec "$@"
fi

password=${POSTGRES_PASSWORD:-}
if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then
  password=$(cat "$POSTGRES_PASSWORD_FILE")
fi
if [ -z "$password" ]; then
  echo "docker-entrypoint.sh: the data directory is empty and no password is given: set POSTGRES_PASSWORD_FILE" >&2
  exit 1
fi
user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}

pwfile=$(mktemp)
trap 'rm -f "$pwfile"' EXIT
printf '%s\n' "$password" > "$pwfile"
unset password POSTGRES_PASSWORD
# Word splitting of the arguments is what the variable is for.
# shellcheck disable=SC2086
initdb --pgdata="$PGDATA" --username="$user" --pwfile="$pwfile" --auth-local=peer --auth-host=scram-sha-256 \
  --encoding=UTF8 --locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C ${POSTGRES_INITDB_ARGS:-}
echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
if [ "$database" != postgres ]; then
  quoted=$(printf '%s' "$database" | sed 's/"/""/g')
  printf 'CREATE DATABASE "%s"\n' "$quoted" | postgres --single -D "$PGDATA" postgres > /dev/null
fi
rm -f "$pwfile"
trap - EXIT
exec "$@"
