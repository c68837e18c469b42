#!/bin/sh
# Removes what only the building of an image needed. The package database stays, so that scanners can read it.
set -eu

dpkg --purge --force-depends --force-remove-essential \
  adduser apt libapt-pkg7.0 sqv debian-archive-keyring debconf perl-base
rm -f /usr/sbin/policy-rc.d /etc/resolv.conf /etc/hostname
rm -rf /etc/apt /var/lib/apt /var/cache/apt /var/cache/debconf /var/log/* /usr/share/bash-completion /usr/share/lintian
rm -rf /usr/share/man/* /usr/share/info/* /usr/share/locale/* /run/adduser /run/mount
find /usr/share/doc -type f ! -name copyright -delete
find /usr/share/doc -type l -delete
find /usr/share/doc -mindepth 1 -type d -empty -delete

# Nothing in a storage image has a reason to gain privileges.
find / -xdev -type f -perm /6000 -exec chmod a-s {} +
