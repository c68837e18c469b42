#!/bin/sh
# The stand-in for the Qdrant server, laid out as docker.io/qdrant/qdrant:v1.19.0-unprivileged is: uid and gid 1000, data in
# /qdrant/storage, started by /qdrant/entrypoint.sh. pip leaves again; what it may install is pinned by hash.
set -eu

groupadd --gid 1000 qdrant
useradd --uid 1000 --gid qdrant --home-dir /qdrant --shell /bin/sh qdrant

apt-get update
apt-get install -y --no-install-recommends python3 python3-pip
apt-get clean

python3 -m pip install --no-cache-dir --no-deps --require-hashes --only-binary :all: --target /opt/strata/packages \
  --requirement /run/strata-build/requirements.txt
apt-get purge -y --autoremove python3-pip
install -d /opt/strata/images/qdrant
cp -r /run/strata-build/server /opt/strata/images/qdrant/server
rm -rf /opt/strata/packages/bin
find /opt/strata/packages -type d -name tests -prune -exec rm -rf {} +
python3 -m compileall -q /opt/strata

install -d -o qdrant -g qdrant -m 755 /qdrant /qdrant/storage /qdrant/snapshots
install -m 755 /run/strata-build/entrypoint.sh /qdrant/entrypoint.sh
ln -s entrypoint.sh /qdrant/qdrant # what start scripts that do not take the entrypoint run

PYTHONPATH=/opt/strata:/opt/strata/packages python3 -c 'from images.qdrant.server import VERSION, main; print(VERSION)'
