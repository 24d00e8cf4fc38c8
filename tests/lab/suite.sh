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
# The first part runs by default; the others by name, or all with "all".
plan() {
    cat <<'TABLE'
direct-lvm       | codes gather quiet screen sharing | tree layers pool replay
direct-lvm       | contract leaks hung |
bare             | effects |
bare             | grows |
loop-lvm         | codes gather sharing loop_files grow-own | tree layers pool replay
direct-lvm       | grow |
direct-lvm       | killed |
direct-lvm       | wizard |
inactive         | activate |
bare             | activate-why remembered |
bare             | set_up codes-more mismatch |
direct-lvm       | faults |
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
limit_of() { case " $* " in *" killed-often "*) echo 2400 ;; *) echo 600 ;; esac; }
# reboots_of CHECK…: what the run needs that reboots its machine
reboots_of() { case " $* " in *" boot "* | *" crash "*) echo --reboots ;; esac; }

run_host() { # run_host HOST "CHECK…" "JUDGE…"
    local host=$1 folder=$out/$1 began=$SECONDS before=$failed judge
    export LAB_HOST=$host
    mkdir -p "$folder"
    # shellcheck disable=SC2086
    tests/lab/lab run --out "$folder" --limit "$(limit_of $2)" $(reboots_of $2) --add "$THINSCOPE:/usr/local/bin/thinscope" \
        ${contract:+--add "$contract:/usr/local/bin/thinscope-contract"} \
        "$host" -- tests/lab/guest/checks.sh $2 >"$folder/suite.log" 2>&1 </dev/null
    count "$folder/suite.log" $?
    for judge in $3; do
        (cd "$folder" && bash "$OLDPWD/tests/lab/judge/$judge.sh") >"$folder/$judge.log" 2>&1
        count "$folder/$judge.log" $?
    done
    printf '%-20s %s failed, %s s\n' "$host" $((failed - before)) $((SECONDS - began))
}

while IFS='|' read -r host checks judges; do
    host=${host// /}
    [ $# = 0 ] || case " $* " in *" $host "* | *" all "*) ;; *) continue ;; esac
    run_host "$host" "$checks" "$judges"
done < <(plan "$@")
echo "lab: $passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
