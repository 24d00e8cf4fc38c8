#!/bin/bash
# A pool whose metadata is striped over two PVs: read in place while it is inactive, and the same once
# it is active.
. "$LAB/guest/check.sh"
mkdir -p /results/striped && cd /results/striped || exit 1
pvcreate -qq /dev/vdc /dev/vdd && vgcreate -qq striped /dev/vdc /dev/vdd
lvcreate -qq -y -Wn -n meta -i 2 -I 64k -L 32M striped
lvcreate -qq -y -Wn -n pool -L 200M striped
lvconvert -qq -y --type thin-pool --poolmetadata striped/meta striped/pool
lvcreate -qq -y -V 100M -n one --thinpool striped/pool striped
dd if=/dev/urandom of=/dev/striped/one bs=1M count=20 oflag=direct status=none
lvcreate -qq -y -s -n two striped/one && lvchange -qq -ay -K striped/two
dd if=/dev/urandom of=/dev/striped/two bs=1M count=5 seek=4 oflag=direct status=none
sync
figures() {
    thinscope layers --sharing --json striped/pool |
        jq -c '[.devices[] | [.device_id, .mapped_bytes, .exclusive_bytes, .shared_bytes]]'
}
equal "its metadata is striped" striped "$(lvs --noheadings -a -o segtype striped/pool_tmeta | tr -d ' ')"
vgchange -qq -an striped
inactive=$(figures)
equal "nothing was activated for it" "" "$(dmsetup ls | grep '^striped-')"
ok "in place every figure is there" jq -e 'length == 2 and all(.[]; all(.[]; . != null))' <<<"$inactive"
vgchange -qq -ay striped
equal "active it says the same" "$(figures)" "$inactive"

# the disks are given back to whatever is checked after this
vgremove -qq -f striped && pvremove -qq /dev/vdc /dev/vdd
