#!/bin/bash
# direct-lvm with the pool's metadata moved to a PV of its own
# after direct-lvm
set -e
vgextend -q docker /dev/vdc
pvmove -q -n docker/thinpool_tmeta /dev/vdb /dev/vdc
