#!/bin/sh
# Lays the image out as MinIO's official one is, but for the user: uid and gid 1000, as its Helm chart runs it, not root.
set -eu

groupadd --system --gid 1000 minio
useradd --system --uid 1000 --gid minio --home-dir /data --shell /bin/sh minio
install -d -o minio -g minio -m 755 /data
install -m 755 /run/strata-build/docker-entrypoint.sh /usr/bin/docker-entrypoint.sh
