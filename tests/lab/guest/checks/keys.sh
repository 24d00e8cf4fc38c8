#!/bin/bash
# Every key on a real pool: the screen lives on after each, and what a key promises happens.
. "$LAB/guest/check.sh"
export LC_ALL=C.UTF-8
cd /var/tmp || exit 1

shown() { tmux capture-pane -p -t k; }
shows() { shown | grep -qF -- "$1"; }
keys() { tmux send-keys -t k "$@"; sleep 0.4; }
alive() { pgrep -x thinscope >/dev/null && shown | tail -n 1 | grep -qE 'help|esc|back'; }

tmux -f /dev/null new-session -d -s k -x 110 -y 32 bash --norc
keys 'TERM=screen thinscope' Enter
ok "the screen opens" eventually 30 shows shop-web-1
for key in j k Down Up PageDown PageUp C-f C-b g G Home End l h Right Left e E Tab Tab BTab BTab \
    Enter Escape i i t t b b ']' '[' n N '*' r m f Escape 4 j k l Escape 5 w 2 j Space Space '*' 1; do
    keys "$key"
    alive || break
done
ok "it lives on after every key" alive
keys Escape; keys Escape; keys 1

keys s; ok "s offers the columns" shows MAPPED; keys Escape
keys ':'; keys 'exact'; keys Enter; ok "the palette does what it names" shows ' B'
keys b
keys '?'; ok "? explains" shows 'going about'; keys '?'
keys /; keys ':role container'; keys Enter
ok "the filter finds containers" shows 'matches, n next'
keys Space; keys Space
ok "marks say exactly what would be freed" shows '2 marked, deleting them frees '
keys '*'; keys Escape; keys /; keys ':kind pool'; keys Enter; keys f
ok "f on a pool says who fills it" shows 'WHAT FILLS docker-thinpool'
ok "and what deleting each gives back" shows ' FREES '
keys Enter; ok "enter leads to the largest holder" not shows 'WHAT FILLS'
keys Escape; ok "esc leads back to the page" shows 'WHAT FILLS docker-thinpool'
keys Escape; keys Escape; keys /; keys ':role container'; keys Enter
keys 3
ok "3 shows the pool as cells" shows 'a cell'
keys o; ok "o shows what the device shares" shows 'alone'
keys v; ok "v reads the device's own blocks" eventually 30 shows 'mapped, '
keys v
for _ in 1 2 3 4 5 6 7; do keys +; done
ok "zoomed in a cell is one block" shows 'data block '
keys Enter; ok "enter asks about the block" eventually 30 shows ' of docker-thinpool'
keys Escape; keys Escape; keys Escape; keys 1
keys y; ok "y offers what to copy" shows 'copy'; keys Enter; ok "and shows it alone" not shows 'thinscope  '; keys Escape
rm -f ./*.capture
keys C; ok "C records the host" eventually 60 shows 'recorded into'
ok "the recording is there and the person's own" test "$(stat -c %a ./*.capture)" = 600
ok "the recording opens" bash -c 'thinscope tree --from ./*.capture >/dev/null'
keys C-z; ok "ctrl-z gives the shell back" eventually 5 shows 'Stopped'
keys fg Enter; ok "fg brings the screen back" eventually 10 alive
keys C-l; ok "ctrl-l draws anew" alive
tmux resize-window -t k -x 80 -y 24; sleep 1; ok "80x24 after a change of size" alive
tmux resize-window -t k -x 50 -y 10; sleep 1; ok "too small says so" shows 'needs 60x15'
tmux resize-window -t k -x 110 -y 32; sleep 1; ok "and back" alive
keys q; ok "q leaves" eventually 5 bash -c '! pgrep -x thinscope'
ok "the shell has its terminal again" bash -c 'tmux send-keys -t k "echo back-$((1+1))" Enter; sleep 1; tmux capture-pane -p -t k | grep -q "^back-2"'
