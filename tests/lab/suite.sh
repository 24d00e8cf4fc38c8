#!/usr/bin/env bash
# Runs the lab's checks on its hosts and adds up what they say.
#   tests/lab/suite.sh [HOST…]      default: all hosts of the table
set -uo pipefail
cd "$(dirname "$0")/../.."
out=${THINSCOPE_LAB_OUT:-$(mktemp -d "${TMPDIR:-/var/tmp}/thinscope-suite.XXXXXX")}
binary=target/release/thinscope
contract=$(cargo test --locked --no-run --message-format=json --test contract 2>/dev/null |
    sed -n 's/.*"executable":"\([^"]*contract-[^"]*\)".*/\1/p' | tail -n 1)
[ -x "$binary" ] || { echo "build it first: cargo build --release" >&2; exit 2; }

# host, then the checks that run on it, in one boot
plan() {
    cat <<'TABLE'
direct-lvm       lab tree layers pool replay quiet contract
direct-lvm-dead  tree layers pool replay quiet
direct-lvm-2pv   tree layers pool replay
direct-lvm-auto  tree layers pool
loop-lvm         tree layers pool replay quiet
loop-lvm-dead    tree layers pool
raw              tree layers pool replay
raw-dead         tree layers pool
tmeta-other-pv   tree layers pool
tmeta-raid1      tree layers pool
luks-pv          tree layers pool
TABLE
}

passed=0 failed=0
run_host() { # run_host HOST CHECK…
    local host=$1 log began=$SECONDS line
    shift
    mkdir -p "$out/$host"
    log=$out/$host/suite.log
    tests/lab/lab run --out "$out/$host" --limit 400 --add "$binary:/usr/local/bin/thinscope" \
        ${contract:+--add "$contract:/usr/local/bin/thinscope-contract"} \
        "$host" -- tests/lab/guest/checks.sh "$@" >"$log" 2>&1
    local status=$?
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1)
    [ -n "$line" ] || line="0 passed, 1 failed"
    passed=$((passed + ${line%% passed*})) line=${line#*, }
    failed=$((failed + ${line%% failed*}))
    [ "$status" = 0 ] || [ "${line%% failed*}" != 0 ] || failed=$((failed + 1))
    grep -A 3 '^FAILED' "$log"
    printf '%-18s %s, status %s, %s s\n' "$host" "$(grep -E '^[0-9]+ passed' "$log" | tail -n 1)" "$status" $((SECONDS - began))
}

while read -r host checks; do
    [ $# = 0 ] || case " $* " in *" $host "*) ;; *) continue ;; esac
    # shellcheck disable=SC2086
    run_host "$host" $checks
done < <(plan)
echo "lab: $passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
