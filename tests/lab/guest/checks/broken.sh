#!/bin/bash
# What goes wrong inside a pool, made by the kernel itself: blocks on their way and blocks that a crash
# lost, metadata that cannot be written any more, and a pool that failed. Each is said, nothing is
# waited for, and what can be read is read.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
mkdir -p /results/broken && cd /results/broken || exit 1
folder=/var/tmp/broken
mkdir -p $folder

# pool NAME METADATA: a pool of 64 KiB blocks over files; its parts are devices that can be changed
pool() {
    local name=$1 metadata=$2 data=$folder/$1.data part loop
    truncate -s 64M "$data"
    [ -e "$metadata" ] || truncate -s 4M "$metadata"
    for part in meta data; do
        [ $part = meta ] && loop=$(losetup -f --show "$metadata") || loop=$(losetup -f --show "$data")
        dmsetup create --noudevsync "$name-$part" --table "0 $(blockdev --getsz "$loop") linear $loop 0"
    done
    dmsetup create --noudevsync "$name" \
        --table "0 131072 thin-pool $(node "$name-meta") $(node "$name-data") 128 0"
}
node() { echo "/dev/dm-$(dmsetup info -c --noheadings -o minor "$1")"; }
thin() { # thin POOL NAME ID
    dmsetup message "$1" 0 "create_thin $3" 2>/dev/null
    dmsetup create --noudevsync "$2" --table "0 65536 thin $(node "$1") $3"
}
write() { dd if=/dev/urandom of="$(node "$1")" bs=64k seek="$2" count="$3" oflag=direct conv=fsync status=none; }
leak() { thinscope findings --json | jq -r '.findings[] | select(.code == "data-blocks-leaked") | .evidence[0]'; }
held() { thinscope pool "$1" --json | jq -c ".pools[0].$2"; }
found_of() { # found_of SUBJECT CODE
    within 60 thinscope findings --json |
        jq -e --arg s "$1" --arg c "$2" 'any(.findings[]; .code == $c and .subject == $s)'
}
# gone_of SUBJECT CODE: it was looked for, and is not there
gone_of() {
    within 60 thinscope findings --json |
        jq -e --arg s "$1" --arg c "$2" 'all(.findings[]; .code != $c or .subject != $s)'
}

pool one $folder/one.meta
thin one one-thin 0
write one-thin 0 20
equal "in a pool at rest nothing is lost" "" "$(leak)"

# seven blocks that are counted and not yet mapped, as zeroing is not skipped: writes of data take long, flushes do not, for a
# commit waits for one (dm-thin.c, metadata_pre_commit_callback)
modprobe dm-delay
become() { dmsetup reload "$1" --table "$2" && dmsetup suspend --noflush "$1" && dmsetup resume "$1"; }
disk=$(losetup -j $folder/one.data | cut -d: -f1)
become one-data "0 131072 delay $disk 0 0 $disk 0 30000 $disk 0 0"
for at in 100 110 120 130 140 150 160; do write one-thin $at 1 & done
sleep 2
ok "they are counted" eventually 20 bash -c '[ "$(dmsetup status --noflush one | cut -d" " -f6 | cut -d/ -f1)" = 27 ]'
within 20 dmsetup status one >/dev/null # a commit
dd if="$(node one-meta)" of=$folder/two.meta bs=1M iflag=direct status=none
within 60 thinscope pool one --json >pending.json
equal "what is on its way is told as pending" 458752 "$(jq '[.. | .pending? | numbers] | first' pending.json)"
equal "and is not called lost" "" "$(within 60 leak)"
become one-data "0 131072 linear $disk 0"
wait
equal "and then it is mapped" "27" "$(($(dmsetup status --noflush one-thin | awk '{ print $4 }') / 128))"

# the same metadata after a crash at that moment
pool two $folder/two.meta
thin two two-thin 0
equal "the kernel counts more than it maps" "27 20" \
    "$(dmsetup status --noflush two | awk '{ split($6, n, "/"); print n[1] }') $(($(dmsetup status --noflush two-thin | awk '{ print $4 }') / 128))"
ok "data-blocks-leaked comes" found_of two data-blocks-leaked
contains "what a crash lost is found" "27 data blocks in use by the space map, 20 reached by devices" "$(leak)"
write two-thin 200 1
contains "and found again after somebody wrote" "28 data blocks in use by the space map, 21 reached" "$(leak)"

# as its page says: out of use, its metadata written anew, with true counts
cure() {
    dmsetup remove --retry two-thin && dmsetup remove --retry two &&
        thin_dump "$(node two-meta)" >$folder/two.xml && thin_restore -i $folder/two.xml -o "$(node two-meta)" &&
        dmsetup create --noudevsync two --table "0 131072 thin-pool $(node two-meta) $(node two-data) 128 0" && thin two two-thin 0
}
ok "its metadata is written anew" cure
equal "the kernel counts what it maps" 21 "$(dmsetup status --noflush two | awk '{ split($6, n, "/"); print n[1] }')"
ok "data-blocks-leaked goes" gone_of two data-blocks-leaked

# metadata that cannot be written: the kernel sets needs_check and goes read-only
if modprobe dm-flakey 2>/dev/null; then
    loop=$(losetup -j $folder/one.meta | cut -d: -f1)
    become one-meta "0 8192 flakey $loop 0 0 3600 1 error_writes"
    (write one-thin 300 1) 2>/dev/null
    ok "the kernel asks for a check" eventually 20 bash -c 'dmsetup status --noflush one | grep -q needs_check'
    ok "pool-needs-check comes" found_of one pool-needs-check
    ok "pool-read-only comes" found_of one pool-read-only
    within 60 thinscope layers one --sharing --json >ro.json
    equal "and its metadata is read" "27" "$(jq '.devices[0].mapped_bytes / 65536' ro.json)"
    # on a disk that takes writes again, checked offline, it is made again
    check() {
        dmsetup remove --retry one-thin && dmsetup remove --retry one && become one-meta "0 8192 linear $loop 0" &&
            thin_check -q --clear-needs-check-flag "$(node one-meta)" &&
            dmsetup create --noudevsync one --table "0 131072 thin-pool $(node one-meta) $(node one-data) 128 0" && thin one one-thin 0
    }
    ok "it is checked" check
    ok "pool-needs-check goes" gone_of one pool-needs-check
    ok "pool-read-only goes" gone_of one pool-read-only
elif modinfo dm-flakey >/dev/null 2>&1 || grep -q dm-flakey "/lib/modules/$(uname -r)/modules.builtin" 2>/dev/null; then
    ok "the kernel's own dm-flakey is loaded" modprobe dm-flakey
else
    echo "skipped: this kernel has no dm-flakey, and nothing else makes writes of metadata fail"
fi
# and nothing can be read or written: it fails
become two-meta "0 8192 error"
(write two-thin 400 1) 2>/dev/null
ok "the kernel fails the pool" eventually 20 bash -c 'dmsetup status --noflush two | grep -q Fail'
ok "pool-failed comes" found_of two pool-failed
within 60 thinscope layers two --sharing --json >failed.json
equal "it is not waited for" 0 $?
contains "and why nothing of it is known is said" "metadata two" "$(jq -r '.gaps[].source' failed.json)"
contains "as the kernel said it" "Input/output error" "$(jq -r '.gaps[].why' failed.json)"

for device in one-thin two-thin one two one-meta one-data two-meta two-data; do dmsetup remove --retry "$device"; done
losetup -D
