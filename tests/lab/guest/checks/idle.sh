#!/bin/bash
# The screen left alone on a quiet host: how much of a core it takes.
. "$LAB/guest/check.sh"

export TERM=xterm LC_ALL=C.UTF-8
tmux -f /dev/null new-session -d -s idle -x 120 -y 40 thinscope
sleep 8
pid=$(pgrep -x thinscope | head -n 1)
# utime, stime, and those of children waited for
ticks() { sed 's/.*) //' "/proc/$pid/stat" | awk '{print $12 + $13 + $14 + $15}'; }
before=$(ticks)
sleep 60
after=$(ticks)
hz=$(getconf CLK_TCK)
awk -v t=$((after - before)) -v hz="$hz" 'BEGIN { printf "figure: idle for 60 s took %.2f %% of a core (children included)\n", 100 * t / hz / 60 }'
tmux send-keys -t idle q
ok "q ends it" eventually 5 bash -c '! pgrep -x thinscope'
