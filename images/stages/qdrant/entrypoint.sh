#!/bin/sh
# As the official image's entrypoint: starts the server. It reads QDRANT__SERVICE__API_KEY and its like, or the file that
# QDRANT__SERVICE__API_KEY_FILE names.
set -eu
umask 077

exec python3 -m images.qdrant.server "$@"
