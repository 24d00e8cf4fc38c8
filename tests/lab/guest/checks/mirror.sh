#!/bin/bash
# A pool whose metadata is mirrored: read in place from a leg in sync while it is inactive, and the
# same once it is active.
. "$LAB/guest/check.sh"
mkdir -p /results/mirror && cd /results/mirror || exit 1
modprobe dm-raid && modprobe raid1
pvcreate -qq /dev/vdc /dev/vdd && vgcreate -qq mirror /dev/vdc /dev/vdd
lvcreate -qq -y -Wn -n meta --type raid1 -m 1 -L 16M mirror
lvcreate -qq -y -Wn -n pool -L 200M mirror
synced() { [ "$(lvs --noheadings -o sync_percent mirror/meta | tr -d ' ')" = 100.00 ]; }
ok "the mirror is in sync" eventually 60 synced
lvconvert -qq -y --type thin-pool --poolmetadata mirror/meta mirror/pool
lvcreate -qq -y -V 100M -n one --thinpool mirror/pool mirror
dd if=/dev/urandom of=/dev/mirror/one bs=1M count=20 oflag=direct conv=fsync status=none
lvcreate -qq -y -s -n two mirror/one && lvchange -qq -ay -K mirror/two
dd if=/dev/urandom of=/dev/mirror/two bs=1M count=5 seek=4 oflag=direct conv=fsync status=none
sync
figures() {
    thinscope layers --sharing --json mirror/pool |
        jq -c '[.devices[] | [.device_id, .mapped_bytes, .exclusive_bytes, .shared_bytes]]'
}
whole() { jq -e 'length == 2 and all(.[]; all(.[]; . != null))' <<<"$1"; }
# where the superblock of leg N lies: device and byte
place() {
    local disk at start extent
    read -r disk at < <(lvs --noheadings -a -o devices "mirror/pool_tmeta_rmeta_$1" | tr '()' '  ')
    start=$(pvs --noheadings --units b --nosuffix -o pe_start "$disk" | tr -d ' ')
    extent=$(vgs --noheadings --units b --nosuffix -o vg_extent_size mirror | tr -d ' ')
    echo "$disk $((start + at * extent))"
}
recovered() { # recovered N BYTE: how far leg N was rebuilt, eight times this byte
    local at
    at=($(place "$1"))
    printf "\\x$2%.0s" 1 2 3 4 5 6 7 8 |
        dd of="${at[0]}" bs=1 seek=$((at[1] + 32)) conv=notrunc status=none
    blockdev --flushbufs "${at[0]}"
}

active=$(figures)
vgchange -qq -an mirror
first=($(place 0))
dd if="${first[0]}" bs=1 skip="${first[1]}" count=56 status=none | od -A d -t x1 | sed 's/^/figure: superblock of a leg: /'
equal "LVM itself does not tell which leg is in sync" "I I" \
    "$(lvs --noheadings -a -o lv_attr,lv_name mirror | awk '/_rimage_/ { print substr($1, 1, 1) }' | xargs)"
ok "in place every figure is there" whole "$(figures)"
equal "they are those of the active pool" "$active" "$(figures)"
equal "nothing was activated for it" "" "$(dmsetup ls | grep '^mirror-')"
recovered 0 00
equal "with the first leg behind, the second says the same" "$active" "$(figures)"
recovered 1 00
refused "with none in sync nothing is claimed" whole "$(figures)"
contains "and why is said" "no leg of the mirror says that it is in sync" \
    "$(thinscope layers --sharing --json mirror/pool | jq -r '.gaps[].why')"
recovered 0 ff
recovered 1 ff
equal "as they were, they say the same again" "$active" "$(figures)"
vgchange -qq -ay mirror
equal "and active again" "$active" "$(figures)"
