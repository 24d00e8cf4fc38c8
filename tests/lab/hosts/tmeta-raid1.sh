#!/bin/bash
# direct-lvm with the pool's metadata mirrored (raid1) over two PVs
# after direct-lvm
set -e
modprobe dm-raid
modprobe raid1
vgextend -q docker /dev/vdc
lvconvert -q -y --type raid1 -m 1 docker/thinpool_tmeta /dev/vdc
until [ "$(lvs --noheadings -o sync_percent docker/thinpool_tmeta | tr -d ' ')" = 100.00 ]; do sleep 0.5; done
