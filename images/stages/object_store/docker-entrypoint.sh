#!/bin/sh
# As the official image's entrypoint: words alone mean `minio`'s. The server itself knows MINIO_ROOT_USER(_FILE),
# MINIO_ROOT_PASSWORD(_FILE) and MINIO_KMS_SECRET_KEY(_FILE). A stack of Strata brings its own start script.
set -eu
umask 077

if [ -n "${1:-}" ] && [ "$1" != minio ]; then
  set -- minio "$@"
fi
exec "$@"
