#!/bin/bash
# Makes NAME-dead from NAME.
set -e
. "$LAB/guest/trouble.sh"
kill_docker
