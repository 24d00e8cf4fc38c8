#!/bin/bash
# Sparse files under a pool: room that the host does not get back, and room that is not there.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
data=/var/lib/docker/devicemapper/devicemapper/data

ok "100 GiB on a disk of a tenth are overcommitted" found loop-file-overcommitted
contains "and what happens next says where it ends" "the filesystem under its files is full" "$(thinscope pool)"
ok "what the pool uses is what the file takes" gone loop-space-not-returned
comes loop-space-not-returned fallocate -o 50G -l 400M "$data"
goes loop-space-not-returned fallocate --punch-hole -o 50G -l 400M "$data"

# docker was told another length than its file has
cp /etc/docker/daemon.json /var/tmp/daemon.json
told() { jq --arg o "dm.loopdatasize=$1" '."storage-opts" = (."storage-opts" // []) + [$o]' </var/tmp/daemon.json >/etc/docker/daemon.json; }
ok "the length that docker took by itself is no finding" gone loop-size-differs
comes loop-size-differs told 200G
contains "and how it is had while the pool is in use" "--data 200G" "$(thinscope findings --json | jq -r '.findings[] | select(.code == "loop-size-differs") | .remedy')"
ok "a shorter one is told too" told 50G
contains "docker never makes it shorter" "never makes it shorter" "$(summary loop-size-differs)"
goes loop-size-differs cp /var/tmp/daemon.json /etc/docker/daemon.json
