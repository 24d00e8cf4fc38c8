#!/bin/bash
# Metadata on a device that gives errors, is slow or hangs, below an active pool and by --metadata:
# what is wrong is said, what can be read is read, and nothing is waited for without end.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
mkdir -p /results/media && cd /results/media || exit 1

pool=$(pool_name)
tmeta=/dev/dm-$(dmsetup table "$pool" | awk '{ split($4, n, ":"); print n[2] }')
# a metadata device of its own, over a copy of the pool's
hold_metadata_snapshot "$pool"
sync
dd if="$tmeta" of=/var/tmp/meta.img bs=1M iflag=direct status=none
release_metadata_snapshot "$pool"
loop=$(losetup -f --show /var/tmp/meta.img)
sectors=$(blockdev --getsz "$loop")
dmsetup create --noudevsync made --table "0 $sectors linear $loop 0"
made=/dev/dm-$(dmsetup info -c --noheadings -o minor made)
layers() { thinscope layers --sharing --json --metadata "$made"; }
layers >sound.json
ok "a made device is read" jq -e '.devices | length > 0' sound.json

# bad sectors: a leaf of the mappings, and its neighbours are read
become() { # become TABLE: the made device is this from now on
    printf '%s\n' "$1" | dmsetup reload made && dmsetup suspend --noflush made && dmsetup resume made
}
bad=64
become "0 $bad linear $loop 0
$bad 8 error
$((bad + 8)) $((sectors - bad - 8)) linear $loop $((bad + 8))"
within 60 thinscope layers --sharing --json --metadata "$made" >bad.json 2>bad.err
equal "a bad sector ends nothing" 0 $?
ok "what can be read is read" jq -e '.devices | length > 0' bad.json
# superblock and all
become "0 $sectors error"
within 60 thinscope layers --sharing --metadata "$made" >all.txt 2>all.err
contains "a device of errors says so" "Input/output error" "$(cat all.txt all.err)"
become "0 $sectors linear $loop 0"

if modprobe dm-delay 2>/dev/null; then
    become "0 $sectors delay $loop 0 30"
    within 120 thinscope layers --sharing --json --metadata "$made" >slow.json 2>slow.err
    equal "a slow device says the same as a quick one" "$(jq -cS .devices sound.json)" "$(jq -cS .devices slow.json)"
    become "0 $sectors linear $loop 0"
fi

# one that hangs
dmsetup suspend --noflush made
within 60 thinscope layers --sharing --metadata "$made" >hung.txt 2>hung.err
status=$?
dmsetup resume made
refused "a hanging device is not waited for" test "$status" = 124
contains "and said" "no answer within" "$(cat hung.txt hung.err)"
ok "nothing of ours hangs on" eventually 15 bash -c '! pgrep -f [_]_probe'
dmsetup remove --retry made
losetup -d "$loop"

# below an active pool: suspended, and not asked
below=$(dmsetup info -c --noheadings -o name "$tmeta")
dmsetup suspend --noflush --nolockfs "$below"
within 60 thinscope layers --sharing --json >below.json 2>below.err
status=$?
dmsetup resume "$below"
refused "a pool whose metadata device is suspended is not waited for" test "$status" = 124
contains "the device is named, and what ends it" "dmsetup resume $below" "$(jq -r '.gaps[].why' below.json)"
