#!/bin/bash
# Takes down what thinscope says of this host and what the host's own tools say. It is compared
# on the machine that runs the lab (judge/), where a comparison takes a tenth of the time.
. "$LAB/guest/check.sh"
. "$LAB/guest/expected.sh"
cd /results || exit 1

umask 022
take_views() { # take_views FOLDER
    mkdir -p "$1"
    for view in tree layers pool findings; do
        thinscope "$view" --json >"$1/$view.json" 2>"$1/$view.json.err"
        echo "$?" >"$1/$view.status"
    done
    for view in tree layers pool; do thinscope "$view" >"$1/$view.txt" 2>"$1/$view.txt.err"; done
}
# A pool in use moves: a recording is compared with the looks around it where no device was written
# to from the first to the last.
unmoved() {
    rm -rf before after host.thinscope
    sync
    counted >counts
    take_views before
    thinscope capture -o host.thinscope && take_views after
    counted | cmp -s - counts
}
counted() { dmsetup status --noflush 2>&1; cat /sys/block/dm-*/stat | awk '{ print $5 }'; }
ok "the host is recorded while it stands still" eventually 150 unmoved
stat -c %a host.thinscope >host.mode

lsblk -b -J -o MAJ:MIN,SIZE,TYPE,NAME >lsblk.json
lvs -a --reportformat json --units b --nosuffix \
    -o vg_name,lv_name,lv_full_name,lv_role,lv_active,lv_size,lv_uuid,lv_kernel_major,lv_kernel_minor >lvs.json
vgs --reportformat json --units b --nosuffix -o vg_name,vg_free,vg_size >vgs.json
pvs --reportformat json --units b --nosuffix -o pv_name,vg_name,pv_size >pvs.json
dmsetup table >dm-table.txt
dmsetup info -c --noheadings --separator ' ' -o major,minor,name >dm-numbers.txt
if command -v docker >/dev/null && [ -d /var/lib/docker/devicemapper ]; then
    docker_containers >containers.json
    docker_images >images.json
    mkdir -p device-files
    cp /var/lib/docker/devicemapper/metadata/* device-files/
fi
# Figures are compared at a moment in which the pool stood still, and with it what docker says: its
# loop files have no more room than their filesystem, to which anybody writes.
still() {
    figures_now figures
    take_views .
    figures_now figures-after
    cmp -s figures figures-after
}
figures_now() {
    dmsetup status --noflush >dm-status.txt 2>&1
    [ ! -f images.json ] || docker_info >info.json
    { cat dm-status.txt; [ ! -f info.json ] || jq -c .DriverStatus info.json; } >"$1"
}
ok "there was a moment without writes" eventually 90 still
ok "tree printed a document" test -s tree.json
