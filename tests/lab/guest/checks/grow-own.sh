#!/bin/bash
# A pool that LVM does not own grows while a container writes: over loop files, or over volumes.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
. "$LAB/guest/witness.sh"

pool=$(pool_name)
sum=$(sum_of_stopped nightly-report)
ok "a container writes" start_writer shop-web-1
arguments() { dmsetup table "$pool" | cut -d ' ' -f 3-; }
kept=$(arguments)
length=$(dmsetup table "$pool" | cut -d ' ' -f 2)
total=$(total_of "$pool") metadata=$(metadata_of "$pool")
# docker's blocks are 64 KiB: 1 GiB are 16384 of them; 64 MiB of metadata are 16384 blocks
ok "data grows by 1G" bash -c 'thinscope grow --data +1G --yes="$0" | tee /tmp/grow.log; exit ${PIPESTATUS[0]}' "$pool"
equal "the kernel has that much more" $((total + 16384)) "$(total_of "$pool")"
equal "the table is that much longer" $((length + 2097152)) "$(dmsetup table "$pool" | cut -d ' ' -f 2)"
equal "every other argument is the same to the letter" "$kept" "$(arguments)"
ok "the writer goes on" goes_on shop-web-1
ok "metadata and data grow in one window" thinscope grow --data +1G --metadata +64M --yes="$pool"
equal "data has grown again" $((total + 32768)) "$(total_of "$pool")"
equal "metadata too" $((metadata + 16384)) "$(metadata_of "$pool")"
equal "still every other argument" "$kept" "$(arguments)"
docker_agrees "$pool" 65536
# over volumes it is LVM that grows what lies below; a volume that somebody grew already is taken in
volume_size() { lvs --noheadings --nosuffix --units b -o lv_size "store/$1" | tr -d ' '; }
volumes_agree() {
    equal "the whole of the data volume is in the pool" "$(volume_size data)" $(($(dmsetup table "$pool" | cut -d ' ' -f 2) * 512))
    equal "and of the metadata volume" "$(volume_size metadata)" $(($(metadata_of "$pool") * 4096))
}
by_hand() {
    local before
    before=$(total_of "$pool")
    lvextend -q -L +64M store/data
    equal "a volume grown by hand alone changes no pool" "$before" "$(total_of "$pool")"
    says "what was grown by hand is taken in" 0 "done and verified" thinscope grow --data +64M --yes="$pool"
    equal "its 1024 blocks are there" $((before + 1024)) "$(total_of "$pool")"
    says "more than the group has is refused" 1 "free: ask for less" thinscope grow --data +1T --yes="$pool"
    says "a disk cannot join a pool that LVM does not own" 1 "no LVM pool" thinscope grow --data +1G --add-pv /dev/vdc --yes="$pool"
    equal "its 1024 blocks and no more" $((before + 1024)) "$(total_of "$pool")"
}
if [ -e /dev/store/data ]; then
    volumes_agree
    by_hand
    volumes_agree
    equal "still every other argument of the table" "$kept" "$(arguments)"
fi
# as after a death within the window: the journal ends where the last step began, the pool has its
# new table and is suspended
cut_off_in_window() {
    local journal begun total said
    ok "once more it grows" thinscope grow --data +64M --yes="$pool"
    total=$(total_of "$pool")
    journal=$(printf '%s\n' /var/lib/thinscope/journal/*.jsonl | tail -n 1)
    begun=$(grep -n '"record":"intended"' "$journal" | tail -n 1 | cut -d : -f 1)
    head -n "$begun" "$journal" >/tmp/journal && cat /tmp/journal >"$journal"
    suspend_pool "$pool"
    said=$(timeout 60 thinscope resume 2>&1 </dev/null)
    equal "resume of a run that was cut off within its window ends well" 0 $?
    contains "it asks for the same window again" "the window is finished first" "$said"
    ok "nothing is suspended by then" nothing_suspended
    equal "the pool has what was agreed to" "$total" "$(total_of "$pool")"
    equal "and every other argument" "$kept" "$(arguments)"
}
cut_off_in_window
ok "the writer goes on to the end" goes_on shop-web-1
ok "no line of it is missing" whole shop-web-1
ok "nothing is suspended" nothing_suspended
docker_agrees "$pool" 65536
equal "what lay on the pool is whole" "$sum" "$(sum_of_stopped nightly-report)"
equal "a shrink is refused" 1 "$(thinscope grow --data 1G --yes="$pool" >/dev/null 2>&1; echo $?)"
equal "no inactive table is left" 0 "$(dmsetup info -c --noheadings -o tables_loaded "$pool" 2>/dev/null | grep -c Inactive)"

# the window against the documents' three commands, on the same pool
table=$(dmsetup table "$pool")
began=$(date +%s%N)
dmsetup suspend "$pool"
dmsetup reload "$pool" --table "$table"
dmsetup resume "$pool"
ended=$(date +%s%N)
echo "figure: ours: $(grep -o 'suspended for .*' /tmp/grow.log); the documents' suspend, reload, resume: $(((ended - began) / 1000000)) ms"
