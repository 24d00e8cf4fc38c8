#!/bin/bash
# No engine: VG pve with thin pool data and volumes as Proxmox names them, one inactive
set -e
pvcreate -q /dev/vdb
vgcreate -q pve /dev/vdb
lvcreate -q -L 6G --thinpool data pve
for disk in vm-100-disk-0 vm-101-disk-0 vm-102-disk-0; do lvcreate -q -V 4G --thin -n "$disk" pve/data; done
mkfs.xfs -q /dev/pve/vm-100-disk-0
dd if=/dev/zero of=/dev/pve/vm-101-disk-0 bs=1M count=40 oflag=direct status=none
lvcreate -q -pr -s -n snap_vm-100-disk-0_before pve/vm-100-disk-0
dd if=/dev/zero of=/dev/pve/vm-100-disk-0 bs=1M seek=1000 count=20 oflag=direct status=none
lvchange -q -an pve/vm-102-disk-0
lvcreate -q -V 2G --thin -n base-900-disk-0 pve/data
lvchange -q -pr -ky -an pve/base-900-disk-0
