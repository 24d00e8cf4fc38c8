#!/bin/bash
# The door's contract tests, as root on real devices.
. "$LAB/guest/check.sh"
ok "the contract of sys holds" env THINSCOPE_LAB=1 thinscope-contract --test-threads=1 --nocapture \
    --skip killed:: --skip window:: --skip looks::
