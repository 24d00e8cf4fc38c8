#!/bin/bash
# direct-lvm with the daemon stopped in order and the volume group deactivated
# after direct-lvm
set -e
. "$LAB/guest/docker.sh"
. "$LAB/guest/expected.sh"
docker unpause shop-worker-1
docker stop -t 0 shop-web-1 shop-worker-1
save_expected
stop_docker
vgchange -q -an docker
