#!/bin/bash
# Pools that are full: a writer that waits goes on when data has grown in time; full metadata is
# grown online; a thin volume grows with its filesystem.
. "$LAB/guest/check.sh"
. "$LAB/guest/witness.sh"
pvcreate -q /dev/vdc && vgcreate -q t /dev/vdc
mode_of() { dmsetup status --noflush "$1" | grep -oE ' (rw|ro|out_of_data_space) ' | tr -d ' '; }

# a pool with an LVM volume, out of data space
lvcreate -q -y -L 64M -T t/p --poolmetadatasize 4M -c 64K
lvcreate -q -y -V 256M -T t/p -n v
dd if=/dev/zero of=/dev/t/v bs=1M count=80 oflag=direct 2>/tmp/dd.log &
writer=$!
ok "the pool is full and its writer waits" eventually 30 test "$(sleep 3; mode_of t-p-tpool)" = out_of_data_space
says "data grows" 0 "done and verified" thinscope grow t/p --data +64M --yes=t/p
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

# a pool whose metadata is full, as an engine would fill it
lvcreate -q -y -L 512M -T t/m --poolmetadatasize 2M -c 64K
lvchange -q -y -ay t/m
dmsetup message t-m 0 'create_thin 0'
dmsetup create --noudevsync full --table "0 131072 thin /dev/mapper/t-m 0"
n=0
while [ $n -lt 400 ] && [ "$(mode_of t-m)" = rw ]; do
    n=$((n + 1))
    dmsetup suspend --noflush full && dmsetup message t-m 0 "create_snap $n 0" 2>/dev/null
    dmsetup resume full
    timeout 20 dd if=/dev/urandom of=/dev/mapper/full bs=4k count=1 seek=$((n * 16)) oflag=direct,dsync status=none 2>/dev/null || break
done
status=$(dmsetup status --noflush t-m)
echo "full metadata: $status"
case $status in
*needs_check*)
    says "a pool that needs a check is not grown" 1 "needs_check" thinscope grow t/m --metadata +4M --yes=t/m
    ;;
*)
    says "metadata grows online" 0 "done and verified" thinscope grow t/m --metadata +4M --yes=t/m
    equal "the pool works again" rw "$(mode_of t-m)"
    ok "and takes writes" timeout 20 dd if=/dev/urandom of=/dev/mapper/full bs=4k count=1 oflag=direct status=none
    ;;
esac
ok "nothing is suspended" nothing_suspended
