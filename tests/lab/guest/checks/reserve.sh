#!/bin/bash
# A metadata snapshot reserved where commits outrun the reading and the user asked for it: what is
# read through it is of one commit, it is always released, and nobody else's is touched.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
. "$LAB/guest/writer.sh"
mkdir -p /results/reserve && cd /results/reserve || exit 1
slips=/var/lib/thinscope/reserved

pool=$(pool_name)
tmeta=/dev/dm-$(dmsetup table "$pool" | awk '{ split($4, n, ":"); print n[2] }')
bytes=$(($(dmsetup table "$pool" | awk '{ print $6 }') * 512))
slips() { find "$slips" -type f 2>/dev/null | wc -l; }

refused "--read-only refuses it" thinscope --read-only layers --sharing --reserve-snapshot
equal "a pool that is not outrun is not written to" null \
    "$(thinscope layers --sharing --reserve-snapshot --json | jq -c .reserved_snapshots)"

begin_load "$pool"
# whether a look is outrun is chance: until one is
reserved() {
    truth >before.txt
    thinscope layers --sharing --reserve-snapshot --json >look.json 2>look.err
    truth >after.txt
    jq -e '.reserved_snapshots != null' look.json
}
ok "a look that is outrun goes on through a snapshot" eventually 180 reserved
equal "it says where it wrote, and that it released" "[{\"pool\":\"$pool\",\"released\":true,\"why\":null}]" \
    "$(jq -c .reserved_snapshots look.json)"
contains "also to a person" "wrote to pool $pool" "$(cat look.err)"
equal "and has no gap" '[]' "$(jq -c .gaps look.json)"
said look.json "$bytes" >look.txt
ok "what it says is of one commit between two of thin_ls's" between before.txt after.txt look.txt
ok "exclusive and shared add up" adds_up look.txt
equal "nothing is held after it" - "$(held)"
equal "and nothing is noted down any more" 0 "$(slips)"

# whoever looks is killed, the process that holds is not
catch() { # catch COMMAND…: does it at a moment at which we hold a snapshot
    thinscope layers --sharing --reserve-snapshot --json >/dev/null 2>&1 &
    local looking=$! state=1
    while kill -0 $looking 2>/dev/null; do
        [ "$(held)" = - ] || { "$@"; state=0; break; }
    done
    wait $looking 2>/dev/null
    return $state
}
kill_looker() { kill -KILL "$looking"; }
ok "a look is killed while it holds" eventually 180 catch kill_looker
ok "the snapshot is released by itself" eventually 10 bash -c "[ \"\$(dmsetup status --noflush $pool | awk '{ print \$7 }')\" = - ]"
ok "with its slip" eventually 10 bash -c "[ -z \"\$(find $slips -type f)\" ]"

# the process that holds is killed itself: too quick to be caught in a look, so it is started here as
# a look starts it
mkfifo order
thinscope __reserve <order >said.txt &
holder=$!
exec 7>order
printf '{"pool":"%s","state":"/var/lib/thinscope"}\n' "$(dmsetup info -c --noheadings -o major,minor --separator : "$pool")" >&7
ok "it holds" eventually 30 grep -q held said.txt
equal "the block that it says is the kernel's" "{\"held\":$(held)}" "$(cat said.txt)"
kill -KILL $holder
exec 7>&-
left=$(held)
refused "it is killed, and the snapshot stays" test "$left" = -
equal "the slip stays" 1 "$(slips)"
thinscope --read-only pool >/dev/null 2>left.err
contains "a run that may not change anything says so" "may have left a metadata snapshot" "$(cat left.err)"
equal "and leaves it" "$left" "$(held)"
thinscope pool >/dev/null 2>left.err
contains "the next run releases it and says so" "released the metadata snapshot of pool $pool" "$(cat left.err)"
equal "nothing is held" - "$(held)"
equal "nothing is noted down" 0 "$(slips)"

# somebody else's
hold_metadata_snapshot "$pool"
theirs=$(held)
outrun() {
    thinscope layers --sharing --reserve-snapshot --json >theirs.json 2>&1
    jq -e '.gaps | length > 0' theirs.json
}
ok "a look that is outrun while somebody else holds one is a gap" eventually 180 outrun
contains "which says so" "somebody else holds one (metadata block $theirs): it stays" "$(jq -r '.gaps[].why' theirs.json)"
equal "theirs is still held" "$theirs" "$(held)"
# a slip of a killed run of ours, with another block on it
mkdir -p "$slips"
jq -nc --arg pool "$pool" --arg uuid "$(dmsetup info -c --noheadings -o uuid "$pool")" --argjson root $((theirs + 1)) \
    '{ pool: $pool, uuid: $uuid, time: 1, boot_id: "x", held_root: $root }' >"$slips/left"
thinscope pool >/dev/null 2>other.err
equal "a slip with another block releases nothing" "$theirs" "$(held)"
equal "and is done with" 0 "$(slips)"
# one without a block: nobody can tell whose it is
jq -nc --arg pool "$pool" --arg uuid "$(dmsetup info -c --noheadings -o uuid "$pool")" \
    '{ pool: $pool, uuid: $uuid, time: 1, boot_id: "x", held_root: null }' >"$slips/left"
thinscope pool >/dev/null 2>other.err
equal "a slip without a block releases nothing either" "$theirs" "$(held)"
contains "and is told with the command" "release_metadata_snap" "$(cat other.err)"
release_metadata_snapshot "$pool"
thinscope pool >/dev/null 2>&1
equal "once nothing is held it is done with" 0 "$(slips)"

# not on a pool that is suspended: neither reserved nor waited for
end_load
jq -nc --arg pool "$pool" --arg uuid "$(dmsetup info -c --noheadings -o uuid "$pool")" \
    '{ pool: $pool, uuid: $uuid, time: 1, boot_id: "x", held_root: 7 }' >"$slips/left"
suspend_pool "$pool"
within 30 thinscope layers --sharing --reserve-snapshot >/dev/null 2>suspended.err
status=$?
resume_pool "$pool"
equal "a suspended pool is not waited for" 0 "$status"
contains "and is not touched" "the pool is suspended" "$(cat suspended.err)"
thinscope pool >/dev/null 2>&1
equal "its slip is done with when it is there again" 0 "$(slips)"
equal "nothing is held at the end" - "$(held)"
