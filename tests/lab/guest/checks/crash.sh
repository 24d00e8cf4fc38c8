#!/bin/bash
# The machine dies in the middle of a growth, at moments that move through it, with what was not on disk
# lost: after the next boot nothing is suspended, resume ends every run, LVM and the kernel agree, and what
# lay on the pool is whole.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
. "$LAB/guest/witness.sh"
kept=/var/lib/lab-crash
stage() { cat $kept/stage 2>/dev/null || echo 0; }
# percent of what an undisturbed run takes, from the first word of its journal to the machine's end
moments=(25 40 55 70 85)
journals() { find /var/lib/thinscope/journal -name '*.jsonl' 2>/dev/null | wc -l; }

# grows: in the background, until its journal is begun; sets pid
grows() {
    local count
    count=$(journals)
    setsid thinscope grow docker/thinpool --data +8M --metadata +4M --yes=docker/thinpool >/var/tmp/grow.log 2>&1 &
    pid=$!
    until [ "$(journals)" -gt "$count" ]; do sleep 0.02; done
}
# die_at PERCENT: what is counted so far is on disk first
die_at() {
    local after=$(($(cat $kept/took) * $1 / 100))
    echo $(($(stage) + 1)) >$kept/stage
    remember_counts
    sync
    grows
    sleep "$(printf '%d.%03d' $((after / 1000)) $((after % 1000)))"
    echo b >/proc/sysrq-trigger
    sleep infinity
}

after_death() {
    local said status pool=docker-thinpool
    systemctl stop docker.socket docker 2>/dev/null
    eventually 60 test -e /dev/mapper/$pool || vgchange -q -ay docker
    said=$(thinscope journal | tail -n 1)
    echo "  the last run that is known: ${said##*  }"
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
    # a run of which not even the first word reached the disk has done nothing
    local runs
    runs=$(thinscope journal | grep -c '  done$')
    thinscope journal | sed 's/^/  /'
    cat /tmp/resume.log
    equal "stage $(stage): with what was agreed to, each time once" \
        "$(($(cat $kept/data) + runs * 8 * 1048576)) $(($(cat $kept/metadata) + runs * 4 * 1048576))" "$data $metadata"
    equal "stage $(stage): what lay on it is whole" "$(cat $kept/sum)" "$(sum_of_stopped nightly-report)"
}
if ! after_reboot; then
    mkdir -p $kept
    sum_of_stopped nightly-report >$kept/sum
    ok "there is something to be kept" test -s $kept/sum
    docker unpause shop-worker-1
    systemctl stop docker.socket docker
    pkill -f 'sleep 1000000'
    lvs --noheadings --nosuffix --units b -o lv_size docker/thinpool | tr -d ' ' >$kept/data
    lvs -a --noheadings --nosuffix --units b -o lv_size docker/thinpool_tmeta | tr -d ' ' >$kept/metadata
    pvcreate -q /dev/vdc && vgextend -q docker /dev/vdc
    systemctl disable -q docker.socket docker 2>/dev/null
    began=$(date +%s%N)
    grows
    ok "undisturbed it grows" wait "$pid"
    echo $((($(date +%s%N) - began) / 1000000)) >$kept/took
    die_at "${moments[0]}"
fi
after_death
if [ "$(stage)" -ge ${#moments[@]} ]; then
    ok "more than one run was met in its middle" test "$(thinscope journal | grep -c '  done$')" -ge 3
else
    die_at "${moments[$(stage)]}"
fi
