#!/bin/bash
# Docker 20.10 over docker/thinpool as its documents say: one PV, autoextend 80/20
set -e
. "$LAB/guest/lvm.sh"
. "$LAB/guest/docker.sh"
. "$LAB/guest/images.sh"

docker_vg /dev/vdb
docker_thinpool
start_docker "${direct_lvm_options[@]}"
populate
