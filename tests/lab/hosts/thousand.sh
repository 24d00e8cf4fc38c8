#!/bin/bash
# No engine: a pool with 1,000 active thin devices
set -e
pvcreate -q /dev/vdb
vgcreate -q many /dev/vdb
lvcreate -q -y --zero n -L 4G -c 64K --poolmetadatasize 64M --thinpool pool many
lvchange -q -an many/pool

# One restore and one dmsetup instead of 2,000 processes; each device has 4 blocks.
lvcreate -q -L 64M -n made many
{
    echo '<superblock uuid="" time="0" transaction="0" data_block_size="128" nr_data_blocks="65536">'
    for id in $(seq 0 999); do
        echo "<device dev_id=\"$id\" mapped_blocks=\"4\" transaction=\"0\" creation_time=\"0\" snap_time=\"0\">"
        echo "<range_mapping origin_begin=\"0\" data_begin=\"$((id * 4))\" length=\"4\" time=\"0\"/></device>"
    done
    echo '</superblock>'
} >/var/tmp/made.xml
thin_restore -i /var/tmp/made.xml -o /dev/many/made
lvconvert -q -y --thinpool many/pool --poolmetadata many/made
lvremove -q -y many/made
lvchange -q -ay many/pool

# Without udev: scanning 1,000 devices would take an emulated processor minutes.
udev=(systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udevd.service)
udevadm settle
systemctl stop "${udev[@]}"
dmsetup create --noudevsync --noudevrules --concise "$(
    for id in $(seq 0 999); do
        printf 'thin-%04d,,,rw,0 2097152 thin /dev/mapper/many-pool %d;' "$id" "$id"
    done | sed 's/;$//'
)"
systemctl start "${udev[@]}"
[ "$(dmsetup table --target thin | wc -l)" = 1000 ]
