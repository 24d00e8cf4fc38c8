#!/bin/bash
# A direct-lvm pool grows while a container writes: data, metadata, with new disks; what must be
# refused is, and changes nothing.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
. "$LAB/guest/witness.sh"

pool=$(pool_name)
ok "a container writes" start_writer shop-web-1
still=$(thin_of shop-worker-1)
sum=$(quiet_sum "$still")
unchanged() { equal "$1: nothing was changed" "$before" "$(dmsetup table "$pool"; vgs --noheadings --units b -o vg_free,pv_count docker)"; }
before=$(dmsetup table "$pool"; vgs --noheadings --units b -o vg_free,pv_count docker)

says "a shrink" 1 "cannot shrink" thinscope grow --data 1G --yes="$pool"
says "a bare size" 2 "no unit" thinscope grow --data 20 --yes="$pool"
says "a negative size" 2 "negative" thinscope grow --data=-1G --yes="$pool"
says "too much" 1 "free" thinscope grow --data +1T --yes="$pool"
says "no consent" 1 "consent is missing" thinscope grow --data +40M
says "a wrong consent" 1 "consent is missing" thinscope grow --data +40M --yes=docker
says "an unknown pool" 2 "no pool nope" thinscope grow nope --data +40M --yes=nope
says "read-only" 1 "forbids" thinscope --read-only grow --data +40M --yes="$pool"
ok "JSON runs nothing" thinscope grow --data +40M --yes="$pool" --json
ok "a rehearsal runs nothing" thinscope grow --data +40M --yes="$pool" --dry-run
ok "a plan is saved" thinscope grow --data +40M --save /tmp/plan.json --script /tmp/plan.sh
ok "a script is sound" sh -n /tmp/plan.sh
says "a disk in use" 1 "PV of docker already" thinscope grow --add-pv /dev/vdb --yes="$pool" --yes=/dev/vdb
says "the root disk" 1 "mounted" thinscope grow --add-pv /dev/vda --yes="$pool" --yes=/dev/vda
unchanged "refusals"

# data, by a size
total=$(total_of "$pool")
ok "data grows by 40M" thinscope grow --data +40M --yes="$pool"
equal "the kernel has ten more extents of eight blocks" $((total + 80)) "$(total_of "$pool")"
docker_agrees "$pool" 524288
ok "the writer goes on" goes_on shop-web-1
ok "nothing is suspended" nothing_suspended

# the saved plan was made for the smaller pool
says "a plan that was overtaken" 1 "nothing was done" thinscope apply /tmp/plan.json --yes="$pool"
equal "it changed nothing" $((total + 80)) "$(total_of "$pool")"

# metadata, and the spare with it
blocks=$(metadata_of "$pool")
ok "metadata grows by 8M, by the other name" thinscope grow docker/thinpool --metadata +8M --yes=docker/thinpool
equal "the kernel has 2048 more blocks" $((blocks + 2048)) "$(metadata_of "$pool")"
docker_agrees "$pool" 524288

# a disk that holds something, then an empty one
mkfs.ext4 -q -L precious /dev/vdc
says "a disk with a filesystem" 1 "ext4 (label precious)" thinscope grow --add-pv /dev/vdc --yes="$pool"
mkdir -p /mnt/c && mount /dev/vdc /mnt/c
says "a mounted disk" 1 "mounted at /mnt/c" thinscope grow --add-pv /dev/vdc --yes="$pool" --yes=/dev/vdc
umount /mnt/c
ok "with its own consent it joins" thinscope grow --add-pv /dev/vdc --yes="$pool" --yes=/dev/vdc
equal "LVM has it" docker "$(pvs --noheadings -o vg_name /dev/vdc | tr -d ' ')"
ok "an empty disk joins and all is taken" thinscope grow --data 100%FREE --add-pv /dev/vdd --yes="$pool"
equal "nothing is free" 0 "$(vgs --noheadings --nosuffix --units b -o vg_free docker | tr -d ' ')"
says "and nothing more is to be had" 1 "free" thinscope grow --data 100%FREE --yes="$pool"

equal "the whole of the volume is in the pool" "$(lvs --noheadings --nosuffix --units b -o lv_size docker/thinpool | tr -d ' ')" \
    $(($(total_of "$pool") * 512 * 1024))
ok "the writer goes on to the end" goes_on shop-web-1
ok "no line of it is missing" whole shop-web-1
equal "the paused container's device is the same" "$sum" "$(quiet_sum "$still")"
ok "nothing is suspended at the end" nothing_suspended
equal "every run is in the journal, done or refused" 0 "$(thinscope journal --json | jq '[.runs[] | select(.state | startswith("done") or startswith("refused") | not)] | length')"
ok "the journal is for root alone" test "$(stat -c %a /var/lib/thinscope/journal)" = 700
says "nothing is left to resume" 0 "nothing is unfinished" thinscope resume
