#!/bin/bash
# Docker 20.10 over a pool that it makes itself from two logical volumes (dm.datadev)
set -e
. "$LAB/guest/docker.sh"
. "$LAB/guest/images.sh"
pvcreate -q /dev/vdb
vgcreate -q store /dev/vdb
lvcreate -q -L 100M -n metadata store
lvcreate -q -L 6G -n data store
start_docker dm.datadev=/dev/store/data dm.metadatadev=/dev/store/metadata
populate_small
