#!/bin/bash
# Growing is killed at any moment: thinscope alone, with its whole process group, LVM within its
# window, the process that holds ours. Nothing stays suspended, resume reaches the end, and a
# container that writes meanwhile loses nothing. KILLS says how often (6).
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
. "$LAB/guest/witness.sh"

pool=$(pool_name)
case $pool in
docker-thinpool)
    by=4M blocks=8 killer="^/[a-z/]*lvm lvextend"
    pvcreate -q /dev/vdc /dev/vdd && vgextend -q docker /dev/vdc /dev/vdd
    ;;
*) by=1M blocks=16 killer="__act" ;;
esac
ok "a container writes" start_writer shop-web-1
start=$(total_of "$pool")
done_runs() { thinscope journal --json | jq '[.runs[] | select(.state == "done")] | length'; }
expected() { echo $((start + $(done_runs) * blocks)); }
any_suspended() { grep -qs 1 /sys/block/dm-*/dm/suspended; }
# suspended_long: something is suspended now, and all of the next second
suspended_long() {
    local tries=0
    while [ $((tries += 1)) -le 20 ]; do
        any_suspended || return 1
        sleep 0.05
    done
}
resumed() { # resumed WHAT: resume ends what was cut off, and the pool has what was agreed to
    thinscope resume >/tmp/resume.log 2>&1
    local status=$?
    { [ $status = 0 ] && ! any_suspended && [ "$(total_of "$pool")" = "$(expected)" ]; } || {
        echo "resume: $status; $(total_of "$pool") blocks, expected $(expected)"
        cat /tmp/resume.log
        thinscope journal | tail -n 3
        return 1
    }
}

# how long a run takes here, undisturbed
began=$(date +%s%N)
ok "undisturbed it grows" thinscope grow --data +$by --yes="$pool"
took=$((($(date +%s%N) - began) / 1000000))
long=0 unfinished=0 kills=${KILLS:-6}
for n in $(seq "$kills"); do
    setsid thinscope grow --data +$by --yes="$pool" >/tmp/grow.log 2>&1 &
    pid=$!
    sleep "$(awk -v took=$took -v n="$n" -v of="$kills" 'BEGIN { printf "%.3f", took * n / of / 1000 }')"
    if [ $((n % 2)) = 0 ]; then kill -KILL -- -"$pid"; else kill -KILL "$pid"; fi 2>/dev/null
    wait "$pid" 2>/dev/null
    suspended_long && long=$((long + 1))
    resumed "kill $n" >/tmp/said.log 2>&1 || { unfinished=$((unfinished + 1)); cat /tmp/said.log; }
done
equal "after $kills kills nothing was suspended for longer than a second" 0 "$long"
equal "and every run that was begun was brought to its end" 0 "$unfinished"

# within the window: whoever holds the pool suspended is killed there, and thinscope with it. Between
# seeing and killing nothing is started: a window lasts some milliseconds.
within_window() {
    local holder='' states=(/sys/block/dm-*/dm/suspended) state now
    setsid thinscope grow --data +$by --yes="$pool" >/tmp/grow.log 2>&1 &
    pid=$!
    while [ -z "$holder" ]; do
        holder=$(pgrep -f "$killer" | head -n 1)
        kill -0 "$pid" 2>/dev/null || return 1
    done
    while [ -d "/proc/$holder" ]; do
        for state in "${states[@]}"; do
            read -r now <"$state"
            [ "$now" = 1 ] || continue
            kill -KILL "$holder" -- -"$pid" 2>/dev/null
            wait "$pid" 2>/dev/null
            return 0
        done
    done
    wait "$pid" 2>/dev/null
    return 1
}
hit=0 left=0
for n in $(seq 6); do
    within_window || { resumed "a window that was missed" >/dev/null; continue; }
    sleep 0.2
    any_suspended && left=$((left + 1))
    resumed "window $n" >/tmp/said.log 2>&1 && hit=$((hit + 1)) || cat /tmp/said.log
done
echo "figure: killed within the window: brought to the end $hit times, found suspended before $left times"
ok "killed within the window, resume brings the pool back and to the end" test "$hit" -gt 0
ok "nothing is suspended" nothing_suspended
equal "the pool has what was agreed to" "$(expected)" "$(total_of "$pool")"
ok "the writer goes on" goes_on shop-web-1
ok "no line of it is missing" whole shop-web-1
equal "LVM and the kernel agree, or LVM has no say" 0 "$(lvs --noheadings --nosuffix --units b -o lv_size docker/thinpool 2>/dev/null | awk -v have="$(($(total_of "$pool") * 524288))" '$1 != have { print 1 }' | grep -c 1)"
