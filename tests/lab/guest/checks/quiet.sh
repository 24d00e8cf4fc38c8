#!/bin/bash
# Looking changes nothing: pool status, event numbers, the metadata device's write counter, file
# times, database locks; and no status is ever asked that flushes, LVM's own asking included.
. "$LAB/guest/check.sh"

metadata_devices() {
    dmsetup table --target thin-pool | awk '{print $5}' | while read -r dev; do
        [ -z "$dev" ] || basename "$(readlink -f "/sys/dev/block/$dev")"
    done
}
state() {
    dmsetup status --noflush
    dmsetup table
    dmsetup info -c --noheadings -o name,open,segments,events,suspended
    for dev in $(metadata_devices); do echo "$dev writes $(awk '{print $5}' "/sys/block/$dev/stat")"; done
    find /var/lib/docker /etc/docker -xdev -not -path '*/overlay2/*' -not -path '*/devicemapper/mnt/*' \
        -printf '%p %T@ %C@ %s\n' 2>/dev/null | sort
    find /var/lib/containerd /etc/containerd -xdev \( -name '*.db' -o -name '*.toml' \) -printf '%p %T@ %C@ %s\n' 2>/dev/null | sort
    find /etc/lvm /run/lvm -type f -printf '%p %T@ %s\n' 2>/dev/null | sort
    grep -c . /proc/mounts
    [ -e /run/dmeventd.pid ] || pgrep -c dmeventd
}
sync && sleep 2
state >/results/before.txt
for view in tree layers pool findings; do
    thinscope $view >/dev/null && thinscope $view --json >/dev/null
done
thinscope capture -o /results/quiet.thinscope
state >/results/after.txt
ok "nothing changed" diff /results/before.txt /results/after.txt
ok "no process of ours is left" bash -c '! pgrep -x thinscope'

strace -f -y -e trace=ioctl,openat,openat2,flock,fcntl -o /results/trace.txt thinscope layers --json >/dev/null
flags_of() { grep -o 'DM_TABLE_STATUS.*flags=[^,}]*' /results/trace.txt | grep -v DM_STATUS_TABLE_FLAG; }
ok "the trace shows device-mapper being asked" grep -q 'DM_LIST_DEVICES' /results/trace.txt
equal "no status is asked that flushes" 0 "$(flags_of | grep -vc DM_NOFLUSH_FLAG)"
equal "no ioctl changes a device" 0 \
    "$(grep -cE 'DM_(DEV_CREATE|DEV_REMOVE|DEV_SUSPEND|TABLE_LOAD|TABLE_CLEAR|TARGET_MSG|DEV_RENAME|REMOVE_ALL|DEV_SET_GEOMETRY)' /results/trace.txt)"
equal "nothing of an engine is opened for writing" 0 \
    "$(grep -E 'open.*(/var/lib/docker|/etc/docker|/var/lib/containerd)' /results/trace.txt | grep -cE 'O_(WRONLY|RDWR|CREAT|TRUNC)')"
equal "no engine's database is locked" 0 "$(grep -E '(flock|F_SETLK|F_OFD).*/var/lib/(docker|containerd)' /results/trace.txt | wc -l)"
