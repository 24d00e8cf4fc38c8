#!/bin/bash
# Growing is killed at any moment: thinscope alone, with its whole process group, LVM within its
# window, the process that holds ours. Nothing stays suspended, resume reaches the end, and a
# container that writes meanwhile loses nothing.
#   killed.sh [KILLS] [SEED]    kills at moments of chance (6)
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
. "$LAB/guest/witness.sh"
. "$LAB/guest/killing.sh"

kills=${1:-6}
RANDOM=${2:-1}
pool=$(pool_name)
case $pool in
docker-thinpool)
    by=4M blocks=8 metadata_blocks=1024 killer="^/[a-z/]*lvm lvextend"
    # LVM's own low water mark (the 7th word) follows the size
    arguments() { dmsetup table "$pool" | cut -d ' ' -f 3-6,8-; }
    pvcreate -q /dev/vdc /dev/vdd && vgextend -q docker /dev/vdc /dev/vdd
    ;;
*)
    by=1M blocks=16 metadata_blocks=256 killer="__act"
    arguments() { dmsetup table "$pool" | cut -d ' ' -f 3-; }
    ;;
esac
sum=$(sum_of_stopped nightly-report)
# many kills take long enough: then the container leaves the processor to them
ok "a container writes" start_writer shop-web-1 "$([ "$kills" -le 20 ] || echo 0.5)"
kept=$(arguments)
start=$(total_of "$pool") start_metadata=$(metadata_of "$pool")
# what was agreed to: of every run that is done, and of no other
runs() { thinscope journal | grep -c -- "$1"; }
expected() { echo $((start + $(runs '--data .*  done$') * blocks)); }
expected_metadata() { echo $((start_metadata + $(runs '--metadata .*  done$') * metadata_blocks)); }
resumed() { # resumed: resume ends what was cut off, and the pool has what was agreed to
    thinscope resume >/tmp/resume.log 2>&1
    local status=$?
    { [ $status = 0 ] && ! any_suspended && [ "$(arguments)" = "$kept" ] &&
        [ "$(total_of "$pool")" = "$(expected)" ] && [ "$(metadata_of "$pool")" = "$(expected_metadata)" ]; } || {
        echo "resume: $status; $(total_of "$pool") data blocks, expected $(expected);" \
            "$(metadata_of "$pool") metadata blocks, expected $(expected_metadata); $(arguments)"
        cat /tmp/resume.log
        thinscope journal | tail -n 3
        return 1
    }
}
# grow [METADATA]: in a group of its own; sets pid
grow() {
    setsid thinscope grow --data +$by ${1:+--metadata +$by} --yes="$pool" >/tmp/grow.log 2>&1 &
    pid=$!
}
# where_it_was: how the newest run stands, in a word or two
where_it_was() { thinscope journal | tail -n 1 | sed 's/.*  //'; }

# how long a run takes here, undisturbed, from its journal's first line
ok "undisturbed it grows" thinscope grow --data +$by --yes="$pool"
count=$(journals)
grow metadata
ok "undisturbed a run is begun" begun "$count"
began=$(date +%s%N)
ok "undisturbed data and metadata grow" wait "$pid"
took=$((($(date +%s%N) - began) / 1000000))
equal "the pool has both" "$(expected) $(expected_metadata)" "$(total_of "$pool") $(metadata_of "$pool")"

# kill_one N: one kill at a moment of chance. Every tenth may come before anything is begun; every
# other takes the whole group; every third run grows metadata too, which is more steps.
kill_one() {
    local n=$1 span=$((took * 6 / 10)) count
    count=$(journals)
    if [ $((n % 3)) = 0 ]; then
        span=$took
        grow metadata
    else
        grow
    fi
    [ $((n % 10)) = 0 ] || begun "$count"
    pause $((RANDOM * span / 32768))
    if [ $((n % 2)) = 0 ]; then kill -KILL -- -"$pid"; else kill -KILL "$pid"; fi 2>/dev/null
    wait "$pid" 2>/dev/null
}
long=0 unfinished=0 first=$SECONDS
for n in $(seq "$kills"); do
    kill_one "$n"
    suspended_long && long=$((long + 1))
    where_it_was >>/tmp/where.log
    resumed >/tmp/said.log 2>&1 || { unfinished=$((unfinished + 1)); echo "kill $n"; cat /tmp/said.log; }
done
echo "figure: $kills kills in $((SECONDS - first)) s, at: $(sort /tmp/where.log | uniq -c | awk '{ $1 = $1; printf "%s%s", sep, $0; sep = ", " }')"
equal "after $kills kills nothing was suspended for longer than a second" 0 "$long"
equal "and every run that was begun was brought to its end" 0 "$unfinished"
ok "kills met runs that were not done" grep -qvx done /tmp/where.log

# within the window: whoever holds the pool suspended is killed there, and thinscope with it. Between
# seeing and killing nothing is started: a window lasts some milliseconds.
# A growth of files has a process for each step: the one after the other is watched.
within_window() {
    local holder states=(/sys/block/dm-*/dm/suspended)
    grow
    while kill -0 "$pid" 2>/dev/null; do
        holder=$(pgrep -f "$killer" | tail -n 1)
        [ -z "$holder" ] || ! killed_suspended "$holder" || return 0
    done
    wait "$pid" 2>/dev/null
    return 1
}
# killed_suspended HOLDER: something was suspended while it lived, and it was killed with thinscope
killed_suspended() {
    local state now
    while [ -d "/proc/$1" ]; do
        for state in "${states[@]}"; do
            read -r now <"$state"
            [ "$now" = 1 ] || continue
            kill -KILL "$1" -- -"$pid" 2>/dev/null
            wait "$pid" 2>/dev/null
            return 0
        done
    done
    return 1
}
hit=0 left=0
for n in $(seq 6); do
    within_window || { resumed >/dev/null; continue; }
    sleep 0.2
    any_suspended && left=$((left + 1))
    resumed >/tmp/said.log 2>&1 && hit=$((hit + 1)) || cat /tmp/said.log
done
echo "figure: killed within the window: brought to the end $hit times, found suspended before $left times"
ok "killed within the window, resume brings the pool back and to the end" test "$hit" -gt 0
ok "nothing is suspended" nothing_suspended
equal "the pool has what was agreed to" "$(expected)" "$(total_of "$pool")"
ok "the writer goes on" goes_on shop-web-1
ok "no line of it is missing" whole shop-web-1
equal "what lay on the pool is whole" "$sum" "$(sum_of_stopped nightly-report)"
equal "LVM and the kernel agree, or LVM has no say" 0 "$(lvs --noheadings --nosuffix --units b -o lv_size docker/thinpool 2>/dev/null | awk -v have="$(($(total_of "$pool") * 524288))" '$1 != have { print 1 }' | grep -c 1)"
