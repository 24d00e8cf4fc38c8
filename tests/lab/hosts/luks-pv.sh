#!/bin/bash
# direct-lvm on a PV that is an opened LUKS device
set -e
. "$LAB/guest/lvm.sh"
. "$LAB/guest/docker.sh"
. "$LAB/guest/images.sh"
# A cheap key derivation: the lab keeps no secrets, and the processor is emulated.
echo -n lab | cryptsetup -q luksFormat --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/vdb -
echo -n lab | cryptsetup open /dev/vdb luks-vdb -d -
docker_vg /dev/mapper/luks-vdb
docker_thinpool
start_docker "${direct_lvm_options[@]}"
populate_small
