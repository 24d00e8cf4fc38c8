#!/bin/bash
# A pool that is not there comes back: deactivated, with its metadata left active, without
# thin_check, with a disk missing.
. "$LAB/guest/check.sh"
. "$LAB/guest/witness.sh"
pool=docker-thinpool
away() { vgchange -q -an docker; }

says "no consent" 1 "consent is missing" thinscope activate
says "a rehearsal goes to its end" 0 "nothing was changed" thinscope activate --dry-run
refused "and activates nothing" dmsetup info "$pool"
ok "the pool is activated" thinscope activate --yes="$pool"
ok "the kernel has it" dmsetup info "$pool"
says "again is fine" 0 "nothing to do" thinscope activate docker/thinpool
away
says "as VG/LV, and what to start next" 0 "systemctl start docker" thinscope activate docker/thinpool --yes=docker/thinpool
away
ok "by its group" thinscope activate docker --yes=docker
ok "the kernel has it" dmsetup info "$pool"
away

lvchange -q -y -ay docker/thinpool_tmeta
ok "metadata that was left active is put away first" thinscope activate --yes="$pool"
ok "the kernel has it" dmsetup info "$pool"
away

mv /usr/sbin/thin_check /usr/sbin/thin_check.away
says "without thin_check it stops" 1 "thin-provisioning-tools" thinscope activate --yes="$pool"
equal "and nothing was activated" 1 "$(dmsetup info "$pool" >/dev/null 2>&1; echo $?)"
printf '#!/bin/sh\necho "bad checksum in superblock" >&2\nexit 1\n' >/usr/sbin/thin_check && chmod +x /usr/sbin/thin_check
says "a failing check is named" 4 "thin_check" thinscope activate --yes="$pool"
rm /usr/sbin/thin_check; mv /usr/sbin/thin_check.away /usr/sbin/thin_check

vgexport -q docker
says "an exported group is named" 1 "vgimport docker" thinscope activate "$pool" --yes="$pool"
vgimport -q docker
# what LVM does not see: left out by a filter, by its devices file, another host's, behind closed LUKS
lvmconf=/etc/lvm/lvmlocal.conf
cp "$lvmconf" /tmp/lvmlocal.conf 2>/dev/null || : >/tmp/lvmlocal.conf
unseen() { # unseen WHAT PART…: says both, and activates nothing
    local what=$1 said
    shift
    said=$(thinscope activate "$pool" --yes="$pool" 2>&1 </dev/null)
    equal "$what: refused" 1 $?
    contains "$what: the disk is named" "/dev/vdb holds a PV that LVM does not list" "$said"
    contains "$what: the cause is named" "$1" "$said"
    refused "$what: nothing was activated" dmsetup info "$pool"
}
echo 'devices { filter = [ "r|/dev/vdb|" ] }' >"$lvmconf"
unseen "a filter" "lvmconfig devices/filter"
cp /tmp/lvmlocal.conf "$lvmconf"
mkdir -p /etc/lvm/devices
echo 'devices { use_devicesfile = 1 }' >"$lvmconf"
printf 'VERSION=1.1.1\nIDTYPE=devname IDNAME=/dev/vdc DEVNAME=/dev/vdc PVID=.\n' >/etc/lvm/devices/system.devices
unseen "the devices file" "lvmdevices --adddev"
rm -f /etc/lvm/devices/system.devices
cp /tmp/lvmlocal.conf "$lvmconf"
echo 'global { system_id_source = "lvmlocal" } local { system_id = "another" }' >"$lvmconf"
vgchange -q -y --systemid another docker
echo 'global { system_id_source = "lvmlocal" } local { system_id = "this" }' >"$lvmconf"
unseen "another host's group" "vgs --foreign"
echo 'global { system_id_source = "lvmlocal" } local { system_id = "another" }' >"$lvmconf"
vgchange -q -y --systemid "" docker
cp /tmp/lvmlocal.conf "$lvmconf"
luks_is_named() {
    echo -n lab | cryptsetup -q luksFormat --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/vdc -
    echo -n lab | cryptsetup open /dev/vdc away -d -
    pvcreate -q /dev/mapper/away && vgcreate -q away /dev/mapper/away && lvcreate -q -L 40M -T away/pool
    vgchange -q -an away && cryptsetup close away
    says "a pool behind closed LUKS" 2 "/dev/vdc holds LUKS that is not open" thinscope activate away/pool --yes=away/pool
    echo -n lab | cryptsetup open /dev/vdc away -d - && udevadm settle && vgchange -q -an away
    says "opened it is activated" 0 "done and verified" thinscope activate away/pool --yes=away/pool
    vgchange -q -an away && cryptsetup close away
}
luks_is_named

lvchange -q -ky docker/thinpool
says "the flag to be skipped is overruled" 0 "skipped" thinscope activate --yes="$pool"
ok "the kernel has it" dmsetup info "$pool"
lvchange -q -kn docker/thinpool
systemctl start docker
ok "Docker starts on it" eventually 60 docker info
ok "nothing is suspended" nothing_suspended
