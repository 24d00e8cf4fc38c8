#!/bin/bash
# With a suspended thin device, a suspended pool, a held VG lock, and an LVM that is missing, broken,
# endless or slow: a usable tree in time, a named gap or finding, and nothing left behind.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"

pool=$(pool_name)
thin=$(dmsetup table --target thin | head -n 1 | sed 's/: .*//')
look() { # look NAME: documents in time
    local began=$SECONDS
    timeout 60 thinscope tree --json >"/results/$1-tree.json"
    equal "$1: tree answers" 0 $?
    timeout 60 thinscope findings --json >"/results/$1-findings.json"
    timeout 60 thinscope pool --json >"/results/$1-pool.json"
    ok "$1: three looks within a minute" test $((SECONDS - began)) -lt 60
    ok "$1: the pool is in the tree" jq -e --arg p "$pool" 'any(.nodes[]; .kind == "pool" and .name == $p)' "/results/$1-tree.json"
    ok "$1: the VG is in the tree" jq -e 'any(.nodes[]; .kind == "vg")' "/results/$1-tree.json"
}
finding() { jq -e --arg c "$2" 'any(.findings[]; .code == $c)' "/results/$1-findings.json"; }

look healthy
equal "healthy: no finding of gravity" 0 "$(jq '[.findings[] | select(.severity == "critical")] | length' /results/healthy-findings.json)"

suspend_thin "$thin"
look thin-suspended
ok "thin-suspended: a finding says so" finding thin-suspended device-suspended
ok "thin-suspended: LVM was seen all the same" jq -e '[.gaps[] | select(.source == "lvm")] == []' /results/thin-suspended-tree.json
resume_thin "$thin"

suspend_pool "$pool"
look pool-suspended
ok "pool-suspended: a finding says so" finding pool-suspended pool-suspended
ok "pool-suspended: LVM was seen all the same" jq -e '[.gaps[] | select(.source == "lvm")] == []' /results/pool-suspended-tree.json
resume_pool "$pool"

hold_vg_lock docker
look lock-held
ok "lock-held: a gap names LVM and the lock" jq -e 'any(.gaps[]; (.source | startswith("lvm")) and (.why | test("lock")))' /results/lock-held-tree.json
ok "lock-held: LVs are there all the same" jq -e 'any(.nodes[]; .kind == "pmspare")' /results/lock-held-tree.json
release_vg_lock

mv /usr/sbin/lvm /usr/sbin/lvm.away
look lvm-missing
ok "lvm-missing: a gap says so" jq -e 'any(.gaps[]; .source | startswith("lvm"))' /results/lvm-missing-tree.json
printf '#!/bin/sh\necho "{garbage"; exit 5\n' >/usr/sbin/lvm && chmod +x /usr/sbin/lvm
look lvm-garbage
ok "lvm-garbage: a gap says so" jq -e 'any(.gaps[]; .source | startswith("lvm"))' /results/lvm-garbage-tree.json
printf '#!/bin/sh\nexec sleep 1000000\n' >/usr/sbin/lvm
look lvm-endless
ok "lvm-endless: a gap says so" jq -e 'any(.gaps[]; .source | startswith("lvm"))' /results/lvm-endless-tree.json

# one that only has much to tell: longer than the ten seconds of a host with few volumes
many=300
dmsetup create --concise "$(seq $many | sed 's/.*/many-&,LVM-many&,,rw,0 8 zero/' | paste -sd ';')"
printf '#!/bin/bash\nsleep 12\nexec -a lvm /usr/sbin/lvm.away "$@"\n' >/usr/sbin/lvm
equal "lvm-slow: it has so many devices" $many "$(dmsetup ls | grep -c ^many-)"
timeout 60 thinscope tree --json >/results/lvm-slow-tree.json
ok "lvm-slow: LVM is waited for, and seen" jq -e '[.gaps[] | select(.source == "lvm")] == [] and any(.nodes[]; .kind == "pmspare")' /results/lvm-slow-tree.json
seq -f 'many-%g' $many | xargs dmsetup remove
mv /usr/sbin/lvm.away /usr/sbin/lvm
sleep 1
ok "nothing of ours is left running" bash -c '! pgrep -x thinscope'
