#!/bin/bash
# Docker 20.10 that made docker/thinpool itself (dm.directlvm_device)
set -e
. "$LAB/guest/docker.sh"
. "$LAB/guest/images.sh"
start_docker dm.directlvm_device=/dev/vdb
populate_small
