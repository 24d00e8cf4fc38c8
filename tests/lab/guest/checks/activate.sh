#!/bin/bash
# A pool that is not there comes back: deactivated, with its metadata left active, without
# thin_check, with a disk missing.
. "$LAB/guest/check.sh"
. "$LAB/guest/witness.sh"
pool=docker-thinpool
away() { vgchange -q -an docker; }

says "no consent" 1 "consent is missing" thinscope activate
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
lvchange -q -ky docker/thinpool
says "the flag to be skipped is overruled" 0 "skipped" thinscope activate --yes="$pool"
ok "the kernel has it" dmsetup info "$pool"
lvchange -q -kn docker/thinpool
systemctl start docker
ok "Docker starts on it" eventually 60 docker info
ok "nothing is suspended" nothing_suspended
