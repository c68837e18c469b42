#!/bin/sh
# Debian's Redis 8, laid out as docker.io/library/redis:8 is: uid and gid 999, data in /data, no configuration file.
set -eu

groupadd --system --gid 999 redis
useradd --system --uid 999 --gid redis --home-dir /data --shell /bin/sh redis

apt-get update
apt-get install -y --no-install-recommends redis-server
apt-get clean

rm -rf /etc/redis /var/lib/redis /var/log/redis
install -d -o redis -g redis -m 755 /data
install -m 755 /run/strata-build/docker-entrypoint.sh /usr/local/bin/docker-entrypoint.sh

redis-server --version
