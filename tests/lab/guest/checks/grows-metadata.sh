#!/bin/bash
# LVM's monitor against the forecast for metadata: at which fill it extends, by how much, its spare with it.
# A pool of which snapshots fill the metadata and not the data.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"

cat >/etc/lvm/profile/t.profile <<'PROFILE'
activation {
  thin_pool_autoextend_threshold=80
  thin_pool_autoextend_percent=20
}
PROFILE
pvcreate -q /dev/vdb && vgcreate -q -s 1M t /dev/vdb
lvcreate -q -y -Z n -L 4G -T t/pool --poolmetadatasize 2M -c 64K
lvchange -q --metadataprofile t t/pool && lvchange -q -y -ay t/pool && lvchange -q --monitor y t/pool
# no volume of LVM's: the pool has no layer over it
pool=$(pool_name)
forecast() { thinscope pool --json | jq -r ".pools[0].autoextend$1"; }
size() { lvs -a --noheadings --nosuffix --units b -o lv_size "$1" | tr -d ' '; }
used() { dmsetup status --noflush "$pool" | awk '{ split($5, n, "/"); print n[1] }'; }
total() { dmsetup status --noflush "$pool" | awk '{ split($5, n, "/"); print n[2] }'; }

dmsetup message "$pool" 0 'create_thin 0'
dmsetup create --noudevsync full --table "0 1048576 thin /dev/mapper/$pool 0"
full=/dev/dm-$(dmsetup info -c --noheadings -o minor full)
dd if=/dev/zero of="$full" bs=4M count=128 oflag=direct status=none
# writes FROM TO: one under every leaf of the mappings between, each of which is copied once a snapshot
writes() {
    awk -v i="$1" -v n="$2" 'BEGIN { for (; i < n; i++) printf "pwrite -q -b 4k %d 4k\n", i * 4194304 }' | xfs_io -d "$full" >/dev/null 2>&1
    dmsetup status "$pool" >/dev/null # a commit
}
snap=0 at=128
# fill_to BLOCKS: of metadata; stops at the first step that is there, with small steps at the end
fill_to() {
    local step now
    until now=$(used) && [ "$now" -ge "$1" ] || [ $snap -gt 60 ]; do
        if [ $at -ge 128 ]; then
            snap=$((snap + 1)) at=0
            dmsetup suspend full && dmsetup message "$pool" 0 "create_snap $snap 0"
            dmsetup resume full
        fi
        step=4 && [ $((now + 40)) -gt "$1" ] || step=32
        writes $at $((at + step))
        at=$((at + step))
    done
}

# LVM wants 4 MiB free, and of metadata as small as this a quarter
equal "it acts above the quarter's threshold, and not above the profile's" 0.75 "$(forecast .metadata.acts_above_ratio)"
limit=$(($(total) * 75 / 100))
fill_to $((limit - 16))
before=$(size t/pool_tmeta) spare=$(size t/lvol0_pmspare) data=$(size t/pool)
adds=$(forecast .metadata.adds_bytes)
echo "figure: metadata $(used) of $(total) blocks, $limit are 75 %; forecast $adds bytes"
equal "below it is not due" false "$(forecast .metadata.due)"
sleep 25
equal "and nothing grows" "$before" "$(size t/pool_tmeta)"
fill_to $((limit + 2))
echo "figure: metadata $(used) of $(total) blocks"
ok "above it LVM extends" eventually 60 bash -c "[ \$(lvs -a --noheadings --nosuffix --units b -o lv_size t/pool_tmeta) -gt $before ]"
equal "by what was forecast, to the byte" $((before + adds)) "$(size t/pool_tmeta)"
equal "the kernel has it" $(((before + adds) / 4096)) "$(eventually 20 bash -c "[ \$(dmsetup status --noflush $pool | cut -d' ' -f5 | cut -d/ -f2) -gt $((before / 4096)) ]"; total)"
equal "its spare grows with it" "$(size t/pool_tmeta)" "$(size t/lvol0_pmspare)"
equal "the data does not" "$data" "$(size t/pool)"
echo "figure: spare $spare before"
dmsetup remove --retry full
vgremove -q -f t >/dev/null 2>&1
