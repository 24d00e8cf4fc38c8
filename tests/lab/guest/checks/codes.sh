#!/bin/bash
# The findings of a host on which nobody has done anything: exactly those that its making explains.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
case $LAB_HOST in
# Docker's documents give 95 % to the data and 1 % twice to the metadata: 20 % more find no room
direct-lvm | direct-lvm-dead | direct-lvm-auto | direct-lvm-auto-dead | luks-pv | luks-pv-dead) expect="autoextend-cannot-act" ;;
# a second disk of the same size gives it the room
direct-lvm-2pv* | tmeta-other-pv* | tmeta-raid1*) expect="" ;;
# Docker's file says 100 GiB, the disk under it has a tenth
loop-lvm) expect="loop-file-overcommitted loop-lvm-in-use" ;;
loop-lvm-dead) expect="loop-file-overcommitted loop-lvm-in-use pool-inactive" ;;
raw) expect="" ;;
raw-dead) expect="pool-inactive" ;;
inactive) expect="pool-inactive" ;;
# LVM's own default, and volumes as large as people make them
lvm-thin) expect="autoextend-off overcommitted" ;;
*) expect="" ;;
esac
thinscope findings >/results/findings.txt
equal "the findings of $LAB_HOST are those of its making" "$expect" "$(codes | tr '\n' ' ' | sed 's/ $//')"
ok "each has its page" bash -c 'for code in $(thinscope findings --json | jq -r ".findings[].code"); do thinscope explain "$code" | grep -q "^# $code$" || exit 1; done'
