#!/bin/bash
# Pools that are full: a writer that waits goes on when data has grown in time; full metadata is
# grown online; a thin volume grows with its filesystem.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
. "$LAB/guest/witness.sh"
pvcreate -q /dev/vdc && vgcreate -q t /dev/vdc
mode_of() { dmsetup status --noflush "$1" | grep -oE ' (rw|ro|out_of_data_space) ' | tr -d ' '; }

# a pool with an LVM volume, out of data space
lvcreate -q -y -L 64M -T t/p --poolmetadatasize 4M -c 64K
lvcreate -q -y -V 256M -T t/p -n v
dd if=/dev/zero of=/dev/t/v bs=1M count=80 oflag=direct 2>/tmp/dd.log &
writer=$!
ok "the pool is full and its writer waits" eventually 30 test "$(sleep 3; mode_of t-p-tpool)" = out_of_data_space
ok "pool-out-of-data-space comes" found pool-out-of-data-space
ok "and pool-data-full" found pool-data-full
contains "with the time after which writes fail" "60 s" "$(thinscope findings --json | jq -r '.findings[] | select(.code == "pool-out-of-data-space") | .summary, .evidence[]')"
says "data grows" 0 "done and verified" thinscope grow t/p --data +64M --yes=t/p
ok "pool-data-full goes" gone pool-data-full
ok "the writer that waited ends well" wait "$writer"
equal "the pool works" rw "$(mode_of t-p-tpool)"
equal "LVM and the kernel agree" "$(lvs --noheadings --nosuffix --units b -o lv_size t/p | tr -d ' ')" $(($(total_of t-p-tpool) * 65536))

# a thin volume with a filesystem
mkfs.ext4 -q /dev/t/v && mkdir -p /mnt/v && mount /dev/t/v /mnt/v
before=$(stat -f -c %b /mnt/v)
says "a volume and its filesystem grow" 0 "done and verified" thinscope grow t/v --size +64M --yes=t/v
ok "the filesystem has more blocks" test "$(stat -f -c %b /mnt/v)" -gt "$before"
says "a volume never shrinks" 1 "never shrinks" thinscope grow t/v --size 64M --yes=t/v
umount /mnt/v

# a pool whose metadata is full, as an engine would fill it: mappings, snapshots of them, and a write
# under every leaf of each, which has the leaf copied. One process writes all of a round: each costs
# a tenth of a second. Small extents: the smallest metadata there is.
pvcreate -q /dev/vdd && vgcreate -q -s 1M u /dev/vdd
lvcreate -q -y -Z n -L 2G -T u/m --poolmetadatasize 2M -c 64K
lvchange -q -y -ay u/m
dmsetup message u-m 0 'create_thin 0'
dmsetup create --noudevsync full --table "0 1048576 thin /dev/mapper/u-m 0"
# by its number: its name is made by udev, which nobody waited for
full=/dev/dm-$(dmsetup info -c --noheadings -o minor full)
# writes FROM TO BYTES: one write at each of these places, so far apart, in one process
writes() {
    awk -v i="$1" -v n="$2" -v by="$3" 'BEGIN { for (; i < n; i++) printf "pwrite -q -b 4k %d 4k\n", i * by }' |
        timeout 60 xfs_io -d "$full" >/tmp/writes.log 2>&1
}
# with a commit: before, the kernel counts what it has not written yet as free
metadata_percent() { dmsetup status u-m | awk '{ split($5, n, "/"); print int(n[1] * 100 / n[2]) }'; }
began=$SECONDS near=''
dd if=/dev/zero of="$full" bs=4M count=128 oflag=direct status=none
snap=0
while [ $((snap += 1)) -le 40 ] && [ "$(mode_of u-m)" = rw ]; do
    dmsetup suspend full && dmsetup message u-m 0 "create_snap $snap 0"
    dmsetup resume full
    # in parts: between near full and full lie fewer leaves than a snapshot has
    for part in 0 16 32 48 64 80 96 112; do
        writes $part $((part + 16)) 4194304
        [ -z "$near" ] && [ "$(mode_of u-m)" = rw ] && percent=$(metadata_percent) && [ "$percent" -ge 81 ] || continue
        near=yes
        echo "figure: near full at $percent %"
        ok "pool-metadata-near-full comes" found pool-metadata-near-full
    done
done
equal "it was near full before it was full" yes "$near"
echo "figure: metadata filled in $((SECONDS - began)) s by $snap snapshots"
status=$(dmsetup status --noflush u-m)
echo "full metadata: $status"
refused "the pool is full of metadata" test "$(mode_of u-m)" = rw
case $status in
*needs_check*)
    says "a pool that needs a check is not grown" 1 "needs_check" thinscope grow u/m --metadata +4M --yes=u/m
    ;;
*)
    ok "pool-metadata-full comes" found pool-metadata-full
    ok "and pool-read-only" found pool-read-only
    says "data alone is refused" 1 "metadata" thinscope grow u/m --data +64M --yes=u/m
    says "metadata grows online" 0 "done and verified" thinscope grow u/m --metadata +4M --yes=u/m
    equal "the pool works again" rw "$(mode_of u-m)"
    ok "pool-metadata-full goes" gone pool-metadata-full
    ok "pool-metadata-near-full goes" gone pool-metadata-near-full
    ok "and pool-read-only" gone pool-read-only
    ok "and takes writes" timeout 20 dd if=/dev/urandom of="$full" bs=4k count=1 oflag=direct status=none
    ;;
esac
ok "nothing is suspended" nothing_suspended
