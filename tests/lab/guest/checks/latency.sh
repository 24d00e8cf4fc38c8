#!/bin/bash
# From a device-mapper event to the screen: a pool runs out of data space and gets some, again and again.
# The event's moment is the kernel's own, of the message that it writes at the event; the screen's is when
# the terminal had the bytes.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
export LC_ALL=C.UTF-8
rounds=5
sectors=128 blocks=64
dd if=/dev/zero of=/dev/vdb bs=1M count=4 oflag=direct status=none
dmsetup create --noudevsync l-meta --table "0 8192 linear /dev/vdb 0"
node() { echo "/dev/dm-$(dmsetup info -c --noheadings -o minor "$1")"; }
data_table() { echo "0 $((blocks * sectors)) linear /dev/vdc 0"; }
pool_table() { echo "0 $((blocks * sectors)) thin-pool $(node l-meta) $(node l-data) $sectors 0"; }
dmsetup create --noudevsync l-data --table "$(data_table)"
dmsetup create --noudevsync l-pool --table "$(pool_table)"
dmsetup message l-pool 0 'create_thin 0'
dmsetup create --noudevsync l-thin --table "0 1048576 thin $(node l-pool) 0"
thin=$(node l-thin)
write() { dd if=/dev/zero of="$thin" bs=64k seek="$1" count="$2" oflag=direct status=none; }
write 0 $blocks
# a block more, quickly: the tables are loaded before
give_block() {
    dmsetup reload l-data --table "$(data_table)" && dmsetup suspend --noflush l-data && dmsetup resume l-data &&
        dmsetup reload l-pool --table "$(pool_table)" && dmsetup suspend --noflush l-pool && dmsetup resume l-pool
}
echo 600 >/sys/module/dm_thin_pool/parameters/no_space_timeout

coproc terminal { python3 "$LAB/guest/terminal.py" 100 30 thinscope; }
ask() { local said; echo "$*" >&"${terminal[1]}"; read -r said <&"${terminal[0]}"; echo "$said"; }
refused "the screen opens" test "$(ask await 60 l-pool)" = never
us() { local whole=${1%.*} part=${1#*.}; echo $((whole * 1000000 + 10#${part}000000 / 10 ** ${#part})); }
# kernel_says WORDS: when the kernel last said so; by a mark of ours its clock is set beside ours
kernel_says() {
    local mark=mark-$RANDOM at ours said
    ours=$EPOCHREALTIME
    echo "$mark" >/dev/kmsg
    at=$(dmesg | sed -n "s/^\[ *\([0-9.]*\)\] $mark$/\1/p")
    said=$(dmesg | sed -n "s/^\[ *\([0-9.]*\)\] .*$1.*/\1/p" | tail -n 1)
    echo $(($(us "$ours") - $(us "$at") + $(us "$said")))
}
down=() up=()
for round in $(seq $rounds); do
    sleep 12 # so long that no earlier look is rested from
    write "$blocks" 1 &
    seen=$(ask await 30 "l-pool is full: writes wait")
    [ "$seen" = never ] || down+=($((($(us "$seen") - $(kernel_says 'switching pool to out-of-data-space')) / 1000)))
    sleep 12
    blocks=$((blocks + 1))
    give_block
    seen=$(ask gone 30 "l-pool is full: writes wait")
    [ "$seen" = never ] || up+=($((($(us "$seen") - $(kernel_says 'switching pool to write mode')) / 1000)))
    wait %2 2>/dev/null
done
echo "  $(ask screen /results/latency.txt)"
of() { printf '%s\n' "$@" | sort -n | tr '\n' ' '; }
median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }
equal "every event was seen" "$rounds $rounds" "${#down[@]} ${#up[@]}"
# a processor that is emulated, and shared: what is asked of a real one is a fifth of a second
ok "out of data space is on the screen within a second" test "$(median "${down[@]}")" -le 1000
echo "figure: out of data space, from the kernel's event to the screen, at most 200 on a real processor: median $(median "${down[@]}") ms ($(of "${down[@]}"))"
echo "figure: with room again: median $(median "${up[@]}") ms ($(of "${up[@]}"))"
: "$(ask press q)"
ok "q leaves" eventually 5 bash -c '! pgrep -x thinscope'
for device in l-thin l-pool l-data l-meta; do dmsetup remove --retry $device; done
