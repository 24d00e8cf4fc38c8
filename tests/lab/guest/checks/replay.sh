#!/bin/bash
# A recording gives the same documents as the live host, and holds no secret.
. "$LAB/guest/check.sh"

umask 022
ok "the host is recorded" thinscope capture -o /results/host.thinscope
equal "the recording is for its owner alone" 600 "$(stat -c %a /results/host.thinscope)"
for view in tree layers pool findings; do
    thinscope $view --json | jq -S . >"/results/live-$view.json"
    thinscope --from /results/host.thinscope $view --json | jq -S . >"/results/replayed-$view.json"
    ok "$view: replayed equals live" diff "/results/live-$view.json" "/results/replayed-$view.json"
    [ $view = findings ] && continue
    ok "$view: text replayed equals live" \
        diff <(thinscope $view) <(thinscope --from /results/host.thinscope $view)
done
refused "no container's environment is in it" bash -c 'zcat /results/host.thinscope | grep -q "not-a-secret\|DB_PASSWORD"'
head -c 5000 /results/host.thinscope >/results/cut.thinscope
thinscope --from /results/cut.thinscope tree --json >/results/cut.json 2>/results/cut.err
ok "a recording cut short says so" bash -c 'jq -e ".gaps | length > 0" /results/cut.json || grep -q . /results/cut.err'
