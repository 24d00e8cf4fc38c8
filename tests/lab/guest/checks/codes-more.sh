#!/bin/bash
# Findings about what lies around and inside a pool, each produced for real on a host without pools, seen to
# come and to go: LVM's own metadata and archive, metadata that is damaged, and more of it than the kernel
# uses.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"

# a VG whose own metadata is made long by tags: it has half of the smallest area, 510 KiB
pvcreate -q /dev/vdb && vgcreate -q t /dev/vdb
lvcreate -q -y -L 200M --poolmetadatasize 16M -c 64k -T t/pool
ok "with room for its metadata it is no finding" gone vg-metadata-near-full
tags() { for n in $(seq "$1" "$2"); do printf -- "--%stag=t%0990d " "$3" "$n"; done; }
# shellcheck disable=SC2046
fill() { for n in 0 1 2 3 4 5 6 7 8 9; do
    [ "$(vgs --noheadings --nosuffix --units b -o vg_mda_free t | tr -d ' ')" -gt 90000 ] || break
    vgchange -q $(tags $((n * 60 + 1)) $((n * 60 + 60)) add) t >/dev/null || break
done; }
comes vg-metadata-near-full fill
echo "  free of LVM's metadata area: $(vgs --noheadings -o vg_mda_size,vg_mda_free t)"
# shellcheck disable=SC2046
empty() { for n in 0 1 2 3 4 5 6 7 8 9; do vgchange -q $(tags $((n * 60 + 1)) $((n * 60 + 60)) del) t >/dev/null; done; }
goes vg-metadata-near-full empty

archive() { (cd /etc/lvm/archive && seq -f 'old_%05.0f.vg' 10001 | xargs touch); }
comes lvm-archive-large archive
goes lvm-archive-large sh -c 'rm -f /etc/lvm/archive/old_*.vg'

# a pool over files, whose metadata is damaged below it
folder=/var/tmp/more && mkdir -p $folder
truncate -s 64M $folder/data && truncate -s 4M $folder/meta
meta=$(losetup -f --show $folder/meta) data=$(losetup -f --show $folder/data)
dmsetup create one --table "0 131072 thin-pool $meta $data 128 0"
dmsetup message one 0 "create_thin 0"
dmsetup create one-thin --table "0 65536 thin /dev/mapper/one 0"
dd if=/dev/urandom of=/dev/mapper/one-thin bs=64k count=20 oflag=direct status=none
dmsetup status one >/dev/null # a commit
details=$(od -An -tu8 -j328 -N8 $folder/meta | tr -d ' ')
dd if=$folder/meta of=$folder/kept bs=4096 skip="$details" count=1 status=none
damage() { dd if=/dev/urandom of=$folder/meta bs=4096 seek="$details" count=1 conv=notrunc,fsync status=none; }
mend() { dd if=$folder/kept of=$folder/meta bs=4096 seek="$details" count=1 conv=notrunc,fsync status=none; }
comes metadata-unreadable damage
contains "and names the block" "block $details" "$(thinscope findings --json | jq -r '.findings[] | select(.code == "metadata-unreadable") | .summary, .evidence[]')"
goes metadata-unreadable mend
dmsetup remove --retry one-thin && dmsetup remove --retry one && losetup -D

# a metadata device larger than the kernel uses
truncate -s 17G $folder/large
large=$(losetup -f --show $folder/large)
make_large() { dmsetup create large-data --table "0 131072 zero" && dmsetup create large --table "0 131072 thin-pool $large /dev/mapper/large-data 128 0"; }
comes metadata-device-oversized make_large
goes metadata-device-oversized sh -c 'dmsetup remove --retry large && dmsetup remove large-data'
