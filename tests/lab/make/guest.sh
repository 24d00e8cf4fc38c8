#!/bin/bash
# Turns a fresh Debian root into the lab's guest: no network, nothing that starts by itself
# but udev, LVM's monitor and the agent. Usage: guest.sh ROOT
set -euo pipefail
files=$(cd "$(dirname "$0")/files" && pwd)
root=$1
units=$root/etc/systemd/system

echo lab >"$root/etc/hostname"
echo "127.0.0.1 localhost lab" >"$root/etc/hosts"
echo 5be3a1c2d4f60718293a4b5c6d7e8f90 >"$root/etc/machine-id" # a known id: no first boot set-up
: >"$root/etc/fstab"
rm -f "$root/usr/sbin/policy-rc.d" "$root/etc/resolv.conf"
sed -i 's/^root:[^:]*:/root::/' "$root/etc/shadow"
printf '%s\n' loop dm-mod dm-thin-pool xfs overlay virtio_console >"$root/etc/modules-load.d/lab.conf"
mkdir -p "$root/etc/systemd/journald.conf.d" "$root/lab"
printf '[Journal]\nStorage=volatile\nRateLimitBurst=0\n' >"$root/etc/systemd/journald.conf.d/lab.conf"

install -m 755 "$files/agent" "$root/usr/local/sbin/lab-agent"
install -m 644 "$files/lab.service" "$units/lab.service"
mkdir -p "$units/multi-user.target.wants"
ln -sf ../lab.service "$units/multi-user.target.wants/lab.service"

masked=(
    getty@tty1.service serial-getty@ttyS0.service console-getty.service getty.target
    systemd-timesyncd.service systemd-networkd.service systemd-networkd.socket systemd-resolved.service
    systemd-networkd-wait-online.service systemd-update-utmp.service systemd-update-utmp-runlevel.service
    systemd-random-seed.service systemd-logind.service systemd-user-sessions.service
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service
    fstrim.timer systemd-tmpfiles-clean.timer mdcheck_start.timer mdcheck_continue.timer
    mdmonitor-oneshot.timer podman.service podman.socket podman-restart.service podman-auto-update.service
    podman-auto-update.timer
)
for unit in "${masked[@]}"; do ln -sf /dev/null "$units/$unit"; done
# Docker, containerd and sshd start when a host or a check wants them.
find "$root/etc/systemd" \( -path '*.wants/*' \( -name 'docker.*' -o -name 'containerd.*' -o -name 'ssh.*' \) -o -name sshd.service \) -delete
