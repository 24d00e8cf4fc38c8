#!/bin/bash
# How long a pool is suspended by a growth, as sysfs says it, and how long a writer waits for it: ours, LVM's
# own lvextend, and the three commands of the documents. On a host without pools: two are made.
. "$LAB/guest/check.sh"
. "$LAB/guest/witness.sh"
rounds=${1:-9}
folder=/var/tmp/windows && mkdir -p $folder
stop=$folder/stop

# watched POOL COMMAND…: milliseconds that sysfs said suspended meanwhile
watched() {
    local state
    state=/sys/block/dm-$(dmsetup info -c --noheadings -o minor "$1")/dm/suspended
    shift
    rm -f $stop
    (
        was=0 spent=0
        while [ ! -e $stop ]; do
            read -r now <"$state"
            if [ "$now" != "$was" ]; then
                at=${EPOCHREALTIME/./}
                if [ "$now" = 1 ]; then began=$at; else spent=$((spent + at - began)); fi
                was=$now
            fi
        done
        echo $((spent / 1000)) >$folder/spent
    ) &
    "$@" >/tmp/watched.log 2>&1 || { cat /tmp/watched.log >&2; failed=$((failed + 1)); }
    touch $stop
    wait $!
    cat $folder/spent
}
# median_worst FILE
median_worst() { sort -n "$1" | awk '{ v[NR] = $1 } END { printf "median %d ms, worst %d ms", v[int((NR + 1) / 2)], v[NR] }'; }
# figure NAME POOL COMMAND…: over all rounds
figure() {
    local name=$1 pool=$2 n
    shift 2
    : >"$folder/$name"
    for n in $(seq "$rounds"); do watched "$pool" "$@" >>"$folder/$name"; done
    echo "figure: suspended by $name: $(median_worst "$folder/$name")"
}

pvcreate -q /dev/vdb && vgcreate -q t /dev/vdb
lvcreate -q -y -L 512M -T t/p --poolmetadatasize 16M -c 64K
lvcreate -q -y -V 1G -T t/p -n v
truncate -s 512M $folder/data && truncate -s 8M $folder/meta
meta=$(losetup -f --show $folder/meta) data=$(losetup -f --show $folder/data)
dmsetup create own --table "0 1048576 thin-pool $meta $data 128 0 1 skip_block_zeroing"
dmsetup message own 0 "create_thin 0"
dmsetup create own-thin --table "0 1048576 thin /dev/mapper/own 0"

# somebody writes to both all the while
for node in /dev/t/v /dev/mapper/own-thin; do
    (while [ ! -e $folder/end ]; do dd if=/dev/zero of="$node" bs=64k count=64 oflag=direct conv=notrunc status=none; done) &
done
documents() {
    local size
    truncate -s +8M $folder/data && losetup -c "$data"
    size=$(blockdev --getsz "$data")
    dmsetup suspend own
    dmsetup reload own --table "0 $size thin-pool $meta $data 128 0 1 skip_block_zeroing"
    dmsetup resume own
}
figure ours-own own thinscope grow own --data +8M --yes=own
figure documents own documents
figure lvextend t-p-tpool lvextend -q -L +8M t/p
figure ours-lvm t-p-tpool thinscope grow t/p --data +8M --yes=t/p
touch $folder/end
wait
worst() { sort -n "$folder/$1" | tail -n 1; }
median() { sort -n "$folder/$1" | sed -n "$(((rounds + 1) / 2))p"; }
ok "ours is suspended for less than the documents' commands" test "$(median ours-own)" -lt "$(median documents)"
ok "and never for a second" test "$(worst ours-own)" -lt 1000
ok "nothing is suspended at the end" nothing_suspended
