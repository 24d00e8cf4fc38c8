#!/bin/bash
# Why a pool is not there, made for real one cause after the other: a PV that is missing, two with one uuid,
# volume lists of LVM's configuration, transaction ids that differ, metadata marked needs_check, a part left
# active, one volume alone. Each is named, and what LVM would refuse is not tried.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
. "$LAB/guest/witness.sh"
lvmconf=/etc/lvm/lvmlocal.conf
cp $lvmconf /tmp/lvmlocal.conf 2>/dev/null || : >/tmp/lvmlocal.conf
plain() { cp /tmp/lvmlocal.conf $lvmconf; }

pvcreate -q /dev/vdb /dev/vdc && vgcreate -q t /dev/vdb /dev/vdc
lvcreate -q -y -L 200M -T t/p --poolmetadatasize 8M -c 64K
lvcreate -q -y -V 1G -T t/p -n v
lvcreate -q -y -V 1G -T t/p -n w
lvcreate -q -y -L 20M -n plain t
mkfs.ext4 -q /dev/t/v
sync
sum=$(head -c 16M /dev/t/v | sha256sum)
away() { vgchange -q -an t; }
is_away() { refused "$1: nothing was activated" dmsetup info t-p-tpool; }
away

says "a volume alone" 0 "done and verified" thinscope activate t/plain --yes=t/plain
equal "it alone is active" "t-plain" "$(dmsetup ls --noheadings 2>/dev/null | awk '{ print $1 }' | grep '^t-')"
says "once more is fine" 0 "nothing to do" thinscope activate t/plain
says "a thin volume, with its pool" 0 "done and verified" thinscope activate t/v --yes=t/v
equal "its data is there" "$sum" "$(head -c 16M /dev/t/v | sha256sum)"
away
for part in p_tmeta p_tdata; do
    lvchange -q -y -ay "t/$part"
    says "with $part left active it is put away first" 0 "done and verified" thinscope activate t/p --yes=t/p
    ok "the kernel has it" dmsetup info t-p-tpool
    away
done
says "the whole group" 0 "done and verified" thinscope activate t --yes=t
equal "all four are there" 4 "$(dmsetup ls | cut -f 1 | grep -cxE 't-(p|v|w|plain)')"
away

echo 'devices { filter = [ "r|/dev/vdc|" ] }' >$lvmconf
uuid=$(pvs --config 'devices{filter=["a|.*|"]}' --noheadings -o pv_uuid /dev/vdc | tr -d ' ')
says "a PV that is missing is named by its uuid" 1 "$uuid" thinscope activate t/p --yes=t/p
is_away "a missing PV"
plain

dd if=/dev/vdc of=/dev/vdd bs=1M count=2 conv=fsync status=none && udevadm settle
said=$(thinscope activate t/p --yes=t/p 2>&1 </dev/null)
equal "two PVs with one uuid: refused" 1 $?
contains "two PVs with one uuid: the one is named" /dev/vdc "$said"
contains "two PVs with one uuid: and the other" /dev/vdd "$said"
is_away "two PVs with one uuid"
wipefs -q -a /dev/vdd && dd if=/dev/zero of=/dev/vdd bs=1M count=2 status=none && udevadm settle

echo 'activation { volume_list = [ "other" ] }' >$lvmconf
said=$(thinscope activate t/p --yes=t/p 2>&1 </dev/null)
refused "a volume_list without it is not overruled" test $? = 0
contains "and is named" volume_list "$said"
is_away "a volume_list without it"
echo 'activation { auto_activation_volume_list = [ "other" ] }' >$lvmconf
says "an auto_activation_volume_list is told and does not forbid" 0 auto_activation_volume_list thinscope activate t/p --yes=t/p
plain
away
vgchange -q --setautoactivation n t
says "autoactivation that is off is told" 0 autoactivation thinscope activate t/p --yes=t/p
vgchange -q --setautoactivation y t

# the pool's own count, behind LVM's back
id=$(lvs --noheadings -o transaction_id t/p | tr -d ' ')
vgchange -q -an t/v 2>/dev/null
lvchange -q -an t/v t/w
dmsetup message t-p-tpool 0 "set_transaction_id $id $((id + 5))"
dmsetup status t-p-tpool >/dev/null # a commit
away
says "transaction ids that differ are both told" 1 "counts transaction $((id + 5)) in its own metadata and $id in LVM's" thinscope activate t/p --yes=t/p
is_away "a transaction mismatch"
refused "which LVM refuses too" lvchange -q -ay t/p
is_away "after LVM's own try"

# needs_check, set in the superblock as the kernel does after an error
place=$(lvs -a --noheadings -o seg_pe_ranges t/p_tmeta | tr -d ' ')
from=${place##*:} from=${from%-*}
pe=$(pvs --noheadings --nosuffix --units b -o pe_start "${place%%:*}" | tr -d ' ')
at=$((pe + from * 4194304))
mark_superblock "${place%%:*}" $at 1 "$id" && sync && blockdev --flushbufs "${place%%:*}"
said=$(thinscope activate t/p --yes=t/p 2>&1 </dev/null)
status=$?
contains "needs_check is told before" needs_check "$said"
echo "  it ended with $status; the pool: $(dmsetup status --noflush t-p-tpool 2>&1)"
found pool-needs-check && equal "and is what the pool has" 1 1
away
mark_superblock "${place%%:*}" $at 0 "$id" && sync && blockdev --flushbufs "${place%%:*}"
says "without the mark it is activated" 0 "done and verified" thinscope activate t/p --yes=t/p
lvchange -q -ay t/v
equal "its data is there after everything" "$sum" "$(head -c 16M /dev/t/v | sha256sum)"

# suspended, by whoever died
suspend_pool t-p-tpool
says "a suspended pool is resumed" 0 "done and verified" thinscope activate t/p --yes=t/p
suspend_thin t-v
says "a suspended volume too" 0 "done and verified" thinscope activate t/v --yes=t/v
ok "nothing is suspended at the end" nothing_suspended
vgremove -q -f t
