#!/bin/bash
# Makes NAME-dead from NAME; what the daemon said last stays for checks to compare with.
set -e
. "$LAB/guest/expected.sh"
. "$LAB/guest/trouble.sh"
save_expected
kill_docker
