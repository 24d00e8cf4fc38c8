#!/bin/bash
# containerd 1.6 with its devmapper snapshotter, over a pool that dmsetup made on two loop files
set -e
. "$LAB/guest/containerd.sh"
. "$LAB/guest/images.sh"
make_pool
start_containerd
layers=$(mktemp -d /var/tmp/layers.XXXX)
tiny_root "$layers/base"
for name in web worker; do
    mkdir -p "$layers/$name/srv"
    filler "$layers/$name/srv/$name" 1 "$name"
done
snap_import shop/base:1 "$layers/base"
snap_import shop/web:1.4 "$layers/base" "$layers/web"
snap_import shop/worker:1.4 "$layers/base" "$layers/worker"
ctr image tag docker.io/shop/web:1.4 docker.io/shop/web:latest >/dev/null
snap_run web shop/web:1.4 /bin/sh -c 'dd if=/dev/zero of=/srv/log bs=1048576 count=8 2>/dev/null; exec sleep 1000000'
snap_run nightly shop/web:1.4 /bin/true
ctr run -d --null-io --snapshotter devmapper --label io.cri-containerd.kind=container \
    --label io.kubernetes.pod.name=app-0 --label io.kubernetes.pod.namespace=shop \
    --label io.kubernetes.container.name=app docker.io/shop/worker:1.4 "$(printf 'a1%.0s' {1..32})" /bin/sleep 1000000
ctr snapshots --snapshotter devmapper view looked-at "$(ctr snapshots --snapshotter devmapper ls | awk '$3 == "Committed" { print $1; exit }')" >/dev/null
rm -rf "$layers"
sync
ctr task ls
