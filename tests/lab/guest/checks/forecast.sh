#!/bin/bash
# A pool that is filled steadily: what is forecast after four minutes, on the screen and by commands, against
# when it is full. A pool beside it, looked at as often, does not fill, and nothing is said of it.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
export LC_ALL=C.UTF-8
pvcreate -q /dev/vdb && vgcreate -q t /dev/vdb
# 10,240 blocks of 64 KiB; 24 of them a second are full after seven minutes
for name in fills rests; do
    lvcreate -q -y -Z n -L 640M -T t/$name --poolmetadatasize 4M -c 64K
    lvcreate -q -y -V 1G -T t/$name -n v-$name
done
dd if=/dev/zero of=/dev/t/v-rests bs=64k count=2000 oflag=direct status=none
used() { dmsetup status --noflush t-fills-tpool | awk '{ split($6, n, "/"); print n[1] }'; }
total() { dmsetup status --noflush t-fills-tpool | awk '{ split($6, n, "/"); print n[2] }'; }
forecast() { thinscope pool --json | jq -c --arg n "$1" '.pools[] | select(.name == $n) | .forecast.data // empty'; }
shown() { tmux capture-pane -p -t f; }

tmux -f /dev/null new-session -d -s f -x 120 -y 40 'TERM=screen thinscope; sleep 1000'
ok "the screen opens" eventually 60 bash -c 'tmux capture-pane -p -t f | grep -q fills'
steadily() { # by the clock: one that was late is made up for
    local n=0 began=$EPOCHSECONDS
    while [ $n -lt 10240 ]; do
        dd if=/dev/zero of=/dev/t/v-fills bs=64k seek=$n count=$((10240 - n < 24 ? 10240 - n : 24)) oflag=direct status=none || return
        n=$((n + 24))
        while [ $((n / 24)) -gt $((EPOCHSECONDS - began)) ]; do sleep 0.2; done
    done
}
steadily &
writer=$!
sleep 30
equal "after half a minute nothing is said" '' "$(forecast t-fills-tpool)"
sleep 215
said=$(forecast t-fills-tpool) at=$EPOCHSECONDS
echo "  $said"
thinscope pool t/fills | grep -i 'full in' | sed 's/^/  /'
contains "pool says it in words" "is full in about" "$(thinscope pool t/fills)"
tmux send-keys -t f / ; tmux send-keys -t f -l t-fills-tpool; tmux send-keys -t f Enter Escape
ok "and the screen in view 1" eventually 15 bash -c "tmux capture-pane -p -t f | grep -q 'full in about'"
shown | grep 'full in about' | sed 's/^/  /'
says "check says it, critical within the hour" 2 "full in about" thinscope check
equal "of the pool that rests nothing is said" '' "$(forecast t-rests-tpool)"
ok "it is full" eventually 400 bash -c "[ \$(dmsetup status --noflush t-fills-tpool | cut -d' ' -f6 | cut -d/ -f1) -ge 10240 ]"
took=$((EPOCHSECONDS - at))
wait "$writer"
of() { jq ".$1" <<<"$said"; }
echo "figure: forecast after four minutes: full in $(of full_in_seconds) s ($(of earliest_seconds) to $(of latest_seconds)); it was full after $took s"
# the samples are ten seconds apart, and the uncertainty is a range of whole seconds
ok "that lies within what was said, the time between two samples allowed" \
    test $((took + 10)) -ge "$(of earliest_seconds)" -a $((took - 10)) -le "$(of latest_seconds)"
equal "of the full pool nothing is said" '' "$(forecast t-fills-tpool)"
tmux kill-server
vgremove -q -f t
