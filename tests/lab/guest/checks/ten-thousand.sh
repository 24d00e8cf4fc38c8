#!/bin/bash
# A look at 10,000 real active thin volumes of LVM's costs less than one `lvs -a`. An emulated LVM
# takes a minute or two for them and we give it seconds: what it did not tell is a gap, and every
# volume is there all the same, from device-mapper.
. "$LAB/guest/check.sh"

milliseconds() { # milliseconds COMMAND…
    local began ended
    began=$(date +%s%N)
    "$@" >/dev/null 2>&1
    ended=$(date +%s%N)
    echo $(((ended - began) / 1000000))
}
active=$(dmsetup table --target thin | grep -c .)
equal "there are ten thousand active thin devices" 10000 "$active"
ours=$(milliseconds thinscope tree --json)
lvs=$(milliseconds lvs -a)
thinscope tree --json >/results/tree.json
equal "all of them are in the tree, active" 10000 \
    "$(jq '[.nodes[] | select(.kind == "thin" and .device != null)] | length' /results/tree.json)"
echo "figure: tree --json ${ours} ms, lvs -a ${lvs} ms; gaps: $(jq -c '[.gaps[] | .source]' /results/tree.json)"
ok "tree --json is quicker than lvs -a" test "$ours" -lt "$lvs"
memory=$(/usr/bin/env bash -c 'thinscope findings >/dev/null & pid=$!
    most=0
    while kill -0 $pid 2>/dev/null; do
        now=$(awk "/VmHWM/ {print \$2}" /proc/$pid/status 2>/dev/null)
        [ "${now:-0}" -gt $most ] && most=$now
        sleep 0.2
    done
    echo $most')
echo "figure: findings at most $((memory / 1024)) MiB in memory"
ok "findings takes less than 60 MiB" test "$memory" -lt 61440
