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
