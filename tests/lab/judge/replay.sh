#!/bin/bash
# A recording gives the same documents as the live host, and holds no secret.
. "$(dirname "$0")/../guest/check.sh"

equal "the recording is for its owner alone" 600 "$(cat host.mode)"
either() { # either REPLAYED BEFORE AFTER: equal to one of the two
    cmp -s "$1" "$2" || diff "$1" "$3"
}
# the recording itself takes some of the room on the host's filesystem
still() { jq -S '(.. | strings) |= sub("free on their filesystem: .*"; "free on their filesystem: N")' "$@"; }
for view in tree layers pool findings; do
    for live in "before/$view.json" "after/$view.json"; do still "$live" >"$live.sorted"; done
    "$THINSCOPE" --from host.thinscope "$view" --json | still >"replayed-$view.json"
    ok "$view: the document replayed equals the live one" \
        either "replayed-$view.json" "before/$view.json.sorted" "after/$view.json.sorted"
done
for view in tree layers pool; do
    "$THINSCOPE" --ascii --from host.thinscope "$view" >"replayed-$view.txt"
    ok "$view: the text replayed equals the live one" either "replayed-$view.txt" "before/$view.txt" "after/$view.txt"
done
zcat host.thinscope >recording.jsonl
refused "no container's environment is in it" grep -q 'not-a-secret\|DB_PASSWORD' recording.jsonl
head -c 5000 host.thinscope >cut.thinscope
"$THINSCOPE" --from cut.thinscope tree --json >cut.json 2>cut.err
ok "a recording cut short says so" bash -c 'jq -e ".gaps | length > 0" cut.json || grep -q . cut.err'
