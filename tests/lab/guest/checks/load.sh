#!/bin/bash
# Looks at a pool that is written to all the while: each is of one commit, and lies between what
# thin_ls says of metadata snapshots before and after it.
#   load.sh [LOOKS]  default: 1000, most by the reader alone, some by the program
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
. "$LAB/guest/writer.sh"
mkdir -p /results/load && cd /results/load || exit 1
looks=${1:-1000} at_once=50

pool=$(pool_name)
numbers=($(dmsetup table "$pool" | awk '{ print $4, $5, $6 * 512 }'))
tmeta=/dev/dm-${numbers[0]#*:} bytes=${numbers[2]}
rest() { dmsetup status --noflush "$pool" | awk '{ print $4, $7, $8, $9, $10, $11 }'; }
# outside BEFORE AFTER FILE…: the looks in which a device comes or goes otherwise, maps less or more
# than it can, or does not hold what it maps
outside() {
    awk '
        function settle() { if (name != "") { for (id in low) if (!(id in seen)) bad = 1; if (bad) print name } }
        FILENAME == ARGV[1] { low[$1] = $2; next }
        FILENAME == ARGV[2] { high[$1] = $2; next }
        FNR == 1 { settle(); name = FILENAME; bad = 0; delete seen }
        { seen[$1] = 1 }
        !($1 in high) || $2 > high[$1] || ($1 in low && $2 < low[$1]) || $2 != $3 + $4 { bad = 1 }
        END { settle() }' "$@"
}
look_on() { # look_on COUNT: by the reader alone, one after the other
    LOOKS=$1 LOOKS_INTO=$PWD/batch LOOKS_METADATA=${numbers[0]} LOOKS_DATA=${numbers[1]} \
        thinscope-contract --exact looks::each_look_is_written_down --nocapture >>looks.log 2>&1
}
by_program() { # by_program COUNT
    local at
    for at in $(seq "$1"); do
        thinscope layers --sharing --json >look.json
        if [ "$(jq -c '.gaps' look.json)" = '[]' ]; then said look.json "$bytes" >"batch/$at.txt"; else
            jq -r '.gaps[].why' look.json >"batch/$at.gap"; fi
    done
}
whole=0 gaps=0 stray=0
compare() { # compare: the looks of one batch with the truth around them
    local found file
    truth >after.txt
    gaps=$((gaps + $(find batch -name '*.gap' | wc -l))) whole=$((whole + $(find batch -name '*.txt' | wc -l)))
    cat batch/*.gap >>gaps.txt 2>/dev/null
    found=$(outside before.txt after.txt batch/*.txt)
    for file in $found; do
        stray=$((stray + 1))
        for kept in before.txt after.txt "$file"; do cp "$kept" "stray-$stray-$(basename "$kept")"; done
    done
    mv after.txt before.txt
    rm -rf batch
    mkdir batch
}

before_all=$(rest)
begin_load "$pool" 0.1
mkdir batch
: >gaps.txt
truth >before.txt
begun=$SECONDS
for _ in $(seq $((looks / at_once))); do
    look_on $at_once || { tail -n 20 looks.log; break; }
    compare
done
reader=$((SECONDS - begun))
for _ in 1 2; do by_program 5; compare; done
echo "figure: $((whole + gaps)) looks under load, $whole of them whole, $gaps overtaken by commits; all but 10 by the reader alone in $reader s"
equal "as many looks as were asked for, and ten by the program" $((looks + 10)) $((whole + gaps))
ok "most looks got through" test "$whole" -gt $((looks / 2))
equal "every look is of one commit: it lies between thin_ls before and after it" 0 "$stray"
refused "a look that was overtaken says so and how to go on" \
    grep -qv 'committed during each of .* --reserve-snapshot' gaps.txt
# a look that is killed midway leaves nothing behind
for wait in 0.05 0.1 0.2 0.4 0.8 1.2 1.6 2.4; do
    thinscope layers --sharing --json >/dev/null 2>&1 &
    sleep $wait
    kill -KILL $! 2>/dev/null
    wait $! 2>/dev/null
done
ok "killed looks leave no process" eventually 15 bash -c '! pgrep -x thinscope && ! pgrep -f [_]_probe'
end_load
equal "mode, transaction and options of the pool are what they were, and nobody holds a snapshot" \
    "$before_all" "$(rest)"
