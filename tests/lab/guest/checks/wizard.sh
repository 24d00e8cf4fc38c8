#!/bin/bash
# A pool grown, or brought back, by keys on the screen: from what is selected to verified.
#   wizard.sh [PART…]    only these of its parts, by their functions
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
. "$LAB/guest/witness.sh"
export LC_ALL=C.UTF-8

pool=$(pool_name)
pool=${pool:-docker-thinpool}
shown() { tmux capture-pane -p -t w; }
shows() { shown | grep -qF -- "$1"; }
keys() { tmux send-keys -t w "$@"; sleep 0.5; }
types() { tmux send-keys -t w -l -- "$1"; sleep 0.5; }
keep() { shown >"/results/wizard-$1.txt"; }
total() { total_of "$pool"; }
suspended() { dmsetup info -c --noheadings -o name,suspended | grep ':Suspended$'; }
open_screen() { # open_screen COLUMNSxROWS [ARGUMENT…]
    local size=$1
    shift
    end_tmux
    tmux -f /dev/null new-session -d -s w -x "${size%x*}" -y "${size#*x}" bash --norc
    tmux send-keys -t w "TERM=screen thinscope $*" Enter
    eventually 40 shows MAPPED
    sleep 2
}
# choose ACTION: by its name in the palette
choose() { keys :; types "$1"; keys Enter; }
# type_consent: the pool's name, and the key that runs the plan
type_consent() { keys Tab; types "$pool"; keys Enter; keys Enter; }
# select_pool: the filter goes to the pool's row
select_pool() { keys /; types "$pool"; keys Enter; keys Escape; }

grow_by_keys() {
    local before wrote
    before=$(total)
    open_screen 80x24
    ok "the screen opens" shows thinpool
    select_pool
    keys w
    ok "w lists what can be done" shows 'grow data'
    ok "and says why the rest cannot" shows 'no: docker-thinpool is active'
    keep list
    keys Home; keys Enter
    ok "the wizard asks" eventually 20 shows 'Review the plan'
    ok "and suggests a size" eventually 30 shows suggested
    keys C-u; types 20
    ok "a bare size is refused as it is typed" shows 'no unit'
    keys C-u; types -1G
    ok "a negative size too" shows 'never shrinks'
    keys C-u; types 1G
    ok "and a smaller one" shows 'cannot shrink'
    keys C-u; types +40M
    ok "what comes of it is told" eventually 10 shows '(+40.0 MiB)'
    keep ask
    keys Up; keys Enter
    ok "the plan is reviewed" eventually 30 shows '[review]'
    ok "with its command" shows '$ lvextend -l +10 docker/thinpool'
    ok "with the focus on the way back" shows '>[ Back ]'
    keep review
    keys t; ok "before and after are seen" shows BEFORE; keep trees; keys Escape
    keys d; ok "it is rehearsed" shows 'nothing was changed'; keys Escape
    equal "nothing has changed by that" "$before" "$(total)"
    keys Tab; types nonsense; keys Enter
    ok "a wrong word agrees to nothing" shows "that is not $pool"
    keep wrong-word
    keys Tab; keys Enter
    ok "not by the other way either" shows "that is not $pool"
    equal "nothing has changed" "$before" "$(total)"
    keys C-u
    tmux set-buffer "$pool"; tmux paste-buffer -p -t w; sleep 0.5
    ok "a paste agrees to nothing" shows 'type it'
    types "$pool"; keys Enter
    began=$(date +%s%N)
    keys Enter
    ok "it runs to its verified end" eventually 60 shows 'done and verified'
    echo "figure: from Enter to verified on the screen: $((($(date +%s%N) - began) / 1000000)) ms"
    keep done
    equal "the kernel has ten extents of eight blocks more" $((before + 80)) "$(total)"
    equal "nothing is suspended" "" "$(suspended)"
    id=$(shown | sed -n 's/.*thinscope journal \(20[0-9A-Za-z.-]*\).*/\1/p' | head -n 1)
    keys Enter
    ok "the table is back" eventually 10 shows MAPPED
    keys q
    ok "a line stays in the scrollback" eventually 10 shows 'done and verified'
    keep scrollback
    contains "the journal knows it" "step 1 verified" "$(thinscope journal "$id" 2>&1)"
    contains "and that it is done" "done" "$(thinscope journal 2>&1)"
}

with_a_disk() {
    local before
    before=$(total)
    mkfs.ext4 -q -L precious /dev/vdc
    open_screen 120x40
    select_pool
    keys w; keys Home; keys Down; keys Enter
    ok "the disks are listed with what lies on them" eventually 20 shows 'holds ext4 (label precious)'
    keep disks
    keys Space
    keys Up; keys Up; keys C-u; types +400M
    keys Up; keys Enter
    ok "the plan is reviewed" eventually 30 shows '[review]'
    ok "what is lost is told" shows '/dev/vdc holds ext4 (label precious), which is lost'
    keep disk-review
    keys Tab; types "$pool"; keys Enter
    ok "the pool's name is not the disk's path" shows 'that is not /dev/vdc'
    keys C-u; types /dev/vdc; keys Enter
    types "$pool"; keys Enter
    keys Enter
    ok "it runs to its verified end" eventually 90 shows 'done and verified'
    keep disk-done
    contains "the disk is a PV of docker" docker "$(pvs --noheadings -o vg_name /dev/vdc)"
    equal "the kernel has 800 more blocks" $((before + 800)) "$(total)"
    keys q
}

read_only() {
    local before
    before=$(total)
    open_screen 80x24 --read-only
    select_pool
    keys w; keys Home; keys Enter
    ok "without leave to change it says so" eventually 20 shows 'nothing will run: --read-only was given'
    keys C-u; types +8M; keys Up; keys Enter
    ok "and rehearses" eventually 30 shows 'Nothing runs: --read-only was given'
    keys Tab; keys Enter
    ok "to its end" shows 'nothing was changed'
    equal "nothing has changed" "$before" "$(total)"
    keys q
}

# the pool by 8 MiB, from the tree to the consent: the next key runs it
agree_to_growth() {
    open_screen 80x24
    select_pool
    keys w; keys Home; keys Enter
    eventually 20 shows suggested
    keys C-u; types +8M; keys Up; keys Enter
    ok "a plan is reviewed" eventually 30 shows '[review]'
    keys Tab; types "$pool"; keys Enter
}

# metadata by 4 MiB and data by 8 MiB, to the consent
agree_to_two_steps() {
    select_pool
    keys w; keys Home; keys Enter
    eventually 20 shows suggested
    keys C-u; types +8M; keys Down; keys C-u; types +4M; keys Up; keys Up; keys Enter
    ok "a plan of two steps is reviewed" eventually 30 shows '[review]'
    keys Tab; types "$pool"; keys Enter
}

# SIGTERM while a step runs: it is finished and recorded, then the program ends
cut_off() {
    local before
    before=$(total)
    agree_to_growth
    keep cut-off-before
    tmux send-keys -t w Enter
    ok "the step is begun" eventually 60 pgrep -f 'lvextend -l'
    pkill -TERM -o -x thinscope
    ok "the step is finished first" eventually 60 bash -c '! pgrep -x thinscope'
    keep cut-off
    ok "and a line says what came of it" shows 'thinscope journal'
    thinscope resume >/results/wizard-resume.txt 2>&1
    equal "and nothing is lost" $((before + 16)) "$(total)"
    equal "nothing is suspended" "" "$(suspended)"
}

# the terminal goes away while a step runs
hung_up() {
    local before pid
    before=$(total)
    agree_to_growth
    pid=$(pgrep -o -x thinscope)
    tmux send-keys -t w Enter
    ok "the step is begun" eventually 60 pgrep -f 'lvextend -l'
    tmux kill-server
    ok "without its terminal it finishes the step and ends" eventually 60 bash -c "! kill -0 $pid 2>/dev/null"
    thinscope resume >/results/wizard-hung-up.txt 2>&1
    equal "and nothing is lost" $((before + 16)) "$(total)"
    contains "and nothing is left to resume" "nothing is unfinished" "$(cat /results/wizard-hung-up.txt)"
    contains "the journal is closed" done "$(thinscope journal | tail -n 1)"
    equal "nothing is suspended" "" "$(suspended)"
}

# The connection of a terminal is cut as sshd cuts it: the terminal's other end is gone at once, with
# no word to anybody, and the whole session is hung up. Two steps: the first is finished and recorded,
# the second is left to resume.
connection_cut() {
    local before metadata pid server
    before=$(total) metadata=$(metadata_of "$pool")
    open_screen 80x24
    agree_to_two_steps
    pid=$(pgrep -o -x thinscope) server=$(tmux display-message -p '#{pid}')
    tmux send-keys -t w Enter
    ok "the first step is begun" eventually 60 pgrep -f 'lvextend --poolmetadatasize'
    kill -KILL "$server"
    pkill -HUP -s "$(ps -o sid= -p "$pid" | tr -d ' ')"
    ok "without its connection it finishes the step and ends" eventually 60 bash -c "! kill -0 $pid 2>/dev/null"
    equal "the first step is done" $((metadata + 1024)) "$(metadata_of "$pool")"
    equal "the second was not begun" "$before" "$(total)"
    contains "the journal says where it stands" "unfinished after 1 steps" "$(thinscope journal | tail -n 1)"
    equal "nothing is suspended" "" "$(suspended)"
    thinscope resume >/results/wizard-connection-cut.txt 2>&1
    equal "resume goes on" 0 $?
    equal "with the second" "$((before + 16)) $((metadata + 1024))" "$(total) $(metadata_of "$pool")"
    contains "the journal is closed" done "$(thinscope journal | tail -n 1)"
}

# two amounts at once, over loop files or over volumes; a wrong answer in each field first
grow_own_by_keys() {
    local before metadata
    before=$(total) metadata=$(metadata_of "$pool")
    open_screen 80x24
    select_pool
    choose 'grow data'
    ok "the wizard asks" eventually 20 shows 'Review the plan'
    sleep 3
    keys C-u; types 1M
    ok "a smaller size is refused as it is typed" eventually 10 shows 'cannot shrink'
    keys C-u; types +64M; keys Down; keys C-u; types 5
    ok "a bare size of metadata too" shows 'no unit'
    keys C-u; types +1T
    # over files it is held at what the kernel uses, over volumes the group has not so much
    case $LAB_HOST in raw*) most='are needed' ;; *) most='15.8' ;; esac
    ok "and more than metadata may have" eventually 10 shows "$most"
    keep own-wrong
    keys C-u; types +8M; keys Down; keys Enter
    ok "the plan is reviewed" eventually 30 shows '[review]'
    keep own-review
    keys d; ok "it is rehearsed" shows 'nothing was changed'; keys Escape
    equal "nothing has changed by that" "$before $metadata" "$(total) $(metadata_of "$pool")"
    began=$(date +%s%N)
    type_consent
    ok "it runs to its verified end" eventually 90 shows 'done and verified'
    echo "figure: from Enter to verified on the screen, a pool of its own: $((($(date +%s%N) - began) / 1000000)) ms"
    keep own-done
    equal "the kernel has both" "$((before + 1024)) $((metadata + 2048))" "$(total) $(metadata_of "$pool")"
    equal "nothing is suspended" "" "$(suspended)"
    keys q
}

# LVM's pool: metadata by itself
metadata_by_keys() {
    local before metadata
    before=$(total) metadata=$(metadata_of "$pool")
    open_screen 120x40
    select_pool
    choose 'grow metadata'
    ok "metadata is asked for" eventually 30 shows suggested
    for wrong in 8:'no unit' -8M:'never shrinks' 1M:'cannot shrink' +900G:'free'; do
        keys C-u; types "${wrong%%:*}"
        ok "${wrong%%:*} is refused as it is typed" eventually 10 shows "${wrong#*:}"
    done
    keys C-u; types +4M; keys Up; keys Up; keys Enter
    ok "the plan is reviewed" eventually 30 shows '[review]'
    ok "with its command" shows '$ lvextend --poolmetadatasize'
    type_consent
    ok "it runs to its verified end" eventually 90 shows 'done and verified'
    keep metadata-done
    equal "the kernel has 1024 blocks more" "$before $((metadata + 1024))" "$(total) $(metadata_of "$pool")"
    keys q
}

# an LVM thin volume with its filesystem
volume_by_keys() {
    mkfs.ext4 -q /dev/pve/vm-101-disk-0 && mkdir -p /mnt/v && mount /dev/pve/vm-101-disk-0 /mnt/v
    local blocks size
    blocks=$(stat -f -c %b /mnt/v) size=$(blockdev --getsize64 /dev/pve/vm-101-disk-0)
    open_screen 80x24
    keys /; types vm-101-disk-0; keys Enter; keys Escape
    choose 'grow volume'
    ok "the wizard asks" eventually 20 shows 'Review the plan'
    for wrong in 6:'no unit' 1G:'never shrinks'; do
        keys C-u; types "${wrong%%:*}"
        ok "${wrong%%:*} is refused as it is typed" eventually 10 shows "${wrong#*:}"
    done
    keys C-u; types +1G; keys Up; keys Enter
    ok "the plan is reviewed" eventually 30 shows '[review]'
    keep volume-review
    keys Tab; types pve/vm-101-disk-0; keys Enter; keys Enter
    ok "it runs to its verified end" eventually 120 shows 'done and verified'
    keep volume-done
    equal "LVM has the size" $((size + 1073741824)) "$(lvs --noheadings --nosuffix --units b -o lv_size pve/vm-101-disk-0 | tr -d ' ')"
    equal "and the kernel" $((size + 1073741824)) "$(blockdev --getsize64 /dev/pve/vm-101-disk-0)"
    ok "the filesystem has more blocks" test "$(stat -f -c %b /mnt/v)" -gt $((blocks + 200000))
    keys q
    umount /mnt/v
}

# a pool that was left suspended comes back by the key that the trouble line names
suspended_by_keys() {
    suspend_pool "$pool"
    open_screen 80x24
    ok "the trouble is told first" eventually 20 shows suspended
    keep suspended
    select_pool
    choose activate
    ok "the plan is reviewed" eventually 30 shows '[review]'
    keys Tab; keys Enter
    ok "it runs to its verified end" eventually 60 shows 'done and verified'
    equal "nothing is suspended" "" "$(suspended)"
    keys q
}

# Docker's own pool after its daemon has gone in order and taken it away
activate_own_by_keys() {
    systemctl stop docker.socket docker
    eventually 20 not dmsetup info "$pool" >/dev/null 2>&1
    open_screen 80x24
    keys /; types "$pool"; keys Enter; keys Escape
    choose activate
    ok "it asks about the next boot" eventually 30 shows 'every boot'
    keep own-activate-ask
    local asked
    asked=$(shown | grep 'every boot')
    types maybe
    equal "a word is no answer to yes or no" "$asked" "$(shown | grep 'every boot')"
    keys Space
    ok "space answers it" test "$asked" != "$(shown | grep 'every boot')"
    keys Space
    equal "and takes the answer back" "$asked" "$(shown | grep 'every boot')"
    keys Down; keys Enter
    ok "the plan is reviewed" eventually 30 shows '[review]'
    keep own-activate-review
    keys Tab; keys Enter
    ok "it runs to its verified end" eventually 90 shows 'done and verified'
    keep own-activate-done
    ok "the pool is there" dmsetup status --noflush "$pool"
    keys q
    systemctl start docker.socket docker
    ok "Docker starts on it" eventually 90 docker info
}

# The two-step plan of connection_cut, over a real connection of ssh that is cut: its client killed, or the
# daemon's end of it. The first step is finished and recorded, the rest is left to resume.
ssh_ready() {
    mkdir -p /run/sshd /root/.ssh && chmod 700 /root/.ssh
    [ -f /root/.ssh/lab ] || ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/lab
    cat /root/.ssh/lab.pub >/root/.ssh/authorized_keys
    /usr/sbin/sshd -o ListenAddress=127.0.0.1:2222 -o UsePAM=no
}
over_ssh() { # over_ssh CUT…: the command that cuts the connection
    local before metadata
    before=$(total) metadata=$(metadata_of "$pool")
    end_tmux
    tmux -f /dev/null new-session -d -s w -x 80 -y 24 \
        'ssh -tt -o StrictHostKeyChecking=no -i /root/.ssh/lab -p 2222 root@127.0.0.1 env TERM=screen LC_ALL=C.UTF-8 thinscope; sleep 1000'
    ok "the screen opens over ssh" eventually 60 shows MAPPED
    sleep 2
    agree_to_two_steps
    pid=$(pgrep -n -x thinscope)
    tmux send-keys -t w Enter
    ok "the first step is begun" eventually 60 pgrep -f 'lvextend --poolmetadatasize'
    "$@"
    ok "without its connection it finishes the step and ends" eventually 60 bash -c "! kill -0 $pid 2>/dev/null"
    ok "the first step is done" test "$(metadata_of "$pool")" -ge $((metadata + 1024))
    equal "nothing is suspended" "" "$(suspended)"
    says "resume goes on, where anything is left" 0 "" thinscope resume
    equal "with all that was agreed to" "$((before + 16)) $((metadata + 1024))" "$(total) $(metadata_of "$pool")"
    contains "the journal is closed" done "$(thinscope journal | tail -n 1)"
}
cut_client() { pkill -KILL -f '^ssh -tt'; }
# the daemon's process for this connection, not the one that listens
cut_daemon() { pkill -KILL -f 'sshd: root'; }
ssh_cut() {
    ssh_ready
    over_ssh cut_client
    over_ssh cut_daemon
    pkill -x sshd
}

activate_by_keys() {
    open_screen 80x24
    keys ]; select_pool
    keys w
    ok "activate is offered" shows 'activate'
    keep activate-list
    keys Home; keys Enter
    ok "the plan says why" eventually 30 shows '[review]'
    ok "with its command" shows '$ lvchange -ay'
    keep activate-review
    keys Tab; keys Enter
    ok "it runs to its verified end" eventually 90 shows 'done and verified'
    ok "what to start next is told" shows 'systemctl start docker'
    keep activate-done
    ok "the pool is there" dmsetup status --noflush "$pool"
    keys q
    ok "a line stays in the scrollback" eventually 10 shows 'done and verified'
}

case $LAB_HOST in
inactive*) activate_by_keys ;;
loop-lvm* | raw*) grow_own_by_keys && activate_own_by_keys ;;
lvm-thin) volume_by_keys ;;
*)
    [ $# -gt 0 ] || set -- grow_by_keys metadata_by_keys with_a_disk read_only suspended_by_keys cut_off hung_up connection_cut ssh_cut
    for part in "$@"; do "$part"; done
    ;;
esac
tmux kill-server 2>/dev/null || true
