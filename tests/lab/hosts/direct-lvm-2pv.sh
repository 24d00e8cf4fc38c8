#!/bin/bash
# direct-lvm, grown over a second PV: the data lies on both
# after direct-lvm
set -e
vgextend -q docker /dev/vdc
lvextend -q -L +6G docker/thinpool
