#!/bin/bash
# The real binary on real terminals: tmux at 80×24, and the serial line.
. "$LAB/guest/check.sh"
export LC_ALL=C.UTF-8

open_screen() { # open_screen COLUMNS ROWS
    end_tmux
    tmux -f /dev/null new-session -d -s s -x "$1" -y "$2" 'TERM=screen thinscope; echo "ended with $?"; sleep 1000'
    eventually 20 shows docker
}
shown() { tmux capture-pane -p -t s; }
shows() { shown | grep -qF -- "$1"; }
keys() { tmux send-keys -t s "$@"; sleep 0.7; }

for size in "80 24" "120 40"; do
    # shellcheck disable=SC2086
    ok "$size: the screen opens on the host's storage" open_screen $size
    eventually 20 shows shop-web-1
    shown >"/results/tree-${size/ /x}.txt"
    ok "$size: the pool is there" shows thinpool
    ok "$size: the running container is there by name" shows shop-web-1
    ok "$size: help and quit stay in the key bar" bash -c 'tmux capture-pane -p -t s | tail -n 1 | grep -q "help.*quit"'
    keys 2
    shown >"/results/layers-${size/ /x}.txt"
    ok "$size: the Layers view names images" shows shop/web
    keys '?'
    shown >"/results/help-${size/ /x}.txt"
    ok "$size: the help opens" shows 'help'
    keys Escape
    keys /
    keys worker
    keys Enter
    shown >"/results/filter-${size/ /x}.txt"
    ok "$size: the filter finds the worker" shows worker
    keys Escape
    keys q
    ok "$size: q leaves with 0" eventually 5 shows 'ended with 0'
done

open_screen 80 24
pkill -TERM -x thinscope
ok "SIGTERM ends the screen and restores the terminal" eventually 5 shows 'ended with'
open_screen 80 24
pid=$(pgrep -x thinscope | head -n 1)
tmux kill-server
ok "a closed connection ends it" eventually 10 bash -c "! kill -0 $pid"
