#!/bin/bash
# What killed.sh does for growing a pool, for the other changes: activating, a disk that joins, a thin
# volume with its filesystem, a pool that is made again. Killed at moments of chance, thinscope alone or
# its whole group; nothing stays suspended, and resume brings every run that was begun to its end.
#   killed-other.sh [KILLS] [SEED]    kills of each (12)
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
. "$LAB/guest/witness.sh"
. "$LAB/guest/killing.sh"
kills=${1:-12}
RANDOM=${2:-1}
begin() { # begin COMMAND…: in a group of its own; sets pid
    setsid "$@" >/tmp/killed.log 2>&1 &
    pid=$!
}

# Each variant: what is run, what holds when it is done, and how it is taken back.
pool=docker-thinpool
run_activation() { echo thinscope activate docker/thinpool --yes=docker/thinpool; }
holds_activation() { dmsetup status --noflush "$pool" | grep -q ' rw '; }
back_activation() { vgchange -q -an docker; }

run_group() { echo thinscope activate docker --yes=docker; }
holds_group() { holds_activation; }
back_group() { back_activation; }

run_disk() { echo thinscope grow --add-pv /dev/vdc --yes=docker-thinpool; }
holds_disk() { [ "$(pvs --noheadings -o vg_name /dev/vdc | tr -d ' ')" = docker ]; }
back_disk() { vgreduce -q docker /dev/vdc && pvremove -q /dev/vdc; }

volume_size=4294967296
run_volume() { volume_size=$((volume_size + 64 * 1048576)) && echo "thinscope grow pve/vm-101-disk-0 --size ${volume_size}b --yes=pve/vm-101-disk-0"; }
holds_volume() {
    # the filesystem's blocks of 4 KiB, all of the volume: ext4 says what its superblock has
    [ "$(blockdev --getsize64 /dev/pve/vm-101-disk-0)" = "$volume_size" ] &&
        [ "$(dumpe2fs -h /dev/pve/vm-101-disk-0 2>/dev/null | sed -n 's/^Block count: *//p')" = $((volume_size / 4096)) ]
}
back_volume() { true; }

run_own() { echo "thinscope activate $own --yes=$own"; }
holds_own() { dmsetup status --noflush "$own" | grep -q ' rw '; }
back_own() { dmsetup remove --retry "$own" && losetup -D; }

# kill_variant NAME
kill_variant() {
    local name=$1 n command took began count long=0 unfinished=0
    command=$("run_$name") && "run_$name" >/dev/null
    count=$(journals)
    # shellcheck disable=SC2086
    begin $command
    begun "$count"
    began=$(date +%s%N)
    wait "$pid" || cat /tmp/killed.log
    took=$((($(date +%s%N) - began) / 1000000))
    ok "$name: undisturbed it is done" "holds_$name"
    ok "$name: and taken back" "back_$name"
    : >/tmp/where.log
    for n in $(seq "$kills"); do
        "run_$name" >/tmp/command
        command=$(cat /tmp/command)
        count=$(journals)
        # shellcheck disable=SC2086
        begin $command
        begun "$count"
        pause $((RANDOM * took / 32768))
        if [ $((n % 2)) = 0 ]; then kill -KILL -- -"$pid"; else kill -KILL "$pid"; fi 2>/dev/null
        wait "$pid" 2>/dev/null
        suspended_long && long=$((long + 1))
        thinscope journal | tail -n 1 | sed 's/.*  //' >>/tmp/where.log
        # shellcheck disable=SC2086
        { thinscope resume ${again:-} >/tmp/said.log 2>&1 && "holds_$name" && ! any_suspended; } ||
            { unfinished=$((unfinished + 1)); echo "kill $n"; cat /tmp/said.log; thinscope journal | tail -n 1; $command; }
        "back_$name" >/dev/null 2>&1
    done
    echo "figure: $name: $kills kills at: $(sort /tmp/where.log | uniq -c | awk '{ $1 = $1; printf "%s%s", sep, $0; sep = ", " }')"
    equal "$name: nothing was suspended for longer than a second" 0 "$long"
    equal "$name: every run was brought to its end" 0 "$unfinished"
}

case $LAB_HOST in
inactive) kill_variant activation; kill_variant group ;;
lvm-thin)
    mkfs.ext4 -q /dev/pve/vm-101-disk-0 && mkdir -p /mnt/v && mount /dev/pve/vm-101-disk-0 /mnt/v
    # growing in a shell of its own would lose the size
    run_volume() { volume_size=$((volume_size + 64 * 1048576)); echo "thinscope grow pve/vm-101-disk-0 --size ${volume_size}b --yes=pve/vm-101-disk-0"; }
    kill_variant volume
    ;;
loop-lvm | raw)
    own=$(pool_name)
    systemctl stop docker.socket docker
    eventually 20 not dmsetup info "$own" >/dev/null 2>&1
    kill_variant own
    ;;
*)
    # a step that destroys is agreed to once more
    again=--yes=/dev/vdc
    kill_variant disk
    ;;
esac
ok "nothing is suspended at the end" nothing_suspended
