#!/bin/bash
# What the screen takes when nothing happens, on a host with five pools, its children included; beside it
# what one `lvs -a` takes on the same host, for an emulated processor is some thirty times slower.
. "$LAB/guest/check.sh"
export LC_ALL=C.UTF-8
if [ "$LAB_HOST" = bare ]; then
    pvcreate -q /dev/vdb && vgcreate -q five /dev/vdb
    for n in 1 2 3 4 5; do
        lvcreate -q -y -L 256M -T "five/p$n" --poolmetadatasize 4M
        lvcreate -q -y -V 1G -T "five/p$n" -n "v$n"
    done
fi
equal "pools that are there" "$([ "$LAB_HOST" = bare ] && echo 5 || echo 1)" "$(dmsetup table | grep -c ' thin-pool ')"
tmux -f /dev/null new-session -d -s idle -x 120 -y 40 thinscope
sleep 15
pid=$(pgrep -x thinscope | head -n 1)
# utime, stime, and those of children waited for; of the program and of the children that stay
ticks() {
    for one in "$pid" $(pgrep -P "$pid"); do sed 's/.*) //' "/proc/$one/stat"; done |
        awk '{ sum += $12 + $13 + $14 + $15 } END { print sum }'
}
hz=$(getconf CLK_TCK)
started() { sed -n 's/^processes //p' /proc/stat; }
# the one that reads metadata ends after its look, and may still be at the first
standing() { pgrep -P "$pid" -f '__probe (dm|block|mounts|lvm|docker|containerd)' | sort; }
children=$(standing)
before=$(ticks) first=$(started)
sleep 120
spent=$((($(ticks) - before) * 1000 / hz)) more=$(($(started) - first))
equal "the six children are the same" "6 $children" "$(wc -l <<<"$(standing)") $(standing)"
# threads count, and the machine's own daemons start some: a child for each look would be forty and more
ok "nothing is started while nothing happens ($more)" test "$more" -le 20
# user and system time of one lvs -a, of twenty
TIMEFORMAT='%3U %3S'
lvs=$({ time for _ in 1 2 3 4 5 6 7 8 9 10; do lvs -a >/dev/null 2>&1; done; } 2>&1 | awk '{ printf "%d", ($1 + $2) * 100 }')
echo "figure: idle for 120 s took $spent ms of a processor ($(awk -v s="$spent" 'BEGIN { printf "%.2f", s / 1200 }') % of this one, children included); one lvs -a takes $lvs ms: in a minute the screen takes as much as $(awk -v s="$spent" -v l="$lvs" 'BEGIN { printf "%.1f", s / 2 / l }') of them"
tmux send-keys -t idle q
ok "q ends it" eventually 5 bash -c '! pgrep -x thinscope'
