#!/bin/bash
# The screen while Docker hangs, and while its pool is suspended, full with a writer that waits, and failed:
# what is wrong is said, every view opens, every key answers, and q leaves at once. A screen that was open
# before goes on, and one that is opened then opens.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
export LC_ALL=C.UTF-8
# of an emulated processor that others use as well, the reading back included: half of the keys, every key,
# and leaving (until the shell has written)
half_limit=500 key_limit=1000 quit_limit=2000
pool=$(pool_name)

now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }
shown() { tmux capture-pane -p -t r; }
shows() { [[ $(shown) == *"$1"* ]]; }
keep() { shown >"/results/responsive-$1.txt"; }
# below its first two lines, in which time is told
body() { local all; all=$(shown); all=${all#*$'\n'}; echo "${all#*$'\n'}"; }
open_screen() {
    end_tmux
    tmux -f /dev/null new-session -d -s r -x 80 -y 24 'TERM=screen thinscope; echo "ended with $?"; sleep 1000'
    eventually 30 shows "$pool"
}
# wait_ms COMMAND…: milliseconds until it holds, at most ten seconds
wait_ms() {
    local began
    began=$(now_ms)
    until "$@" || [ $(($(now_ms) - began)) -gt 10000 ]; do :; done
    echo $(($(now_ms) - began))
}
other_than() { [ "$(body)" != "$1" ]; }
# press KEY [TEXT]: how long until the text is there, or the screen is another one; noted in `took`
press() {
    local before ms
    before=$(body)
    tmux send-keys -t r "$1"
    if [ -n "${2:-}" ]; then ms=$(wait_ms shows "$2"); else ms=$(wait_ms other_than "$before"); fi
    took+=("$ms")
    [ "$ms" -le "$key_limit" ] || slow+=" $1:$ms"
}
# keys_answer STATE: every view, a menu, a list, the help, moving about
keys_answer() {
    took=() slow=''
    press 2 ' layers '; keep "$1-2"
    press j; press k; press G; press g
    press 3 "$pool "; keep "$1-3"
    press 1 'KIND'; keep "$1-1"
    press 4 'FINDINGS, AND'; keep "$1-4"
    press Enter 'what to do'; press Escape 'FINDINGS, AND'
    press '?' 'going about'; press Escape 'FINDINGS, AND'
    press 5 'EVENTS, THE'; keep "$1-5"
    press : 'all actions'; press Escape 'EVENTS, THE'
    press w '─ wizards'; press Escape 'EVENTS, THE'
    press 1 'KIND'
    sorted=$(printf '%s\n' "${took[@]}" | sort -n)
    half=$(sed -n "$(((${#took[@]} + 1) / 2))p" <<<"$sorted")
    equal "$1: each key answers within $key_limit ms" '' "$slow"
    ok "$1: half of them within $half_limit ms" test "$half" -le "$half_limit"
    echo "figure: $1: ${#took[@]} keys, from the key to the screen read back: median $half ms, worst $(tail -n 1 <<<"$sorted") ms"
}
leaves() {
    local ms
    tmux send-keys -t r q
    ms=$(wait_ms shows 'ended with 0')
    ok "$1: q leaves within $quit_limit ms" test "$ms" -le "$quit_limit"
    ok "$1: nothing of ours is left" eventually 5 bash -c '! pgrep -x thinscope'
    echo "figure: $1: left after $ms ms"
}
# stays STATE WORDS: of the screen that is open, and of one that is opened now
stays() {
    ok "$1: it is said: $2" eventually 30 shows "$2"
    keys_answer "$1"
    leaves "$1"
    ok "$1: a screen opens" open_screen
    ok "$1: and says it: $2" eventually 30 shows "$2"
    keep "$1-opened"
    leaves "$1, opened then"
}

ok "the screen opens" open_screen
eventually 20 shows shop-web-1
keys_answer healthy

kill -STOP "$(pgrep -x dockerd)"
within 5 docker info >/dev/null 2>&1
equal "docker info hangs" 124 $?
stays docker-hangs 'shop-web-1'
kill -CONT "$(pgrep -x dockerd)"
ok "docker goes on" eventually 30 docker version

ok "the screen opens" open_screen
suspend_pool "$pool"
stays suspended "$pool is SUSPENDED"
resume_pool "$pool"

# full: one write a block, to a device of nobody's
ok "the screen opens" open_screen
dmsetup message "$pool" 0 'create_thin 9300'
dmsetup create --noudevsync fill --table "0 20971520 thin /dev/mapper/$pool 9300"
fill=/dev/dm-$(dmsetup info -c --noheadings -o minor fill)
block=$(($(dmsetup table "$pool" | awk '{ print $6 }') * 512))
free=$(dmsetup status --noflush "$pool" | awk '{ split($6, n, "/"); print n[2] - n[1] }')
echo 600 >/sys/module/dm_thin_pool/parameters/no_space_timeout
began=$SECONDS
awk -v n=$((free + 8)) -v by="$block" 'BEGIN { for (i = 0; i < n; i++) printf "pwrite -q -b 4k %.0f 4k\n", i * by }' |
    xfs_io -d "$fill" >/var/tmp/fill.log 2>&1 &
writer=$!
ok "the pool is full, and its writer waits" eventually 240 bash -c "dmsetup status --noflush $pool | grep -q out_of_data_space"
echo "figure: $free blocks filled in $((SECONDS - began)) s"
within 5 docker info >/dev/null 2>&1
echo "  docker info ended with $?"
stays full "$pool is full: writes wait"
vgextend -q docker /dev/vdc && lvextend -q -L +200M docker/thinpool
ok "with room the writer goes on" wait "$writer"

# failed: nothing can be read or written of its metadata
ok "the screen opens" open_screen
tmeta=docker-thinpool_tmeta
dmsetup reload "$tmeta" --table "0 $(blockdev --getsz "/dev/mapper/$tmeta") error"
dmsetup suspend --noflush "$tmeta" && dmsetup resume "$tmeta"
dd if=/dev/zero of="$fill" bs="$block" seek=$((free + 9)) count=1 oflag=direct conv=fsync status=none 2>/dev/null
ok "the kernel fails the pool" eventually 20 bash -c "dmsetup status --noflush $pool | grep -q Fail"
stays failed "$pool is in fail mode"
