#!/bin/bash
# A pool that somebody made with dmsetup, over files and over a volume, after its devices are gone: made
# again with the table that it had, from what thinscope kept or from a recording, with its data; over
# anything else nothing is made.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
. "$LAB/guest/witness.sh"

folder=/var/tmp/fc && mkdir -p $folder
truncate -s 256M $folder/data && truncate -s 8M $folder/meta
pool=fc-dev-thinpool
meta=$(losetup -f --show $folder/meta) data=$(losetup -f --show $folder/data)
dmsetup create $pool --table "0 $(blockdev --getsz "$data") thin-pool $meta $data 256 1000 2 skip_block_zeroing error_if_no_space"
dmsetup message $pool 0 "create_thin 7"
dmsetup create one --table "0 65536 thin /dev/mapper/$pool 7"
dd if=/dev/urandom of=/dev/mapper/one bs=1M count=20 oflag=direct status=none
sum=$(quiet_sum one)
shape() { dmsetup table $pool | cut -d ' ' -f 1-3,6-; }
kept=$(shape)
away() { # as after a boot
    dmsetup remove --retry one
    dmsetup remove --retry $pool
    losetup -D
    udevadm settle
}
back() { # back WHAT: the same table, the same data
    equal "$1: the table is what it was" "$kept" "$(shape)"
    dmsetup create one --table "0 65536 thin /dev/mapper/$pool 7"
    equal "$1: what was written is there" "$sum" "$(quiet_sum one)"
}

ok "a look at a host with it" thinscope check -w 99 -c 100
equal "keeps its table, for root alone" 600 "$(stat -c %a /var/lib/thinscope/pools)"
ok "a recording is made" thinscope capture -o /var/tmp/then.capture
away
equal "nothing of it is left in the kernel" 1 "$(dmsetup info $pool >/dev/null 2>&1; echo $?)"
says "a rehearsal makes nothing" 0 "would run: dmsetup create $pool" thinscope activate $pool --dry-run
refused "it made nothing" dmsetup info $pool
says "no consent" 1 "consent is missing" thinscope activate $pool
says "it is made again from what was kept" 0 "done and verified" thinscope activate $pool --yes=$pool
back "from memory"
says "again is fine" 0 "nothing to do" thinscope activate $pool

away
rm /var/lib/thinscope/pools
says "without memory it is unknown" 2 "there is no pool" thinscope activate $pool --yes=$pool
says "without its name too" 1 "no thin pool was found" thinscope activate
says "from a recording it is made again" 0 "done and verified" thinscope activate $pool --recording /var/tmp/then.capture --yes=$pool
back "from a recording"

away
says "a recording of another pool" 1 "knows no active pool nope" thinscope activate nope --recording /var/tmp/then.capture --yes=nope
says "no recording at all" 1 "cannot be opened" thinscope activate $pool --recording /nowhere --yes=$pool
mv $folder/meta $folder/meta.kept
truncate -s 8M $folder/meta
says "over metadata that is empty nothing is made" 1 "new, empty pool" thinscope activate $pool --recording /var/tmp/then.capture --yes=$pool
equal "and nothing is written" 0 "$(tr -d '\0' <$folder/meta | wc -c)"
rm $folder/meta
says "without its file it says so" 1 "is not there" thinscope activate $pool --recording /var/tmp/then.capture --yes=$pool
mv $folder/meta.kept $folder/meta
truncate -s 512M $folder/data
says "a file that was lengthened meanwhile grows nothing" 0 "done and verified" thinscope activate $pool --recording /var/tmp/then.capture --yes=$pool
back "over a longer file"
says "with its unit" 0 "done and verified" thinscope activate $pool --unit --yes=$pool
ok "systemd reads it" systemd-analyze verify /etc/systemd/system/thinscope-pool-$pool.service

# over a volume and a file
away
pvcreate -q /dev/vdd && vgcreate -q odd /dev/vdd && lvcreate -q -y -L 256M -n data odd
meta=$(losetup -f --show $folder/meta2 2>/dev/null || { truncate -s 8M $folder/meta2 && losetup -f --show $folder/meta2; })
dmsetup create mixed --table "0 524288 thin-pool $meta /dev/odd/data 128 0"
dmsetup message mixed 0 "create_thin 1"
was=$(dmsetup table mixed | cut -d ' ' -f 1-3,6-)
ok "a look keeps it" thinscope check -w 99 -c 100
dmsetup remove --retry mixed && losetup -d "$meta" && vgchange -q -an odd
says "its volume first" 1 "is not active: \`thinscope activate\` it first" thinscope activate mixed --yes=mixed
says "the volume is activated" 0 "done and verified" thinscope activate odd/data --yes=odd/data
says "then the pool" 0 "done and verified" thinscope activate mixed --yes=mixed
equal "by the table that it had" "$was" "$(dmsetup table mixed | cut -d ' ' -f 1-3,6-)"
ok "with its thin device" dmsetup create two --table "0 2048 thin /dev/mapper/mixed 1"
