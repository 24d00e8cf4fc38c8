#!/bin/bash
# Figures on 1,000 real active thin devices: tree --json against lsblk --json and lvs -a, in turn,
# the medians; once with LVM's report in it and once on a host without LVM, as lsblk asks none.
# Correct first.
. "$LAB/guest/check.sh"

milliseconds() { # milliseconds COMMAND…
    local began ended
    began=$(date +%s%N)
    "$@" >/dev/null 2>&1
    ended=$(date +%s%N)
    echo $(((ended - began) / 1000000))
}
median() { sort -n | sed -n "$(((${1} + 1) / 2))p"; }

thinscope tree --json >/results/tree.json
active=$(dmsetup table --target thin | grep -c .)
ok "there are a thousand active thin devices" test "$active" -ge 1000
equal "all of them are in the tree, active" "$active" \
    "$(jq '[.nodes[] | select(.kind == "thin" and .device != null)] | length' /results/tree.json)"
rounds=5
for _ in $(seq $rounds); do
    milliseconds thinscope tree --json >>/results/thinscope.ms
    mv /usr/sbin/lvm /usr/sbin/lvm.away
    milliseconds thinscope tree --json >>/results/thinscope-without.ms
    mv /usr/sbin/lvm.away /usr/sbin/lvm
    milliseconds lsblk --json >>/results/lsblk.ms
    milliseconds lvs -a >>/results/lvs.ms
done
ours=$(median $rounds </results/thinscope.ms)
without=$(median $rounds </results/thinscope-without.ms)
lsblk=$(median $rounds </results/lsblk.ms)
lvs=$(median $rounds </results/lvs.ms)
echo "figure: tree --json ${ours} ms with LVM, ${without} ms without, lsblk --json ${lsblk} ms, lvs -a ${lvs} ms (medians of $rounds, in turn)"
ok "tree --json without LVM is quicker than lsblk --json" test "$without" -lt "$lsblk"
ok "tree --json without LVM is quicker than lvs -a" test "$without" -lt "$lvs"
ok "tree --json, LVM included, is within 1.5 times lvs -a" test $((ours * 2)) -le $((lvs * 3))
