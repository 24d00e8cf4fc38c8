#!/bin/bash
# After a reboot of the machine: a pool that nothing recreates is activated from its files or volumes,
# with what was on it; with its unit of systemd the next boot has it by itself. LVM's pool comes back
# where its group was told to stay away.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
. "$LAB/guest/witness.sh"
kept=/var/lib/lab-boot # what must be the same afterwards
stage() { cat "$kept/stage" 2>/dev/null || echo 0; }
next_stage() { echo "$1" >"$kept/stage"; reboot_machine; }
wrote() { docker exec shop-web-1 /bin/cat /srv/witness; }
thin_count() { thinscope pool --json | jq -r '.pools[0] | .data_used_bytes // .committed.data_used_bytes'; }

# shape POOL: its table without the numbers of its devices; LVM sets its low water mark (the 7th word)
# anew whenever it monitors
shape() {
    local words=2,3,6-
    [ "$kind" = own ] || words=2,3,6,8-
    dmsetup table "$1" | cut -d ' ' -f "$words"
}

# what is there before, and how it is told from a pool that was made anew
remember() {
    mkdir -p "$kept"
    docker exec shop-web-1 /bin/sh -c 'echo kept >/srv/witness; n=0; while [ $n -lt 200 ]; do n=$((n+1)); echo "line $n"; done >>/srv/witness; dd if=/srv/witness of=/srv/copy conv=fsync 2>/dev/null'
    wrote | sha256sum >"$kept/sum"
    pool_name >"$kept/pool"
    shape "$(pool_name)" >"$kept/table"
}
# Docker finds what it had: on it the container starts, and its file is whole
docker_goes_on() {
    systemctl start containerd docker.socket docker
    ok "Docker starts on it" eventually 90 docker info
    ok "its container starts" docker start shop-web-1
    equal "what it wrote is there" "$(cat "$kept/sum")" "$(wrote | sha256sum)"
    ok "nothing is suspended" nothing_suspended
}
unit() { echo "/etc/systemd/system/thinscope-pool-${pool//:/_}.service"; }
same_table() { equal "$1" "$(cat "$kept/table")" "$(shape "$pool")"; }

own_first() {
    says "an active pool is left alone" 0 "nothing to do" thinscope activate "$pool" --yes="$pool"
    remember
    next_stage 1
}

own_second() { # after a boot nothing has made it
    equal "nothing has made the pool again" 1 "$(dmsetup info "$pool" >/dev/null 2>&1; echo $?)"
    ok "thinscope knows that it is away" found pool-inactive
    used=$(thin_count)
    ok "a rehearsal makes nothing" thinscope activate "$pool" --dry-run
    equal "nothing was made" 1 "$(dmsetup info "$pool" >/dev/null 2>&1; echo $?)"
    says "no consent" 1 "consent is missing" thinscope activate "$pool"
    # not over what is no pool's metadata: the kernel would make an empty pool of it
    says "it is made again" 0 "done and verified" thinscope activate "$pool" --yes="$pool"
    ok "the kernel has it" dmsetup info "$pool"
    same_table "by the table that Docker gave it"
    equal "what was used is used" "$used" "$(thin_count)"
    says "again is fine" 0 "nothing to do" thinscope activate "$pool"
    docker_goes_on

    says "its unit is shown and not written" 0 "would run" thinscope activate "$pool" --unit --dry-run
    refused "no file was written" test -e "$(unit)"
    echo "# by hand" >"$(unit)"
    says "a unit of somebody else's stands in the way" 1 "was not written by thinscope" thinscope activate "$pool" --unit --yes="$pool"
    equal "and is left as it is" "# by hand" "$(cat "$(unit)")"
    rm "$(unit)"
    says "the unit is written" 0 "done and verified" thinscope activate "$pool" --unit --yes="$pool"
    says "systemd reads it without complaint" 0 "" systemd-analyze verify "$(unit)"
    equal "nor a word" "" "$(systemd-analyze verify "$(unit)" 2>&1)"
    equal "it is for all to read" 644 "$(stat -c %a "$(unit)")"
    says "once is enough" 0 "makes it again at every boot" thinscope activate "$pool" --unit --yes="$pool"
    contains "the journal has it" "write $(unit)" "$(thinscope journal --json)"
    wrote | sha256sum >"$kept/sum"
    next_stage 2
}

own_third() { # after a boot the unit has
    cp "$(unit)" /results/
    ok "the unit has made the pool" eventually 60 test -e "/dev/mapper/$pool"
    same_table "by the same table"
    equal "the unit is content" active "$(systemctl is-active "$(basename "$(unit)")")"
    says "nothing is left to do" 0 "nothing to do" thinscope activate "$pool"
    docker_goes_on
    # over anything but a pool's metadata the unit makes nothing
    refuses_empty
}
refuses_empty() {
    sed "s/$pool/made-over-nothing/g; s|^  meta=.*|  meta=/dev/vdd; \\\\|" "$(unit)" >/etc/systemd/system/lab-empty.service
    ok "the same unit over an empty device" grep -q 'meta=/dev/vdd;' /etc/systemd/system/lab-empty.service
    systemctl daemon-reload
    refused "fails" systemctl start lab-empty.service
    contains "and says why" "no metadata of a pool is on /dev/vdd" "$(journalctl -u lab-empty.service --no-pager)"
    refused "it made nothing" dmsetup info made-over-nothing
    equal "and wrote nothing" 0 "$(head -c 1M /dev/vdd | tr -d '\0' | wc -c)"
}

lvm_first() {
    remember
    vgchange -q --setautoactivation n docker
    next_stage 1
}
lvm_second() {
    equal "LVM has left it away" 1 "$(dmsetup info "$pool" >/dev/null 2>&1; echo $?)"
    ok "thinscope knows that it is away" found pool-inactive
    says "there is no unit for what LVM owns" 1 "LVM's, which activates it" thinscope activate "$pool" --unit --yes="$pool"
    says "it is activated, with what to do for the next boot" 0 "autoactivation" thinscope activate "$pool" --yes="$pool"
    same_table "by the same table"
    docker_goes_on
    vgchange -q --setautoactivation y docker
    wrote | sha256sum >"$kept/sum"
    next_stage 2
}
lvm_third() {
    ok "LVM has brought it back by itself" eventually 60 test -e "/dev/mapper/$pool"
    says "nothing is left to do" 0 "nothing to do" thinscope activate "$pool"
    docker_goes_on
}

case $LAB_HOST in direct-lvm*) kind=lvm ;; *) kind=own ;; esac
pool=$(cat "$kept/pool" 2>/dev/null || pool_name)
echo "== stage $(stage)$(after_reboot && echo ", after a reboot")"
case $(stage) in
0) "${kind}_first" ;;
1) "${kind}_second" ;;
*) "${kind}_third" ;;
esac
