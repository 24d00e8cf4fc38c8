#!/bin/bash
# Looks at a pool that is written to all the while: each is of one commit, and compared with what
# thin_ls says of metadata snapshots before and after it.
#   load.sh [LOOKS]  default: 30
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
. "$LAB/guest/writer.sh"
mkdir -p /results/load && cd /results/load || exit 1
looks=${1:-30} at_once=5

pool=$(pool_name)
tmeta=/dev/dm-$(dmsetup table "$pool" | awk '{ split($4, n, ":"); print n[2] }')
bytes=$(($(dmsetup table "$pool" | awk '{ print $6 }') * 512))
rest() { dmsetup status --noflush "$pool" | awk '{ print $4, $7, $8, $9, $10, $11 }'; }
before_all=$(rest)
begin_load "$pool" 0.02
between=0 broken=0 gaps=0 seen=0 done=0
truth >before.txt
while [ "$done" -lt "$looks" ]; do
    for at in $(seq $at_once); do thinscope layers --sharing --json >"look-$at.json"; done
    truth >after.txt
    for at in $(seq $at_once); do
        done=$((done + 1))
        [ "$(jq -c '.gaps' "look-$at.json")" = '[]' ] || { gaps=$((gaps + 1)); cp "look-$at.json" "gap-$done.json"; continue; }
        seen=$((seen + 1))
        said "look-$at.json" "$bytes" >look.txt
        adds_up look.txt || { broken=$((broken + 1)); cp look.txt "broken-$done.txt"; }
        between before.txt after.txt look.txt && between=$((between + 1)) || cp look.txt "outside-$done.txt"
    done
    mv after.txt before.txt
done
echo "figure: $done looks under load, $seen of them whole, $gaps overtaken by commits, $SECONDS s"
ok "most looks got through" test "$seen" -gt $((done / 2))
equal "every look is of one commit" "$seen" "$between"
equal "exclusive and shared always add up" 0 "$broken"
ok "a look that was overtaken says so and how to go on" bash -c '
    for gap in gap-*.json; do
        [ ! -e "$gap" ] || jq -e "any(.gaps[]; .why | test(\"committed during each\") and test(\"--reserve-snapshot\"))" "$gap" || exit 1
    done'
# a look that is killed midway leaves nothing behind
for wait in 0.05 0.1 0.2 0.4 0.8; do
    thinscope layers --sharing --json >/dev/null 2>&1 &
    sleep $wait
    kill -KILL $! 2>/dev/null
    wait $! 2>/dev/null
done
ok "killed looks leave no process" eventually 15 bash -c '! pgrep -x thinscope && ! pgrep -f [_]_probe'
end_load
equal "mode, transaction and options of the pool are what they were, and nobody holds a snapshot" \
    "$before_all" "$(rest)"
