#!/bin/bash
# Looks at a pool that is written to all the while: each is of one commit. The load only ever adds
# (new blocks, new snapshots), so a look must lie between what thin_ls says before and after it.
# LOOKS says how many.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
mkdir -p /results/load && cd /results/load || exit 1
looks=${1:-${LOOKS:-40}}

pool=$(pool_name)
tmeta=/dev/dm-$(dmsetup table "$pool" | awk '{ split($4, n, ":"); print n[2] }')
bytes=$(($(dmsetup table "$pool" | awk '{ print $6 }') * 512))
dmsetup message "$pool" 0 'create_thin 9100'
dmsetup create --noudevsync load --table "0 16777216 thin /dev/mapper/$pool 9100"
node=/dev/dm-$(dmsetup info -c --noheadings -o minor load)
(
    at=0 snap=9101
    while [ ! -e /results/load/stop ]; do
        dd if=/dev/urandom of="$node" bs=4k seek=$((at * 128)) count=1 oflag=direct,dsync status=none
        at=$((at + 1))
        if [ $((at % 25)) = 0 ]; then
            dmsetup suspend --noflush load && dmsetup message "$pool" 0 "create_snap $snap 9100"
            dmsetup resume load
            snap=$((snap + 1))
        fi
    done
) &
writer=$!
truth() { # what thin_ls says of a metadata snapshot: id, mapped, exclusive + shared
    hold_metadata_snapshot "$pool"
    thin_ls -m --no-headers -o DEV,MAPPED_BLOCKS,EXCLUSIVE_BLOCKS,SHARED_BLOCKS "$tmeta" | awk '{ $1 = $1; print }' | sort -n
    release_metadata_snapshot "$pool"
}
between=0 broken=0 gaps=0 seen=0
truth >before.txt
for look in $(seq "$looks"); do
    thinscope layers --sharing --json >look.json
    truth >after.txt
    [ "$(jq -c '.gaps' look.json)" = '[]' ] || { gaps=$((gaps + 1)); cp look.json "gap-$look.json"; mv after.txt before.txt; continue; }
    jq -r --argjson b "$bytes" '.devices[] | select(.mapped_bytes != null)
        | "\(.device_id) \(.mapped_bytes / $b) \(.exclusive_bytes / $b) \(.shared_bytes / $b)"' look.json | sort -n >look.txt
    seen=$((seen + 1))
    # exclusive and shared add up in each row; mapped lies between; no id comes or goes otherwise
    awk '$2 != $3 + $4 { exit 1 }' look.txt || { broken=$((broken + 1)); cp look.txt "broken-$look.txt"; }
    awk 'FILENAME == "before.txt" { low[$1] = $2; next } FILENAME == "after.txt" { high[$1] = $2; next }
        { seen[$1] = 1; if (!($1 in high) || $2 > high[$1] || ($1 in low && $2 < low[$1])) bad = 1 }
        END { for (id in low) if (!(id in seen)) bad = 1; exit bad }' before.txt after.txt look.txt &&
        between=$((between + 1)) || cp look.txt "outside-$look.txt"
    mv after.txt before.txt
done
touch stop
wait "$writer"
echo "figure: $looks looks under load, $seen of them whole, $gaps overtaken by commits"
ok "most looks got through" test "$seen" -gt $((looks / 2))
equal "every look is of one commit" "$seen" "$between"
equal "exclusive and shared always add up" 0 "$broken"
dmsetup remove --retry load
equal "nobody holds a metadata snapshot" - "$(dmsetup status --noflush "$pool" | awk '{ print $7 }')"
# a look that is killed leaves nothing behind
for wait in 0.05 0.1 0.2 0.4 0.8; do
    thinscope layers --sharing --json >/dev/null 2>&1 &
    sleep $wait
    kill -KILL $! 2>/dev/null
    wait $! 2>/dev/null
done
ok "killed looks leave no process" eventually 15 bash -c '! pgrep -x thinscope'
equal "and hold nothing" - "$(dmsetup status --noflush "$pool" | awk '{ print $7 }')"
