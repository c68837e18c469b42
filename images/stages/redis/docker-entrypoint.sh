#!/bin/sh
# As the official image's entrypoint: options or a configuration file alone mean `redis-server`.
# A stack of Strata brings its own start script and never comes here.
set -eu
umask 077

case "${1:-}" in -* | *.conf) set -- redis-server "$@" ;; esac
# The official build has protected mode compiled to off: without it the server would answer its own container only.
if [ "${1:-}" = redis-server ]; then
  exec "$@" --protected-mode no
fi
exec "$@"
