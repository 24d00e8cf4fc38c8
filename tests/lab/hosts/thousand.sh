#!/bin/bash
# No engine: a pool with 1,000 active thin devices
set -e
pvcreate -q /dev/vdb
vgcreate -q many /dev/vdb
lvcreate -q -y --zero n -L 4G --poolmetadatasize 64M --thinpool pool many
# Rules are kept out: 1,000 devices scanned by udev would take minutes.
for id in $(seq 0 999); do
    dmsetup message many-pool 0 "create_thin $id"
    dmsetup create --noudevsync --noudevrules "thin-$(printf %04d "$id")" \
        --table "0 2097152 thin /dev/mapper/many-pool $id"
done
dmsetup table --target thin | wc -l
