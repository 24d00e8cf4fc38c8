#!/bin/bash
# LVM's transaction id is not the pool's: the diff and the command that the finding shows are LVM's own
# text, and they cure it. Metadata that takes long to check is estimated, until LVM is told to skip it.
# A full state folder: figures and the check go on, the history stays whole, and why is said.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"

told() { thinscope findings --json | jq -r --arg c "$1" ".findings[] | select(.code == \$c) | $2"; }

pvcreate -q /dev/vdb && vgcreate -q t /dev/vdb
lvcreate -q -y -L 200M --poolmetadatasize 16M -c 64k -T t/p.1
for n in 1 2 3; do lvcreate -q -y -V 100M -T t/p.1 -n v$n; done
id=$(lvs --noheadings -o transaction_id t/p.1 | tr -d ' ')
equal "LVM has counted its volumes" 3 "$id"
vgchange -q -an t
lvchange -q -ay t/v1
ahead() { dmsetup message t-p.1-tpool 0 "set_transaction_id $id $((id + 5))"; }
comes transaction-mismatch ahead
dmsetup status t-p.1-tpool >/dev/null # a commit
diff=$(told transaction-mismatch '.evidence[]')
contains "the line that is wrong is shown" $'\n'"-        transaction_id = $id"$'\n'"+        transaction_id = $((id + 5))"$'\n' "$diff"
line=$(sed -n 's/^@@ -\([0-9]*\),7 .*/\1/p' <<<"$diff")
contains "by its number in LVM's file" "transaction_id = $id" "$(sed -n "$((line + 3))p" /etc/lvm/backup/t)"
vgchange -q -an t
refused "LVM does not activate it" lvchange -ay t/v1
contains "nor is it forgotten while it is inactive" "+        transaction_id = $((id + 5))" "$(told transaction-mismatch '.evidence[]')"
lvchange -q -ay -y t/p.1_tmeta
ok "its metadata is sound" thin_check -q /dev/t/p.1_tmeta
lvchange -q -an t/p.1_tmeta
remedy=$(told transaction-mismatch .remedy)
save=$(sed -n 's/.*`\(vgcfgbackup [^`]*\)`.*/\1/p' <<<"$remedy") edit=$(sed -n 's/.*`\(sed [^`]*\)`.*/\1/p' <<<"$remedy")
ok "what the remedy says first runs" bash -c "$save"
cp /root/t.txt /root/t.old
ok "and so does the edit" bash -c "$edit"
equal "which changes one line" 1 "$(diff /root/t.old /root/t.txt | grep -c '^>')"
cure() { vgcfgrestore -q --force -f /root/t.txt t && lvchange -q -ay t/v1; }
goes transaction-mismatch cure
equal "all volumes are there" "v1 v2 v3" "$(lvs --noheadings -o lv_name t | tr -d ' ' | grep v | xargs)"
vgremove -q -y t >/dev/null

# 10,000 devices of one block: as many leaves, 40 MiB, on a disk that says it turns: a loop device, for
# the machine's own disks are virtual ones and not believed
truncate -s 200M /var/tmp/turning && turning=$(losetup -f --show /var/tmp/turning)
echo 1 >"/sys/block/$(basename "$turning")/queue/rotational"
vgcreate -q t /dev/vdb "$turning"
lvcreate -q -y --zero n -L 1G -c 64K --poolmetadatasize 64M -T t/p /dev/vdb
lvchange -q -an t/p
lvcreate -q -L 64M -n made t "$turning"
seq 0 9999 | awk '
    BEGIN { print "<superblock uuid=\"\" time=\"0\" transaction=\"0\" data_block_size=\"128\" nr_data_blocks=\"16384\">" }
    { printf "<device dev_id=\"%d\" mapped_blocks=\"1\" transaction=\"0\" creation_time=\"0\" snap_time=\"0\"><single_mapping origin_block=\"0\" data_block=\"%d\" time=\"0\"/></device>\n", $1, $1 }
    END { print "</superblock>" }' >/var/tmp/made.xml
thin_restore -i /var/tmp/made.xml -o /dev/t/made >/dev/null
lvconvert -q -y --thinpool t/p --poolmetadata t/made && lvremove -q -y t/made
lvchange -q -ay t/p
ok "a check that takes long is told" test -n "$(told thin-check-slow .code)"
echo "  $(told thin-check-slow '.summary, .evidence[-1]')"
lvchange -q -an t/p
ok "of an inactive pool, too" test -n "$(told thin-check-slow .code)"
lvchange -q -ay t/p_tmeta -y
began=$(date +%s%N)
reads=$(awk '{ print $1 + $2 }' "/sys/block/$(basename "$(readlink -f /dev/t/p_tmeta)")/stat")
thin_check -q /dev/t/p_tmeta
echo "figure: thin_check took $((($(date +%s%N) - began) / 1000000)) ms, $(($(awk '{ print $1 + $2 }' "/sys/block/$(basename "$(readlink -f /dev/t/p_tmeta)")/stat") - reads)) reads"
lvchange -q -an t/p_tmeta
cp /etc/lvm/lvm.conf /etc/lvm/lvm.conf.kept
printf 'global/thin_check_options = [ "-q", "--skip-mappings" ]\n' >>/etc/lvm/lvm.conf
ok "LVM reads the setting so" bash -c 'lvmconfig --type full global/thin_check_options | grep -q skip-mappings'
equal "and then it is not told" "" "$(told thin-check-slow .code)"
mv /etc/lvm/lvm.conf.kept /etc/lvm/lvm.conf
pvmove -q -i 1 "$turning" /dev/vdb >/dev/null
equal "a virtual disk says that it turns" 1 "$(cat /sys/block/vdb/queue/rotational)"
equal "and is not believed" "" "$(told thin-check-slow .code)"
vgreduce -q t "$turning" && losetup -d "$turning"
lvchange -q -ay t/p

# a state folder on a disk of 64 KiB that is full
mkdir -p /var/tmp/state && mount -t tmpfs -o size=64k none /var/tmp/state
kept() { thinscope --state-dir /var/tmp/state check -w 99 -c 99 >/dev/null; }
kept && cp /var/tmp/state/history /var/tmp/history.before
contains "the history is kept" '"samples":1' "$(cat /var/tmp/state/history)"
dd if=/dev/zero of=/var/tmp/state/filler bs=4k 2>/dev/null
sleep 61 # samples of a pool at rest are a minute apart
for command in "check -w 99 -c 99" metrics; do
    # shellcheck disable=SC2086
    thinscope --state-dir /var/tmp/none $command >/tmp/well 2>/dev/null
    well=$?
    # shellcheck disable=SC2086
    thinscope --state-dir /var/tmp/state $command >/tmp/said 2>/tmp/wrong
    equal "${command%% *} goes on" "$well $(wc -l </tmp/well)" "$? $(wc -l </tmp/said)"
    contains "and says why" "history: it is not kept: No space left on device" "$(cat /tmp/wrong)"
    equal "once" 1 "$(grep -c 'not kept' /tmp/wrong)"
done
ok "the file is as it was" cmp /var/tmp/state/history /var/tmp/history.before
equal "and nothing else is left there" "filler history history.lock" "$(ls -A /var/tmp/state | grep -v '^pools$' | xargs)"
rm /var/tmp/state/filler
kept
contains "with room it goes on" '"samples":2' "$(cat /var/tmp/state/history)"
umount /var/tmp/state && vgremove -q -y t >/dev/null && pvremove -q /dev/vdb
