#!/bin/bash
# Tables replaced and tools run by the program's own second self, killed at every moment.
. "$LAB/guest/check.sh"
log=$(mktemp)
ok "effects on a host are whole, refused, or brought back" \
    bash -c "THINSCOPE_LAB=1 thinscope-contract --test-threads=1 --nocapture killed:: window:: >$log 2>&1"
grep -o 'figure: .*' "$log"
cp "$log" /results/effects.txt
[ "$failed" = 0 ] || tail -n 60 "$log"
