#!/bin/bash
# The machine dies in the middle of a growth, at moments that move through it, with what was not on disk
# lost: after the next boot nothing is suspended, resume ends every run, LVM and the kernel agree, and what
# lay on the pool is whole.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
. "$LAB/guest/witness.sh"
kept=/var/lib/lab-crash
stage() { cat $kept/stage 2>/dev/null || echo 0; }
# milliseconds from the first word of the journal to the end of the machine
moments=(0 150 500 1200)
journals() { find /var/lib/thinscope/journal -name '*.jsonl' 2>/dev/null | wc -l; }

# die_after MILLISECONDS: what is counted so far is on disk first
die_after() {
    local count at
    count=$(journals)
    echo $(($(stage) + 1)) >$kept/stage
    remember_counts
    sync
    setsid thinscope grow docker/thinpool --data +8M --metadata +4M --yes=docker/thinpool >/var/tmp/grow.log 2>&1 &
    until [ "$(journals)" -gt "$count" ]; do sleep 0.02; done
    at=$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))
    sleep "$at"
    echo b >/proc/sysrq-trigger
    sleep infinity
}

after_death() {
    local said status pool=docker-thinpool
    systemctl stop docker.socket docker 2>/dev/null
    eventually 60 test -e /dev/mapper/$pool || vgchange -q -ay docker
    said=$(thinscope journal | tail -n 1)
    echo "  it died at: ${said##*  }"
    thinscope resume >/tmp/resume.log 2>&1
    status=$?
    equal "stage $(stage): resume ends what was begun" 0 $status
    [ $status = 0 ] || cat /tmp/resume.log
    ok "stage $(stage): nothing is suspended" nothing_suspended
    says "stage $(stage): nothing is left" 0 "nothing is unfinished" thinscope resume
    local data metadata
    data=$(lvs --noheadings --nosuffix --units b -o lv_size docker/thinpool | tr -d ' ')
    metadata=$(lvs -a --noheadings --nosuffix --units b -o lv_size docker/thinpool_tmeta | tr -d ' ')
    equal "stage $(stage): LVM and the kernel agree on data" "$data" $(($(total_of $pool) * 524288))
    equal "stage $(stage): and on metadata" "$metadata" $(($(metadata_of $pool) * 4096))
    equal "stage $(stage): with what was agreed to, each time once" \
        "$(($(cat $kept/data) + $(stage) * 8 * 1048576)) $(($(cat $kept/metadata) + $(stage) * 4 * 1048576))" "$data $metadata"
    equal "stage $(stage): what lay on it is whole" "$(cat $kept/sum)" "$(sum_of_stopped nightly-report)"
}
if ! after_reboot; then
    mkdir -p $kept
    docker unpause shop-worker-1
    systemctl stop docker.socket docker
    pkill -f 'sleep 1000000'
    lvs --noheadings --nosuffix --units b -o lv_size docker/thinpool | tr -d ' ' >$kept/data
    lvs -a --noheadings --nosuffix --units b -o lv_size docker/thinpool_tmeta | tr -d ' ' >$kept/metadata
    pvcreate -q /dev/vdc && vgextend -q docker /dev/vdc
    sum_of_stopped nightly-report >$kept/sum
    systemctl disable -q docker.socket docker 2>/dev/null
    die_after "${moments[0]}"
fi
after_death
[ "$(stage)" -ge ${#moments[@]} ] || die_after "${moments[$(stage)]}"
