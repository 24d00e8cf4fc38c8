#!/bin/bash
# No engine: an LVM pool with 10,000 active thin volumes (a quarter of an hour to prepare)
set -e
count=10000
pvcreate -q --metadatasize 64m /dev/vdb
vgcreate -q many /dev/vdb
lvcreate -q -y --zero n -L 4G -c 64K --poolmetadatasize 128M --thinpool pool many
lvchange -q -an many/pool

# The pool's metadata, LVM's text and the kernel's tables are each written at once: 10,000 times
# lvcreate would take days. Each volume has 4 blocks.
lvcreate -q -L 128M -n made many
seq $count | awk '
    BEGIN { print "<superblock uuid=\"\" time=\"0\" transaction=\"0\" data_block_size=\"128\" nr_data_blocks=\"65536\">" }
    {
        printf "<device dev_id=\"%d\" mapped_blocks=\"4\" transaction=\"0\" creation_time=\"0\" snap_time=\"0\">\n", $1
        printf "<range_mapping origin_begin=\"0\" data_begin=\"%d\" length=\"4\" time=\"0\"/></device>\n", ($1 - 1) * 4
    }
    END { print "</superblock>" }' >/var/tmp/made.xml
thin_restore -i /var/tmp/made.xml -o /dev/many/made
lvconvert -q -y --thinpool many/pool --poolmetadata many/made
lvremove -q -y many/made

vgcfgbackup -q -f /var/tmp/vg.txt many
awk -v count=$count '
    { print }
    /^\tlogical_volumes \{/ {
        for (id = 1; id <= count; id++) {
            printf "\tt%05d {\n\t\tid = \"lab%03d-%04d-0000-0000-0000-0000-000000\"\n", id, id / 10000, id % 10000
            print "\t\tstatus = [\"READ\", \"WRITE\", \"VISIBLE\"]\n\t\tflags = []\n\t\tsegment_count = 1"
            print "\t\tsegment1 {\n\t\t\tstart_extent = 0\n\t\t\textent_count = 256\n\t\t\ttype = \"thin\""
            printf "\t\t\tthin_pool = \"pool\"\n\t\t\ttransaction_id = 0\n\t\t\tdevice_id = %d\n\t\t}\n\t}\n", id
        }
    }' /var/tmp/vg.txt >/var/tmp/vg-many.txt
vgcfgrestore -q --force -f /var/tmp/vg-many.txt many
lvchange -q -ay many/t00001

# Without udev: scanning so many devices would take an emulated processor an hour.
udev=(systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udevd.service)
udevadm settle
systemctl stop "${udev[@]}"
vg=$(vgs --noheadings -o vg_uuid many | tr -d ' -')
# as LVM would: the VG's uuid, then the volume's; a single argument has 128 KiB
seq 2 $count | awk -v vg="$vg" '{
    printf "many-t%05d,LVM-%slab%03d%04d%022d,,rw,", $1, vg, $1 / 10000, $1 % 10000, 0
    printf "0 2097152 thin /dev/mapper/many-pool-tpool %d%s", $1, $1 % 500 ? ";" : "\n"
}' | while IFS= read -r batch; do
    dmsetup create --noudevsync --noudevrules --concise "${batch%;}"
done
systemctl start "${udev[@]}"
[ "$(lvs --noheadings -o lv_active many | grep -c active)" = $((count + 1)) ]
