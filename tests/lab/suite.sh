#!/usr/bin/env bash
# Runs the lab's checks on its hosts and adds up what they say.
#   tests/lab/suite.sh [HOST…|all]  default: the first part of the table
# What was gathered stays in THINSCOPE_LAB_OUT when that is set.
set -uo pipefail
cd "$(dirname "$0")/../.."
out=${THINSCOPE_LAB_OUT:-$(mktemp -d "${TMPDIR:-/var/tmp}/thinscope-suite.XXXXXX")}
THINSCOPE=$PWD/target/release/thinscope
[ -x "$THINSCOPE" ] || { echo "build it first: cargo build --release" >&2; exit 2; }
export THINSCOPE
contract=$(cargo test --locked --release --no-run --message-format=json --test contract 2>/dev/null |
    sed -n 's/.*"executable":"\([^"]*contract-[^"]*\)".*/\1/p' | tail -n 1)

# host | checks in the guest, in one boot | judged here from what was gathered
# The first part runs by default; the others by name, or all with "all". What takes longest comes
# first, on hosts of its own, for two run at a time.
plan() {
    cat <<'TABLE'
bare             | set_up codes-more |
direct-lvm       | wizard |
direct-lvm       | codes gather quiet screen sharing | tree layers pool replay
bare             | activate-why remembered |
direct-lvm       | hung |
direct-lvm       | contract leaks |
direct-lvm       | killed |
loop-lvm         | codes gather sharing loop_files grow-own | tree layers pool replay
direct-lvm       | faults |
bare             | mismatch grows |
inactive         | activate |
bare             | effects |
direct-lvm       | grow |
TABLE
    [ $# = 0 ] || cat <<'TABLE'
direct-lvm       | load reserve |
direct-lvm       | monitor |
direct-lvm       | engine |
bare             | windows |
bare             | idle |
direct-lvm       | crash |
inactive         | killed-other |
lvm-thin         | killed-other |
direct-lvm       | killed-other |
loop-lvm         | killed-other |
loop-lvm         | wizard |
raw              | wizard |
lvm-thin         | wizard |
bare             | striped mirror broken |
direct-lvm       | media |
inactive         | wizard |
bare             | grow-full |
containerd       | codes gather quiet containerd | tree replay
bare             | codes-gone latency grows-metadata |
bare             | forecast |
loop-lvm         | codes-gone |
direct-lvm       | responsive |
loop-lvm         | boot |
direct-lvm       | boot |
raw              | boot |
loop-lvm         | killed |
direct-lvm       | killed-often |
loop-lvm         | killed-often |
raw              | codes gather sharing grow-own | tree layers pool replay
direct-lvm-dead  | codes gather quiet sharing | tree layers replay
direct-lvm-2pv   | codes gather | tree layers pool replay
direct-lvm-auto  | codes gather | tree layers pool replay
loop-lvm-dead    | codes gather | tree layers replay
raw-dead         | codes gather | tree layers replay
tmeta-other-pv   | codes gather | tree layers pool replay
tmeta-raid1      | codes gather | tree layers pool replay
luks-pv          | codes gather | tree layers pool replay
direct-lvm-2pv-dead | codes gather | tree layers replay
direct-lvm-auto-dead | codes gather | tree layers replay
tmeta-other-pv-dead | codes gather | tree layers replay
tmeta-raid1-dead | codes gather | tree layers replay
luks-pv-dead     | codes gather | tree layers replay
lvm-thin         | codes gather | tree replay
inactive         | codes gather sharing | tree layers replay
thousand         | thousand |
bare             | codes gather | tree replay
TABLE
}

passed=0 failed=0
count() { # count LOG STATUS: adds what a log's closing line says
    local line
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$1" | tail -n 1)
    [ -n "$line" ] || line="0 passed, 1 failed"
    [ "$2" = 0 ] || [ "${line#*, }" != "0 failed" ] || line="${line%,*}, 1 failed"
    passed=$((passed + ${line%% passed*})) line=${line#*, }
    failed=$((failed + ${line%% failed*}))
    grep -A 3 '^FAILED' "$1"
    grep '^figure:' "$1"
}

# limit_of CHECK…: a hundred kills take a quarter of an hour
limit_of() { case " $* " in *" killed-often "*) echo 2400 ;; *) echo 900 ;; esac; }
# reboots_of CHECK…: what the run needs that reboots its machine
reboots_of() { case " $* " in *" boot "* | *" crash "*) echo --reboots ;; esac; }

# run_host FOLDER HOST "CHECK…" "JUDGE…": prints what was found, leaves passed and failed in FOLDER/sum
run_host() {
    local folder=$1 host=$2 checks=$3 began=$SECONDS judge
    export LAB_HOST=$host
    # shellcheck disable=SC2086
    tests/lab/lab run --out "$folder" --limit "$(limit_of $checks)" $(reboots_of $checks) \
        --add "$THINSCOPE:/usr/local/bin/thinscope" \
        ${contract:+--add "$contract:/usr/local/bin/thinscope-contract"} \
        "$host" -- tests/lab/guest/checks.sh $checks >"$folder/suite.log" 2>&1 </dev/null
    count "$folder/suite.log" $?
    for judge in $4; do
        (cd "$folder" && bash "$OLDPWD/tests/lab/judge/$judge.sh") >"$folder/$judge.log" 2>&1
        count "$folder/$judge.log" $?
    done
    printf '%-12s %-40s %s failed, %s s\n' "$host" "${checks# }" "$failed" $((SECONDS - began))
    echo "$passed $failed" >"$folder/sum"
}

# Two machines at a time where there is memory for them: one waits for most of its time.
at_once=1
awk '/^MemAvailable/ { exit $2 < 7000000 }' /proc/meminfo && at_once=2

number=0
while IFS='|' read -r host checks judges; do
    host=${host// /}
    [ $# = 0 ] || case " $* " in *" $host "* | *" all "*) ;; *) continue ;; esac
    number=$((number + 1)) folder=$out/$number-$host
    mkdir -p "$folder"
    while [ "$(jobs -rp | wc -l)" -ge "$at_once" ]; do wait -n; done
    # whole, for another one prints at the same time
    { run_host "$folder" "$host" "$checks" "$judges" >"$folder/said" 2>&1; cat "$folder/said"; } &
done < <(plan "$@")
wait
for ((each = 1; each <= number; each++)); do
    read -r one other <"$(echo "$out/$each-"*/sum)" || { one=0 other=1; }
    passed=$((passed + one)) failed=$((failed + other))
done
echo "lab: $passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
