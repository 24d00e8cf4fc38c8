#!/bin/bash
# Findings whose cure takes a pool out of use, or gives it another place: each made for real, and seen to go
# after what its page says.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
folder=/var/tmp/gone
mkdir -p $folder

# a pool over files, its metadata under a device that can be changed; `made` makes it and its thin device
pool_over_files() {
    truncate -s 64M $folder/data && truncate -s 4M $folder/meta
    data=$(losetup -f --show $folder/data) meta=$(losetup -f --show $folder/meta)
    dmsetup create --noudevsync one-meta --table "0 8192 linear $meta 0"
}
node() { echo "/dev/dm-$(dmsetup info -c --noheadings -o minor "$1")"; }
made() {
    dmsetup create --noudevsync one --table "0 131072 thin-pool $(node one-meta) $data 128 0" &&
        { dmsetup message one 0 "create_thin 0" 2>/dev/null || true; } &&
        dmsetup create --noudevsync one-thin --table "0 65536 thin $(node one) 0"
}
unmade() { dmsetup remove --retry one-thin && dmsetup remove --retry one; }
become() { dmsetup reload one-meta --table "0 8192 $1" && dmsetup suspend --noflush one-meta && dmsetup resume one-meta; }
write() { dd if=/dev/urandom of="$(node one-thin)" bs=64k seek="$1" count=1 oflag=direct conv=fsync status=none; }
mode() { dmsetup status --noflush one; }

failed() {
    pool_over_files && made && write 1
    break_it() { become error && { write 2 2>/dev/null || true; } && eventually 20 bash -c 'dmsetup status --noflush one | grep -q Fail'; }
    comes pool-failed break_it
    mend_it() { unmade && become "linear $meta 0" && thin_check -q "$(node one-meta)" && made; }
    goes pool-failed mend_it
    contains "it works again" " rw " "$(mode)"
}

needs_check() {
    flag() { unmade && mark_superblock $folder/meta 0 1 && made; }
    comes pool-needs-check flag
    contains "the kernel says it" needs_check "$(mode)"
    ok "pool-read-only comes with it" found pool-read-only
    clear_flag() { unmade && thin_check -q --clear-needs-check-flag "$(node one-meta)" && made; }
    goes pool-needs-check clear_flag
    ok "pool-read-only goes with it" gone pool-read-only
    contains "it works again" " rw " "$(mode)"
    unmade && dmsetup remove one-meta && losetup -d "$data" "$meta"
}

inactive() {
    pvcreate -q /dev/vdb && vgcreate -q t /dev/vdb
    lvcreate -q -y -L 100M -T t/pool --poolmetadatasize 4M -c 64K
    comes pool-inactive vgchange -q -an t
    goes pool-inactive lvchange -q -ay t/pool
    vgremove -q -f t
}

# from files to a disk, as the page says; nothing is saved here
moved() {
    systemctl stop docker.socket docker
    rm -rf /var/lib/docker/*
    jq '."storage-opts" = ["dm.directlvm_device=/dev/vdc", "dm.directlvm_device_force=true"]' </etc/docker/daemon.json >/etc/docker/daemon.new &&
        mv /etc/docker/daemon.new /etc/docker/daemon.json
    systemctl start docker.socket docker && eventually 60 docker version
}

case $LAB_HOST in
loop-lvm)
    ok "loop-lvm-in-use is there" found loop-lvm-in-use
    ok "loop-file-overcommitted is there" found loop-file-overcommitted
    goes loop-lvm-in-use moved
    ok "loop-file-overcommitted goes with it" gone loop-file-overcommitted
    equal "docker has its pool on the disk" docker-thinpool "$(docker info -f '{{json .DriverStatus}}' | jq -r '.[] | select(.[0] == "Pool Name") | .[1]')"
    ;;
*) failed && needs_check && inactive ;;
esac
