#!/bin/bash
# What goes wrong between Docker, its files and its pool: each produced for real, seen to come and
# to go.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
pool=$(pool_name)
files=/var/lib/docker/devicemapper/metadata
evidence() { thinscope findings --json | jq -r --arg c "$1" '.findings[] | select(.code == $c) | .evidence[]'; }
options() { # options KEY=VALUE…: in daemon.json, instead of what was there of these keys
    jq '."storage-opts" = ([."storage-opts"[] | select((split("=")[0]) as $k | [$ARGS.positional[] | split("=")[0]] | index($k) | not)] + $ARGS.positional)' \
        --args "$@" </etc/docker/daemon.json >/etc/docker/daemon.new && mv /etc/docker/daemon.new /etc/docker/daemon.json
}

# a container's device held in another mount namespace
docker run -d --name held --net none shop/web:1.4 sleep 10000 >/dev/null
# (docker removes the mount point, and the kernel then lets go of copies of the same mount: what
# holds is a mount somewhere else, as a backup or another container makes one)
held=$(docker inspect -f '{{.GraphDriver.Data.DeviceName}}' held) held=/var/lib/docker/devicemapper/mnt/${held##*-}
unshare -m sh -c "mount --bind $held /mnt && exec sleep 10000" &
holder=$!
sleep 2
comes device-busy-in-namespace docker stop -t 1 held
contains "who holds it is named" "process $holder (sleep)" "$(summary device-busy-in-namespace)"
contains "with the namespace" "$(readlink /proc/$holder/ns/mnt)" "$(evidence device-busy-in-namespace)"
ok "docker rm succeeds, for deletion is deferred" docker rm held
ok "a deletion that has just begun to wait is no finding" gone deferred-deletion-stuck
waits_since=$SECONDS

# a container that writes much
web=$(docker inspect -f '{{.State.Pid}}' shop-web-1)
ok "a small container is not heavy" gone container-writes-heavy
dd if=/dev/zero of=/proc/"$web"/root/big bs=1M count=1000 status=none; sync
dmsetup status "$pool" >/dev/null
ok "container-writes-heavy comes" found container-writes-heavy
goes container-writes-heavy docker stop -t 1 shop-web-1
docker start shop-web-1 >/dev/null && rm /proc/"$(docker inspect -f '{{.State.Pid}}' shop-web-1)"/root/big

while [ $((SECONDS - waits_since)) -lt 95 ]; do sleep 1; done
ok "deferred-deletion-stuck comes after three of docker's tries" found deferred-deletion-stuck
contains "and says who holds it" "process $holder (sleep)" "$(evidence deferred-deletion-stuck)"
kill "$holder"; wait "$holder" 2>/dev/null
ok "when it is let go docker deletes it" eventually 60 bash -c "! grep -lq '\"deleted\":true' $files/*"
ok "deferred-deletion-stuck goes" gone deferred-deletion-stuck
ok "device-busy-in-namespace goes" gone device-busy-in-namespace

# deleted behind docker's back
id=$(jq .device_id "$files/$(ls $files | grep -e -init | head -n 1)")
kill_docker
save() { cp -a "$files/$1" /var/tmp/; }
restore() { cp -a "/var/tmp/$1" "$files/"; }

# the transaction, with the daemon dead
last=$(jq .open_transaction_id $files/transaction-metadata)
equal "closed: the file and the pool agree" "$last" "$(dmsetup status --noflush "$pool" | cut -d' ' -f4)"
comes transaction-open dmsetup message "$pool" 0 "set_transaction_id $last $((last - 1))"
goes transaction-open dmsetup message "$pool" 0 "set_transaction_id $((last - 1)) $last"
comes transaction-mismatch dmsetup message "$pool" 0 "set_transaction_id $last $((last + 1))"
goes transaction-mismatch dmsetup message "$pool" 0 "set_transaction_id $((last + 1)) $last"

# the base device
save base
comes base-device-missing rm "$files/base"
goes base-device-missing restore base
dmsetup create --noudevsync look --table "0 20971520 thin /dev/mapper/$pool 1"
dev=/dev/dm-$(dmsetup info -c --noheadings -o minor look)
was=$(blkid -p -s UUID -o value "$dev") kind=$(blkid -p -s TYPE -o value "$dev")
equal "the recorded uuid is the base's" "$was" "$(jq -r .BaseDeviceUUID $files/deviceset-metadata)"
new_uuid() { if [ "$kind" = xfs ]; then xfs_admin -U "$1" "$dev"; else e2fsck -fy "$dev" >/dev/null; tune2fs -f -U "$1" "$dev"; fi && sync && blockdev --flushbufs "$dev" && dmsetup status "$pool" >/dev/null; }
comes base-uuid-mismatch new_uuid 11111111-2222-3333-4444-555555555555
contains "with what is on the device" 11111111-2222-3333-4444-555555555555 "$(evidence base-uuid-mismatch)"
goes base-uuid-mismatch new_uuid "$was"
dmsetup remove --retry look

comes device-id-duplicate cp "$files/base" "$files/$(printf 'e%.0s' {1..64})"
goes device-id-duplicate rm "$files/$(printf 'e%.0s' {1..64})"

# what docker is told
cp /etc/docker/daemon.json /var/tmp/
comes deferred-removal-off options dm.use_deferred_removal=false
goes deferred-removal-off options dm.use_deferred_removal=true
comes udev-sync-overridden options dm.override_udev_sync_check=true
goes udev-sync-overridden cp /var/tmp/daemon.json /etc/docker/daemon.json

comes directlvm-force-set options dm.directlvm_device=/dev/vdc dm.directlvm_device_force=true
contains "what it would do is said" "wipes it" "$(summary directlvm-force-set)"
goes directlvm-force-set cp /var/tmp/daemon.json /etc/docker/daemon.json

# a docker without the driver: a program that has every word but the driver's (there is no network
# to install one from)
ok "the docker that made this has the driver" gone driver-removed
mv /usr/sbin/dockerd /var/tmp/dockerd 2>/dev/null && place=/usr/sbin/dockerd || { mv /usr/bin/dockerd /var/tmp/dockerd && place=/usr/bin/dockerd; }
comes driver-removed sh -c "sed 's/dm\.thinpooldev/dm.xxxxxxxxxxx/g' /var/tmp/dockerd >$place"
goes driver-removed cp -a /var/tmp/dockerd $place

# docker's own line, and its own message beside ours
comes min-free-space-reached options dm.min_free_space=99%
revive_docker
ok "docker answers again" eventually 60 docker version
said=$(docker create --net none shop/web:1.4 true 2>&1)
contains "docker refuses" "minimum required" "$said"
numbers=$(sed 's/.*has \([0-9]*\) free data blocks which is less than minimum required \([0-9]*\).*/\1 free data blocks, which is less than the minimum of \2 (99%)/' <<<"$said")
contains "with the numbers that we give" "$numbers" "$(evidence min-free-space-reached)"
cp /var/tmp/daemon.json /etc/docker/daemon.json
systemctl restart docker
ok "docker answers again" eventually 60 docker version
ok "min-free-space-reached goes" gone min-free-space-reached
echo "the init layer was $id"

# a container that cannot be removed: where neither removal nor deletion is deferred docker tries for 20 s
# to remove a busy device, and calls the container dead then
options dm.use_deferred_removal=false dm.use_deferred_deletion=false
systemctl restart docker
ok "docker answers again" eventually 60 docker version
docker run -d --name undead --net none shop/web:1.4 sleep 10000 >/dev/null
held=$(docker inspect -f '{{.GraphDriver.Data.DeviceName}}' undead) held=/var/lib/docker/devicemapper/mnt/${held##*-}
file=$(docker inspect -f '/var/lib/docker/containers/{{.Id}}/config.v2.json' undead)
unshare -m sh -c "mount --bind $held /mnt && exec sleep 10000" &
holder=$!
sleep 2
state_of() { thinscope layers --json | jq -r --arg n "$1" '.devices[] | select(.role == "container" and .container.name == $n) | .container.state'; }
(docker rm -f undead >/var/tmp/rm.log 2>&1; echo $? >/var/tmp/rm.status) &
remover=$!
ok "docker begins to remove it" eventually 30 jq -e .State.Dead "$file"
equal "meanwhile docker says removing" removing "$(docker inspect -f '{{.State.Status}}' undead)"
equal "and so do we" removing "$(state_of undead)"
wait "$remover"
refused "docker could not remove it" test "$(cat /var/tmp/rm.status)" = 0
contains "for it is busy" usy "$(cat /var/tmp/rm.log)"
equal "docker's word is dead" dead "$(docker inspect -f '{{.State.Status}}' undead)"
equal "its file says that it is being removed" "true true" "$(jq -r '.State | "\(.RemovalInProgress) \(.Dead)"' "$file")"
ok "container-dead comes when that is older than any removal" eventually 90 found container-dead
equal "with docker's word" dead "$(state_of undead)"
contains "and docker's name for it" "the container undead is dead" "$(summary container-dead)"
kill "$holder"; wait "$holder" 2>/dev/null
goes container-dead docker rm -f undead
cp /var/tmp/daemon.json /etc/docker/daemon.json
