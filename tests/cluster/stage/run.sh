#!/bin/sh
# Compiles the cluster's programs with Debian's own Go, from the modules that go.mod requires, and takes busybox along.
# What was compiled before a build was cut off is still in /tmp, and is not compiled again.
set -eu

module=/run/strata-build/go
out=/out
kubernetes=$(sed -n 's#^\tk8s.io/kubernetes \(v[^ ]*\).*#\1#p' $module/go.mod)

apt-get update
apt-get install -y --no-install-recommends busybox-static golang-go
apt-get clean

export GOPATH=/tmp/go GOCACHE=/tmp/go-build GOFLAGS="-buildvcs=false -modcacherw -mod=readonly -trimpath" GOTOOLCHAIN=local CGO_ENABLED=0
go version
mkdir -p $out/bin
cd $module
go mod download

# Without its version a program takes itself for a development build, and features are switched by version.
stamp() {
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    printf -- "-X $package.gitVersion=$kubernetes -X $package.gitMajor=1 -X $package.gitTreeState=clean "
    printf -- "-X $package.gitMinor=$(echo "$kubernetes" | cut -d. -f2) -X $package.buildDate=1970-01-01T00:00:00Z "
  done
}
commands=k8s.io/kubernetes/cmd
go build -v -ldflags "-s -w $(stamp)" -o $out/bin/ \
  $commands/kube-apiserver $commands/kube-controller-manager $commands/kube-proxy $commands/kube-scheduler \
  $commands/kubectl $commands/kubelet k8s.io/kubernetes/test/images/agnhost
go build -v -ldflags "-s -w" -o $out/bin/etcd go.etcd.io/etcd/server/v3
plugins=github.com/containernetworking/plugins/plugins
go build -v -ldflags "-s -w" -o $out/bin/ \
  $plugins/ipam/host-local $plugins/main/loopback $plugins/main/ptp $plugins/meta/portmap
go build -v -ldflags "-s -w" -o $out/bin/ ./coredns ./enforcer ./pause ./volumes
cp "$(command -v busybox)" $out/bin/busybox
