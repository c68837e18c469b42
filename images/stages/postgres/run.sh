#!/bin/sh
# Debian's postgresql-17, laid out as docker.io/library/postgres:17 is: uid and gid 999, data in
# /var/lib/postgresql/data, the server's programs on PATH, listening on every address unless told otherwise.
set -eu

groupadd --system --gid 999 postgres
useradd --system --uid 999 --gid postgres --home-dir /var/lib/postgresql --shell /bin/sh postgres

# The package would otherwise make a cluster of its own inside the image.
mkdir -p /etc/postgresql-common
echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf

apt-get update
apt-get install -y --no-install-recommends postgresql-17
apt-get clean

# Kept out of the image: Debian's cluster tools and the Perl they need, whose `psql` wrapper shadows the real one, and
# the JIT compiler, an optional module whose LLVM is larger than all the rest. Without it Postgres plans without JIT.
dpkg --purge --force-depends \
  postgresql-common postgresql-common-dev postgresql-client-common \
  perl perl-modules-5.40 libperl5.40 libjson-perl libipc-run-perl libio-pty-perl \
  libtext-charwidth-perl libtext-wrapi18n-perl libllvm19 libz3-4 \
  ssl-cert ucf openssl locales libc-l10n
rm -rf /usr/lib/postgresql/17/lib/bitcode /usr/lib/postgresql/17/lib/llvmjit* /etc/postgresql /etc/postgresql-common

sed -i "s/^#listen_addresses = 'localhost'/listen_addresses = '*'/" /usr/share/postgresql/17/postgresql.conf.sample
grep -q "^listen_addresses = '\*'" /usr/share/postgresql/17/postgresql.conf.sample

rm -rf /var/lib/postgresql
install -d -o postgres -g postgres -m 1777 /var/lib/postgresql /var/lib/postgresql/data
install -d -o postgres -g postgres -m 3777 /var/run/postgresql
install -m 755 /run/strata-build/docker-entrypoint.sh /usr/local/bin/docker-entrypoint.sh

/usr/lib/postgresql/17/bin/postgres --version
