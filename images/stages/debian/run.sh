#!/bin/sh
# Turns what debootstrap made into the root that every image starts from: today's security updates, no documentation,
# and no service started by a package that is installed later.
set -eu

. /run/strata-build/mirrors
cat > /etc/apt/sources.list <<SOURCES
deb $DEBIAN_MIRROR $SUITE main
deb $DEBIAN_MIRROR $SUITE-updates main
deb $DEBIAN_SECURITY_MIRROR $SUITE-security main
SOURCES

cat > /etc/dpkg/dpkg.cfg.d/strata <<'EXCLUDE'
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/man/*
path-exclude=/usr/share/info/*
path-exclude=/usr/share/locale/*
EXCLUDE

printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d

apt-get update
apt-get -y --no-install-recommends dist-upgrade
apt-get clean
