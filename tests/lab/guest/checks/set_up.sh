#!/bin/bash
# What is wrong with how a pool was set up, each produced for real on a host without pools.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"

pvcreate -q /dev/vdb /dev/vdc && vgcreate -q t /dev/vdb
lvcreate -q -L 200M --poolmetadatasize 16M -c 64k --thinpool pool t
lvcreate -q -V 100M --thin -n v t/pool
lvcreate -q -V 100M --thin -n w t/pool
tpool=t-pool-tpool

comes thin-check-missing mv /usr/sbin/thin_check /usr/sbin/thin_check.away
goes thin-check-missing mv /usr/sbin/thin_check.away /usr/sbin/thin_check

comes overcommitted lvresize -q -L 110M t/w
goes overcommitted lvremove -q -f t/w

# the counter, behind LVM's back
id=$(lvs --noheadings -o transaction_id t/pool | tr -d ' ')
comes transaction-mismatch dmsetup message $tpool 0 "set_transaction_id $id $((id + 2))"
goes transaction-mismatch dmsetup message $tpool 0 "set_transaction_id $((id + 2)) $id"
ok "one behind LVM a message waits: tolerated" dmsetup message $tpool 0 "set_transaction_id $id $((id - 1))"
ok "and no mismatch" gone transaction-mismatch
dmsetup message $tpool 0 "set_transaction_id $((id - 1)) $id"

comes metadata-snapshot-held hold_metadata_snapshot $tpool
goes metadata-snapshot-held release_metadata_snapshot $tpool

comes pool-suspended suspend_pool $tpool
goes pool-suspended resume_pool $tpool
comes device-suspended suspend_thin t-v
goes device-suspended resume_thin t-v

# discards: LVM's property, and the table's word
lvchange -q -an t/v t/pool
comes component-left-active lvchange -q -y -ay t/pool_tmeta
goes component-left-active lvchange -q -an t/pool_tmeta
lvchange -q --discards ignore t/pool && lvchange -q -ay t/pool t/v
ok "a pool that ignores discards is found" found discards-not-passed
lvchange -q -an t/v t/pool && lvchange -q --discards nopassdown t/pool && lvchange -q -ay t/pool t/v
bottom=$(cat /sys/block/vdb/queue/discard_max_bytes)
if [ "$bottom" -gt 0 ]; then
    ok "one that passes none down is found where the disk takes them" found discards-not-passed
else
    ok "where the disk takes none it is as it is" gone discards-not-passed
fi
lvchange -q -an t/v t/pool && lvchange -q --discards passdown t/pool && lvchange -q -ay t/pool t/v
ok "passed down it is gone" gone discards-not-passed

# the metadata alone on a disk that says it turns
vgextend -q t /dev/vdc
pvmove -q -n pool_tmeta /dev/vdb /dev/vdc
echo 0 >/sys/block/vdb/queue/rotational
comes metadata-device-slow sh -c 'echo 1 >/sys/block/vdc/queue/rotational'
goes metadata-device-slow sh -c 'echo 0 >/sys/block/vdc/queue/rotational'

# a spare behind the metadata, and no room for one
lvremove -q -f t/lvol0_pmspare
free=$(vgs --noheadings -o vg_free_count t | tr -d ' ')
comes metadata-spare-missing lvcreate -q -y -l "$free" -n rest t
goes metadata-spare-missing lvremove -q -f t/rest

# a PV that is gone: one on a loop device over a file
truncate -s 100M /var/tmp/pv && loop=$(losetup -f --show /var/tmp/pv)
vgextend -q t "$loop"
comes pv-missing losetup -d "$loop"
loop=$(losetup -f --show /var/tmp/pv) && udevadm settle
ok "pv-missing goes when the PV is back" eventually 20 bash -c '! thinscope findings --json | jq -e ".findings[] | select(.code == \"pv-missing\")" >/dev/null'

# metadata that fills: a raw pool whose data is a device that forgets what is written, one write a
# block
dd if=/dev/zero of=/dev/vdd bs=4k count=512 oflag=direct status=none
dmsetup create small-meta --table "0 2496 linear /dev/vdd 0"
dmsetup create small-data --table "0 8388608 zero"
dmsetup create small --table "0 8388608 thin-pool /dev/mapper/small-meta /dev/mapper/small-data 128 0 1 skip_block_zeroing"
dmsetup message small 0 "create_thin 0"
dmsetup create small-thin --table "0 8388608 thin /dev/mapper/small 0"
map_to() { # map_to BLOCK: maps up to there
    seq "$at" "$1" | awk '{ printf "pwrite -q %.0f 4k\n", $1 * 65536 }' | xfs_io -d /dev/mapper/small-thin >/dev/null 2>&1
    at=$1
}
fill_percent() { dmsetup status --noflush small | sed -n 's|.* \([0-9]*\)/\([0-9]*\) [0-9]*/.*|\1 \2|p' | awk '{ print int($1 * 100 / $2) }'; }
at=0
until percent=$(fill_percent); [ "${percent:-100}" -ge 82 ] || [ $at -ge 65000 ]; do map_to $((at + 2000)); done
echo "figure: metadata at $(dmsetup status --noflush small)"
ok "metadata near full is found, the reserve counted" found pool-metadata-near-full
map_to 65535
status=$(dmsetup status --noflush small)
echo "figure: then $status"
case $status in
# so little metadata leaves the kernel no room to say so: it gives the pool up. grow-full has the other end
*Fail*) ok "the kernel gave the pool up, and that is found" found pool-failed ;;
*) ok "full metadata is found" found pool-metadata-full && ok "and that the pool is read-only for it" found pool-read-only ;;
esac
dmsetup remove small-thin && dmsetup remove small && dmsetup remove small-data && dmsetup remove small-meta
refused "without the pool it is gone" bash -c 'thinscope findings --json | jq -e ".findings[] | select(.subject == \"small\")" >/dev/null'

# a cookie that nobody completes
cookie=$(dmsetup udevcreatecookie)
ok "a cookie of now is no finding" gone udev-cookie-stuck
sleep 62
ok "udev-cookie-stuck comes after a minute" found udev-cookie-stuck
contains "and names the cookie" "$(printf '%d' "$cookie" | xargs printf 'udevcomplete 0x%08x')" \
    "$(thinscope findings --json | jq -r '.findings[] | select(.code == "udev-cookie-stuck") | .remedy')"
goes udev-cookie-stuck dmsetup udevcomplete "$cookie"
