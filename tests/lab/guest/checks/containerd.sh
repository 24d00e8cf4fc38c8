#!/bin/bash
# containerd's devices are told as ctr, dmsetup and thin_ls tell them; and what goes wrong between its
# databases and the pool is made for real: the findings come, and go.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
. "$LAB/guest/containerd.sh"
mkdir -p /results/containerd && cd /results/containerd || exit 1
pool=$snap_pool
snaps() { ctr snapshots --snapshotter devmapper "$@"; }
layers() { thinscope layers --json; }
of() { jq -c --arg key "$1" '.devices[] | select(.chain_id == $key)' layers.json; }
roles() { layers | jq -c --arg r "$1" '[.devices[] | select(.role == $r) | .device_id]'; }
settle() { dmsetup status "$pool" >/dev/null; } # a status that flushes commits

# --- what ctr says, device by device
layers >layers.json
equal "nothing is a gap" '[]' "$(jq -c .gaps layers.json)"
snaps ls | tail -n +2 >snapshots.txt
equal "a row for every snapshot" "$(wc -l <snapshots.txt)" "$(jq '.devices | length' layers.json)"
equal "all are containerd's" '["containerd"]' "$(jq -c '[.devices[].engine] | unique' layers.json)"
while read -r key parent kind; do
    [ -n "$kind" ] || { kind=$parent parent=''; }
    row=$(of "$key")
    case $kind in
    Committed) role=image-layer ;;
    View) role=snapshot ;;
    *) role=container ;;
    esac
    equal "$key: role" "$role" "$(jq -r .role <<<"$row")"
    equal "$key: its parent" "$parent" \
        "$(jq -r --argjson of "$row" '.devices[] | select(.device_id == $of.parent_device_id) | .chain_id' layers.json)"
done <snapshots.txt
while read -r id image _; do
    row=$(of "$id")
    equal "$id: the container's id, and no state that nobody wrote" "$id null" "$(jq -r '.container | "\(.id) \(.state)"' <<<"$row")"
    name=$(ctr c info "$id" | jq -r '.Labels["nerdctl/name"] // .ID')
    equal "$id: nerdctl's name, or the id" "$name" "$(jq -r .container.name <<<"$row")"
    equal "$id: Kubernetes' names" "$(ctr c info "$id" | jq -c '[.Labels["io.kubernetes.pod.name"], .Labels["io.kubernetes.pod.namespace"]]')" \
        "$(jq -c '[.container.pod, .container.namespace]' <<<"$row")"
    top=$(jq -c --argjson of "$row" '.devices[] | select(.device_id == $of.parent_device_id)' layers.json)
    ok "$id: below it is a layer of $image" jq -e --arg i "$image" '.images | index($i)' <<<"$top"
done < <(ctr c ls | tail -n +2)
equal "a layer that three images hold names all of them" \
    '["docker.io/shop/base:1","docker.io/shop/web:1.4","docker.io/shop/web:latest","docker.io/shop/worker:1.4"]' \
    "$(jq -c '[.devices[] | select(.role == "image-layer" and .parent_device_id == null)][0].images | sort' layers.json)"

# --- what the kernel says
dmsetup table | awk '$4 == "thin" { sub(":$", "", $1); print $6, $1 }' | sort >active.txt
equal "active is what device-mapper has" "$(cat active.txt)" \
    "$(jq -r '.devices[] | select(.active) | "\(.device_id) \(.dm_name)"' layers.json | sort)"
equal "mounted where the kernel says" "$(findmnt -rno SOURCE,TARGET | sed -n "s,^/dev/mapper/\($pool-snap-\),\1,p" | sort)" \
    "$(jq -r '.devices[] | select(.mountpoint) | "\(.dm_name) \(.mountpoint)"' layers.json | sort)"
hold_metadata_snapshot "$pool"
meta=$(losetup -j "$snap_home/metadata" -nO NAME)
thin_ls -m --no-headers -o DEV,MAPPED_BLOCKS "$meta" | awk '{ print $1, $2 * 65536 }' | sort >thin_ls.txt
release_metadata_snapshot "$pool"
equal "ids and mapped bytes are thin_ls's" "$(cat thin_ls.txt)" \
    "$(layers | jq -r '.devices[] | "\(.device_id) \(.mapped_bytes)"' | sort)"
equal "the pool stays a raw one" raw "$(thinscope pool --json | jq -r '.pools[0].kind')"
thinscope layers --ascii >layers.txt
ok "the text names container and image" grep -q 'shop-web.*' layers.txt
ok "no environment comes through the door" bash -c 'thinscope capture -o - | zcat >capture.jsonl; ! grep -q "not-a-secret\|DB_PASSWORD" capture.jsonl'
ok "though the database holds it" grep -q not-a-secret /var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db
equal "nothing is wrong" '' "$(codes)"

# --- another root, and none
mkdir -p /srv/other/io.containerd.snapshotter.v1.devmapper
says "a root without a database says so" 0 "no database of the devmapper snapshotter" thinscope layers --containerd-root /srv/other
equal "the root by its name is read the same" "$(jq -c '[.devices[].chain_id]' layers.json)" \
    "$(thinscope layers --json --containerd-root /var/lib/containerd | jq -c '[.devices[].chain_id]')"

# --- behind containerd's back
layer=$(of "$(awk '$3 == "Committed" { key = $1 } END { print key }' snapshots.txt)" | jq .device_id)
delete_layer() { dmsetup message "$pool" 0 "delete $layer" && settle; }
make_layer() { dmsetup message "$pool" 0 "create_thin $layer" && settle; }
comes device-missing delete_layer
equal "the id that was deleted is missing" "[$layer]" "$(roles missing)"
goes device-missing make_layer
extra() { dmsetup message "$pool" 0 "$1 9000" && settle; }
comes device-leaked extra create_thin
equal "the id that was made is leaked" '[9000]' "$(roles leaked)"
ok "and containerd will want it some day" found containerd-id-in-use
goes device-leaked extra delete
ok "containerd-id-in-use goes with it" gone containerd-id-in-use

next=$(($(layers | jq '[.devices[].device_id] | max') + 1))
take_next() { dmsetup message "$pool" 0 "create_thin $next" && settle; }
comes containerd-id-in-use take_next
contains "it says what the next one meets" "the next layer or container fails with \"file exists\"" "$(summary containerd-id-in-use)"
says "and so it is" 1 "file exists" snaps prepare next-one ''
ok "containerd has given the device up" found containerd-state-mismatch
contains "the finding says so" "gave $pool-snap-" "$(summary containerd-state-mismatch)"
ok "what was freed is asked for no more" gone containerd-id-in-use
goes containerd-state-mismatch snaps prepare next-one ''
ok "the device is now under another id" test "$(layers | jq '.devices[] | select(.chain_id == "next-one") | .device_id')" = $((next + 1))
drop_next() { dmsetup message "$pool" 0 "delete $next" && settle; }
goes device-leaked drop_next

# --- devices that are not what the record says
stopped=$(of nightly | jq -r .dm_name)
umount "$(of nightly | jq -r .mountpoint)"
comes containerd-state-mismatch dmsetup remove "$stopped"
contains "active by the record alone" "the kernel has no such device" "$(summary containerd-state-mismatch)"
goes containerd-state-mismatch systemctl restart containerd
make_error() {
    exec 9<"/dev/mapper/$stopped"
    not dmsetup remove --force "$stopped"
}
comes containerd-state-mismatch make_error
contains "an error target in its place" "is an error target" "$(summary containerd-state-mismatch)"
exec 9<&-
set_right() { dmsetup remove --retry "$stopped" && systemctl restart containerd; }
goes containerd-state-mismatch set_right

# --- killed in the middle: dmsetup is slow, so that there is a middle
cat >/usr/local/sbin/dmsetup <<'SLOW'
#!/bin/bash
case $* in *create*thin*) sleep 30 ;; esac
exec /usr/sbin/dmsetup "$@"
SLOW
chmod +x /usr/local/sbin/dmsetup
kill_containerd() {
    mkdir -p /run/systemd/system/containerd.service.d
    printf '[Service]\nRestart=no\nKillMode=process\n' >/run/systemd/system/containerd.service.d/lab.conf
    systemctl daemon-reload
    local pid
    pid=$(systemctl show -p MainPID --value containerd)
    kill -KILL "$pid"
    while [ -d "/proc/$pid" ]; do sleep 0.1; done
}
cut_off() {
    snaps prepare cut-off '' &
    eventually 20 pgrep -f 'sleep 30' >/dev/null
    ok "while containerd is at it, nothing is wrong" gone containerd-state-mismatch
    kill_containerd
    rm /usr/local/sbin/dmsetup
    pkill -f '^sleep 30$'
    wait
    true
}
cut_off
ok "killed in the middle: it is found" found containerd-state-mismatch
contains "with its state" "in containerd's record, and nothing is at it" "$(summary containerd-state-mismatch)"
equal "and it is all that is found" containerd-state-mismatch "$(codes)"
systemctl start containerd
contains "its start gives the device up" "as faulty" "$(summary containerd-state-mismatch)"
goes containerd-state-mismatch snaps prepare cut-off ''

# --- databases that are not of one time
meta_db=$snap_home/metadata.db pool_db=$snap_home/$pool.db
stop_containerd() { systemctl stop containerd; }
stop_containerd
cp -a "$meta_db" /var/tmp/metadata.db; cp -a "$pool_db" /var/tmp/pool.db
systemctl start containerd
snaps prepare later '' >/dev/null
stop_containerd
cp -a "$meta_db" /var/tmp/metadata.new; cp -a "$pool_db" /var/tmp/pool.new
comes containerd-state-mismatch cp -a /var/tmp/metadata.db "$meta_db"
contains "a device without a snapshot" "no snapshot has it" "$(summary containerd-state-mismatch)"
goes containerd-state-mismatch cp -a /var/tmp/metadata.new "$meta_db"
comes containerd-state-mismatch cp -a /var/tmp/pool.db "$pool_db"
contains "a snapshot without a device" "containerd has no record of" "$(summary containerd-state-mismatch)"
ok "its id is in the pool and free in the record" found containerd-id-in-use
goes containerd-state-mismatch cp -a /var/tmp/pool.new "$pool_db"
ok "with the right database nothing is in the way" gone containerd-id-in-use
truncate -s 4096 "$pool_db"
ok "a database that is cut is a gap, and nothing is called leaked" \
    bash -c "thinscope layers --json | jq -e '(.gaps | length > 0) and all(.devices[]; .role != \"leaked\")'"
rm "$pool_db"
systemctl start containerd
comes containerd-id-in-use eventually 20 test -s "$pool_db"
contains "an old pool with a new database" "the next layer or container fails" "$(summary containerd-id-in-use)"

# --- a pool that nothing makes again
for id in $(ctr task ls -q); do
    ctr task kill -s KILL "$id" 2>/dev/null
    eventually 10 ctr task rm "$id" >/dev/null 2>&1
done
stop_containerd
cp -a /var/tmp/pool.new "$pool_db"
dmsetup ls | grep -o "^$pool-snap-[0-9]*" | xargs -r -n 1 dmsetup remove --retry
comes pool-inactive dmsetup remove --retry "$pool"
contains "containerd's pool is named" "configured for containerd and does not exist in the kernel" "$(summary pool-inactive)"
ok "with the files that it may lie on" bash -c "thinscope findings --json | jq -e '.findings[] | select(.code == \"pool-inactive\") | .evidence | any(contains(\"$snap_home/data\"))'"
losetup -D
goes pool-inactive attach_pool
equal "and nothing else is wrong" '' "$(codes)"
