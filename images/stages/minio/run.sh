#!/bin/sh
# MinIO's server at the last commit of its Go module, compiled by Debian's own Go. The compiler leaves again.
# The module's hash is pinned here, those of its dependencies in its own go.sum, and Go checks both against sum.golang.org.
set -eu

module=github.com/minio/minio
version=v0.0.0-20260212201848-7aac2a2c5b7c
hash=h1:/qdoYujxF5MBLDMVLeiYJ/7fBa1HikX39Dvzb9Ji8pA=
time=2026-02-12T20-18-48Z
commit=7aac2a2c5b7c

apt-get update
apt-get install -y --no-install-recommends golang-go
apt-get clean

# What is in /tmp never gets into an image. Another toolchain is not fetched: Debian's is the one that gets updates.
export GOPATH=/tmp/go GOCACHE=/tmp/go-build GOFLAGS="-buildvcs=false -modcacherw" GOTOOLCHAIN=local CGO_ENABLED=0
go version

if ! go mod download -json "$module@$version" | grep -qF "\"Sum\": \"$hash\""; then
  echo "$module@$version could not be downloaded, or is not the module whose hash is pinned in this stage" >&2
  exit 1
fi
cd "$GOPATH/pkg/mod/$module@$version"
package=$module/cmd
go build -v -mod=readonly -trimpath -tags kqueue -o /usr/bin/minio \
  -ldflags "-s -w -X $package.Version=$(echo $time | sed 's/-/:/3; s/-/:/3') -X $package.ReleaseTag=DEVELOPMENT.$time \
    -X $package.CommitID=$commit -X $package.ShortCommitID=$commit -X $package.CopyrightYear=2026" .
install -D -m 644 -t /licenses LICENSE CREDITS

cd /
du -sm /tmp | sed 's/^/MB of modules and compiled packages: /'
rm -rf /tmp/go /tmp/go-build
apt-get purge -y --autoremove golang-go
minio --version
