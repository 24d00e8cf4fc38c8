#!/bin/bash
# LVM's monitor against the forecast: at which fill it extends, by how much, and when it cannot.
# On a host without pools: a small one is made.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"

pvcreate -q /dev/vdb && vgcreate -q t /dev/vdb
lvcreate -q -L 400M --poolmetadatasize 16M -c 64k --thinpool pool t
lvcreate -q -V 2G --thin -n v t/pool
forecast() { thinscope pool --json | jq -r ".pools[0].autoextend$1"; }
size() { lvs --noheadings --nosuffix --units b -o lv_size "$1" | tr -d ' '; }
used() { dmsetup status --noflush t-pool-tpool | sed 's/.* \([0-9]*\)\/[0-9]* - .*/\1/'; }
# fill TO: writes until so many blocks of 64 KiB are in use
fill() { dd if=/dev/zero of=/dev/t/v bs=64k seek="$(used)" count=$(($1 - $(used))) oflag=direct status=none; }

equal "without a profile it is off, LVM's default" "false" "$(forecast .on)"
equal "and found so" "autoextend-off overcommitted" "$(codes | tr '\n' ' ' | sed 's/ $//')"
equal "the effective threshold is what LVM says" "thin_pool_autoextend_threshold=100" \
    "$(lvmconfig --type full activation/thin_pool_autoextend_threshold)"

cat >/etc/lvm/profile/t.profile <<'PROFILE'
activation {
  thin_pool_autoextend_threshold=80
  thin_pool_autoextend_percent=20
}
PROFILE
goes autoextend-off lvchange -q --metadataprofile t t/pool
equal "with the profile the threshold is what LVM says" "thin_pool_autoextend_threshold=80" \
    "$(lvmconfig --type full --metadataprofile t activation/thin_pool_autoextend_threshold)"
comes not-monitored lvchange -q --monitor n t/pool
goes not-monitored lvchange -q --monitor y t/pool
comes profile-missing mv /etc/lvm/profile/t.profile /var/tmp/
ok "without its profile it is off" found autoextend-off
goes profile-missing mv /var/tmp/t.profile /etc/lvm/profile/

# 6400 blocks, of which 5120 are exactly 80 %
before=$(size t/pool) adds=$(forecast .data.adds_bytes)
equal "the forecast is 20 % of 100 extents" $((20 * 4194304)) "$adds"
# (the monitor takes a look at exactly 80 % for the passing of 80, and waits for 85: one block less)
fill 5119
sleep 25
equal "below 80 % nothing grows" "$before" "$(size t/pool)"
equal "and the forecast says so" "false" "$(forecast .data.due)"
metadata=$(size t/pool_tmeta)
fill 5121
ok "one block above, LVM extends" eventually 40 bash -c "[ \$(lvs --noheadings --nosuffix --units b -o lv_size t/pool) -gt $before ]"
equal "by what was forecast, to the byte" $((before + adds)) "$(size t/pool)"
echo "figure: metadata $metadata before, $(size t/pool_tmeta) after"

# now 7680 blocks; the next 20 % are 24 extents, and one too few is left
extents=$(forecast .data.adds_bytes) extents=$((extents / 4194304))
free=$(vgs --noheadings -o vg_free_count t | tr -d ' ')
comes autoextend-cannot-act lvcreate -q -y -l $((free - extents + 1)) -n rest t
before=$(size t/pool)
fill 6200
asks=$(($(forecast .data.adds_bytes) / 4194304))
sleep 25
equal "with one extent too few LVM does not extend" "$before" "$(size t/pool)"
ok "LVM said why, with the extents that were forecast at this fill" bash -c "journalctl -b --no-pager | grep -q 'Insufficient free space: $asks extents needed, but only $((extents - 1)) available'"
contains "pool says what happens next" "cannot, the VG has" "$(thinscope pool)"
ok "it is near full" found pool-data-near-full
comes vg-no-free-space lvextend -q -l +$((extents - 1)) t/rest
goes vg-no-free-space lvremove -q -f t/rest
ok "with room it can act again" gone autoextend-cannot-act

# full: out of data space while a writer waits
lvchange -q --monitor n t/pool
total=$(($(size t/pool) / 65536))
fill "$total"
ok "every block is in use" found pool-data-full
dd if=/dev/zero of=/dev/t/v bs=64k seek="$total" count=4 oflag=direct status=none &
writer=$!
ok "a waiting writer puts it out of data space" eventually 20 found pool-out-of-data-space
goes pool-out-of-data-space lvextend -q -L +100M t/pool
ok "the writer goes on" wait "$writer"
goes pool-data-near-full lvextend -q -L +500M t/pool
