#!/bin/sh
# Prepares a Debian machine for Strata: packages, a running Docker daemon, .venv. It installs what is missing where it
# may (root and apt), else says what to install. Needs git, make and python3 only, and does nothing the second time.
#
#   usage: scripts/preflight.sh [--python-only | --cluster]
#     --python-only: no Docker, for lint, types and tests without it
#     --cluster: what a Kubernetes on this machine needs (tests/cluster), and no Docker
set -eu

cd "$(dirname "$0")/.."
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # where dockerd and debootstrap are, which su leaves out of PATH
export HOME="${HOME:-$(getent passwd "$(id -u)" | cut -d : -f 6)}"
NEEDED_GB=8
DAEMON_DEADLINE=60
STATE=${XDG_STATE_HOME:-$HOME/.local/state}/strata
LOG=$STATE/preflight.log
DAEMON_LOG=$STATE/dockerd.log
STAMP=.venv/.strata-stamp

say() { printf 'preflight: %s\n' "$*" >&2; }

fail() {
  say "$@"
  exit 1
}

main() {
  with_docker=yes
  with_cluster=no
  case "${1:-}" in
    '') ;;
    --python-only) with_docker=no ;;
    --cluster)
      with_docker=no
      with_cluster=yes
      ;;
    *) fail "unknown option $1; known: --python-only, --cluster" ;;
  esac

  docker_needed=no
  if [ $with_docker = yes ] && ! docker_answers; then docker_needed=yes; fi
  packages=$(missing_packages)
  if [ -z "$packages" ] && [ $docker_needed = no ] && venv_is_current; then return; fi

  check_disk
  mkdir -p "$STATE"
  : > "$LOG"
  [ -z "$packages" ] || install_packages
  check_python
  [ $docker_needed = no ] || start_docker
  venv_is_current || make_venv
}

# --- disk -----------------------------------------------------------------------------------------------------------

check_disk() {
  places=$PWD:${XDG_CACHE_HOME:-$HOME}
  if [ $with_docker = yes ]; then places=$places:/var/lib; fi
  IFS=:
  for place in $places; do
    while [ ! -d "$place" ]; do place=$(dirname "$place"); done
    free=$(df -Pk "$place" | awk 'NR == 2 { print int($4 * 1024 / 1e9) }')
    [ "$free" -ge $NEEDED_GB ] || fail "$place has $free GB free and Strata needs $NEEDED_GB GB: make room first"
  done
  unset IFS
}

# --- Debian packages ------------------------------------------------------------------------------------------------

missing_packages() {
  python3 -c 'import ensurepip' 2> /dev/null || echo python3-venv
  if [ $with_cluster = yes ]; then
    has containerd || echo containerd
    has runc || echo runc
    has ip || echo iproute2
    has iptables || echo iptables
    has losetup || echo mount
    has nft || echo nftables
    has mkfs.xfs || echo xfsprogs
  fi
  [ $with_docker = yes ] || [ $with_cluster = yes ] || return 0
  if [ $docker_needed = yes ]; then
    has dockerd || echo docker.io
    has iptables || echo iptables
    # A kernel with AppArmor makes dockerd load a profile for each container.
    if grep -qs Y /sys/module/apparmor/parameters/enabled && ! has apparmor_parser; then echo apparmor; fi
  fi
  # For building images and the cluster's programs, which only root can do.
  [ "$(id -u)" = 0 ] || return 0
  has debootstrap || echo debootstrap
  has gpgv || echo gpgv
  [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || echo debian-archive-keyring
  [ -e /etc/ssl/certs/ca-certificates.crt ] || echo ca-certificates
}

has() { command -v "$1" > /dev/null; }

install_packages() {
  packages=$(echo "$packages" | tr '\n' ' ')
  if ! has apt-get; then fail "install what Debian calls: $packages"; fi
  if [ "$(id -u)" != 0 ]; then fail "install what is missing, then try again: sudo apt-get install $packages"; fi
  export DEBIAN_FRONTEND=noninteractive
  run "reading the package lists" apt-get -o DPkg::Lock::Timeout=300 update
  # Word splitting is meant: one argument per package.
  # shellcheck disable=SC2086
  run "installing $packages" apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $packages
}

# --- Docker ---------------------------------------------------------------------------------------------------------

# Asks with Python, because the client program is a package of its own on some systems. A daemon behind another kind of
# address than a socket is the user's business, and `strata` says when it does not answer.
docker_answers() {
  case "${DOCKER_HOST:-unix:///var/run/docker.sock}" in
    unix://*) ;;
    *) return 0 ;;
  esac
  docker_error=$(python3 - "${DOCKER_HOST:-unix:///var/run/docker.sock}" 2>&1 << 'PYTHON'
import socket, sys
try:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(sys.argv[1].removeprefix("unix://"))
        connection.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
        answer = connection.recv(64)
except OSError as error:
    sys.exit(error.strerror or str(error))
if b" 200 " not in answer:
    sys.exit(f"it answers {answer!r}")
PYTHON
  )
}

start_docker() {
  if docker_answers; then return; fi # installing the package may have started it
  case "$docker_error" in
    *"Permission denied"*)
      fail "you may not use Docker's socket: sudo usermod -aG docker $(id -un), then log in again"
      ;;
  esac
  if [ -n "${DOCKER_HOST:-}" ]; then fail "Docker at $DOCKER_HOST does not answer ($docker_error): start it"; fi
  [ "$(id -u)" = 0 ] || fail "Docker does not answer ($docker_error): start its daemon, sudo systemctl start docker"

  daemon=
  if [ -d /run/systemd/system ]; then
    run "starting Docker" systemctl start docker
  elif pgrep_dockerd; then
    say "a dockerd (process $daemon) is running and does not answer yet: waiting"
    DAEMON_LOG=
  else
    say "starting dockerd, its log is $DAEMON_LOG"
    forget_dead /var/run/docker.pid dockerd
    forget_dead /var/run/docker/containerd/containerd.pid containerd
    setsid dockerd > "$DAEMON_LOG" 2>&1 < /dev/null &
    daemon=$!
  fi
  waited=0
  until docker_answers; do
    if [ -n "$daemon" ] && ! kill -0 "$daemon" 2> /dev/null; then docker_failed "dockerd ended"; fi
    if [ $waited -ge $DAEMON_DEADLINE ]; then docker_failed "dockerd did not answer within $DAEMON_DEADLINE s"; fi
    sleep 1
    waited=$((waited + 1))
  done
  say "Docker answers"
}

pgrep_dockerd() {
  daemon=$(cat /var/run/docker.pid 2> /dev/null) || return 1
  [ "$(cat "/proc/$daemon/comm" 2> /dev/null)" = dockerd ]
}

# A daemon that was killed leaves its process id in a file, and will not start while any process has that number.
forget_dead() {
  [ -f "$1" ] || return 0
  [ "$(cat "/proc/$(cat "$1")/comm" 2> /dev/null)" = "$2" ] || rm -f "$1"
}

docker_failed() {
  say "$1 ($docker_error)${DAEMON_LOG:+; the end of $DAEMON_LOG:}"
  [ ! -f "$DAEMON_LOG" ] || tail -n 15 "$DAEMON_LOG" >&2
  exit 1
}

# --- Python ---------------------------------------------------------------------------------------------------------

check_python() {
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "Python 3.11 or newer is needed, $(command -v python3) is $(python3 --version)"
}

wanted_stamp() { cat requirements.lock pyproject.toml | sha256sum; }

venv_is_current() { venv_works && [ "$(cat $STAMP 2> /dev/null)" = "$(wanted_stamp)" ]; }

# Not after the checkout was moved, or the Python that it was made with went away.
venv_works() { [ -x .venv/bin/python ] && grep -Fqs "$PWD/.venv/bin/python" .venv/bin/pip; }

make_venv() {
  if [ -L .venv ]; then rm .venv; fi # another checkout's: what is done here would be done to it
  rm -f $STAMP
  venv_works || run "making .venv" python3 -m venv --clear .venv
  run "installing the locked packages" pip_install --progress-bar off --require-hashes -r requirements.lock
  run "installing Strata" pip_install --no-build-isolation --editable .
  wanted_stamp > $STAMP
}

pip_install() { .venv/bin/python -m pip install --disable-pip-version-check --no-input --no-deps "$@"; }

# --- progress -------------------------------------------------------------------------------------------------------

# run MESSAGE COMMAND…: the command's output goes to the log; every few seconds a line says that it goes on.
run() {
  message=$1
  shift
  say "$message …"
  "$@" >> "$LOG" 2>&1 < /dev/null &
  child=$!
  trap 'kill $child 2> /dev/null; exit 130' INT TERM
  seconds=0
  while kill -0 $child 2> /dev/null; do
    sleep 1
    seconds=$((seconds + 1))
    if [ $((seconds % 5)) = 0 ]; then say "  $seconds s: $(tail -n 1 "$LOG" | cut -c 1-90)"; fi
  done
  if ! wait $child; then
    say "$message failed; the end of $LOG:"
    tail -n 20 "$LOG" >&2
    exit 1
  fi
  trap - INT TERM
}

main "$@"
