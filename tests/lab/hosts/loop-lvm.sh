#!/bin/bash
# Docker 20.10 over its two sparse loop files, the default of old
set -e
. "$LAB/guest/docker.sh"
. "$LAB/guest/images.sh"
start_docker
populate_small
